"""Linear algebra on one thread, for as long as somebody asks for it.

Several pieces of work side by side take a core each; with a thread pool of its own in each they fight for the cores.
And a product that is split among threads need not have the bits of one that is not.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

_lock = threading.Lock()
_state: dict[str, Any] = {"users": 0, "limit": None}  # BLAS has one setting per process, and so has this


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS works on one thread while any thread of this process is within; afterwards as before."""
    with _lock:
        _state["users"] += 1
        if _state["users"] == 1:
            _state["limit"] = _controller().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _state["users"] -= 1
            if not _state["users"]:
                _state["limit"].restore_original_limits()


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
