"""Time: parts of the calendar, and intervals."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from .attributes import Attribute
from .binning import DAY, MONTH, MONTHS, QUARTER, YEAR, bin_cycle, bin_dates, bin_intervals
from .columns import as_instants
from .integer import whole_between

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CYCLES = {"weekday": ("D", 3, 7), "hour": ("h", 0, 24)}  # unit, shift, period
DATES = {"month": MONTH, "quarter": QUARTER, "day": DAY, "year": YEAR}
TABLE = (-25567, 47482)  # days from 1900 to 2099, whose bins are looked up
# part: first value, number of values
PARTS = {
    "month": (1, 12),
    "weekday": (0, 7),
    "hour": (0, 24),
    "day": (1, 31),
    "quarter": (1, 4),
    "year": (0, 0),
}
PER_DAY = {"D": 1, "h": 24, "m": 1440, "s": 86400, "ms": 86400 * 10**3, "us": 86400 * 10**6, "ns": 86400 * 10**9}
WIDTHS = {"D": 86400, "W": 7 * 86400, "h": 3600, "min": 60, "s": 1}  # seconds
CALENDAR = {"M": 1, "Q": 3, "Y": 12}  # months
FINE = {"ms": "ms", "us": "us"}


class Temporal(Attribute):
    """Instants: a part of the calendar, or intervals between two dates.

    Instants without a time zone are taken as they are, those with one in UTC; so are `start`, `stop` and selections.

    Parameters
    ----------
    name : str
    part : "month", "weekday", "hour", "day", "quarter" or "year", optional
        Monday is 0, January 1. Years need `start` and `stop`, both included.
    start, stop : date, datetime, numpy.datetime64 or text in ISO 8601, optional
        Of the intervals; `stop` is not included. If no whole number of intervals fits, the last one goes past `stop`.
    every : str, optional
        Width of the intervals: a number and "ms", "s", "min", "h", "D", "W", or calendar months, quarters and years
        "M", "Q", "Y", which begin on the first day of `start`'s month.
    missing : bool
        Keep a last bin for missing values.
    column : str, optional
        The column's name, if not `name`.
    title, unit : str, optional
    """

    kind = "temporal"
    part: str | None
    start: Any
    stop: Any
    every: str | None

    def __init__(
        self,
        name: str,
        part: str | None = None,
        start: Any = None,
        stop: Any = None,
        every: str | None = None,
        column: str | None = None,
        *,
        missing: bool = False,
        title: str | None = None,
        unit: str = "",
    ) -> None:
        if (part is None) == (every is None):
            raise ValueError(f"{name}: expected either part= or every=, with start= and stop=")
        laid = _lay_part(name, part, start, stop) if part is not None else _lay_intervals(name, start, stop, str(every))
        self._set(name, (column or name,), (laid.pop("n"),), missing, title, unit)
        self._keep(part=part, every=every, **laid)

    _low: int  # value of bin 0: of the part, or in base units since 1970, or in months since the year 0
    _width: int  # of an interval in base units or months
    _base: str  # base unit: NumPy's code
    _months: bool

    def _labels(self) -> list[str]:
        if self.part == "month":
            return list(MONTH_NAMES)
        if self.part == "weekday":
            return list(WEEKDAY_NAMES)
        if self.part is not None:
            return [("Q" if self.part == "quarter" else "") + str(self._low + i) for i in range(self.size)]
        return _date_labels(self.starts()[:-1], self._months and self._width % 12 == 0 and self._low % 12 == 0)

    def starts(self) -> np.ndarray:
        """Where the intervals begin, and where the last one ends: (n + 1,) datetime64."""
        if self.part is not None:
            raise ValueError(f"{self.name}: parts of the calendar have no start")
        places = self._low + self._width * np.arange(self.size + 1)
        if self._months:
            return (places - 1970 * 12).astype("M8[M]")
        return places.astype(f"M8[{self._base}]")

    def _table(self, values: list[Any]) -> np.ndarray:
        out = np.empty(len(values), np.int32)
        self._bin(as_instants(values, self.columns[0]), out)
        return out

    def _bin(self, values: np.ndarray, out: np.ndarray) -> None:
        if values.dtype.kind != "M":
            raise self._refuse(values, "dates or times")
        if self.part in CYCLES:
            base, shift, period = CYCLES[self.part]
            ticks, per_day = in_ticks(values, base)
            bin_cycle(ticks, per_day // PER_DAY[base], shift, period, self._missing, out)
        elif self.part is not None or self._months:
            ticks, per_day = in_ticks(values, "D")
            laid = (DATES.get(self.part or "", MONTHS), self._low, self._width, self.size)
            bin_dates(ticks, per_day, *laid, day_table(*laid), TABLE[0], self._missing, out)
        else:
            ticks, per_day = in_ticks(values, self._base)
            per_base = per_day // PER_DAY[self._base]
            bin_intervals(ticks, per_base, self._low, self._width, self.size, self._missing, out)

    def _bin_of(self, value: Any) -> int:
        if isinstance(value, str) and (place := self._index_of_label(value)) >= 0:
            return place
        if self.part is not None and isinstance(value, (int, float, np.integer)):
            return int(value) - self._low if value == int(value) and 0 <= value - self._low < self.size else -1
        try:
            return int(self._table([value])[0])
        except TypeError:
            return -1

    def _between(self, values: tuple) -> tuple[int, ...]:
        if self.part is not None:
            values = tuple(self._part_value(value) for value in values)
            return whole_between(*self._ends(values), self._low, self.size)
        return self._dates_between(values)

    def _part_value(self, value: Any) -> Any:
        """A label's number; everything else as it is."""
        if isinstance(value, str) and self._index_of_label(value) >= 0:
            return self._low + self._index_of_label(value)
        return value

    def _dates_between(self, values: tuple) -> tuple[int, ...]:
        if len(values) != 2:
            raise TypeError(f"{self.name}: {values!r} is no range; expected (low, high) dates")
        low = None if values[0] is None else first_tick(values[0], self.name)
        high = None if values[1] is None else last_tick(values[1], self.name)
        if low is not None and high is not None and high < low:
            raise ValueError(f"{self.name}: ({values[0]!r}, {values[1]!r}) is reversed")
        edges = self.starts().astype("M8[us]")
        start = 0 if low is None else max(int(np.searchsorted(edges, low, "right")) - 1, 0)
        stop = self.size if high is None else min(int(np.searchsorted(edges, high, "right")), self.size)
        return (start, stop) if start < stop else (0, 0)

    def _own_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "start": self.start if self.start is None or isinstance(self.start, int) else str(self.start),
            "stop": self.stop if self.stop is None or isinstance(self.stop, int) else str(self.stop),
            "every": self.every,
            "column": self.columns[0],
        }


@functools.lru_cache(64)
def day_table(part: int, low: int, width: int, bins: int) -> np.ndarray:
    """Bins of the days in TABLE, for parts of the date (see `binning.calendar_bin`)."""
    days = np.arange(*TABLE)
    table = np.empty(len(days), np.int32)
    bin_dates(days, 1, part, low, width, bins, table[:0], 0, -1, table)
    return table


def in_ticks(values: np.ndarray, base: str) -> tuple[np.ndarray, int]:
    """Instants as int64 and their ticks per day, no fewer than of `base`: instants in coarser units are converted."""
    unit, count = np.datetime_data(values.dtype)
    if count != 1 or unit not in PER_DAY:
        unit = "D" if unit in ("Y", "M", "W", "D") else "us" if unit in PER_DAY else "ns"
        values = values.astype(f"M8[{unit}]")
    if PER_DAY[unit] < PER_DAY[base]:
        limit = np.iinfo(np.int64).max // (PER_DAY[base] // PER_DAY[unit])  # farther ones would overflow: outside
        far = np.clip(values.view(np.int64), -limit, limit).view(values.dtype)
        values = np.where(np.isnat(values), values, far).astype(f"M8[{base}]")
        unit = base
    return values.view(np.int64), PER_DAY[unit]


def instant(value: Any, name: str) -> np.datetime64:
    """One date or time as datetime64 in microseconds, UTC where it has a time zone.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return as_instants([value], name).astype("M8[us]")[0]
    except TypeError:
        raise ValueError(
            f"{name}: {value!r} is no date; expected one like '2024-03-01' or '2024-03-01T12:00'"
        ) from None


def first_tick(value: Any, name: str) -> np.datetime64:
    found = instant(value, name)
    if np.isnat(found):
        raise ValueError(f"{name}: {value!r} is no date")
    return found


def last_tick(value: Any, name: str) -> np.datetime64:
    """The last microsecond that a value names: of the whole day for a date, of the month for "2024-03"."""
    found = first_tick(value, name)
    text = value if isinstance(value, str) else str(value)
    unit = next((u for length, u in ((4, "Y"), (7, "M"), (10, "D")) if len(text) == length), None)
    if unit is None:
        return found
    return (found.astype(f"M8[{unit}]") + 1).astype("M8[us]") - 1


def _lay_part(name: str, part: str, start: Any, stop: Any) -> dict[str, Any]:
    if part not in PARTS:
        raise ValueError(f"{name}: part {part!r}; expected one of {', '.join(PARTS)}")
    low, n = PARTS[part]
    if part == "year":
        if start is None or stop is None:
            raise ValueError(f"{name}: years need start= and stop=, the first and the last year")
        start, stop = _year(start, name), _year(stop, name)
        if stop < start:
            raise ValueError(f"{name}: start {start} and stop {stop} are reversed")
        low, n = start, stop - start + 1
    elif start is not None or stop is not None:
        raise ValueError(f"{name}: start= and stop= are for years and intervals, not for {part}")
    return {"n": n, "start": start, "stop": stop, "_low": low, "_width": 1, "_base": "D", "_months": False}


def _year(value: Any, name: str) -> int:
    if isinstance(value, (int, np.integer)):
        return int(value)
    return int(first_tick(value, name).astype("M8[Y]").astype(int)) + 1970


def _lay_intervals(name: str, start: Any, stop: Any, every: str) -> dict[str, Any]:
    if start is None or stop is None:
        raise ValueError(f"{name}: intervals need start= and stop=")
    first, last = first_tick(start, name), first_tick(stop, name)
    if not first < last:
        raise ValueError(f"{name}: start {start} is not before stop {stop}")
    count, unit = _parse_every(name, every)
    kept = {"start": str(first), "stop": str(last), "_months": unit in CALENDAR}
    if unit in CALENDAR:
        low = int(first.astype("M8[M]").astype(int)) + 1970 * 12
        end = int((last - 1).astype("M8[M]").astype(int)) + 1970 * 12 + 1
        width, base = count * CALENDAR[unit], "D"
    else:
        base = _base_unit(first, unit)
        width = count * WIDTHS[unit] * (PER_DAY[base] // PER_DAY["s"]) if unit in WIDTHS else count
        width = width * (PER_DAY[base] // PER_DAY[unit]) if unit in FINE else width
        low, end = (
            int(first.astype(f"M8[{base}]").astype(int)),
            -int(-last.astype(int) // (PER_DAY["us"] // PER_DAY[base])),
        )
    return {"n": -(-(end - low) // width), "_low": low, "_width": width, "_base": base, **kept}


def _base_unit(first: np.datetime64, unit: str) -> str:
    """The coarsest of s, ms, us in which start and width are whole."""
    ticks = int(first.astype(int))
    own = "us" if ticks % 1000 else "ms" if ticks % 10**6 else "s"
    return max(own, FINE.get(unit, "s"), key=lambda u: PER_DAY[u])


def _parse_every(name: str, every: str) -> tuple[int, str]:
    match = re.fullmatch(r"(\d*)\s*(ms|us|s|min|h|H|D|d|W|w|M|Q|Y)", every.strip())
    if not match or int(match[1] or 1) < 1:
        raise ValueError(
            f"{name}: every={every!r}; expected a number and one of {', '.join([*FINE, *WIDTHS, *CALENDAR])}"
        )
    unit = {"H": "h", "d": "D", "w": "W"}.get(match[2], match[2])
    return int(match[1] or 1), unit


def _date_labels(starts: np.ndarray, years: bool) -> list[str]:
    """Dates with as little as tells them apart: years, months, days, minutes, ..."""
    if years or starts.dtype == np.dtype("M8[M]"):
        return [str(s) for s in starts.astype("M8[Y]" if years else "M8[M]")]
    for unit in ("D", "m", "s", "ms"):
        cut = starts.astype(f"M8[{unit}]")
        if (cut == starts).all():
            return [str(s).replace("T", " ") for s in cut]
    return [str(s).replace("T", " ") for s in starts]
