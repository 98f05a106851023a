"""Back-propagation through time that cannot overflow or vanish: every row of errors carries a power of two.

Ordinary BPTT (`unroll.py`) is faster, and enough unless a net explodes, or one loss is followed over very many steps.
Errors are rows in (T, B) or, for several losses side by side, (T, B, m); the true value of a row is row * 2**power.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace
from .batch import turned
from .cells import Cell, in_order, inward_columns, recurrent_columns
from .net import RecurrentNet
from .unroll import Run

NEAR = 2.0**20  # largest elements outside [1/NEAR, NEAR] are scaled back to about 1


def carried_back_scaled(net: RecurrentNet, run: Run, own: list[Any], down_to: int = 0) -> dict[int, tuple[Any, ...]]:
    """Per strand of the layers from the last down to `down_to`: d (T, B[, m], S), z, and power (T, B[, m]) int32.

    own: per direction (T, B[, m], H), in its own time.
    """
    xp, found = array_namespace(net.flat), {}
    zeros = xp.zeros(own[0].shape[:-1], np.int32)
    power = [zeros] * net.directions
    for layer in reversed(range(down_to, net.layers)):
        indices = [layer * net.directions + k for k in range(net.directions)]
        for i, part, exponent in zip(indices, own, power, strict=True):
            strand = run.strands[i]
            W = in_order(net.cell, net.parameters[f"weight_hh_{strand.name}"])
            found[i] = _run_backward(xp, net.cell, W, part, exponent, strand.coef)
        if layer > down_to:
            both, exponent = inputs_errors_scaled(net, run, indices, found)
            own, power = [both[..., : net.hidden]], [exponent]
            if net.directions == 2:
                own.append(turned(both[..., net.hidden :], run.length))
                power.append(turned(exponent, run.length))
    return found


def inputs_errors_scaled(
    net: RecurrentNet, run: Run, indices: list[int], found: dict[int, tuple[Any, ...]], M: dict[int, Any] | None = None
) -> tuple[Any, Any]:
    """Errors at a layer's input, all directions together, in the order of time: (T, B[, m], I), and their powers.

    M: per strand what the errors are multiplied with instead of weight_ih.
    """
    total: Any = None
    power: Any = None
    for i in indices:
        strand, (_, z, exponent) = run.strands[i], found[i]
        W = net.parameters[f"weight_ih_{strand.name}"] if M is None else M[i]
        back = z[..., inward_columns(net.cell, net.hidden)] @ W
        if strand.reverse:
            back, exponent = turned(back, run.length), turned(exponent, run.length)
        total, power = (back, exponent) if total is None else add_scaled(total, power, back, exponent)
    return total, power


def add_scaled(a: Any, power: Any, b: Any, other: Any) -> tuple[Any, Any]:
    """a 2**power + b 2**other, and its power."""
    xp = array_namespace(a)
    top = _common(xp, a, power, b, other)
    return shifted(a, power - top) + shifted(b, other - top), top


def shifted(a: Any, shift: Any) -> Any:
    """a * 2**shift, row by row."""
    xp = array_namespace(a)
    return xp.ldexp(a, shift[..., None]) if bool(shift.any()) else a


def _common(xp: Any, a: Any, power: Any, b: Any, other: Any) -> Any:
    """The larger power; that of a row of zeros does not count."""
    live, also = (a != 0).any(axis=-1), (b != 0).any(axis=-1)
    return xp.where(live & also, xp.maximum(power, other), xp.where(live, power, other))


def _run_backward(xp: Any, cell: Cell, W: Any, own: Any, own_power: Any, coef: Any) -> tuple[Any, Any, Any]:
    T, *rows, H = own.shape
    columns = recurrent_columns(cell, H)
    d, z = xp.empty((T, *rows, cell.states * H), own.dtype), xp.empty((T, *rows, cell.blocks * H), own.dtype)
    power, carry = xp.zeros((T, *rows), np.int32), xp.zeros((*rows, H), own.dtype)
    for t in reversed(range(T)):
        dh, exponent = own[t], own_power[t]
        if t + 1 < T:
            back = (z[t + 1].reshape(-1, z.shape[-1])[:, columns] @ W).reshape(*rows, H)
            both = xp.concatenate([back, carry], axis=-1)
            exponent = _common(xp, dh, exponent, both, power[t + 1])
            dh = shifted(dh, own_power[t] - exponent) + shifted(back, power[t + 1] - exponent)
            carry = shifted(carry, power[t + 1] - exponent)
        coefs = coef[t] if len(rows) == 1 else coef[t][:, None]
        d[t], z[t], carry = cell.backward(xp, dh, carry, coefs)
        biggest = xp.maximum(abs(d[t]).max(axis=-1), abs(carry).max(axis=-1))
        far = (biggest > 0) & xp.isfinite(biggest) & ((biggest < 1 / NEAR) | (biggest > NEAR))
        shift = xp.where(far, xp.frexp(biggest)[1], 0).astype(np.int32)
        if bool(shift.any()):
            d[t], z[t], carry = (shifted(part, -shift) for part in (d[t], z[t], carry))
        power[t] = exponent + shift
    return d, z, power
