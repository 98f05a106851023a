"""A collection of series as one table, a row per step: so that what goes on in them can be forecast."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from .columns import TIME_NAMES, Column

if TYPE_CHECKING:
    from .data import Dataset

SERIES, STEP = "series", "step"


def unrolled(data: Dataset, column: str | None = None) -> Dataset:
    """One row per step of each series, with the channels as columns, beside what is known of the series.

    Parameters
    ----------
    data : Dataset
    column : str, optional
        Of the series; where there is one only it need not be named.

    Returns
    -------
    Dataset
        Columns: "series" (the row id in `data`, a grouping key), the time (role timeIndicator: the files' column of
        dates, or named like one; else "step", counted), the channels, and the other columns of `data`, those of the
        series' row repeated. The split of `data` is not kept: its rows are whole series, and a forecast of a series
        needs its past.

    Raises
    ------
    ValueError
        If there is no column of series, or several; or a name is that of a channel and of a column.
    """
    from .data import Dataset as Made

    name = _series_column(data, column)
    tables = [table for table in zip(data.frame.index, data.read(name), strict=True) if table[1] is not None]
    if not tables:
        raise ValueError(f'{data.name}, column "{name}": no series in it')
    time = _time_of(tables[0][1])
    parts = [_steps(row, table, time) for row, table in tables]
    long = pd.concat(parts, ignore_index=True)
    beside = data.frame.drop(columns=name)
    both = [each for each in beside if each in long]
    if both:
        raise ValueError(f'{data.name}: "{both[0]}" is a column of the table and of its series; rename one of them')
    frame = long.join(beside, on=SERIES).rename_axis(index="row")
    columns = {SERIES: Column(SERIES, "categorical", "suggestedGroupingKey", why="the row of the table it was in")}
    columns |= {each: _channel(long, each, time) for each in long if each != SERIES}
    columns |= {each: replace(data.columns[each]) for each in beside}
    frame = frame[list(columns)].assign(**{SERIES: frame[SERIES].map(str).astype(object)})
    note = f"{len(tables):,} series of {name}, a row per step"
    return Made(f"{data.name}: {name}", frame, columns, data.path, dict(data.resources), None, (*data.notes, note))


def _series_column(data: Dataset, column: str | None) -> str:
    found = [name for name, each in data.columns.items() if each.type == "timeseries" and each.is_media]
    if column is not None:
        if column not in found:
            raise ValueError(f'{data.name}: column "{column}" holds no series; {", ".join(found) or "none"} would do')
        return column
    if len(found) != 1:
        raise ValueError(
            f"{data.name}: {len(found)} columns of series ({', '.join(found) or 'none'}); name one of them"
        )
    return found[0]


def _time_of(table: pd.DataFrame) -> str | None:
    """The column that orders a series' steps; None where they are in their order."""
    dates = [name for name in table if pd.api.types.is_datetime64_any_dtype(table[name])]
    named = [name for name in table if TIME_NAMES.fullmatch(str(name)) and table[name].is_unique]
    return dates[0] if dates else named[0] if named else None


def _steps(row: Any, table: pd.DataFrame, time: str | None) -> pd.DataFrame:
    if time is not None and time in table:
        table = table.sort_values(time, kind="stable")
    else:
        table = table.assign(**{STEP: range(len(table))})
    return table.assign(**{SERIES: [row] * len(table)})


def _channel(long: pd.DataFrame, name: str, time: str | None) -> Column:
    values = long[name]
    if pd.api.types.is_datetime64_any_dtype(values):
        kind = "dateTime"
    elif pd.api.types.is_bool_dtype(values):
        kind = "boolean"
    elif pd.api.types.is_numeric_dtype(values):
        kind = "integer" if pd.api.types.is_integer_dtype(values) else "real"
    else:
        kind = "categorical"
    return Column(name, kind, "timeIndicator" if name in (time, STEP) else "attribute")
