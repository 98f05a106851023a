"""Graphs of a data set: nodes and edges as tables, by which a table's columns, pipelines and views find their nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .answers import label_text
from .columns import typed

if TYPE_CHECKING:
    import networkx

    from .network import Network

SOURCE, TARGET = "source", "target"
KEYS = ("nodeID", "label")
"""Attributes by which tables may name nodes instead of by the file's own ids; D3M's name first."""
WEIGHT = "weight"
USED = ("boolean", "integer", "real", "categorical")
"""Types of node attributes that something can be learned from."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph, directed or not, with attributes.

    Parameters
    ----------
    name : str
        Of the resource, as columns refer to it.
    nodes : DataFrame
        A row per node, its index the ids as text, each once; columns are attributes.
    edges : DataFrame
        A row per edge: "source" and "target", positions among the nodes; further columns are attributes. Parallel edges
        and loops are kept.
    directed : bool
    types : dict
        Type of each attribute of nodes, as of a data set's columns.
    asked : (edges,) bool array, optional
        Edges between nodes that some row of the data set's table names together: whether they exist is what a link
        prediction is asked, so that its features do not look at them.
    notes : tuple of str
        What a user should know of how it was read.
    """

    name: str
    nodes: pd.DataFrame
    edges: pd.DataFrame
    directed: bool = False
    types: dict[str, str] = field(default_factory=dict)
    asked: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        kind = "directed" if self.directed else "undirected"
        return f"Graph({self.name}: {len(self.nodes):,} nodes, {len(self.edges):,} edges, {kind})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        return self  # nothing changes it

    def __getstate__(self) -> dict[str, Any]:
        hidden = ("_place", "_networks")
        return {name: value for name, value in self.__dict__.items() if name not in hidden}

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the nodes' attributes."""
        return tuple(map(str, self.nodes.columns))

    @property
    def edge_attributes(self) -> tuple[str, ...]:
        """Names of the edges' attributes."""
        return tuple(str(name) for name in self.edges.columns if name not in (SOURCE, TARGET))

    @property
    def ids(self) -> list[str]:
        """The nodes' ids, as text, in order."""
        return list(self.nodes.index)

    def fingerprint(self) -> str:
        """A number, in hexadecimal, of all that is in it."""
        told = hashlib.sha256(f"{self.name} {self.directed} {sorted(self.types.items())}".encode())
        for frame in (self.nodes, self.edges):
            for values in (frame.index.to_series(), *(frame[name] for name in frame)):
                told.update("\x1f".join(map(str, values)).encode())
        told.update(b"" if self.asked is None else self.asked.tobytes())
        return told.hexdigest()

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.nodes.index)}

    def places(self, values: Iterable[Any]) -> np.ndarray:
        """Position of the node that each value names; -1 where there is none. 1, 1.0, "1" and " 1 " name one node."""
        return places_in(self._place, values)

    def network(self, attributes: Iterable[str] = (), known: bool = True) -> Network:
        """Its edges, and these attributes of its nodes, as the arrays that pipelines compute on; made once.

        Parameters
        ----------
        attributes : iterable of str
        known : bool
            Whether with the edges that the table's rows ask for.
        """
        key = (tuple(attributes), known or self.asked is None)
        if key not in self._networks:
            self._networks[key] = self._network(*key)
        return self._networks[key]

    @cached_property
    def _networks(self) -> dict[Any, Network]:
        return {}

    def _network(self, attributes: tuple[str, ...], known: bool) -> Network:
        from .network import Network

        if attributes:  # what is computed of the edges alone is computed once for all choices of attributes
            return self.network((), known).with_values(*numbers_of(self.nodes[list(attributes)], self.types))
        kept = np.ones(len(self.edges), bool) if known or self.asked is None else ~self.asked
        weight = self.weights()
        ends = self.edges.loc[kept, [SOURCE, TARGET]].to_numpy(np.int64)
        return Network(self.ids, ends, None if weight is None else weight[kept], self.directed)

    def weights(self) -> np.ndarray | None:
        """The edges' attribute "weight", where all of them have one above 0."""
        if WEIGHT not in self.edges:
            return None
        found = pd.to_numeric(self.edges[WEIGHT], errors="coerce").to_numpy(float)
        return found if np.isfinite(found).all() and (found > 0).all() else None

    def to_networkx(self) -> networkx.Graph:
        """As a graph of networkx, ids as text; a multigraph where it has parallel edges."""
        import networkx as nx

        ends = self.edges[[SOURCE, TARGET]]
        several = bool(pd.DataFrame(np.sort(ends.to_numpy(), axis=1) if not self.directed else ends).duplicated().any())
        kinds = {
            (False, False): nx.Graph,
            (True, False): nx.DiGraph,
            (False, True): nx.MultiGraph,
            (True, True): nx.MultiDiGraph,
        }
        made = kinds[self.directed, several](name=self.name)
        made.add_nodes_from((name, _present(row)) for name, row in zip(self.ids, _records(self.nodes), strict=True))
        names = self.ids
        rest = _records(self.edges.drop(columns=[SOURCE, TARGET]))
        made.add_edges_from(
            (names[u], names[v], _present(row)) for u, v, row in zip(ends[SOURCE], ends[TARGET], rest, strict=True)
        )
        return made

    def with_attributes(self, frame: pd.DataFrame, types: dict[str, str]) -> Graph:
        """With these columns, a row per node, in the place of attributes of the same names."""
        return replace(self, nodes=self.nodes.assign(**{str(n): frame[n].to_numpy() for n in frame}), types=types)


def places_in(place: dict[str, int], values: Iterable[Any]) -> np.ndarray:
    """The place of each value's text; -1 where it has none, or nothing is named."""
    return np.array([-1 if absent(value) else place.get(node_text(value), -1) for value in values], dtype=np.int64)


def absent(value: Any) -> bool:
    """Whether a cell names nothing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def node_text(value: Any) -> str:
    """A node's id as text.

    Examples
    --------
    >>> node_text(7.0), node_text(" 7 "), node_text("a")
    ('7', '7', 'a')
    """
    return label_text(value).strip()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records") if len(frame.columns) else [{} for _ in range(len(frame))]


def _present(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if value is not None and value == value}


def made(
    name: str,
    ids: Iterable[Any],
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    directed: bool = False,
    notes: Iterable[str] = (),
    where: str = "",
) -> Graph:
    """A graph from raw tables: types of its attributes found out, its ids checked.

    Parameters
    ----------
    ids : iterable
        Of the nodes, in the order of the rows of `nodes`.
    edges : DataFrame
        "source" and "target" are positions among the nodes.

    Raises
    ------
    ValueError
        If it has no nodes, or an id stands for two of them.
    """
    where = where or name
    texts = pd.Index([node_text(each) for each in ids], dtype=object, name="node")
    if not len(texts):
        raise ValueError(f"{where}: a graph without nodes")
    if not texts.is_unique:
        twice = texts[texts.duplicated()][0]
        raise ValueError(f"{where}: two nodes have the id {twice!r}; expected different ones")
    found, columns = typed(nodes.reset_index(drop=True), written=False, where=where)
    types = {key: column.type for key, column in columns.items()}
    ends = edges.astype({SOURCE: np.int64, TARGET: np.int64}).reset_index(drop=True)
    notes = (*notes, *(() if len(ends) else (f"{name}: a graph without edges",)))
    return Graph(name, found.set_axis(texts), ends, directed, types, None, notes)


def keyed(graph: Graph, values: Iterable[Any]) -> Graph:
    """The graph with those ids that most of `values` name: its own, or an attribute of which each node has its own.

    Of several that would do "nodeID" is taken, then "label", then the file's ids. What became the ids, and these two
    where they are ids, are no attributes any more.
    """
    wanted = {node_text(value) for value in values if not absent(value)}
    able = {key: _texts(graph.nodes[key]) for key in graph.nodes if _tells(graph.nodes[key], graph.types.get(key, ""))}
    hits = {key: len(wanted.intersection(able[key])) for key in sorted(able, key=_rank)}
    best = max(hits, key=lambda key: hits[key], default=None)
    own = len(wanted.intersection(graph.ids))
    if best is not None and (hits[best] > own or (hits[best] == own and best in KEYS)):
        graph = replace(graph, nodes=graph.nodes.set_axis(pd.Index(able[best], dtype=object, name="node")))
    else:
        best = None
    kept = [name for name in graph.nodes if name != best and not (name in able and name in KEYS)]
    return replace(graph, nodes=graph.nodes[kept], types={name: graph.types[name] for name in kept})


def _texts(values: pd.Series) -> list[str]:
    return [node_text(value) for value in values]


def _tells(values: pd.Series, kind: str) -> bool:
    """Whether every node has a value of its own that may be an id."""
    able = kind in ("integer", "categorical", "text") and bool(values.notna().all())
    return able and len(set(_texts(values))) == len(values)


def _rank(key: str) -> int:
    return KEYS.index(key) if key in KEYS else len(KEYS)


def numbers_of(frame: pd.DataFrame, types: dict[str, str], levels: int = 30) -> tuple[np.ndarray, list[str]]:
    """Attributes as numbers, and which attribute each column is of: labels as 0 and 1, gaps as the mean.

    Numbers are standardised, so that distances in them mean something. Attributes of other types are left out.
    """
    columns: list[np.ndarray] = []
    names: list[str] = []
    for name in frame:
        found = _columns(frame[name], types.get(str(name), ""), levels)
        columns += found
        names += [str(name)] * len(found)
    return (np.stack(columns, axis=1) if columns else np.zeros((len(frame), 0))), names


def _columns(values: pd.Series, kind: str, levels: int) -> list[np.ndarray]:
    if kind not in USED:
        return []
    if kind == "categorical":
        texts = values.map(label_text, na_action="ignore")
        common = list(texts.value_counts().index[:levels])
        if len(common) == len(texts):  # names rather than labels
            return []
        if len(common) == 2:
            common = common[:1]
        return [(texts == each).to_numpy(float) for each in sorted(common)]
    numbers = pd.to_numeric(values.astype(float) if kind == "boolean" else values, errors="coerce").to_numpy(float)
    known = np.isfinite(numbers)
    if not known.any():
        return []
    middle, spread = numbers[known].mean(), numbers[known].std()
    return [np.where(known, (numbers - middle) / (spread or 1.0), 0.0)]
