"""Sequences in threads, and their flows joined.

Sequences are independent, and the products of one step are too small for BLAS to share out well. BLAS keeps to one
thread meanwhile. There are as many threads as it has, so that OPENBLAS_NUM_THREADS and the like, and limits that the
caller has set, count here too.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from ..arrays import is_cupy
from ..jit import jit
from ..one_thread import blas_threads, one_blas_thread
from .items import Flow
from .net import RecurrentNet

P = TypeVar("P")
R = TypeVar("R")
FEWEST = 4  # sequences that are worth a thread: their steps' products still fill it
LARGE = 1 << 20  # bytes of an array from which it is copied in threads
WORK = 6e7  # multiply-adds of a call from which threads pay


def pieces(net: RecurrentNet, T: int, B: int, lags: int) -> list[slice]:
    """The sequences by threads; one piece where that is as fast."""
    if is_cupy(net.flat) or T * B * (lags + 2) * net.cell.gates * net.hidden**2 * len(net.strands) < WORK:
        return [slice(0, B)]
    threads = blas_threads()
    count = min(threads, B // FEWEST)
    if count < 2 or 2 * count <= threads:  # on many cores BLAS does better with the large products of few sequences
        return [slice(0, B)]
    return [slice(B * i // count, B * (i + 1) // count) for i in range(count)]


def in_threads(function: Callable[[P], R], parts: list[P]) -> list[R]:
    """Results of the function for all parts, each in a thread of its own."""

    def alone(part: P) -> R:
        with one_blas_thread():
            return function(part)

    with one_blas_thread():
        waiting = [_pool(len(parts)).submit(alone, part) for part in parts[1:]]
        try:
            first = function(parts[0])
        finally:
            wait(waiting)
        return [first, *(each.result() for each in waiting)]


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="learnviews-sequences")


def joined(flows: list[Flow]) -> Flow:
    """One flow of the sequences of several, which were asked for alike."""
    first = flows[0]
    found: dict[str, Any] = {}
    if any(flow.log is not None for flow in flows):
        found["log"] = _joined([flow.log_norm for flow in flows], axis=2)
    if any(flow.followed is not None for flow in flows):
        every = int(abs(first.lags).max()) + 1
        parts = [np.full(f.whole.shape, every) if f.followed is None else f.followed for f in flows]
        found["followed"] = _joined(parts, axis=1)
    for each in fields(first):
        values = [getattr(flow, each.name) for flow in flows]
        if each.name in found or getattr(values[0], "ndim", 0) < 2:
            continue
        whole = all(value is not None for value in values)
        found[each.name] = _joined(values, axis=1 if values[0].ndim == 2 else 2) if whole else None
    return replace(first, **found)


def _joined(parts: list[Any], axis: int) -> Any:
    steps = len(parts[0])
    if axis + 1 < parts[0].ndim or steps < len(parts) or sum(part.nbytes for part in parts) < LARGE:
        return np.concatenate(parts, axis)
    out = np.empty((*parts[0].shape[:-1], sum(part.shape[-1] for part in parts)), parts[0].dtype)

    def copy(rows: slice) -> None:
        first, into = 0, out[rows].reshape(-1, out.shape[-1])
        for part in parts:
            _copy_loop(part[rows].reshape(-1, part.shape[-1]), into, first)
            first += part.shape[-1]

    count = len(parts)
    in_threads(copy, [slice(steps * i // count, steps * (i + 1) // count) for i in range(count)])
    return out


@jit
def _copy_loop(part, out, first):
    """A few columns of many rows: NumPy takes twice as long."""
    for i in range(part.shape[0]):
        for b in range(part.shape[1]):
            out[i, first + b] = part[i, b]
