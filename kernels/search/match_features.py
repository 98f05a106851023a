"""Pairs of nodes of two graphs as numbers that tell whether they are the same thing: seeded graph matching."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from .crossfit import FEW_FOLDS, crossfitted
from .network import Network

LARGEST = 4_000_000
"""Pairs of nodes up to which all of them are compared; beyond, only those that rows ask for."""


class MatchFeatures(TransformerMixin, BaseEstimator):
    """Two columns, of the nodes of two graphs, as numbers.

    Matches are those of the rows it is fitted to; of these rows themselves those of other rows (see `crossfit`).

    Parameters
    ----------
    one, other : Network
        Attributes of the same names are compared.
    matched : tuple of int
        Classes, by their numbers, that say that two nodes match.
    rounds : int
        How often matches that are found beyond the known ones are looked for, to tell of further ones.
    dimensions : int
        Of spectral embeddings, turned so that known matches lie near each other; 0 for none.
    structure : {"yes", "no"}
        Differences of degree, clustering, core number, PageRank, ...
    assignment : {"none", "linear", "relaxed"}
        One-to-one assignment of all nodes by the scores; "relaxed": by the relaxed quadratic assignment (FAQ).
    """

    def __init__(self, one, other, matched=(1,), rounds=1, dimensions=8, structure="yes", assignment="none"):
        self.one, self.other, self.matched, self.rounds = one, other, matched, rounds
        self.dimensions, self.structure, self.assignment = dimensions, structure, assignment

    def fit(self, X, y=None):
        self._learn(X, y)
        return self

    def fit_transform(self, X, y=None, **params):
        pairs, codes = self._learn(X, y)
        return crossfitted(pairs, codes, FEW_FOLDS, self._told)

    def transform(self, X):
        return self._features(self.seeds_, self._pairs(X))

    def _learn(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        pairs = self._pairs(X)
        codes = np.zeros(len(pairs), np.int64) if y is None or np.ndim(y) != 1 else np.asarray(y).astype(np.int64)
        self.seeds_ = self._seeds(pairs, codes)
        return pairs, codes

    def _pairs(self, X) -> np.ndarray:
        return np.stack([self.one.places(X.iloc[:, 0]), self.other.places(X.iloc[:, 1])], axis=1)

    def _seeds(self, pairs: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return np.unique(pairs[np.isin(codes, self.matched) & (pairs >= 0).all(axis=1)], axis=0)

    def _told(self, pairs: np.ndarray, codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return self._features(self._seeds(pairs, codes), wanted)

    def _features(self, seeds: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        there = np.asarray((pairs >= 0).all(axis=1))
        u, v = np.where(there[:, None], pairs, 0).T
        found = [known_partners(seeds, u, v), agreement(self.one, self.other, seeds, u, v)]
        if self.structure == "yes":
            found.append(np.abs(self.one.structure()[u] - self.other.structure()[v]))
            found.append(self.one.structure()[u])
        if self._attributes is not None:
            a, b = self._attributes
            found.append(mapped_apart(a, b, seeds, u, v))
        if self.dimensions:
            a, b = self.one.spectral(self.dimensions), self.other.spectral(self.dimensions)
            found.append(turned_apart(a, b, seeds, u, v))
        if self.rounds or self.assignment != "none":
            found.append(self._matched(seeds, u, v))
        return np.where(there[:, None], np.hstack(found), 0.0)

    @property
    def _attributes(self) -> tuple[np.ndarray, np.ndarray] | None:
        return shared_attributes(self.one, self.other)

    def _matched(self, seeds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        if len(self.one) * len(self.other) > LARGEST:
            return np.zeros((len(u), 5))
        return matching(self.one, self.other, seeds, self.rounds, self.assignment).of(u, v)

    def get_feature_names_out(self, input_features=None):
        width = self._features(self.seeds_, np.zeros((1, 2), np.int64)).shape[1]
        return np.asarray([f"match {at}" for at in range(width)], dtype=object)


def known_partners(seeds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(pairs, 3) whether the two are a known match; whether the first, or the second, is known to match another."""
    size = int(max(seeds.max(initial=0), u.max(initial=0), v.max(initial=0))) + 1
    same = np.isin(u * size + v, seeds[:, 0] * size + seeds[:, 1])
    return np.stack([same, np.isin(u, seeds[:, 0]) & ~same, np.isin(v, seeds[:, 1]) & ~same], axis=1).astype(float)


def agreement(one: Network, other: Network, seeds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(pairs, 5) known matches (a, b) with a beside u and b beside v: their number, over what there could be, over both
    degrees; and how many neighbours of u, and of v, have a known match."""
    ours, theirs = _beside(one, seeds[:, 0]), _beside(other, seeds[:, 1])
    both = np.asarray(ours[u].multiply(theirs[v]).sum(axis=1)).ravel()
    a, b = (np.asarray(side[at].sum(axis=1)).ravel() for side, at in ((ours, u), (theirs, v)))
    degrees = np.sqrt(np.maximum(one.degrees[u] * other.degrees[v], 1))
    return np.stack([both, both / np.maximum(np.maximum(a, b), 1), both / degrees, np.log1p(a), np.log1p(b)], axis=1)


def _beside(network: Network, seeds: np.ndarray) -> sparse.csr_array:
    """(nodes, seeds) which seeds a node is beside."""
    return network.adjacency[:, seeds].tocsr()


def shared_attributes(one: Network, other: Network) -> tuple[np.ndarray, np.ndarray] | None:
    """Both sides' values of the attributes that they share, column by column; None where there are none."""
    alike = [n for n in dict.fromkeys(one.names) if n in other.names and one.names.count(n) == other.names.count(n)]
    if not alike:
        return None
    a, b = ([at for name in alike for at, each in enumerate(side.names) if each == name] for side in (one, other))
    return one.values[:, a], other.values[:, b]


def mapped_apart(a: np.ndarray, b: np.ndarray, seeds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(pairs, 3) how far attributes are apart; how far after the line from one side to the other that known matches
    give; and how many nodes of the other side lie nearer."""
    plain = np.linalg.norm(a[u] - b[v], axis=1)
    said = _line(a, b, seeds)
    left = np.linalg.norm(said[u] - b[v], axis=1)
    return np.stack([plain, left, np.log1p(_nearer(said, b, u, left))], axis=1)


def _line(a: np.ndarray, b: np.ndarray, seeds: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """What `a` says of `b` by a line through known matches, which is a = b without any."""
    left = np.column_stack([a, np.ones(len(a))])
    X, y = left[seeds[:, 0]], b[seeds[:, 1]]
    start = np.vstack([np.eye(a.shape[1]), np.zeros(a.shape[1])])
    return left @ (start + np.linalg.solve(X.T @ X + ridge * np.eye(X.shape[1]), X.T @ (y - X @ start)))


def _nearer(said: np.ndarray, b: np.ndarray, u: np.ndarray, left: np.ndarray, piece: int = 500) -> np.ndarray:
    from scipy.spatial.distance import cdist

    found = np.empty(len(u))
    for start in range(0, len(u), piece):
        some = slice(start, start + piece)
        found[some] = (cdist(said[u[some]], b) < left[some, None] - 1e-9).sum(axis=1)
    return found


def turned_apart(a: np.ndarray, b: np.ndarray, seeds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(pairs, 2) how far apart and how alike two embeddings are, one of them turned to the other by known matches."""
    width = min(a.shape[1], b.shape[1])
    a, b = a[:, :width], b[:, :width]
    if len(seeds):
        left, _, right = np.linalg.svd(a[seeds[:, 0]].T @ b[seeds[:, 1]])  # orthogonal Procrustes
        a = a @ (left @ right)
    sizes = np.linalg.norm(a[u], axis=1) * np.linalg.norm(b[v], axis=1)
    alike = (a[u] * b[v]).sum(axis=1) / np.maximum(sizes, 1e-9)
    return np.stack([np.linalg.norm(a[u] - b[v], axis=1), alike], axis=1)


@dataclass(frozen=True)
class Matching:
    """Scores of all pairs, and which of them are assigned to each other: `partner` (nodes of one,), -1 where none."""

    scores: np.ndarray
    partner: np.ndarray

    def of(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(pairs, 5) score; its lead over the best other partner of either node; whether they are assigned to each
        other; whether u is to another node."""
        score = self.scores[u, v]
        leads = [score - _best_other(self.scores[u], v), score - _best_other(self.scores.T[v], u)]
        same = (self.partner[u] == v).astype(float)
        return np.stack([score, *leads, same, (self.partner[u] >= 0) & (same == 0)], axis=1).astype(float)


def _best_other(table: np.ndarray, at: np.ndarray) -> np.ndarray:
    table = table.copy()
    table[np.arange(len(at)), at] = -np.inf
    return np.where(np.isfinite(best := table.max(axis=1, initial=-np.inf)), best, 0.0)


def matching(one: Network, other: Network, seeds: np.ndarray, rounds: int, assignment: str) -> Matching:
    """Scores of all pairs from known matches, those found in each round taken for known in the next.

    Percolation of matches (Narayanan & Shmatikov 2009; Yartseva & Grossglauser 2013): a pair scores by the matches
    beside it, over the root of both degrees, and by its attributes. Pairs that are each other's best become matches.
    """
    base = _alike(one, other, seeds)
    pairs = seeds
    scores = base + _witnesses(one, other, pairs)
    for _ in range(rounds):
        pairs = np.concatenate([seeds, _mutual(scores, seeds)])
        scores = base + _witnesses(one, other, pairs)
    if assignment == "none":
        partner = np.full(len(one), -1)
        found = _mutual(scores, np.zeros((0, 2), np.int64))
        partner[found[:, 0]] = found[:, 1]
    else:
        partner = _assigned(one, other, scores, seeds, assignment)
    return Matching(scores, partner)


def _witnesses(one: Network, other: Network, pairs: np.ndarray) -> np.ndarray:
    ours, theirs = _beside(one, pairs[:, 0]), _beside(other, pairs[:, 1])
    roots = [1 / np.sqrt(np.maximum(side.degrees, 1)) for side in (one, other)]
    return np.asarray((ours @ theirs.T).toarray()) * roots[0][:, None] * roots[1]


def _alike(one: Network, other: Network, seeds: np.ndarray) -> np.ndarray:
    """(nodes, nodes) likeness of attributes between 0 and 1; 0 where none are shared."""
    shared = shared_attributes(one, other)
    if shared is None:
        return np.zeros((len(one), len(other)))
    from scipy.spatial.distance import cdist

    a, b = shared
    apart = cdist(_line(a, b, seeds), b)
    usual = np.median(apart[seeds[:, 0], seeds[:, 1]]) if len(seeds) else np.median(apart) / 4
    return np.exp(-apart / max(float(usual), 1e-6) / 2)


def _mutual(scores: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Pairs of nodes without a known match that are each other's best, with a score above 0."""
    free = scores.copy()
    free[seeds[:, 0], :] = 0
    free[:, seeds[:, 1]] = 0
    best, back = free.argmax(axis=1), free.argmax(axis=0)
    rows = np.arange(len(free))
    rows = rows[(back[best] == rows) & (free[rows, best] > 0)]
    return np.stack([rows, best[rows]], axis=1)


def _assigned(one: Network, other: Network, scores: np.ndarray, seeds: np.ndarray, how: str) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment

    raised = scores.copy()
    raised[seeds[:, 0], seeds[:, 1]] += scores.max(initial=1.0) + 1
    if how == "relaxed":
        raised = raised + _relaxed(one, other, raised, seeds)
    rows, columns = linear_sum_assignment(raised, maximize=True)
    partner = np.full(len(one), -1)
    partner[rows] = columns
    return partner


def _relaxed(one: Network, other: Network, scores: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(nodes, nodes) 1 where the relaxed quadratic assignment (Vogelstein et al. 2015) puts two nodes together."""
    from scipy.optimize import quadratic_assignment

    size = max(len(one), len(other))
    padded = [np.pad(side.adjacency.toarray(), (0, size - len(side))) for side in (one, other)]
    fixed = _one_to_one(seeds)
    options = {
        "maximize": True,
        "partial_match": fixed,
        "rng": np.random.default_rng(0),
        "P0": "barycenter",
        "maxiter": 20,
    }
    found = quadratic_assignment(*padded, method="faq", options=options).col_ind
    table = np.zeros((size, size))
    table[np.arange(size), found] = 1.0
    return table[: len(one), : len(other)]


def _one_to_one(seeds: np.ndarray) -> np.ndarray:
    """Seeds without those that name a node a second time."""
    first = np.unique(seeds[:, 0], return_index=True)[1]
    seeds = seeds[np.sort(first)]
    return seeds[np.sort(np.unique(seeds[:, 1], return_index=True)[1])]
