"""Intervals and calendar parts that fit the dates of a column."""

from __future__ import annotations

import numpy as np

from .attributes import Attribute
from .temporal import Temporal

MOST = 40  # intervals
DAY = np.timedelta64(1, "D")
STEPS = {  # every: days, or the calendar unit it begins with
    **{f"{n}s": n / 86400 for n in (1, 5, 15, 30)},
    **{f"{n}min": n / 1440 for n in (1, 5, 15, 30)},
    **{f"{n}h": n / 24 for n in (1, 3, 6, 12)},
    "1D": 1.0,
    "1W": 7.0,
    "1M": 30.44,
    "1Q": 91.3,
    **{f"{n}Y": n * 365.25 for n in (1, 2, 5, 10, 20, 50, 100, 1000)},
}


def temporal_attributes(name: str, instants: np.ndarray, missing: bool, taken: set[str]) -> list[Attribute]:
    """At most 40 intervals over the instants, and the calendar parts they go through more than once.

    `taken` are names of columns, which parts do not get.
    """
    low, high = (end.astype("M8[us]") for end in (instants.min(), instants.max()))
    found: list[Attribute] = [intervals(name, low, high, missing)]
    days = (high - low) / DAY
    clock = len(np.unique((instants - instants.astype("M8[D]")).astype("m8[h]"))) > 1
    parts = [("month", days > 400), ("weekday", days >= 14), ("hour", days >= 2 and clock)]
    for part, spanned in parts:
        if spanned and f"{name} {part}" not in taken:
            found.append(Temporal(f"{name} {part}", part, column=name, missing=missing))
    return found


def intervals(name: str, low: np.datetime64, high: np.datetime64, missing: bool, every: str | None = None) -> Temporal:
    """Intervals of one of the STEPS from a round date on; by default the finest with no more than 40 of them."""
    if every is not None:
        return _laid(name, low, high, missing, every)
    span = (high - low) / DAY
    for step, days in STEPS.items():
        if span / days <= MOST + 1:
            made = _laid(name, low, high, missing, step)
            if made.size <= MOST:
                return made
    return _laid(name, low, high, missing, "1000Y")


def _laid(name: str, low: np.datetime64, high: np.datetime64, missing: bool, every: str) -> Temporal:
    stop = high + np.timedelta64(1, "us")
    return Temporal(name, start=_floor(low, every), stop=stop, every=every, missing=missing)


def _floor(low: np.datetime64, every: str) -> np.datetime64:
    """The round date at or before: a multiple of the step, a Monday, the first of a month, quarter or year."""
    count, unit = int("".join(filter(str.isdigit, every))), every.strip("0123456789")
    if unit == "W":
        day = low.astype("M8[D]")
        return day - (day.astype(int) + 3) % 7
    if unit in "MQY":
        months = {"M": 1, "Q": 3, "Y": 12}[unit] * count
        since = int(low.astype("M8[M]").astype(int)) + 1970 * 12
        return np.datetime64(since - since % months - 1970 * 12, "M")
    unit = {"min": "m"}.get(unit, unit)
    ticks = np.int64(low.astype(f"M8[{unit}]").astype(int)) // count * count
    return ticks.astype(f"M8[{unit}]")
