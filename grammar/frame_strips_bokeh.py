"""Bokeh plot of strips of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import ImageRGBA, Quad

from .columns import Columns
from .image_mosaic_bokeh import pixels
from .media_tracks_bokeh import GAP, NAME, MediaTracksPlot

BETWEEN = 2  # pixels


class FrameStripsPlot(MediaTracksPlot):
    """A few frames of each video from its beginning to its end, as many as fit; coloured by class at the left.

    Further layers: `frames`, `classes`.
    """

    indent = 4.0

    def step(self, element: Any) -> int:
        """As high as a frame."""
        return element.side + NAME + GAP + 2

    def _across(self, element: Any, at: int) -> int:
        """Frames of a strip that fit."""
        found = element.strips[at]
        room = max(1, (self.wide - 6) // (element.side + BETWEEN))
        return 0 if found is None else min(len(found.tiles), room)

    def _chosen(self, element: Any, at: int) -> np.ndarray:
        """Which frames of a strip are shown: evenly spread."""
        count = self._across(element, at)
        return (
            np.linspace(0, len(element.strips[at].tiles) - 1, count).round().astype(int) if count else np.zeros(0, int)
        )

    def paces(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        """A strip is as long as its video."""
        seconds = element.dimension_values(1)
        long = np.array([self._across(element, at) * (element.side + BETWEEN) for at in range(len(element))], float)
        return np.full(len(element), 6.0), long / np.maximum(seconds, 1e-9)

    def facts(self, element: Any) -> list[str]:
        """Length, rate, size."""
        return ["no video" if each is None else _said(each) for each in element.strips]

    def layers(self, element: Any) -> dict[str, Columns]:
        """Frames above the grounds of what is selected."""
        return {**super().layers(element), "frames": self._frames(element), "classes": self._classes(element)}

    def _frames(self, element: Any) -> Columns:
        images, x, y = [], [], []
        for at, found in enumerate(element.strips):
            for place, frame in enumerate(self._chosen(element, at)):
                images.append(pixels(found.tiles[frame]))
                x.append(6.0 + place * (element.side + BETWEEN))
                y.append(-at * float(self.step(element)) - NAME - element.side)
        return {"image": images, "x": np.array(x), "y": np.array(y), "size": np.full(len(x), float(element.side))}

    def _classes(self, element: Any) -> Columns:
        top = -np.arange(len(element)) * float(self.step(element))
        inks = [self.ink_of(element, at) if any(element.labels) else "#F7F7F7" for at in range(len(element))]
        sides = {"left": np.zeros(len(element)), "right": np.full(len(element), 4.0)}
        return {**sides, "top": top, "bottom": top - self.step(element) + GAP, "ink": np.array(inks, dtype=object)}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Images, strips of colour."""
        if name == "frames":
            return ImageRGBA(image="image", x="x", y="y", dw="size", dh="size"), {}
        if name == "classes":
            return Quad(left="left", right="right", bottom="bottom", top="top", fill_color="ink", line_color=None), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All strips; a unit is a pixel."""
        return 0.0, self._low(element), float(self.wide), 0.0


def _said(found: Any) -> str:
    wide, high = found.size
    return f"{found.seconds:.2f} s, {found.rate:.4g} frames a second, {wide} x {high} pixels"
