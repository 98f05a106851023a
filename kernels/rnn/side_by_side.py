"""Sequences in threads. They are independent, and the products of one step are too small for BLAS to share out well.

BLAS keeps to one thread meanwhile. There are as many threads as it has, so that OPENBLAS_NUM_THREADS and the like, and
limits that the caller has set, count here too.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TypeVar

from ..arrays import is_cupy
from ..one_thread import blas_threads, one_blas_thread
from .net import RecurrentNet

P = TypeVar("P")
R = TypeVar("R")
FEWEST = 4  # sequences that are worth a thread: their steps' products still fill it
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
