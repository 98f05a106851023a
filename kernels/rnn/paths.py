"""Which of its two forms a pass takes: compiled loops over NumPy's arrays, or whole-array operations."""

from __future__ import annotations

from ..arrays import is_cupy


def takes_loops(array: object) -> bool:
    """True for NumPy's arrays. (Tests say False, so that the path of CuPy runs where there is no GPU.)"""
    return not is_cupy(array)
