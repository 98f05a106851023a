"""Ratings of items by users: biases, matrix factorization, neighbours. Kernels on arrays; nothing of tables here.

A rating is a user's code, an item's code and a value. A code of -1 is a user or item that is not known: it has no bias
and no factors, so that what is said of it comes from the other side, or is the mean. Several ratings of one pair all
count.

Biases: the ridge solution of r = mean + b_user + b_item. Factors: r - biases = p_user . q_item, alternating least
squares (Bell and Koren 2007; Zhou et al. 2008), which minimize sum (r - biases - p.q)^2 + strength (|P|^2 + |Q|^2).
Neighbours: what is left of the biases in the ratings of similar users (or items) of the same item (by the same user),
weighed by the cosine of all they have in common, shrunk where that is little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..jit import jit

SWEEPS = 500  # of the biases, at most
EXACT = 1e-10  # of their largest change, relative to the largest rating: then they stand


class Biases(NamedTuple):
    """Mean of all ratings, and what is added for each user and each item."""

    mean: float
    users: np.ndarray
    items: np.ndarray

    def of(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Mean and biases of pairs. (pairs,)"""
        return self.mean + known(self.users, users) + known(self.items, items)


def known(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Values (or rows of values) by code, 0 where the code is -1."""
    padded = np.concatenate([values, np.zeros((1, *values.shape[1:]))])
    return padded[codes]


def biases(
    users: np.ndarray, items: np.ndarray, ratings: np.ndarray, shape: tuple[int, int], strength: float
) -> Biases:
    """The ridge solution: sum (r - mean - b_user - b_item)^2 + strength (|b_users|^2 + |b_items|^2) is least.

    Parameters
    ----------
    users, items : (ratings,) int arrays
        Codes, -1 for unknown.
    ratings : (ratings,) array
    shape : (int, int)
        Numbers of users and of items.
    strength : float
        Above 0: a bias of few ratings is small.
    """
    mean = float(ratings.mean())
    left = ratings - mean
    scale = np.abs(left).max(initial=0.0)
    of_users, of_items = np.zeros(shape[0]), np.zeros(shape[1])
    for _ in range(SWEEPS):
        before = of_users, of_items
        of_users = _shrunk_means(users, left - known(of_items, items), shape[0], strength)
        of_items = _shrunk_means(items, left - known(of_users, users), shape[1], strength)
        changes = [np.abs(now - then).max(initial=0.0) for now, then in zip((of_users, of_items), before, strict=True)]
        if max(changes) <= EXACT * scale:
            break
    return Biases(mean, of_users, of_items)


def _shrunk_means(codes: np.ndarray, values: np.ndarray, count: int, strength: float) -> np.ndarray:
    there = codes >= 0
    sums = np.bincount(codes[there], values[there], count)
    return sums / (np.bincount(codes[there], minlength=count) + strength)


# -- factors


def factorize(
    users: np.ndarray,
    items: np.ndarray,
    left: np.ndarray,
    shape: tuple[int, int],
    count: int,
    strength: float,
    sweeps: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Factors of users and items by alternating least squares.

    Parameters
    ----------
    users, items : (ratings,) int arrays
        Codes; ratings of unknown ones (-1) are left out.
    left : (ratings,) array
        Ratings without their biases.
    shape : (int, int)
    count : int
        Factors of each.
    strength : float
        Above 0.
    sweeps : int
    rng : Generator
        Of the items' factors to begin with.

    Returns
    -------
    (users, count) and (items, count) arrays
        Zeros for who has no rating.
    """
    there = (users >= 0) & (items >= 0)
    users, items, left = users[there], items[there], np.ascontiguousarray(left[there], dtype=np.float64)
    by_user, by_item = _rows(users, items, left, shape[0]), _rows(items, users, left, shape[1])
    spread = np.sqrt(max(float(left.std()) if len(left) else 0.0, 1e-12) / max(count, 1))
    P, Q = np.zeros((shape[0], count)), rng.normal(0.0, spread, (shape[1], count))
    for _ in range(sweeps):
        solve_side(*by_user, Q, strength, P)
        solve_side(*by_item, P, strength, Q)
    return P, Q


def _rows(codes: np.ndarray, others: np.ndarray, values: np.ndarray, count: int) -> tuple:
    """Ratings in the order of one side: where each one's begin, the other side's codes, and the values."""
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=count))])
    return starts.astype(np.int64), others[order].astype(np.int64), values[order]


@jit
def solve_side(starts, others, values, fixed, strength, out):
    """Each row of `out` (rows, k) by ridge regression of its values on the other side's factors, `fixed` (others, k):
    (F'F + strength I) x = F'v, by Cholesky."""
    k = fixed.shape[1]
    G = np.empty((k, k))
    for row in range(len(starts) - 1):
        x = out[row]
        x[:] = 0.0
        if starts[row] == starts[row + 1]:
            continue
        G[:] = 0.0
        for at in range(starts[row], starts[row + 1]):
            f, value = fixed[others[at]], values[at]
            for a in range(k):
                x[a] += value * f[a]
                for b in range(a + 1):
                    G[a, b] += f[a] * f[b]
        for a in range(k):  # G = L L', in place
            G[a, a] += strength
            for b in range(a + 1):
                s = G[a, b]
                for c in range(b):
                    s -= G[a, c] * G[b, c]
                G[a, b] = np.sqrt(s) if a == b else s / G[b, b]
        for a in range(k):  # L z = F'v
            for b in range(a):
                x[a] -= G[a, b] * x[b]
            x[a] /= G[a, a]
        for a in range(k - 1, -1, -1):  # L'x = z
            for b in range(a + 1, k):
                x[a] -= G[b, a] * x[b]
            x[a] /= G[a, a]


def turned(P: np.ndarray, Q: np.ndarray, like_P: np.ndarray, like_Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factors rotated so that they lie as near as can be to others (Schönemann 1966); the products stay the same.

    Factorizations of nearly the same ratings agree in their products only: each has axes of its own.
    """
    u, _, v = np.linalg.svd(P.T @ like_P + Q.T @ like_Q)
    return P @ (u @ v), Q @ (u @ v)


# -- neighbours


def similarities(left: sparse.csr_array, shrink: float) -> np.ndarray:
    """Cosines of the rows of a table of what biases leave, times common / (common + shrink). (rows, rows) float32"""
    there = left.copy()
    there.data = np.ones_like(there.data)
    common = (there @ there.T).toarray()
    lengths = np.sqrt(np.asarray((left * left).sum(axis=1)).ravel())
    inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    cosines = (left @ left.T).toarray() * inverse[:, None] * inverse[None, :]
    found = (cosines * common / (common + shrink)).astype(np.float32)
    np.fill_diagonal(found, 0.0)
    return found


def near(alike: np.ndarray, left: sparse.csc_array, rows: np.ndarray, columns: np.ndarray, count: int) -> np.ndarray:
    """What the `count` most similar rows that have a value in the same column say: a weighted mean. (pairs,)

    Only rows that are alike (similarity above 0) count; 0 where there is none, or where the pair's row or column is
    unknown (-1).
    """
    found = np.zeros(len(rows))
    able = np.flatnonzero((rows >= 0) & (columns >= 0))
    order = able[np.argsort(columns[able], kind="stable")]
    for mine in np.split(order, np.flatnonzero(np.diff(columns[order])) + 1):
        if not len(mine):
            continue
        begin, end = left.indptr[columns[mine[0]]], left.indptr[columns[mine[0]] + 1]
        others, values = left.indices[begin:end], left.data[begin:end]
        weights = np.maximum(alike[np.ix_(rows[mine], others)].astype(float), 0.0)  # (pairs, others)
        if weights.shape[1] > count:
            least = np.partition(weights, -count, axis=1)[:, -count]
            weights = np.where(weights >= least[:, None], weights, 0.0)
        total = weights.sum(axis=1)
        found[mine] = np.divide(weights @ values, total, out=np.zeros(len(mine)), where=total > 0)
    return found
