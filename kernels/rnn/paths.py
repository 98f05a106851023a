"""Which of its forms a pass takes: compiled loops over NumPy's arrays, CUDA kernels, or whole-array operations."""

from __future__ import annotations

from ..arrays import is_cupy


def takes_loops(array: object) -> bool:
    """True for NumPy's arrays. (Tests say False, so that the path of CuPy runs where there is no GPU.)"""
    return not is_cupy(array)


def takes_cuda(array: object) -> bool:
    """True for CuPy's arrays, where a pass has a CUDA kernel."""
    return is_cupy(array)
