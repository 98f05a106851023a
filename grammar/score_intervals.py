"""Element for how good models are, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_linked import RowLinked

TOP = 30  # models that are shown, at most


class ScoreIntervals(RowLinked, Element2D):
    """A dot per model at its score, with its 95% interval; best first, beside the score of the trivial predictor.

    Parameters
    ----------
    data : table of (place, value, low, high)
        Of each model, counted from the best: its score, and the ends of its interval. Missing numbers are not drawn.
    names : list of str
        Of the models, in that order.
    metric : str
        What the score is, with its unit where it has one.
    larger_is_better : bool
        What is best.
    baseline : (value, low, high), optional
        Score of the trivial predictor, and its interval.
    left_out : int
        How many further models there are.
    ids, marks : arrays, optional
        Numbers of the models, and the place of each.
    selection : RowSelection, optional
        Of model numbers: hovering lights a model, clicking keeps it.

    Raises
    ------
    ValueError
        If there is not one name per model, or an interval does not hold its score.
    """

    group = param.String(default="ScoreIntervals", constant=True)

    kdims = param.List(
        default=[Dimension(("place", "model"))], item_type=Dimension, bounds=(1, 1), doc="Place, the best is 0."
    )

    vdims = param.List(
        default=[Dimension(("value", "score")), Dimension("low"), Dimension("high")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Score, and the ends of its interval.",
    )

    names: Any = param.List(default=[], item_type=str, doc="Names of the models.")
    metric: Any = param.String(default="score", doc="What the score is.")
    larger_is_better: Any = param.Boolean(default=True, doc="Whether larger scores are better.")
    baseline: Any = param.Tuple(default=None, length=3, allow_None=True, doc="Trivial predictor: value, low, high.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="How many further models there are.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if len(self.names) != len(self):
            raise ValueError(f"expected a name per model, {len(self)}, got {len(self.names)}")
        self.check_rows(len(self))
        value, low, high = (self.dimension_values(i) for i in (1, 2, 3))
        wrong = np.flatnonzero((low > value) | (value > high))
        if len(wrong):
            at = wrong[0]
            raise ValueError(f"{self.names[at]}: expected low <= score <= high, got {low[at]}, {value[at]}, {high[at]}")

    @classmethod
    def from_scores(
        cls,
        names: Sequence[str],
        values: Any,
        low: Any = None,
        high: Any = None,
        numbers: Any = None,
        top: int = TOP,
        **params: Any,
    ) -> ScoreIntervals:
        """From names and scores in any order.

        Parameters
        ----------
        names : sequence of str
        values, low, high : arrays of numbers
            Scores, and the ends of their intervals; without `low` and `high` there are none.
        numbers : sequence, optional
            Of the models, which link them to other views; by default positions.
        top : int
            Models that are shown, at most: the best.
        **params
            Of the element. `metric` may be a metric's name in `kernels.search`: then it tells what is better.

        Raises
        ------
        ValueError
            If there is not one of each per model, or `top` is less than 1.
        """
        if top < 1:
            raise ValueError(f"top = {top}; expected at least one model")
        none = np.full(len(names), np.nan)
        value, low, high = (none if each is None else np.asarray(each, float) for each in (values, low, high))
        ids = np.arange(len(names)) if numbers is None else np.asarray(list(numbers), dtype=object)
        for what, each in {"score": value, "low": low, "high": high, "number": ids}.items():
            if len(each) != len(names):
                raise ValueError(f"expected a {what} per name, {len(names)}, got {len(each)}")
        known_as = _of_metric(params.get("metric", "score"))
        larger = params.get("larger_is_better", known_as["larger_is_better"])
        order = np.argsort(-value if larger else value, kind="stable")[:top]  # missing scores come last
        table = {"place": np.arange(len(order)), "value": value[order], "low": low[order], "high": high[order]}
        found = {"names": [str(names[at]) for at in order], "ids": ids[order], "marks": np.arange(len(order))}
        found["left_out"] = len(names) - len(order)
        return cls(table, datatype=["dictionary"], **(found | params | known_as | {"larger_is_better": larger}))

    @classmethod
    def from_study(cls, study: Any, metric: str | None = None, top: int = TOP, **params: Any) -> ScoreIntervals:
        """The models of a `kernels.search.Study` that it ranks best, and its trivial predictor.

        The study ranks by its cost, on folds; here models are in the order of the scores that are shown.

        Parameters
        ----------
        metric : str, optional
            By default the problem's, as in `study.leaderboard()`.

        Raises
        ------
        ValueError
            If a model has no such metric; the message names both.
        """
        own, many = str(study.problem.metric), len(study.models)
        if metric not in (None, own):
            found = cls.from_models(study.models[:top], metric, top, **{"baseline": study.baseline, **params})
            return found.clone(left_out=many - len(found))
        board = study.leaderboard(top)
        trivial, models = board[board["number"].isna()], board[board["number"].notna()]
        baseline = next(map(tuple, trivial[[own, "low", "high"]].to_numpy(float).tolist()), None)
        value, low, high = (models[name] for name in (own, "low", "high"))
        about = {"metric": own, "baseline": baseline, "left_out": max(many - len(models), 0)}
        return cls.from_scores(list(models["name"]), value, low, high, models["number"], top, **(about | params))

    @classmethod
    def from_models(
        cls, models: Sequence[Any], metric: str | None = None, top: int = TOP, **params: Any
    ) -> ScoreIntervals:
        """Of `kernels.search.Model`s of one problem.

        Parameters
        ----------
        metric : str, optional
            By default the problem's.
        **params
            Of the element. `baseline` may be a model: `study.baseline`.

        Raises
        ------
        ValueError
            If a model has no such metric; the message names both.
        """
        if not len(models):
            return cls.from_scores([], [], **(params | {"baseline": None}))
        metric = str(models[0].problem.metric if metric is None else metric)
        rows = [_scored(model, metric) for model in models]
        if hasattr(params.get("baseline"), "scores"):
            params["baseline"] = tuple(_scored(params["baseline"], metric)[["value", "low", "high"]].tolist())
        value, low, high = ([row[name] for row in rows] for name in ("value", "low", "high"))
        names, numbers = [model.name for model in models], [model.number for model in models]
        return cls.from_scores(names, value, low, high, numbers, top, **{"metric": metric, **params})


def _scored(model: Any, metric: str) -> Any:
    if metric not in model.scores.index:
        raise ValueError(f"{model.name}: no score {metric!r}; there are {', '.join(model.scores.index)}")
    return model.scores.loc[metric]


def _of_metric(name: str) -> dict[str, Any]:
    """What is known of a metric: its title, and whether larger is better."""
    from ..kernels.search.metrics import METRICS

    if name not in METRICS:
        return {"metric": name, "larger_is_better": True}
    return {"metric": METRICS[name].title or name, "larger_is_better": METRICS[name].larger_is_better}
