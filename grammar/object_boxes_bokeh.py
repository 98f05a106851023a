"""Bokeh plot of boxes over images."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, TapTool
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import ImageRGBA, Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .growing_bokeh import GrowingPlot
from .image_mosaic_bokeh import LAID, pixels
from .palettes import BLACK, BLUE, BLUISH_GREEN, ORANGE, VERMILLION

HEAD, GAP, RIM = 17, 8, 3  # pixels: words above an image, between images, a frame around one
WRONG = "#CC79A7"
INKS = {"hit": BLUISH_GREEN, "missed": VERMILLION, "right": BLUE, "wrong": WRONG}
"""Of objects that are found, or not; of boxes that find one, or not."""


class ObjectBoxesPlot(GrowingPlot):
    """Images in lines as wide as the figure; above each how many of its objects are found, and how many boxes wrong.

    Objects that are found have a green box, those that are missed a vermillion, dashed one; boxes of the model are
    blue where they are right, purple where they are wrong, with their confidence. Lit images have an orange frame, kept
    ones a black one. Further layers: `tiles`, `names`, `truth`, `missed`, `found`, `sure`.
    """

    borders = {"min_border_left": 4, "min_border_right": 4, "min_border_top": 2, "min_border_bottom": 2}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    @property
    def wide(self) -> int:
        """Pixels across."""
        return int(getattr(self, "_wide", None) or self.frame_width or self.width or self.min_width or 400)

    def _places(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        """Left and top of each image, in pixels."""
        at, step = np.arange(len(element)), element.side + GAP
        across = self._across(element)
        return GAP + at % across * step, -(at // across * (step + HEAD) + HEAD)

    def _across(self, element: Any) -> int:
        return max(1, (self.wide - GAP) // (element.side + GAP))

    def columns(self, element: Any) -> Columns:
        """One row per image: its frame."""
        left, top = self._places(element)
        objects, hits, wrong = (element.dimension_values(at) for at in (1, 2, 3))
        problems = [each.problem for each in element.pictures]
        said = [
            problem or _said(element.found is None, *counts)
            for problem, counts in zip(problems, zip(objects, hits, wrong, strict=True), strict=True)
        ]
        return {
            **_framed(left, top, element.side),
            "id": np.array([str(each) for each in element.ids], dtype=object),
            "said": np.array(said, dtype=object),
        }

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Quiet frames."""
        ground = {} if "color" in style or "fill_color" in style else {"fill_color": "#EEEEEE"}
        return super().mapping(element, style) | ground

    def layers(self, element: Any) -> dict[str, Columns]:
        """What is selected, images, words, boxes."""
        left, top = self._places(element)
        tiles = [pixels(each.tile) for each in element.pictures]
        images = {"image": tiles, "x": left, "y": top - element.side, "size": np.full(len(left), element.side)}
        truth, found, sure = self._boxes(element)
        return {
            **super().layers(element),
            "tiles": images,
            "names": self._names(element),
            "truth": _rows([row for row in truth if row[4]]),
            "missed": _rows([row for row in truth if not row[4]]),
            "found": _rows(found),
            "sure": sure,
        }

    def _names(self, element: Any) -> Columns:
        left, top = self._places(element)
        objects, hits, wrong = (element.dimension_values(at) for at in (1, 2, 3))
        text = [
            f"{id_}: {_few(element.found is None, *counts)}"
            for id_, counts in zip(element.ids, zip(objects, hits, wrong, strict=True), strict=True)
        ]
        if not text:
            return {"x": np.array([float(GAP)]), "y": np.array([-3.0]), "text": np.array(["no images"], dtype=object)}
        return {"x": left.astype(float), "y": top + 2.0, "text": np.array(text, dtype=object)}

    def _boxes(self, element: Any) -> tuple[list[Any], list[Any], Columns]:
        """(left, right, bottom, top, whether found or right) of objects and of detections; and how sure the latter."""
        truth: list[Any] = []
        found: list[Any] = []
        sure: list[Any] = []
        for at, (x, y) in enumerate(zip(*self._places(element), strict=True)):
            onto = _onto(element.pictures[at], element.side, float(x), float(y))
            matched = element.matched[at]
            if "truth" in element.layers:
                told = matched.hit if element.found is not None else np.ones(len(element.truth[at]), bool)
                truth += [(*onto(box), bool(hit)) for box, hit in zip(element.truth[at], told, strict=True)]
            if element.found is not None and "found" in element.layers:
                for box, right, counts in zip(element.found[at], matched.right, matched.sure, strict=True):
                    if counts:
                        place = onto(box[:4])
                        found.append((*place, bool(right)))
                        sure.append((place[0], place[3], f"{box[4]:.2f}"))
        x, y, text = zip(*sure, strict=True) if sure else ((), (), ())
        told = {"x": np.array(x, float), "y": np.array(y, float), "text": np.array(text, dtype=object)}
        return truth, found, told

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Frames of the selected ones."""
        left, top = self._places(element)
        return _framed(left[there], top[there], element.side)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Images, texts, boxes, frames."""
        sides: dict[str, Any] = {"left": "left", "right": "right", "bottom": "bottom", "top": "top"}
        if name == "tiles":
            return ImageRGBA(image="image", x="x", y="y", dw="size", dh="size"), {}
        if name in ("names", "sure"):
            font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "bottom"}
            if name == "sure":
                font |= {"text_font_size": "10px", "background_fill_color": "#FFFFFF", "background_fill_alpha": 0.8}
                font |= {"y_offset": -3}
            return Text(x="x", y="y", text="text", **font), {}
        if name == "found":
            return Quad(**sides, fill_color=None, line_color="ink", line_width=1.5), {}
        if name in ("truth", "missed"):
            ink: dict[str, Any] = {"line_color": INKS["hit" if name == "truth" else "missed"], "line_width": 3}
            return Quad(**sides, fill_color=None, line_dash="solid" if name == "truth" else "dashed", **ink), {}
        if name == "lit":
            return Quad(**sides, fill_color=ORANGE, line_color=ORANGE, line_width=3), {}
        return Quad(**sides, fill_color=None, line_color=BLACK, line_width=4), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All images; a unit is a pixel."""
        return 0.0, -float(self._high(element)), float(self.wide), 0.0

    def high(self, element: Any) -> int:
        """So many lines of images."""
        return self._high(element) + 4

    def _high(self, element: Any) -> int:
        return max(1, -(-len(element) // self._across(element))) * (element.side + GAP + HEAD)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        for tap in plot.select({"type": TapTool}):
            tap.renderers = [self.handles["glyph_renderer"]]
        wide = ColumnDataSource({"width": []})
        self.handles["wide_source"] = wide
        plot.js_on_change("inner_width", CustomJS(args={"wide": wide, "figure": plot}, code=LAID))
        self.hear(wide, "data", self._widened)

    def _widened(self, attr: str, old: Any, new: Any) -> None:
        """Another number of images fits side by side: lay them out anew."""
        element, before = self.current_frame, self.wide
        self._wide = int(new["width"][0])
        if element is not None and self.wide != before:
            self.patch(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("row", "@id"), ("objects", "@said")], {"attachment": "vertical"}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("place_x", "images")), Dimension(("place_y", "images "))


def _onto(picture: Any, side: int, left: float, top: float) -> Any:
    """From corners in an image to (left, right, bottom, top) on its tile."""
    wide, high = picture.size
    scale = side / max(wide, high)
    x, y = (side - round(wide * scale)) // 2, (side - round(high * scale)) // 2

    def place(box: np.ndarray) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (np.clip(each, 0, most) * scale for each, most in zip(box, (wide, high) * 2, strict=True))
        return left + x + x0, left + x + x1, top - y - y1, top - y - y0

    return place


def _rows(found: list[tuple[float, float, float, float, bool]]) -> Columns:
    table = np.array([row[:4] for row in found], float).reshape(-1, 4)
    inks = [INKS["right" if row[4] else "wrong"] for row in found]
    names = ("left", "right", "bottom", "top")
    return dict(zip(names, table.T, strict=True)) | {"ink": np.array(inks, dtype=object)}


def _framed(left: np.ndarray, top: np.ndarray, side: int) -> Columns:
    return {"left": left - RIM, "right": left + side + RIM, "bottom": top - side - RIM, "top": top + RIM}


def _few(alone: bool, objects: int, hits: int, wrong: int) -> str:
    if alone:
        return f"{objects} object{'s' if objects != 1 else ''}"
    return f"{hits} of {objects}" + (f", {wrong} wrong" if wrong else "")


def _said(alone: bool, objects: int, hits: int, wrong: int) -> str:
    if alone:
        return f"{objects}"
    return f"{hits} of {objects} found, {objects - hits} missed, {wrong} box{'es' if wrong != 1 else ''} wrong"
