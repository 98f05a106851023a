"""A flow of many sequences put together from those of tiles, field by field, whatever fields a flow has.

Arrays are (T, B), (T, K, B) or (T, K, B, H) and find their steps, lags and sequences in the whole; what is not an
array must be the same for all tiles. Where a tile has fewer steps or lags than the whole there is nothing: 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from .items import Flow

BY_DISTANCE = ("remainder",)  # a column per distance of the loss; elsewhere one per lag
OFTEN_NONE = ("log", "followed")  # None of a tile means something: norms that float64 holds, and no chain dropped
Allocate = Callable[[str, tuple[int, ...], np.dtype, float], np.ndarray]


class Assembly:
    """The whole flow while it is made.

    Parameters
    ----------
    probe : Flow
        Of two steps and lags, if the whole has as many: tells which fields there are.
    T, N : int
        Steps of the longest sequence, and sequences.
    lags : (K,) int
        As the whole flow has them.
    allocate : callable (name, shape, dtype, fill) -> array
        Memory for one field.
    """

    def __init__(self, probe: Flow, T: int, N: int, lags: np.ndarray, allocate: Allocate) -> None:
        self.T, self.N, self.lags, self._allocate = T, N, lags, allocate
        self.arrays: dict[str, np.ndarray] = {}
        self.values: dict[str, Any] = {}
        self.absent: set[str] = set()
        for name, shape, dtype in layout(probe, T, N, lags):
            self.arrays[name] = allocate(name, shape, dtype, self.nothing(name))

    def place(self, indices: np.ndarray, flow: Flow) -> None:
        """Write down the flow of these sequences; RuntimeError where it contradicts another tile's."""
        for name, value in _parts(flow):
            if name in OFTEN_NONE:
                if value is not None and name not in self.arrays:
                    self._begin_late(name, value.dtype)
                if name in self.arrays:
                    self._write(name, indices, self._meant(name, flow), flow.lags)
            elif _is_placed(value):
                self._write(name, indices, value, flow.lags)
            elif name in self.arrays:
                self.absent.add(name)  # of this tile it was not computed, so there is none of the whole
            elif name != "lags":
                self._agree(name, value)

    def nothing(self, name: str) -> float:
        """What stands where a sequence has no step or lag."""
        return {"log": -np.inf, "followed": int(abs(self.lags).max()) + 1}.get(name, 0)

    def flow(self) -> Flow:
        """The whole."""
        arrays = {name: array for name, array in self.arrays.items() if name not in self.absent}
        nothing = {field.name: None for field in fields(Flow)}
        return Flow(**{**nothing, **self.values, **arrays, "lags": self.lags})

    def _write(self, name: str, indices: np.ndarray, value: np.ndarray, lags: np.ndarray) -> None:
        steps = len(value)
        whole = self.arrays[name]
        if value.ndim == 2:
            whole[:steps, indices] = value
            return
        first = 0 if name in BY_DISTANCE else int(np.flatnonzero(self.lags == lags[0])[0])
        whole[:steps, first : first + value.shape[1], indices] = value

    def _begin_late(self, name: str, dtype: np.dtype) -> None:
        """An array that earlier tiles did without."""
        norm = self.arrays["norm"]
        shape = norm.shape if name == "log" else (self.T, self.N)
        array = self.arrays[name] = self._allocate(name, shape, dtype, self.nothing(name))
        few = max((1 << 20) // max(norm[..., 0].size, 1), 1)
        for first in range(0, self.N if name == "log" else 0, few):
            with np.errstate(divide="ignore"):
                array[..., first : first + few] = np.log(norm[..., first : first + few])

    def _meant(self, name: str, flow: Flow) -> np.ndarray:
        """What the field is of a tile, also where it is None."""
        if name == "log":
            return flow.log_norm
        reach, every = int(abs(flow.lags).max()) + 1, self.nothing(name)
        if flow.followed is None:
            return np.full(flow.whole.shape, every)
        return np.where(flow.followed == reach, every, flow.followed)

    def _agree(self, name: str, value: Any) -> None:
        value = value.item() if isinstance(value, np.generic) else value
        if name not in self.values:
            self.values[name] = value
        elif self.values[name] != value and not (value != value and self.values[name] != self.values[name]):
            raise RuntimeError(f"{name} is {value!r} of one tile and {self.values[name]!r} of another")


def layout(probe: Flow, T: int, N: int, lags: np.ndarray) -> list[tuple[str, tuple[int, ...], np.dtype]]:
    """Name, shape and dtype of every array of the whole."""
    found = []
    for name, value in _parts(probe):
        if _is_placed(value):
            columns = (int(abs(lags).max()) + 1 if name in BY_DISTANCE else len(lags),)
            shape = (T, N) if value.ndim == 2 else (T, *columns, N, *value.shape[3:])
            found.append((name, shape, value.dtype))
    return found


def size_of(found: list[tuple[str, tuple[int, ...], np.dtype]], logs: bool, drops: bool) -> int:
    """Bytes of a layout; also of logarithms, and of how far losses were followed, if it may come to need them."""
    sizes = {name: int(np.prod(shape, dtype=object)) * dtype.itemsize for name, shape, dtype in found}
    if logs and "log" not in sizes:
        sizes["log"] = sizes["norm"]
    if drops:
        sizes["followed"] = sizes["whole"]
    return sum(sizes.values())


def in_memory(name: str, shape: tuple[int, ...], dtype: np.dtype, fill: float) -> np.ndarray:
    """Memory of this process."""
    return np.zeros(shape, dtype) if not fill else np.full(shape, fill, dtype)


def _parts(flow: Flow) -> list[tuple[str, Any]]:
    return [(field.name, getattr(flow, field.name)) for field in fields(flow)]


def _is_placed(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim >= 2
