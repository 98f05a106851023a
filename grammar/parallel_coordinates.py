"""Element for tables with many columns, a line per row: configurations of trials beside their scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.search.telling import SHOWN, telling
from .dimensions import default_dimensions
from .parallel_axes import ParallelAxis, axis_of, score_axis
from .row_linked import RowLinked, row_ids
from .trial_scores import TrialScores, frame_scores, study_scores, texts

FIRST = "model"  # the family of models stands before all other hyper-parameters


class ParallelCoordinates(RowLinked, Element2D):
    """A line per row through an axis per column; the last axis and the colour tell a score.

    Parameters
    ----------
    data : table of (line, value, name)
        Numbers of the lines, the worst first, so that the best are drawn last; the score; what the row is.
    axes : list of ParallelAxis
        Each with a height per line.
    ids, marks : arrays, optional
        Id of each row, and its line.
    left_out : int
        Columns that are not shown.
    selection : RowSelection, optional
        Pointing at a line lights its row, clicking or brushing an axis keeps rows; lines that are not kept fade.

    Raises
    ------
    ValueError
        If an axis has not one height per line.
    """

    group = param.String(default="ParallelCoordinates", constant=True)

    kdims = param.List(default=[Dimension("line")], item_type=Dimension, bounds=(1, 1), doc="Number of the line.")

    vdims = param.List(
        default=[Dimension("value"), Dimension("name")], item_type=Dimension, bounds=(2, None), doc="Score and name."
    )

    axes: Any = param.List(default=[], item_type=ParallelAxis, doc="From left to right.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="Columns that are not shown.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        for axis in self.axes:
            if len(axis.heights) != len(self):
                raise ValueError(f"axis {axis.name!r}: expected {len(self)} heights, got {len(axis.heights)}")

    @property
    def heights(self) -> np.ndarray:
        """(lines, axes)"""
        return np.stack([axis.heights for axis in self.axes], axis=1) if self.axes else np.zeros((len(self), 0))

    def within(self, ranges: Mapping[int, tuple[float, float]]) -> np.ndarray:
        """Ids of the rows whose lines pass through all of these ranges of heights, by number of the axis."""
        inside = np.ones(len(self), bool)
        for at, (low, high) in ranges.items():
            inside &= (self.axes[at].heights >= low) & (self.axes[at].heights <= high)
        return self.rows_of(np.flatnonzero(inside))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        colour: str,
        axes: Sequence[str] | None = None,
        larger: bool = True,
        log: Mapping[str, bool] | None = None,
        name: str | None = None,
        ids: Any = None,
        **params: Any,
    ) -> ParallelCoordinates:
        """Of any table.

        Parameters
        ----------
        frame : DataFrame
        colour : str
            Column of numbers: the last axis, and the colour.
        axes : sequence of str, optional
            The other axes; by default the eight columns that tell most of `colour`.
        larger : bool
            Whether larger values of `colour` are the better ones, which are dark and at the top.
        log : mapping, optional
            Of columns, whether their axes are logarithmic; by default where numbers span three powers of ten.
        name : str, optional
            Column of the rows' names; by default their ids.
        ids : sequence, optional
            By default the frame's index.

        Raises
        ------
        ValueError
            If there is no such column, or `colour` holds no numbers.
        """
        for each in (colour, *(axes or ()), *([name] if name else ())):
            if each not in frame:
                raise ValueError(f"no column {each!r}; there are {', '.join(map(str, frame.columns))}")
        scores = frame_scores(frame, colour, larger)
        if len(frame) and not np.isfinite(scores.values).any():
            raise ValueError(f"column {colour!r}: expected numbers to colour by, there are none")
        known = row_ids(frame.index if ids is None else ids, frame, frame)
        names = texts(frame, name) if name else np.array([str(each) for each in known], dtype=object)
        return cls._of(frame.drop(columns=[colour, *([name] if name else ())]), scores, names, known, axes, log, params)

    @classmethod
    def from_trials(
        cls,
        trials: pd.DataFrame,
        score: str = "cost",
        larger: bool = False,
        axes: Sequence[str] | None = None,
        log: Mapping[str, bool] | None = None,
        **params: Any,
    ) -> ParallelCoordinates:
        """From a table of trials, as `study.trials`: those that have a score, an axis per hyper-parameter.

        Parameters
        ----------
        trials : DataFrame
            Columns number, config (JSON or mappings), and the score; name and source where there are.
        score : str
            Column of the values.
        axes : sequence of str, optional
            Hyper-parameters; by default the model's family and those that tell most of the score.

        Raises
        ------
        ValueError
            If there is no such column or hyper-parameter.
        """
        return cls._of_trials(trials, frame_scores(trials, score, larger), axes, log, params)

    @classmethod
    def from_study(
        cls, study: Any, score: str = "score", axes: Sequence[str] | None = None, **params: Any
    ) -> ParallelCoordinates:
        """Of a `kernels.search.Study`, also while it runs; axes are logarithmic where its space is.

        Parameters
        ----------
        score : {"score", "holdout", "cost"}
        axes : sequence of str, optional
            Hyper-parameters, such as the first ones of `parameter_importance(study)`; by default the model's family
            and those that tell most of the score.
        """
        trials = study.trials
        return cls._of_trials(trials, study_scores(study, trials, score), axes, _log_scales(study), params)

    @classmethod
    def _of_trials(
        cls, trials: pd.DataFrame, scores: TrialScores, axes: Any, log: Any, params: dict[str, Any]
    ) -> ParallelCoordinates:
        there = np.isfinite(scores.values) & (texts(trials, "source") != "ensemble")
        trials = trials[there]
        configs = [json.loads(each) if isinstance(each, str) else dict(each) for each in trials["config"]]
        frame = pd.DataFrame.from_records(configs)
        for each in axes or ():
            if each not in frame and len(frame):
                raise ValueError(f"no hyper-parameter {each!r}; there are {', '.join(frame.columns)}")
        kept = TrialScores(scores.values[there], scores.label, scores.larger, scores.baseline)
        ids = pd.Index(list(trials["number"]), dtype=object).to_numpy()
        return cls._of(frame, kept, texts(trials, "name"), ids, axes, log, params)

    @classmethod
    def _of(
        cls,
        frame: pd.DataFrame,
        scores: TrialScores,
        names: np.ndarray,
        ids: np.ndarray,
        axes: Sequence[str] | None,
        log: Mapping[str, bool] | None,
        params: dict[str, Any],
    ) -> ParallelCoordinates:
        shown = _most_telling(frame, scores.values) if axes is None else [each for each in axes if each in frame]
        drawn = [axis_of(frame[each], (log or {}).get(each)) for each in shown]
        drawn.append(score_axis(scores.label.partition(",")[0], scores.values, scores.larger))
        order = np.argsort(drawn[-1].heights, kind="stable")
        data = {"line": np.arange(len(order)), "value": scores.values[order], "name": names[order]}
        known = {
            "axes": [axis.taken(order) for axis in drawn],
            "ids": ids[order],
            "marks": np.arange(len(order)),
            "left_out": len(frame.columns) - len(shown),
        }
        return cls(data, datatype=["dictionary"], **(known | params))


def _most_telling(frame: pd.DataFrame, values: np.ndarray) -> list[str]:
    """The family of models, then what tells most of the score; nothing that is the same in all rows."""
    told = telling(frame.drop(columns=FIRST, errors="ignore"), values)
    first = [FIRST] if FIRST in frame else []
    varied = [name for name in told.index if told[name] > 0] or list(told.index)
    return [*first, *varied[: SHOWN - len(first)]]


def _log_scales(study: Any) -> dict[str, bool]:
    """Of the hyper-parameters of a study's space, whether they are searched on a log scale."""
    space = study.space
    if space is not None:
        return {name: bool(getattr(each, "log", False)) for name, each in space.items()}
    from ..kernels.search import choices

    parameters = choices.parameters(study.data, study.problem)
    return {each.name: bool(getattr(each, "log", False)) for each in parameters}
