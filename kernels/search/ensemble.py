"""Ensembles: the models that together predict best (Caruana et al., ICML 2004), as one more model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .combination import steady
from .mixtures import mixture
from .tasks import CLUSTERING, DETECTION

if TYPE_CHECKING:
    import pandas as pd

    from .problem import Problem

MOST = 15  # best models that are considered, and the best one of every other kind
ROUNDS = 25  # members that are picked, with repetition
NAME = "ensemble"


def greedy(costs: Callable[[np.ndarray], float], members: Sequence[np.ndarray], rounds: int = ROUNDS) -> np.ndarray:
    """Weights (members,) that sum to 1, picked one member at a time, with repetition, always the one that helps most.

    Parameters
    ----------
    costs : callable
        Cost of averaged predictions; lower is better.
    members : sequence of arrays of one shape
        Predictions to average, nan-free.
    rounds : int

    Notes
    -----
    Of all prefixes of the picks the best is taken, so that it is never worse than the best single member.
    """
    counts, whole = np.zeros(len(members)), np.zeros_like(members[0], dtype=float)
    best_counts, best = counts, np.inf
    for size in range(1, rounds + 1):
        tried = [costs((whole + member) / size) for member in members]
        pick = int(np.argmin(tried))
        whole, counts = whole + members[pick], counts + (np.arange(len(members)) == pick)
        if tried[pick] < best - 1e-12:
            best, best_counts = tried[pick], counts
    return best_counts / max(best_counts.sum(), 1)


def candidates(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of models' rows, best first, those that may become members: models of many kinds err differently."""
    found = list(rows[:MOST])
    kinds = {row["config"].get("model") for row in found}
    for row in rows[MOST:]:
        if row["config"].get("model") not in kinds:
            kinds.add(row["config"].get("model"))
            found.append(row)
    return found


def combine(problem: Problem, frames: Sequence[pd.DataFrame], cost: Callable[[pd.DataFrame], float]) -> Any:
    """Weights and prediction frame of the best ensemble of models' prediction frames; None where there is none.

    Parameters
    ----------
    problem : Problem
    frames : sequence of DataFrame
        Prediction frames of complete models, best first.
    cost : callable
        Of the "train" rows of a prediction frame.
    """
    if len(frames) < 2 or problem.task in CLUSTERING:
        return None
    mix = None if problem.task == DETECTION else mixture(problem, frames)
    if mix is None:
        return None
    tables = [mix.numbers(frame) for frame in frames]
    train = (frames[0]["split"] == "train").to_numpy()
    if not train.any():
        return None
    rows = frames[0][train]

    def costs_of(part: np.ndarray) -> Callable[[np.ndarray], float]:
        return mix.quick(problem, rows[part]) or (lambda table: cost(mix.frame(rows[part], table)))

    members = [table[train] for table in tables]
    if problem.task == "timeSeriesForecasting":
        weights = steady(costs_of, members, greedy)
    else:
        weights = greedy(costs_of(np.ones(len(rows), dtype=bool)), members)
    if (weights > 0).sum() < 2:
        return None
    whole = sum(weight * table for weight, table in zip(weights, tables, strict=True) if weight > 0)
    return weights, mix.frame(frames[0], whole)


class Ensemble:
    """Fitted pipelines that predict together; a pipeline itself.

    Parameters
    ----------
    members : list of fitted pipelines
    weights : list of float
    """

    def __init__(self, members: Sequence[Any], weights: Sequence[float]) -> None:
        self.members, self.weights = list(members), [float(weight) for weight in weights]

    @property
    def classes_(self) -> Any:
        """Labels, in the order of `predict_proba`; AttributeError where values are predicted."""
        return self.members[0].classes_

    def fit(self, X: pd.DataFrame, y: Any = None) -> Ensemble:
        """Fit every member anew."""
        for member in self.members:
            member.fit(X, y)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        first = self.members[0]
        if getattr(first, "classes_", None) is not None:
            chances = self.predict_proba(X)
            if hasattr(first, "said"):  # it knows how chances become answers: one class per row, or several labels
                return first.said(chances)
            return np.asarray(self.classes_)[np.argmax(chances, axis=1)]
        return sum(w * np.asarray(m.predict(X), float) for m, w in zip(self.members, self.weights, strict=True))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """(rows, classes)"""
        return np.sum([w * self._chances(m, X) for m, w in zip(self.members, self.weights, strict=True)], axis=0)

    def _chances(self, member: Any, X: pd.DataFrame) -> np.ndarray:
        names = np.asarray(self.classes_)
        if hasattr(member, "predict_proba"):
            place = {label: at for at, label in enumerate(np.asarray(member.classes_).tolist())}
            return np.asarray(member.predict_proba(X))[:, [place[label] for label in names.tolist()]]
        return (np.asarray(member.predict(X))[:, None] == names[None, :]).astype(float)
