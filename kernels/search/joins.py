"""Joins: columns of another table added to a data set's rows by key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .columns import Column, check_known
from .data import Dataset, load
from .values import label


def join(data: Dataset, other: Any, on: Any, columns: Iterable[str] | None = None) -> Dataset:
    """A data set with columns of another table added to its rows (a left join; row ids and order are kept).

    Parameters
    ----------
    data : Dataset
    other : Dataset, DataFrame, path or str
        The other table; a text that names one of the data set's own tables means that.
    on : str, pair of str, or list of either
        Columns that are the key; a pair names it here and there.
    columns : iterable of str, optional
        Columns to add; absent: all but the key.

    Raises
    ------
    ValueError
        If a column is not there, or a key stands for several rows of the other table.
    """
    table, keys = _looked_up(data, other, on)
    wanted = [name for name in table.columns if name not in {there for _, there in keys}]
    if columns is not None:
        wanted = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
        check_known(wanted, table.frame, table.name)
    places = _places(data, table, keys)
    return _added(data, table, wanted, places, keys)


def partners(data: Dataset, other: Any, on: Any) -> int:
    """How many rows a join would find in the other table; parameters and errors as of `join`."""
    table, keys = _looked_up(data, other, on)
    return int((_places(data, table, keys) >= 0).sum())


def _looked_up(data: Dataset, other: Any, on: Any) -> tuple[Dataset, list[tuple[str, str]]]:
    """The other table, and the keys here and there."""
    table = data.table(other) if isinstance(other, str) and other in data.resources else load(other)
    keys = _pairs(on)
    check_known([here for here, _ in keys], data.frame, data.name)
    table = _with_index(table, [there for _, there in keys])
    check_known([there for _, there in keys], table.frame, table.name)
    return table, keys


def _pairs(on: Any) -> list[tuple[str, str]]:
    if isinstance(on, str):
        return [(on, on)]
    if isinstance(on, tuple) and len(on) == 2 and all(isinstance(part, str) for part in on):
        return [(on[0], on[1])]
    if not isinstance(on, (list, tuple)):
        raise ValueError(f"on is {on!r}: expected the name of a column, a pair of one here and one there, or a list")
    found = [pair for part in on for pair in _pairs(part)]
    if not found:
        raise ValueError("on: no key; expected the name of a column, or of one here and one there")
    return found


def _with_index(table: Dataset, keys: list[str]) -> Dataset:
    """A table whose row ids are a column, where the key asks for them."""
    name = str(table.frame.index.name)
    if name not in keys or name in table.columns:
        return table
    frame = table.frame.assign(**{name: table.frame.index})
    return replace(table, frame=frame, columns={**table.columns, name: Column(name, "index", "index")})


def _places(data: Dataset, table: Dataset, keys: list[tuple[str, str]]) -> np.ndarray:
    """For each row here, where its key is in the other table; -1 where it is not."""
    here = _labels(data.frame[[name for name, _ in keys]])
    there = _labels(table.frame[[name for _, name in keys]])
    places: dict[Any, int] = {}
    for place, key in enumerate(there):
        if key is not None and key in places:
            names = ", ".join(name for _, name in keys)
            raise ValueError(
                f"{table.name}: {names} = {', '.join(key)} stands in rows {table.frame.index[places[key]]} and "
                f"{table.frame.index[place]}; expected each key once"
            )
        if key is not None:
            places[key] = place
    return np.array([places.get(key, -1) for key in here], dtype=int)


def _labels(frame: pd.DataFrame) -> list[tuple[str, ...] | None]:
    """Keys as texts, so that 1, 1.0 and "1" are the same; None where a part is missing."""
    parts = [[None if pd.isna(value) else label(value) for value in frame[name]] for name in frame]
    return [None if None in key else key for key in zip(*parts, strict=True)]


def _added(
    data: Dataset, table: Dataset, wanted: list[str], places: np.ndarray, keys: list[tuple[str, str]]
) -> Dataset:
    frame, columns, resources = data.frame.copy(), dict(data.columns), dict(data.resources)
    by = ", ".join(name for name, _ in keys)
    for name in wanted:
        column = table.columns[name]
        new = name if name not in columns else f"{table.name}.{name}"
        if new in columns:
            raise ValueError(f'{data.name}: it has a column "{new}" already')
        found = _taken(table.frame[name], places)
        frame[new] = pd.Series(found, frame.index, dtype=found.dtype)  # else pandas makes its own text of str and None
        why = "; ".join(filter(None, (f"from {table.name} by {by}", column.why)))
        columns[new] = replace(column, name=new, why=why, refers=_rename(column, table, resources))
    missing = int((places < 0).sum())
    note = f"{table.name}: no row for {missing:,} of {len(places):,} rows, by {by}"
    if missing == len(places):
        note += "; " + "; ".join(_examples(data.frame[here], table.frame[there]) for here, there in keys)
    return replace(
        data, frame=frame, columns=columns, resources=resources, notes=(*data.notes, *([note] if missing else []))
    )


def _examples(here: pd.Series, there: pd.Series) -> str:
    """What two keys look like that do not meet."""
    shown = [", ".join(map(str, side.dropna().unique()[:3])) or "missing" for side in (here, there)]
    return f"{here.name} is {shown[0]} here, {there.name} is {shown[1]} there"


def _rename(column: Column, table: Dataset, resources: dict[str, Any]) -> str | None:
    """The resource a joined column refers to, taken along under a name that is free."""
    if column.refers is None or column.refers not in table.resources:
        return column.refers
    wanted = table.resources[column.refers]
    held = resources.get(column.refers)
    name = column.refers if held is None or held == wanted else f"{table.name}.{column.refers}"
    resources[name] = replace(wanted, name=name)
    return name


def _taken(series: pd.Series, places: np.ndarray) -> np.ndarray:
    """Values at these places, missing at -1, in the form of the column's type."""
    found = series.take(np.maximum(places, 0)).reset_index(drop=True)
    gone = places < 0
    if not gone.any():
        return found.to_numpy()
    if found.dtype == bool or found.dtype == object:
        return np.array([None if lost else value for value, lost in zip(found, gone, strict=True)], dtype=object)
    return found.astype(float if found.dtype.kind == "i" else found.dtype).mask(gone).to_numpy()
