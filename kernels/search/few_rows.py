"""Estimators that ask for a number of rows, and make do with fewer when there are not so many."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.kernel_approximation import Nystroem
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.semi_supervised import LabelSpreading


@contextmanager
def _at_most(estimator, name: str, rows: int):
    """The setting `name` cut to `rows` for the time of a call: afterwards the parameter is as it was set."""
    wanted = getattr(estimator, name)
    setattr(estimator, name, min(wanted, rows))
    try:
        yield
    finally:
        setattr(estimator, name, wanted)


class FewNeighboursClassifier(KNeighborsClassifier):
    """`KNeighborsClassifier` that never asks for more neighbours than there are rows."""

    def predict(self, X):
        with _at_most(self, "n_neighbors", self.n_samples_fit_):
            return super().predict(X)

    def predict_proba(self, X):
        with _at_most(self, "n_neighbors", self.n_samples_fit_):
            return super().predict_proba(X)


class FewNeighboursRegressor(KNeighborsRegressor):
    """`KNeighborsRegressor` that never asks for more neighbours than there are rows."""

    def predict(self, X):
        with _at_most(self, "n_neighbors", self.n_samples_fit_):
            return super().predict(X)


class FewNystroem(Nystroem):
    """`Nystroem` that never asks for more components than there are rows."""

    def fit(self, X, y=None):
        with _at_most(self, "n_components", X.shape[0]):
            return super().fit(X, y)


class FewSpreading(LabelSpreading):
    """`LabelSpreading` that never asks for more neighbours than there are rows."""

    def fit(self, X, y):
        with _at_most(self, "n_neighbors", X.shape[0]):
            return super().fit(X, y)


class FewLinearDiscriminant(LinearDiscriminantAnalysis):
    """`LinearDiscriminantAnalysis` that also takes classes of a single row: all rows then count twice."""

    def fit(self, X, y):
        return super().fit(*_twice(X, y))


class FewQuadraticDiscriminant(QuadraticDiscriminantAnalysis):
    """`QuadraticDiscriminantAnalysis` that also takes classes of a single row: all rows then count twice."""

    def fit(self, X, y):
        return super().fit(*_twice(X, y))


def _twice(X, y):
    if np.unique(y, return_counts=True)[1].min() > 1:
        return X, y
    return np.vstack([X, X]), np.concatenate([y, y])
