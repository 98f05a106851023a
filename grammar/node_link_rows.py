"""From graphs, data sets and models to `NodeLink`: which rows are about which nodes, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .node_link import KINDS, class_order, ordered, pairs
from .node_places import NodePlaces

COLORS = ("prediction", "truth", "error")
COMMUNITIES = "communities (Louvain)"
"""To colour nodes by groups that have many edges among themselves."""
TOLD = 6  # attributes of a node in its tooltip
BESIDE = 0.12  # between two graphs side by side


def of_graph(cls: type, source: Any, color: Any, params: dict[str, Any]) -> Any:
    """Of a graph alone."""
    from ..kernels.search.graph_files import to_graph

    if hasattr(source, "edgepaths") and hasattr(source, "nodes"):
        return _of_holoviews(cls, source, color, params)
    graph = to_graph(source)
    drawn = _Drawn([graph], params)
    rows = pd.Series(range(len(graph.nodes)), graph.ids)
    values = None if color is None else _given(graph, color)
    return drawn.made(cls, np.array(graph.ids, dtype=object), rows.to_numpy(), values, _called(color), params)


def _given(graph: Any, color: Any) -> pd.Series:
    """A value per node: of an attribute, or as they come."""
    if not isinstance(color, str):
        if len(color) != len(graph.nodes):
            raise ValueError(f"expected a label or number per node, {len(graph.nodes)}, got {len(color)}")
        values = color if isinstance(color, (pd.Series, np.ndarray)) else pd.Series(list(color), dtype=None)
        return pd.Series(np.asarray(values))
    if color not in graph.nodes:
        there = ", ".join(map(str, graph.nodes.columns)) or "it has none"
        raise ValueError(f"{graph.name}: nodes have no attribute {color!r}; expected one of: {there}")
    return graph.nodes[color].reset_index(drop=True)


def _called(color: Any) -> str:
    return (
        color if isinstance(color, str) else str(getattr(color, "name", None) or ("value" if color is not None else ""))
    )


def _of_holoviews(cls: type, source: Any, color: Any, params: dict[str, Any]) -> Any:
    """Of HoloViews' own graph, with its places."""
    table = source.nodes.dframe()
    x, y, index = (table[dimension.name].to_numpy() for dimension in source.nodes.kdims)
    at = pd.Index(index)
    ends = pairs(np.column_stack([at.get_indexer(source.dimension_values(i)) for i in range(2)]))
    values = None if color is None else (table[color] if isinstance(color, str) else pd.Series(np.asarray(color)))
    value, told = _coloured(values, _called(color), len(table), params.pop("classes", None))
    known = {"names": index.astype(object), "edges": ends, "ids": index.astype(object), "marks": np.arange(len(table))}
    return cls({"x": x, "y": y, "value": value}, datatype=["dictionary"], **(known | told | params))


def of_data(
    cls: type, data: Any, graph: str | None, color: str | None, link: tuple[Any, Any], only: Any, params: dict[str, Any]
) -> Any:
    """Of a data set and its rows."""
    rows = Rows(data, graph)
    suggested = next((name for name, found in data.columns.items() if found.role == "suggestedTarget"), None)
    known: dict[str, Any] = {}
    if rows.paired:
        known["kinds"] = _expected(data, link[0] or suggested, link[1])
        if only is not None:
            known["kinds"] = np.where(rows.index.isin(only), known["kinds"], -1)
    elif color is None:
        color = suggested
    values = _column(rows, color) if color else None
    if values is not None and only is not None and color in data.columns:
        values = values.where(rows.index.isin(only))
    return rows.made(cls, values, color or "", known | params)


def of_model(
    cls: type, model: Any, color: str, split: str | None, graph: str | None, alike: Any, params: dict[str, Any]
) -> Any:
    """Of what a model says."""
    frame = model.predictions if split is None else model.predictions[model.predictions["split"] == split]
    if not len(frame):
        raise ValueError(f"{model.name}: no rows of split {split!r}")
    there = [name for name in COLORS if name == "prediction" or "truth" in frame]
    if color not in there:
        raise ValueError(f"{model.name}: cannot be coloured by {color!r}; expected one of {', '.join(there)}")
    rows = Rows(model.data, graph)
    known: dict[str, Any] = {"label": model.name}
    if rows.paired:
        said = frame.reindex(rows.index)
        known["kinds"] = _judged(said, _positive(model.problem, model.data))
        return rows.made(cls, None, "", known | params)
    by, values = _answers(model, frame, color)
    if _labelled(model) and color != "error":
        every = [model.predictions[name] for name in COLORS if name in model.predictions]
        known["classes"] = class_order(pd.concat(every).dropna())
    values = values.reindex(rows.index)
    wrong = pd.Series(False, rows.index)
    if "truth" in frame and _labelled(model):
        both = frame.dropna(subset=["truth", "prediction"])
        wrong = (both["truth"].map(str) != both["prediction"].map(str)).reindex(rows.index, fill_value=False)
    known["wrong"] = rows.per_node(wrong, False).astype(bool)
    if alike is not None:
        alike = rows.per_node(pd.Series(alike).reindex(rows.index), None)
    return rows.made(cls, values, by, known | params, alike)


def _labelled(model: Any) -> bool:
    from ..kernels.search.tasks import CLASSIFICATION

    return model.problem.task in CLASSIFICATION


def _answers(model: Any, frame: pd.DataFrame, color: str) -> tuple[str, pd.Series]:
    """What is told of a model's rows, and its name."""
    from ..kernels.search.tasks import CLASSIFICATION, CLUSTERING

    if model.problem.task in CLASSIFICATION:
        if color != "error":
            return color, frame[color].map(str, na_action="ignore")
        right = frame["truth"].map(str) == frame["prediction"].map(str)
        known = frame["truth"].notna() & frame["prediction"].notna()
        return "verdict", pd.Series(np.where(right, "right", "wrong"), frame.index, dtype=object).where(known)
    if model.problem.task in CLUSTERING:
        name = {"prediction": "community", "truth": "truth", "error": "truth"}[color]
        return name, frame["prediction" if color == "prediction" else "truth"].map(str, na_action="ignore")
    if color != "error":
        return color, pd.to_numeric(frame[color])
    return "size of the error", (frame["prediction"].astype(float) - frame["truth"].astype(float)).abs()


class Rows:
    """Which rows of a data set are about which nodes of what is drawn.

    Attributes
    ----------
    graphs : list of Graph
        One, or two side by side.
    paired : bool
        Whether rows are about two nodes each.
    index : pandas Index
        Ids of the rows.
    """

    def __init__(self, data: Any, graph: str | None = None) -> None:
        from ..kernels.search.graph_data import node_columns

        if not data.graphs:
            raise ValueError(f"{data.name}: has no graph to draw")
        if graph is not None and graph not in data.graphs:
            raise ValueError(f"{data.name}: no graph {graph!r}; it has {', '.join(data.graphs)}")
        columns = node_columns(data)
        used = [name for name, of in columns.items() if graph in (None, of)]
        if graph is None:
            of = [columns[name] for name in used[:2]] or list(data.graphs)[:1]
            self.graphs = [data.graphs[name] for name in dict.fromkeys(of)]
        else:
            self.graphs = [data.graphs[graph]]
        self.data, self.index = data, data.frame.index
        self.columns = [name for name in used if columns[name] in [each.name for each in self.graphs]][:2]
        self.paired = len(self.columns) == 2
        first = np.cumsum([0, *(len(each.nodes) for each in self.graphs)])
        start = {each.name: at for each, at in zip(self.graphs, first, strict=False)}
        self.nodes = []  # of each column, the node that each row names; -1: none
        for name in self.columns:
            found = data.graphs[columns[name]].places(data.frame[name])
            self.nodes.append(np.where(found >= 0, found + start[columns[name]], -1))

    def _title(self, graph: Any) -> str:
        """What its file is called, where it has one."""
        resource = self.data.resources.get(graph.name)
        return graph.name if resource is None else resource.path.stem

    def per_node(self, values: pd.Series, missing: Any) -> np.ndarray:
        """A value per node: that of the first row about it that has one."""
        size = sum(len(each.nodes) for each in self.graphs)
        found = np.full(size, missing, dtype=object)
        if self.columns and not self.paired:
            known = values.notna().to_numpy() & (self.nodes[0] >= 0)
            some = np.asarray(values, dtype=object)[known]
            found[self.nodes[0][known][::-1]] = some[::-1]
        return found

    def _told_of(self, params: dict[str, Any]) -> np.ndarray | None:
        """Pairs of nodes whose link is drawn by what a row says of it, and not as an edge like others."""
        if not self.paired:
            return None
        ends = np.column_stack(self.nodes)
        kinds = np.asarray(params.get("kinds", np.full(len(ends), -1)))
        return ends[(ends >= 0).all(axis=1) & (kinds >= 0)]

    def made(
        self, cls: type, values: pd.Series | None, by: str, params: dict[str, Any], alike: np.ndarray | None = None
    ) -> Any:
        """The element; `values` by row id, or one per node. Between two graphs no links are drawn at first."""
        if len(self.graphs) > 1:
            sides = [(self._title(graph), len(graph.nodes)) for graph in self.graphs]
            params = {"shown": (), "sides": sides} | params
        drawn = _Drawn(self.graphs, params, self._told_of(params))
        if values is not None:
            per_node = len(values) == drawn.size and not values.index.equals(self.index)
            values = values if per_node else pd.Series(self.per_node(values, None)).infer_objects()
        ids = np.asarray(pd.Index(list(self.index), dtype=object))
        if not self.columns:
            return drawn.made(cls, np.zeros(0, dtype=object), np.zeros(0, np.int64), values, by, params, alike)
        if not self.paired:
            return drawn.made(cls, ids, self.nodes[0], values, by, params, alike)
        u, v = self.nodes
        able = (u >= 0) & (v >= 0)
        kinds = np.asarray(params.pop("kinds", np.full(len(ids), -1)))
        known = {"links": np.column_stack([u, v])[able], "kinds": kinds[able].astype(np.int64)}
        both = np.concatenate([ids[able], ids[able]])
        return drawn.made(cls, both, np.concatenate([u[able], v[able]]), values, by, known | params, alike)


class _Drawn:
    """Places, names and edges of one graph, or of two side by side."""

    def __init__(self, graphs: Sequence[Any], params: dict[str, Any], told_of: np.ndarray | None = None) -> None:
        from ..kernels.search.graph_drawing import known_paths, places_of

        found = params.pop("places", None) or [places_of(each) for each in graphs]
        paths = params.pop("paths", None) or [known_paths(each) for each in graphs]
        self.size = sum(len(each.nodes) for each in graphs)
        places, edges, bundles, first, right = [], [], [], 0, 0.0
        for graph, where, path in zip(graphs, found, paths, strict=True):
            low = where.min(axis=0) if len(where) else np.zeros(2)
            spread = np.maximum(where.max(axis=0) - low, 1e-9) if len(graphs) > 1 else np.ones(2)
            low = low if len(graphs) > 1 else np.zeros(2)
            places.append((where - low) / spread + (right, 0.0))
            bundles.append(None if path is None else (path - low) / spread + (right, 0.0))
            ends = graph.network().ends
            kept = np.ones(len(ends), bool) if told_of is None else ~_among(ends + first, told_of, graph.directed)
            edges.append(ends[kept] + first)
            bundles[-1] = None if bundles[-1] is None else bundles[-1][kept]
            first, right = first + len(graph.nodes), right + 1 + BESIDE
        self.places = np.concatenate(places)
        self.told: dict[str, Any] = {
            "names": np.array([name for graph in graphs for name in graph.ids], dtype=object),
            "edges": np.concatenate(edges),
            "directed": any(graph.directed for graph in graphs),
            "about": [line for graph in graphs for line in _about(graph)],
        }
        known = [path for path in bundles if path is not None]
        if len(known) == len(bundles):
            self.told["paths"] = np.concatenate(known).astype(np.float32)
        if len(graphs) > 1:
            self.told["sides"] = [(graph.name, len(graph.nodes)) for graph in graphs]

    def made(
        self,
        cls: type,
        ids: np.ndarray,
        marks: np.ndarray,
        values: pd.Series | None,
        by: str,
        params: dict[str, Any],
        alike: np.ndarray | None = None,
    ) -> Any:
        value, told = _coloured(values, by, self.size, params.pop("classes", None), alike)
        table = {"x": self.places[:, 0], "y": self.places[:, 1], "value": value}
        known = {**self.told, "ids": ids, "marks": np.asarray(marks, dtype=np.int64), **told}
        if params.get("node_places") is not None and len(params["node_places"].places) != self.size:
            params = params | {"node_places": NodePlaces(places=self.places)}
        return cls(table, datatype=["dictionary"], **(known | params))


def _among(ends: np.ndarray, pairs: np.ndarray, directed: bool) -> np.ndarray:
    """Which edges link one of some pairs of nodes, either way round where they have no direction."""
    ends, pairs = (each if directed else np.sort(each, axis=1) for each in (ends, pairs))
    size = int(max(ends.max(initial=0), pairs.max(initial=0))) + 1
    return np.isin(ends @ [size, 1], pairs @ [size, 1])


def _coloured(
    values: pd.Series | None, by: str, size: int, classes: Any = None, alike: Any = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """What nodes are coloured by, and the names of it."""
    if values is None:
        return np.zeros(size, np.int64), {"labels": ["nodes"], "by": ""}
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan), {"labels": [], "by": by}
    alike = None if alike is None else pd.Series(alike, values.index)
    numbers, labels, inks = ordered(values, classes, alike)
    return numbers, {"labels": labels or ["none"], "inks": inks or [0], "by": by}


def _column(rows: Rows, color: str) -> pd.Series:
    """A column of the table, by row id, or an attribute of the nodes, one per node."""
    data = rows.data
    if color == COMMUNITIES:
        return _communities(rows.graphs)
    if color in data.columns:
        found = data.frame[color]
        return found if data.columns[color].type in ("integer", "real") else found.map(str, na_action="ignore")
    parts = [graph.nodes.get(color) for graph in rows.graphs]
    if all(part is None for part in parts):
        raise ValueError(f"{data.name}: no column, and no attribute of nodes, called {color!r}")
    sizes = [len(graph.nodes) for graph in rows.graphs]
    found = [pd.Series([None] * n) if part is None else part for part, n in zip(parts, sizes, strict=True)]
    values = pd.concat(found, ignore_index=True).infer_objects()
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and len(rows.graphs) == 1 and rows.graphs[0].types.get(color) == "categorical":
        numeric = False
    return values if numeric else values.map(lambda one: _text(one), na_action="ignore")


def _communities(graphs: Sequence[Any]) -> pd.Series:
    """Of each node, numbered by size; of each graph by itself."""
    import networkx as nx

    found = []
    for graph in graphs:
        network = graph.network()
        groups = nx.community.louvain_communities(nx.from_scipy_sparse_array(network.weighted), seed=0)
        number = np.zeros(len(network), dtype=int)
        for at, group in enumerate(sorted(groups, key=lambda some: (-len(some), min(some))), 1):
            number[list(group)] = at
        found.append(pd.Series(number))
    return pd.concat(found, ignore_index=True).map(str)


def _text(value: Any) -> str:
    from ..kernels.search.answers import label_text

    return label_text(value)


def _about(graph: Any) -> list[str]:
    """Of each node its first attributes, a line for each."""
    names = list(graph.nodes.columns)
    more = f"\nand {len(names) - TOLD} more attributes" if len(names) > TOLD else ""
    columns = [[_line(name, value) for value in graph.nodes[name]] for name in names[:TOLD]]
    if not columns:
        return [""] * len(graph.nodes)
    return ["\n".join(line for line in lines if line) + more for lines in zip(*columns, strict=True)]


def _line(name: Any, value: Any) -> str:
    if value is None or value != value:
        return ""
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{name}: {shown if len(shown) <= 40 else shown[:39] + '…'}"


# -- links


def _positive(problem: Any, data: Any) -> str | None:
    """The label that means a link; None where labels mean several kinds of links."""
    return problem.positive or positive_of(data, problem.targets[0])


def positive_of(data: Any, target: str) -> str | None:
    """Of two labels the one that means yes; None where there are more."""
    from ..kernels.search.answers import label_text
    from ..kernels.search.metrics import default_positive

    labels = sorted({label_text(value) for value in data.frame[target].dropna()})
    if len(labels) > 2:
        return None
    return default_positive(labels) if labels else None


def _expected(data: Any, target: str | None, positive: str | None) -> np.ndarray:
    """What the table says of each row's link."""
    if target is None:
        return np.full(len(data), KINDS.index("expected"))
    positive = positive or positive_of(data, target)
    kinds = []
    for value in data.frame[target]:
        missing = value is None or value != value
        kinds.append(-1 if missing else KINDS.index("expected" if positive in (None, _text(value)) else "none"))
    return np.array(kinds, dtype=np.int64)


def _judged(frame: pd.DataFrame, positive: str | None) -> np.ndarray:
    """What a model makes of each row's link."""
    truth = frame["truth"] if "truth" in frame else pd.Series(None, frame.index, dtype=object)
    kinds = []
    for true, said in zip(truth, frame["prediction"], strict=True):
        known, told = (not (each is None or each != each) for each in (true, said))
        if not told:
            kinds.append(-1)
        elif positive is None:
            kinds.append(-1 if not known else KINDS.index("found" if _text(true) == _text(said) else "missed"))
        else:
            yes, is_so = _text(said) == positive, known and _text(true) == positive
            name = ("found" if yes else "missed") if is_so else "wrongly predicted" if yes else "rightly none"
            kinds.append(KINDS.index(name))
    return np.array(kinds, dtype=np.int64)
