"""What the Bokeh plots of recordings share: tracks, their names, and a playhead that a page's script may move."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, TapTool
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .growing_bokeh import GrowingPlot
from .image_mosaic_bokeh import FRAMES
from .overlay_bokeh import lift
from .palettes import BLACK, GREY, ORANGE, VERMILLION
from .row_map_bokeh import CLASSES
from .streams import unsubscribe

NAME, GAP = 16, 5  # pixels: a track's name, between tracks
LAID = "wide.data = {width: [figure.inner_width]}"
TAPPED = "to.data = {x: [cb_obj.x], y: [cb_obj.y], when: [Date.now()]}"


class MediaTracksPlot(GrowingPlot):
    """A track per recording, one below the other: its name and class, then what subclasses draw of it.

    Lit tracks have an orange ground, kept ones a black frame. Upwards is a pixel a unit. Further layers: `names`,
    `cursor`; further handles: `tapped_source`, `wide_source`. The main source says of each track, for a page's script
    that moves the cursor: `key` (its id as JSON), `origin` and `pace` (where its first second begins, and how wide it
    is).
    """

    borders = {"min_border_left": 4, "min_border_right": 10, "min_border_top": 2, "min_border_bottom": 2}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    indent = 0.0  # of names, in units of the axis

    def step(self, element: Any) -> int:
        """Pixels from a track to the next."""
        raise NotImplementedError

    def paces(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        """Of each track where it begins, and how much of the axis a second takes."""
        raise NotImplementedError

    def facts(self, element: Any) -> list[str]:
        """Of each track what the tooltip says of its recording."""
        raise NotImplementedError

    @property
    def wide(self) -> int:
        """Pixels across."""
        return int(getattr(self, "_wide", None) or self.frame_width or self.width or self.min_width or 400)

    def columns(self, element: Any) -> Columns:
        """One row per track: its ground."""
        x0, _, x1, _ = self.extents(element)
        top = -np.arange(len(element)) * float(self.step(element))
        origin, pace = self.paces(element)
        return {
            "left": np.full(len(element), x0),
            "right": np.full(len(element), x1),
            "top": top,
            "bottom": top - self.step(element) + GAP,
            "key": np.array(element.keys, dtype=object),
            "origin": origin,
            "pace": pace,
            "id": np.array([str(each) for each in element.ids], dtype=object),
            "name": np.array(element.names, dtype=object),
            "label": np.array(element.labels, dtype=object),
            "facts": np.array(
                [a or b for a, b in zip(element.problems, self.facts(element), strict=True)], dtype=object
            ),
        }

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """All grounds alike."""
        ground = {} if "color" in style or "fill_color" in style else {"fill_color": "#F7F7F7"}
        return super().mapping(element, style) | ground

    def layers(self, element: Any) -> dict[str, Columns]:
        """What is selected, names, and the playhead."""
        return {**super().layers(element), "names": self._names(element), "cursor": self._cursor(element)}

    def _names(self, element: Any) -> Columns:
        text = [self._called(element, at) for at in range(len(element))] or ["nothing to show"]
        broken = [bool(each) for each in element.problems] or [False]
        more = self.lacking("names", len(text))
        inks = [VERMILLION if each else "#333333" for each in broken] + ["#333333"] * more
        return {
            "x": np.full(len(inks), self.extents(element)[0] + self.indent),
            "y": -np.arange(len(inks)) * float(self.step(element)) - 1,
            "text": np.array(text + [""] * more, dtype=object),
            "ink": np.array(inks, dtype=object),
        }

    def lacking(self, name: str, rows: int) -> int:
        """Rows without anything in them that a layer needs to have as many as ever.

        Bokeh takes in texts and outlines in two steps: between them it may paint as many of the new ones as there were
        of the old, and fails where these are fewer.
        """
        ever = self.__dict__.setdefault("_ever", {})
        ever[name] = max(ever.get(name, 1), rows)
        return ever[name] - rows

    def _called(self, element: Any, at: int) -> str:
        parts = [str(element.ids[at]), element.labels[at], element.problems[at] or element.names[at]]
        seconds = float(element.dimension_values(1)[at])
        text = "  ".join([*filter(None, parts), *([clock(seconds)] if seconds else [])])
        most = max(16, self.wide // 6)
        return text if len(text) <= most else text[: most - 1] + "…"

    def ink_of(self, element: Any, at: int) -> str:
        """A track's colour: of its class, or green where a model is right and vermillion where it is wrong."""
        if element.right is not None:
            return FRAMES.get(float(element.right[at]), GREY)
        label = element.labels[at]
        known = element.classes or sorted(set(element.labels))
        return CLASSES[known.index(label)] if label in known and len(known) <= len(CLASSES) else CLASSES[0]

    def _cursor(self, element: Any) -> Columns:
        """A line through the track at the playhead."""
        head = element.playhead
        track = None if head is None else element.track_of(head.row)
        if track is None:
            return {name: np.zeros(0) for name in ("x", "low", "high")}
        origin, pace = (each[track] for each in self.paces(element))
        top = -track * float(self.step(element)) - NAME
        x = origin + min(head.at, float(element.dimension_values(1)[track])) * pace
        return {"x": np.array([x]), "low": np.array([top - self.step(element) + NAME + GAP]), "high": np.array([top])}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Grounds of the selected tracks."""
        x0, _, x1, _ = self.extents(element)
        some = np.unique(element.marks[there])
        top = -some * float(self.step(element))
        sides = {"left": np.full(len(some), x0), "right": np.full(len(some), x1)}
        return {**sides, "top": top, "bottom": top - self.step(element) + GAP}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Texts, a line, grounds and frames."""
        if name == "names":
            font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "top", "x_offset": 4}
            return Text(x="x", y="y", text="text", text_color="ink", **font), {}
        if name == "cursor":
            return Segment(x0="x", x1="x", y0="low", y1="high", line_color=VERMILLION, line_width=2), {}
        ink: dict[str, Any] = {"fill_color": ORANGE, "fill_alpha": 0.25, "line_color": None}
        if name == "kept":
            ink = {"fill_color": None, "line_color": BLACK, "line_width": 1.5}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def high(self, element: Any) -> int:
        """So many tracks."""
        return self.step(element) * max(len(element), 1) + 4

    def _low(self, element: Any) -> float:
        return -float(self.step(element) * max(len(element), 1))

    # -- pointing and clicking

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._followed: Any = None
        super()._init_glyphs(plot, element, ranges, source)
        for tap in plot.select({"type": TapTool}):
            tap.renderers = [self.handles["glyph_renderer"]]  # what is drawn on a track is part of it
        lift(plot, [self.handles["cursor_renderer"]])
        tapped = ColumnDataSource({"x": [], "y": [], "when": []})
        plot.js_on_event("tap", CustomJS(args={"to": tapped}, code=TAPPED))
        self.handles["tapped_source"] = tapped
        self.hear(tapped, "data", self._sought)
        wide = ColumnDataSource({"width": []})
        self.handles["wide_source"] = wide
        plot.js_on_change("inner_width", CustomJS(args={"wide": wide, "figure": plot}, code=LAID))
        self.hear(wide, "data", self._widened)

    def _sought(self, attr: str, old: Any, new: Any) -> None:
        """A click on a track: the playhead goes there."""
        element = self.current_frame
        if element is None or element.playhead is None or not len(new["x"]):
            return
        track = int(np.floor(-new["y"][0] / self.step(element)))
        if 0 <= track < len(element) and not element.problems[track]:
            origin, pace = (each[track] for each in self.paces(element))
            seconds = float(element.dimension_values(1)[track])
            at = np.clip((new["x"][0] - origin) / pace if pace else 0.0, 0.0, max(seconds - 0.01, 0.0))
            element.playhead.seek(element.ids[track], float(at))

    def _widened(self, attr: str, old: Any, new: Any) -> None:
        """As many pixels as there are now."""
        before, self._wide = self.wide, int(new["width"][0])
        if self.current_frame is not None and before != self._wide:
            self.patch(self.current_frame)

    def annotate(self, element: Any) -> None:
        """Follow the element's playhead: a patched one may have another."""
        super().annotate(element)
        if getattr(self, "_followed", None) is not element.playhead:
            self._unfollow()
            if element.playhead is not None:
                element.playhead.add_subscriber(self._moved)
            self._followed = element.playhead

    def _unfollow(self) -> None:
        if self._followed is not None:
            unsubscribe(self._followed, self._moved)
            self._followed = None

    def _moved(self, **head: Any) -> None:
        if self.current_frame is not None:
            self.handles["cursor_source"].data = self._cursor(self.current_frame)

    def cleanup(self) -> None:
        """HoloViews' hook: the page is closed."""
        self._unfollow()
        super().cleanup()

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("row", "@id"), ("label", "@label"), ("recording", "@facts")], {"attachment": "vertical"}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("at", "seconds")), Dimension(("height", "recordings"))


def clock(seconds: float) -> str:
    """A length of time: "0.42 s", "1:07 min"."""
    return f"{seconds:.2f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
