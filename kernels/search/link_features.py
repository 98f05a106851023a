"""Pairs of nodes of one graph as numbers that tell whether they are linked: neighbourhoods, paths, embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from .crossfit import FEW_FOLDS, crossfitted
from .network import Network

SCORES = (
    "common neighbours",
    "Jaccard",
    "Adamic-Adar",
    "resource allocation",
    "preferential attachment",
    "less degree",
    "more degree",
    "paths of 3",
    "paths of 4",
    "walk of 2",
    "walk of 3",
    "walk of 4",
    "nearness",
    "linked otherwise",
    "linked back",
)
"""Names of the columns of `link_scores`."""
CHUNK = 2000
"""Pairs whose paths are followed at once."""
KEPT, KEPT_NODES = 32, 400_000
"""Graphs with the edges of different folds that are kept at once, and the nodes that these may have together."""


class LinkFeatures(TransformerMixin, BaseEstimator):
    """Two columns of nodes as numbers.

    The graph it looks at is `network`, which has none of the edges that rows of the data set ask for, and those of the
    rows it is fitted to that are links. Of these rows themselves the links of other rows only (see `crossfit`): no
    row's own edge is ever looked at.

    Parameters
    ----------
    network : Network
    linked : tuple of int
        Classes, by their numbers, that say that there is an edge.
    scores : {"yes", "no"}
        Neighbourhoods and paths (see `SCORES`).
    embedding : {"none", "spectral", "factors"}
    dimensions : int
        Of the embedding.
    products : {"no", "yes"}
        Whether the products of both nodes' coordinates are features one by one, besides their sum.
    attributes : {"yes", "no"}
        Differences and products of the nodes' attributes.
    """

    def __init__(
        self,
        network,
        linked=(1,),
        scores="yes",
        embedding="factors",
        dimensions=8,
        products="no",
        attributes="yes",
    ):
        self.network, self.linked, self.scores = network, linked, scores
        self.embedding, self.dimensions, self.products = embedding, dimensions, products
        self.attributes = attributes

    def fit(self, X, y=None):
        self._learn(X, y)
        return self

    def fit_transform(self, X, y=None, **params):
        pairs, codes = self._learn(X, y)
        return crossfitted(pairs, codes, FEW_FOLDS, self._told)

    def transform(self, X):
        return self._features(self.graph_, self._pairs(X))

    def _learn(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        pairs = self._pairs(X)
        codes = np.zeros(len(pairs), np.int64) if y is None or np.ndim(y) != 1 else np.asarray(y).astype(np.int64)
        self.graph_ = self._with_links(pairs, codes)
        return pairs, codes

    def _pairs(self, X) -> np.ndarray:
        return np.stack([self.network.places(X.iloc[:, at]) for at in (0, 1)], axis=1)

    def _with_links(self, pairs: np.ndarray, codes: np.ndarray) -> Network:
        links = pairs[np.isin(codes, self.linked) & (pairs >= 0).all(axis=1)]
        links = np.unique(links, axis=0)
        return kept(self.network, ("links", links.tobytes()), lambda: self.network.with_edges(links))

    def _told(self, pairs: np.ndarray, codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return self._features(self._with_links(pairs, codes), wanted)

    def _features(self, graph: Network, pairs: np.ndarray) -> np.ndarray:
        there = np.asarray((pairs >= 0).all(axis=1))
        u, v = np.where(there[:, None], pairs, 0).T
        found = [link_scores(graph, u, v)] if self.scores == "yes" else []
        if self.embedding != "none":
            found.append(self._embedded(graph, u, v))
        if self.attributes == "yes" and graph.values.shape[1]:
            found.append(compared(graph.values[u], graph.values[v]))
        table = np.hstack(found) if found else np.zeros((len(pairs), 1))
        return np.where(there[:, None], table, 0.0)

    def _embedded(self, graph: Network, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        if self.embedding == "spectral":
            left = right = graph.spectral(self.dimensions)
        else:
            left, right = graph.factors(self.dimensions)
        products = left[u] * right[v]
        if not graph.directed and self.embedding == "factors":
            products = (products + left[v] * right[u]) / 2
        sizes = np.linalg.norm(left[u], axis=1) * np.linalg.norm(right[v], axis=1)
        whole = products.sum(axis=1)
        found = [whole, whole / np.maximum(sizes, 1e-9), np.linalg.norm(left[u] - left[v], axis=1)]
        table = np.stack(found, axis=1)
        return np.hstack([table, products]) if self.products == "yes" else table

    def get_feature_names_out(self, input_features=None):
        width = self._features(self.graph_, np.zeros((1, 2), np.int64)).shape[1]
        names = [*SCORES] if self.scores == "yes" else []
        return np.asarray([*names, *(f"pair {at}" for at in range(len(names), width))], dtype=object)


def kept(network: Network, key: Any, make: Any) -> Any:
    """What was made of a network for some labels, kept for the trials that have the same rows."""
    held = network.memo("kept", dict)
    if key not in held:
        if len(held) >= min(KEPT, KEPT_NODES // max(len(network), 1)):
            held.clear()
        held[key] = make()
    return held[key]


def compared(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Differences in size of each attribute, their length, and how alike the directions are."""
    apart = np.abs(one - other)
    sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    alike = (one * other).sum(axis=1) / np.maximum(sizes, 1e-9)
    table = np.stack([np.linalg.norm(apart, axis=1), alike], axis=1)
    return np.hstack([table, apart]) if apart.shape[1] <= 60 else table


def link_scores(network: Network, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(pairs, `len(SCORES)`) what the neighbourhoods of nodes `u` and `v`, and paths between them, say of a link.

    Liben-Nowell & Kleinberg, "The link-prediction problem for social networks", JASIST 58(7), 2007; Zhou, Lü, Zhang,
    "Predicting missing links via local information", EPJ B 71, 2009 (resource allocation, local paths). Directions are
    left aside but in the last column. Numbers of paths count walks; nearness is one over the length of the shortest
    path, 0 beyond 4 steps; an edge between the two themselves counts in the last two columns and in longer walks.
    """
    A, degrees = network.adjacency, network.degrees
    both = A[u].multiply(A[v]).tocsr()
    common = np.asarray(both.sum(axis=1)).ravel()
    either = degrees[u] + degrees[v] - common
    scarce = 1 / np.log(np.maximum(degrees, 2))
    linked = _cells(A, u, v)
    back = _cells(network.arrows, v, u) if network.directed else np.zeros(len(u))
    forth = _cells(network.arrows, u, v) if network.directed else linked
    three, four, w2, w3, w4 = _paths(network, u, v)
    near = np.where(
        linked > 0, 1.0, np.where(common > 0, 1 / 2, np.where(three > 0, 1 / 3, np.where(four > 0, 1 / 4, 0)))
    )
    return np.stack(
        [
            common,
            common / np.maximum(either, 1),
            both @ scarce,
            both @ (1 / np.maximum(degrees, 1)),
            np.log1p(degrees[u] * degrees[v]),
            np.log1p(np.minimum(degrees[u], degrees[v])),
            np.log1p(np.maximum(degrees[u], degrees[v])),
            *(np.log1p(three), np.log1p(four), w2, w3, w4, near, forth, back),
        ],
        axis=1,
    )


def _cells(matrix: sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    if not len(rows):
        return np.zeros(0)
    return np.asarray(matrix[rows, columns]).ravel().astype(float)


def _paths(network: Network, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """Walks of 3 and of 4 steps from u to v; and of 2, 3, 4 steps, weighted as powers of D^-1/2 A D^-1/2 weigh them.

    Both matrices are symmetric: what is two steps from u and what is one or two steps from v meet half-way.
    """
    A, S = network.adjacency, network.memo("normal", lambda: _normal(network))
    found = np.zeros((5, len(u)))
    for start in range(0, len(u), CHUNK):
        at = slice(start, start + CHUNK)
        a, b, s, t = A[u[at]], A[v[at]], S[u[at]], S[v[at]]
        aa, ss = a @ A, s @ S
        found[:, at] = [_dots(aa, b), _dots(aa, b @ A), _dots(s, t), _dots(ss, t), _dots(ss, t @ S)]
    found[2:] *= np.sqrt(len(network))
    return tuple(found)


def _normal(network: Network) -> sparse.csr_array:
    root = 1 / np.sqrt(np.maximum(network.degrees, 1))
    return (sparse.diags_array(root) @ network.adjacency @ sparse.diags_array(root)).tocsr()


def _dots(one: sparse.csr_array, other: sparse.csr_array) -> np.ndarray:
    """The product of each row with the other's row."""
    return np.asarray(one.multiply(other).sum(axis=1)).ravel()
