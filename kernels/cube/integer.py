"""Whole numbers, a bin each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .attributes import Attribute
from .binning import bin_integers, bin_whole_floats

EXACT = 1 << 53  # floats hold every whole number up to here


class Integer(Attribute):
    """Whole numbers from `low` to `high`, a bin each. Floats are taken where they are whole; 2.5 is outside.

    Parameters
    ----------
    name : str
    low, high : int
        Both included, within +-2**53.
    labels : sequence of str, optional
        One per number.
    missing : bool
        Keep a last bin for missing values.
    column : str, optional
        The column's name, if not `name`.
    title, unit : str, optional
    """

    kind = "integer"
    low: int
    high: int

    def __init__(
        self,
        name: str,
        low: int,
        high: int,
        *,
        labels: Sequence[str] | None = None,
        missing: bool = False,
        column: str | None = None,
        title: str | None = None,
        unit: str = "",
    ) -> None:
        if not (_whole(low) and _whole(high) and -EXACT <= low <= high <= EXACT):
            raise ValueError(f"{name}: {low!r} to {high!r}; expected whole numbers, low <= high, within +-2**53")
        self._set(name, (column or name,), (int(high) - int(low) + 1,), missing, title, unit)
        self._keep(low=int(low), high=int(high), given=_check_labels(name, labels, self.size))

    def _labels(self) -> list[str]:
        return list(self.given or map(str, range(self.low, self.high + 1)))

    def _bin(self, values: np.ndarray, out: np.ndarray) -> None:
        if values.dtype.kind == "M":
            raise self._refuse(values, "whole numbers")
        if values.dtype.kind == "f":
            bin_whole_floats(values, float(self.low), self.size, self._missing, out)
        else:
            bin_integers(values.view(np.uint8) if values.dtype == bool else values, self.low, self.size, out)

    def _bins_between(self, low: Any, high: Any) -> tuple[int, ...]:
        return whole_between(low, high, self.low, self.size)

    def _own_json(self) -> dict[str, Any]:
        labels = None if self.given is None else list(self.given)
        return {"low": self.low, "high": self.high, "labels": labels, "column": self.columns[0]}

    given: tuple[str, ...] | None


def whole_between(low: float, high: float, first: int, n: int) -> tuple[int, int]:
    """Bins [start, stop) of the whole numbers from low to high, where bin 0 is `first`; (0, 0) if there are none."""
    start = math.ceil(max(low, first)) - first if low < first + n else n
    stop = math.floor(min(high, first + n - 1)) + 1 - first if high >= first else 0
    return (start, stop) if start < stop else (0, 0)


def _whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check_labels(name: str, labels: Sequence[str] | None, bins: int) -> tuple[str, ...] | None:
    if labels is None:
        return None
    texts = tuple(map(str, labels))
    if len(texts) != bins or len(set(texts)) != bins:
        raise ValueError(f"{name}: {len(set(texts))} different labels; expected {bins}, one per bin")
    return texts
