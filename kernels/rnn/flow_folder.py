"""A flow on disk: a folder of `.npy` files that are mapped into memory, and which tiles of it are done.

Files hold the sequence as their first axis, so that a tile's sequences lie side by side; `open_flow` turns them to
(T, K, N). Tiles count as done once what was written before has reached the disk: a process that is killed loses the
last seconds, never the truth of what is marked.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ..sizes import in_words
from ..store import FileFormatError, StoreError, WriterLock
from .items import Flow
from .placement import Assembly

KIND, VERSION = "flow", 1
SYNC_SECONDS = 5.0  # at most this much work is lost to a killed process


class FlowFolder:
    """The folder while it is written; by one process at a time.

    Parameters
    ----------
    path : Path
    about : dict
        What the flow is of, as JSON: a folder that was begun with something else is refused.
    tiles : int

    Raises
    ------
    StoreError
        If it cannot be written, or is being written by another process.
    FileFormatError
        If there is something else in it, or a flow of another net, of other data or options.
    """

    def __init__(self, path: Path, about: dict[str, Any], tiles: int) -> None:
        self.path, self._about = path, about
        if path.exists() and not path.is_dir():
            raise FileFormatError(f"{path}: out: a file; expected a folder for the flow")
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: out: no folder can be made there: {error.strerror}") from error
        self._lock = WriterLock(path / "flow", KIND)
        try:
            self.found = self._begun()
            self.done = self._open("done", (tiles,), np.dtype(bool), 0)
        except BaseException:
            self._lock.release()
            raise
        self.waiting: list[int] = []  # tiles that are placed, but not marked yet
        self._opened: list[np.memmap] = []
        self._last = time.monotonic()

    def allocate(self, name: str, shape: tuple[int, ...], dtype: np.dtype, fill: float) -> np.ndarray:
        """A field's array: that of the file, turned; see `placement.Allocate`."""
        turned = self._open(name, _sequences_first(shape), dtype, fill)
        self._opened.append(turned)
        return _steps_first(turned)

    def restore(self, assembly: Assembly) -> None:
        """What an earlier process had found out about the whole."""
        T, K, N = assembly.arrays["norm"].shape
        assembly.values |= self.found.get("values", {})
        assembly.absent |= set(self.found.get("absent", ()))
        late = [name for name in self.found.get("arrays", ()) if name not in assembly.arrays]
        for name in late:
            shape, dtype = ((T, K, N), float) if name == "log" else ((T, N), int)
            assembly.arrays[name] = self.allocate(name, shape, np.dtype(dtype), assembly.nothing(name))

    def mark(self, tile: int, assembly: Assembly) -> None:
        """A tile has been placed."""
        self.waiting.append(tile)
        if self.is_due():
            self.sync(assembly)

    def is_due(self) -> bool:
        """Whether something was last written down some time ago."""
        return time.monotonic() - self._last >= SYNC_SECONDS

    def sync(self, assembly: Assembly, complete: bool = False) -> None:
        """Everything so far reaches the disk, then its marks do."""
        for array in self._opened:
            array.flush()
        told = {"values": assembly.values, "absent": sorted(assembly.absent), "arrays": sorted(assembly.arrays)}
        self._tell({**told, "lags": assembly.lags.tolist(), "complete": complete})
        self.done[self.waiting] = True
        self.done.flush()
        self.waiting, self._last = [], time.monotonic()

    def gradient(self) -> tuple[int, np.ndarray] | None:
        """How many tiles had been added up to a gradient, and it."""
        path = self.path / "gradient.npz"
        if not path.exists():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
                return int(parts["tiles"]), parts["gradient"]
        except Exception as error:
            raise FileFormatError(f"{path}: damaged gradient: {error}") from error

    def keep_gradient(self, tiles: int, gradient: np.ndarray) -> None:
        """Write down the gradient of the first tiles."""
        part = self.path / "gradient.npz.part"
        with part.open("wb") as file:
            np.savez(file, tiles=tiles, gradient=gradient)
        part.replace(self.path / "gradient.npz")
        self._last = time.monotonic()

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def _begun(self) -> dict[str, Any]:
        path = self.path / "flow.json"
        if not path.exists():
            others = [one.name for one in self.path.iterdir() if not one.name.startswith("flow-lock")]
            if others:
                raise FileFormatError(f"{self.path}: out: no flow, but a folder with {sorted(others)[0]!r} in it")
            self._tell({})
            return {}
        told = read_header(self.path)
        for name, value in self._about.items():
            if told["about"].get(name) != value:
                raise FileFormatError(
                    f"{self.path}: out: holds a flow of another {name.replace('_', ' ')}; choose another folder"
                )
        return told

    def _tell(self, told: dict[str, Any]) -> None:
        text = json.dumps({"learnviews": KIND, "version": VERSION, "about": self._about, **told})
        part = self.path / "flow.json.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.path / "flow.json")

    def _open(self, name: str, shape: tuple[int, ...], dtype: np.dtype, fill: float) -> np.memmap:
        path = self.path / f"{name}.npy"
        if path.exists():
            return _mapped(path, shape, dtype)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        part = path.with_name(f"{name}.npy.part")
        try:
            array = np.lib.format.open_memmap(part, "w+", dtype, shape)
            if hasattr(os, "posix_fallocate"):  # a full disk is told now: later it would be a bus error
                with part.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, file.seek(0, 2))
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"{path}: out: no room for {in_words(size)}: {error.strerror or error}") from error
        if fill:
            array[...] = fill
            array.flush()
        part.replace(path)
        return array


def read_header(path: Path) -> dict[str, Any]:
    """What the folder's flow.json says; FileFormatError unless it is one."""
    file = path / "flow.json"
    if not path.is_dir() or not file.exists():
        raise FileFormatError(f"{path}: no flow (a folder with flow.json in it)")
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        kind, version = told["learnviews"], told["version"]
        told["about"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{file}: damaged flow: {error!r}") from error
    if kind != KIND or version != VERSION:
        raise FileFormatError(f"{file}: {kind} of version {version}; this LearnViews reads flow of version {VERSION}")
    return told


def open_flow(path: str | Path) -> Flow:
    """A flow that `itemize_corpus` wrote into a folder, mapped into memory.

    Raises
    ------
    FileFormatError
        If there is none, it is damaged, or not complete yet.
    """
    path = Path(path)
    told = read_header(path)
    if not told.get("complete"):
        raise FileFormatError(
            f"{path}: this flow is not complete; itemize_corpus with the same arguments goes on with it"
        )
    try:
        names = [name for name in told["arrays"] if name not in told["absent"]]
        arrays = {name: _steps_first(np.load(path / f"{name}.npy", mmap_mode="r")) for name in names}
        nothing = {field.name: None for field in fields(Flow)}
        return Flow(**{**nothing, **told["values"], **arrays, "lags": np.array(told["lags"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path}: damaged flow: {error}") from error


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.memmap:
    try:
        array = np.lib.format.open_memmap(path, "r+")
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: damaged flow: {error}") from error
    if array.shape != shape or array.dtype != dtype:
        raise FileFormatError(
            f"{path}: damaged flow: {array.dtype} of shape {array.shape}, expected {dtype} of {shape}"
        )
    return array


def _sequences_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(N, T, ...) of (T, N), (T, K, N) or (T, K, N, H)."""
    axis = 1 if len(shape) == 2 else 2
    return (shape[axis], *shape[:axis], *shape[axis + 1 :])


def _steps_first(array: Any) -> Any:
    return np.moveaxis(array, 0, 1 if array.ndim == 2 else 2)
