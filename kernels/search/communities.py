"""Communities: groups of the nodes of a graph that are linked more among themselves than to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import ClusterMixin

from .learner import Quiet
from .measures import modularities
from .network import Network, eigenvectors

ALONE = -1
"""The community of nodes that the graph does not have."""


class CommunityLearner(ClusterMixin, Quiet):
    """Groups the nodes of a whole graph; what it is fitted to says only which rows are asked for.

    It never sees a truth. Directions are left aside; weights count.

    Parameters
    ----------
    network : Network
    column : str
        Of the table, that names nodes.
    config : dict
        "model" and its settings, as `communities` takes them.
    seed : int
    """

    def __init__(self, network, column, config, seed=0):
        self.network, self.column, self.config, self.seed = network, column, config, seed

    def fit(self, X, y=None):
        self._start(X)
        with self._quiet():
            key = ("communities", tuple(sorted(self.config.items())), self.seed)
            self.groups_ = self.network.memo(key, lambda: communities(self.network, self.config, self.seed))
        self.labels_ = self.predict(X)
        return self

    def predict(self, X) -> np.ndarray:
        places = self.network.places(self._checked(X)[self.column])
        return np.where(places >= 0, self.groups_[places], ALONE)

    def fit_predict(self, X, y=None):
        return self.fit(X).labels_


def communities(network: Network, config: Mapping[str, Any], seed: int) -> np.ndarray:
    """Community of each node, numbered by size, the largest 0. (nodes,)

    Parameters
    ----------
    config : mapping
        "model": "louvain" or "greedy" (with its ":resolution"), "labels" (label propagation), "parts" (spectral) or
        "blocks" (a degree-corrected block model), both with the number of "communities".
    """
    makers: dict[str, Callable[[], np.ndarray]] = {
        "louvain": lambda: _louvain(network, config["louvain:resolution"], seed),
        "greedy": lambda: _greedy(network, config["greedy:resolution"]),
        "labels": lambda: _passed_on(network, seed),
        "parts": lambda: spectral_parts(network, config["communities"], seed),
        "blocks": lambda: _blocks(network, config["communities"], seed),
    }
    return by_size(makers[config["model"]]())


def by_size(groups: np.ndarray) -> np.ndarray:
    """Groups numbered anew: the largest is 0; of equal ones the one that comes first."""
    _, first, place, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return rank[place]


def _networkx(network: Network) -> Any:
    import networkx as nx

    return nx.from_scipy_sparse_array(network.weighted)


def _numbered(sets: Any, count: int) -> np.ndarray:
    groups = np.empty(count, dtype=np.int64)
    for number, nodes in enumerate(sets):
        groups[list(nodes)] = number
    return groups


def _louvain(network: Network, resolution: float, seed: int) -> np.ndarray:
    """Of some runs from different orders the one of the largest modularity."""
    import networkx as nx

    graph, rng = _networkx(network), np.random.default_rng(seed)
    runs = 5 if network.weighted.nnz < 20_000 else 1
    seeds = rng.integers(2**31, size=runs)
    found = [
        _numbered(nx.community.louvain_communities(graph, resolution=resolution, seed=int(one)), len(network))
        for one in seeds
    ]
    return max(found, key=lambda groups: modularities(network.weighted, groups, resolution).sum())


def _greedy(network: Network, resolution: float) -> np.ndarray:
    import networkx as nx

    if not network.weighted.nnz:
        return np.arange(len(network))
    found = nx.community.greedy_modularity_communities(_networkx(network), weight="weight", resolution=resolution)
    return _numbered(found, len(network))


def _passed_on(network: Network, seed: int) -> np.ndarray:
    import networkx as nx

    found = nx.community.asyn_lpa_communities(_networkx(network), weight="weight", seed=seed)
    return _numbered(found, len(network))


def spectral_parts(network: Network, count: int, seed: int) -> np.ndarray:
    """Spectral clustering with the normalised adjacency (Ng, Jordan, Weiss 2002)."""
    from sklearn.cluster import KMeans

    count = min(count, len(network))
    vectors = network.memo(("parts", count), lambda: eigenvectors(network.adjacency, count)[0])
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    different = len(np.unique(rows.round(9), axis=0))
    return KMeans(min(count, different), n_init=10, random_state=seed).fit_predict(rows)


def _blocks(network: Network, count: int, seed: int) -> np.ndarray:
    from .block_model import block_model

    return block_model(network.weighted, count, spectral_parts(network, count, seed), seed)
