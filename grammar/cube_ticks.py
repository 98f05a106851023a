"""Labels of an axis of many bins: where months, weeks or hours begin, or at every tenth edge."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

MOST = 16  # labels where edges are thinned
FEW = 32  # edges that are all labelled: what does not fit, the browser leaves out
DATE = re.compile(r"-?\d{4}-\d\d(-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?)?$")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SECONDS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400)

Counter = Callable[[np.ndarray], np.ndarray]


def _seconds(width: int) -> Counter:
    return lambda times: times.astype("M8[s]").astype(np.int64) // width


def _weeks(times: np.ndarray) -> np.ndarray:
    return (times.astype("M8[D]").astype(np.int64) + 3) // 7  # from Mondays


def _months(count: int) -> Counter:
    return lambda times: times.astype("M8[M]").astype(np.int64) // count


# What a tick begins, from the finest on.
PERIODS: list[Counter] = [
    *map(_seconds, SECONDS),
    _weeks,
    *map(_months, (1, 3, 6, *(12 * n for n in (1, 2, 5, 10, 20, 50, 100)))),
]


def round_ticks(edges: list[str], first: int = 0) -> dict[int, str]:
    """Which of many edges to label, and how.

    Parameters
    ----------
    edges : list of str
        In order; dates in ISO 8601 are told from numbers. Empty ones are left out.
    first : int
        The number of the first one.
    """
    named = [(first + i, text) for i, text in enumerate(edges) if text]
    if len(named) <= FEW:
        return dict(named)
    if all(DATE.match(text) for _, text in named):
        return _dates([number for number, _ in named], [text for _, text in named])
    step = next(n * 10**k for k in range(9) for n in (1, 2, 5) if len(named) / (n * 10**k) <= MOST)
    return {number: text for number, text in named if number % step == 0}


def _dates(numbers: list[int], texts: list[str]) -> dict[int, str]:
    times = np.array([text.replace(" ", "T") for text in texts], "M8[us]")
    for period in PERIODS:
        begins = np.flatnonzero(np.diff(period(times), prepend=period(times[:1]) - 1))
        if len(begins) <= MOST:
            break
    if len(begins) > 1 and begins[1] - begins[0] < 0.5 * np.median(np.diff(begins)):
        begins = begins[1:]  # a first week or month cut short would push the next label away
    monthly = bool((times[begins[1:]].astype("M8[M]") == times[begins[1:]]).all())
    before = [None, *times[begins]]
    return {numbers[i]: _short(times[i], last, monthly) for i, last in zip(begins, before, strict=False)}


def _short(time: np.datetime64, before: np.datetime64 | None, monthly: bool) -> str:
    """As little as tells a time from the label before it."""
    day, month = time.astype("M8[D]"), time.astype("M8[M]")
    year, name = str(time.astype("M8[Y]")), MONTHS[int(month.astype(int)) % 12]
    if time != day:
        clock = str(time)[11:16]
        same = before is not None and before.astype("M8[D]") == day
        return clock if same else f"{int(str(day)[-2:])} {name} {clock}"
    same = before is not None and before.astype("M8[Y]") == time.astype("M8[Y]")
    if monthly:
        return name if same else year if name == "Jan" else f"{name} {year}"
    return f"{int(str(day)[-2:])} {name}" + ("" if same else f" {year}")
