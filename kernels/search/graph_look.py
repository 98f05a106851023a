"""What a graph says of rows, by numbers that are there at once: for the quick look at what a column's others tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .graph_rules import node_columns

if TYPE_CHECKING:
    from .data import Dataset

EDGES = 200_000
"""Beyond so many a look takes too long."""
DIMENSIONS = 6


def quick_numbers(data: Dataset, frame: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    """Column of nodes to numbers of the rows of `frame`; a pair's are the first column's, and the second has none.

    No label is looked at, and of edges none that a row asks for.
    """
    of = node_columns(data)
    small = {name: graph for name, graph in of.items() if len(data.graphs[graph].edges) <= EDGES}
    found: dict[str, list[np.ndarray]] = {name: [] for name in of}
    if len(small) == 1:
        ((name, graph),) = small.items()
        network = data.graphs[graph].network()
        table = np.hstack([network.structure(), network.spectral(DIMENSIONS)])
        found[name] = list(table[network.places(frame[name])].T)
    elif len(small) == 2:
        found[next(iter(small))] = list(_of_pairs(data, frame, small).T)
    return found


def _of_pairs(data: Dataset, frame: pd.DataFrame, of: dict[str, str]) -> np.ndarray:
    from .link_features import compared, link_scores
    from .match_features import mapped_apart, shared_attributes

    graphs = [data.graphs[name] for name in of.values()]
    one, other = (graph.network(graph.attributes, known=False) for graph in graphs)
    u, v = (side.places(frame[name]) for side, name in zip((one, other), of, strict=True))
    if one is other:
        return np.hstack([link_scores(one, u, v), compared(one.values[u], one.values[v])[:, :2]])
    found = [np.abs(one.structure()[u] - other.structure()[v])]
    if shared := shared_attributes(one, other):
        found.append(mapped_apart(*shared, np.zeros((0, 2), np.int64), u, v))
    return np.hstack(found)
