"""The one Numba decorator: compiled once, kept on disk, free of the GIL, and never `fastmath` (it loses NaNs)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` in nopython mode; division by zero gives inf or nan as in NumPy."""
    return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
