"""Values of a column brought into the form of its type: numbers, labels, truths, dates; what is missing.

A column of numbers is float64, integers without gaps int64; truths are bool, or object with None; dates datetime64[us]
(naive, UTC), or numbers where they only count steps; all others are object of str with None. Infinite numbers count as
missing.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from .answers import SEPARATOR

EXACT = 2**53  # up to here every integer has a float64 of its own
INT64 = 2**63 - 1
WORDS_FOR_NONE = frozenset(("NaN", "nan", "<NA>", "#N/A", "NULL", "null"))  # missing in any column of a file
UNKNOWN = WORDS_FOR_NONE | {"NA", "N/A", "n/a", "na", "NAN", "None", "none", "?", "-", "."}  # missing among numbers
TRUTHS = {"true": True, "false": False}
SETS = (list, tuple, set, frozenset)  # of labels, as multi-label targets may be given
DATES = (datetime.date, np.datetime64, pd.Timestamp, pd.Period)
INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
REAL = re.compile(r"(?i)\s*[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)\s*")
CLOCK = r"([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
ISO = re.compile(r"\s*[0-9]{4}-[0-9]{2}(-[0-9]{2}" + CLOCK + r")?\s*")
YEAR_FIRST = re.compile(r"\s*[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}" + CLOCK + r"\s*")
YEAR_LAST = re.compile(r"\s*([0-9]{1,2})([/.-])([0-9]{1,2})[/.-][0-9]{4}" + CLOCK + r"\s*")
AM_PM = re.compile(r"(?i)\s*([0-9]{1,2})([/.-])([0-9]{1,2})[/.-][0-9]{4} [0-9]{1,2}:[0-9]{2}(:[0-9]{2})? ?[ap]m\s*")
MONTHS = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[.]?"
WEEKDAY = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]*[.]?,? )?"
DAY_MONTH = re.compile(r"(?i)\s*" + WEEKDAY + r"[0-9]{1,2}[. -]+" + MONTHS + r"[, -]+[0-9]{4}" + CLOCK + r"\s*")
MONTH_DAY = re.compile(r"(?i)\s*" + WEEKDAY + MONTHS + r" [0-9]{1,2},? [0-9]{4}" + CLOCK + r"\s*")
YEAR = re.compile(r"\s*[12][0-9]{3}\s*")


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row, not too many."""
    found = list(names)
    return ", ".join(found[:most]) + (f", ... ({len(found)} in all)" if len(found) > most else "")


def nth(place: int) -> str:
    """An ordinal number of a place counted from 0."""
    n = place + 1
    end = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{end}"


def objects(series: pd.Series) -> list[Any]:
    """Values as plain Python objects, None where one is missing."""
    if isinstance(series.dtype, pd.StringDtype):
        series = series.astype(object).where(series.notna(), None)
    if series.dtype == object and set(map(type, series)) <= {str, type(None)}:  # the common case, and the slow one
        return [value if value and not value.isspace() else None for value in series]
    missing = series.isna().to_numpy()
    return [None if gone else _plain(value) for value, gone in zip(series.astype(object), missing, strict=True)]


def few_texts(series: pd.Series) -> tuple[np.ndarray, list[str | None]] | None:
    """Where a column's texts stand among its distinct ones, and these; the last of them, None, is for what is missing.

    None for columns that hold something else than text, or more than twice as many values as distinct ones only: those
    are looked at value by value.
    """
    if pd.api.types.infer_dtype(series, skipna=True) != "string":
        return None
    places, found = pd.factorize(series)
    if len(found) > len(series) / 2:
        return None
    return places, [*(text if text and not text.isspace() else None for text in found), None]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        return _plain(value.item())
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, decimal.Decimal):
        return None if value.is_nan() else float(value)
    return value


def all_match(pattern: re.Pattern[str], found: list[str]) -> bool:
    """Whether each value is of this form."""
    return all(map(pattern.fullmatch, found))


def convert(series: pd.Series, type: str, where: str = "the table") -> tuple[pd.Series, str]:
    """A column in the form of a type, and what was done to its values, if that is worth a word.

    Raises
    ------
    ValueError
        If a value does not fit; the message names table, column and row.
    """
    forms: dict[str, Callable[[pd.Series], tuple[pd.Series, str]]] = {
        "boolean": _booleans,
        "integer": _integers,
        "real": _reals,
        "dateTime": _dates,
    }
    try:
        found, why = forms.get(type, _labels)(series)
    except Unfit as unfit:
        raise ValueError(f'{where}, column "{series.name}", {row(series.index[unfit.place])}: {unfit}') from None
    return found.rename(series.name), why


def row(name: Any) -> str:
    """A row as messages name it."""
    return f"row {name}"


class Unfit(ValueError):  # noqa: N818 - never leaves this module
    """A value that does not fit a type, and its place in the column."""

    def __init__(self, place: int, value: Any, expected: str) -> None:
        shown = str(label(value))  # as tables show it: 79 rather than 79.0
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        super().__init__(f'"{shown}" is no {expected}')
        self.place = place


def _years(series: pd.Series) -> pd.Series:
    """Dates that are but years (the first of January) as numbers; any other column as it is."""
    if not pd.api.types.is_datetime64_dtype(series.dtype) or not len(series.dropna()):
        return series
    whole = series.dropna().to_numpy()
    return series.dt.year if (whole.astype("datetime64[Y]") == whole).all() else series


def _reals(series: pd.Series) -> tuple[pd.Series, str]:
    series = _years(series)
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        series = series.dt.total_seconds()
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_object_dtype(series.dtype):
        found = series.to_numpy(float, na_value=np.nan)
    else:
        found = _numbers(objects(series))
    infinite = np.isinf(found)
    why = f"infinite in {infinite.sum():,} rows: read as missing" if infinite.any() else ""
    return pd.Series(np.where(infinite, np.nan, found), series.index), why


def _numbers(found: list[Any]) -> np.ndarray:
    if _written(REAL, found):
        return np.array([np.nan if value is None else float(value) for value in found])
    numbers = np.empty(len(found))
    for place, value in enumerate(found):
        numbers[place] = np.nan if value is None else _number(place, value)
    return numbers


def _written(pattern: re.Pattern[str], found: list[Any]) -> bool:
    """Whether all that is there is text of this form."""
    return set(map(type, found)) <= {str, type(None)} and all_match(
        pattern, [text for text in found if text is not None]
    )


def _number(place: int, value: Any) -> float:
    if isinstance(value, str):
        if value.strip() in UNKNOWN:
            return np.nan
        if not REAL.fullmatch(value):
            raise Unfit(place, value, "number")
    try:
        return float(value)
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        raise Unfit(place, value, "number") from None


def _integers(series: pd.Series) -> tuple[pd.Series, str]:
    series = _years(series)
    if pd.api.types.is_integer_dtype(series.dtype) and series.dtype.kind == "i" and not series.isna().any():
        return series.astype("int64"), ""
    raw = objects(series)
    if _written(INTEGER, raw):
        found: list[int | None] = [None if value is None else int(value) for value in raw]
    else:
        found = [_integer(place, value) for place, value in enumerate(raw)]
    gaps = None in found
    bound = EXACT if gaps else INT64
    for place, value in enumerate(found):
        if value is not None and abs(value) > bound:
            raise Unfit(place, value, "integer to compute with exactly; expected real or categorical")
    if gaps:
        return pd.Series([np.nan if value is None else float(value) for value in found], series.index, dtype=float), ""
    return pd.Series(found, series.index, dtype="int64"), ""


def _integer(place: int, value: Any) -> int | None:
    if value is None or isinstance(value, int):
        return value if value is None else int(value)
    if isinstance(value, str) and INTEGER.fullmatch(value):
        return int(value)
    number = _number(place, value)
    if np.isnan(number):
        return None
    if not np.isfinite(number) or number != round(number):
        raise Unfit(place, value, "integer")
    return int(number)


def _booleans(series: pd.Series) -> tuple[pd.Series, str]:
    found = [_truth(place, value) for place, value in enumerate(objects(series))]
    return pd.Series(found, series.index, dtype=object if None in found else bool), ""


def _truth(place: int, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if isinstance(value, str) and value.strip() in UNKNOWN:
        return None
    found = {**TRUTHS, "1": True, "0": False, "1.0": True, "0.0": False, "yes": True, "no": False}.get(text)
    if found is None:
        raise Unfit(place, value, "boolean; expected true or false, yes or no, 1 or 0")
    return found


def _labels(series: pd.Series) -> tuple[pd.Series, str]:
    few = few_texts(series)
    if few is not None:
        labels = np.array([label(value) for value in few[1]], dtype=object)
        return pd.Series(labels[few[0]], series.index, dtype=object), ""
    found = [label(value) for value in objects(series)]
    return pd.Series(found, series.index, dtype=object), ""


def label(value: Any) -> str | None:
    """A value as a label: text as it stands, whole numbers without a point, a set of labels joined; of none as ""."""
    if value is None or isinstance(value, str):
        return None if value in WORDS_FOR_NONE else value
    if isinstance(value, SETS) and all(isinstance(part, str) for part in value):
        parts = [part.replace(SEPARATOR, ",") for part in value]  # none of them may look like two
        return SEPARATOR.join(sorted(parts) if isinstance(value, (set, frozenset)) else parts)
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)


def is_date(found: list[str]) -> bool:
    """Whether all these texts are dates of one form."""
    try:
        return _parse(found) is not None
    except (ValueError, OverflowError):
        return False


def _dates(series: pd.Series) -> tuple[pd.Series, str]:
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if isinstance(series.dtype, pd.ArrowDtype):  # its dates have no time zone, not even none
        series = series.astype(object)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _naive(series), ""
    found = objects(series)
    if any(isinstance(value, DATES) for value in found):
        return _date_objects(series, found), ""
    texts = [None if value is None or value in UNKNOWN else label(value) for value in found]
    present = [text for text in texts if text is not None]
    if all_match(YEAR, present):
        return _from_texts(series, [text and f"{text.strip()}-01-01" for text in texts]), "years" if present else ""
    if all_match(REAL, present):  # dates that are counted: days since whenever
        numbers = pd.Series(texts, series.index, dtype=object).rename(series.name)
        return _reals(numbers)[0], "steps rather than dates"
    return _from_texts(series, texts), ""


def _date_objects(series: pd.Series, found: list[Any]) -> pd.Series:
    for place, value in enumerate(found):
        if value is not None and not isinstance(value, (*DATES, str)):
            raise Unfit(place, value, "date")
    moments = [value.to_timestamp() if isinstance(value, pd.Period) else value for value in found]
    try:
        return _naive(pd.Series(pd.to_datetime(moments, utc=True, format="mixed"), series.index))
    except (ValueError, OverflowError) as error:
        raise ValueError(f'column "{series.name}": {error}') from error


def _from_texts(series: pd.Series, texts: list[str | None]) -> pd.Series:
    places = [place for place, text in enumerate(texts) if text is not None]
    present = [text for text in texts if text is not None]
    moments = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[us]")
    try:
        parsed = _parse(present)
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise Unfit(*_first_no_date(places, present))
    moments[places] = parsed.to_numpy()
    return pd.Series(moments, series.index)


def _first_no_date(places: list[int], present: list[str]) -> tuple[int, str, str]:
    for place, text in zip(places, present, strict=True):
        if not is_date([text]):
            return place, text, "date"
    return places[0], present[0], "date of the same form as the others"


def _parse(found: list[str]) -> pd.Series | None:
    """Dates of one form; None if they are of no form known here."""
    if not found:
        return pd.Series([], dtype="datetime64[us]")
    if all_match(ISO, found):
        return _naive(pd.Series(pd.to_datetime(found, format="ISO8601", utc=True)))
    if all_match(YEAR_FIRST, found):
        return _naive(pd.Series(pd.to_datetime(found, format="mixed", yearfirst=True, utc=True)))
    for pattern in (YEAR_LAST, AM_PM):
        if all_match(pattern, found):
            parts = [match for match in map(pattern.fullmatch, found) if match]
            months_first = any(int(part[3]) > 12 for part in parts)
            if months_first and any(int(part[1]) > 12 for part in parts):
                return None
            day_first = not months_first and any(part[2] != "/" or int(part[1]) > 12 for part in parts)
            return _naive(pd.Series(pd.to_datetime(found, format="mixed", dayfirst=day_first, utc=True)))
    if all_match(DAY_MONTH, found) or all_match(MONTH_DAY, found):
        return _naive(pd.Series(pd.to_datetime(found, format="mixed", utc=True)))
    return None


def _naive(series: pd.Series) -> pd.Series:
    if series.dt.tz is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.astype("datetime64[us]")
