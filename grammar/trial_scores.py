"""How good the trials of a study are, as one column of numbers with its name and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SCORES = ("score", "holdout", "cost")


@dataclass(frozen=True)
class TrialScores:
    """Values of trials, in the order of a table of trials: what they are called, which are better, the trivial one's.

    Attributes
    ----------
    values : (trials,) numbers, nan where there is none
    label : str
    larger : bool
        Whether larger values are better.
    baseline : float
        Of the trivial predictor; nan where it is not known.
    """

    values: np.ndarray
    label: str
    larger: bool = False
    baseline: float = float("nan")


def study_scores(study: Any, trials: pd.DataFrame, score: str = "score") -> TrialScores:
    """Of a `kernels.search.Study`.

    Parameters
    ----------
    trials : DataFrame
        Its `trials`.
    score : {"score", "holdout", "cost"}
        "score": the metric on rows that a trial's folds did not see; "holdout": on the holdout; "cost": what the study
        minimizes, which is "score" turned so that less is better.

    Raises
    ------
    ValueError
        If there is no such score.
    """
    if score not in SCORES:
        raise ValueError(f"no score {score!r}; expected one of {', '.join(SCORES)}")
    from ..kernels.search import metrics

    judge = metrics.bound(study.problem)
    trivial, title = study.baseline, judge.title or judge.name
    if score == "cost":
        return TrialScores(numbers(trials, "cost"), f"cost ({title})", False, float(trivial.cost))
    if score == "holdout":
        baseline = trivial.score if trivial.split == "holdout" else float("nan")
        return TrialScores(numbers(trials, "holdout"), f"{title}, holdout", judge.larger_is_better, baseline)
    baseline = judge.bounds[1] - trivial.cost if judge.larger_is_better else trivial.cost
    return TrialScores(numbers(trials, "train"), f"{title}, out of fold", judge.larger_is_better, baseline)


def frame_scores(trials: pd.DataFrame, score: str, larger: bool = False, label: str = "") -> TrialScores:
    """A column of any table of trials.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if score not in trials:
        raise ValueError(f"no column {score!r} in the trials; there are {', '.join(map(str, trials.columns))}")
    return TrialScores(numbers(trials, score), label or score, larger)


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as numbers, nan where it has none or is not there."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan).copy()
    found[~np.isfinite(found)] = np.nan
    return found


def texts(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as texts, "" where it has none or is not there."""
    if name not in frame:
        return np.full(len(frame), "", dtype=object)
    return frame[name].fillna("").astype(str).to_numpy(object)


def model_scores(models: Sequence[Any], score: str = "score") -> TrialScores:
    """Of `kernels.search.Model`s of one problem; see `study_scores`. The trivial predictor's value is not known.

    "holdout" reads the predictions of every model.
    """
    if score not in SCORES:
        raise ValueError(f"no score {score!r}; expected one of {', '.join(SCORES)}")
    if not models:
        return TrialScores(np.zeros(0), score)
    from ..kernels.search import metrics

    judge = metrics.bound(models[0].problem)
    title, larger = judge.title or judge.name, judge.larger_is_better
    if score == "holdout":
        return TrialScores(np.array([model.score for model in models], float), f"{title}, {models[0].split}", larger)
    costs = np.array([np.nan if model.cost is None else model.cost for model in models], float)
    if score == "cost":
        return TrialScores(costs, f"cost ({title})")
    return TrialScores(judge.bounds[1] - costs if larger else costs, f"{title}, out of fold", larger)
