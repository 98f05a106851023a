"""Soft and hard regions of one attribute: what a search for queries moves, by kind of attribute.

A soft region is a mask of weights between 0 and 1 that depends smoothly on a few numbers; a hard one is a row of
integers that stands for a range, a box or a set of bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .attributes import Attribute

SHARP = 0.06  # width of a soft edge, as a share of the bins
NARROWEST = 0.35  # bins: softest edge at the end, so that ranges of one bin are still seen
EXHAUSTIVE = 400  # regions that are tried one and all


class Intervals:
    """Ranges along every axis of an ordered attribute: one axis, or two in space (a box).

    Soft parameters are start and stop per axis as shares of its bins, hard ones half-open bins.
    """

    def __init__(self, attribute: Attribute) -> None:
        self.attribute, self.shape = attribute, attribute.shape

    def random(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Soft parameters (n, 2 per axis) by the law of `random_queries`."""
        columns = []
        for size in self.shape:
            width = rng.integers(1, size + 1, n)
            start = rng.integers(0, size - width + 1)
            columns += [start / size, (start + width) / size]
        return np.stack(columns, 1)

    def near(self, mask: np.ndarray) -> np.ndarray:
        """Soft parameters of the smallest range around a mask (bins,)."""
        grid = mask[: self.attribute.size].reshape(self.shape)
        ends: list[float] = []
        for axis, size in enumerate(self.shape):
            there = np.flatnonzero(grid.any(axis=tuple(k for k in range(grid.ndim) if k != axis)))
            ends += [there[0] / size, (there[-1] + 1) / size] if len(there) else [0.0, 1.0]
        return np.array(ends)

    def soft(self, at: np.ndarray, sharpness: float) -> tuple[np.ndarray, Any]:
        """Masks (n, bins) at parameters (n, 2 per axis), and what `pull` needs."""
        sides = [self._side(at[:, 2 * k : 2 * k + 2], size, sharpness) for k, size in enumerate(self.shape)]
        one = sides[0][0]
        regular = one if len(sides) == 1 else (one[:, :, None] * sides[1][0][:, None]).reshape(len(at), -1)
        if not self.attribute.missing:
            return regular, sides
        corners = regular[:, :1] * regular[:, -1:]  # the bin for missing values comes with all the others
        return np.concatenate([regular, corners], 1), sides

    @staticmethod
    def _side(at: np.ndarray, size: int, sharpness: float) -> tuple[Any, ...]:
        width = max(NARROWEST, SHARP * size * sharpness)
        middle = np.arange(size) + 0.5
        up = _sigmoid((middle - at[:, :1] * size) / width)
        down = _sigmoid((at[:, 1:] * size - middle) / width)
        return up * down, up, down, size / width

    def pull(self, trace: Any, d_masks: np.ndarray) -> np.ndarray:
        """Gradient of the parameters from that of the masks (that of the missing bin is left out)."""
        d = d_masks[:, : self.attribute.size]
        if len(trace) == 1:
            parts = [d]
        else:
            grid = d.reshape(-1, *self.shape)
            parts = [np.einsum("nxy,ny->nx", grid, trace[1][0]), np.einsum("nxy,nx->ny", grid, trace[0][0])]
        columns = []
        for each, (side, up, down, steep) in zip(parts, trace, strict=True):
            columns += [-(each * side * (1 - up)).sum(1) * steep, (each * side * (1 - down)).sum(1) * steep]
        return np.stack(columns, 1)

    def snap(self, at: np.ndarray) -> np.ndarray:
        """Hard parameters, at least one bin wide."""
        hard = []
        for k, size in enumerate(self.shape):
            start = np.clip(np.rint(at[:, 2 * k] * size), 0, size - 1).astype(np.int64)
            stop = np.clip(np.rint(at[:, 2 * k + 1] * size), start + 1, size).astype(np.int64)
            hard += [start, stop]
        return np.stack(hard, 1)

    def masks(self, hard: np.ndarray) -> np.ndarray:
        """Boolean masks (n, bins)."""
        return self.attribute.range_masks(hard)

    def every(self) -> np.ndarray:
        """All hard regions, where they are not too many."""
        if len(self.shape) > 1 or self.shape[0] * (self.shape[0] + 1) // 2 > EXHAUSTIVE:
            return np.empty((0, 2 * len(self.shape)), np.int64)
        start, stop = np.triu_indices(self.shape[0])
        return np.stack([start, stop + 1], 1)

    def neighbours(self, hard: np.ndarray) -> np.ndarray:
        """Hard regions that differ by one bin at one end, or are moved by one."""
        out = []
        for k, size in enumerate(self.shape):
            for low, high in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)):
                row = hard.copy()
                row[2 * k : 2 * k + 2] += (low, high)
                if 0 <= row[2 * k] < row[2 * k + 1] <= size:
                    out.append(row)
        return np.array(out, np.int64).reshape(-1, len(hard))

    def filter(self, hard: np.ndarray) -> Any:
        """As a query holds it; None where nothing is filtered."""
        full = all(hard[2 * k] == 0 and hard[2 * k + 1] == size for k, size in enumerate(self.shape))
        return None if full else tuple(int(end) for end in hard)


class Sets:
    """Sets of categories: a soft parameter per bin, hard ones 0 or 1."""

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute

    def random(self, n: int, rng: np.random.Generator) -> np.ndarray:
        bins = self.attribute.bins
        rank = rng.random((n, bins)).argsort(1).argsort(1)
        return np.where(rank < rng.integers(1, bins + 1, n)[:, None], 0.75, 0.25)

    def near(self, mask: np.ndarray) -> np.ndarray:
        return np.where(mask, 0.75, 0.25)

    def soft(self, at: np.ndarray, sharpness: float) -> tuple[np.ndarray, Any]:
        steep = 8 / max(0.25, sharpness)
        mask = _sigmoid((at - 0.5) * steep)
        return mask, (mask, steep)

    def pull(self, trace: Any, d_masks: np.ndarray) -> np.ndarray:
        mask, steep = trace
        return d_masks * mask * (1 - mask) * steep

    def snap(self, at: np.ndarray) -> np.ndarray:
        hard = at > 0.5
        hard[np.arange(len(at)), at.argmax(1)] = True  # no empty sets
        return hard.astype(np.int64)

    def masks(self, hard: np.ndarray) -> np.ndarray:
        return hard.astype(bool)

    def every(self) -> np.ndarray:
        """All sets, of many categories those of one and those of all but one, where they are not too many."""
        bins = self.attribute.bins
        if 2 * bins > EXHAUSTIVE:
            return np.empty((0, bins), np.int64)
        if 2**bins > EXHAUSTIVE:
            single = np.eye(bins, dtype=np.int64)
            return np.concatenate([single, 1 - single])
        return (np.arange(1, 2**bins)[:, None] >> np.arange(bins)) & 1

    def neighbours(self, hard: np.ndarray) -> np.ndarray:
        """One category more or less; never none."""
        out = hard[None] ^ np.eye(len(hard), dtype=np.int64)
        return out[out.any(1)]

    def filter(self, hard: np.ndarray) -> Any:
        if hard.all():
            return None
        labels = self.attribute.labels()
        return frozenset(label for label, chosen in zip(labels, hard, strict=True) if chosen)


def regions(attribute: Attribute) -> Intervals | Sets:
    """What can be searched over in an attribute: ranges, boxes or sets."""
    return Intervals(attribute) if attribute.ordered else Sets(attribute)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))
