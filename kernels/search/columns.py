"""Columns of a data set: their types and roles, and how a type is found out from values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import values as read

TYPES = (
    "boolean",
    "integer",
    "real",
    "categorical",
    "dateTime",
    "text",
    "image",
    "audio",
    "video",
    "timeseries",
    "graph",
    "boxes",
    "index",
    "other",
)
MEDIA = ("text", "image", "audio", "video", "timeseries", "graph")  # types whose values may be names of files
NUMBERS = ("integer", "real")
ROW_NAMES = re.compile(r"(?i)(row|row[ _]?id|id|index|d3mindex|unnamed: 0|column 1)$")
TIME_NAMES = re.compile(r"(?i)(year|month|week|day|date|time|timestamp|step|t)$")
LABEL_SETS = "sets of labels, joined by ;"  # why a column of them is categorical
SAMPLE = 100  # values that are looked at one by one
WORDS = 4  # of a value, at least, on average: then a column holds texts rather than labels


@dataclass(frozen=True)
class Column:
    """What is known of a column.

    Parameters
    ----------
    name : str
    type : str
        One of `TYPES`.
    role : str
        D3M's names: "attribute", "suggestedTarget", "timeIndicator", "key", "index", ...; of several the most telling.
    refers : str, optional
        The resource that its values refer to: files of a collection, nodes of a graph, rows of a table.
    why : str
        Why it got this type, and what was done to its values.
    roles : tuple of str
        All its roles.
    refers_to : str, optional
        What of the resource it refers to: "item", "node", or the name of a column.
    """

    name: str
    type: str
    role: str = "attribute"
    refers: str | None = None
    why: str = ""
    roles: tuple[str, ...] = ()
    refers_to: str | None = None

    @property
    def is_number(self) -> bool:
        return self.type in NUMBERS

    @property
    def is_media(self) -> bool:
        """Whether its values are names of files, to be had by `Dataset.read`."""
        return self.type in MEDIA and self.refers is not None


def check_type(name: str, type: str) -> None:
    """Complain about a type that there is none of."""
    if type not in TYPES:
        raise ValueError(f'column "{name}": no type "{type}"; expected one of {", ".join(TYPES)}')


def infer(series: pd.Series, written: bool = False) -> tuple[str, str]:
    """The type of a column's values, and why.

    Parameters
    ----------
    series : Series
        With None (or NaN) where a value is missing.
    written : bool
        The values are text as in a CSV file, which has no other way to write a number.
    """
    kind = series.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return "categorical", "a pandas categorical"
    if pd.api.types.is_bool_dtype(kind) and series.notna().any():
        return "boolean", ""
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_object_dtype(kind):
        return _infer_numbers(series)
    if pd.api.types.is_datetime64_any_dtype(kind) or isinstance(kind, pd.PeriodDtype):
        return "dateTime", ""
    if pd.api.types.is_timedelta64_dtype(kind):
        return "real", "seconds"
    if _are_words(series):
        return "categorical", ""
    return _infer_objects(read.objects(series), written)


def _are_words(series: pd.Series) -> bool:
    """Whether a column holds a few words again and again, none of which could be anything else: so much is seen without
    a look at each of millions of values."""
    few = read.few_texts(series)
    if few is None or len(few[1]) > SAMPLE:
        return False
    present = [text for text in few[1] if text is not None and text not in read.UNKNOWN]
    rows = int(np.isin(few[0], [at for at, text in enumerate(few[1]) if text in present]).sum())
    return (
        0 < len(present) <= rows / 2
        and not any(map(read.REAL.fullmatch, present))
        and not all(text.strip().lower() in read.TRUTHS for text in present)
        and not any(read.is_date([text]) for text in present)
    )


def _infer_numbers(series: pd.Series) -> tuple[str, str]:
    if pd.api.types.is_complex_dtype(series.dtype):
        raise ValueError(f'column "{series.name}": complex numbers; expected real ones')
    present = series.dropna()
    if not len(present):
        return "other", "no values"
    if pd.api.types.is_integer_dtype(series.dtype):
        ends = [int(present.min()), int(present.max())]
        return _infer_integers(ends + [None] * (len(present) < len(series)))
    numbers = present.to_numpy(float)
    gaps = len(present) < len(series)
    if gaps and np.all(np.isfinite(numbers)) and np.all(numbers == np.round(numbers)):
        return _infer_integers([int(numbers.min()), int(numbers.max()), None])
    return "real", ""


def _infer_integers(found: list[Any]) -> tuple[str, str]:
    present = [int(value) for value in found if value is not None]
    bound = read.EXACT if len(present) < len(found) else read.INT64
    if max(map(abs, present)) <= bound:
        return "integer", ""
    return "categorical", "integers too large to compute with exactly: kept as labels"


def _infer_objects(found: list[Any], written: bool) -> tuple[str, str]:
    kinds = {type(value) for value in found if value is not None}
    if not kinds:
        return "other", "no values"
    if kinds == {str}:
        return infer_text(found, written)
    if kinds <= {bool}:
        return "boolean", ""
    if kinds <= {int}:
        return _infer_integers(found)
    if kinds <= {int, float}:
        return "real", ""
    if all(issubclass(kind, read.DATES) for kind in kinds):
        return "dateTime", ""
    if kinds <= set(read.SETS) and all(isinstance(part, str) for value in found if value for part in value):
        return "categorical", LABEL_SETS
    if kinds & {list, tuple, dict, set, bytes, np.ndarray}:
        return "other", "values that are neither numbers nor text"
    if any(kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__ for kind in kinds):
        return "other", "values that are neither numbers nor text"
    said = " and ".join(sorted(kind.__name__ for kind in kinds))
    return "categorical", f"mixed: {said}" if len(kinds) > 1 else said


def infer_text(found: list[str | None], written: bool = True) -> tuple[str, str]:
    """The type of a column of text. Numbers given as text are numbers only where they were `written`."""
    present = [value for value in found if value is not None and value not in read.UNKNOWN]
    if not present:
        labels = {value for value in found if value is not None} - read.WORDS_FOR_NONE
        return ("categorical", "") if labels else ("other", "no values")
    if all(value.strip().lower() in read.TRUTHS for value in present):
        return "boolean", ""
    if read.all_match(read.INTEGER, present):
        return _infer_digits(present, len(present) < len(found)) if written else _as_given()
    if read.all_match(read.REAL, present):
        return ("real", "") if written else _as_given()
    if read.is_date(present):
        return "dateTime", ""
    return _infer_words(found, present)


def _as_given() -> tuple[str, str]:
    return "categorical", "numbers given as text: kept as labels"


def _infer_digits(present: list[str], gaps: bool) -> tuple[str, str]:
    if any(re.match(r"\s*[+-]?0\d", value) for value in present):
        return "categorical", "leading zeros: kept as labels"
    found: list[Any] = [int(value) for value in present]
    return _infer_integers(found + [None] * gaps)


def _infer_words(found: list[str | None], present: list[str]) -> tuple[str, str]:
    numbers = sum(map(bool, map(read.REAL.fullmatch, present)))
    if numbers > len(present) / 2:
        first = next(place for place, value in enumerate(found) if _is_word(value))
        return "categorical", (
            f'mixed: {len(present) - numbers:,} of {len(present):,} values are no numbers, the first "{found[first]}"'
            f" ({read.nth(first)} value)"
        )
    dates = sum(read.is_date([value]) for value in present[:SAMPLE])
    if dates > len(present[:SAMPLE]) / 2:
        return "categorical", f"mixed: {_no_date(found)}"
    words = sum(len(value.split()) for value in present) / len(present)
    if words >= WORDS and len(set(present)) > len(present) / 2:
        return "text", f"{words:.0f} words on average"
    return "categorical", ""


def _no_date(found: list[str | None]) -> str:
    """Which value keeps a column from being dates."""
    for place, value in enumerate(found):
        if value is not None and value not in read.UNKNOWN and not read.is_date([value]):
            return f'most values are dates, "{value}" ({read.nth(place)} value) is none'
    return "dates of several forms"


def _is_word(value: str | None) -> bool:
    return value is not None and value not in read.UNKNOWN and not read.REAL.fullmatch(value)


def typed(
    frame: pd.DataFrame,
    types: dict[str, str] | None = None,
    written: bool = False,
    declared: dict[str, str] | None = None,
    where: str = "the table",
) -> tuple[pd.DataFrame, dict[str, Column]]:
    """A table's values brought into the form of their types, and its columns.

    Parameters
    ----------
    frame : DataFrame
        Of raw values.
    types : dict
        Types the user wants: a value that does not fit raises.
    written : bool
        The values are text as in a CSV file.
    declared : dict
        Types a file's description claims: where a value does not fit, the type is found out instead, and `why` says so.
    where : str
        What the table is called in messages.
    """
    types, declared = dict(types or {}), declared or {}
    check_known(types, frame, where)
    columns, converted = {}, {}
    for name in frame.columns:
        series, column = _column(frame[name], types.get(name), declared.get(name), written, where)
        columns[name], converted[name] = column, series
    return pd.DataFrame(converted, index=frame.index, columns=list(columns)), columns


def check_known(names: Any, frame: pd.DataFrame, where: str) -> None:
    """Complain about names that are no columns."""
    unknown = [str(name) for name in names if name not in frame.columns]
    if unknown:
        raise ValueError(f"{where}: no column {', '.join(unknown)}; it has {read.listed(map(str, frame.columns))}")


def _column(
    series: pd.Series, wanted: str | None, declared: str | None, written: bool, where: str
) -> tuple[pd.Series, Column]:
    name = str(series.name)
    if wanted is not None:
        check_type(name, wanted)
        found, why = read.convert(series, wanted, where)
        return found, Column(name, wanted, why=why or "chosen")
    if declared is not None:
        try:
            found, why = read.convert(series, declared, where)
            return found, Column(name, declared, why=why)
        except ValueError as error:
            note = f"not {declared} as described: {str(error).removeprefix(f'{where}, ')}"
    else:
        note = ""
    type, why = infer(series, written)
    found, also = read.convert(series, type, where)
    return found, Column(name, type, why="; ".join(filter(None, (note, why, also))))


def guess_roles(frame: pd.DataFrame, columns: dict[str, Column]) -> dict[str, str]:
    """Roles by names and values, where nothing says them: row numbers, and the one column that tells time."""
    roles = {name: "index" for name, column in columns.items() if _names_rows(frame[name], column)}
    dates = [name for name, column in columns.items() if column.type == "dateTime"]
    numbers = [name for name, column in columns.items() if _counts_time(frame[name], column) and name not in roles]
    if len(dates) == 1:
        roles[dates[0]] = "timeIndicator"
    elif not dates and len(numbers) == 1:
        roles[numbers[0]] = "timeIndicator"
    return roles


def _is_own(series: pd.Series) -> bool:
    """Whether every row has a value that no other has."""
    return len(series) > 1 and bool(series.notna().all()) and series.is_unique


def _names_rows(series: pd.Series, column: Column) -> bool:
    return column.type in ("integer", "categorical") and bool(ROW_NAMES.match(column.name)) and _is_own(series)


def _counts_time(series: pd.Series, column: Column) -> bool:
    return column.type in NUMBERS and bool(TIME_NAMES.match(column.name)) and _is_own(series)
