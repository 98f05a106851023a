"""Recurrent cells: what the engine has to know of one. Each cell's formulas stand in a module of their own.

A cell's backward step is linear in the errors at its states, with coefficients that the forward step leaves behind, for
any number of rows at once:

    d      the errors at the states, [dh] or [dh | dc]              S = states * H columns
    z      the errors at the pre-activations                        blocks * H columns
    carry  what goes to the state before without passing a matrix   H columns

The engine does the matrix products: dh of the step before is z[recurrent blocks] @ weight_hh, and the error at the
cell's input is z[inward blocks] @ weight_ih. Compiled loops tell cells apart by `code`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol

import numpy as np

from .elman import Relu, Tanh
from .gru import GRU
from .lstm import LSTM


class Cell(Protocol):
    """What the engine needs to know of a cell."""

    name: str
    code: int
    gates: int  # blocks of `hidden` rows in weight_ih and weight_hh
    gate_names: tuple[str, ...]  # in PyTorch's order; empty for a plain cell
    signs: tuple[float, ...]  # per gate: what the pre-activation is multiplied with before the forward step sees it
    coefs: int  # blocks of coefficients
    blocks: int  # blocks of errors at pre-activations
    states: int  # 2 where there is a cell state besides h
    recurrent: tuple[int, int]  # the blocks of errors that weight_hh sees, first and past the last
    inward: tuple[int, int]  # those that weight_ih sees, in PyTorch's order of gates
    order: tuple[int, ...]  # gate of each recurrent block
    added_bias: bool  # whether the last gate's bias_hh stands inside a product and cannot be added to bias_ih

    def forward(self, xp: ModuleType, z: Any, h: Any, c: Any, bias: Any, out: Any, kept: Any, coef: Any) -> None:
        """One step in whole-array operations: `out` = new h, `kept` = new c, `coef` (B, coefs * H)."""

    def backward(self, xp: ModuleType, dh: Any, carry: Any, coef: Any) -> tuple[Any, Any, Any]:
        """One step back in whole-array operations: d, z and the new carry."""

    def spread(self, xp: ModuleType, d: Any, coef: Any) -> Any:
        """z (..., blocks * H) from d (..., S)."""

    def weights(self, xp: ModuleType, coef: Any, chosen: Any) -> Any:
        """w (n, S), not below 0 up to sign, with |chosen blocks of z| = |w * d|."""

    def pulled(self, xp: ModuleType, q: Any, coef: Any) -> Any:
        """p (..., S) with <z, q> = <d, p>, for q of the shape of z."""


CELLS: dict[str, Cell] = {cell.name: cell for cell in (Tanh(), Relu(), GRU(), LSTM())}


def cell_named(name: str) -> Cell:
    """The cell called `name`; ValueError lists the known ones."""
    try:
        return CELLS[name]
    except (KeyError, TypeError):
        raise ValueError(f"cell must be one of {sorted(CELLS)}, got {name!r}") from None


def recurrent_columns(cell: Cell, hidden: int) -> slice:
    """Columns of z that weight_hh sees."""
    return slice(cell.recurrent[0] * hidden, cell.recurrent[1] * hidden)


def inward_columns(cell: Cell, hidden: int) -> slice:
    """Columns of z that weight_ih sees."""
    return slice(cell.inward[0] * hidden, cell.inward[1] * hidden)


def in_order(cell: Cell, W: Any) -> Any:
    """weight_hh with its gates in the order of the recurrent blocks; itself where that is PyTorch's."""
    if cell.order == tuple(range(cell.gates)):
        return W
    return W.reshape(cell.gates, -1, W.shape[1])[list(cell.order)].reshape(W.shape)


def in_gate_order(cell: Cell, rows: Any) -> Any:
    """Recurrent blocks (gates * H, ...) in PyTorch's order of gates."""
    if cell.order == tuple(range(cell.gates)):
        return rows
    blocks = rows.reshape(cell.gates, -1, *rows.shape[1:])
    return blocks[np.argsort(cell.order).tolist()].reshape(rows.shape)
