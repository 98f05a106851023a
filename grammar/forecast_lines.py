"""Element for forecasts over the series they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .row_linked import RowLinked, names_of, row_ids
from .streams import RowSelection

COLUMNS = 800  # stretches of time that are told apart
SERIES = 8  # series that are shown unless told otherwise


class Forecast(RowLinked, Element2D):
    """Series in time, with the forecasts of models dashed over them; where the holdout begins is marked.

    Parameters
    ----------
    data : table of (time, truth, holdout, series, model_0, model_1, ...)
        A row per row of the data, series by series and each in order of time. holdout: 1 where it is of the holdout,
        else 0. series: number of the series. Missing numbers break a line.
    names : list of str
        Of the models, one per column.
    numbers : array, optional
        Of the models, which link them to other views.
    series : list of str
        Names of the series.
    left_out : int
        How many further series there are.
    ids, marks : arrays, optional
        Ids of the rows, and the stretch of time each is in: 0, 1, ... A short series has one per time.
    vdims : list of Dimension, optional
        One of them is the truth, and names the value axis.
    selection : RowSelection, optional
        Of rows: hovering a time lights its rows, clicking keeps them.
    model_selection : RowSelection, optional
        Of model numbers: lines of models that are lit or kept are bold.

    Raises
    ------
    ValueError
        If there is not one name and number per model, or ids and marks do not fit.
    """

    group = param.String(default="Forecast", constant=True)

    kdims = param.List(default=[Dimension("time")], item_type=Dimension, bounds=(1, 1), doc="Numbers or datetimes.")

    vdims = param.List(
        default=[Dimension(("truth", "value")), Dimension("holdout"), Dimension("series")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Truth, whether of the holdout, number of the series, and what each model says.",
    )

    names: Any = param.List(default=[], item_type=str, doc="Names of the models.")
    numbers: Any = param.Array(default=np.zeros(0, dtype=object), doc="Numbers of the models.")
    series: Any = param.List(default=[], item_type=str, doc="Names of the series.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="How many further series there are.")
    model_selection: Any = param.ClassSelector(
        class_=RowSelection, default=None, allow_None=True, doc="Links the models to other views of them."
    )

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        if vdims is None or len(vdims) == 1:
            said = [Dimension((f"model_{at}", name)) for at, name in enumerate(params.get("names", []))]
            vdims = [*(vdims or type(self).vdims[:1]), *type(self).vdims[1:], *said]
        super().__init__([] if data is None else data, kdims=kdims or list(type(self).kdims), vdims=vdims, **params)
        if len(self.vdims) != 3 + len(self.names) or len(self.numbers) not in (0, len(self.names)):
            raise ValueError(
                f"expected a column and a number per model, {len(self.names)}, got {len(self.vdims) - 3} and "
                f"{len(self.numbers)}"
            )
        self.check_rows(max(len(self), 1))

    @property
    def origin(self) -> Any:
        """The first time of the holdout; None without one."""
        held = self.dimension_values(2) > 0
        return self.dimension_values(0)[held].min() if held.any() else None

    @classmethod
    def from_values(
        cls,
        time: Any,
        truth: Any,
        predictions: Mapping[str, Any],
        holdout: Any = None,
        groups: Any = None,
        ids: Any = None,
        history: float | None = None,
        columns: int = COLUMNS,
        **params: Any,
    ) -> Forecast:
        """From the rows of one series or of several, in any order.

        Parameters
        ----------
        time : array of numbers, datetimes, or text that pandas reads as datetimes
            Rows without one are left out.
        truth : array of numbers
        predictions : mapping
            Of a model's name its predictions, missing where there is none.
        holdout : array of bool, optional
            Which rows are of the holdout; by default those with a prediction.
        groups : array, optional
            Of each row the series it is of.
        ids : sequence, optional
            Of the rows; by default the index of `truth` where it has one, else positions.
        history : float, optional
            How much of what comes before the holdout is shown, in lengths of the holdout; by default all.
        columns : int
            Stretches of time that are told apart, at most.
        **params
            Of the element: selection, model_selection, numbers, label, ...

        Raises
        ------
        ValueError
            If there is not one of each per row, or times are neither numbers nor datetimes.
        """
        for name, value in {"history": history, "columns": columns}.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} = {value}; expected a number above 0")
        said = {f"model_{at}": np.asarray(each, dtype=float) for at, each in enumerate(predictions.values())}
        ids = row_ids(ids, truth, time)
        for name, each in zip(predictions, said.values(), strict=True):
            if len(each) != len(ids):
                raise ValueError(f"{name}: expected a prediction per row, {len(ids)}, got {len(each)}")
        codes, names = (np.zeros(len(ids), int), [""]) if groups is None else _codes(groups)
        held = np.isfinite(np.array(list(said.values()))).any(axis=0) if said else np.zeros(len(ids), bool)
        held = held if holdout is None else np.asarray(holdout, dtype=bool)
        if not len(held) == len(codes) == len(ids):
            raise ValueError(f"expected a row's holdout and series, {len(ids)}, got {len(held)} and {len(codes)}")
        times = times_of(time)
        table = {"time": times, "truth": np.asarray(truth, dtype=float), "holdout": held.astype(int), "series": codes}
        shown = _shown(times, held, history)
        at = shown[np.lexsort((times[shown], codes[shown]))]
        table = {name: values[at] for name, values in (table | said).items()}
        known_as = {"names": [str(name) for name in predictions], "series": names, "ids": ids[at]}
        known_as["marks"] = _stretches(table["time"], columns)
        return cls(table, datatype=["dictionary"], **(known_as | params))

    @classmethod
    def from_models(
        cls,
        models: Sequence[Any],
        series: Any = None,
        split: str | None = None,
        target: str | None = None,
        names: Sequence[str] | None = None,
        **params: Any,
    ) -> Forecast:
        """Of `kernels.search.Model`s that forecast, of one problem.

        Parameters
        ----------
        series : str or sequence of str, optional
            Names of the series that are shown; of several columns joined by ", ". By default the first few.
        split : {"holdout", "train", "all"}, optional
            The rows whose forecasts are shown ("train": made before these rows were seen); by default those that each
            model's scores speak of.
        target : str, optional
            Of several targets.
        names : sequence of str, optional
            Of the models, each its own; by default what they are called, with their number where two are called alike.
        **params
            As of `from_values`, and of the element.

        Raises
        ------
        ValueError
            If a model does not forecast, there is no such series or target, or not a name of its own for each model.
        """
        if not len(models):
            return cls.from_values([], [], {}, **params)
        for model in models:
            if model.problem.task != "timeSeriesForecasting":
                raise ValueError(f"{model.name}: a forecast is needed, not {model.problem.task}")
        problem, frame = models[0].problem, models[0].data.frame
        target = _target(problem, target)
        called = names_of(models) if names is None else list(names)
        if len(set(called)) != len(models):
            raise ValueError(f"expected {len(models)} different names of models, got {', '.join(called)}")
        said = {name: _said(model, target, split, frame.index) for name, model in zip(called, models, strict=True)}
        truth = _truth(models[0], target, frame)
        held = models[0].predictions["split"].reindex(frame.index).eq("holdout").to_numpy()
        of = frame[list(problem.groups)].astype(str).agg(", ".join, axis=1) if problem.groups else None
        at, left_out = _chosen(of, series, len(frame))
        known_as: dict[str, Any] = {
            "numbers": np.array([model.number for model in models], dtype=object),
            "left_out": left_out,
        }
        rows = {name: each[at] for name, each in said.items()}
        groups = None if of is None else of.to_numpy()[at]
        times = frame[problem.time].iloc[at]
        known_as |= {"holdout": held[at], "groups": groups, "ids": frame.index[at]}
        known_as |= {"kdims": [Dimension(("time", problem.time))], "vdims": [Dimension(("truth", target))]}
        return cls.from_values(times, truth[at], rows, **(known_as | params))


def times_of(values: Any) -> np.ndarray:
    """Times as floats, or as datetime64 in UTC; nan and NaT where there is none.

    Raises
    ------
    ValueError
        If they are neither numbers nor datetimes.
    """
    column = pd.Series(values).reset_index(drop=True)
    dated = pd.api.types.is_datetime64_any_dtype(column)
    if not dated:
        plain = pd.to_numeric(column, errors="coerce")
        if plain.notna().sum() == column.notna().sum():
            return np.asarray(plain.to_numpy(dtype=float, na_value=np.nan))
    try:
        instants = pd.to_datetime(column, utc=True, **({} if dated else {"format": "mixed"}))
    except (ValueError, TypeError) as error:
        raise ValueError(f"time: expected numbers or datetimes, got {column.dropna().iloc[0]!r}") from error
    return np.asarray(instants.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]"))


def thin(marks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Of the points of a line, in order, those that show the same at one column of pixels per mark.

    Parameters
    ----------
    marks : (points,) int
        The column each is in; none decreases.
    values : (points,)

    Returns
    -------
    positions : (kept,) int
        Of the least and the largest of each column, in order; of a column without any number, of one missing.
    """
    order = np.lexsort((values, marks))  # missing numbers last within their column
    starts = np.flatnonzero(np.diff(marks, prepend=-1))
    if not len(starts):
        return starts
    known = np.add.reduceat(np.isfinite(values), starts)
    return np.unique(order[np.concatenate([starts, starts + np.maximum(known - 1, 0)])])


def _codes(groups: Any) -> tuple[np.ndarray, list[str]]:
    codes, names = pd.factorize(pd.Series(groups).astype(str), sort=True)
    return codes, [str(name) for name in names]


def _shown(times: np.ndarray, held: np.ndarray, history: float | None) -> np.ndarray:
    """Positions of rows that have a time and are not too long ago."""
    known = ~pd.isna(times)
    mine = times[held & known]
    if history is not None and len(mine):
        known &= times >= mine.min() - (mine.max() - mine.min()) * history
    return np.flatnonzero(known)


def _stretches(times: np.ndarray, columns: int) -> np.ndarray:
    """Of each row the number of its stretch of time: one per time where these are few, else of even length."""
    distinct, marks = np.unique(times, return_inverse=True)
    if len(distinct) <= columns:
        return marks
    at = (times - distinct[0]) / (distinct[-1] - distinct[0])
    cells = np.minimum((at * columns).astype(int), columns - 1)
    return np.unique(cells, return_inverse=True)[1]  # stretches without rows do not count


def _target(problem: Any, target: str | None) -> str:
    if target is None and len(problem.targets) == 1:
        return str(problem.targets[0])
    if target not in problem.targets:
        raise ValueError(f"target = {target!r}; expected one of {', '.join(problem.targets)}")
    return str(target)


def _column(frame: pd.DataFrame, kind: str, target: str) -> pd.Series:
    return frame[f"{kind}_{target}" if f"{kind}_{target}" in frame else kind]


def _said(model: Any, target: str, split: str | None, index: pd.Index) -> np.ndarray:
    split, frame = split or model.split, model.predictions
    frame = frame if split == "all" else frame[frame["split"] == split]
    return np.asarray(_column(frame, "prediction", target).reindex(index).to_numpy(dtype=float, na_value=np.nan))


def _truth(model: Any, target: str, frame: pd.DataFrame) -> np.ndarray:
    """As in the data; where these have none, as the predictions were judged by."""
    known = _column(model.predictions, "truth", target).reindex(frame.index)
    column = frame.get(target, known)
    return np.asarray(column.where(column.notna(), known).to_numpy(dtype=float, na_value=np.nan))


def _chosen(names: pd.Series | None, series: Any, rows: int) -> tuple[np.ndarray, int]:
    """Positions of the rows of some series, and how many series are left out."""
    if names is None:
        if series is not None:
            raise ValueError(f"series = {series!r}; the problem has one series only")
        return np.arange(rows), 0
    there = sorted(set(names))
    wanted = there[:SERIES] if series is None else [series] if isinstance(series, str) else list(series)
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise ValueError(f"there is no series {unknown[0]!r}; there are {', '.join(there[:10])}")
    return np.flatnonzero(names.isin(wanted)), len(there) - len(wanted)
