"""Features that are made of labels, for rows whose own label must not be among them: made from the other rows' labels.

Without it a row that is learned from would tell its own label in a way that no new row can.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

FOLDS, FEW_FOLDS = 10, 4


def parts(things: np.ndarray, labels: np.ndarray, folds: int) -> np.ndarray:
    """Fold of each row: rows of one thing (a node, a pair) together, labels spread evenly. The same in every call."""
    _, first, place = np.unique(things, return_index=True, return_inverse=True, axis=0)
    place = place.ravel()
    shuffled = np.random.default_rng(0).permutation(len(first))
    order = shuffled[np.argsort(labels[first][shuffled], kind="stable")]
    of = np.empty(len(first), dtype=int)
    of[order] = np.arange(len(first)) % max(2, folds)
    return of[place]


def crossfitted(things: np.ndarray, labels: np.ndarray, folds: int, features: Callable[..., np.ndarray]) -> np.ndarray:
    """Features of rows, each from the labels of the rows of other folds.

    Parameters
    ----------
    things : (rows,) or (rows, 2) int array
        What rows are about.
    labels : (rows,) int array
    features : callable
        ``features(things, labels, wanted)``: of the `wanted` things, from the labels of `things`.
    """
    fold = parts(things, labels, folds)
    found: np.ndarray | None = None
    for one in np.unique(fold):
        mine = fold == one
        told = features(things[~mine], labels[~mine], things[mine])
        if found is None:
            found = np.zeros((len(labels), told.shape[1]))
        found[mine] = told
    return np.zeros((0, 0)) if found is None else found
