"""Nodes as numbers that a model can take: their place in the graph, their neighbours' attributes, labels near them."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from .crossfit import FEW_FOLDS, FOLDS, crossfitted
from .network import STRUCTURE, Network

ROUNDS = 40
"""Steps of a propagation: beyond, what is passed on is below 1% for a damping of 0.9."""
WIDE = 300
"""Columns of attributes up to which each is looked at by itself."""
MANY = 2000


class NodeFeatures(TransformerMixin, BaseEstimator):
    """The nodes of one column as numbers.

    What is made of labels is made of the labels of the rows it is fitted to, and of no others; of these rows themselves
    it is made from the labels of the other rows (see `crossfit`).

    Parameters
    ----------
    network : Network
        Its values are attributes of nodes, targets not among them.
    structure : {"yes", "no"}
        Degree, clustering, core number, PageRank, betweenness (see `network.STRUCTURE`).
    dimensions : int
        Of a spectral embedding; 0 for none.
    labels : {"none", "neighbours", "propagation", "both"}
        Shares of classes among the neighbours (and theirs); propagated over the graph; both.
    damping : float
        How far labels are propagated, 0 to 1.
    hops : int
        Means of attributes over the neighbours, over theirs, ...: so many steps.
    own : tuple of str
        Attributes that are no columns of the table, and so are taken from the graph for the node itself, too.
    """

    def __init__(
        self, network, structure="yes", dimensions=8, labels="both", damping=0.85, hops=1, own=(), weights="no"
    ):
        self.network, self.structure, self.dimensions = network, structure, dimensions
        self.labels, self.damping, self.hops, self.own, self.weights = labels, damping, hops, own, weights

    def fit(self, X, y=None):
        self._learn(X, y)
        return self

    def fit_transform(self, X, y=None, **params):
        places = self._learn(X, y)
        if self.classes_ < 2:
            return self._features(places)
        folds = FOLDS if len(self.things_) <= MANY else FEW_FOLDS
        told = np.zeros((len(places), self._told(self.things_, self.codes_, places[:0]).shape[1]))
        told[places >= 0] = crossfitted(self.things_, self.codes_, folds, self._told)
        return np.hstack([self._plain(places), told])

    def transform(self, X):
        return self._features(self.network.places(X.iloc[:, 0]))

    def _learn(self, X, y) -> np.ndarray:
        places = self.network.places(X.iloc[:, 0])
        codes = np.zeros(0) if y is None or np.ndim(y) != 1 else np.asarray(y)
        usable = len(codes) == len(places) and codes.dtype.kind in "iu" and self.labels != "none"
        known = places >= 0
        self.things_ = places[known] if usable else places[:0]
        self.codes_ = codes[known].astype(np.int64) if usable else np.zeros(0, np.int64)
        self.classes_ = int(self.codes_.max()) + 1 if len(self.codes_) else 0
        self.fixed_ = self._fixed()
        return places

    def _fixed(self) -> np.ndarray:
        """(nodes, numbers) that depend on no label."""
        network = self.network
        found = [_standardised(network.structure())] if self.structure == "yes" else []
        if self.dimensions:
            vectors = network.spectral(self.dimensions)  # one scale for all: the last ones are mostly noise
            found.append(vectors / max(float(vectors.std(axis=0).max(initial=0)), 1e-9))
        own = [at for at, name in enumerate(network.names) if name in self.own]
        found.append(network.values[:, own])
        values = _narrow(network.values)
        for _ in range(self.hops if values.shape[1] else 0):
            values = network.walk @ values
            found.append(values)
        return np.hstack(found)

    def _features(self, places: np.ndarray) -> np.ndarray:
        plain = self._plain(places)
        if self.classes_ < 2:
            return plain
        return np.hstack([plain, self._told(self.things_, self.codes_, places)])

    def _plain(self, places: np.ndarray) -> np.ndarray:
        """A node that the graph does not have is one without edges, whose attributes are as those of the mean."""
        return np.where((places >= 0)[:, None], self.fixed_[places], 0.0)

    def _told(self, things: np.ndarray, codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(wanted, numbers) that the labels `codes` of nodes `things` tell."""
        seeds = seeds_of(things, codes, self.classes_, len(self.network))
        found = []
        if self.labels in ("neighbours", "both"):
            found += near_labels(self.network, seeds)
        if self.labels in ("propagation", "both"):
            found.append(propagated(_steps(self.network, self.weights), seeds, self.damping))
        whole = np.hstack(found)
        return np.where((wanted >= 0)[:, None], whole[wanted], 0.0)

    def get_feature_names_out(self, input_features=None):
        count = self.fixed_.shape[1]
        names = [*STRUCTURE] if self.structure == "yes" else []
        names += [f"graph {at}" for at in range(len(names), count)]
        if self.classes_ >= 2:
            told = self._told(self.things_, self.codes_, np.zeros(1, np.int64)).shape[1]
            names += [f"labels near {at}" for at in range(told)]
        return np.asarray(names, dtype=object)


def _standardised(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)


def _narrow(values: np.ndarray) -> np.ndarray:
    if values.shape[1] <= WIDE:
        return values
    from sklearn.decomposition import TruncatedSVD

    return TruncatedSVD(WIDE // 3, random_state=0).fit_transform(values)


def _steps(network: Network, weights: str) -> sparse.csr_array:
    """The matrix that passes labels on: means over the neighbours, by weight where these are to count."""
    if weights != "yes" or network.weights is None:
        return network.walk

    def made():
        matrix = network.weighted
        return (sparse.diags_array(1 / np.maximum(matrix.sum(axis=1), 1e-12)) @ matrix).tocsr()

    return network.memo("weighted walk", made)


def seeds_of(things: np.ndarray, codes: np.ndarray, classes: int, nodes: int) -> np.ndarray:
    """(nodes, classes) share of each class among the labels of a node; zeros where it has none."""
    seeds = np.zeros((nodes, classes))
    np.add.at(seeds, (things, codes), 1.0)
    return seeds / np.maximum(seeds.sum(axis=1, keepdims=True), 1)


def near_labels(network: Network, seeds: np.ndarray) -> list[np.ndarray]:
    """Shares of classes among labelled neighbours, the share of neighbours with a label; the same two steps away."""
    one = network.walk @ seeds
    two = network.walk @ one
    return [part for told in (one, two) for part in (_shares(told), told.sum(axis=1, keepdims=True))]


def _shares(told: np.ndarray) -> np.ndarray:
    whole = told.sum(axis=1, keepdims=True)
    return np.where(whole > 1e-12, told / np.where(whole > 1e-12, whole, 1), 0.0)


def propagated(steps: sparse.csr_array, seeds: np.ndarray, damping: float, rounds: int = ROUNDS) -> np.ndarray:
    """(nodes, classes) shares of labels that reach each node: F = damping * steps F + (1 - damping) * seeds.

    After Zhou, Bousquet, Lal, Weston, Schölkopf, "Learning with local and global consistency", NIPS 2003, with means
    over neighbours. Each class is scaled by its number of seeds, so that the commonest does not drown the others; rows
    sum to 1, or to 0 where nothing arrives.
    """
    found = seeds
    for _ in range(rounds):
        found = damping * (steps @ found) + (1 - damping) * seeds
    return _shares(found)


class Propagation(ClassifierMixin, BaseEstimator):
    """Labels of some nodes, passed on along the edges; knows nothing but the graph and the labels it is fitted to.

    Parameters
    ----------
    network : Network
    column : str
        Of the table, that names nodes.
    damping : float
    weights : {"no", "yes"}
        Whether weights of edges count.
    """

    def __init__(self, network, column, damping=0.85, weights="no"):
        self.network, self.column, self.damping, self.weights = network, column, damping, weights

    def fit(self, X, y):
        places, codes = self.network.places(X[self.column]), np.asarray(y)
        self.classes_ = np.unique(codes)
        known = places >= 0
        seeds = seeds_of(
            places[known], np.searchsorted(self.classes_, codes[known]), len(self.classes_), len(self.network)
        )
        self.prior_ = np.bincount(np.searchsorted(self.classes_, codes), minlength=len(self.classes_)) / len(codes)
        self.chances_ = propagated(_steps(self.network, self.weights), seeds, self.damping)
        return self

    def predict_proba(self, X):
        """(rows, classes): a little of the classes' shares is mixed in, all of it where no label arrives."""
        places = self.network.places(X[self.column])
        told = np.where((places >= 0)[:, None], self.chances_[places], 0.0)
        mixed = 0.98 * told + 0.02 * self.prior_
        return mixed / mixed.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
