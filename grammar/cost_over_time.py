"""Element for what a study found when: a dot per trial, and the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.search.elapsed import GAP, elapsed, records
from .dimensions import default_dimensions
from .row_linked import RowLinked
from .trial_scores import TrialScores, frame_scores, numbers, study_scores, texts

KINDS = ("model", "cheap", "ensemble", "failed")
"""What a dot is: a trial in full, one on part of the data or effort, an ensemble, one without a result."""


class CostOverTime(RowLinked, Element2D):
    """A dot per trial of one or several studies, when it ended and how good it was, with the best so far as steps.

    Parameters
    ----------
    data : table of (ended, value, number, kind, study, seconds, name, reason)
        Seconds since the study's first start, or a trial number; the score, nan where it failed; the trial's number;
        place in `KINDS`; place in `studies`; how long it took; what it is; why it failed.
    studies : list of str
        Names of the studies.
    larger : bool
        Whether larger values are better.
    baselines : list of float
        The trivial predictor's value in each study; nan where it is not known.
    pauses : array
        Where on the axis pauses between runs were left out.
    by : {"time", "number"}
        What the axis counts.
    ids, marks : arrays, optional
        Of the trials: their numbers, or with several studies "study/number".
    selection : RowSelection, optional
        Of models: pointing at a dot lights its model everywhere, clicking keeps it.

    Raises
    ------
    ValueError
        If kinds or studies are no places in their lists.
    """

    group = param.String(default="CostOverTime", constant=True)

    kdims = param.List(default=[Dimension("ended")], item_type=Dimension, bounds=(1, 1), doc="When trials ended.")

    vdims = param.List(
        default=[Dimension(name) for name in ("value", "number", "kind", "study", "seconds", "name", "reason")],
        item_type=Dimension,
        bounds=(7, None),
        doc="Score, trial's number, kind, study, seconds it took, its name, why it failed.",
    )

    studies: Any = param.List(default=[""], doc="Names of the studies.")
    larger: Any = param.Boolean(default=False, doc="Whether larger values are better.")
    baselines: Any = param.List(default=[], doc="The trivial predictor's value, by study.")
    pauses: Any = param.Array(default=np.zeros(0), doc="Where pauses were left out.")
    by: Any = param.Selector(default="time", objects=["time", "number"], doc="What the axis counts.")
    scored: Any = param.String(default="cost", doc="What the values are.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        for name, at, most in (("kind", 3, len(KINDS)), ("study", 4, len(self.studies))):
            places = self.dimension_values(at)
            if len(places) and not (places.dtype.kind in "iu" and places.min() >= 0 and places.max() < most):
                raise ValueError(f"expected {name} as whole numbers from 0 to {most - 1}")

    def best(self, study: int) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the step line of the best value so far among a study's models and ensembles."""
        ended, value, _, kind, of = (self.dimension_values(i) for i in range(5))
        counts = (of == study) & (kind != KINDS.index("cheap")) & (kind != KINDS.index("failed"))
        at = np.flatnonzero(counts)[records(ended[counts], value[counts], self.larger)]
        if not len(at):
            return np.zeros(0), np.zeros(0)
        last = max(ended[of == study].max(), ended[at[-1]])
        return np.append(np.repeat(ended[at], 2)[1:], last), np.repeat(value[at], 2)

    @classmethod
    def from_trials(
        cls,
        trials: pd.DataFrame,
        score: str = "cost",
        larger: bool = False,
        baseline: float = float("nan"),
        by: str = "time",
        gap: float = GAP,
        **params: Any,
    ) -> CostOverTime:
        """From a table of trials, as `study.trials`.

        Parameters
        ----------
        trials : DataFrame
            Columns number, status, started, seconds and the score; name, reason, source and fidelity where there are.
        score : str
            Column of the values.
        larger : bool
            Whether larger values are better.
        baseline : float, optional
            Drawn as a line.
        by : {"time", "number"}
        gap : float
            Seconds without a trial that are left out as a pause.

        Raises
        ------
        ValueError
            If a column is missing.
        """
        scored = frame_scores(trials, score, larger)
        scored = TrialScores(scored.values, scored.label, larger, baseline)
        return cls._of([("", trials, scored)], by, gap, params)

    @classmethod
    def from_study(
        cls, study: Any, score: str = "score", by: str = "time", gap: float = GAP, **params: Any
    ) -> CostOverTime:
        """Of a `kernels.search.Study`, also while it runs.

        Parameters
        ----------
        score : {"score", "holdout", "cost"}
            The metric out of fold, on the holdout, or what is minimized.
        """
        trials = study.trials
        return cls._of([("", trials, study_scores(study, trials, score))], by, gap, params)

    @classmethod
    def from_studies(
        cls,
        studies: Sequence[Any],
        names: Sequence[str] | None = None,
        score: str = "score",
        by: str = "time",
        gap: float = GAP,
        **params: Any,
    ) -> CostOverTime:
        """Several studies, each on its own clock; ids are "name/number".

        Parameters
        ----------
        names : sequence of str, optional
            By default those of the studies' folders.

        Raises
        ------
        ValueError
            If the studies do not share a metric, or there is not one name for each, each its own.
        """
        found = [study.path.name for study in studies] if names is None else list(names)
        if len(found) != len(studies) or len(set(found)) < len(found):
            raise ValueError(f"expected {len(studies)} different names of studies, got {', '.join(found)}")
        metrics = {str(study.problem.metric) for study in studies}
        if len(metrics) > 1:
            raise ValueError(f"expected studies of one metric, got {', '.join(sorted(metrics))}")
        parts = []
        for name, study in zip(found, studies, strict=True):
            trials = study.trials
            parts.append((name, trials, study_scores(study, trials, score)))
        return cls._of(parts, by, gap, params)

    @classmethod
    def _of(
        cls, parts: list[tuple[str, pd.DataFrame, TrialScores]], by: str, gap: float, params: dict[str, Any]
    ) -> CostOverTime:
        tables, pauses, ids = [], [], []
        for at, (name, trials, scores) in enumerate(parts):
            table, paused = _table(trials, scores, at, by, gap)
            tables.append(table)
            pauses.append(paused)
            ids += [f"{name}/{n}" for n in table["number"]] if len(parts) > 1 else list(table["number"])
        first = parts[0][2] if parts else TrialScores(np.zeros(0), "cost")
        known = {
            "studies": [name for name, _, _ in parts],
            "baselines": [float(scores.baseline) for _, _, scores in parts],
            "pauses": np.concatenate(pauses) if len(parts) == 1 else np.zeros(0),
            "ids": pd.Index(ids, dtype=object).to_numpy(),
            "marks": np.arange(len(ids)),
            "larger": first.larger,
            "scored": first.label,
            "by": by,
        }
        names = [dimension.name for dimension in (*cls.kdims, *cls.vdims)]
        whole: dict[str, Any] = {
            name: np.concatenate([table[name] for table in tables]) if tables else [] for name in names
        }
        return cls(whole, datatype=["dictionary"], **(known | params))


def _table(
    trials: pd.DataFrame, scores: TrialScores, study: int, by: str, gap: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Of the trials that have ended, a row each; and where pauses were left out."""
    missing = [name for name in ("number", "status", "started", "seconds") if name not in trials]
    if missing:
        raise ValueError(f"no column {missing[0]!r} in the trials; there are {', '.join(map(str, trials.columns))}")
    seconds = numbers(trials, "seconds")
    when, pauses = elapsed(_stamps(trials["started"]), seconds, gap)
    number, kind = trials["number"].to_numpy(np.int64), _kinds(trials, scores.values)
    shown = np.flatnonzero((trials["status"] != "running").to_numpy(bool) & np.isfinite(when))
    if by == "number":
        when, pauses = number.astype(float), np.zeros(0)
    table = {
        "ended": when,
        "value": np.where(kind == KINDS.index("failed"), np.nan, scores.values),
        "number": number,
        "kind": kind,
        "study": np.full(len(trials), study),
        "seconds": seconds,
        "name": texts(trials, "name"),
        "reason": texts(trials, "reason"),
    }
    return {name: values[shown] for name, values in table.items()}, pauses


def _stamps(started: pd.Series) -> np.ndarray:
    """Seconds since whenever."""
    if pd.api.types.is_datetime64_any_dtype(started):
        return started.astype("datetime64[ns]").astype("int64").to_numpy(float) / 1e9
    return started.to_numpy(float)


def _kinds(trials: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    cheap = numbers(trials, "fidelity") < 1 if "fidelity" in trials else np.zeros(len(trials), bool)
    blended = texts(trials, "source") == "ensemble"
    failed = (trials["status"] != "ok").to_numpy(bool) | ~np.isfinite(values)
    return np.select([failed, blended, cheap], [3, 2, 1], 0)
