"""What a search fits: a pipeline that copes with targets as they come, keeps quiet, and remembers what was said."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.dummy import DummyClassifier


class Quiet(BaseEstimator):
    """Base of all learners: columns checked, warnings kept in `notes_`."""

    notes_: list[str]

    @contextmanager
    def _quiet(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        said = dict.fromkeys(str(w.message).strip().split("\n")[0] for w in caught)
        self.notes_ = list(dict.fromkeys([*getattr(self, "notes_", []), *said]))

    def _start(self, X: pd.DataFrame) -> None:
        self.notes_ = []
        self.columns_ = [str(c) for c in X.columns]
        if not len(X):
            raise ValueError("no rows to learn from")

    def _checked(self, X: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.columns_ if name not in X.columns]
        if missing:
            raise ValueError(f"column {missing[0]!r} is missing; the model was trained on {', '.join(self.columns_)}")
        return X[self.columns_]


class LabelLearner(ClassifierMixin, Quiet):
    """Predicts labels, kept as they are: text, numbers or truth.

    Parameters
    ----------
    body : Pipeline
        Takes a DataFrame and classes as 0, 1, ...; its last step is called "model".

    Attributes
    ----------
    classes_ : ndarray
    notes_ : list of str
        Warnings of libraries, and what was done about odd targets.
    """

    def __init__(self, body):
        self.body = body

    def fit(self, X, y):
        self._start(X)
        known = pd.notna(pd.Series(y)).to_numpy()
        y = np.asarray(y, dtype=object)
        self.classes_, codes = coded(y[known])
        if not len(self.classes_):
            raise ValueError("the target has no known value in the rows to learn from")
        self.body_ = clone(self.body)
        with self._quiet():
            if len(self.classes_) == 1:
                self.notes_.append(f"only one class, {self.classes_[0]!r}, in the rows to learn from")
                self.body_ = DummyClassifier().fit(X[known], codes)
            else:
                self._fit(X, known, codes)
        return self

    def _fit(self, X, known, codes):
        self.body_.fit(X[known], codes)

    def predict(self, X):
        return self.said(self.predict_proba(X))

    def said(self, chances: np.ndarray) -> np.ndarray:
        """The likeliest class of each row of chances (rows, classes)."""
        return self.classes_[chances.argmax(axis=1)]

    def predict_proba(self, X):
        with self._quiet():
            return probabilities(self.body_, self._checked(X), len(self.classes_))


def coded(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values in order (by type and text, where they cannot be compared), and each row's place among them."""
    distinct = list(dict.fromkeys(y))
    try:
        distinct = sorted(distinct)
    except TypeError:
        distinct = sorted(distinct, key=lambda value: (str(type(value)), str(value)))
    place = {value: i for i, value in enumerate(distinct)}
    kinds = {type(value) for value in distinct}
    classes = np.array(distinct) if len(kinds) == 1 and kinds != {str} else np.array(distinct, dtype=object)
    return classes, np.array([place[value] for value in y], dtype=np.int64)


def probabilities(body, X, classes: int) -> np.ndarray:
    """(rows, classes), rows sum to 1; from a decision function where a model gives no probabilities."""
    if hasattr(body, "predict_proba"):
        found = np.asarray(body.predict_proba(X), dtype=float)
    else:
        margins = np.asarray(body.decision_function(X), dtype=float)
        found = margins if margins.ndim == 2 else np.column_stack([-margins / 2, margins / 2])
        found = np.exp(found - found.max(axis=1, keepdims=True))
    found = np.where(np.isfinite(found), found, 0.0)
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1), 1 / classes)


class ValueLearner(RegressorMixin, Quiet):
    """Predicts numbers, one or several per row.

    Parameters
    ----------
    body : Pipeline
        Takes a DataFrame and floats.
    """

    def __init__(self, body):
        self.body = body

    def fit(self, X, y):
        from .cleaning import numbers

        self._start(X)
        table = y if isinstance(y, pd.DataFrame) else pd.Series(y).to_frame()
        values = np.column_stack([numbers(table.iloc[:, i]) for i in range(table.shape[1])])  # (rows, targets)
        self.targets_ = [str(c) for c in table.columns] if isinstance(y, pd.DataFrame) else None
        known = ~np.isnan(values).any(axis=1)
        if not known.any():
            raise ValueError("the target has no known value in the rows to learn from")
        values = values[known]
        self.mean_, low, high = values.mean(axis=0), values.min(axis=0), values.max(axis=0)
        self.low_, self.high_ = low - (high - low), high + (high - low)
        with self._quiet():
            self.body_ = clone(self.body).fit(X[known], values if self.targets_ else values[:, 0])
        return self

    def predict(self, X):
        with self._quiet():
            found = np.asarray(self.body_.predict(self._checked(X)), dtype=float).reshape(len(X), -1)
        found = np.where(np.isfinite(found), found, self.mean_)
        found = np.clip(found, self.low_, self.high_)  # a power transform's inverse can run away
        return pd.DataFrame(found, index=X.index, columns=self.targets_) if self.targets_ else found[:, 0]


class SemiLearner(LabelLearner):
    """Predicts labels, and learns from rows without one too.

    Parameters
    ----------
    body : Pipeline
        Its model takes -1 for "not known".
    """

    def _fit(self, X, known, codes):
        steps = self.body_[:-1]
        labelled = steps.fit_transform(X[known], codes)
        if known.all():
            prepared, all_codes = labelled, codes
        else:
            unlabelled = steps.transform(X[~known])
            prepared = _stacked(labelled, unlabelled)
            all_codes = np.concatenate([codes, np.full(int((~known).sum()), -1)])
        self.body_.steps[-1][1].fit(prepared, all_codes)


def _stacked(first, second):
    from scipy import sparse

    return sparse.vstack([first, second]).tocsr() if sparse.issparse(first) else np.vstack([first, second])
