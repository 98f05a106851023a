"""What recordings hold of every strand, and the views of parameters, gates and units that are read off it.

Kept are, per strand, the norms of errors block by block, what errors are multiplied with at each step, and shares per
kind of parameter and block. Gates are disjoint rows of a parameter: squared norms add up over them, and so do shares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import as_numpy
from .cells import Cell
from .flow import Flow
from .inside import Inside
from .items import mean_lag
from .planes import Field, rounded, single, three_bytes
from .recorded import within
from .unroll import Run

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")  # of every strand, in PyTorch's order
FLOAT = np.dtype("<f4")


def strand_names(layers: int, bidirectional: bool) -> list[str]:
    """ "l0", "l0_reverse", "l1" and so on."""
    return [f"l{layer}{end}" for layer in range(layers) for end in (("", "_reverse") if bidirectional else ("",))]


def parameter_names(strands: Sequence[str]) -> list[str]:
    """All parameters of the strands."""
    return [f"{parameter}_{strand}" for strand in strands for parameter in PARAMETERS]


def split(parameter: str) -> tuple[str, str]:
    """ "weight_hh" and "l0" of "weight_hh_l0"."""
    match = re.fullmatch(r"(.+?)_(l\d+(?:_reverse)?)", parameter)
    assert match is not None
    return match[1], match[2]


def blocks_of(cell: Cell, parameter: str, gate: str | None) -> list[int]:
    """The blocks of errors that move a parameter, or one gate of it."""
    (first, last), gates = (cell.recurrent, cell.order) if parameter.endswith("hh") else (cell.inward, None)
    blocks = list(range(first, last))
    if gate is None:
        return blocks
    wanted = cell.gate_names.index(gate)
    return [blocks[wanted if gates is None else gates.index(wanted)]]


def entries(cell: Cell) -> list[tuple[int, int]]:
    """(kind, block) of everything that shares are kept of; kinds as in `Inside`."""
    kinds = (range(*cell.recurrent), range(*cell.inward), range(cell.blocks))
    return [(kind, block) for kind, blocks in enumerate(kinds) for block in blocks]


def entries_of(cell: Cell, parameter: str, gate: str | None) -> list[int]:
    """Places among `entries` whose shares make up a parameter's, or one gate's."""
    kind = {"weight_hh": 0, "weight_ih": 1}.get(parameter, 2)
    every = entries(cell)
    return [every.index((kind, block)) for block in blocks_of(cell, parameter, gate)]


def fields(cell: Cell, T: int, columns: int, B: int) -> list[Field]:
    """What is kept of one strand and batch, in the order in which a blob holds it."""
    count = len(entries(cell))
    shapes: dict[str, tuple[int, ...]] = {
        "block_norm": (cell.blocks, T, columns, B),
        "beyond": (cell.blocks, T, B),
        "reach": (2, T, B),
        "share": (count, T, columns, B),
        "share_beyond": (count, T, B),
    }
    return [(name, FLOAT, shape) for name, shape in shapes.items()]


def parts_of(cell: Cell, inside: Inside) -> dict[str, np.ndarray]:
    """The arrays of `fields` in the precision they were computed in."""
    kinds, blocks = (list(column) for column in zip(*entries(cell), strict=True))
    return {
        "block_norm": as_numpy(inside.norm),
        "beyond": as_numpy(inside.beyond),
        "reach": as_numpy(inside.reach),
        "share": as_numpy(inside.share)[kinds, blocks],
        "share_beyond": as_numpy(inside.share_beyond)[kinds, blocks],
    }


def kept(cell: Cell, insides: Sequence[Inside]) -> dict[str, np.ndarray]:
    """The arrays of `fields` for several batches, as they are stored."""
    parts = [parts_of(cell, inside) for inside in insides]
    return {name: rounded(np.stack([part[name] for part in parts])) for name in parts[0]}


def kept_units(cell: Cell, insides: Sequence[Inside]) -> np.ndarray:
    """(entries, batches, bytes) norm and share of every hidden unit, in three bytes each."""
    kinds, blocks = (list(column) for column in zip(*entries(cell), strict=True))
    both = [np.stack([as_numpy(i.unit_norm)[kinds, blocks], as_numpy(i.unit_share)[kinds, blocks]], 1) for i in insides]
    return three_bytes(np.stack(both, axis=1).reshape(len(kinds), len(insides), -1))


def view_of(cell: Cell, parts: Mapping[str, np.ndarray], parameter: str, gate: str | None) -> dict[str, np.ndarray]:
    """norm, beyond, share and share_beyond (float64) of a parameter ("weight_hh"); leading axes of the parts stay."""
    blocks, places = blocks_of(cell, parameter, gate), entries_of(cell, parameter, gate)
    reach = _reach(parts, parameter)
    return {
        "norm": view_of_norm(cell, parts, parameter, gate),
        "beyond": _root(parts["beyond"], blocks, -3) * (1 if reach is None else reach),
        "share": np.take(parts["share"], places, axis=-4).sum(axis=-4, dtype=np.float64),
        "share_beyond": np.take(parts["share_beyond"], places, axis=-3).sum(axis=-3, dtype=np.float64),
    }


def view_of_norm(cell: Cell, parts: Mapping[str, np.ndarray], parameter: str, gate: str | None) -> np.ndarray:
    """(..., T, C, B) the norms alone."""
    norm, reach = _root(parts["block_norm"], blocks_of(cell, parameter, gate), -4), _reach(parts, parameter)
    return norm if reach is None else norm * reach[..., None, :]


def _reach(parts: Mapping[str, np.ndarray], parameter: str) -> np.ndarray | None:
    """(..., T, B): what the errors are multiplied with; None where that is 1."""
    place = {"weight_hh": 0, "weight_ih": 1}.get(parameter)
    return None if place is None else parts["reach"][..., place, :, :]


def _root(norms: np.ndarray, blocks: list[int], axis: int) -> np.ndarray:
    """Root of the sum of squares over some blocks, in float64: norms may be as large as float32 goes."""
    chosen = np.take(norms, blocks, axis=axis).astype(np.float64)
    with np.errstate(over="ignore"):
        return chosen.squeeze(axis) if len(blocks) == 1 else np.sqrt((chosen * chosen).sum(axis=axis))


def flow_of(cell: Cell, run: Run, inside: Inside, parameter: str) -> Flow:
    """The flow of one whole parameter, without what only `Flow.horizon` needs."""
    view = view_of(cell, parts_of(cell, inside), split(parameter)[0], None)
    total = float(view["share"].sum() + view["share_beyond"].sum())
    known: dict[str, Any] = {**view, "total": total, "lags": inside.lags}
    return Flow(**known, loss=run.loss, parameter=parameter, whole=None, remainder=None)


def numbers(
    cell: Cell, parts: Mapping[str, np.ndarray], lags: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    """(batches, views, 2) float32: max_gradient and mean_lag of every parameter and gate, in the order of `views`.

    mask: (batches, T, B), 0 where a step is padding.
    """
    found, far = [], 1 if mask is None else within(mask, lags)[:, :, None]
    for parameter, gate in views(cell):
        norm = view_of_norm(cell, parts, parameter, gate)
        found.append((norm.sum(axis=-2).reshape(len(norm), -1).max(axis=1), mean_lag(norm * far, lags)))
    return single(np.array(found)).transpose(2, 0, 1)


def views(cell: Cell) -> list[tuple[str, str | None]]:
    """Every parameter of a strand, whole and gate by gate."""
    return [(parameter, gate) for parameter in PARAMETERS for gate in (None, *cell.gate_names)]


def units_of(norm: np.ndarray, share: np.ndarray) -> tuple[Any, Any]:
    """Norm and share per unit of several entries (entries, batches, H) together."""
    return np.sqrt((norm.astype(np.float64) ** 2).sum(axis=0)).astype(np.float32), share.sum(axis=0, dtype=np.float32)
