"""Bokeh plot of a graph: nodes that can be dragged, edges as lines or, of many, an image made where it is shown."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import param
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, PanTool, TapTool
from bokeh.models.annotations.arrows import Arrow, VeeHead
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import ImageRGBA, Scatter, Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .node_link import KINDS
from .node_link_looks import LINKS, MOST_LINKS, legend, node_looks, node_sizes, short
from .node_link_raster import Window, edge_image, polylines, stamp_nodes
from .node_link_script import AT, DRAG, DRAW, LEFT, LINK, NEAR
from .palettes import BLACK, GREY, ORANGE
from .row_linked_bokeh import RowLinkedPlot
from .still_bokeh import add_still_ranges
from .streams import unsubscribe

LABELLED = 80  # nodes in view with their names beside them
ARROWED = 1000  # edges whose direction is shown by a head
REACH = 10  # pixels from the pointer to a node
SHAPE = (700, 500)  # of the image, before the size of the plot is known
LARGEST = (1200, 800)
NO_IMAGE: Columns = {"image": [], "x": np.zeros(0), "y": np.zeros(0), "w": np.zeros(0), "h": np.zeros(0)}


class NodeLinkPlot(RowLinkedPlot):
    """Nodes over edges, and links of rows in the manner of what is known of them.

    Beyond `many_edges` the edges, beyond `many_nodes` in view the nodes, are an image, made anew where one zooms in.
    Layers `kept` and `lit` are rings around nodes, `kept_links` and `lit_links` lines. Further layers: `raster`,
    `edges`, `links`, `wrong`, `labels`, `names`, `told`.
    """

    many_edges = param.Integer(default=3000, bounds=(0, None), doc="Edges beyond which an image is drawn.")

    many_nodes = param.Integer(default=2500, bounds=(0, None), doc="Nodes in view beyond which an image is drawn.")

    borders = {"min_border_left": 4, "min_border_right": 4, "min_border_top": 4, "min_border_bottom": 4}

    style_opts = [*base_properties, *fill_properties, *line_properties]

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "scatter"}

    _window: Window | None = None  # that is looked at; None: all
    _shape = SHAPE
    _known_lines: Any = None

    # -- nodes

    def columns(self, element: Any) -> Columns:
        """One row per node in view; none where an image is drawn."""
        at = self._glyphs(element)
        x, y = element.places[at].T
        inks, markers = node_looks(element)
        size = node_sizes(element)
        said = np.array(["<br>".join(map(escape, element.said(node))) for node in at], dtype=object)
        return {"x": x, "y": y, "size": size[at], "ink": inks[at], "marker": markers[at], "mark": at, "said": said}

    def _seen(self, element: Any) -> np.ndarray:
        """Positions of the nodes in view, and a little beyond."""
        if self._window is None:
            return np.arange(len(element))
        x0, y0, x1, y1 = self._window
        x, y = element.places.T
        dx, dy = 0.3 * (x1 - x0), 0.3 * (y1 - y0)
        return np.flatnonzero((x >= x0 - dx) & (x <= x1 + dx) & (y >= y0 - dy) & (y <= y1 + dy))

    def _glyphs(self, element: Any) -> np.ndarray:
        """Positions of the nodes that are drawn one by one."""
        if len(element) <= self.many_nodes:
            return np.arange(len(element))
        seen = self._seen(element)
        return seen if len(seen) <= self.many_nodes else np.zeros(0, np.int64)

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour and shape tell the label or the value."""
        ink = {} if "color" in style or "fill_color" in style else {"fill_color": "ink"}
        return {"x": "x", "y": "y", "size": "size", "marker": "marker", **ink}

    # -- layers

    def layers(self, element: Any) -> dict[str, Columns]:
        """From below: images, edges, links, what is selected, and words."""
        nothing: Columns = {"x": np.zeros(0), "y": np.zeros(0), "text": np.zeros(0, object)}
        selected = super().layers(element)
        return {
            "raster": self._raster(element),
            "edges": self._edges(element),
            "links": self._links(element, element.drawn_links[:MOST_LINKS]),
            **{f"{name}_links": self._selected_links(element, name) for name in ("kept", "lit")},
            **selected,
            "wrong": self._wrong(element),
            "labels": self._labels(element),
            "names": legend(element, self.extents(element)),
            "told": nothing,
        }

    def _is_image(self, element: Any) -> bool:
        return len(element.edges) > self.many_edges

    def _segments(self, element: Any, ends: np.ndarray) -> Columns:
        (x0, y0), (x1, y1) = element.places[ends[:, 0]].T, element.places[ends[:, 1]].T
        return {"x0": x0, "y0": y0, "x1": x1, "y1": y1, "u": ends[:, 0], "v": ends[:, 1]}

    def _edges(self, element: Any) -> Columns:
        return self._segments(element, element.edges[:0] if self._is_image(element) else element.edges)

    def _links(self, element: Any, at: np.ndarray) -> Columns:
        """Lines of rows about pairs, each in the manner of its kind."""
        looks = [LINKS[KINDS[kind]] if kind >= 0 else (GREY, "dotted", 1.0, "") for kind in element.kinds[at]]
        said = np.array(["<br>".join(map(escape, element.said_of_link(each))) for each in at], dtype=object)
        told: Columns = {name: [look[at] for look in looks] for at, name in enumerate(("ink", "dash", "wide"))}
        return {**self._segments(element, element.links[at]), **told, "mark": at, "said": said}

    def _selected_links(self, element: Any, name: str) -> Columns:
        ids = () if element.selection is None else getattr(element.selection, name)
        if not len(element.links) or not len(ids):
            return {**self._segments(element, element.links[:0]), "dash": []}
        at = element.links_in(element.mask_of(ids))[:MOST_LINKS]
        dashes = [LINKS[KINDS[kind]][1] if kind >= 0 else "dotted" for kind in element.kinds[at]]
        return {**self._segments(element, element.links[at]), "dash": dashes}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The nodes of the selected rows."""
        at = np.unique(element.marks[there])
        return {"x": element.places[at, 0], "y": element.places[at, 1], "ring": node_sizes(element)[at] + 5}

    def _wrong(self, element: Any) -> Columns:
        at = np.flatnonzero(element.wrong)[: self.many_nodes]
        x, y = element.places[at].T
        return {"x": x, "y": y, "size": node_sizes(element)[at] + 1}

    def _labels(self, element: Any) -> Columns:
        """Names of the nodes in view, where there are few."""
        seen = self._seen(element)
        at = self._apart(element, seen if len(seen) <= LABELLED else seen[:0])
        x, y = element.places[at].T
        names = [short(element.called(node), 22) for node in at]
        return {"x": x, "y": y, "text": np.array(names, dtype=object), "off": node_sizes(element)[at] / 2 + 2}

    def _apart(self, element: Any, nodes: np.ndarray) -> np.ndarray:
        """Of these nodes those whose names have room, the ones with most edges first."""
        x0, y0, x1, y1 = self._window or self.extents(element)
        scale = self._shape[0] / (x1 - x0), self._shape[1] / (y1 - y0)
        place = (element.places - (x0, y0)) * scale
        sizes = node_sizes(element)
        found, taken = [], np.zeros((0, 4))  # boxes of names, and of nodes with more edges: those may be written upon
        for node in sorted(nodes.tolist(), key=lambda each: -element.degrees[each]):
            left = place[node, 0] + sizes[node] / 2 + 2
            wide = 6.5 * len(short(element.called(node), 22))
            box = left, place[node, 1] - 6, left + wide, place[node, 1] + 6
            own = *(place[node] - sizes[node] / 2), *(place[node] + sizes[node] / 2)
            free = not _overlaps(taken, box).any()
            taken = np.concatenate([taken, [own, box] if free else [own]])
            found += [node] if free else []
        return np.array(sorted(found), dtype=np.int64)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Images, segments, rings, crosses and texts."""
        line: dict[str, Any] = {"x0": "x0", "y0": "y0", "x1": "x1", "y1": "y1"}
        font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "middle"}
        if name == "raster":
            return ImageRGBA(image="image", x="x", y="y", dw="w", dh="h"), {"level": "image"}
        if name == "edges":
            return Segment(**line, line_color="#9AA7B2", line_alpha=0.55, line_width=1), {"level": "underlay"}
        if name == "links":
            look: dict[str, Any] = {"line_color": "ink", "line_dash": "dash", "line_width": "wide", "line_alpha": 0.85}
            return Segment(**line, **look), {"level": "underlay"}
        if name in ("kept_links", "lit_links"):
            ink = BLACK if name == "kept_links" else ORANGE
            return Segment(**line, line_color=ink, line_dash="dash", line_width=2.6), {"level": "underlay"}
        if name == "wrong":
            return Scatter(x="x", y="y", size="size", marker="x", line_color=BLACK, line_width=1.3), {}
        if name == "labels":
            return Text(x="x", y="y", text="text", x_offset="off", text_color="#333333", **font), {"level": "glyph"}
        back: dict[str, Any] = {"background_fill_color": "#FFFFFF", "background_fill_alpha": 0.8}
        if name == "names":
            return Text(x="x", y="y", text="text", text_color="ink", y_offset="off", **back, **font), self._still
        if name == "told":
            return Text(x="x", y="y", text="text", x_offset=10, y_offset=-6, **back, **font), {"level": "overlay"}
        if name == "lit":
            return Scatter(x="x", y="y", size="ring", fill_color=ORANGE, fill_alpha=0.9, line_color="#FFFFFF"), {}
        return Scatter(x="x", y="y", size="ring", fill_alpha=0, line_color=BLACK, line_width=2.2), {}

    # -- the image

    def _raster(self, element: Any) -> Columns:
        """Edges, and nodes where they are too many to be drawn one by one."""
        many = len(element) > 0 and not len(self._glyphs(element))
        if not (self._is_image(element) or many):
            return NO_IMAGE
        x0, y0, x1, y1 = self._window or self.extents(element)
        dx, dy = 0.25 * (x1 - x0), 0.25 * (y1 - y0)  # so that a small pan shows no empty rim
        window = x0 - dx, y0 - dy, x1 + dx, y1 + dy
        shape = int(1.5 * self._shape[0]), int(1.5 * self._shape[1])
        shape = min(shape[0], LARGEST[0]), min(shape[1], LARGEST[1])
        image = np.zeros(shape[::-1], np.uint32)
        if self._is_image(element):
            image = edge_image(self._lines(element), window, shape)
        if many:
            radius = float(np.clip(0.22 * np.sqrt(image.size / len(element)), 1, 3))
            stamp_nodes(image, element.places, node_looks(element)[0], window, radius)
        place = {"x": window[0], "y": window[1], "w": window[2] - window[0], "h": window[3] - window[1]}
        return {"image": [image], **{name: np.array([each]) for name, each in place.items()}}

    def _lines(self, element: Any) -> Any:
        """The edges as Datashader takes them; those of nodes that were dragged are straight."""
        from ..kernels.search.bundling import straight

        known = self._known_lines
        if known is None or known[0] is not element or known[1] is not element.places:
            paths = element.paths if element.paths is not None else straight(element.places, element.edges)
            moved = (element.places != element.start).any(axis=1)
            if element.paths is not None and moved.any():
                at = moved[element.edges].any(axis=1)
                paths = paths.copy()
                paths[at] = straight(element.places, element.edges[at], paths.shape[1])
            known = self._known_lines = element, element.places, polylines(paths)
        return known[2]

    # -- the figure

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All nodes, with a little room; more above and at the left, for the legend."""
        if not len(element):
            return 0.0, 0.0, 1.0, 1.0
        (x0, y0), (x1, y1) = element.start.min(axis=0), element.start.max(axis=0)
        dx, dy = (0.05 * (b - a) or 0.5 for a, b in ((x0, x1), (y0, y1)))
        wide = 0.5 if element.sides else 1.0
        right = 4 if len(element) <= LABELLED else 1.5 * wide  # names are at the right of their nodes
        return float(x0 - 2 * wide * dx), float(y0 - dy), float(x1 + right * dx), float(y1 + 2 * dy)

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        return self.extents(element)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._still = add_still_ranges(plot)
        self._heeded_places: Any = None
        super()._init_glyphs(plot, element, ranges, source)
        hover, nodes = self.handles.get("hover"), self.handles["source"]
        links = self.handles["links_renderer"]
        if hover is not None:
            hover.tooltips = "<div style='font-size:12px'>@said{safe}</div>"
            told = self.handles["told_links"] = ColumnDataSource({"mark": []})
            code = CustomJS(args={"source": links.data_source, "pointed": told, "nodes": nodes}, code=LINK)
            plot.add_tools(HoverTool(renderers=[links], callback=code, tooltips=hover.tooltips, visible=False))
            self.hear(told, "data", self._pointed_at_link)
        for tap in plot.select(TapTool):
            tap.renderers = [self.handles["glyph_renderer"], links]
        links.nonselection_glyph = links.selection_glyph = None
        self.hear(links.data_source.selected, "indices", self._tapped_link)
        arrows = self.handles["arrows_source"] = ColumnDataSource(self._arrows(element))
        head = VeeHead(size=7, fill_color="#8A98A5", line_color="#8A98A5")
        ends: dict[str, Any] = {"x_start": "x0", "y_start": "y0", "x_end": "x1", "y_end": "y1", "line_alpha": 0}
        plot.add_layout(Arrow(source=arrows, end=head, level="underlay", **ends))
        self._watch_pointer(plot)

    def _watch_pointer(self, plot: Any) -> None:
        """What the page's own scripts do: dragging, and telling Python of the pointer and the window."""
        sources = {f"{name}s": self.handles[f"{name}s_source"] for name in ("edge", "link")}
        ranges = {name: self.handles[name] for name in ("x_range", "y_range")}
        nodes, pan = self.handles["source"], plot.select_one(PanTool)
        dropped = self.handles["dropped"] = ColumnDataSource({"mark": [], "x": [], "y": []})
        args = {"nodes": nodes, "pan": pan, "figure": plot, "dropped": dropped, **ranges}
        plot.js_on_event("mousemove", CustomJS(args=args, code=NEAR))
        for event in ("panstart", "pan", "panend"):
            plot.js_on_event(event, CustomJS(args={**args, **sources}, code=DRAG))
        self.hear(dropped, "data", self._dropped)
        raster = self.handles["raster_source"]
        for name, event in (("at", "mousemove"), ("tapped", "tap")):
            to = self.handles[f"{name}_place"] = ColumnDataSource({"x": [], "y": [], "w": [], "h": []})
            told = {"to": to, "figure": plot, "kind": name, "raster": raster, "nodes": nodes, **ranges}
            plot.js_on_event(event, CustomJS(args=told, code=AT))
        plot.js_on_event("mouseleave", CustomJS(args={"to": self.handles["at_place"]}, code=LEFT))
        self.hear(self.handles["at_place"], "data", self._moved)
        self.hear(self.handles["tapped_place"], "data", self._tapped_at)
        window = self.handles["window"] = ColumnDataSource({"at": []})
        draw = CustomJS(args={"window": window, "figure": plot, "raster": raster, **ranges}, code=DRAW)
        for each in ranges.values():
            each.js_on_change("start", draw)
            each.js_on_change("end", draw)
        plot.js_on_change("inner_width", draw)
        plot.js_on_change("inner_height", draw)
        raster.js_on_change("data", draw)
        self.hear(window, "data", self._looked)

    def _arrows(self, element: Any) -> Columns:
        """Where heads of arrows are: at two thirds of each edge of a small directed graph."""
        ends = element.edges if element.directed and len(element.edges) <= ARROWED else element.edges[:0]
        start, end = element.places[ends[:, 0]], element.places[ends[:, 1]]
        near, far = start + 0.6 * (end - start), start + 0.66 * (end - start)
        return {"x0": near[:, 0], "y0": near[:, 1], "x1": far[:, 0], "y1": far[:, 1]}

    def annotate(self, element: Any) -> None:
        """Follow the element's selection and places."""
        super().annotate(element)
        before = getattr(self, "_heeded_places", None)
        if before is not element.node_places:
            if before is not None:
                unsubscribe(before, self._replaced)
            element.node_places.add_subscriber(self._replaced)
            self._heeded_places = element.node_places
        if "arrows_source" in self.handles:
            self.handles["arrows_source"].data = self._arrows(element)

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element; where its nodes lie as before, what is looked at stays."""
        before = self.current_frame
        same = before is not None and np.array_equal(before.start, element.start)
        self._window = self._window if same else None
        super().patch(element, fit and not same)

    def _replaced(self, **_: Any) -> None:
        """A node is somewhere else."""
        element = self.current_frame
        if element is not None:
            self.handles["source"].data = self.columns(element)
            self._fill_layers(element)
            self.annotate(element)

    def cleanup(self) -> None:
        """HoloViews' hook: the page is closed."""
        if self._heeded_places is not None:
            unsubscribe(self._heeded_places, self._replaced)
            self._heeded_places = None
        super().cleanup()

    # -- what the user does

    def _nodes_of(self, marks: Any) -> list[int]:
        """Nodes of the rows of the main source."""
        known = self.handles["source"].data["mark"]
        return [int(known[int(each)]) for each in marks if int(each) < len(known)]

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        super()._pointed(attr, old, {"mark": self._nodes_of(new["mark"])})

    def _tapped(self, attr: str, old: Any, new: Any) -> None:
        if new or not self.handles["links_source"].selected.indices:  # else the click was on a link
            super()._tapped(attr, old, self._nodes_of(new))

    def _link_rows(self, marks: Any) -> np.ndarray:
        known = self.handles["links_source"].data["mark"]
        at = [int(known[int(each)]) for each in marks if int(each) < len(known)]
        return self.current_frame.link_ids[at]

    def _pointed_at_link(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is not None and element.selection is not None:
            element.selection.light(self._link_rows(new["mark"]), self._source(element))

    def _tapped_link(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if new and element is not None and element.selection is not None:
            element.selection.keep(self._link_rows(new), self._source(element))

    def _dropped(self, attr: str, old: Any, new: Any) -> None:
        for node, x, y in zip(new["mark"], new["x"], new["y"], strict=True):
            self.current_frame.node_places.move(int(node), float(x), float(y))

    def _looked(self, attr: str, old: Any, new: Any) -> None:
        """Another part is looked at: the image and the nodes of it."""
        element = self.current_frame
        if element is None or len(new["at"]) != 6:
            return
        x0, y0, x1, y1, width, height = (float(each) for each in new["at"])
        self._window = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
        self._shape = max(int(width), 50), max(int(height), 50)
        if len(element) > self.many_nodes:
            self.handles["source"].data = self.columns(element)
        labels = self._labels(element)
        if not np.array_equal(labels["text"], self.handles["labels_source"].data["text"]):
            self.handles["labels_source"].data = labels
        raster = self._raster(element)
        if raster["image"] or len(self.handles["raster_source"].data["image"]):
            self.handles["raster_source"].data = raster

    def _near(self, place: dict[str, Any]) -> list[int]:
        element = self.current_frame
        if element is None or not len(place["x"]):
            return []
        x, y, w, h = (float(place[name][0]) for name in ("x", "y", "w", "h"))
        found = element.nearest(x, y, (REACH * w, REACH * h))
        return [] if found is None else [found]

    def _moved(self, attr: str, old: Any, new: Any) -> None:
        near, element = self._near(new), self.current_frame
        if near == getattr(self, "_under", []):
            return
        self._under = near
        if element.selection is not None:
            element.selection.light(element.rows_of(near), self._source(element))
        x, y = element.places[near].T
        told = ["\n".join(element.said(at)) for at in near]
        self.handles["told_source"].data = {"x": x, "y": y, "text": np.array(told, dtype=object)}

    def _tapped_at(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is not None and element.selection is not None and len(new["x"]):
            element.selection.keep(element.rows_of(self._near(new)), self._source(element))

    def _draw(self, name: str) -> None:
        super()._draw(name)
        element = self.current_frame
        if len(element.links):
            self.handles[f"{name}_links_source"].data = self._selected_links(element, name)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("node", "@said")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return element.kdims[0], element.kdims[1]


def _overlaps(boxes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Which boxes (left, bottom, right, top) have something in common with one."""
    left, bottom, right, top = box
    return (boxes[:, 0] < right) & (boxes[:, 2] > left) & (boxes[:, 1] < top) & (boxes[:, 3] > bottom)
