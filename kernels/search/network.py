"""A graph as arrays: what pipelines compute features on, fast, and can be saved with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from .graphs import places_in

MOST_PATHS = 300_000
"""Edges times sources that sampled shortest paths may walk: about a second."""
DENSE = 400
"""Nodes up to which eigenvectors are those of a dense matrix."""


class Network:
    """Nodes, edges between them, and numbers of the nodes.

    Parameters
    ----------
    ids : sequence of str
    ends : (edges, 2) int array
        Positions of source and target.
    weights : (edges,) array, optional
    directed : bool
    values : (nodes, numbers) array, optional
        Attributes.
    names : sequence of str
        The attribute that each column of `values` is of.

    Notes
    -----
    Loops and parallel edges count for nothing in `adjacency`; weights of parallel edges add up in `weighted`.
    """

    def __init__(self, ids, ends, weights=None, directed=False, values=None, names=()):
        self.ids = np.asarray(list(ids), dtype=str)
        self.ends = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
        self.weights = None if weights is None else np.asarray(weights, dtype=float)
        self.directed = bool(directed)
        self.values = np.zeros((len(self.ids), 0)) if values is None else np.asarray(values, dtype=float)
        self.names = list(names)
        self._memo: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Network({len(self.ids):,} nodes, {len(self.ends):,} edges)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self  # nothing changes it, and scikit-learn copies what it clones

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_memo"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._memo = {}

    def memo(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` makes of the edges alone, made once."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def places(self, values: Iterable[Any]) -> np.ndarray:
        """Position of the node that each value names; -1 where there is none."""
        place = self.memo("places", lambda: {str(name): at for at, name in enumerate(self.ids)})
        return places_in(place, values)

    def with_values(self, values: np.ndarray, names: Sequence[str]) -> Network:
        """The same edges with other numbers of the nodes."""
        made = Network(self.ids, self.ends, self.weights, self.directed, values, names)
        made._memo = self._memo  # of the edges alone
        return made

    def with_edges(self, pairs: np.ndarray) -> Network:
        """With further edges (pairs of positions), of weight 1."""
        ends = np.concatenate([self.ends, np.asarray(pairs, dtype=np.int64).reshape(-1, 2)])
        weights = None if self.weights is None else np.concatenate([self.weights, np.ones(len(pairs))])
        return Network(self.ids, ends, weights, self.directed, self.values, self.names)

    # -- matrices

    @property
    def arrows(self) -> sparse.csr_array:
        """(nodes, nodes) 0 / 1: from source to target; symmetric where the graph is not directed."""
        return self.memo("arrows", lambda: self._matrix(self.directed, None))

    @property
    def adjacency(self) -> sparse.csr_array:
        """(nodes, nodes) 0 / 1, symmetric whether the graph is directed or not."""
        return self.memo("adjacency", lambda: self._matrix(False, None))

    @property
    def weighted(self) -> sparse.csr_array:
        """(nodes, nodes), symmetric: sums of weights."""
        return self.memo("weighted", lambda: self._matrix(False, self.weights))

    def _matrix(self, directed: bool, weights: np.ndarray | None) -> sparse.csr_array:
        u, v = self.ends.T
        once = u != v
        w = np.ones(len(u)) if weights is None else weights
        u, v, w = u[once], v[once], w[once]
        if not directed:
            u, v, w = np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([w, w])
        found = sparse.coo_array((w, (u, v)), shape=(len(self), len(self))).tocsr()
        found.sum_duplicates()
        if weights is None:
            found.data[:] = 1.0
        return found

    @property
    def degrees(self) -> np.ndarray:
        """(nodes,) different neighbours."""
        return self.memo("degrees", lambda: np.diff(self.adjacency.indptr).astype(float))

    @property
    def walk(self) -> sparse.csr_array:
        """(nodes, nodes): the mean over the neighbours; rows sum to 1, or to 0 where there are none."""
        return self.memo("walk", lambda: _scaled(self.adjacency, 1 / np.maximum(self.degrees, 1)))

    # -- structure

    def structure(self) -> np.ndarray:
        """(nodes, `len(STRUCTURE)`) what a node's place in the graph is like."""
        return self.memo("structure", self._structure)

    def _structure(self) -> np.ndarray:
        degrees = self.degrees
        out, into = np.diff(self.arrows.indptr), np.bincount(self.arrows.indices, minlength=len(self))
        return np.stack(
            [
                np.log1p(degrees),
                np.log1p(out),
                np.log1p(into),
                clustering(self.adjacency),
                core_numbers(self.adjacency),
                np.log(pagerank(self.arrows) * len(self)),
                np.log1p(betweenness(self.adjacency)),
                np.log1p(self.walk @ degrees),
            ],
            axis=1,
        )

    def spectral(self, dimensions: int) -> np.ndarray:
        """(nodes, at most `dimensions`) eigenvectors of the normalised adjacency, times their eigenvalues."""
        vectors, values = self.memo(
            ("eigen", _rung(dimensions)), lambda: eigenvectors(self.adjacency, _rung(dimensions))
        )
        return (vectors * values)[:, :dimensions] * np.sqrt(len(self))

    def factors(self, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
        """Two (nodes, dimensions) tables whose product is near the arrows: a truncated singular value decomposition."""
        left, right = self.memo(("factors", _rung(dimensions)), lambda: factors(self.arrows, _rung(dimensions)))
        return left[:, :dimensions], right[:, :dimensions]


STRUCTURE = (
    "degree",
    "out-degree",
    "in-degree",
    "clustering",
    "core",
    "PageRank",
    "betweenness",
    "neighbours' degree",
)
"""Names of the columns of `Network.structure`."""


def _rung(dimensions: int) -> int:
    """So many are computed at once: whoever asks for fewer gets the first of them."""
    return next(rung for rung in (8, 16, 32, 64, 128, 10**9) if dimensions <= rung)


def _scaled(matrix: sparse.csr_array, rows: np.ndarray) -> sparse.csr_array:
    return (sparse.diags_array(rows) @ matrix).tocsr()


def clustering(adjacency: sparse.csr_array) -> np.ndarray:
    """Share of a node's pairs of neighbours that are neighbours themselves; 0 with fewer than two. (nodes,)"""
    degrees = np.diff(adjacency.indptr)
    triangles = np.asarray((adjacency @ adjacency).multiply(adjacency).sum(axis=1)).ravel()
    return triangles / np.maximum(degrees * (degrees - 1), 1)


def core_numbers(adjacency: sparse.csr_array) -> np.ndarray:
    """The largest k such that a node is among nodes with k neighbours among themselves (Batagelj & Zaversnik 2003)."""
    import networkx as nx

    found = nx.core_number(nx.from_scipy_sparse_array(adjacency))
    return np.array([found[at] for at in range(adjacency.shape[0])], dtype=float)


def pagerank(arrows: sparse.csr_array, damping: float = 0.85, tolerance: float = 1e-10, most: int = 200) -> np.ndarray:
    """Where a walk is found that follows arrows, and with 1 - `damping` begins anew anywhere; sums to 1. (nodes,)"""
    count = arrows.shape[0]
    out = np.diff(arrows.indptr)
    steps = _scaled(arrows, 1 / np.maximum(out, 1)).T.tocsr()
    found = np.full(count, 1 / count)
    for _ in range(most):
        before = found
        found = damping * (steps @ before + before[out == 0].sum() / count) + (1 - damping) / count
        if np.abs(found - before).sum() < tolerance:
            break
    return found


def betweenness(adjacency: sparse.csr_array, most: int = MOST_PATHS) -> np.ndarray:
    """Shortest paths through a node, from sources that are sampled where the graph is large, scaled to all sources.

    Undirected pairs count twice. (nodes,)
    """
    import networkx as nx

    count, edges = adjacency.shape[0], max(adjacency.nnz, 1)
    graph = nx.from_scipy_sparse_array(adjacency)
    sources = min(count, max(8, most // edges))
    k = None if sources == count else sources
    found = nx.betweenness_centrality(graph, k=k, normalized=False, seed=0)
    return 2 * np.array([found[at] for at in range(count)])


def eigenvectors(adjacency: sparse.csr_array, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvectors (nodes, k) of the largest eigenvalues of D^-1/2 A D^-1/2, largest first, and these (k,).

    Of each the entry of largest size is above 0, so that the same graph gives the same signs.
    """
    count = adjacency.shape[0]
    k = min(most, count)
    root = 1 / np.sqrt(np.maximum(np.diff(adjacency.indptr), 1))
    scaled = sparse.diags_array(root) @ adjacency @ sparse.diags_array(root)
    if count <= DENSE or k >= count - 1:
        values, vectors = np.linalg.eigh(scaled.toarray())
    else:
        from scipy.sparse.linalg import eigsh

        start = np.random.default_rng(0).normal(size=count)
        values, vectors = eigsh(scaled.tocsr(), k=k, which="LA", v0=start, tol=1e-6)
    order = np.argsort(-values, kind="stable")[:k]
    return _signed(vectors[:, order]), values[order]


def _signed(vectors: np.ndarray) -> np.ndarray:
    if not vectors.size:
        return vectors
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(largest < 0, -1.0, 1.0)


def factors(arrows: sparse.csr_array, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Left and right singular vectors times the roots of their singular values, the largest first."""
    count = arrows.shape[0]
    k = min(most, count)
    if not arrows.nnz:
        return np.zeros((count, k)), np.zeros((count, k))
    if count <= DENSE or k >= count - 1:
        left, size, right = np.linalg.svd(arrows.toarray())
        left, size, right = left[:, :k], size[:k], right[:k]
    else:
        from scipy.sparse.linalg import svds

        left, size, right = svds(arrows, k=k, v0=np.random.default_rng(0).normal(size=count))
        order = np.argsort(-size, kind="stable")
        left, size, right = left[:, order], size[order], right[order]
    root = np.sqrt(size)
    return left * root, right.T * root
