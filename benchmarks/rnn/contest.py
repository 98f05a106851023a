"""Times that can be compared on a machine that others use too: all contestants in turn, block by block, medians."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

EACH = float(os.environ.get("LEARNVIEWS_BENCH_EACH", "1"))  # seconds per contestant, about
BLOCKS, MOST = 3, 40  # blocks, and rounds per block at most


def medians(
    calls: dict[str, Callable[[], Any]], each: float = EACH, wait: Callable[[], Any] = lambda: None
) -> dict[str, float]:
    """Median seconds of every call. Each has been called once before this, so that everything is compiled.

    wait: called before the clock is read; on a GPU, until it is done. What takes longer than `each` is measured twice
    and no more. The garbage collector is off meanwhile.
    """
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        spent = {label: [seconds(call, wait)] for label, call in calls.items()}
        rounds = {label: int(min(each / BLOCKS / first, MOST)) for label, (first,) in spent.items()}
        for block in range(BLOCKS):
            for label, call in calls.items():
                if rounds[label]:
                    call()  # caches and threads come to rest from the contestant before
                    spent[label] += [seconds(call, wait) for _ in range(rounds[label])]
                elif block == BLOCKS - 1:
                    spent[label].append(seconds(call, wait))
            gc.collect()
    finally:
        if was_on:
            gc.enable()
    return {label: float(np.median(values)) for label, values in spent.items()}


def seconds(call: Callable[[], Any], wait: Callable[[], Any] = lambda: None) -> float:
    """How long one call takes."""
    wait()
    start = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - start


def ms(value: float) -> str:
    """Seconds as milliseconds, three digits."""
    return f"{value * 1e3:.3g}" if value < 1 else f"{value * 1e3:,.0f}"
