"""Collaborative filtering: models of who rates what how, and what they know of both as columns for other models."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin

from . import ratings as kernels
from .cleaning import MISSING, label

FOLDS = 5


class Keys:
    """Labels of users and of items as codes: those of the training; others are unknown, -1."""

    def __init__(self, X: pd.DataFrame) -> None:
        self.names_ = [sorted(set(_labels(X.iloc[:, at])[1]) - {MISSING}) for at in (0, 1)]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.names_[0]), len(self.names_[1])

    def codes(self, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) codes of both sides; a missing label is unknown."""
        return self._codes(X.iloc[:, 0], 0), self._codes(X.iloc[:, 1], 1)

    def _codes(self, cells: pd.Series, side: int) -> np.ndarray:
        places, names = _labels(cells)
        known = pd.Index(self.names_[side], dtype=object).get_indexer(pd.Index(names, dtype=object))
        return known[places].astype(np.int64)


def _labels(cells: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Where each cell stands among the distinct ones, and these as labels: millions of rows have few of them."""
    places, values = pd.factorize(cells, use_na_sentinel=False)
    return places, [label(value) for value in values]


class Rater(RegressorMixin, BaseEstimator):
    """Predicts ratings from who (first column) rates what (second column); other columns are not looked at.

    A user that is not known is taken for an average one, an item likewise. Several ratings of a pair all count.

    Parameters
    ----------
    kind : {"biases", "factors", "users", "items"}
        Mean and biases of both; besides these a matrix factorization; what similar users say; how similar items were
        rated.
    strength : float
        Ridge of the biases, in ratings.
    count : int
        Factors, or neighbours.
    ridge : float
        Of the factors, or what similarities of little in common are shrunk by.
    sweeps : int
        Of the factorization.
    """

    def __init__(self, kind="biases", strength=5.0, count=8, ridge=5.0, sweeps=15, seed=0):
        self.kind, self.strength, self.count, self.ridge = kind, strength, count, ridge
        self.sweeps, self.seed = sweeps, seed

    def fit(self, X, y):
        self.keys_ = Keys(X)
        users, items = self.keys_.codes(X)
        y = np.asarray(y, dtype=float)
        self.biases_ = kernels.biases(users, items, y, self.keys_.shape, self.strength)
        left = y - self.biases_.of(users, items)
        if self.kind == "factors":
            rng = np.random.default_rng(self.seed)
            arguments = (self.keys_.shape, self.count, self.ridge, self.sweeps, rng)
            self.factors_ = kernels.factorize(users, items, left, *arguments)
        elif self.kind != "biases":
            rows, columns = self._turned(users, items)
            table = _table(rows, columns, left, self._turned(*self.keys_.shape))
            self.alike_ = kernels.similarities(table, self.ridge)
            by_column = sparse.csc_array(table)
            self.left_ = by_column.data, by_column.indices, by_column.indptr  # as skops files hold it
        return self

    def _turned(self, users, items):
        """The side whose likes are looked for comes first."""
        return (users, items) if self.kind == "users" else (items, users)

    def predict(self, X):
        users, items = self.keys_.codes(X)
        found = self.biases_.of(users, items)
        if self.kind == "factors":
            P, Q = self.factors_
            return found + (kernels.known(P, users) * kernels.known(Q, items)).sum(axis=1)
        if self.kind == "biases":
            return found
        columns = sparse.csc_array(self.left_, shape=self._turned(*self.keys_.shape))
        rows, of = self._turned(users, items)
        return found + kernels.near(self.alike_, columns, rows, of, self.count)


def _table(rows: np.ndarray, columns: np.ndarray, left: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Values of known pairs as a sparse table, the mean where there are several."""
    there = (rows >= 0) & (columns >= 0)
    at = rows[there], columns[there]
    sums = sparse.coo_array((left[there], at), shape=shape).tocsr()
    counts = sparse.coo_array((np.ones(int(there.sum())), at), shape=shape).tocsr()
    sums.data = sums.data / counts.data
    return sums


class Factors(TransformerMixin, BaseEstimator):
    """Both keys as numbers: biases, factors and their product, and how many ratings each side has.

    Rows that it is fitted to get the numbers of a factorization that did not see any rating of their pair, in the axes
    of the whole one: else a model behind it would trust what was made of its own answers.

    Parameters
    ----------
    strength : float
        Ridge of the biases, in ratings.
    count : int
        Factors; 0 for none.
    ridge : float
        Of the factors.
    sweeps : int
    """

    def __init__(self, strength=5.0, count=4, ridge=5.0, sweeps=15, seed=0):
        self.strength, self.count, self.ridge, self.sweeps, self.seed = strength, count, ridge, sweeps, seed

    def fit(self, X, y):
        self.rater_ = self._rater().fit(X, y)
        counts = [np.bincount(codes[codes >= 0], minlength=size) for codes, size in self._sides(X)]
        self.counts_ = [np.log1p(count) for count in counts]
        return self

    def fit_transform(self, X, y, **params):
        self.fit(X, y)
        y = np.asarray(y, dtype=float)
        fold = self._folds(X)
        found = np.empty((len(X), 5 + 2 * self.count))
        for one in np.unique(fold):
            mine = fold == one
            other = self._rater().fit(X[~mine], y[~mine]) if not mine.all() else self.rater_
            found[mine] = self._numbers(X[mine], other)
        return found

    def transform(self, X):
        return self._numbers(X, self.rater_)

    def _rater(self) -> Rater:
        kind = "factors" if self.count else "biases"
        return Rater(kind, self.strength, self.count, self.ridge, self.sweeps, self.seed)

    def _sides(self, X) -> list[tuple[np.ndarray, int]]:
        return list(zip(self.rater_.keys_.codes(X), self.rater_.keys_.shape, strict=True))

    def _folds(self, X) -> np.ndarray:
        """Fold of each row, ratings of one pair together."""
        (users, _), (items, size) = self._sides(X)
        pair = pd.factorize(users * (size + 1) + items)[0]
        return np.random.default_rng(self.seed).integers(FOLDS, size=pair.max() + 1)[pair]

    def _numbers(self, X, rater: Rater) -> np.ndarray:
        """(rows, 5 + 2 count) by `rater`, in the axes of the whole factorization."""
        users, items = rater.keys_.codes(X)
        _, of_users, of_items = rater.biases_
        parts = [kernels.known(of_users, users), kernels.known(of_items, items)]
        counts = [kernels.known(count, codes) for count, (codes, _) in zip(self.counts_, self._sides(X), strict=True)]
        if not self.count:
            return np.column_stack([*parts, np.zeros(len(X)), *counts])
        P, Q = rater.factors_ if rater is self.rater_ else self._aligned(rater)
        p, q = kernels.known(P, users), kernels.known(Q, items)
        return np.column_stack([*parts, (p * q).sum(axis=1), *counts, p, q])

    def _aligned(self, rater: Rater) -> tuple[np.ndarray, np.ndarray]:
        """Factors of another fit in the axes of the whole one."""
        like = []
        for names, whole, factors in zip(
            rater.keys_.names_, self.rater_.keys_.names_, self.rater_.factors_, strict=True
        ):
            like.append(factors[pd.Index(whole, dtype=object).get_indexer(pd.Index(names, dtype=object))])
        return kernels.turned(*rater.factors_, *like)

    def get_feature_names_out(self, input_features=None):
        first, second = ("user", "item") if input_features is None else input_features
        names = [
            f"bias of {first}",
            f"bias of {second}",
            "product of factors",
            f"ratings of {first}",
            f"ratings of {second}",
        ]
        names += [f"{side} factor {at + 1}" for side in (first, second) for at in range(self.count)]
        return np.asarray(names, dtype=object)
