"""The recurrent net: its parameters under PyTorch's names, and nothing of how it is trained or taken apart."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import as_numpy
from .cells import Cell, cell_named

DTYPES = ("float32", "float64")
INITIAL = ("small", "uniform")


class RecurrentNet:
    """A recurrent net with a linear read-out: tokens or vectors in, scores of `outputs` symbols or numbers out.

    Parameters
    ----------
    cell : {"tanh", "relu", "gru", "lstm"}
        In PyTorch's form: gates r, z, n of a GRU (the reset gate acts on W_hn h + b_hn), i, f, g, o of an LSTM.
    inputs : int
        Number of symbols (token input), or the length of the vectors (float input).
    hidden : int
        Hidden units per layer and direction.
    outputs : int or None
        Symbols to tell apart, or numbers to predict. None: there is no decoder, and the states of the last layer
        themselves are the output.
    layers : int
        Each further layer reads the states of the one below, both directions side by side.
    bidirectional : bool
        Whether every layer also has a direction that runs from the sequence's end to its start.
    dtype : {"float32", "float64"}
    rng : int or numpy.random.Generator
        Seed of the initial weights.
    embedding : int, optional
        Length of a learned vector per symbol that stands between tokens and the cell. Without it a token selects a
        column of weight_ih, which is a one-hot input.
    initial : {"small", "uniform"}
        The law of the initial weights. "small": every matrix from N(0, 0.01^2), every bias zero, as min-char-rnn has
        it; gradients then start tiny. "uniform": everything from U(-1/sqrt(hidden), 1/sqrt(hidden)), as
        `torch.nn.RNN`, `GRU` and `LSTM` have it. (The embedding is N(0, 0.01^2) or N(0, 1).)

    Attributes
    ----------
    parameters : dict of str to array
        Views into `flat`, with G gates: [embedding.weight (V, E)], per layer and direction weight_ih_l0 (G*H, I),
        weight_hh_l0 (G*H, H), bias_ih_l0 (G*H,), bias_hh_l0 (G*H,), the backward direction's names ending with
        _reverse, then [decoder.weight (O, H or 2H), decoder.bias (O,)].
    flat : array
        All parameters behind one another in one 1-D array.
    """

    def __init__(
        self,
        cell: str = "tanh",
        inputs: int = 1,
        hidden: int = 100,
        outputs: int | None = 1,
        layers: int = 1,
        bidirectional: bool = False,
        dtype: Any = "float32",
        rng: int | np.random.Generator | None = 0,
        *,
        embedding: int | None = None,
        initial: str = "small",
    ) -> None:
        self.cell: Cell = cell_named(cell)
        self.inputs = _count("inputs", inputs)
        self.hidden = _count("hidden", hidden)
        self.layers = _count("layers", layers)
        if not isinstance(bidirectional, bool | np.bool_):
            raise ValueError(f"bidirectional must be True or False, got {bidirectional!r}")
        self.bidirectional = bool(bidirectional)
        self.decoder = outputs is not None
        self.outputs = self.width if outputs is None else _count("outputs", outputs)
        self.embedding = None if embedding is None else _count("embedding", embedding)
        self.dtype = _dtype(dtype)
        if initial not in INITIAL:
            raise ValueError(f"initial must be one of {list(INITIAL)}, got {initial!r}")
        self._adopt(np.empty(sum(math.prod(shape) for shape in self.shapes().values()), self.dtype))
        self._draw(initial, np.random.default_rng(rng))

    @property
    def directions(self) -> int:
        """1, or 2 for a bidirectional net."""
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> int:
        """Length of what the decoder reads per step: the hidden units of all directions."""
        return self.hidden * self.directions

    @cached_property
    def strands(self) -> list[str]:
        """How the parameters of every layer and direction end ("l0", "l0_reverse", "l1", ...), in PyTorch's order."""
        ends = ("", "_reverse")[: self.directions]
        return [f"l{layer}{end}" for layer in range(self.layers) for end in ends]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter, in the order in which `flat` holds them."""
        rows = self.cell.gates * self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        if self.embedding:
            shapes["embedding.weight"] = (self.inputs, self.embedding)
        for i, strand in enumerate(self.strands):
            width = self.width if i >= self.directions else self.embedding or self.inputs
            shapes[f"weight_ih_{strand}"] = (rows, width)
            shapes[f"weight_hh_{strand}"] = (rows, self.hidden)
            shapes[f"bias_ih_{strand}"] = (rows,)
            shapes[f"bias_hh_{strand}"] = (rows,)
        if self.decoder:
            shapes["decoder.weight"] = (self.outputs, self.width)
            shapes["decoder.bias"] = (self.outputs,)
        return shapes

    def views(self, flat: Any) -> dict[str, Any]:
        """The parts of a 1-D array laid out as `flat` is, by parameter name and in its shape (no copy)."""
        return {name: flat[start:stop].reshape(shape) for name, start, stop, shape in self._layout}

    @cached_property
    def _layout(self) -> list[tuple[str, int, int, tuple[int, ...]]]:
        """Name, first and past the last element in `flat`, and shape of every parameter."""
        places, start = [], 0
        for name, shape in self.shapes().items():
            places.append((name, start, start + math.prod(shape), shape))
            start += math.prod(shape)
        return places

    def state_dict(self) -> dict[str, Any]:
        """Copies of the parameters under PyTorch's names."""
        return {name: value.copy() for name, value in self.parameters.items()}

    def copy(self) -> RecurrentNet:
        """An independent net with the same weights on the same device."""
        return self._like(self.flat.copy())

    def to(self, xp: Any) -> RecurrentNet:
        """A copy of this net whose arrays belong to `xp` (`numpy` or `cupy`)."""
        return self._like(xp.array(self.flat if xp.__name__ == "cupy" else as_numpy(self.flat)))

    def as_type(self, dtype: Any) -> RecurrentNet:
        """A copy of this net in `dtype`."""
        return self._like(self.flat.astype(_dtype(dtype)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "parameters"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._adopt(self.flat)  # copies must be views of their own array too

    def __repr__(self) -> str:
        inner = f"{self.inputs}→{self.embedding}→" if self.embedding else f"{self.inputs}→"
        depth = (f"{self.layers} x " if self.layers > 1 else "") + ("2 x " if self.bidirectional else "")
        outer = f"→{self.outputs}" if self.decoder else ""
        return f"RecurrentNet({self.cell.name}, {inner}{depth}{self.hidden}{outer}, {self.dtype})"

    def _like(self, flat: Any) -> RecurrentNet:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.dtype = np.dtype(flat.dtype)
        other._adopt(flat)
        return other

    def _adopt(self, flat: Any) -> None:
        self.flat = flat
        self.parameters = self.views(flat)

    def _draw(self, initial: str, rng: np.random.Generator) -> None:
        bound = 1 / math.sqrt(self.hidden)
        for name, value in self.parameters.items():
            if name == "embedding.weight":
                value[...] = rng.normal(0, 0.01 if initial == "small" else 1, value.shape)
            elif initial == "uniform":
                value[...] = rng.uniform(-bound, bound, value.shape)
            elif value.ndim == 2:
                value[...] = rng.normal(0, 0.01, value.shape)
            else:
                value[...] = 0


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _dtype(dtype: Any) -> np.dtype:
    try:
        given = np.dtype(dtype)
    except TypeError:
        given = None
    if given is None or given.name not in DTYPES:
        raise ValueError(f"dtype must be one of {list(DTYPES)}, got {dtype!r}")
    return given.newbyteorder("=")
