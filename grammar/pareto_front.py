"""Element for what models cost in time against how good they are, and which of them no other beats at both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.search.pareto import front
from .dimensions import default_dimensions
from .row_linked import RowLinked
from .trial_scores import TrialScores, frame_scores, model_scores, numbers, study_scores, texts

PRICES = {
    "fit_seconds": "time to fit",
    "score_seconds": "time to predict",
    "seconds": "time of the whole trial",
}


class ParetoFront(RowLinked, Element2D):
    """A dot per model: how long it takes, how good it is; the front of those that no other beats at both is a line.

    Parameters
    ----------
    data : table of (seconds, value, number, name)
        Time, score, number and name of each model.
    larger : bool
        Whether larger values are better.
    baseline : float
        The trivial predictor's value; nan where it is not known.
    price, scored : str
        What the time is of, and what the values are.
    ids, marks : arrays, optional
        Numbers of the models, and their dots.
    selection : RowSelection, optional
        Of models.
    """

    group = param.String(default="ParetoFront", constant=True)

    kdims = param.List(default=[Dimension("seconds", unit="s")], item_type=Dimension, bounds=(1, 1), doc="Time.")

    vdims = param.List(
        default=[Dimension("value"), Dimension("number"), Dimension("name")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Score, number and name of the model.",
    )

    larger: Any = param.Boolean(default=False, doc="Whether larger values are better.")
    baseline: Any = param.Number(default=float("nan"), doc="The trivial predictor's value.")
    price: Any = param.String(default="time", doc="What the time is of.")
    scored: Any = param.String(default="cost", doc="What the values are.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))

    @property
    def front(self) -> np.ndarray:
        """Positions of the models that no other beats, the quickest first."""
        seconds, value = self.dimension_values(0), self.dimension_values(1)
        return front(seconds, -value if self.larger else value)

    @classmethod
    def from_trials(
        cls,
        trials: pd.DataFrame,
        score: str = "cost",
        price: str = "fit_seconds",
        larger: bool = False,
        baseline: float = float("nan"),
        **params: Any,
    ) -> ParetoFront:
        """From a table of trials, as `study.trials`: those that gave a model. An ensemble takes what its members take.

        Parameters
        ----------
        trials : DataFrame
            Columns number, the score and the price; status, fidelity, source, config and name where there are.
        score, price : str
            Columns.
        larger : bool
            Whether larger values are better.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        scored = frame_scores(trials, score, larger)
        return cls._of_trials(trials, TrialScores(scored.values, scored.label, larger, baseline), price, params)

    @classmethod
    def from_study(cls, study: Any, score: str = "score", price: str = "fit_seconds", **params: Any) -> ParetoFront:
        """Of a `kernels.search.Study`, also while it runs.

        Parameters
        ----------
        score : {"score", "holdout", "cost"}
        price : {"fit_seconds", "score_seconds", "seconds"}
        """
        trials = study.trials
        return cls._of_trials(trials, study_scores(study, trials, score), price, params)

    @classmethod
    def from_models(cls, models: Sequence[Any], score: str = "score", **params: Any) -> ParetoFront:
        """Of `kernels.search.Model`s: the time of their whole trials; an ensemble takes what its members take.

        Parameters
        ----------
        score : {"score", "holdout", "cost"}
            "holdout" reads the predictions of every model.
        """
        scored = model_scores(models, score)
        took = [sum(m.seconds or 0 for m, _ in model.members) or model.seconds for model in models]
        seconds = np.array([np.nan if each is None else each for each in took], float)
        number = np.array([model.number for model in models], np.int64)
        names = np.array([model.name for model in models], dtype=object)
        return cls._of(seconds, scored, number, names, {"price": PRICES["seconds"], **params})

    @classmethod
    def _of_trials(cls, trials: pd.DataFrame, scores: TrialScores, price: str, params: dict[str, Any]) -> ParetoFront:
        if price not in trials:
            raise ValueError(f"no column {price!r} in the trials; there are {', '.join(map(str, trials.columns))}")
        whole = numbers(trials, "fidelity") >= 1 if "fidelity" in trials else np.ones(len(trials), bool)
        done = (trials["status"] == "ok").to_numpy(bool) if "status" in trials else whole
        seconds, number = _prices(trials, price), trials["number"].to_numpy(np.int64)
        rows = np.flatnonzero(whole & done)
        kept = TrialScores(scores.values[rows], scores.label, scores.larger, scores.baseline)
        params = {"price": PRICES.get(price, price), **params}
        return cls._of(seconds[rows], kept, number[rows], texts(trials, "name")[rows], params)

    @classmethod
    def _of(
        cls, seconds: np.ndarray, scores: TrialScores, number: np.ndarray, names: np.ndarray, params: dict[str, Any]
    ) -> ParetoFront:
        there = np.isfinite(scores.values) & (seconds > 0)
        data = {"seconds": seconds, "value": scores.values, "number": number, "name": names}
        known = {
            "ids": pd.Index(number[there].tolist(), dtype=object).to_numpy(),
            "marks": np.arange(int(there.sum())),
            "larger": scores.larger,
            "baseline": float(scores.baseline),
            "scored": scores.label,
        }
        return cls({name: each[there] for name, each in data.items()}, datatype=["dictionary"], **(known | params))


def _prices(trials: pd.DataFrame, price: str) -> np.ndarray:
    """Seconds of each trial; of ensembles the sum over their members."""
    seconds = numbers(trials, price)
    known = dict(zip(trials["number"], seconds, strict=True))
    for at in np.flatnonzero(texts(trials, "source") == "ensemble"):
        config = trials["config"].iloc[at]
        members = (json.loads(config) if isinstance(config, str) else config).get("members", ())
        if members:
            seconds[at] = sum(known.get(member, np.nan) for member in members)
    return seconds
