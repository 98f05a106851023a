"""Nets from weights that were trained elsewhere: PyTorch's state dicts, and safetensors files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..store import FileFormatError
from .cells import CELLS, cell_named
from .net import RecurrentNet

RECURRENT = re.compile(r"(?:^|\.)((weight|bias)_(ih|hh|hr)_l(\d+)(_reverse)?)$")
SAFE_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U8": "<u1", "BOOL": "<u1",
}  # fmt: skip
LONGEST_HEADER = 100_000_000  # bytes, as the format's own reader has it


def from_state_dict(
    state: Mapping[str, Any] | str | Path,
    cell: str | None = None,
    *,
    embedding: str = "embedding",
    decoder: str = "decoder",
) -> RecurrentNet:
    """A net from arrays under PyTorch's names.

    Parameters
    ----------
    state : mapping of str to array, or the path of a .safetensors file
        The state dict of a module that holds one `nn.RNN`, `nn.GRU` or `nn.LSTM`: weight_ih_l0 (G*H, I),
        weight_hh_l0 (G*H, H), bias_ih_l0 (G*H,), bias_hh_l0 (G*H,) and so on for every layer and, ending with
        _reverse, for the backward direction; decoder.weight (O, H or 2H) and decoder.bias (O,); where tokens pass
        through one, embedding.weight (V, E). Each under any prefix that ends with a dot. The biases may be missing
        together (`bias=False`): they are zero then. Without decoder the states of the last layer are the net's output.
        NumPy or CuPy arrays, or CPU tensors of PyTorch; copied. float64 stays, everything else becomes float32.
    cell : {"tanh", "relu", "gru", "lstm"}, optional
        GRU and LSTM show in the number of rows. Which non-linearity a plain cell had does not: it is tanh, as
        `nn.RNN` has it by default, unless named.
    embedding, decoder : str
        What the modules before and after the recurrent one are called, if not so.

    Raises
    ------
    ValueError
        Naming, all at once, the keys that are missing, unknown or doubled; or a key whose shape or values are wrong.
    FileNotFoundError, FileFormatError
        If there is no such file, or it is no whole safetensors file.
    """
    if isinstance(state, str | Path):
        state = read_safetensors(state)
    kind = None if cell is None else cell_named(cell)
    found = _named_parts(state, embedding, decoder)
    arrays = {name: _plain(value) for name, value in found.items()}
    xp = array_namespace(*arrays.values())
    hidden = _matrix(arrays, "weight_hh_l0").shape[1]
    kind = kind or cell_named(_cell_of(len(arrays["weight_hh_l0"]), hidden))
    inputs = _matrix(arrays, "weight_ih_l0").shape[1]
    outputs = len(_matrix(arrays, "decoder.weight")) if "decoder.weight" in arrays else None
    length = None
    if "embedding.weight" in arrays:
        inputs, length = _matrix(arrays, "embedding.weight").shape
    dtype = "float64" if all(a.dtype.kind == "f" and a.dtype.itemsize == 8 for a in arrays.values()) else "float32"
    layers, both = _depth(arrays)
    net = RecurrentNet(kind.name, inputs, hidden, outputs, layers, both, dtype, embedding=length).to(xp)
    for name, target in net.parameters.items():
        _fill(name, target, arrays.get(name), kind.name)
    return net


def _fill(name: str, target: Any, value: Any, cell: str) -> None:
    if value is None:
        target[...] = 0
        return
    if value.shape != target.shape:
        raise ValueError(f"{name}: expected shape {target.shape} for a {cell} cell, got {value.shape}")
    target[...] = value
    if not bool(array_namespace(target).isfinite(target).all()):
        raise ValueError(f"{name}: holds NaN or Inf; expected finite weights")


def _cell_of(rows: int, hidden: int) -> str:
    """The cell whose gates give `rows` rows; ValueError where that is no answer."""
    gates, rest = divmod(rows, max(hidden, 1))
    named = {cell.gates: name for name, cell in CELLS.items() if cell.gates > 1}
    named[1] = "tanh"
    if rest == 0 and gates in named:
        return named[gates]
    raise ValueError(f"weight_hh_l0: expected 1, 3 or 4 times {hidden} rows for {hidden} hidden units, got {rows}")


def _depth(arrays: Mapping[str, Any]) -> tuple[int, bool]:
    parts = [match for match in map(RECURRENT.search, arrays) if match]
    return 1 + max(int(match[4]) for match in parts), any(match[5] for match in parts)


def _named_parts(state: Mapping[str, Any], embedding: str, decoder: str) -> dict[str, Any]:
    """The arrays by their names in a net; one ValueError for all keys that do not fit."""
    outside = {
        f"{embedding}.weight": "embedding.weight",
        f"{decoder}.weight": "decoder.weight",
        f"{decoder}.bias": "decoder.bias",
    }
    found: dict[str, Any] = {}
    problems: dict[str, list[str]] = {"missing": [], "unknown": [], "more than once": [], "projections": []}
    for key, value in state.items():
        name = _name_of(str(key), outside)
        if name is None:
            problems["unknown"].append(str(key))
        elif "weight_hr_" in name:
            problems["projections"].append(str(key))
        elif name in found:
            problems["more than once"].append(str(key))
        else:
            found[name] = value
    problems["missing"] = _missing(found)
    told = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys)
    if told:
        note = " (an LSTM with proj_size has a layer of another kind)" if problems["projections"] else ""
        raise ValueError(
            f"state dict does not describe a recurrent net ({told}){note}; expected [{embedding}.weight], "
            f"weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 and so on for each layer, [_reverse], "
            f"[{decoder}.weight, {decoder}.bias]"
        )
    return found


def _name_of(key: str, outside: Mapping[str, str]) -> str | None:
    match = RECURRENT.search(key)
    if match:
        return None if match[2] == "bias" and match[3] == "hr" else match[1]
    return next((name for end, name in outside.items() if key == end or key.endswith("." + end)), None)


def _missing(found: Mapping[str, Any]) -> list[str]:
    """Names that have to be there, given those that are."""
    parts = [match for match in map(RECURRENT.search, found) if match]
    layers = 1 + max((int(match[4]) for match in parts), default=0)
    both = any(match[5] for match in parts)
    biased = any(match[2] == "bias" for match in parts)
    wanted = [
        f"{kind}_{side}_l{layer}{end}"
        for layer in range(min(layers, 1000))
        for end in (("", "_reverse") if both else ("",))
        for kind in (("weight", "bias") if biased else ("weight",))
        for side in ("ih", "hh")
    ]
    if "decoder.bias" in found:
        wanted.append("decoder.weight")
    return [name for name in wanted if name not in found]


def _plain(value: Any) -> Any:
    """The value as a NumPy or CuPy array; a PyTorch tensor is recognized without importing PyTorch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    return value if hasattr(value, "dtype") else np.asarray(value)


def _matrix(arrays: Mapping[str, Any], name: str) -> Any:
    if arrays[name].ndim != 2:
        raise ValueError(f"{name}: expected a matrix, got shape {arrays[name].shape}")
    return arrays[name]


def read_safetensors(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file: 8 bytes with the length of a JSON header, the header, little-endian data.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If there is no such file; if it is damaged, or holds a type that NumPy has not.
    """
    path = Path(path)
    if path.is_dir():
        raise FileFormatError(f"{path}: a folder; expected a safetensors file")
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, LONGEST_HEADER):
        raise FileFormatError(f"{path}: not a safetensors file, or a truncated one")
    try:
        header = json.loads(data[8 : 8 + size])
        header.pop("__metadata__", None)
        return {name: _tensor(entry, memoryview(data)[8 + size :]) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FileFormatError(f"{path}: damaged safetensors file: {error}") from error


def _tensor(entry: Mapping[str, Any], data: memoryview) -> np.ndarray:
    kind, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in SAFE_DTYPES:
        raise ValueError(f"type {kind!r} is not known")
    if not 0 <= start <= stop <= len(data):
        raise ValueError(f"data from {start} to {stop} of {len(data)} bytes")
    array = np.frombuffer(data[start:stop], SAFE_DTYPES[kind])
    if kind == "BF16":  # the upper half of a float32
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(shape)
