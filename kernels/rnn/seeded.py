"""Itemized gradients from errors that were measured elsewhere: whatever read the states out, and by whatever loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cells import in_order, recurrent_columns
from .inside import Entering, Inside, itemize_inside
from .net import RecurrentNet
from .readout import finite
from .unroll import Errors, Run, carried_back, gradients, inputs_errors, run_layers, seeds, split_directions


@dataclass
class Measured:
    """Gradients of a loss with respect to what a net without decoder gave out; T steps, B sequences."""

    out: np.ndarray  # (T, B, D*H) at the last layer's states
    last: np.ndarray | None  # (L*D, B, H) at the states after each sequence's last step
    last_cell: np.ndarray | None  # (L*D, B, H) at an LSTM's cell states there


def itemize_measured(
    net: RecurrentNet, x: np.ndarray, state: tuple[np.ndarray, ...], measured: Measured, K: int, length: Any = None
) -> tuple[Run, list[Inside]]:
    """A run of the net over x (T, B, I), and every strand's itemized gradients.

    length: (B,) steps of each sequence without padding, or None.

    Raises
    ------
    FloatingPointError
        If states or errors are not finite.
    ValueError
        If the loss depends, other than through the last layer's output, on a bidirectional stack.
    """
    run = _run(net, x, state, length)
    own, entering = _entering(net, run, measured)
    with np.errstate(all="ignore"):
        total = _carried_back(net, run, own, entering) if entering else carried_back(net, run, own)
        grads = gradients(net, run, total)
        if not all(finite(a) for a in (*(strand.h for strand in run.strands), *total.z, *grads.values())):
            raise FloatingPointError("states or errors are not finite")
        return run, itemize_inside(net, run, own, total, K, grads, entering)


def _run(net: RecurrentNet, x: np.ndarray, state: tuple[np.ndarray, ...], length: Any) -> Run:
    T, B = x.shape[:2]
    mask = None if length is None else (np.arange(T)[:, None] < length).astype(net.dtype)
    with np.errstate(all="ignore"):
        strands, out = run_layers(net, x, state, length)
    y = np.zeros((T, B), np.intp)  # there is a loss per step; nobody asks for which
    return Run(x, y, mask, length, strands, out.reshape(T * B, -1), None, None, np.zeros((T, B), net.dtype))


def _entering(net: RecurrentNet, run: Run, measured: Measured) -> tuple[list[Any], Entering]:
    """Errors at h of the last layer's directions, and those that enter elsewhere, each in its direction's own time."""
    (T, B), H, entering = run.loss.shape, net.hidden, Entering()
    own = [np.array(part) for part in seeds(net, run, measured.out.reshape(T * B, -1))]
    last = np.full(B, T - 1) if run.length is None else np.maximum(run.length - 1, 0)
    for i in range(len(net.strands)):
        for part, sink in ((measured.last, entering.h), (measured.last_cell, entering.c)):
            if part is None or not part[i].any():
                continue
            if part is measured.last and i >= len(net.strands) - net.directions:
                own[i % net.directions][last, np.arange(B)] += part[i]
                continue
            sink[i] = np.zeros((T, B, H), net.dtype)
            sink[i][last, np.arange(B)] = part[i]
    if entering and net.bidirectional and net.layers > 1:
        raise ValueError(
            "the loss depends on the last states of layers below the last one, or on cell states, of a bidirectional "
            "stack; this cannot be itemized"
        )
    return own, entering


def _carried_back(net: RecurrentNet, run: Run, own: list[Any], entering: Entering) -> Errors:
    """`unroll.carried_back` with errors that enter in any layer."""
    d: list[Any] = [None] * len(run.strands)
    z: list[Any] = [None] * len(run.strands)
    for layer in reversed(range(net.layers)):
        indices = [layer * net.directions + k for k in range(net.directions)]
        for i, part in zip(indices, own, strict=True):
            part = part + entering.h[i] if i in entering.h else part
            d[i], z[i] = _strand_backward(net, run, i, part, entering.c.get(i))
        if layer:
            own = split_directions(net, run.length, inputs_errors(net, run, indices, z))
    return Errors(d, z)


def _strand_backward(net: RecurrentNet, run: Run, index: int, own: Any, cells: Any) -> tuple[Any, Any]:
    cell, strand, H = net.cell, run.strands[index], net.hidden
    W = in_order(cell, net.parameters[f"weight_hh_{strand.name}"])
    T, B, _ = own.shape
    d, z = np.empty((T, B, cell.states * H), own.dtype), np.empty((T, B, cell.blocks * H), own.dtype)
    carry = np.zeros((B, H), own.dtype)
    for t in reversed(range(T)):
        dh = own[t] + z[t + 1][:, recurrent_columns(cell, H)] @ W if t + 1 < T else own[t]
        carry = carry if cells is None else carry + cells[t]
        d[t], z[t], carry = cell.backward(np, dh, carry, strand.coef[t])
    return d, z
