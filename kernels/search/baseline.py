"""The predictor that knows nothing of the features, as a model among others: what every other one has to beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import scores
from .model import Model
from .tasks import CLUSTERING, COMMUNITIES, DETECTION, REGRESSION
from .trial import Work, cost_of, judged

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .pipelines import Step
    from .problem import Problem

NUMBER = -1


class Baseline(Model):
    """A `Model` whose pipeline is a `Trivial`."""

    def describe(self) -> str:
        return kind(self.problem)

    def steps(self) -> list[Step]:
        from . import pipelines

        return [pipelines.Step("model", f"trivial: {self.name}", {})]


class Trivial:
    """Predicts the commonest class, the mean or the last value of what it was fitted to.

    Parameters
    ----------
    problem : Problem
    seen : DataFrame
        Targets, and of forecasts time and groups, of the rows it learns from.
    """

    def __init__(self, problem: Problem, seen: pd.DataFrame) -> None:
        self._problem, self._seen = problem, seen
        first = self._guesses(seen.iloc[:1])
        labels = [name[2:] for name in first if name.startswith("p_")]
        if labels:
            self.classes_ = labels

    def predict(self, inputs: pd.DataFrame) -> Any:
        import numpy as np
        import pandas as pd

        found = {name: each for name, each in self._guesses(inputs).items() if not name.startswith("p_")}
        columns = {name: pd.Series(each, inputs.index) for name, each in found.items()}
        values = pd.DataFrame(columns, index=inputs.index)
        return np.asarray(values.iloc[:, 0] if len(columns) == 1 else values)

    def predict_proba(self, inputs: pd.DataFrame) -> Any:
        import numpy as np

        labels = self.classes_  # AttributeError: this problem has no probabilities
        shares = self._guesses(inputs.iloc[:1])
        return np.tile([float(shares[f"p_{label}"]) for label in labels], (len(inputs), 1))

    def _guesses(self, rows: pd.DataFrame) -> dict[str, Any]:
        if not self._problem.targets:
            return {"prediction": 0}
        found: dict[str, Any] = {}
        for target in self._problem.targets:
            guess = scores.guessed(self._problem, target, self._seen, rows)
            found |= {name if name.startswith("p_") else f"{name}_{target}": each for name, each in guess.items()}
        return found


def kind(problem: Problem) -> str:
    """What the trivial predictor says, in words: "most frequent class", "mean", "last value", ..."""
    if problem.task == "timeSeriesForecasting":
        return "last value"
    if problem.task == DETECTION:
        return "mean box in every image"
    if problem.task in REGRESSION:
        return "median" if problem.metric == "meanAbsoluteError" else "mean"
    if problem.task in CLUSTERING and not problem.targets:
        return "one community" if problem.task in COMMUNITIES else "one cluster"
    return "most frequent labels" if problem.subtask == "multiLabel" else "most frequent class"


def baseline(work: Work) -> Baseline:
    """The trivial predictor of a study, with predictions for the same folds and holdout as any of its models."""
    data, problem, plan = work.data, work.problem, work.plan
    predictions = scores.trivial(data, problem, plan)
    train = predictions[predictions["split"] == "train"]
    cost = cost_of(problem, judged(work, train if len(train) else predictions))
    return _made(data, problem, predictions, plan.train_rows, math.inf if cost is None else cost)


def baseline_of(model: Model) -> Baseline:
    """The trivial predictor fitted to the rows of a model, with predictions for the rows its scores speak of.

    Where there is a study, `study.baseline` says more: it predicts out of fold, too.
    """
    from .splits import Plan

    held = model.predictions.index[model.predictions["split"] == "holdout"]
    predictions = scores.trivial(model.data, model.problem, Plan(model.training_rows, held, [], ""))
    return _made(model.data, model.problem, predictions, model.training_rows, None)


def _made(data: Dataset, problem: Problem, predictions: pd.DataFrame, rows: Any, cost: float | None) -> Baseline:
    wanted = (*problem.targets, problem.time, *problem.groups)
    seen = data.frame.loc[rows, list(dict.fromkeys(name for name in wanted if name))]
    told: dict[str, Any] = {"number": NUMBER, "cost": cost, "seconds": 0.0}
    return Baseline(
        data, problem, {"model": "trivial"}, predictions, Trivial(problem, seen), name=kind(problem), **told
    )
