"""One trial: a pipeline fitted and scored fold by fold, then fitted to all training rows for the holdout."""

from __future__ import annotations

import copy
import importlib
import math
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..worker_process import reason_of
from ..workers import Limits, Pool
from .tasks import CLUSTERING

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .problem import Problem
    from .splits import Plan

MAKER = "learnviews.kernels.search.pipelines"
RELEARN = 1.2  # a forecaster is fitted anew for an origin that knows so many times the rows
FEWEST = 250  # training rows that a cheap fidelity leaves


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Attributes
    ----------
    status : str
        "ok", "failed", "timeout", "memory" or "killed".
    reason : str
        Why it is not "ok".
    cost : float or None
        Of the problem's metric on the out-of-fold predictions; lower is better.
    fold_scores : tuple of float
        The metric of each fold.
    predictions : DataFrame or None
        The prediction frame: out-of-fold ("train") and "holdout".
    metrics : dict
        Split ("train", "holdout") to the metric's value.
    fit_seconds, score_seconds : float
        Spent in `fit`, and in predictions and metrics.
    pipeline : bytes or None
        The fitted pipeline, pickled.
    """

    status: str
    reason: str = ""
    cost: float | None = None
    fold_scores: tuple[float, ...] = ()
    predictions: pd.DataFrame | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    pipeline: bytes | None = None


@dataclass(frozen=True)
class Work:
    """What every trial of a study has in common; sent to the worker processes once.

    `maker` names the module with `build` (and `describe`, `cheaper`): the seam for other kinds of pipelines.
    """

    data: Dataset
    problem: Problem
    plan: Plan
    maker: str = MAKER


def run_trial(
    data: Dataset,
    problem: Problem,
    plan: Plan,
    config: Mapping[str, Any],
    seed: int,
    fidelity: float = 1.0,
    limits: Limits | None = None,
    *,
    maker: str = MAKER,
    final: bool = True,
    keep: float = math.inf,
) -> TrialResult:
    """Fit and score one configuration; never raises for what the pipeline does.

    Parameters
    ----------
    data, problem, plan
    config : mapping
        As `pipelines.build` takes it.
    seed : int
    fidelity : float
        Share of the effort: folds, rows, trees.
    limits : Limits, optional
        With limits the trial runs in a process of its own, which is stopped when it exceeds them.
    maker : str
        Module of `build`.
    final : bool
        Whether to fit to all training rows and predict the holdout.
    keep : float
        Return the fitted pipeline if the cost is at most this.
    """
    work = Work(data, problem, plan, maker)
    if limits is not None:
        return run_apart(work, (dict(config), seed, fidelity, final, keep), limits)
    try:
        return carry_out(work, dict(config), seed, fidelity, final, keep)
    except MemoryError:
        return TrialResult("memory", "ran out of the memory it may take")
    except Exception as error:
        return TrialResult("failed", reason_of(error))


def run_apart(work: Work, arguments: tuple[Any, ...], limits: Limits) -> TrialResult:
    """`carry_out` in a process of its own, within limits."""
    with Pool(1, work, preloaded(work.maker)) as pool:
        pool.submit(0, f"{__name__}:carry_out", arguments, limits)
        outcome = pool.wait()[0]
    return outcome.value if outcome.status == "ok" else TrialResult(outcome.status, outcome.reason)


def preloaded(maker: str) -> tuple[str, ...]:
    """What workers import once: nearly every pipeline needs these."""
    own = (maker, *(f"learnviews.kernels.search.{name}" for name in ("data", "metrics", "scores", "model")))
    if maker != MAKER:
        return ("pandas", *own)
    parts = ("ensemble", "linear_model", "compose", "impute", "preprocessing", "pipeline", "feature_selection", "tree")
    more = ("neighbors", "svm", "naive_bayes", "neural_network", "model_selection")
    return ("pandas", *(f"sklearn.{name}" for name in (*parts, *more)), *own)


def carry_out(work: Work, config: dict[str, Any], seed: int, fidelity: float, final: bool, keep: float) -> TrialResult:
    """The trial itself; raises what the pipeline raises."""
    clock = _Clock()
    made = _Made(work, config, seed, fidelity, clock)
    frames = [made.predict(fit, score, "train")[0] for fit, score in folds_at(work, fidelity)]
    pipeline = None
    if final and (len(work.plan.holdout_rows) or not frames):
        pipeline, frame = _last(made, bool(frames))
        frames.append(frame)
    with clock("score"):
        predictions, metrics, scores = _scored(work, frames)
    cost = cost_of(work.problem, metrics["train"])
    if cost is None:
        raise ValueError(f"its {work.problem.metric} is {metrics['train']}: some predictions are missing or infinite")
    kept = _packed(pipeline) if pipeline is not None and cost <= keep else None
    return TrialResult("ok", "", cost, scores, predictions, metrics, clock.spent["fit"], clock.spent["score"], kept)


def folds_at(work: Work, fidelity: float) -> list[tuple[Any, Any]]:
    """The folds of a trial at this fidelity, with fewer rows to fit to where there are many."""
    folds = list(work.plan.folds)
    if fidelity >= 1 or not folds:
        return folds
    kept = folds[-max(1, round(fidelity * len(folds))) :]  # the last ones: of a rolling origin the longest
    return [(fewer_rows(work, fit, fidelity, number), score) for number, (fit, score) in enumerate(kept)]


def fewer_rows(work: Work, rows: Any, fidelity: float, number: int) -> Any:
    """A share of the rows, in their order; the same for every configuration. Series are not cut into pieces.

    Rows with and without a label each have their share, and at least `FEWEST`: few labels are all kept.
    """
    kinds = [np.arange(len(rows))]
    if work.problem.task == "semiSupervisedClassification":
        known = work.data.frame.loc[rows, list(work.problem.targets)].notna().all(axis=1).to_numpy()
        kinds = [np.flatnonzero(known), np.flatnonzero(~known)]
    wanted = [min(len(kind), max(FEWEST, math.ceil(fidelity * len(kind)))) for kind in kinds]
    if sum(wanted) >= len(rows) or work.problem.task == "timeSeriesForecasting":
        return rows
    rng = np.random.default_rng([number, len(rows)])
    parts = [rng.choice(kind, size, replace=False) for kind, size in zip(kinds, wanted, strict=True)]
    chosen = np.sort(np.concatenate(parts))
    return rows[chosen] if hasattr(rows, "take") else [rows[at] for at in chosen]


def cost_of(problem: Problem, value: float) -> float | None:
    """A finite number, lower is better; None where the metric has no value."""
    from . import metrics

    return float(metrics.cost(str(problem.metric), value)) if math.isfinite(value) else None


def maker_module(maker: str) -> ModuleType:
    """The module that builds pipelines."""
    return importlib.import_module(maker)


def refitted(work: Work, config: Mapping[str, Any], seed: int) -> Any:
    """The pipeline of a finished trial, fitted once more to all training rows: same seed, same pipeline.

    With one thread, as in a worker: sums in another order end in other bits.
    """
    from threadpoolctl import threadpool_limits

    for name in preloaded(work.maker):  # only libraries that are there can be limited
        importlib.import_module(name)
    with threadpool_limits(1):
        return _Made(work, dict(config), seed, 1.0, _Clock()).fitted(work.plan.train_rows)


class _Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.spent = {"fit": 0.0, "score": 0.0}

    def __call__(self, name: str) -> _Clock:
        self._name = name
        return self

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.spent[self._name] += time.perf_counter() - self._began


class _Made:
    """Pipelines of one configuration, and what they predict."""

    def __init__(self, work: Work, config: dict[str, Any], seed: int, fidelity: float, clock: _Clock) -> None:
        from .model import input_columns

        self.work, self._config, self._seed, self._fidelity, self._clock = work, config, seed, fidelity, clock
        self._inputs, self._targets = input_columns(work.problem), list(work.problem.targets)
        self._last_fit: tuple[Any, Any] = (work.plan.train_rows[:0], None)

    def predict(self, fit: Any, score: Any, split: str) -> tuple[pd.DataFrame, Any]:
        """The prediction frame of rows `score` by a pipeline that saw rows `fit` only, and that pipeline."""
        pipeline = self._rolled(fit) if split == "train" else self.fitted(fit)
        with self._clock("score"):
            return self._frame(pipeline, score, split), pipeline

    def _rolled(self, rows: Any) -> Any:
        """The pipeline for an origin of a forecast: few later rows are taken into the past and not learned from."""
        before, pipeline = self._last_fit
        if not hasattr(pipeline, "observe") or len(rows) > RELEARN * len(before) or len(np.setdiff1d(before, rows)):
            pipeline = self.fitted(rows)
            self._last_fit = (rows, pipeline)
            return pipeline
        with self._clock("fit"):
            later = self.work.data.frame.loc[np.setdiff1d(rows, before)]
            return copy.deepcopy(pipeline).observe(later[self._inputs], self._truth(later))

    def fitted(self, rows: Any) -> Any:
        work = self.work
        with self._clock("fit"):
            seen = work.data.take(rows)  # what it is not to see it is not given
            pipeline = maker_module(work.maker).build(self._config, seen, work.problem, self._seed, self._fidelity)
            if work.problem.task in CLUSTERING or not self._targets:
                return pipeline.fit(seen.frame[self._inputs])
            return pipeline.fit(seen.frame[self._inputs], self._truth(seen.frame))

    def _truth(self, frame: pd.DataFrame) -> Any:
        return frame[self._targets[0]] if len(self._targets) == 1 else frame[self._targets]

    def _frame(self, pipeline: Any, rows: Any, split: str) -> pd.DataFrame:
        from .model import prediction_frame

        frame = self.work.data.frame.loc[rows]
        return prediction_frame(pipeline, self.work.problem, frame[self._inputs], frame[self._targets], split)


def _last(made: _Made, folded: bool) -> tuple[Any, pd.DataFrame]:
    """The pipeline of all training rows; without folds (clustering) it is judged on the rows it saw."""
    plan = made.work.plan
    rows = plan.holdout_rows if len(plan.holdout_rows) else plan.train_rows
    frame, pipeline = made.predict(plan.train_rows, rows, "holdout" if len(plan.holdout_rows) else "train")
    return pipeline, frame


def _scored(work: Work, frames: list[pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, float], tuple[float, ...]]:
    import pandas as pd

    predictions = pd.concat(frames)
    train = [frame for frame in frames if (frame["split"] == "train").all()]
    scores = tuple(judged(work, frame) for frame in train)
    values = {}
    for split in ("train", "holdout"):
        rows = predictions[predictions["split"] == split]
        if len(rows):
            values[split] = judged(work, rows)
    values.setdefault("train", values.get("holdout", math.nan))
    return predictions[~predictions.index.duplicated(keep="last")], values, scores


def judged(work: Work, frame: pd.DataFrame) -> float:
    """The problem's metric on the rows of a prediction frame; nan where it has none."""
    from . import scores

    return scores.value(work.problem, frame, data=work.data)


def _packed(pipeline: Any) -> bytes | None:
    """For the process that asked, never for a file; None where it cannot be pickled (it can be fitted again).

    A skops file would be slow: skops takes seconds to import.
    """
    try:
        return pickle.dumps(pipeline, protocol=5)
    except Exception:
        return None
