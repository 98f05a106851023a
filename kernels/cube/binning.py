"""Compiled loops that put rows into bins: whole numbers, edges, calendar parts, intervals of time, look-ups.

Every loop writes int32 bins: -1 is outside, and `missing` (a bin, or -2) stands for nan and NaT.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..jit import jit

NAT = np.iinfo(np.int64).min
MONTH, QUARTER, YEAR, DAY, MONTHS = range(5)
BLOCK = 512  # rows that stay in the nearest cache
FEW, MANY = 40, 400  # edges: below, counting beats looking up; above, it loses even to a search


@jit
def bin_integers(values, low, bins, out):
    """Whole numbers, one bin each; for unsigned and signed integers of up to 64 bits."""
    high = low + bins - 1
    for i in range(values.size):
        value = np.int64(values[i])
        out[i] = value - low if low <= value <= high else -1


@jit
def bin_whole_floats(values, low, bins, missing, out):
    """Floats, of which only whole ones have a bin."""
    for i in range(values.size):
        value = np.float64(values[i])
        place = value - low
        inside = 0.0 <= place < bins and math.floor(value) == value
        code = np.int32(place) if inside else np.int32(-1)
        out[i] = code if value == value else missing


@jit
def count_edges(values, edges, bins, low, high, missing, out):
    """Numbers between edges: bin = how many inner edges are not above. All edges, but eight rows at once."""
    for begin in range(0, values.size, BLOCK):
        part, codes = values[begin : begin + BLOCK], out[begin : begin + BLOCK]
        codes[:] = 0
        for j in range(1, bins):
            edge = edges[j]
            for i in range(codes.size):
                codes[i] += np.int32(np.float64(part[i]) >= edge)
        for i in range(codes.size):
            codes[i] = _ends(np.float64(part[i]), codes[i], edges, bins, low, high, missing)


@jit
def find_edges(values, edges, bins, table, first, scale, step, low, high, missing, out):
    """The same through a coarse grid over the edges, for many of them.

    The grid's cells say in which bin to begin; then `step`, a power of two, halves down to 1.
    """
    top = np.float64(table.size - 1)
    for i in range(values.size):
        value = np.float64(values[i])
        cell = (value - first) * scale
        cell = cell if cell > 0.0 else 0.0  # also nan: inf - inf, inf * 0
        code = np.int64(table[np.int64(cell if cell < top else top)])
        if step == 1:  # no loop, and no branch that a processor could not foresee
            code += np.int64(value >= edges[code + 1])
        else:
            reach = step
            while reach:
                code += reach * np.int64(value >= edges[code + reach])
                reach >>= 1
        out[i] = _ends(value, code, edges, bins, low, high, missing)


@jit
def _ends(value, code, edges, bins, low, high, missing):
    """The last bin is closed; `low` and `high` are for values outside, `missing` for nan."""
    code = low if value < edges[0] else min(code, bins - 1)
    code = high if value > edges[bins] else code
    return np.int32(code if value == value else missing)


@jit
def join_axes(x, y, ny, missing, out):
    """Cells x * ny + y of a grid from bins per axis, where -2 is missing and -1 outside."""
    for i in range(x.size):
        inside = x[i] * ny + y[i] if x[i] >= 0 and y[i] >= 0 else -1
        out[i] = missing if x[i] == -2 or y[i] == -2 else inside


@jit
def divide(value, by, inverse):
    """value // by through a float product, for quotients below 2**51: several times faster than dividing integers."""
    quotient = np.int64(math.floor(value * inverse))
    rest = value - quotient * by
    return quotient - 1 if rest < 0 else quotient + 1 if rest >= by else quotient


@jit
def divide_any(value, by, inverse):
    """The same for any quotient: the first is off by what floats cannot tell, and that is divided again."""
    quotient = np.int64(math.floor(value * inverse))
    return quotient + divide(value - quotient * by, by, inverse)


@jit
def civil(days):
    """Year, month 0..11 and day 0..30 of a day counted from 1970-01-01.

    Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    shifted = days + 719468  # from 0000-03-01
    era = (shifted if shifted >= 0 else shifted - 146096) // 146097
    of_era = shifted - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153  # months since March
    day = of_year - (153 * march + 2) // 5
    month = march + 2 if march < 10 else march - 10
    return year + era * 400 + (1 if month < 2 else 0), month, day


@jit
def bin_cycle(ticks, per_unit, shift, period, missing, out):
    """What comes round every `period` units: weekdays (from Monday; 1970 began on a Thursday, shift 3) and hours."""
    by_unit, by_period = 1.0 / per_unit, 1.0 / period
    for i in range(ticks.size):
        units = divide(ticks[i], per_unit, by_unit) + shift
        code = units - period * divide(units, period, by_period)
        out[i] = code if ticks[i] != NAT else missing


@jit
def calendar_bin(days, part, low, width, bins):
    """Bin of one day by its date; for MONTHS, counted from the year 0, `width` of them to a bin."""
    year, month, day = civil(days)
    value = month + 1
    if part == QUARTER:
        value = month // 3 + 1
    elif part == DAY:
        value = day + 1
    elif part == YEAR:
        value = year
    elif part == MONTHS:
        value = year * 12 + month
    code = value - low
    return np.int32(code // width) if 0 <= code < bins * width else np.int32(-1)


@jit
def bin_dates(ticks, per_day, part, low, width, bins, table, first, missing, out):
    """Parts of the date; `table` has the bins of the days from `first` on, others are worked out."""
    by_day = 1.0 / per_day
    for i in range(ticks.size):
        days = divide(ticks[i], per_day, by_day)
        place = days - first
        if 0 <= place < table.size:
            out[i] = table[place]
        else:
            out[i] = missing if ticks[i] == NAT else calendar_bin(days, part, low, width, bins)


@jit
def bin_intervals(ticks, per_base, start, width, bins, missing, out):
    """Intervals of `width` base units from `start` on; a base unit has `per_base` ticks."""
    by_base, by_width, stop = 1.0 / per_base, 1.0 / width, start + bins * width
    for i in range(ticks.size):
        tick = ticks[i]
        if tick == NAT:
            out[i] = missing
            continue
        time = divide_any(tick, per_base, by_base)
        out[i] = divide(time - start, width, by_width) if start <= time < stop else -1


@jit
def look_up(indices, table, out):
    """Bins of dictionary-encoded rows; index -1 reads the table's last place."""
    for i in range(indices.size):
        out[i] = table[indices[i]]


class EdgeTable(NamedTuple):
    """Edges, with nan behind them (nothing is above nan), and the grid of `find_edges`."""

    edges: np.ndarray
    bins: int
    table: np.ndarray  # (cells,) int32: the bin a cell's values begin in
    first: float
    scale: float  # cells per unit
    step: int

    def bin(self, values: np.ndarray, clamp: bool, missing: int, out: np.ndarray) -> None:
        """Write the bins of numbers, by whichever loop is faster."""
        low, high = (0, self.bins - 1) if clamp else (-1, -1)
        if self.bins <= FEW or (self.step > 1 and self.bins <= MANY):
            count_edges(values, self.edges, self.bins, low, high, missing, out)
        else:
            find_edges(values, *self, low, high, missing, out)


def edge_table(edges: np.ndarray) -> EdgeTable:
    """The coarse grid over edges: as few cells as hold at most one edge each, up to 16,384.

    Cells are counted with the very floats that `find_edges` uses, so rounding cannot put a value beside its bins.
    """
    finite = edges[np.isfinite(edges)]
    inner = edges[1:-1]
    first, last = (finite[0], finite[-1]) if len(finite) else np.zeros(2)
    for cells in (64, 256, 1024, 4096, 16384):
        cell, scale = _cells(inner, first, last, cells)
        crowd = int(np.bincount(cell).max()) if len(cell) else 0
        if crowd <= 1:
            break
    step = 1 << (crowd.bit_length() - 1) if crowd else 0
    table = np.searchsorted(cell, np.arange(cells), side="left").astype(np.int32)
    padded = np.concatenate([edges, np.full(2 * step, np.nan)])
    return EdgeTable(padded, len(edges) - 1, table, float(first), scale, step)


def _cells(inner: np.ndarray, first: float, last: float, cells: int) -> tuple[np.ndarray, float]:
    """The cell of every inner edge, and cells per unit (0 where floats cannot tell)."""
    with np.errstate(all="ignore"):
        scale = cells / (last - first)
        scale = float(scale) if last > first and np.isfinite(scale) else 0.0
        place = (inner - first) * scale
        return np.minimum(np.where(place > 0, place, 0.0), cells - 1).astype(np.int64), scale
