"""Bokeh plot of a mosaic of images: thumbnails bin by bin, the one under the pointer larger beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Block, ImageRGBA, Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .growing_bokeh import GrowingPlot
from .palettes import BLACK, BLUISH_GREEN, ORANGE, VERMILLION
from .row_linked_bokeh import HOVER

HEAD, GAP, RIM = 20, 6, 2  # pixels: a bin's name, between images, a frame around one
FRAMES = {1.0: BLUISH_GREEN, 0.0: VERMILLION}
LAID = "wide.data = {width: [figure.inner_width]}"
# At once the thumbnail itself, larger; the server then sends more pixels of it.
ZOOM = (
    HOVER
    + """
const to = zoomed, at = mark
if (to._mark !== at) {
  to._mark = at
  const next = {image: [], x: [], y: [], size: []}
  if (at >= 0) {
    const from = source.data, size = Math.min(zoom, Math.abs(x_range.end - x_range.start))
    const right = from.right[at] + 4, x = right + size <= x_range.end ? right : Math.max(from.left[at] - 4 - size, 0)
    const y = Math.min(Math.max((from.top[at] + from.bottom[at]) / 2 - size / 2, y_range.start), y_range.end - size)
    next.image = [tiles.data.image[at]]; next.x = [x]; next.y = [y]; next.size = [size]
  }
  to.setv({data: next}, {sync: false})
}
"""
)


class ImageMosaicPlot(GrowingPlot):
    """Thumbnails in lines as wide as the figure, under the name of their bin and how many of it are shown.

    A frame says whether a model is right (green) or wrong (vermillion); lit images have an orange frame, kept ones a
    black one. Further layers: `tiles`, `names`, `zoom`.
    """

    zoom = param.Integer(default=160, bounds=(16, 600), doc="Pixels of the image under the pointer.")

    borders = {"min_border_left": 4, "min_border_right": 4, "min_border_top": 2, "min_border_bottom": 2}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    @property
    def wide(self) -> int:
        """Pixels across."""
        return int(getattr(self, "_wide", None) or self.frame_width or self.width or self.min_width or 400)

    def across(self, element: Any) -> int:
        """Images side by side."""
        return max(1, (self.wide - GAP) // (element.side + GAP))

    def columns(self, element: Any) -> Columns:
        """One row per image: its frame."""
        left, top = self._places(element)
        at, album, (_, problems) = element.at, element.album, element.tiles
        labels = album.labels[at] if album is not None else np.zeros(0, dtype=object)
        told = album.said[at] if album is not None and album.said is not None else np.full(len(at), "", dtype=object)
        right = album.right[at] if album is not None and album.right is not None else np.full(len(at), np.nan)
        verdict = [{1.0: " (right)", 0.0: " (wrong)"}.get(each, "") for each in right]
        return {
            **_framed(left, top, element.side),
            "id": np.array([str(each) for each in element.ids], dtype=object),
            "label": labels,
            "said": np.array([f"{a}{b}" for a, b in zip(told, verdict, strict=True)], dtype=object),
            "problem": np.array(problems, dtype=object),
            "ink": np.array([FRAMES.get(each, "#DDDDDD") for each in right], dtype=object),
        }

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """The frame's colour tells right from wrong."""
        mapping = super().mapping(element, style)
        return mapping if "color" in style or "fill_color" in style else mapping | {"fill_color": "ink"}

    def _places(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        """Left and top of each image, in pixels."""
        bin, place = (element.dimension_values(i).astype(np.int64) for i in range(2))
        across, step = self.across(element), element.side + GAP
        return GAP + place % across * step, -(self._starts(element)[bin] + HEAD + place // across * step)

    def _starts(self, element: Any) -> np.ndarray:
        """Where bins begin, from the top, and where the last one ends."""
        step, across = element.side + GAP, self.across(element)
        highs = [HEAD + step * -(-count // across) for count in element.counts.values()]
        return np.concatenate([[0], np.cumsum(highs)]).astype(np.int64)

    def layers(self, element: Any) -> dict[str, Columns]:
        """Images, names, what is selected, and the one under the pointer."""
        left, top = self._places(element)
        tiles = [pixels(tile) for tile in element.tiles[0]]
        images = {"image": tiles, "x": left, "y": top - element.side, "size": np.full(len(left), element.side)}
        none = {"image": [], "x": np.zeros(0), "y": np.zeros(0), "size": np.zeros(0)}
        return {"tiles": images, "names": self._names(element), **super().layers(element), "zoom": none}

    def _names(self, element: Any) -> Columns:
        starts, text = self._starts(element), []
        for name, count in element.counts.items():
            whole = len(element.album.members[name])
            text.append(f"{_short(name)}: {count:,} of {whole:,}" if count < whole else f"{_short(name)}: {whole:,}")
        text = text or ["no images"]
        y = -starts[: len(text)] - HEAD + 3.0
        return {"x": np.full(len(text), float(GAP)), "y": y, "text": np.array(text, dtype=object)}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Frames of the selected ones."""
        left, top = self._places(element)
        return _framed(left[there], top[there], element.side)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Images, texts, frames."""
        if name == "tiles":
            return ImageRGBA(image="image", x="x", y="y", dw="size", dh="size"), {}
        if name == "zoom":
            return ImageRGBA(image="image", x="x", y="y", dw="size", dh="size"), {"level": "overlay"}
        if name == "names":
            return Text(x="x", y="y", text="text", text_font_size="11px", text_baseline="bottom"), {}
        ink: dict[str, Any] = {"line_color": BLACK if name == "kept" else ORANGE, "line_width": 3, "fill_alpha": 0}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bins; a unit is a pixel."""
        return 0.0, -float(self._high(element)), float(self.wide), 0.0

    def high(self, element: Any) -> int:
        """So many lines of images, and room for the larger one."""
        return self._high(element) + 4

    def _high(self, element: Any) -> int:
        return max(int(self._starts(element)[-1]), HEAD + GAP, self.zoom if len(element) else 0)

    # -- pointing

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        self._frame_zoom(plot)
        hover = self.handles.get("hover")
        if hover is not None:
            handles, names = self.handles, ("source", "x_range", "y_range")
            args = {name: handles[name] for name in names}
            args |= {"pointed": handles["pointed_source"], "tiles": handles["tiles_source"]}
            args |= {"zoomed": handles["zoom_source"], "zoom": self.zoom}
            hover.callback = CustomJS(args=args, code=ZOOM)
        wide = ColumnDataSource({"width": []})
        self.handles["wide_source"] = wide
        plot.js_on_change("inner_width", CustomJS(args={"wide": wide, "figure": plot}, code=LAID))
        self.hear(wide, "data", self._widened)

    def _frame_zoom(self, plot: Any) -> None:
        """White under the larger image, and a line around it: it may be transparent, or as light as what is below."""
        square = Block(x="x", y="y", width="size", height="size", fill_color="#FFFFFF", line_width=4)
        ground = plot.add_glyph(self.handles["zoom_source"], square, level="overlay")
        plot.renderers.remove(ground)
        plot.renderers.insert(plot.renderers.index(self.handles["zoom_renderer"]), ground)

    def _widened(self, attr: str, old: Any, new: Any) -> None:
        """Another number of images fits side by side: lay them out anew."""
        element, before = self.current_frame, self.wide
        self._wide = int(new["width"][0])
        if element is not None and self.wide != before:
            self.patch(element)

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        super()._pointed(attr, old, new)
        element = self.current_frame
        if element is not None:
            self.handles["zoom_source"].data = self._zoomed(element, [m for m in new["mark"] if 0 <= m < len(element)])

    def _zoomed(self, element: Any, marks: list[int]) -> Columns:
        """The larger image, right of its thumbnail or left of it, inside the figure."""
        if not marks:
            return {"image": [], "x": np.zeros(0), "y": np.zeros(0), "size": np.zeros(0)}
        left, top = (float(each[marks[0]]) for each in self._places(element))
        size, step = min(self.zoom, self.wide), element.side + RIM + 4
        x = left + step if left + step + size <= self.wide else max(left - RIM - 4 - size, 0.0)
        y = min(max(top - element.side / 2 - size / 2, -float(self._high(element))), -float(size))
        image = pixels(element.larger(int(marks[0]), size))
        return {"image": [image], "x": np.array([x]), "y": np.array([y]), "size": np.array([float(size)])}

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("row", "@id"), ("label", "@label")]
        if element.album is not None and element.album.said is not None:
            tips.append(("prediction", "@said"))
        if any(element.tiles[1]):
            tips.append(("problem", "@problem"))
        return tips, {"attachment": "vertical"}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("place_x", "images")), Dimension(("place_y", "bins"))


def _framed(left: np.ndarray, top: np.ndarray, side: int) -> Columns:
    return {"left": left - RIM, "right": left + side + RIM, "bottom": top - side - RIM, "top": top + RIM}


def pixels(tile: np.ndarray) -> np.ndarray:
    """(side, side) uint32, from below, as Bokeh draws images."""
    return np.ascontiguousarray(tile[::-1]).view(np.uint32)[:, :, 0]


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
