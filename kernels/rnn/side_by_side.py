"""Sequences in threads. They are independent, and the products of one step are too small for BLAS to share out well.

BLAS keeps to one thread meanwhile. There are as many threads as it has, so that OPENBLAS_NUM_THREADS and the like, and
limits that the caller has set, count here too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from ..arrays import is_cupy
from .net import RecurrentNet

P = TypeVar("P")
R = TypeVar("R")
FEWEST = 4  # sequences that are worth a thread: their steps' products still fill it
WORK = 2e7  # multiply-adds of a call from which threads pay
_lock, _inside = threading.Lock(), 0
_limit: Any = None


def pieces(net: RecurrentNet, T: int, B: int, lags: int) -> list[slice]:
    """The sequences by threads; one piece where that is as fast."""
    if is_cupy(net.flat) or T * B * (lags + 2) * net.cell.gates * net.hidden**2 * len(net.strands) < WORK:
        return [slice(0, B)]
    threads = _threads()
    count = min(threads, B // FEWEST)
    if count < 2 or 2 * count <= threads:  # on many cores BLAS does better with the large products of few sequences
        return [slice(0, B)]
    return [slice(B * i // count, B * (i + 1) // count) for i in range(count)]


def in_threads(function: Callable[[P], R], parts: list[P]) -> list[R]:
    """Results of the function for all parts, each in a thread of its own."""
    with _one_thread_each():
        waiting = [_pool(len(parts)).submit(function, part) for part in parts[1:]]
        first = function(parts[0])
        return [first, *(each.result() for each in waiting)]


@lru_cache(maxsize=1)
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  the BLAS of compiled products: it must be there to be limited

    return ThreadpoolController().select(user_api="blas")


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="learnviews-sequences")


def _threads() -> int:
    with _lock:
        return 1 if _inside else max((each.num_threads for each in _controller().lib_controllers), default=1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """BLAS keeps to one thread until the last call that wants it so is through."""
    global _inside, _limit
    with _lock:
        if not _inside:
            _limit = _controller().limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.restore_original_limits()
