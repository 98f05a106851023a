"""Joins: columns of another table added to a data set's rows by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .columns import Column, check_known
from .data import Dataset, load
from .values import label

NO_VALUES = ("index", "other", "graph")  # types that nobody can ask for


@dataclass(frozen=True, eq=False)
class Joined:
    """A table whose columns were added to a data set.

    Parameters
    ----------
    table : Dataset
        Its key columns, and those that were added.
    keys : tuple of (str, str)
        Columns that are the key, here and there.
    columns : dict
        Name here -> name there of the columns that were added.
    types : dict
        Types of the key columns here: of other types, 7 and "007" would not meet.
    """

    table: Dataset
    keys: tuple[tuple[str, str], ...]
    columns: dict[str, str]
    types: dict[str, str]

    def __str__(self) -> str:
        return f"{self.table.name} by {', '.join(here for here, _ in self.keys)}"


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
    pairs = {name if name not in data.columns else f"{table.name}.{name}": name for name in wanted}
    if len(pairs) < len(wanted):
        raise ValueError(f"{table.name}: {' and '.join(wanted)} would have one name here; choose fewer columns")
    there = [name for name in table.columns if name in {*wanted, *(name for _, name in keys)}]
    types = {name: data.columns[name].type for name, _ in keys if data.columns[name].type not in NO_VALUES}
    return _added(data, Joined(table.select(there), tuple(keys), pairs, types))


def completed(data: Dataset, joined: Sequence[Joined], wanted: Iterable[str]) -> Dataset:
    """New rows with the columns they lack, from the tables that were joined to the rows of the training.

    Parameters
    ----------
    data : Dataset
        The new rows.
    joined : sequence of Joined
        Of the training data, in the order of the joins.
    wanted : iterable of str
        Columns that they should have. What no table has, or whose key the rows lack, stays away.
    """
    missing = [name for name in wanted if name not in data.columns]
    for each in needed(joined, missing):
        lacking = {here: there for here, there in each.columns.items() if here not in data.columns}
        if lacking and all(here in data.columns for here, _ in each.keys):
            data = _added(data, replace(each, columns=lacking))
    return data


def needed(joined: Sequence[Joined], wanted: Iterable[str]) -> list[Joined]:
    """The tables that these columns come from, with those columns only, and what their keys come from."""
    names, found = set(wanted), list[Joined]()
    for each in reversed(joined):  # the key of a later join may come from an earlier one
        columns = {here: there for here, there in each.columns.items() if here in names}
        if columns:
            names |= {here for here, _ in each.keys}
            there = {*columns.values(), *(name for _, name in each.keys)}
            table = each.table.select(name for name in each.table.columns if name in there)
            found.append(replace(each, table=table, columns=columns))
    return found[::-1]


def key_types(joined: Iterable[Joined]) -> dict[str, str]:
    """Types with which the key columns of new rows are to be read."""
    return {name: kind for each in joined for name, kind in each.types.items()}


def typed_like(data: Dataset, types: Mapping[str, str]) -> Dataset:
    """A data set whose columns have these types, as far as it has them."""
    others = {name: kind for name, kind in types.items() if name in data.columns and data.columns[name].type != kind}
    return data.with_types(others) if others else data


def origins(names: Iterable[str], joined: Sequence[Joined]) -> str:
    """Where missing columns come from, to append to a message; "" where nobody knows."""
    missing = list(names)
    found = [each for each in joined if set(missing) & set(each.columns)]
    told = [
        f"{', '.join(repr(name) for name in missing if name in each.columns)} was joined from {each}, and the rows "
        f"lack that, too"
        for each in found
    ]
    return "".join(f"; {words}" for words in told)


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


def _places(data: Dataset, table: Dataset, keys: Sequence[tuple[str, str]]) -> np.ndarray:
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


def _added(data: Dataset, joined: Joined) -> Dataset:
    table, keys = joined.table, joined.keys
    places = _places(data, table, keys)
    frame, columns, resources = data.frame.copy(), dict(data.columns), dict(data.resources)
    by = ", ".join(name for name, _ in keys)
    for new, name in joined.columns.items():
        column = table.columns[name]
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
        data,
        frame=frame,
        columns=columns,
        resources=resources,
        notes=(*data.notes, *([note] if missing else [])),
        joined=(*data.joined, joined),
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
