"""What is in each column of a data set: how many values, which, and what of them is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from .data import Dataset


@dataclass(frozen=True)
class ColumnFacts:
    """What is known of a column's values.

    Attributes
    ----------
    name, type, role, why : str
        As of `Column`.
    missing : int
        Rows without a value.
    distinct : int
        Different values.
    low, high : float, Timestamp or None
        Least and largest of numbers and dates.
    commonest : str
        Of labels the most frequent one.
    share : float
        Its share of the rows with a value.
    """

    name: str
    type: str
    role: str
    why: str
    missing: int
    distinct: int
    low: Any = None
    high: Any = None
    commonest: str = ""
    share: float = 0.0


@dataclass(frozen=True)
class GraphFacts:
    """What is known of a graph.

    Attributes
    ----------
    name : str
    nodes, edges : int
    directed, weighted : bool
    isolated : int
        Nodes without an edge to another node.
    loops, parallel : int
        Edges from a node to itself; edges beyond the first between the same two nodes.
    components : int
        Parts without an edge between them, directions left aside.
    attributes, edge_attributes : tuple of str
    columns : tuple of str
        Of the table, that name its nodes.
    """

    name: str
    nodes: int
    edges: int
    directed: bool
    weighted: bool
    isolated: int
    loops: int
    parallel: int
    components: int
    attributes: tuple[str, ...] = ()
    edge_attributes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def describe_graphs(data: Dataset) -> list[GraphFacts]:
    """The facts of each graph of a data set."""
    return [_graph_facts(data, name) for name in data.graphs]


def _graph_facts(data: Dataset, name: str) -> GraphFacts:
    from scipy.sparse.csgraph import connected_components

    from .graph_data import node_columns

    graph = data.graphs[name]
    network = graph.network()
    loops = int((network.ends[:, 0] == network.ends[:, 1]).sum())
    different = network.arrows.nnz if graph.directed else network.arrows.nnz // 2
    return GraphFacts(
        *(name, len(graph.nodes), len(graph.edges), graph.directed, graph.weights() is not None),
        *(int((network.degrees == 0).sum()), loops, len(graph.edges) - loops - different),
        *(int(connected_components(network.adjacency, directed=False)[0]), graph.attributes, graph.edge_attributes),
        tuple(column for column, of in node_columns(data).items() if of == name),
    )


def describe(data: Dataset) -> list[ColumnFacts]:
    """The facts of each column, in the data set's order; seconds with a million rows."""
    return [_facts(data, name) for name in data.columns]


def _facts(data: Dataset, name: str) -> ColumnFacts:
    column, values = data.columns[name], data.frame[name]
    known = values.dropna()
    labels = _texts(known) if known.dtype == object else known
    plain = column.name, column.type, column.role, column.why, len(values) - len(known)
    if not len(known):
        return ColumnFacts(*plain, 0)
    if pd.api.types.is_bool_dtype(labels.dtype) or labels.dtype == object:
        counts = labels.value_counts()
        first, most = counts.index[0], int(counts.iloc[0])
        named = (str(first), most / len(known)) if most > 1 else ("", 0.0)
        return ColumnFacts(*plain, len(counts), None, None, *named)
    return ColumnFacts(*plain, int(known.nunique()), *_ends(known))


def _texts(values: pd.Series) -> pd.Series:
    """Objects as text, by which equal ones are found: sets of labels cannot be told apart otherwise."""
    plain = pd.api.types.infer_dtype(values) in ("string", "boolean")  # quick, unlike a look at each value's type
    return values if plain else values.map(str)


def _ends(known: pd.Series) -> tuple[Any, Any]:
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return known.min(), known.max()
    numbers = known.to_numpy(dtype=float)
    finite = numbers[np.isfinite(numbers)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
