"""Running a net over a batch of sequences, and ordinary back-propagation through time (BPTT).

T steps, B sequences, H hidden units, O outputs. Arrays are time major; `rows` are the T*B (step, sequence) pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace, is_cupy
from ..jit import jit
from .net import RecurrentNet

SMALL = 2**17  # multiply-adds per step below which a compiled loop beats one BLAS call per step (measured, 2 cores)


@dataclass
class Run:
    """What a forward pass leaves behind."""

    x: Any  # (T, B) tokens, or (T, B, I) floats
    y: Any  # (T, B) tokens
    mask: Any  # (T, B) or None
    h: Any  # (T+1, B, H): h[0] is the state it started from, h[t+1] the state after step t
    slope: Any  # (T, B, H): dh_t/dz_t
    p: Any  # (T, B, O) softmax of the logits
    loss: Any  # (T, B) cross entropy in nats, masked

    @property
    def state(self) -> Any:
        return self.h[-1:].copy()  # (1, B, H)


def bptt(net: RecurrentNet, x: Any, y: Any, state: Any = None, mask: Any = None) -> tuple[float, dict[str, Any], Any]:
    """Loss, its gradient by back-propagation through time, and the state to go on from.

    Parameters
    ----------
    net : RecurrentNet
    x : (T, B) int tokens, or (T, B, I) floats
    y : (T, B) int
        The symbol that each step should predict.
    state : (1, B, H) or (B, H), optional
        Hidden state before the first step; zeros if absent.
    mask : (T, B), optional
        Weight of each step's loss: 0 takes the step out of the loss.

    Returns
    -------
    loss : float
        Sum over steps and sequences of the cross entropy, in nats.
    grads : dict of str to array
        dloss/dparameter under the names of `net.parameters`; views into one flat array.
    state : (1, B, H) array
        The hidden state after the last step, a copy.

    Raises
    ------
    ValueError
        If a shape, dtype or token does not fit the net.
    FloatingPointError
        If the loss is not finite; names the first step and sequence.
    """
    run = forward(net, *check_batch(net, x, y, state, mask))
    _, total = errors(net, run)
    return float(run.loss.sum(dtype=np.float64)), gradients(net, run, total), run.state


def check_batch(net: RecurrentNet, x: Any, y: Any, state: Any, mask: Any) -> tuple[Any, Any, Any, Any]:
    """The batch as arrays of the net's device and dtype; ValueError says what is wrong with it."""
    xp = array_namespace(net.flat, x, y, state, mask)
    x, y = xp.asarray(x), xp.asarray(y)
    if x.dtype.kind in "iu":
        if x.ndim != 2:
            raise ValueError(f"x: expected tokens of shape (T, B), got shape {x.shape}")
        x = x.astype(np.intp, copy=False)
    elif x.dtype.kind == "f" and x.ndim == 3:
        if net.embedding or x.shape[2] != net.inputs:
            want = "int tokens (T, B)" if net.embedding else f"floats (T, B, {net.inputs})"
            raise ValueError(f"x: this net takes {want}, got floats {x.shape}")
        x = xp.ascontiguousarray(x, net.dtype)
    else:
        raise ValueError(f"x: expected int tokens (T, B) or floats (T, B, I), got {x.dtype} of shape {x.shape}")
    steps, batch = x.shape[:2]
    if steps == 0 or batch == 0:
        raise ValueError(f"x: expected at least one step and one sequence, got shape {x.shape}")
    if y.shape != (steps, batch) or y.dtype.kind not in "iu":
        raise ValueError(f"y: expected int tokens of shape {(steps, batch)}, got {y.dtype} of shape {y.shape}")
    if x.ndim == 2:
        _check_tokens("x", x, net.inputs)
    y = y.astype(np.intp, copy=False)
    _check_tokens("y", y, net.outputs)
    if state is None:
        state = xp.zeros((batch, net.hidden), net.dtype)
    else:
        state = xp.asarray(state)
        if state.shape not in ((1, batch, net.hidden), (batch, net.hidden)):
            raise ValueError(f"state: expected shape {(1, batch, net.hidden)}, got {state.shape}")
        state = state.reshape(batch, net.hidden).astype(net.dtype, copy=False)
    if mask is not None:
        mask = xp.asarray(mask, net.dtype)
        if mask.shape != (steps, batch):
            raise ValueError(f"mask: expected shape {(steps, batch)}, got {mask.shape}")
    return x, y, state, mask


def forward(net: RecurrentNet, x: Any, y: Any, state: Any, mask: Any) -> Run:
    """Run the net over a checked batch; FloatingPointError where the loss is not finite."""
    xp = array_namespace(net.flat)
    with np.errstate(all="ignore"):  # what is not finite is told below, once and with its place
        h = hidden_states(net, x, state)
        p, loss = readout(net, h, y)
        if mask is not None:
            loss *= mask
        if not math.isfinite(float(loss.sum(dtype=np.float64))):
            raise FloatingPointError(_not_finite("loss", loss))
        return Run(x, y, mask, h, net.cell.slope(xp, h[1:]), p, loss)


def readout(net: RecurrentNet, h: Any, y: Any) -> tuple[Any, Any]:
    """Softmax of the logits (T, B, O), and cross entropy (T, B) in nats, from the states (T+1, B, H)."""
    xp = array_namespace(net.flat)
    w = net.parameters
    logits = h[1:].reshape(-1, h.shape[2]) @ w["decoder.weight"].T  # (T*B, O)
    logits += w["decoder.bias"]
    low, high = float(logits.min()), float(logits.max())
    logits -= high if high - low < 60 else logits.max(axis=1, keepdims=True)  # exp(-60) is far from underflow
    target = logits[xp.arange(len(logits)), y.reshape(-1)]
    p = xp.exp(logits, out=logits)
    whole = p.sum(axis=1)
    p /= whole[:, None]
    return p.reshape(*y.shape, -1), (xp.log(whole) - target).reshape(y.shape)


def _not_finite(what: str, values: Any) -> str:
    """Where an array (T, B, ...) is first not finite, in words."""
    xp = array_namespace(values)
    step, sequence = (int(i) for i in xp.argwhere(~xp.isfinite(values))[0][:2])
    return f"{what} is not finite at step {step} of sequence {sequence}: weights, state or input hold NaN or Inf"


def hidden_states(net: RecurrentNet, x: Any, state: Any) -> Any:
    """(T+1, B, H): `state`, then the state after each step."""
    xp = array_namespace(net.flat)
    w = net.parameters
    z = input_projection(net, x)  # (T, B, H)
    steps, batch, hidden = z.shape
    h = xp.empty((steps + 1, batch, hidden), net.dtype)
    h[0] = state
    turned = xp.ascontiguousarray(w["weight_hh_l0"].T)
    if xp is np and batch * hidden * hidden <= SMALL:
        _forward_loop(z, turned, h, net.cell.code)
        return h
    for t in range(steps):
        z_t = xp.matmul(h[t], turned, out=h[t + 1])
        z_t += z[t]
        net.cell.forward(xp, z_t)
    return h


def input_projection(net: RecurrentNet, x: Any) -> Any:
    """W_ih x_t + b_ih + b_hh for every step: (T, B, H)."""
    xp = array_namespace(net.flat)
    w = net.parameters
    bias = w["bias_ih_l0"] + w["bias_hh_l0"]
    if x.ndim == 2 and not net.embedding:
        return (xp.ascontiguousarray(w["weight_ih_l0"].T) + bias)[x]
    inputs = cell_input(net, x)
    z = inputs.reshape(-1, inputs.shape[2]) @ w["weight_ih_l0"].T
    z += bias
    return z.reshape(*x.shape[:2], -1)


def cell_input(net: RecurrentNet, x: Any) -> Any:
    """What the cell reads: (T, B, I) floats, or the embedded tokens. (Tokens without embedding have no such array.)"""
    return net.parameters["embedding.weight"][x] if x.ndim == 2 else x


def errors(net: RecurrentNet, run: Run) -> tuple[Any, Any]:
    """`own` (T, B, H): dL_t/dh_t through the read-out alone; `total` (T, B, H): dL/dz_s, all losses t >= s together.

    FloatingPointError where they are not finite: a saturated unit hides infinite weights from the loss.
    """
    xp = array_namespace(net.flat)
    with np.errstate(all="ignore"):
        own = output_errors(net, run)
        total = _carried_back(own, run.slope, net.parameters["weight_hh_l0"])
        if not math.isfinite(float(total.sum(dtype=np.float64))) and not bool(xp.isfinite(total).all()):
            raise FloatingPointError(_not_finite("error", total))
    return own, total


def _carried_back(own: Any, slope: Any, W: Any) -> Any:
    """total[t] = slope[t] * (own[t] + total[t+1] @ W), from the last step to the first."""
    xp = array_namespace(own)
    steps, batch, hidden = own.shape
    total = xp.empty_like(own)
    if xp is np and batch * hidden * hidden <= SMALL:
        _backward_loop(own, slope, W, total)
        return total
    xp.multiply(own[-1], slope[-1], out=total[-1])
    for t in range(steps - 2, -1, -1):
        d = xp.matmul(total[t + 1], W, out=total[t])
        d += own[t]
        d *= slope[t]
    return total


def output_errors(net: RecurrentNet, run: Run) -> Any:
    """dL_t/dh_t through the read-out of step t alone: (T, B, H) = (p - onehot(y)) V."""
    d = logit_errors(run)
    return (d @ net.parameters["decoder.weight"]).reshape(*run.loss.shape, -1)


def logit_errors(run: Run) -> Any:
    """dL/dlogits = mask * (p - onehot(y)): (T*B, O)."""
    xp = array_namespace(run.p)
    d = run.p.reshape(-1, run.p.shape[2]).copy()
    d[xp.arange(len(d)), run.y.reshape(-1)] -= 1
    if run.mask is not None:
        d *= run.mask.reshape(-1, 1)
    return d


def gradients(net: RecurrentNet, run: Run, total: Any) -> dict[str, Any]:
    """dL/dparameter for every parameter, from the errors at the pre-activations (T, B, H)."""
    xp = array_namespace(net.flat)
    grads = net.views(xp.empty_like(net.flat))
    rows = total.reshape(-1, total.shape[2])
    xp.matmul(rows.T, run.h[:-1].reshape(len(rows), -1), out=grads["weight_hh_l0"])
    grads["bias_hh_l0"][...] = rows.sum(axis=0)
    grads["bias_ih_l0"][...] = grads["bias_hh_l0"]
    _input_gradients(net, run.x, rows, grads)
    d = logit_errors(run)
    xp.matmul(d.T, run.h[1:].reshape(len(rows), -1), out=grads["decoder.weight"])
    grads["decoder.bias"][...] = d.sum(axis=0)
    return grads


def _input_gradients(net: RecurrentNet, x: Any, rows: Any, grads: dict[str, Any]) -> None:
    if x.ndim == 2 and not net.embedding:
        grads["weight_ih_l0"][...] = sum_by_token(rows, x.reshape(-1), net.inputs).T
        return
    inputs = cell_input(net, x).reshape(len(rows), -1)
    grads["weight_ih_l0"][...] = rows.T @ inputs
    if net.embedding:
        back = rows @ net.parameters["weight_ih_l0"]
        grads["embedding.weight"][...] = sum_by_token(back, x.reshape(-1), net.inputs)


def sum_by_token(rows: Any, tokens: Any, symbols: int) -> Any:
    """(symbols, H): row v is the sum of the rows whose token is v."""
    xp = array_namespace(rows)
    out = xp.zeros((symbols, rows.shape[1]), rows.dtype)
    if is_cupy(rows):
        xp.add.at(out, tokens, rows)
    else:
        _scatter_loop(rows, tokens, out)
    return out


def _check_tokens(name: str, tokens: Any, symbols: int) -> None:
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= symbols:
        raise ValueError(f"{name}: expected tokens from 0 to {symbols - 1}, got {low} to {high}")


@jit
def _scatter_loop(rows, tokens, out):
    for r in range(rows.shape[0]):
        v = tokens[r]
        for j in range(rows.shape[1]):
            out[v, j] += rows[r, j]


@jit
def _add_product(row, matrix, out):
    """out += row @ matrix; four rows of the matrix at a time, so that the inner loop becomes vector code."""
    n, m = matrix.shape
    i = 0
    while i + 4 <= n:
        a, b, c, d = row[i], row[i + 1], row[i + 2], row[i + 3]
        for j in range(m):
            out[j] += (a * matrix[i, j] + b * matrix[i + 1, j]) + (c * matrix[i + 2, j] + d * matrix[i + 3, j])
        i += 4
    while i < n:
        for j in range(m):
            out[j] += row[i] * matrix[i, j]
        i += 1


@jit
def _forward_loop(z, turned, h, code):
    """h[t+1] = activation(z[t] + h[t] @ turned)."""
    steps, batch, hidden = z.shape
    for t in range(steps):
        for b in range(batch):
            row = h[t + 1, b]
            for j in range(hidden):
                row[j] = z[t, b, j]
            _add_product(h[t, b], turned, row)
            for j in range(hidden):
                if code == 0:
                    row[j] = math.tanh(row[j])
                elif row[j] < 0:
                    row[j] = 0


@jit
def _backward_loop(own, slope, W, total):
    """total[t] = slope[t] * (own[t] + total[t+1] @ W)."""
    steps, batch, hidden = own.shape
    for t in range(steps - 1, -1, -1):
        for b in range(batch):
            row = total[t, b]
            for j in range(hidden):
                row[j] = own[t, b, j]
            if t + 1 < steps:
                _add_product(total[t + 1, b], W, row)
            for j in range(hidden):
                row[j] *= slope[t, b, j]
