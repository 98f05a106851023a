"""One layer in one direction, in its own time: the loop over steps, forward and backward.

T steps, B sequences, H hidden units; G gates. For NumPy there is a compiled loop over everything, for small sizes, and
one BLAS call with compiled passes per step; for CuPy whole-array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import elman, gru, lstm, paths
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


def run_forward(cell: Cell, z: Any, W: Any, bias: Any, states: tuple[Any, ...], compiled: bool) -> tuple[Any, Any, Any]:
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
    elif compiled:
        _forward_loop(cell.code, z, turned, bias, h, c, coef, np.empty((B, len(W)), z.dtype), np.empty((B, H), z.dtype))
    else:
        _forward_products(cell, z, turned, bias, h, c, coef)
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


def _forward_products(cell: Cell, z: Any, turned: Any, bias: Any, h: Any, c: Any, coef: Any) -> None:
    T, B, rows = z.shape
    product, buffer = np.empty((B, rows), z.dtype), np.empty((B, h.shape[2]), z.dtype)
    for t in range(T):
        if cell.code < 2:
            x = np.matmul(h[t], turned, out=h[t + 1])
            x += z[t]
            (np.tanh(x, out=x) if cell.code == 0 else np.maximum(x, 0, out=x))
            continue
        np.matmul(h[t], turned, out=product)
        if cell.code == 2:
            gru.forward_rows(product, z[t], h[t], bias, h[t + 1], coef[t], buffer)
        else:
            product += z[t]
            lstm.forward_rows(product, c[t], c[t + 1], h[t + 1], coef[t], buffer)
    if cell.code == 0:
        np.multiply(h[1:], h[1:], out=coef)
        np.subtract(1, coef, out=coef)
    elif cell.code == 1:
        coef[...] = h[1:] > 0


def run_backward(cell: Cell, W: Any, own: Any, coef: Any, compiled: bool) -> tuple[Any, Any]:
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
    elif compiled:
        _backward_loop(cell.code, own, coef, W, d, z, carry, first, last)
    else:
        product = np.zeros((B, H), own.dtype)
        for t in reversed(range(T)):
            if t + 1 < T:
                np.matmul(z[t + 1][:, first:last], W, out=product)
            backward_rows(cell.code, product, own[t], carry, coef[t], d[t], z[t])
    return d, z


@jit
def add_product(row, matrix, out):
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
def _forward_loop(code, z, turned, bias, h, c, coef, product, buffer):
    steps, batch, rows = z.shape
    hidden = h.shape[2]
    for t in range(steps):
        for b in range(batch):
            row = product[b]
            for j in range(rows):
                row[j] = 0 if code == 2 else z[t, b, j]
            add_product(h[t, b], turned, row)
        if code < 2:
            elman.forward_rows(code, product, h[t + 1], coef[t])
        elif code == 2:
            gru.open_gates(product, z[t])
            gru.exponentials(product, 2 * hidden)
            gru.candidates(product, z[t], bias, buffer)
            gru.tangents(buffer)
            gru.finish(product, buffer, h[t], h[t + 1], coef[t])
        else:
            lstm.activate(product)
            lstm.remember(product, c[t], c[t + 1], buffer)
            gru.tangents(buffer)
            lstm.finish(product, c[t], buffer, h[t + 1], coef[t])


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
def _backward_loop(code, own, coef, W, d, z, carry, first, last):
    steps, batch, hidden = own.shape
    for t in range(steps - 1, -1, -1):
        for b in range(batch):
            row = d[t, b]
            for j in range(hidden):
                row[j] = own[t, b, j]
            if t + 1 < steps:
                add_product(z[t + 1, b, first:last], W, row[:hidden])
            backward_row(code, row, carry[b], coef[t, b], z[t, b])
