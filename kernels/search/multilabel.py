"""Rows with several labels: a classifier per label, alone or in a chain, each with its own preparation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import clone

from .answers import SEPARATOR, indicators
from .learner import LabelLearner, Quiet


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

    def said(self, chances: np.ndarray):
        """Predictions as of `predict`, from chances (rows, labels): every label that is likelier than not."""
        truth = chances > 0.5
        if not self.table_:
            return _joined(pd.DataFrame(truth, columns=self.labels_))
        words = [_words(learner.classes_) for learner in self.learners_]
        found = [np.array([no, yes, None], dtype=object)[truth[:, at] * 1] for at, (no, yes) in enumerate(words)]
        return pd.DataFrame(dict(zip(self.labels_, found, strict=True)))

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


def _words(classes) -> tuple:
    """What stands for "no" and for "yes" among a label's classes."""
    words = {_truth(value): value for value in classes}
    return words.get(False, False), words.get(True, True)


def _truth(value):
    """True or False where a value means that; itself otherwise."""
    return {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}.get(
        str(value).lower(), value
    )


def _spread(y: pd.Series) -> pd.DataFrame:
    """A column of truth per label that occurs; rows without a target have no label."""
    cells, names = indicators(y)
    return pd.DataFrame(cells == 1, columns=names, index=y.index)


def _joined(said: pd.DataFrame) -> np.ndarray:
    truth = said.to_numpy(dtype=bool)
    names = said.columns.to_numpy(dtype=object)
    return np.array([SEPARATOR.join(names[row]) for row in truth], dtype=object)
