"""Rows with several labels: a classifier per label, alone or in a chain, each with its own preparation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import clone

from .learner import LabelLearner, Quiet

SEPARATOR = ";"


def sets(y: pd.Series) -> list[list[str]]:
    """The labels of each row, from text like "red;round"; none for a missing one."""
    return [[] if pd.isna(cell) else [p.strip() for p in str(cell).split(SEPARATOR) if p.strip()] for cell in y]


class SeveralLabels(Quiet):
    """Predicts several labels per row.

    The target is a DataFrame (a column per label, with truth values or classes of its own) or a Series of label sets
    ("red;round"); predictions come in the same form.

    Parameters
    ----------
    body : Pipeline
        Of one label.
    chain : bool
        Give each label's classifier the earlier labels as features.

    Attributes
    ----------
    classes_ : ndarray
        Names of labels where all are true or false: the columns of `predict_proba`, which then says how likely each is.
    """

    def __init__(self, body, chain: bool = False):
        self.body, self.chain = body, chain

    def fit(self, X, y):
        self._start(X)
        self.table_ = isinstance(y, pd.DataFrame)
        labels = y if self.table_ else _spread(y)
        if not labels.shape[1]:
            raise ValueError("the target has no label in the rows to learn from")
        self.labels_ = [str(c) for c in labels.columns]
        self.learners_ = []
        for name in labels.columns:
            learner = LabelLearner(clone(self.body)).fit(X, labels[name])
            self.learners_.append(learner)
            self.notes_ += [f"{name}: {note}" for note in learner.notes_]
            X = self._with(X, name, pd.Series(labels[name].to_numpy(), X.index))
        self.binary_ = all(set(map(_truth, learner.classes_)) <= {True, False} for learner in self.learners_)
        if self.binary_:
            self.classes_ = np.array(self.labels_, dtype=object)
        return self

    def _with(self, X, name: str, values: pd.Series) -> pd.DataFrame:
        if not self.chain:
            return X
        codes = pd.Series(pd.factorize(values, sort=True)[0].astype(float), X.index)
        return X.assign(**{_link(name): codes})

    def _each(self, X) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per label, probabilities and the most likely class."""
        X, found = self._checked(X), []
        for name, learner in zip(self.labels_, self.learners_, strict=True):
            p = learner.predict_proba(X)
            found.append((p, learner.classes_[p.argmax(axis=1)]))
            if self.chain:
                X = X.assign(**{_link(name): p.argmax(axis=1).astype(float)})
        return found

    def predict(self, X):
        said = pd.DataFrame({n: c for n, (_, c) in zip(self.labels_, self._each(X), strict=True)}, index=X.index)
        return said if self.table_ else _joined(said)

    def predict_proba(self, X):
        if not self.binary_:
            raise AttributeError("labels with more than two classes have no one table of probabilities")
        columns = []
        for learner, (p, _) in zip(self.learners_, self._each(X), strict=True):
            true = [i for i, value in enumerate(learner.classes_) if _truth(value) is True]
            columns.append(p[:, true].sum(axis=1))
        return np.column_stack(columns)  # (rows, labels)


def _link(name: str) -> str:
    return f"label {name}"


def _truth(value):
    """True or False where a value means that; itself otherwise."""
    return {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}.get(
        str(value).lower(), value
    )


def _spread(y: pd.Series) -> pd.DataFrame:
    """A column of truth per label that occurs."""
    rows = sets(y)
    names = sorted({name for row in rows for name in row})
    return pd.DataFrame({name: [name in row for row in rows] for name in names}, index=y.index)


def _joined(said: pd.DataFrame) -> np.ndarray:
    truth = said.to_numpy(dtype=bool)
    names = said.columns.to_numpy(dtype=object)
    return np.array([SEPARATOR.join(names[row]) for row in truth], dtype=object)
