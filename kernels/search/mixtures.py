"""How the predictions of several models are averaged: numbers, chances of classes, chances of the labels of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import measures
from .answers import SEPARATOR, indicators, is_true
from .tasks import REGRESSION

if TYPE_CHECKING:
    import pandas as pd

    from .problem import Problem

Costs = Callable[[np.ndarray], float]
"""Costs of averaged predictions that order them as the metric does, without a prediction frame for each."""

_SQUARED = ("rootMeanSquaredError", "rootMeanSquaredErrorAvg", "rSquared")  # of one target: as squared errors order


def mixture(problem: Problem, frames: Sequence[pd.DataFrame]) -> Any:
    """How prediction frames of this problem are averaged; None where they cannot be.

    The answer has `numbers(frame)`, the array that is averaged; `frame(like, table)`, the prediction frame of an
    average; `quick(problem, rows)`, `Costs` of the rows' averages or None.
    """
    first = frames[0]
    if any(not frame.index.equals(first.index) or list(frame["split"]) != list(first["split"]) for frame in frames):
        return None
    names = [name for name in first.columns if str(name).startswith("prediction")]
    if problem.task in (*REGRESSION, "timeSeriesForecasting"):
        return Values(names) if all(_finite(frame[names]) for frame in frames) else None
    if problem.subtask == "multiLabel":
        return LabelSets.of(frames) if names == ["prediction"] else LabelColumns(list(problem.targets), frames)
    return Classes.of(frames) if names == ["prediction"] else None


def _finite(table: pd.DataFrame) -> bool:
    return bool(np.isfinite(table.to_numpy(dtype=float)).all())


class Values:
    """Numbers, of one target or several."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def quick(self, problem: Problem, rows: pd.DataFrame) -> Costs | None:
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


class Classes:
    """One class per row: the likeliest by the averaged chances."""

    def __init__(self, labels: dict[str, Any]) -> None:
        self._names, self._labels = list(labels), np.array([*labels.values(), None], dtype=object)[:-1]

    @classmethod
    def of(cls, frames: Sequence[pd.DataFrame]) -> Classes | None:
        first = frames[0]
        chances = [name for name in first.columns if str(name).startswith("p_")]
        labels = {label for frame in frames for label in frame["prediction"].dropna().unique()}
        labels |= set(first["truth"].dropna().unique())
        named = {f"p_{label}": label for label in labels}
        if chances and not set(chances) >= set(named):
            return None
        return cls({name: named.get(name, name[2:]) for name in chances or sorted(named)})

    def quick(self, problem: Problem, rows: pd.DataFrame) -> Costs | None:
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


class LabelSets:
    """Several labels per row, as text ("a;b"): those that are likelier than not by the averaged chances."""

    _all_count = False  # labels that neither truth nor prediction names are none

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = list(labels)
        self.columns = [f"p_{label}" for label in self.labels]

    @classmethod
    def of(cls, frames: Sequence[pd.DataFrame]) -> LabelSets | None:
        found = {str(name)[2:] for frame in frames for name in frame.columns if str(name).startswith("p_")}
        found |= {label for frame in frames for label in indicators(frame["prediction"])[1]}
        return cls(sorted(found)) if found else None

    def quick(self, problem: Problem, rows: pd.DataFrame) -> Costs | None:
        truth, names = self._truth(rows)
        if np.isnan(truth).any():
            return None
        union = sorted({*names, *self.labels})
        true, place = np.zeros((len(rows), len(union)), dtype=bool), [union.index(label) for label in self.labels]
        true[:, [union.index(name) for name in names]] = truth > 0
        return _label_costs(problem, true, place, self._all_count)

    def _truth(self, rows: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        return indicators(rows["truth"])

    def numbers(self, frame: pd.DataFrame) -> np.ndarray:
        """Chances; a label that a fold never saw has none there. Certainty for a model that names labels only."""
        if set(self.columns) & set(frame.columns):
            return np.nan_to_num(frame.reindex(columns=self.columns).to_numpy(dtype=float))
        table, names = indicators(frame["prediction"])
        place = {name: at for at, name in enumerate(names)}
        none = np.zeros(len(frame))
        return np.stack([table[:, place[n]] if n in place else none for n in self.labels], axis=1)

    def frame(self, like: pd.DataFrame, table: np.ndarray) -> pd.DataFrame:
        import pandas as pd

        names = np.array(self.labels, dtype=object)
        said = pd.Series([SEPARATOR.join(names[row > 0.5]) for row in table], index=like.index, dtype=object)
        parts = pd.DataFrame(table, index=like.index, columns=self.columns)
        return pd.concat([like[["truth"]], said.rename("prediction"), parts, like[["split"]]], axis=1)


class LabelColumns(LabelSets):
    """Several labels per row, each a target column of truth values of its own."""

    _all_count = True

    def __init__(self, targets: Sequence[str], frames: Sequence[pd.DataFrame]) -> None:
        super().__init__(targets)
        self._words = {target: _words_for(target, frames) for target in targets}

    def _truth(self, rows: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        return self._cells(rows, "truth"), self.labels

    def _cells(self, rows: pd.DataFrame, side: str) -> np.ndarray:
        table, names = indicators(rows[[f"{side}_{t}" for t in self.labels]].set_axis(self.labels, axis=1))
        return table[:, [names.index(target) for target in self.labels]]

    def numbers(self, frame: pd.DataFrame) -> np.ndarray:
        if set(self.columns) <= set(frame.columns):
            return np.nan_to_num(frame[self.columns].to_numpy(dtype=float))
        return self._cells(frame, "prediction")

    def frame(self, like: pd.DataFrame, table: np.ndarray) -> pd.DataFrame:
        found = {}
        for at, target in enumerate(self.labels):
            found[f"truth_{target}"] = like[f"truth_{target}"]
            false, true = self._words[target]
            found[f"prediction_{target}"] = [true if one > 0.5 else false for one in table[:, at]]
        chances = {name: table[:, at] for at, name in enumerate(self.columns)}
        return like[[]].assign(**found, **chances, split=like["split"])


def _words_for(target: str, frames: Sequence[pd.DataFrame]) -> tuple[Any, Any]:
    """What a column says for "no" and for "yes"."""
    sides = [frame[f"{side}_{target}"].dropna().unique() for frame in frames for side in ("truth", "prediction")]
    said = {is_true(value): value for values in sides for value in values}
    return said.get(False, False), said.get(True, True)


def _label_costs(problem: Problem, true: np.ndarray, place: list[int], all_count: bool) -> Costs | None:
    """Costs of tables of chances whose columns are at `place` among those of `true` (rows, labels)."""
    whole = np.zeros(true.shape)
    if problem.metric in ("rocAucMacro", "rocAucMicro"):
        average = "macro" if problem.metric == "rocAucMacro" else "micro"

        def area(table: np.ndarray) -> float:
            whole[:, place] = table
            return -float(np.nan_to_num(measures.area(true, whole, average)))

        return area
    if problem.metric not in _COUNTED:
        return None
    sign, counted = _COUNTED[problem.metric]

    def count(table: np.ndarray) -> float:
        whole[:, place] = table
        return sign * float(counted(measures.count_cells(true, whole > 0.5, all_count)))

    return count


_COUNTED: dict[str, tuple[int, Callable[..., float]]] = {
    "accuracy": (-1, measures.accuracy),
    "f1Micro": (-1, measures.f1_micro),
    "f1Macro": (-1, measures.f1_macro),
    "jaccardSimilarityScore": (-1, measures.jaccard),
    "hammingLoss": (1, measures.hamming),
}
