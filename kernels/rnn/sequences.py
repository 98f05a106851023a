"""Many sequences, wherever they lie: arrays, memory maps, lists of different lengths, a corpus. Read tile by tile.

Every kind answers the same two questions: how many steps each sequence has, and what some of them look like as a
batch for `bptt`, padded to the longest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy, is_cupy
from .corpus import Corpus
from .net import RecurrentNet


@dataclass
class Sequences:
    """N sequences that fit a net as far as their shapes tell; tokens are checked as they are read."""

    lengths: np.ndarray  # (N,) steps
    floats: bool  # whether inputs are floats
    numbers: bool  # whether targets are
    end: bool  # one target per sequence
    inputs: Any  # .steps(i, T) -> (T, ...) of sequence i, or .block(indices, T) -> (T, B, ...)
    targets: Any
    weights: Any  # the same for masks, or None
    state: tuple[Any, ...]  # (L*D, N, H) arrays, or none

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, indices: np.ndarray) -> dict[str, Any]:
        """x, y, state and mask of some sequences, as long as the longest of them."""
        length = self.lengths[indices]
        T = int(length.max())
        padded = bool((length < T).any())
        parts = tuple(np.ascontiguousarray(part[:, indices]) for part in self.state)
        return {
            "x": self.inputs.block(indices, T),
            "y": self.targets.block(indices, 1)[0] if self.end else self.targets.block(indices, T),
            "state": None if not parts else parts if len(parts) == 2 else parts[0],
            "mask": self._mask(indices, length, T) if padded or self.weights is not None else None,
        }

    def _mask(self, indices: np.ndarray, length: np.ndarray, T: int) -> np.ndarray:
        there = np.arange(T)[:, None] < length
        if self.weights is None:
            return there.astype(np.float64)
        if self.weights.each is not None:  # one weight per sequence, for its only loss
            return there * np.asarray(self.weights.each[indices], np.float64)
        return np.where(there, self.weights.block(indices, T), 0.0)


class Blocks:
    """Arrays (T, N, ...): a memory map is read no further than asked for."""

    each: Any = None

    def __init__(self, array: Any) -> None:
        self.array = array

    def block(self, indices: np.ndarray, T: int) -> np.ndarray:
        first, last = int(indices.min()), int(indices.max()) + 1
        if last - first == len(indices) and (np.diff(indices) == 1).all():
            return np.ascontiguousarray(self.array[:T, first:last])
        return np.ascontiguousarray(self.array[:T, indices])


class Rows:
    """A list of arrays (T_i, ...), one per sequence; what is missing behind their ends is 0."""

    each: Any = None

    def __init__(self, arrays: list[Any]) -> None:
        self.arrays = arrays

    def block(self, indices: np.ndarray, T: int) -> np.ndarray:
        rows = [np.asarray(self.arrays[i]) for i in indices]
        out = np.zeros((T, len(rows), *rows[0].shape[1:]), np.result_type(*{row.dtype for row in rows}))
        for b, row in enumerate(rows):
            out[: len(row), b] = row[:T]
        return out


class Each:
    """An array (N, ...): one target or weight per sequence."""

    def __init__(self, array: Any) -> None:
        self.each = array

    def block(self, indices: np.ndarray, T: int) -> np.ndarray:
        return np.ascontiguousarray(self.each[indices])[None]


class Pieces:
    """Tokens cut into pieces of `length`, `offset` symbols later."""

    each: Any = None

    def __init__(self, tokens: np.ndarray, length: int, offset: int) -> None:
        self.tokens, self.length, self.offset = tokens, length, offset

    def block(self, indices: np.ndarray, T: int) -> np.ndarray:
        place = indices * self.length + np.arange(T)[:, None] + self.offset
        return self.tokens[np.minimum(place, len(self.tokens) - 1)]


def sequences_of(net: RecurrentNet, x: Any, y: Any, state: Any, mask: Any, length: int | None) -> Sequences:
    """What `itemize_corpus` was given, checked as far as shapes tell; errors name the argument."""
    if isinstance(x, Corpus):
        found = _from_corpus(net, x, y, mask, length)
    elif length is not None:
        raise ValueError(f"length: it cuts a corpus into sequences; x is a {type(x).__name__}, whose sequences are cut")
    elif isinstance(x, list | tuple):
        found = _from_list(net, x, y, mask)
    else:
        found = _from_arrays(net, x, y, mask)
    found.state = _state(net, state, len(found))
    _check_widths(net, found)
    return found


def _from_corpus(net: RecurrentNet, corpus: Corpus, y: Any, mask: Any, length: Any) -> Sequences:
    for name, value in (("y", y), ("mask", mask)):
        if value is not None:
            raise ValueError(f"{name}: a corpus has its own targets, the symbols that come next; expected None")
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 1:
        raise ValueError(f"length: a corpus is cut into sequences of so many symbols, at least 1; got {length!r}")
    if net.inputs != len(corpus.symbols) or net.outputs != len(corpus.symbols):
        raise ValueError(
            f"x: the corpus has {len(corpus.symbols)} symbols; the net takes {net.inputs} and gives {net.outputs}"
        )
    n = len(corpus) - 1
    if n < 1:
        raise ValueError(f"x: corpus {corpus.name!r} has one symbol only, so that none comes next")
    lengths = np.full(-(-n // length), length)
    lengths[-1] = n - (len(lengths) - 1) * length
    inputs, targets = (Pieces(corpus.tokens, int(length), offset) for offset in (0, 1))
    return Sequences(lengths, False, False, False, inputs, targets, None, ())


def _from_arrays(net: RecurrentNet, x: Any, y: Any, mask: Any) -> Sequences:
    x, y, mask = (_array(net, name, a) for name, a in (("x", x), ("y", y), ("mask", mask)))
    if x is None or x.ndim not in (2, 3) or x.dtype.kind not in "iuf":
        raise ValueError(
            "x: expected tokens (T, N), floats (T, N, I), a list of sequences, or a Corpus; got "
            + ("None" if x is None else f"{x.dtype} of shape {x.shape}")
        )
    T, N = x.shape[:2]
    if not T or not N:
        raise ValueError(f"x: expected at least one step and one sequence, got shape {x.shape}")
    if y is None:
        raise ValueError("y: expected what is to be predicted, got None (only a Corpus has its own targets)")
    numbers = y.dtype.kind == "f"
    if y.dtype.kind not in "iuf" or y.shape[: min(y.ndim, 2)] not in ((T, N), (N,), (N, net.outputs)):
        raise _wrong_targets(y, f"({T}, {N})", f"({N},)", net)
    alone = numbers and net.outputs == 1 and y.shape in ((T, N), (N,))
    y = y[..., None] if alone else y
    end = y.ndim == 1 + numbers
    if y.shape[:1] != (N,) if end else y.shape[:2] != (T, N):
        raise _wrong_targets(y, f"({T}, {N})", f"({N},)", net)
    lengths, weights = np.full(N, T), None
    if mask is not None:
        _check_mask(mask, (T, N), end)
        weights = Each(mask) if mask.ndim == 1 else Blocks(mask)
        lengths = lengths if mask.ndim == 1 else _lengths(mask)
    return Sequences(lengths, x.ndim == 3, numbers, end, Blocks(x), Each(y) if end else Blocks(y), weights, ())


def _from_list(net: RecurrentNet, x: Any, y: Any, mask: Any) -> Sequences:
    if not len(x):
        raise ValueError("x: an empty list; expected at least one sequence")
    rows = [_array(net, f"x[{i}]", row) for i, row in enumerate(x)]
    for i, row in enumerate(rows):
        if row is None or row.ndim not in (1, 2) or row.dtype.kind not in "iuf" or row.ndim != rows[0].ndim:
            said = "None" if row is None else f"{row.dtype} of shape {row.shape}"
            raise ValueError(f"x[{i}]: expected tokens (T,) or floats (T, I), the same in all sequences; got {said}")
        if (row.dtype.kind == "f") != (rows[0].dtype.kind == "f"):
            raise ValueError(f"x[{i}]: {row.dtype} beside {rows[0].dtype}; expected tokens or floats, not both")
        if not len(row):
            raise ValueError(f"x[{i}]: a sequence without steps")
    lengths, N = np.array([len(row) for row in rows]), len(rows)
    end, numbers, targets = _list_targets(net, y, lengths)
    weights: Any = None
    if isinstance(mask, list | tuple) and np.ndim(mask[0] if len(mask) else 0):
        weights = Rows(_matching("mask", net, mask, lengths, 1))
        for i, row in enumerate(weights.arrays):
            _check_mask(row[:, None], (len(row), 1), end, f"mask[{i}]")
        lengths = np.array([int(_lengths(row[:, None])[0]) for row in weights.arrays])
    elif mask is not None:
        given = _array(net, "mask", mask)
        if not end or given.shape != (N,):
            raise ValueError(
                f"mask: expected a list of {N} arrays, one weight per step; got shape {given.shape}"
                + (f" (one weight per sequence, ({N},), will do too)" if end else "")
            )
        _check_mask(given, (0, N), end)
        weights = Each(given)
    return Sequences(lengths, rows[0].dtype.kind == "f", numbers, end, Rows(rows), targets, weights, ())


def _list_targets(net: RecurrentNet, y: Any, lengths: np.ndarray) -> tuple[bool, bool, Any]:
    """Whether there is one target per sequence, whether it is a number, and the targets."""
    N = len(lengths)
    if y is None or not hasattr(y, "__len__") or len(y) != N:
        got = "None" if y is None else f"{len(y)}" if hasattr(y, "__len__") else repr(y)
        raise ValueError(f"y: expected targets of the {N} sequences of x, got {got}")
    parts = [_array(net, f"y[{i}]", part) for i, part in enumerate(y)]
    numbers = parts[0].dtype.kind == "f"
    for i, part in enumerate(parts):
        if part.dtype.kind not in "iuf" or (part.dtype.kind == "f") != numbers:
            raise ValueError(f"y[{i}]: {part.dtype} beside {parts[0].dtype}; expected tokens or floats, not both")
    per_step = all(part.ndim and len(part) == steps for part, steps in zip(parts, lengths, strict=True))
    if per_step and (parts[0].ndim == 2 or not numbers or net.outputs == 1):
        want = 2 if numbers else 1
        parts = [part[:, None] if numbers and part.ndim == 1 else part for part in parts]
        return False, numbers, Rows(_matching("y", net, parts, lengths, want))
    if len({part.shape for part in parts}) > 1:
        raise ValueError("y: expected one target per step in every sequence, or one per sequence; their lengths differ")
    each = np.array(parts)
    each = each[:, None] if numbers and each.ndim == 1 else each
    if each.shape != ((N, net.outputs) if numbers else (N,)):
        raise _wrong_targets(each, "(steps,) each", f"({N},)", net)
    return True, numbers, Each(each)


def _matching(name: str, net: RecurrentNet, given: Any, lengths: np.ndarray, ndim: int) -> list[Any]:
    if len(given) != len(lengths):
        raise ValueError(f"{name}: {len(given)} sequences beside {len(lengths)} of x")
    rows = [_array(net, f"{name}[{i}]", row) for i, row in enumerate(given)]
    for i, (row, steps) in enumerate(zip(rows, lengths, strict=True)):
        if row is None or row.ndim != ndim or len(row) != steps or row.shape[1:] != rows[0].shape[1:]:
            said = "None" if row is None else f"shape {row.shape}"
            raise ValueError(f"{name}[{i}]: expected {steps} steps as x[{i}] has, got {said}")
    return rows


def _wrong_targets(y: Any, steps: str, each: str, net: RecurrentNet) -> ValueError:
    return ValueError(
        f"y: expected tokens of shape {steps}, or {each} for one per sequence; or floats with a last axis of "
        f"{net.outputs}; got {y.dtype} of shape {y.shape}"
    )


def _array(net: RecurrentNet, name: str, a: Any) -> Any:
    """The array in host memory, a memory map as it is; TypeError where it lies on a device that the net is not on."""
    if a is None:
        return None
    if isinstance(a, np.memmap):
        return a
    try:
        if is_cupy(a):
            array_namespace(net.flat, a)
        a = as_numpy(a)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: no array can be made of it ({error})") from error
    if a.dtype.kind == "O":
        raise ValueError(f"{name}: expected numbers, got an array of objects")
    return a


def _check_mask(mask: Any, shape: tuple[int, int], end: bool, name: str = "mask") -> None:
    if mask.shape != shape and not (end and mask.shape == shape[1:]):
        raise ValueError(f"{name}: expected shape {shape}, got {mask.shape}")
    if mask.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected numbers, got {mask.dtype}")


def _lengths(mask: Any) -> np.ndarray:
    """(N,) steps up to the last weight that is not 0, at least one; a memory map is read in parts."""
    T, N = mask.shape
    found, few = np.empty(N, np.int64), max((1 << 22) // T, 1)
    for first in range(0, N, few):
        there = np.asarray(mask[:, first : first + few]) != 0
        found[first : first + few] = np.where(there.any(axis=0), T - there[::-1].argmax(axis=0), 1)
    return found


def _state(net: RecurrentNet, state: Any, N: int) -> tuple[Any, ...]:
    if state is None:
        return ()
    shape = (len(net.strands), N, net.hidden)
    pair = isinstance(state, tuple | list) and len(state) == 2
    if (net.cell.states == 2) != pair:
        want = f"a pair (h, c), each of shape {shape}" if net.cell.states == 2 else f"an array of shape {shape}"
        raise ValueError(f"state: expected {want}")
    parts = tuple(_array(net, "state", part) for part in (state if pair else (state,)))
    for part in parts:
        if part.shape != shape and not (shape[0] == 1 and part.shape == shape[1:]):
            raise ValueError(f"state: expected shape {shape}, got {part.shape}")
    return tuple(part.reshape(shape) for part in parts)


def _check_widths(net: RecurrentNet, found: Sequences) -> None:
    """Once for all sequences what would fail for every tile."""
    one = found.batch(np.arange(1))
    if found.floats and (net.embedding or one["x"].shape[2:] != (net.inputs,)):
        want = "int tokens" if net.embedding else f"floats with a last axis of {net.inputs}"
        raise ValueError(f"x: this net takes {want}, got floats with a last axis of {one['x'].shape[2:]}")
    if found.numbers and one["y"].shape[-1] != net.outputs:
        raise ValueError(f"y: this net predicts {net.outputs} numbers, got {one['y'].shape[-1]}")
