"""All answers of all views to many queries, exactly: recursive halving.

View a of a query is, per bin of attribute a, the sum over the cells in that bin which pass the filters of all other
attributes. Split the attributes in two halves L and R and write the cells as a matrix C (cells of L, cells of R).
Summing C over the cells of R that pass R's filters leaves what the views of L need, and the other way round:

    X_L = C m_R        X_R = C' m_L        with masks m, 1 where all filters of a half pass

X_L and X_R are cubes of half as many attributes, one per query, and are halved again until one attribute, its view, is
left. The first step takes nearly all the time. Cubes with many empty cells are kept as their occupied ones, sorted, and
LANES queries share a pass over them; full ones are a GEMM.

Legend: n queries, m cells, d attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..jit import jit
from .cells import Packing
from .lanes import LANES, add_four_scaled, add_product, add_scaled
from .threads import cores, in_order

GEMM_QUERIES = 256
SAMPLE = 200_000  # cells that a split is chosen by


@dataclass(frozen=True)
class Half:
    """Distinct cells of the attributes first..stop-1 and how they are made of the cells of two halves.

    Cells are sorted by their codes; cell k of the left half is part of the cells starts[k]..starts[k+1]-1, and right[j]
    is the right half's cell of cell j. A single attribute has all of its bins as cells, in order, and no halves.
    """

    cells: int
    bins: slice  # of the answers
    starts: np.ndarray | None = None  # (cells of left + 1,) int64
    right: np.ndarray | None = None  # (cells,) uint32
    halves: tuple[Half, Half] | None = None


class SparseAnswers:
    """Answers from occupied cells.

    Parameters
    ----------
    codes : (d, m) int32
        Distinct, sorted lexicographically.
    sizes : sequence of int
        Bins of each attribute.
    """

    def __init__(self, codes: np.ndarray, sizes: tuple[int, ...]) -> None:
        self.root = _halve(codes, tuple(sizes), 0)
        self.bins = sum(sizes)
        self._only = codes[0] if len(sizes) == 1 else None  # a single attribute has all of its bins as cells

    def views(self, weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Answers (n, bins) float64 to masks (n, bins) bool, cells weighing `weights` (m,)."""
        out = np.empty(masks.shape)
        weights = self._spread(weights)

        def answer(first: int) -> None:
            some = slice(first, first + LANES)
            lanes = _lanes(masks[some])
            answers = np.empty(lanes.shape)
            _answer(self.root, weights, lanes, answers)
            out[some] = answers.T[: len(masks) - first]

        self._run(answer, len(masks))
        return out

    def totals(self, weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Sums (n,) of the weights of all cells that pass all filters."""
        out = np.empty(len(masks))
        weights = self._spread(weights)

        def answer(first: int) -> None:
            total = _total(self.root, weights, _lanes(masks[first : first + LANES]))
            out[first : first + LANES] = total[: len(masks) - first]

        self._run(answer, len(masks))
        return out

    def _spread(self, weights: np.ndarray) -> np.ndarray:
        if self._only is None:
            return weights
        spread = np.zeros(self.bins)
        spread[self._only] = weights
        return spread

    def _run(self, answer: Callable[[int], None], n: int) -> None:
        """Queries do not touch each other: the same bits for any number of threads."""
        threads = min(cores(), n // (4 * LANES)) or 1
        for _ in in_order(answer, range(0, n, LANES), threads):
            pass


class DenseAnswers:
    """Answers from an array of all cells; BLAS does the first step for many queries at once."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes = tuple(sizes)
        self.bins = sum(sizes)

    def views(self, weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """As SparseAnswers.views, with the weights (product of sizes,) of all cells."""
        out = np.empty(masks.shape)
        for first in range(0, len(masks), GEMM_QUERIES):
            chunk = slice(first, first + GEMM_QUERIES)
            _answer_dense(weights[None], self.sizes, masks[chunk].astype(np.float64), out[chunk])
        return out

    def totals(self, weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """As SparseAnswers.totals."""
        out = np.empty(len(masks))
        for first in range(0, len(masks), GEMM_QUERIES):
            chunk = slice(first, first + GEMM_QUERIES)
            out[chunk] = _total_dense(weights, self.sizes, masks[chunk].astype(np.float64))
        return out


# -- occupied cells --------------------------------------------------------------------------------------------------


def _halve(codes: np.ndarray, sizes: tuple[int, ...], first: int) -> Half:
    bins = slice(first, first + sum(sizes))
    if len(sizes) == 1:
        return Half(sizes[0], bins)
    split = _best_split(codes, sizes)
    left_codes, left = _distinct(codes[:split], sizes[:split])
    right_codes, right = _distinct(codes[split:], sizes[split:])
    middle = first + sum(sizes[:split])
    halves = _halve(left_codes, sizes[:split], first), _halve(right_codes, sizes[split:], middle)
    starts = np.searchsorted(left, np.arange(halves[0].cells + 1))  # left ascends, as cells are sorted
    return Half(codes.shape[1], bins, starts.astype(np.int64), right.astype(np.uint32), halves)


def _best_split(codes: np.ndarray, sizes: tuple[int, ...]) -> int:
    """Where both halves have few cells, as the work beyond the first step and the memory it moves goes with them."""
    some = codes[:, :: -(-codes.shape[1] // SAMPLE) or 1]
    cells = [
        _distinct(some[:split], sizes[:split])[0].shape[1] + _distinct(some[split:], sizes[split:])[0].shape[1]
        for split in range(1, len(sizes))
    ]
    return 1 + int(np.argmin(cells))


def _distinct(codes: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct columns of codes (d, m), sorted, and which of them each column is; all bins for a single attribute."""
    if len(sizes) == 1:
        return np.arange(sizes[0], dtype=np.int32)[None], codes[0]
    packing = Packing(sizes)
    keys, _ = packing.keys(list(codes))
    order = np.lexsort(keys[::-1])
    new = np.ones(len(order), bool)
    new[1:] = (keys[:, order[1:]] != keys[:, order[:-1]]).any(0)
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.cumsum(new) - 1
    return codes[:, order[new]], inverse


def _lanes(masks: np.ndarray) -> np.ndarray:
    """Masks (up to LANES, bins) as (bins, LANES) float64, filled up with queries that nothing passes."""
    lanes = np.zeros((masks.shape[1], LANES))
    lanes[:, : len(masks)] = masks.T
    return lanes


def _answer(half: Half, weights: np.ndarray, lanes: np.ndarray, out: np.ndarray) -> None:
    if half.halves is None:
        out[half.bins] = weights if weights.ndim == 2 else weights[:, None]
        return
    left, right = half.halves
    passed_left, passed_right = _passed(left, lanes), _passed(right, lanes)
    to_left, to_right = np.zeros((left.cells, LANES)), np.zeros((right.cells, LANES))
    step = _contract if weights.ndim == 1 else _contract_lanes
    step(half.starts, half.right, weights, passed_left, passed_right, to_left, to_right)
    _answer(left, to_left, lanes, out)
    _answer(right, to_right, lanes, out)


def _passed(half: Half, lanes: np.ndarray) -> np.ndarray:
    """1 where a cell passes all of its filters, (cells, LANES)."""
    if half.halves is None:
        return lanes[half.bins]
    passed = np.zeros((half.cells, LANES))
    _both_pass(half.starts, half.right, _passed(half.halves[0], lanes), _passed(half.halves[1], lanes), passed)
    return passed


def _total(half: Half, weights: np.ndarray, lanes: np.ndarray) -> np.ndarray:
    if half.halves is None:
        return (weights[:, None] * lanes[half.bins]).sum(0)
    left, right = half.halves
    total = np.zeros((1, LANES))
    _contract_total(half.starts, half.right, weights, _passed(left, lanes), _passed(right, lanes), total)
    return total[0]


@jit
def _contract(starts, right, weights, passed_left, passed_right, to_left, to_right):
    for a in range(len(starts) - 1):
        _add_run(starts[a], starts[a + 1], right, weights, passed_right, to_left, a)
        if _some(passed_left, a):
            for k in range(starts[a], starts[a + 1]):
                add_scaled(to_right, right[k], weights[k], passed_left, a)


@jit
def _contract_total(starts, right, weights, passed_left, passed_right, total):
    run = np.empty((1, LANES))
    for a in range(len(starts) - 1):
        if _some(passed_left, a):
            run[:] = 0
            _add_run(starts[a], starts[a + 1], right, weights, passed_right, run, 0)
            add_product(total, 0, run, 0, passed_left, a)


@jit
def _add_run(first, stop, right, weights, passed_right, sums, a):
    fours = first + (stop - first) // 4 * 4
    for k in range(first, fours, 4):
        add_four_scaled(sums, a, weights, passed_right, right, k)
    for k in range(fours, stop):
        add_scaled(sums, a, weights[k], passed_right, right[k])


@jit
def _some(passed, a):
    total = 0.0
    for q in range(LANES):
        total += passed[a, q]
    return total > 0


@jit
def _contract_lanes(starts, right, weights, passed_left, passed_right, to_left, to_right):
    for a in range(len(starts) - 1):
        for k in range(starts[a], starts[a + 1]):
            add_product(to_left, a, weights, k, passed_right, right[k])
            add_product(to_right, right[k], weights, k, passed_left, a)


@jit
def _both_pass(starts, right, passed_left, passed_right, passed):
    for a in range(len(starts) - 1):
        for k in range(starts[a], starts[a + 1]):
            add_product(passed, k, passed_left, a, passed_right, right[k])


# -- all cells -------------------------------------------------------------------------------------------------------


def _answer_dense(weights: np.ndarray, sizes: tuple[int, ...], masks: np.ndarray, out: np.ndarray) -> None:
    """`weights` (1 or n, cells): cells that all queries share, or cells of each query."""
    if len(sizes) == 1:
        out[:] = weights
        return
    split = min(range(1, len(sizes)), key=lambda i: np.prod(sizes[:i]) + np.prod(sizes[i:]))
    middle = sum(sizes[:split])
    left, right = _outer(masks[:, :middle], sizes[:split]), _outer(masks[:, middle:], sizes[split:])
    matrix = weights.reshape(len(weights), left.shape[1], right.shape[1])
    if len(weights) == 1:
        to_left, to_right = right @ matrix[0].T, left @ matrix[0]
    else:
        to_left, to_right = (matrix @ right[:, :, None])[:, :, 0], (left[:, None] @ matrix)[:, 0]
    _answer_dense(to_left, sizes[:split], masks[:, :middle], out[:, :middle])
    _answer_dense(to_right, sizes[split:], masks[:, middle:], out[:, middle:])


def _outer(masks: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """1 where all of the filters pass, (n, product of sizes)."""
    passed = masks[:, : sizes[0]]
    first = sizes[0]
    for size in sizes[1:]:
        passed = (passed[:, :, None] * masks[:, None, first : first + size]).reshape(len(masks), -1)
        first += size
    return passed


def _total_dense(weights: np.ndarray, sizes: tuple[int, ...], masks: np.ndarray) -> np.ndarray:
    split = min(range(1, len(sizes) + 1), key=lambda i: np.prod(sizes[:i]) + np.prod(sizes[i:]))
    middle = sum(sizes[:split])
    left = _outer(masks[:, :middle], sizes[:split])
    sums = left @ weights.reshape(left.shape[1], -1)
    return sums[:, 0] if split == len(sizes) else (sums * _outer(masks[:, middle:], sizes[split:])).sum(1)
