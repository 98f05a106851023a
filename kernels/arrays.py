"""NumPy or CuPy: which one an array belongs to, and the way back to NumPy."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np


def is_cupy(array: object) -> bool:
    """True for a CuPy array. CuPy is never imported to find out."""
    return type(array).__module__.split(".", 1)[0] == "cupy"


def array_namespace(*arrays: object) -> ModuleType:
    """The module (`numpy` or `cupy`) that the given arrays belong to.

    Raises
    ------
    TypeError
        If NumPy and CuPy arrays are mixed: data is never moved between devices behind the caller's back.
    """
    plain = cupy = False
    for array in arrays:
        if type(array) is np.ndarray:
            plain = True
        elif is_cupy(array):
            cupy = True
        elif hasattr(array, "dtype"):
            plain = True
    if plain and cupy:
        raise TypeError("got both NumPy and CuPy arrays; expected all on one device (use cupy.asarray or .get())")
    return sys.modules["cupy"] if cupy else np


def as_numpy(array: Any) -> np.ndarray:
    """The array in host memory: a copy from the GPU, the very array where it is NumPy's already."""
    return array.get() if is_cupy(array) else np.asarray(array)


@contextlib.contextmanager
def tf32(on: bool = True) -> Iterator[None]:
    """Within, float32 products on a GPU may round their factors to TF32's 11 bits (or may not, with `on` False).

    Several times faster on cards that have it (compute capability 8.0 and later); elsewhere, and for NumPy's arrays,
    nothing changes. As it was before: CuPy's own setting, the environment variable CUPY_TF32.
    """
    cupy = sys.modules.get("cupy")
    if cupy is None:
        yield
        return
    linalg = cupy._core._routines_linalg
    before = linalg.get_compute_type(np.float32)
    linalg.set_compute_type(np.float32, linalg.COMPUTE_TYPE_TF32 if on else linalg.COMPUTE_TYPE_DEFAULT)
    try:
        yield
    finally:
        linalg.set_compute_type(np.float32, before)


def keep_freed_memory() -> None:
    """Have glibc keep freed temporaries of the size kernels use, instead of giving them back after every call.

    Faulting them in again took a third of the time of `rnn.itemize` at 50 steps x 16 sequences x 128 units. glibc
    raises its threshold (to twice the size) when it sees a large block freed, which any program may do at any time; the
    block here is never touched, so it costs no memory. Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)  # 32 MB is the most glibc learns from
