"""Bokeh plot of waveforms: as many parts of each sound as there are pixels, more of them where one zooms in."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import BasicTicker, BasicTickFormatter
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Patches

from ..kernels.search.waveforms import seen
from .columns import Columns
from .media_tracks_bokeh import GAP, NAME, MediaTracksPlot
from .palettes import GREY

CHANNELS = 4  # that are drawn


class WaveformsPlot(MediaTracksPlot):
    """Waveforms in tracks, coloured by class; several channels one below the other. Further layer: `waves`."""

    track_height = param.Integer(default=58, bounds=(24, None), doc="Pixels of a track of one channel.")

    borders = {**MediaTracksPlot.borders, "min_border_bottom": 36}

    def step(self, element: Any) -> int:
        """Higher where there are several channels."""
        return self.track_height + (self.track_height - NAME - GAP) // 2 * (self._channels(element) - 1)

    def _channels(self, element: Any) -> int:
        return max((min(each.channels, CHANNELS) for each in element.envelopes if each is not None), default=1)

    def paces(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        """Seconds, or shares of the length."""
        seconds = element.dimension_values(1)
        pace = np.ones(len(element)) if element.common else 1 / np.maximum(seconds, 1e-9)
        return np.zeros(len(element)), pace

    def facts(self, element: Any) -> list[str]:
        """Length, rate, channels, how loud."""
        return ["no sound" if each is None else _said(each) for each in element.envelopes]

    def layers(self, element: Any) -> dict[str, Columns]:
        """Waveforms above the grounds of what is selected."""
        return {**super().layers(element), "waves": self._waves(element)}

    def _window(self, element: Any) -> tuple[float, float]:
        """What is drawn of the axis: all, or where one zoomed in three times what is seen."""
        found = getattr(self, "_zoom", None)
        x0, _, x1, _ = self.extents(element)
        return (x0, x1) if found is None else (2 * found[0] - found[1], 2 * found[1] - found[0])

    def _waves(self, element: Any) -> Columns:
        low, high = self._window(element)
        pixels = self.wide * (3 if getattr(self, "_zoom", None) else 1)
        _, paces = self.paces(element)
        xs, ys, ink = [], [], []
        for at, (found, pace) in enumerate(zip(element.envelopes, paces, strict=True)):
            for channel, (x, y) in enumerate(self._outlines(element, found, pace, low, high, pixels)):
                xs.append(x)
                ys.append(y + self._middle(element, at, channel))
                ink.append(self.ink_of(element, at))
        nothing = [np.full(1, np.nan)] * self.lacking("waves", len(xs))
        inks = np.array(ink + [GREY] * len(nothing), dtype=object)
        return {"xs": xs + nothing, "ys": ys + nothing, "ink": inks}

    def _outlines(self, element: Any, found: Any, pace: float, low: float, high: float, pixels: int) -> list[Any]:
        """Of each channel the outline, there along the largest and back along the least samples."""
        if found is None or low / pace >= found.seconds or high <= 0:
            return []
        share = min(high, found.seconds * pace) - max(low, 0.0)
        times, least, most = seen(found, max(low, 0) / pace, high / pace, int(pixels * share / (high - low)) + 1)
        times, half = times * pace, self._half(element)
        least, most = (np.clip(each, -1, 1) * half for each in (least, most))
        x = np.concatenate([times, times[::-1]])
        return [(x, np.concatenate([b + 0.5, a[::-1] - 0.5])) for a, b in zip(least[:CHANNELS], most, strict=False)]

    def _half(self, element: Any) -> float:
        return (self.step(element) - NAME - GAP) / self._channels(element) / 2 - 1

    def _middle(self, element: Any, at: int, channel: int) -> float:
        found = element.envelopes[at]
        room = (self.step(element) - NAME - GAP) / min(found.channels, CHANNELS)
        return -at * float(self.step(element)) - NAME - room * (channel + 0.5)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Outlines."""
        if name == "waves":
            return Patches(xs="xs", ys="ys", fill_color="ink", line_color=None, fill_alpha=0.85), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All sounds, from their beginning to the end of the longest."""
        longest = float(element.dimension_values(1).max(initial=0)) or 1.0
        return 0.0, self._low(element), longest if element.common else 1.0, 0.0

    def high(self, element: Any) -> int:
        """Tracks, and the axis of time."""
        return super().high(element) + (44 if element.common else 8)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._zoom: tuple[float, float] | None = None
        super()._init_glyphs(plot, element, ranges, source)
        for name in ("start", "end"):
            self.hear(self.handles["x_range"], name, self._zoomed)

    def annotate(self, element: Any) -> None:
        """Seconds below, where all have the same scale."""
        super().annotate(element)
        seconds: dict[str, Any] = {"ticker": BasicTicker(), "formatter": BasicTickFormatter(use_scientific=False)}
        self.handles["xaxis"].update(**seconds, visible=bool(element.common))

    def _zoomed(self, attr: str, old: Any, new: Any) -> None:
        """More parts where one zooms in; as long as what is drawn serves, nothing is sent."""
        element, x_range = self.current_frame, self.handles["x_range"]
        if element is None or x_range.start is None or x_range.end is None or not x_range.end > x_range.start:
            return
        low, high = float(x_range.start), float(x_range.end)
        drawn, whole = self._window(element), self.extents(element)
        inside = max(low, whole[0]) >= drawn[0] and min(high, whole[2]) <= drawn[1]
        if inside and (drawn[1] - drawn[0]) < 6 * (high - low):
            return
        self._zoom = None if low <= whole[0] and high >= whole[2] else (low, high)
        self.handles["waves_source"].data = self._waves(element)

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once; see `patch.patch`."""
        if fit:
            self._zoom = None
        super().patch(element, fit)


def _said(found: Any) -> str:
    many = {1: "mono", 2: "stereo"}.get(found.channels, f"{found.channels} channels")
    peak = float(max(abs(found.low.min()), abs(found.high.max())))
    loud = "silent" if peak == 0 else f"peak {20 * np.log10(peak):.0f} dB"
    return f"{found.seconds:.2f} s, {found.rate:,} Hz, {many}, {loud}"
