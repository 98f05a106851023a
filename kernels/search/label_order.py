"""The order in which labels are shown: those that are numbers, written out, by what they are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any


def by_value(labels: Iterable[Any], key: Callable[[Any], Any] = str) -> list[Any]:
    """Labels in rising order where all of them are numbers, else in the order they come.

    Parameters
    ----------
    labels : iterable
    key : callable, optional
        Of a label what is read as a number; by default its text.
    """
    given = list(labels)
    worth = [each for each in (_number(key(label)) for label in given) if each is not None]
    if len(worth) < len(given):
        return given
    return [given[at] for at in sorted(range(len(given)), key=worth.__getitem__)]


def _number(label: Any) -> float | None:
    try:
        found = float(str(label))
    except ValueError:
        return None
    return found if math.isfinite(found) else None
