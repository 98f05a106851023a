"""What is itemized: a parameter (of one gate, one unit) or a state, and how it is read off the errors of a strand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from .net import RecurrentNet
from .rows import weighted_norm
from .strand import Strand

PATTERN = re.compile(r"(weight_hh|weight_ih|bias_hh|bias_ih|state|cell)(?:_(l\d+(?:_reverse)?))?")


@dataclass
class Target:
    """A parameter or state of one strand."""

    parameter: str  # its full name: "weight_hh_l0", "state_l1_reverse"
    kind: str  # weight_hh, weight_ih, bias_hh, bias_ih, state or cell
    index: int  # of the strand
    gate: str | None
    unit: int | None
    each_unit: bool

    @property
    def is_state(self) -> bool:
        """Whether it is no parameter, and so has no gradient to share."""
        return self.kind in ("state", "cell")


def parameters_of(net: RecurrentNet) -> list[str]:
    """All that can be itemized in a net, in PyTorch's order, the states last."""
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    states = ("state", "cell") if net.cell.states == 2 else ("state",)
    return [f"{k}_{s}" for s in net.strands for k in kinds] + [f"{k}_{s}" for s in net.strands for k in states]


def find_target(net: RecurrentNet, parameter: Any, gate: Any = None, unit: Any = None) -> Target:
    """The target by its name; ValueError lists what there is.

    "state" and "cell" alone are those of the last layer, in the forward direction.
    """
    match = PATTERN.fullmatch(parameter) if isinstance(parameter, str) else None
    kind: str = match[1] if match else ""
    strand: str = (match[2] if match else "") or ""
    if not strand and kind in ("state", "cell"):
        strand = f"l{net.layers - 1}"
    full = f"{kind}_{strand}"
    if strand not in net.strands or (kind == "cell" and net.cell.states == 1):
        raise ValueError(f"parameter must be one of {parameters_of(net)}, got {parameter!r}")
    if gate is not None and (kind in ("state", "cell") or gate not in net.cell.gate_names):
        names = list(net.cell.gate_names)
        known = f"one of {names}" if names and kind not in ("state", "cell") else "None here"
        raise ValueError(f"gate must be {known}, got {gate!r}")
    each = isinstance(unit, str) and unit == "all"
    if unit is not None and not each:
        whole = isinstance(unit, int | np.integer) and not isinstance(unit, bool)
        if not whole or not 0 <= unit < net.hidden:
            raise ValueError(f'unit must be a whole number from 0 to {net.hidden - 1}, "all" or None, got {unit!r}')
    return Target(full, kind, net.strands.index(strand), gate, None if each or unit is None else int(unit), each)


def lags_of(parameter: str, layers: int, bidirectional: bool, columns: int) -> np.ndarray:
    """(columns,) int: the lags of a parameter's norms, one loss per step."""
    match = re.search(r"_l(\d+)(_reverse)?$", parameter)
    if bidirectional and match and int(match[1]) < layers - 1:
        return np.arange(columns) - columns // 2
    return -np.arange(columns) if match and match[2] else np.arange(columns)


def chosen_blocks(net: RecurrentNet, target: Target) -> list[bool]:
    """Per block of errors, whether the target's gradient holds it."""
    cell = net.cell
    if target.kind.endswith("hh"):
        gates = dict(zip(range(*cell.recurrent), cell.order, strict=True))
    else:
        gates = dict(zip(range(*cell.inward), range(cell.gates), strict=True))
    wanted = None if target.gate is None else cell.gate_names.index(target.gate)
    return [block in gates and wanted in (None, gates[block]) for block in range(cell.blocks)]


def weights(net: RecurrentNet, strand: Strand, target: Target) -> Any:
    """w (n, S) with |the target's errors| = |w * d|; no rows where that is |d| itself."""
    xp = array_namespace(net.flat)
    cell, H = net.cell, net.hidden
    coef = strand.coef_rows
    if not target.is_state:
        w = coef if cell.blocks == 1 else cell.weights(xp, coef, chosen_blocks(net, target))
    elif cell.states == 1:
        w = xp.ones((len(coef), H), net.dtype) if target.unit is not None else xp.zeros((0, H), net.dtype)
    else:
        w = xp.zeros((len(coef), 2 * H), net.dtype)
        (w[:, :H] if target.kind == "state" else w[:, H:])[...] = 1
    if target.unit is None:
        return w
    alone = xp.zeros_like(w)
    alone[:, target.unit :: H] = w[:, target.unit :: H]
    return alone


def reach(net: RecurrentNet, strand: Strand, target: Target) -> Any:
    """(n,) float64 |u_s|: the norm of what the target is multiplied with at each step."""
    xp = array_namespace(net.flat)
    T, B = strand.coef.shape[:2]
    if target.kind == "weight_hh":
        u = strand.h[:-1]
    elif target.kind == "weight_ih" and strand.u.ndim == 3:
        u = strand.u
    else:
        return xp.ones(T * B)  # a one-hot input, or the 1 that a bias is multiplied with
    u = u.reshape(T * B, -1)
    return weighted_norm(u, u[:0])


def share_rows(net: RecurrentNet, strand: Strand, target: Target, grads: dict[str, Any]) -> tuple[Any, float]:
    """p (n, S) with <a cell's gradient, G> = <d, p>, and ||G||^2; G the target's part of dL/dparameter.

    <e u', G> = e . G u: so G u of every step, block by block, is pulled back from the errors to d.
    """
    xp, cell, H = array_namespace(net.flat), net.cell, net.hidden
    G = grads[target.parameter]
    T, B = strand.coef.shape[:2]
    n = T * B
    if target.kind == "weight_hh":
        q = strand.h[:-1].reshape(n, -1) @ G.T
    elif target.kind == "weight_ih" and strand.u.ndim == 2:
        q = xp.ascontiguousarray(G.T)[strand.u.reshape(-1)]
    elif target.kind == "weight_ih":
        q = strand.u.reshape(n, -1) @ G.T
    else:
        q = xp.broadcast_to(G, (n, len(G)))
    blocks = xp.zeros((n, cell.blocks * H), net.dtype)
    gates = cell.order if target.kind.endswith("hh") else tuple(range(cell.gates))
    first = cell.recurrent[0] if target.kind.endswith("hh") else cell.inward[0]
    chosen = chosen_blocks(net, target)
    units = slice(None) if target.unit is None else slice(target.unit, target.unit + 1)
    squared = 0.0
    for place, gate in enumerate(gates, start=first):
        if not chosen[place]:
            continue
        blocks[:, place * H : (place + 1) * H][:, units] = q[:, gate * H : (gate + 1) * H][:, units]
        squared += _squares(G[gate * H : (gate + 1) * H][units])
    return cell.pulled(xp, blocks, strand.coef_rows), squared


def _squares(part: Any) -> float:
    squares = float(array_namespace(part).vdot(part, part))
    if 2.0**-100 < squares < 2.0**100:
        return squares
    return float((part.astype(np.float64) ** 2).sum())  # float32 may have lost terms
