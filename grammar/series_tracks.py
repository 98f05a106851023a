"""Element for series over time, one track below the other; and the same with an overview to brush."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .pipeline import unrecorded
from .row_index import IndexedRows, id_array

MOST_TRACKS, MOST_FILES = 12, 60
WAYS = ("value", "series", "both")
TIMES = ("time", "date", "timestamp", "t", "index", "year", "month", "day", "step")


@dataclass(frozen=True, eq=False)
class Line:
    """One series in one track.

    Parameters
    ----------
    track, name : str
        The track it is in, and what it is called.
    x, y : (points,) float arrays
        Times, rising, in milliseconds since 1970 where they are dates; values, NaN where one is missing.
    rows : int array
        Positions of its row ids: one per point, or one for the whole line.
    label : str
        Its class; lines of a class have a colour.
    """

    track: str
    name: str
    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    label: str = ""

    @property
    def by_point(self) -> bool:
        """Whether each point is a row, not the line."""
        return len(self.rows) == len(self.x) and len(self.x) != 1

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.rows) not in (0, 1, len(self.x)):
            raise ValueError(f"line {self.name!r}: {len(self.x)} times, {len(self.y)} values, {len(self.rows)} rows")
        if (np.diff(self.x) < 0).any() or np.isnan(self.x).any():
            raise ValueError(f"line {self.name!r}: expected times in rising order, none of them missing")


class SeriesTracks(IndexedRows, Element2D):
    """Lines over time in tracks, each track on the scale of its own values.

    Parameters
    ----------
    data : table of (track, line, points, low, high)
        Of each line the numbers of its track and of itself, points, least and largest value.
    lines : list of Line
    ids : array
        Of the rows that points, or lines, stand for.
    tracks : list of str, optional
        Those to show, in their order; by default the first few of `every_track`.
    dated : bool
        Whether times are dates.
    time : str
        What the axis is called, with its unit.
    stacked : bool
        One below the other; otherwise all over each other, each on its own scale, as an overview.
    selection : RowSelection, optional
        Pointing at a line lights its row, or the row of the nearest point; clicking keeps it; rows lit or kept
        elsewhere show as thicker lines, or as marks at their times.

    Raises
    ------
    ValueError
        If there is no such track, or a line speaks of rows that have no id.
    """

    group = param.String(default="SeriesTracks", constant=True)

    kdims = param.List(
        default=[Dimension("track"), Dimension("line")], item_type=Dimension, bounds=(2, 2), doc="Their numbers."
    )

    vdims = param.List(
        default=[Dimension("points"), Dimension("low"), Dimension("high")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Points of a line, its least and largest value.",
    )

    lines: Any = param.List(default=[], doc="All lines, shown or not.")
    tracks: Any = param.List(default=None, allow_None=True, doc="Names of the tracks to show.")
    dated = param.Boolean(default=False, doc="Whether times are dates.")
    time: Any = param.String(default="time", doc="What the axis is called.")
    stacked = param.Boolean(default=True, doc="One track below the other.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        every = list(dict.fromkeys(line.track for line in params.get("lines", ())))
        wanted = params.get("tracks")
        unknown = [name for name in wanted or () if name not in every]
        if unknown:
            raise ValueError(f"no track {unknown[0]!r}; there are {', '.join(every[:20])}")
        params["tracks"] = every[:MOST_TRACKS] if wanted is None else list(wanted)
        data = _table(params.get("lines", ()), params["tracks"])  # its own rows follow from its lines
        params.pop("datatype", None)
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__(data, kdims=kdims, vdims=vdims, datatype=["dictionary"], **params)
        top = max((int(line.rows.max()) for line in self.lines if len(line.rows)), default=-1)
        if top >= len(self.ids):
            raise ValueError(f"expected an id per row, more than {top}, got {len(self.ids)}")

    def clone(self, data: Any = None, *args: Any, **overrides: Any) -> Any:
        """A copy with other parameters; its table is made from its lines."""
        for name in ("lines", "tracks"):
            overrides.setdefault(name, getattr(self, name))
        return super().clone(data, *args, **overrides)

    @property
    def every_track(self) -> list[str]:
        """Names of all tracks, shown or not."""
        return list(dict.fromkeys(line.track for line in self.lines))

    @cached_property
    def shown(self) -> list[Line]:
        """The lines of the tracks that are shown, track by track: one per row of the table."""
        return _shown(self.lines, self.tracks)

    def with_tracks(self, tracks: Iterable[str]) -> SeriesTracks:
        """The same with these tracks, in this order; more or fewer than before."""
        return self.clone(tracks=list(tracks))

    def overview(self) -> SeriesTracks:
        """All lines over each other, each track on its own scale."""
        return self.clone(stacked=False, link=False)

    def scale_of(self, track: str) -> tuple[float, float]:
        """Least and largest value in a track, apart from each other."""
        at = [i for i, line in enumerate(self.shown) if line.track == track]
        low, high = (self.dimension_values(i)[at] for i in (3, 4))
        known = np.isfinite(low) & np.isfinite(high)
        if not known.any():
            return 0.0, 1.0
        low, high = float(low[known].min()), float(high[known].max())
        return (low, high) if high > low else (low - 0.5, low + 0.5)

    @property
    def extent(self) -> tuple[float, float]:
        """First and last time of all lines that are shown."""
        ends = [(line.x[0], line.x[-1]) for line in self.shown if len(line.x)]
        low = min((first for first, _ in ends), default=0.0)
        high = max((last for _, last in ends), default=1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    @cached_property
    def labels(self) -> list[str]:
        """Classes, in the order of their names."""
        return sorted({line.label for line in self.lines if line.label})

    @unrecorded
    def rows_of(self, marks: Iterable[int], x: float | None = None) -> np.ndarray:
        """Ids of the rows of some lines; of those nearest to the time `x` only, where points are rows."""
        found = [_nearest(self.shown[mark], x) for mark in marks if 0 <= mark < len(self.shown)]
        return self.ids[np.unique(np.concatenate([np.zeros(0, np.int64), *found]))]

    @classmethod
    def from_data(
        cls,
        data: Any,
        column: str | None = None,
        time: str | None = None,
        values: Sequence[str] | None = None,
        group: str | Sequence[str] | None = None,
        by: str | None = None,
        color: str | None = None,
        rows: Iterable[Any] | None = None,
        **params: Any,
    ) -> SeriesTracks:
        """Of a table with a time column, or of a column that names files of series.

        Parameters
        ----------
        data : Dataset, DataFrame, or whatever `kernels.search.load` takes
        column : str, optional
            That names files of series; by default the first such one. Each row is then a series.
        time : str, optional
            Column of times, of the table or of the files; by default the one that looks like it, else steps count.
        values : sequence of str, optional
            Columns of numbers; by default all others.
        group : str or sequence of str, optional
            Of a table: rows with the same value, or values, here are one series.
        by : {"value", "series", "both"}, optional
            A track per column of values (channel), per series, or per channel of each series; by default per series
            where files are read. Several channels in one track have a colour each where no classes have.
        color : str, optional
            Column of classes of the rows; by default a suggested target that holds labels.
        rows : iterable of ids, optional
            These only; of files by default as many as `MOST_FILES`, evenly spread.

        Raises
        ------
        ValueError
            If a column is not there or of another type, or there are no numbers to draw.
        """
        from ..kernels.search.data import load

        data = load(data)
        if by not in (None, *WAYS):
            raise ValueError(f"by = {by!r}; expected one of {', '.join(WAYS)}")
        files = [name for name, found in data.columns.items() if found.type == "timeseries"]
        group = (group,) if isinstance(group, str) else tuple(group or ())
        named = {name for name in (time, *group, *(values or ())) if name is not None}
        column = column or (files[0] if files and not named & set(data.columns) else None)
        color = color or _classes(data)
        if color is not None:
            data.column(color)
        if column is None:
            made = _of_table(data if rows is None else data.take(rows), time, values, group, by, color)
        else:
            made = _of_files(data, column, time, values, by or "series", color, rows)
        return cls(None, **(made | params))


def series_tracks(data: Any, height: int = 70, **params: Any) -> Any:
    """Tracks over an overview of the whole time; brushing the overview chooses what the tracks show.

    Parameters
    ----------
    data : SeriesTracks, or what `SeriesTracks.from_data` takes
    height : int
        Pixels of the overview.

    Returns
    -------
    hv.Layout
        The tracks and their overview. All of the brushing is done in the browser.
    """
    from .series_tracks_bokeh import TimeLink  # HoloViews' plotting comes with it

    detail = data if isinstance(data, SeriesTracks) else SeriesTracks.from_data(data, **params)
    whole = detail.overview().opts(track_height=height, tools=[], default_tools=[], active_tools=[], xlabel=" ")
    TimeLink(whole, detail)
    return (detail + whole).cols(1).opts(shared_axes=False, toolbar=None)


# -- lines of a table and of files


def _of_table(data: Any, time: Any, values: Any, group: tuple[str, ...], by: Any, color: Any) -> dict[str, Any]:
    for name in (time, *group):
        if name is not None:
            data.column(name)
    time = time or next(iter(data.times), None)
    names = _numbers(data, values, {time, *group, color})
    at, dated = _times(data.frame[time]) if time else (np.arange(len(data), dtype=float), False)
    keys = _keys(data.frame, group)
    order = np.argsort(at, kind="stable")
    order = order[np.isfinite(at[order])]
    codes, series = pd.factorize(keys.to_numpy(dtype=object)[order])
    plain = {name: data.frame[name].to_numpy(dtype=float, na_value=np.nan) for name in names}
    lines = []
    grouped = order[np.argsort(codes, kind="stable")][(codes < 0).sum() :]  # rows without a group come first
    parts = np.split(grouped, np.cumsum(np.bincount(codes[codes >= 0], minlength=len(series)))[:-1])
    for key, rows in zip(series, parts, strict=True) if len(series) else ():
        label = _commonest(data.frame[color].iloc[rows]) if color and group else ""
        for name in names:
            track = {"series": str(key), "both": f"{key}, {name}"}.get(by, name) if group else name
            called = " ".join(filter(None, (str(key), name if by != "series" or len(names) > 1 else "")))
            lines.append(Line(track, called, at[rows], plain[name][rows], rows, label))
    order_of = {name: at for at, name in enumerate(dict.fromkeys(line.track for line in lines))}
    lines.sort(key=lambda line: order_of[line.track])
    return {"lines": lines, "ids": id_array(data.frame.index), "dated": dated, "time": time or "row"}


def _keys(frame: pd.DataFrame, group: tuple[str, ...]) -> pd.Series:
    """Which series each row is of, as text; missing where one of its values is."""
    if not group:
        return pd.Series("", frame.index)
    parts = [frame[name].map(str, na_action="ignore").astype(object) for name in group]
    whole = parts[0].str.cat(parts[1:], sep=", ") if len(parts) > 1 else parts[0]
    return whole


def _of_files(data: Any, column: str, time: Any, values: Any, by: str, color: Any, rows: Any) -> dict[str, Any]:
    if data.column(column).type != "timeseries":
        raise ValueError(f'{data.name}: column "{column}" is {data.column(column).type}; expected timeseries')
    named = data.frame.index[data.frame[column].notna()]
    few = np.unique(np.linspace(0, len(named) - 1, min(MOST_FILES, len(named))).astype(int))
    chosen = pd.Index(list(rows)) if rows is not None else named[few]
    lines, dated, axis = [], False, time
    for place, (row, frame) in enumerate(zip(chosen, data.read(column, chosen), strict=True)):
        if frame is None:
            continue
        own = _time_of(frame, time, f'{data.name}, column "{column}", row {row}')
        at, dated = _times(frame[own]) if own else (np.arange(len(frame), dtype=float), False)
        axis, order = axis or own, np.argsort(at, kind="stable")
        order = order[np.isfinite(at[order])]
        label = _commonest(data.frame[color].loc[[row]]) if color else ""
        names = list(values or _number_columns(frame, own))
        for name in names:
            if name not in frame:
                raise ValueError(f"{data.name}, row {row}: no column {name!r} in its series")
            track = {"series": f"row {row}", "both": f"row {row}, {name}"}.get(by, name)
            ink = label or (name if by == "series" and len(names) > 1 else "")
            y = frame[name].to_numpy(dtype=float, na_value=np.nan)[order]
            lines.append(Line(track, f"row {row}, {name}", at[order], y, np.array([place]), ink))
    return {"lines": lines, "ids": id_array(chosen), "dated": dated, "time": axis or "step"}


def channels(data: Any, column: str) -> list[str]:
    """Channels of the series that a column names, as the first of its files has them; fewer than two: there is one.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    rows = data.frame.index[data.frame[column].notna()][:1]
    frames = [frame for frame in data.read(column, rows) if frame is not None]
    return _number_columns(frames[0], _time_of(frames[0], None, data.name)) if frames else []


def _numbers(data: Any, values: Any, others: set[Any]) -> list[str]:
    if values is None:
        found = data.columns.items()
        return [name for name, each in found if each.type in ("integer", "real") and name not in others]
    for name in values:
        if data.column(name).type not in ("integer", "real"):
            raise ValueError(f'{data.name}: column "{name}" is {data.column(name).type}; expected numbers')
    return list(values)


def _number_columns(frame: pd.DataFrame, time: Any) -> list[str]:
    return [name for name in frame if name != time and pd.api.types.is_numeric_dtype(frame[name])]


def _time_of(frame: pd.DataFrame, time: Any, where: str) -> str | None:
    """The column of times of one file."""
    if time is not None:
        if time not in frame:
            raise ValueError(f"{where}: no column {time!r}; it has {', '.join(map(str, frame.columns))}")
        return time
    dates = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    named = [name for name in frame if str(name).lower() in TIMES and pd.api.types.is_numeric_dtype(frame[name])]
    return next(iter([*dates, *named]), None)


def _times(values: pd.Series) -> tuple[np.ndarray, bool]:
    """Times as numbers, NaN where missing, and whether they are dates (milliseconds since 1970)."""
    if pd.api.types.is_numeric_dtype(values):
        plain = values.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(plain), plain, np.nan), False
    stamps = pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype("int64") / 1e3), True


def _classes(data: Any) -> str | None:
    """The column whose labels colour lines."""
    return next(
        (
            name
            for name, column in data.columns.items()
            if column.type in ("categorical", "boolean") and column.role == "suggestedTarget"
        ),
        None,
    )


def _commonest(values: pd.Series) -> str:
    found = values.dropna().map(str).value_counts()
    return str(found.index[0]) if len(found) else ""


def _nearest(line: Line, x: float | None) -> np.ndarray:
    """Positions of the line's rows, or of the one nearest to a time."""
    if x is None or not line.by_point or not len(line.x):
        return line.rows
    right = min(int(np.searchsorted(line.x, x)), len(line.x) - 1)
    left = max(right - 1, 0)
    return line.rows[[left if abs(line.x[left] - x) < abs(line.x[right] - x) else right]]


def _shown(lines: Sequence[Line], tracks: Sequence[str]) -> list[Line]:
    place = {name: at for at, name in enumerate(tracks)}
    return sorted((line for line in lines if line.track in place), key=lambda line: place[line.track])


def _table(lines: Sequence[Line], tracks: Sequence[str]) -> dict[str, np.ndarray]:
    shown, place = _shown(lines, tracks), {name: at for at, name in enumerate(tracks)}
    known = [line.y[np.isfinite(line.y)] for line in shown]
    return {
        "track": np.array([place[line.track] for line in shown], np.int64),
        "line": np.arange(len(shown)),
        "points": np.array([len(line.x) for line in shown], np.int64),
        "low": np.array([y.min() if len(y) else np.nan for y in known], float),
        "high": np.array([y.max() if len(y) else np.nan for y in known], float),
    }
