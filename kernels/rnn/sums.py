"""Sums of cells' gradients: of a lag over all steps and sequences, and of a step and lag over all sequences.

Norms do not add, so these need the rows themselves, as they pass (`Record.watch`).

Per lag: rows of errors times rows of what the parameter was multiplied with, one product for all of them.

Over B sequences: ||sum_b e_b u_b'||_F^2 = sum_{b,b'} <e_b, e_b'> <u_b, u_b'>, two Gram matrices of B x B, of which one
is the same for all lags; with B of at least I it is cheaper to form the sum itself, R x I.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import array_namespace
from .batch import turned
from .cells import in_gate_order
from .items import Flow, LagMatrices
from .net import RecurrentNet
from .sides import two_sided
from .target import Target
from .unroll import Errors, Run, gradients, sum_by_token

STEP_BYTES = 64 << 20  # of the sums over sequences that are formed at a time


def new_sums(
    net: RecurrentNet, run: Run, total: Errors, target: Target, K: int, matrices: bool, batch_norms: bool
) -> Sums | None:
    """What is to be summed while a run is itemized; None if nothing is. ValueError for states: they have no matrix."""
    if not (matrices or batch_norms):
        return None
    if target.is_state:
        raise ValueError(
            f"matrices, batch_norms are sums of a parameter's gradient; {target.parameter} is no parameter"
        )
    return Sums(net, run, total, target, K, matrices, batch_norms)


class Sums:
    """Called with every lag's column, rows, errors at the states and their powers of two; then tells a flow."""

    def __init__(
        self, net: RecurrentNet, run: Run, total: Errors, target: Target, K: int, matrices: bool, batch_norms: bool
    ) -> None:
        self.net, self.target, self.strand = net, target, run.strands[target.index]
        self.T, self.B = run.loss.shape
        xp = array_namespace(net.flat)
        self.sided = two_sided(net, run, target.index)
        columns = 2 * K - 1 if self.sided else K
        step = xp.broadcast_to(xp.arange(self.T)[:, None], (self.T, self.B))
        self.step = (turned(step, run.length) if self.strand.reverse else step).reshape(-1)  # of rows in own time
        self.whole = self._chosen_rows(gradients(net, run, total)[target.parameter]) if matrices else None
        self.matrix: Any = xp.zeros((columns, *self.whole.shape), net.dtype) if self.whole is not None else None
        self.squares: Any = xp.zeros((self.T, columns)) if batch_norms else None

    def __call__(self, column: int, rows: Any, d: Any, power: Any) -> None:
        e = self._errors(d, rows)
        if self.matrix is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                self.matrix[column] += self._product(_scaled(e, power), rows)
        if self.squares is not None:
            self._sum_sequences(column, rows, e, power)

    def tell(self, flow: Flow) -> None:
        """Put the sums into the flow."""
        xp = array_namespace(self.net.flat)
        order = slice(None, None, -1 if self.strand.reverse and self.sided else 1)
        if self.matrix is not None:
            if not bool(xp.isfinite(self.matrix).all()):
                raise FloatingPointError(f"matrices: the gradient of a lag does not fit {self.net.dtype}")
            flow.matrices = LagMatrices(flow.lags, self.matrix[order], self.whole)
        if self.squares is not None:
            flow.batch_norm = xp.sqrt(xp.maximum(self.squares, 0))[:, order]

    # -- errors and what they multiply

    def _errors(self, d: Any, rows: Any) -> Any:
        """(c, R) errors at the chosen rows of the parameter, in PyTorch's order of gates."""
        cell, H = self.net.cell, self.net.hidden
        xp = array_namespace(d)
        z = cell.spread(xp, d, self.strand.coef_rows[rows])
        if self.target.kind.endswith("hh"):
            e = in_gate_order(cell, z[:, cell.recurrent[0] * H : cell.recurrent[1] * H].T).T
        else:
            e = z[:, cell.inward[0] * H : cell.inward[1] * H]
        return xp.ascontiguousarray(self._chosen_rows(e.T).T)

    def _chosen_rows(self, W: Any) -> Any:
        """Rows of the gate or unit that was asked for, of G*H; a bias as a matrix of one column."""
        W = W if W.ndim == 2 else W[:, None]
        gates, H = self.net.cell.gates, self.net.hidden
        if self.target.gate is not None:
            k = self.net.cell.gate_names.index(self.target.gate)
            W, gates = W[k * H : (k + 1) * H], 1
        if self.target.unit is not None:
            W = W.reshape(gates, H, -1)[:, self.target.unit]
        return W

    def _product(self, e: Any, rows: Any) -> Any:
        """(R, I): sum over rows of e u'."""
        xp, kind = array_namespace(e), self.target.kind
        if kind == "weight_hh":
            return e.T @ self.strand.h[:-1].reshape(self.T * self.B, -1)[rows]
        if kind == "weight_ih" and self.strand.u.ndim == 2:
            return sum_by_token(e, self.strand.u.reshape(-1)[rows], self.net.inputs).T
        if kind == "weight_ih":
            return e.T @ self.strand.u.reshape(self.T * self.B, -1)[rows]
        return xp.sum(e, axis=0)[:, None]

    # -- over sequences

    def _sum_sequences(self, column: int, rows: Any, e: Any, power: Any) -> None:
        """Rows of all sequences that have this lag at some steps."""
        xp = array_namespace(e)
        s, b = self.step[rows], rows % self.B
        top = xp.full(self.T, np.iinfo(np.int32).min, np.int32)
        xp.maximum.at(top, s, power.astype(np.int32))
        E = xp.zeros((self.T, self.B, e.shape[1]), e.dtype)
        E[s, b] = _scaled(e, power - top[s])
        used = xp.unique(s)
        squares = self._squares(E[used], used)
        with np.errstate(over="ignore"):
            self.squares[used, column] += xp.ldexp(squares, 2 * top[used])

    def _squares(self, E: Any, used: Any) -> Any:
        """(c,) float64 squared norm of the sums over sequences of the used steps; E (c, B, R)."""
        if self.target.kind.startswith("bias"):
            summed = E.sum(axis=1, dtype=np.float64)
            return (summed * summed).sum(axis=1)
        if self._multiplied.ndim == 2 or self._multiplied.shape[2] > self.B:
            return _gram(E, self._products[used])
        return _formed(E, self._multiplied[used])

    @cached_property
    def _multiplied(self) -> Any:
        """(T, B, I) or tokens (T, B): what the parameter was multiplied with, in the sequence's time."""
        source = self.strand.h[:-1] if self.target.kind == "weight_hh" else self.strand.u
        xp, order = array_namespace(source), self.step.reshape(self.T, self.B)
        out = xp.empty_like(source)
        out[order, xp.arange(self.B)] = source
        return out

    @cached_property
    def _products(self) -> Any:
        """(T, B, B): <u_b, u_b'> of two sequences at the same step."""
        U = self._multiplied
        if U.ndim == 2:
            return (U[:, :, None] == U[:, None, :]).astype(self.net.dtype)
        return U @ U.transpose(0, 2, 1)


def _gram(E: Any, products: Any) -> Any:
    return ((E @ E.transpose(0, 2, 1)).astype(np.float64) * products).sum(axis=(1, 2))


def _formed(E: Any, U: Any) -> Any:
    """The sums themselves, some steps at a time."""
    xp = array_namespace(E)
    some = max(STEP_BYTES // (E.shape[2] * U.shape[2] * E.dtype.itemsize), 1)
    parts = []
    for first in range(0, len(E), some):
        M = E[first : first + some].transpose(0, 2, 1) @ U[first : first + some]
        parts.append((M.astype(np.float64) ** 2).sum(axis=(1, 2)))
    return xp.concatenate(parts)


def _scaled(e: Any, power: Any) -> Any:
    """Rows times their powers of two."""
    xp = array_namespace(e)
    return xp.ldexp(e, power[:, None]) if bool((power != 0).any()) else e
