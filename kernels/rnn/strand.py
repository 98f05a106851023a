"""One layer in one direction, in its own time: the loop over steps, forward and backward.

T steps, B sequences, H hidden units; G gates. For NumPy there is one compiled loop over all steps, in which no thread
waits for another's hold of the interpreter; where products are better left to BLAS whole, a loop in Python around them;
for CuPy whole-array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import elman, gru, lstm, paths, products
from .cells import Cell, recurrent_columns


@dataclass
class Strand:
    """What a forward pass leaves behind of one layer and direction; steps in the order in which it ran through them."""

    name: str  # how its parameters end: "l0", "l1_reverse"
    reverse: bool
    u: Any  # (T, B, I) what weight_ih was multiplied with; (T, B) tokens that select its columns
    h: Any  # (T+1, B, H): h[0] is the state it started from, h[t+1] the state after step t
    c: Any  # (T+1, B, H) cell states of an LSTM; of other cells no rows
    coef: Any  # (T, B, coefs * H) coefficients of the backward step

    def __post_init__(self) -> None:
        self.coef_rows = self.coef.reshape(-1, self.coef.shape[2])  # (T*B, coefs * H); one and the same array


def run_forward(cell: Cell, z: Any, W: Any, bias: Any, states: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """h, c (T+1, B, H) and coef (T, B, coefs * H).

    z: (T, B, G*H) input projections with biases, times the cell's signs; W: (G*H, H) weight_hh, bias: (H,) the last
    gate's bias_hh, which stands inside a product in a GRU; states: the (B, H) states before the first step.
    """
    xp = array_namespace(z)
    T, B, _ = z.shape
    H = W.shape[1]
    h, c = xp.empty((T + 1, B, H), z.dtype), xp.empty((T + 1 if cell.states == 2 else 0, B, H), z.dtype)
    coef = xp.empty((T, B, cell.coefs * H), z.dtype)
    h[0] = states[0]
    if cell.states == 2:
        c[0] = states[1]
    turned = xp.ascontiguousarray((W * _sign_column(xp, cell, H, W.dtype)).T if -1.0 in cell.signs else W.T)
    if not paths.takes_loops(z):
        _forward_arrays(xp, cell, z, turned, bias, h, c, coef)
    else:
        _forward_compiled(cell, z, turned, bias, h, c, coef)
    return h, c, coef


def signs(xp: Any, cell: Cell, hidden: int, dtype: Any) -> Any:
    """(G*H,): the sign of every row of the weights."""
    return xp.repeat(xp.asarray(cell.signs, dtype), hidden)


def _sign_column(xp: Any, cell: Cell, hidden: int, dtype: Any) -> Any:
    return signs(xp, cell, hidden, dtype)[:, None]


def _forward_arrays(xp: Any, cell: Cell, z: Any, turned: Any, bias: Any, h: Any, c: Any, coef: Any) -> None:
    nothing = z[0, :, :0]
    for t in range(len(z)):
        before, kept = (c[t], c[t + 1]) if cell.states == 2 else (nothing, nothing)
        product = h[t] @ turned
        total = (product, z[t]) if cell.added_bias else product + z[t]
        cell.forward(xp, total, h[t], before, bias, h[t + 1], kept, coef[t])


def _forward_compiled(cell: Cell, z: Any, turned: Any, bias: Any, h: Any, c: Any, coef: Any) -> None:
    (T, B, rows), H = z.shape, h.shape[2]
    product, buffer = np.empty((B, rows), z.dtype), np.empty((B, H), z.dtype)
    way = products.way_of(B, turned)
    if way != "whole":
        _forward_loop(cell.code, z, turned, _cut(way, turned, B), bias, h, c, coef, product, buffer)
        return
    for t in range(T):
        np.matmul(h[t], turned, out=product)
        _forward_step(cell.code, t, product, z, bias, h, c, coef, buffer)


def _cut(way: str, W: Any, rows: int) -> Any:
    """W as `products.multiply` takes it."""
    return products.panels(W, rows) if way == "panels" else np.empty((0, 0, 0), W.dtype)


def run_backward(cell: Cell, W: Any, own: Any, coef: Any) -> tuple[Any, Any]:
    """d (T, B, S) and z (T, B, blocks * H): errors at states and pre-activations, of all losses together.

    W: (G*H, H) weight_hh in the order of the recurrent blocks; own: (T, B, H) errors that enter at h of each step.
    """
    xp = array_namespace(own)
    T, B, H = own.shape
    d, z = xp.empty((T, B, cell.states * H), own.dtype), xp.empty((T, B, cell.blocks * H), own.dtype)
    carry = xp.zeros((B, H), own.dtype)
    first, last = cell.recurrent[0] * H, cell.recurrent[1] * H
    if not paths.takes_loops(own):
        for t in reversed(range(T)):
            dh = own[t] + z[t + 1][:, recurrent_columns(cell, H)] @ W if t + 1 < T else own[t]
            d[t], z[t], carry = cell.backward(xp, dh, carry, coef[t])
    else:
        _backward_compiled(cell, W, own, coef, d, z, carry, first, last)
    return d, z


def _backward_compiled(
    cell: Cell, W: Any, own: Any, coef: Any, d: Any, z: Any, carry: Any, first: int, last: int
) -> None:
    T, B, H = own.shape
    product, way = np.zeros((B, H), own.dtype), products.way_of(B, W)
    if way != "whole":
        _backward_loop(cell.code, own, coef, W, _cut(way, W, B), d, z, carry, first, product)
        return
    for t in reversed(range(T)):
        if t + 1 < T:
            np.matmul(z[t + 1][:, first:last], W, out=product)
        backward_rows(cell.code, product, own[t], carry, coef[t], d[t], z[t])


@jit
def _forward_loop(code, z, turned, cut, bias, h, c, coef, product, buffer):
    steps, batch, _ = z.shape
    parts = np.empty((cut.shape[0], batch, cut.shape[2]), z.dtype)
    for t in range(steps):
        products.multiply(h[t], turned, cut, parts, product)
        _forward_step(code, t, product, z, bias, h, c, coef, buffer)


@jit
def _forward_step(code, t, product, z, bias, h, c, coef, buffer):
    """One step of all sequences, once the states before have been multiplied with the weights."""
    if code < 2:
        elman.forward_rows(code, product, z[t], h[t + 1], coef[t])
    elif code == 2:
        gru.forward_rows(product, z[t], h[t], bias, h[t + 1], coef[t], buffer)
    else:
        lstm.forward_rows(product, z[t], c[t], c[t + 1], h[t + 1], coef[t], buffer)


@jit
def backward_row(code, d, carry, coef, z):
    """One row one step back, in place: d in: [dh as it came | -]; out: [dh | dc]. The carry too."""
    if code < 2:
        elman.backward_row(d, coef, z)
    elif code == 2:
        gru.backward_row(d, carry, coef, z)
    else:
        lstm.backward_row(d, carry, coef, z)


@jit
def backward_rows(code, product, own, carry, coef, d, z):
    for b in range(own.shape[0]):
        for j in range(own.shape[1]):
            d[b, j] = own[b, j] + product[b, j]
        backward_row(code, d[b], carry[b], coef[b], z[b])


@jit
def _backward_loop(code, own, coef, W, cut, d, z, carry, first, product):
    steps, batch, _ = own.shape
    parts = np.empty((cut.shape[0], batch, cut.shape[2]), own.dtype)
    errors = np.empty((batch, len(W)), own.dtype)
    for t in range(steps - 1, -1, -1):
        if t + 1 < steps:
            products.multiply_columns(z[t + 1], first, W, cut, parts, errors, product)
        backward_rows(code, product, own[t], carry, coef[t], d[t], z[t])
