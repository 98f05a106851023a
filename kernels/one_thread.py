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
_within: list[Any] = []  # limits in force: the libraries have one setting per process (some: per thread), so has this


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS works on one thread within; as before afterwards, once no other thread of this process is within.

    Every thread sets the limit, as some libraries keep one per thread. The first one's stays to the end: it alone
    knows how it was before.
    """
    with _lock:
        if not _within:
            _let_anybody_set()
        _within.append(_controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            left = _within.pop()
            if not _within:
                _let_anybody_set()
                left.restore_original_limits()
                _let_anybody_set()


def _let_anybody_set() -> None:
    """threadpoolctl (3.8) leaves OpenBLAS to the first thread that sets a limit, and ignores all others."""
    for each in _controller().lib_controllers:
        clear = getattr(each, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


def blas_threads() -> int:
    """Threads that BLAS works on at present."""
    return max((each.num_threads for each in _controller().lib_controllers if each.user_api == "blas"), default=1)


def blas_architectures() -> set[str]:
    """The processors for which the loaded libraries' kernels are, in OpenBLAS's words; none where there is another."""
    libraries = [each for each in _controller().lib_controllers if each.user_api == "blas"]
    names = {str(getattr(each, "architecture", None) or "").lower() for each in libraries}
    return set() if "" in names else names


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  its BLAS makes the products of compiled code, and must be there to be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
