"""Numbers between edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .attributes import Attribute
from .binning import EdgeTable, edge_table


class Numeric(Attribute):
    """Numbers in half-open bins [edge, next edge), the last one closed.

    Parameters
    ----------
    name : str
    edges : (n + 1,) sequence of float
        Increasing; the ends may be infinite. Infinite values are outside unless they are.
    clamp : bool
        Put values outside into the end bins.
    missing : bool
        Keep a last bin for missing values.
    column : str, optional
        The column's name, if not `name`.
    title, unit : str, optional
    """

    kind = "numeric"
    edges: np.ndarray
    clamp: bool

    def __init__(
        self,
        name: str,
        edges: Sequence[float] | np.ndarray,
        *,
        clamp: bool = False,
        missing: bool = False,
        column: str | None = None,
        title: str | None = None,
        unit: str = "",
    ) -> None:
        held = check_edges(name, edges)
        self._set(name, (column or name,), (len(held) - 1,), missing, title, unit)
        self._keep(edges=held, clamp=bool(clamp), _grid=edge_table(held))

    _grid: EdgeTable

    @classmethod
    def regular(cls, name: str, low: float, high: float, n: int, **options: Any) -> Numeric:
        """`n` bins of one width from `low` to `high`."""
        if not (np.isfinite(low) and np.isfinite(high) and low < high and n >= 1):
            raise ValueError(f"{name}: {n} bins from {low} to {high}; expected n >= 1 and finite low < high")
        return cls(name, regular_edges(low, high, n), **options)

    @classmethod
    def quantiles(cls, name: str, values: Any, n: int, **options: Any) -> Numeric:
        """Bins that hold about as many of the values each; at most `n`, for equal edges are merged.

        Missing and infinite values are passed over.
        """
        finite = finite_values(name, values)
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, _count(name, n) + 1)))
        return cls(name, edges if len(edges) > 1 else _around(edges[0]), **options)

    @classmethod
    def automatic(cls, name: str, values: Any, n: int = 20, **options: Any) -> Numeric:
        """About `n` bins with round edges over all values; quantiles where that would leave most bins nearly empty.

        Missing and infinite values are passed over.
        """
        finite = finite_values(name, values)
        low, high = float(finite.min()), float(finite.max())
        if low == high:
            return cls(name, _around(low), **options)
        inner = np.quantile(finite, [0.02, 0.98])
        if inner[1] - inner[0] < 0.25 * (high - low):
            return cls.quantiles(name, finite, n, **options)
        return cls(name, nice_edges(low, high, _count(name, n)), **options)

    def _labels(self) -> list[str]:
        return interval_labels(self.edges)

    def _bin(self, values: np.ndarray, out: np.ndarray) -> None:
        if values.dtype.kind == "M":
            raise self._refuse(values, "numbers (see Temporal for dates)")
        values = values.view(np.uint8) if values.dtype == bool else values
        self._grid.bin(values, self.clamp, self._missing, out)

    def _bins_between(self, low: Any, high: Any) -> tuple[int, ...]:
        return overlap(self.edges, low, high, self.clamp)

    def _own_json(self) -> dict[str, Any]:
        return {"edges": [_json_float(e) for e in self.edges], "clamp": self.clamp, "column": self.columns[0]}


def check_edges(name: str, edges: Any) -> np.ndarray:
    """Edges as read-only float64; ValueError unless they increase and only the ends are infinite."""
    try:
        held = np.array(edges, np.float64)  # JSON has no infinity: "inf" and "-inf" are read, too
    except (TypeError, ValueError):
        raise TypeError(f"{name}: edges {str(edges)[:60]}; expected numbers") from None
    if held.ndim != 1 or len(held) < 2:
        raise ValueError(f"{name}: edges of shape {held.shape}; expected at least two in a row")
    if not (held[1:] > held[:-1]).all() or not np.isfinite(held[1:-1]).all():
        raise ValueError(f"{name}: edges {str(held)[:60]}; expected increasing ones (only the ends may be infinite)")
    held.flags.writeable = False
    return held


def finite_values(name: str, values: Any) -> np.ndarray:
    """The finite ones as float64; ValueError if there are none."""
    array = np.asarray(values, np.float64).ravel()
    finite = array[np.isfinite(array)]
    if not len(finite):
        raise ValueError(f"{name}: no finite value to lay bins over")
    return finite


def regular_edges(low: float, high: float, n: int) -> np.ndarray:
    """n + 1 evenly spaced edges whose ends are exact."""
    return np.linspace(low, high, n + 1)


def nice_edges(low: float, high: float, n: int) -> np.ndarray:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten that cover low to high with at most about `n` bins."""
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    edges = np.unique(np.round(np.arange(first, last + 1) * step, max(0, 2 - math.floor(math.log10(step)))))
    covers = len(edges) > 1 and edges[0] <= low and high <= edges[-1]
    return edges if covers else np.array([low, high])  # so close together that floats have no round ones between


def overlap(edges: np.ndarray, low: float, high: float, clamp: bool = False) -> tuple[int, int]:
    """Bins [start, stop) that overlap low to high, both included; (0, 0) if none does."""
    n = len(edges) - 1
    if clamp:
        low, high = min(low, edges[-1]), max(high, edges[0])
    if low > edges[-1] or high < edges[0]:
        return 0, 0
    start = min(max(int(np.searchsorted(edges, low, "right")) - 1, 0), n - 1)
    return start, min(int(np.searchsorted(edges, high, "right")), n)


def interval_labels(edges: np.ndarray) -> list[str]:
    """ "-5 to 2" for every bin; open ends as "below 3" and "from 8"."""
    texts = short_numbers(edges)
    labels = [f"{a} to {b}" for a, b in itertools.pairwise(texts)]
    if np.isinf(edges[-1]):
        labels[-1] = f"from {texts[-2]}"
    if np.isinf(edges[0]):
        labels[0] = "all" if len(labels) == 1 and np.isinf(edges[-1]) else f"below {texts[1]}"
    return labels


def short_numbers(values: np.ndarray) -> list[str]:
    """Increasing numbers, each with as few digits as keep it within a twentieth of the distance to its neighbours."""
    gaps = np.concatenate([[np.inf], np.diff(values), [np.inf]])
    return [_short(float(v), float(gap) / 20) for v, gap in zip(values, np.minimum(gaps[:-1], gaps[1:]), strict=True)]


def _short(value: float, tolerance: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e7 or tolerance < 1e-6:
        texts = (f"{value:.{digits}g}" for digits in range(1, 18))
    else:
        texts = (f"{value:.{decimals}f}" for decimals in range(18))
    found = next(text for text in texts if abs(float(text) - value) <= tolerance or float(text) == value)
    return "0" if float(found) == 0 else found


def _around(value: float) -> np.ndarray:
    """Edges of the one bin of a constant."""
    half = 0.5 if abs(value) < 1e15 else abs(value) * 1e-3
    return np.array([value - half, value + half])


def _count(name: str, n: int) -> int:
    if n < 1:
        raise ValueError(f"{name}: {n} bins; expected at least one")
    return int(n)


def _json_float(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(float(value))
