"""The card of a data set's graphs: nodes and links, with what the data tell of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_card import DataCard
from learnviews.apps.snowcat.graph_drawings import Drawn
from learnviews.apps.snowcat.pane import asks, quiet, select, text
from learnviews.kernels.search.profile import KINDS

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace

LONG = 40  # letters of a name in a list
LINKS, MATCHES = ("links", "pairs without one"), ("matches", "pairs that do not match")
MOST = 60  # attributes that can be chosen


class Graphs(DataCard):
    """Node-link view of the data."""

    name, title = "graph", "Graph"
    help = (
        "The graph that columns of the table refer to. Drag the picture to pan, a node to move it; the wheel zooms. "
        "Point at a node for its attributes, and to light its rows everywhere; click to keep them. Rows about pairs "
        "of nodes are lines of their own: links that are there, or, as you choose, pairs without one. Of two graphs "
        "point at a node to see its match. Above 3,000 edges they are bundled and drawn as one image."
    )
    at_first = ("data",)
    size = (6, 10)
    hears = ("data", "problem")

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._color, self._graph, self._shown = "", "", {"expected": True, "none": False}
        self._drawn = Drawn(room, self._heard)
        self._bundled = -1
        self._paired = self._sides = False
        self._target: Any = None

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and bool(room.data.graphs)

    def show(self) -> None:
        if self.is_new():
            self._color = self._graph = ""
            self._shown = {}
        elif self._drawn.ready() and self._target == self._targets():
            return  # another problem, of the same target
        self._draw_anew()

    def _draw_anew(self) -> None:
        from learnviews.grammar.node_link_rows import Rows

        try:
            rows = Rows(self.data, self._graph or None)
        except ValueError as error:
            return self.slot.problem(str(error))
        self._paired, self._sides, self._target = rows.paired, len(rows.graphs) > 1, self._targets()
        self._shown = self._shown or {"expected": not self._sides, "none": False}
        self._bundled = -1
        self._drawn.use(rows.graphs)
        self._heard()

    def _targets(self) -> Any:
        problem = self.room.problem
        return None if problem is None else (problem.targets, problem.positive)

    def _heard(self) -> None:
        """Something is new of the layout or the bundles."""
        if self.room.data is not self._of:
            return
        try:
            ready = self._drawn.ready()
        except Exception as error:  # of the thread: whatever it is, it is told in the card
            return self.slot.problem(str(error) or type(error).__name__)
        self.slot.html(self._bar())
        if ready and self._bundled != self._drawn.bundled:
            self._bundled = self._drawn.bundled
            self.later(self._element(), self._draw)

    def _element(self) -> Any:
        from learnviews.grammar import NodeLink

        told = self._drawn.told() | {"selection": self.room.rows}
        if self._paired:
            told["shown"] = tuple(kind for kind, on in self._shown.items() if on)
            told |= self._wanted()
        color = {"": None, "*": ""}.get(self._color, self._color)
        return partial(NodeLink.from_data, self.data, self._graph or None, color, **told)

    def _wanted(self) -> dict[str, Any]:
        """Which column says that there is a link, and by which label."""
        problem = self.room.problem
        if problem is None or len(problem.targets) != 1 or problem.targets[0] not in self.data.columns:
            return {}
        return {"target": problem.targets[0], "positive": problem.positive}

    def _draw(self, found: Any) -> None:
        self._drawn.keep(found)
        self.slot.html(self._bar())
        self.slot.plot(found)
        self._drawn.bundle()
        self.slot.html(self._bar())

    def _bar(self) -> str:
        parts = []
        graphs = self.data.graphs
        if len(graphs) > 1:
            options = {"": "those that rows name", **{name: _short(name) for name in graphs}}
            parts.append(f"<label>Graph {select('graph', options, self._graph, 'Graph')}</label>")
        names = self._colors()
        suggested = next((n for n, c in self.data.columns.items() if c.role == "suggestedTarget"), None)
        first = _short(suggested) if suggested and not self._paired else "nothing"
        options = {"": first, **({"*": "nothing"} if first != "nothing" else {})}
        options |= {name: _short(name) for name in names if name != suggested}
        parts.append(f"<label>Colour by {select('color', options, self._color, 'Colour by')}</label>")
        if self._paired:
            kinds = zip(self._shown, MATCHES if self._sides else LINKS, strict=True)
            parts += [_switch("shown", kind, words, self._shown[kind]) for kind, words in kinds]
        words = self._drawn.words()
        return f'<div class="row">{"".join(parts)}{quiet(words) if words else ""}</div>'

    def _colors(self) -> list[str]:
        """Columns, where each row is about a node, attributes of the nodes, and communities."""
        from learnviews.grammar.node_link_rows import COMMUNITIES

        data = self.data
        columns = [] if self._paired else [name for name, column in data.columns.items() if column.type in KINDS]
        graphs = [data.graphs[self._graph]] if self._graph in data.graphs else list(data.graphs.values())
        attributes = [str(name) for graph in graphs for name in graph.nodes]
        return [COMMUNITIES, *dict.fromkeys([*columns, *attributes])][:MOST]

    # -- what is done

    def do_graph(self, told: list[Any]) -> None:
        """Show another graph."""
        self._graph, self._shown = told[-1], {}
        self._draw_anew()

    def do_color(self, told: list[Any]) -> None:
        """Colour by something else."""
        self._color = told[-1]
        self._draw_anew()

    def do_shown(self, told: list[Any]) -> None:
        """Show links of a kind, or do not."""
        self._shown = {**self._shown, told[0]: bool(told[-1])}
        self._draw_anew()

    def close(self) -> None:
        super().close()
        self._drawn.close()


def _switch(word: str, kind: str, words: str, on: bool) -> str:
    return f'<label><input type="checkbox" {asks(word, kind)}{" checked" if on else ""}> {text(words)}</label>'


def _short(name: str) -> str:
    return name if len(name) <= LONG else name[: LONG - 1] + "…"
