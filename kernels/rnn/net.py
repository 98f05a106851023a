"""The recurrent net: its parameters under PyTorch's names, and nothing of how it is trained or taken apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from .cells import Cell, cell_named

DTYPES = ("float32", "float64")
INITIAL = ("small", "uniform")


class RecurrentNet:
    """A recurrent net with a linear read-out: tokens or vectors in, a distribution over `outputs` symbols per step.

    Parameters
    ----------
    cell : {"tanh", "relu"}
    inputs : int
        Number of symbols (token input), or the length of the vectors (float input).
    hidden, outputs : int
        Hidden units; symbols to tell apart.
    layers, bidirectional
        One layer running forward: anything else raises ValueError.
    dtype : {"float32", "float64"}
    rng : int or numpy.random.Generator
        Seed of the initial weights.
    embedding : int, optional
        Length of a learned vector per symbol that stands between tokens and the cell. Without it a token selects a
        column of weight_ih, which is a one-hot input.
    initial : {"small", "uniform"}
        The law of the initial weights. "small": every matrix from N(0, 0.01^2), every bias zero, as min-char-rnn has
        it; gradients then start tiny. "uniform": everything from U(-1/sqrt(hidden), 1/sqrt(hidden)), as
        `torch.nn.RNN` and the `torch.nn.Linear` after it have it. (The embedding is N(0, 0.01^2) or N(0, 1).)

    Attributes
    ----------
    parameters : dict of str to array
        Views into `flat`: [embedding.weight (V, E)], weight_ih_l0 (H, I), weight_hh_l0 (H, H), bias_ih_l0 (H,),
        bias_hh_l0 (H,), decoder.weight (O, H), decoder.bias (O,).
    flat : array
        All parameters behind one another in one 1-D array.
    """

    def __init__(
        self,
        cell: str = "tanh",
        inputs: int = 1,
        hidden: int = 100,
        outputs: int = 1,
        layers: int = 1,
        bidirectional: bool = False,
        dtype: Any = "float32",
        rng: int | np.random.Generator | None = 0,
        *,
        embedding: int | None = None,
        initial: str = "small",
    ) -> None:
        self.cell: Cell = cell_named(cell)
        if layers != 1 or bidirectional:
            raise ValueError(
                f"layers must be 1 and bidirectional False, got layers={layers!r}, bidirectional={bidirectional!r}"
            )
        self.inputs = _count("inputs", inputs)
        self.hidden = _count("hidden", hidden)
        self.outputs = _count("outputs", outputs)
        self.embedding = None if embedding is None else _count("embedding", embedding)
        self.dtype = _dtype(dtype)
        if initial not in INITIAL:
            raise ValueError(f"initial must be one of {list(INITIAL)}, got {initial!r}")
        self._adopt(np.empty(sum(math.prod(shape) for shape in self.shapes().values()), self.dtype))
        self._draw(initial, np.random.default_rng(rng))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter, in the order in which `flat` holds them."""
        rows = self.cell.gates * self.hidden
        width = self.embedding or self.inputs
        embedding = {"embedding.weight": (self.inputs, self.embedding)} if self.embedding else {}
        return {
            **embedding,
            "weight_ih_l0": (rows, width),
            "weight_hh_l0": (rows, self.hidden),
            "bias_ih_l0": (rows,),
            "bias_hh_l0": (rows,),
            "decoder.weight": (self.outputs, self.hidden),
            "decoder.bias": (self.outputs,),
        }

    def views(self, flat: Any) -> dict[str, Any]:
        """The parts of a 1-D array laid out as `flat` is, by parameter name and in its shape (no copy)."""
        parts, start = {}, 0
        for name, shape in self.shapes().items():
            stop = start + math.prod(shape)
            parts[name] = flat[start:stop].reshape(shape)
            start = stop
        return parts

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
        return f"RecurrentNet({self.cell.name}, {inner}{self.hidden}→{self.outputs}, {self.dtype})"

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


def from_state_dict(state: Mapping[str, Any], cell: str = "tanh") -> RecurrentNet:
    """A net from arrays under PyTorch's names.

    Parameters
    ----------
    state : mapping of str to array
        weight_ih_l0 (H, I), weight_hh_l0 (H, H), bias_ih_l0 (H,), bias_hh_l0 (H,), decoder.weight (O, H),
        decoder.bias (O,) and, where tokens pass through one, embedding.weight (V, E); each under any prefix that ends
        with a dot. The biases may be missing together (`nn.RNN(bias=False)`, `nn.Linear(bias=False)`): they are zero
        then. NumPy or CuPy arrays, or CPU tensors of PyTorch; copied. float64 stays, everything else becomes float32.
    cell : {"tanh", "relu"}
        A state dict does not say which non-linearity its net had.

    Raises
    ------
    ValueError
        Naming, all at once, the keys that are missing, unknown or doubled; or a key whose shape or values are wrong.
    """
    kind = cell_named(cell)
    found = _named_parts(state)
    arrays = {name: _plain(value) for name, value in found.items()}
    xp = array_namespace(*arrays.values())
    hidden = _matrix(arrays, "weight_hh_l0").shape[1]
    inputs = _matrix(arrays, "weight_ih_l0").shape[1]
    outputs = _matrix(arrays, "decoder.weight").shape[0]
    embedding = None
    if "embedding.weight" in arrays:
        inputs, embedding = _matrix(arrays, "embedding.weight").shape
    dtype = "float64" if all(a.dtype.kind == "f" and a.dtype.itemsize == 8 for a in arrays.values()) else "float32"
    net = RecurrentNet(kind.name, inputs, hidden, outputs, dtype=dtype, embedding=embedding).to(xp)
    for name, target in net.parameters.items():
        value = arrays.get(name)
        if value is None:
            target[...] = 0
            continue
        if value.shape != target.shape:
            raise ValueError(f"{name}: expected shape {target.shape} for a {cell} cell, got {value.shape}")
        target[...] = value
        if not bool(xp.isfinite(target).all()):
            raise ValueError(f"{name}: holds NaN or Inf; expected finite weights")
    return net


def _named_parts(state: Mapping[str, Any]) -> dict[str, Any]:
    required = ["weight_ih_l0", "weight_hh_l0", "decoder.weight"]
    known = ["embedding.weight", *required, "bias_ih_l0", "bias_hh_l0", "decoder.bias"]
    found: dict[str, Any] = {}
    unknown, doubled = [], []
    for key, value in state.items():
        name = next((k for k in known if key == k or key.endswith("." + k)), None)
        if name is None:
            unknown.append(key)
        elif name in found:
            doubled.append(key)
        else:
            found[name] = value
    missing = [name for name in required if name not in found]
    if ("bias_ih_l0" in found) != ("bias_hh_l0" in found):
        missing.append("bias_hh_l0" if "bias_ih_l0" in found else "bias_ih_l0")
    problems = [
        f"{what}: {', '.join(map(str, keys))}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("more than once", doubled))
        if keys
    ]
    if problems:
        raise ValueError(f"state dict does not describe a one-layer net ({'; '.join(problems)}); expected {known}")
    return found


def _plain(value: Any) -> Any:
    """The value as a NumPy or CuPy array; a PyTorch tensor is recognized without importing PyTorch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return value if hasattr(value, "dtype") else np.asarray(value)


def _matrix(arrays: Mapping[str, Any], name: str) -> Any:
    if arrays[name].ndim != 2:
        raise ValueError(f"{name}: expected a matrix, got shape {arrays[name].shape}")
    return arrays[name]


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
