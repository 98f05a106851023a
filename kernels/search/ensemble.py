"""Ensembles: the models that together predict best (Caruana et al., ICML 2004), as one more model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from .problem import Problem

MOST = 15  # best models that are considered
ROUNDS = 25  # members that are picked, with repetition
NAME = "ensemble"
_SQUARED = (
    "rootMeanSquaredError",
    "rootMeanSquaredErrorAvg",
    "rSquared",
)  # of one target: ordered as squared errors are


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
    frames = frames[:MOST]
    if len(frames) < 2 or problem.task == "clustering":
        return None
    mix = _mixer(problem, frames)
    if mix is None:
        return None
    tables = [mix.numbers(frame) for frame in frames]
    train = (frames[0]["split"] == "train").to_numpy()
    if not train.any():
        return None
    rows = frames[0][train]
    costs = mix.quick(problem, rows) or (lambda table: cost(mix.frame(rows, table)))
    weights = greedy(costs, [table[train] for table in tables])
    if (weights > 0).sum() < 2:
        return None
    whole = sum(weight * table for weight, table in zip(weights, tables, strict=True) if weight > 0)
    return weights, mix.frame(frames[0], whole)


def _mixer(problem: Problem, frames: Sequence[pd.DataFrame]) -> Any:
    """How predictions of this kind are averaged; None where they cannot be."""
    first = frames[0]
    if any(not frame.index.equals(first.index) or list(frame["split"]) != list(first["split"]) for frame in frames):
        return None
    names = [name for name in first.columns if str(name).startswith("prediction")]
    if problem.task in ("regression", "timeSeriesForecasting"):
        return _Values(names) if all(_finite(frame[names]) for frame in frames) else None
    if problem.subtask == "multiLabel" or names != ["prediction"]:
        return None
    chances = [name for name in first.columns if str(name).startswith("p_")]
    labels = {label for frame in frames for label in frame["prediction"].dropna().unique()}
    labels |= set(first["truth"].dropna().unique())
    named = {f"p_{label}": label for label in labels}
    if not set(named) <= {*chances, *named} or (chances and not set(chances) >= set(named)):
        return None
    return _Labels({name: named.get(name, name[2:]) for name in chances or sorted(named)})


def _finite(table: pd.DataFrame) -> bool:
    return bool(np.isfinite(table.to_numpy(dtype=float)).all())


Costs = Callable[[np.ndarray], float]


class _Values:
    def __init__(self, names: list[str]) -> None:
        self._names = names

    def quick(self, problem: Problem, rows: pd.DataFrame) -> Costs | None:
        """Costs that order predictions as the metric does, without a frame for each; None for other metrics."""
        truth = rows[[name.replace("prediction", "truth", 1) for name in self._names]].to_numpy(dtype=float)
        if not np.isfinite(truth).all():
            return None
        if problem.metric == "meanAbsoluteError":
            return lambda table: float(np.abs(table - truth).mean())
        if problem.metric == "meanSquaredError" or (problem.metric in _SQUARED and truth.shape[1] == 1):
            return lambda table: float(((table - truth) ** 2).mean())
        if problem.metric in ("rootMeanSquaredError", "rootMeanSquaredErrorAvg"):
            return lambda table: float(np.sqrt(((table - truth) ** 2).mean(axis=0)).mean())
        return None

    def numbers(self, frame: pd.DataFrame) -> np.ndarray:
        return frame[self._names].to_numpy(dtype=float)

    def frame(self, like: pd.DataFrame, table: np.ndarray) -> pd.DataFrame:
        kept = [name for name in like.columns if name not in self._names and name != "split"]
        said = {name: table[:, at] for at, name in enumerate(self._names)}
        return like[kept].assign(**said, split=like["split"])


class _Labels:
    def __init__(self, labels: dict[str, Any]) -> None:
        self._names, self._labels = list(labels), np.array([*labels.values(), None], dtype=object)[:-1]

    def quick(self, problem: Problem, rows: pd.DataFrame) -> Costs | None:
        """As for values."""
        if problem.metric not in ("accuracy", "f1Micro", "f1Macro"):
            return None
        truth = (rows["truth"].to_numpy(dtype=object)[:, None] == self._labels[None, :]).astype(float)
        if not truth.any(axis=1).all():
            return None
        return partial(_missed_f1 if problem.metric == "f1Macro" else _missed, truth)

    def numbers(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities; certainty for a model that names labels only."""
        if set(self._names) <= set(frame.columns):
            table = frame[self._names].to_numpy(dtype=float)
            if np.isfinite(table).all():
                return table
        said = frame["prediction"].to_numpy(dtype=object)
        return (said[:, None] == self._labels[None, :]).astype(float)

    def frame(self, like: pd.DataFrame, table: np.ndarray) -> pd.DataFrame:
        import pandas as pd

        said = self._labels[np.argmax(table, axis=1)]
        parts = pd.DataFrame(table, index=like.index, columns=self._names)
        labels = pd.Series(said, index=like.index, dtype=like["prediction"].dtype)
        return pd.concat([like[["truth"]], labels.rename("prediction"), parts, like[["split"]]], axis=1)


def _missed(truth: np.ndarray, table: np.ndarray) -> float:
    """Share of rows whose likeliest label is not the true one; truth: (rows, labels) 0 / 1."""
    return 1 - float(truth[np.arange(len(truth)), table.argmax(axis=1)].mean())


def _missed_f1(truth: np.ndarray, table: np.ndarray) -> float:
    """1 - the mean over labels, of the truth or the prediction, of 2 hits / (true + said)."""
    said = np.zeros_like(truth)
    said[np.arange(len(said)), table.argmax(axis=1)] = 1
    both, either = (truth * said).sum(axis=0), truth.sum(axis=0) + said.sum(axis=0)
    return 1 - float((2 * both[either > 0] / either[either > 0]).mean())


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
        if getattr(self.members[0], "classes_", None) is not None:
            return np.asarray(self.classes_)[np.argmax(self.predict_proba(X), axis=1)]
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
