"""Many series side by side on one grid: gaps filled, each standardised by itself, all in one flat array."""

from __future__ import annotations

import numpy as np

SPAN = 1 << 33  # more than positions there are: (series, position) as one number


class Panel:
    """Series on an even grid.

    Parameters
    ----------
    count : int
        Of series; each has a value at least.
    codes, positions, values : (rows,) arrays
        Which series, which step, what value; several values of one step count as their mean.
    mean, spread : (count,) arrays, optional
        To standardise with; the series' own where left out.

    Attributes
    ----------
    start, end : (count,) int64
        Positions of the first value, and after the last.
    offset : (count + 1,) int64
        Where each series begins in `z`.
    z : (steps of all,) float64
        (value - mean) / spread, gaps filled by straight lines.
    """

    def __init__(
        self,
        count: int,
        codes: np.ndarray,
        positions: np.ndarray,
        values: np.ndarray,
        mean: np.ndarray | None = None,
        spread: np.ndarray | None = None,
    ) -> None:
        low = int(positions.min())
        keys, place = np.unique(codes * SPAN + (positions - low), return_inverse=True)
        self.codes, self.positions = keys // SPAN, keys % SPAN + low
        self.values = np.bincount(place, values) / np.bincount(place)
        first = np.searchsorted(self.codes, np.arange(count))
        last = np.searchsorted(self.codes, np.arange(count), "right") - 1
        self.start, self.end = self.positions[first], self.positions[last] + 1
        self.offset = np.concatenate([[0], np.cumsum(self.end - self.start)])
        self.mean, self.spread = (mean, spread) if mean is not None and spread is not None else self._scales(count)
        steps = np.arange(self.offset[-1])
        scaled = (self.values - self.mean[self.codes]) / self.spread[self.codes]
        self.z = np.interp(steps, self.flat(self.codes, self.positions), scaled)  # no gap spans two series

    def _scales(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.bincount(self.codes, minlength=count)
        mean = np.bincount(self.codes, self.values, count) / rows
        spread = np.sqrt(np.bincount(self.codes, (self.values - mean[self.codes]) ** 2, count) / rows)
        size = np.abs(mean)
        still = np.where(size > 0, size / 100, 1.0)  # of a constant series: small, so that it stays where it is
        return mean, np.where(spread > 1e-12 * size, spread, still)

    def __len__(self) -> int:
        return len(self.start)

    def flat(self, codes: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Where a step of a series lies in `z`; steps before its first, or after its last, at its ends (the end is one
        past the last). (rows,) int64"""
        inside = np.clip(positions, self.start[codes], self.end[codes])
        return self.offset[codes] + inside - self.start[codes]

    def past(self, codes: np.ndarray, at: np.ndarray, reach: int) -> np.ndarray:
        """The `reach` values before each place of `z`, the latest first; the first one again where there are fewer.

        (rows, reach); zeros where there is none at all.
        """
        first = self.offset[codes]
        places = np.maximum(at[:, None] - 1 - np.arange(reach), first[:, None])
        found = self.z[np.minimum(places, len(self.z) - 1)]
        found[at <= first] = 0.0
        return found

    def series(self) -> list[np.ndarray]:
        """The standardised values of each series."""
        return np.split(self.z, self.offset[1:-1])

    def joined(self, codes: np.ndarray, positions: np.ndarray, values: np.ndarray) -> Panel:
        """With more rows, on the same scales; a series that is new has the mean ones."""
        count = max(len(self), int(codes.max(initial=-1)) + 1)
        more = count - len(self)
        mean = np.concatenate([self.mean, np.full(more, self.mean.mean())])
        spread = np.concatenate([self.spread, np.full(more, self.spread.mean())])
        pairs = ((self.codes, codes), (self.positions, positions), (self.values, values))
        rows = [np.concatenate(pair) for pair in pairs]
        return Panel(count, rows[0], rows[1], rows[2], mean, spread)

    def average(self) -> Panel:
        """One series: at every step the mean of the standardised values there, on the mean of the scales."""
        scaled = (self.values - self.mean[self.codes]) / self.spread[self.codes]
        mean, spread = self.mean.mean(keepdims=True), self.spread.mean(keepdims=True)
        alone = np.zeros(len(scaled), dtype=np.int64)
        return Panel(1, alone, self.positions, scaled * spread + mean, mean, spread)


class Covariates:
    """Rows of numbers by series and position; zeros where there is none."""

    def __init__(self, keys: np.ndarray, rows: np.ndarray) -> None:
        self.keys, self.rows = keys, rows  # (n,) ascending, (n, width)

    @classmethod
    def of(cls, codes: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> Covariates:
        """Of several rows of one place the last counts."""
        keys = codes * SPAN + positions
        kept, place = np.unique(keys[::-1], return_index=True)
        return cls(kept, rows[::-1][place])

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    def joined(self, codes: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> Covariates:
        """With more rows, which replace those of the same place."""
        if not self.width:
            return self
        keys = np.concatenate([self.keys, codes * SPAN + positions])
        kept, place = np.unique(keys[::-1], return_index=True)
        return Covariates(kept, np.concatenate([self.rows, rows])[::-1][place])

    def at(self, codes: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """(rows, width)"""
        if not self.width or not len(self.keys):
            return np.zeros((len(codes), self.width))
        wanted = codes * SPAN + positions
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where((self.keys[place] == wanted)[:, None], self.rows[place], 0.0)
