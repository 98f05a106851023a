"""The most memory that a call holds at one time, beyond what it gives back."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

MIB = 2**20


def beyond_result(call: Callable[[], Any]) -> tuple[int, int]:
    """Bytes beyond the result, and of the result, of a call that allocates through NumPy and Python."""
    tracemalloc.start()
    try:
        result = call()
        held, peak = tracemalloc.get_traced_memory()
        del result
        return peak - held, held
    finally:
        tracemalloc.stop()


def torch_beyond_result(call: Callable[[], Any]) -> int:
    """The same of PyTorch on the CPU: what its profiler saw being allocated and freed."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        result = call()
    changes = [(e.start_ns(), e.nbytes()) for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    del result
    now = most = 0
    for _, change in sorted(changes, key=lambda each: each[0]):
        now += change
        most = max(most, now)
    return most - now


def mb(size: float) -> str:
    """Bytes in MB."""
    return f"{size / MIB:.3g}" if size < 1000 * MIB else f"{size / MIB:,.0f}"
