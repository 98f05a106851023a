"""Recurrent cells: the forward step and, beside it, the backward step.

A cell sees one pre-activation z_t = W_hh h_{t-1} + b_hh + (W_ih x_t + b_ih). The engine does the matrix products; the
cell does what happens elementwise, for any number of rows at once, with NumPy and CuPy alike.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Protocol


class Cell(Protocol):
    """What the engine needs to know of a cell."""

    name: str
    gates: int  # blocks of `hidden` rows in weight_ih and weight_hh
    code: int  # how compiled loops tell cells apart (`unroll.py`)

    def forward(self, xp: ModuleType, z: Any) -> Any:
        """New hidden rows from pre-activation rows; may overwrite `z`."""

    def slope(self, xp: ModuleType, h: Any) -> Any:
        """d hidden / d pre-activation per element, from the hidden rows that `forward` gave.

        The backward step is `error at z = (error at h) * slope`, then `error at h_{t-1} = (error at z) @ weight_hh`.
        """


class Tanh:
    """h = tanh(z);  dh/dz = 1 - h^2."""

    name = "tanh"
    gates = 1
    code = 0

    def forward(self, xp: ModuleType, z: Any) -> Any:
        return xp.tanh(z, out=z)

    def slope(self, xp: ModuleType, h: Any) -> Any:
        slope = xp.multiply(h, h)
        return xp.subtract(1, slope, out=slope)


class Relu:
    """h = max(z, 0);  dh/dz = 1 where h > 0, else 0 (at 0 too, as PyTorch has it)."""

    name = "relu"
    gates = 1
    code = 1

    def forward(self, xp: ModuleType, z: Any) -> Any:
        return xp.maximum(z, 0, out=z)

    def slope(self, xp: ModuleType, h: Any) -> Any:
        return (h > 0).astype(h.dtype)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (Tanh(), Relu())}


def cell_named(name: str) -> Cell:
    """The cell called `name`; ValueError lists the known ones."""
    try:
        return CELLS[name]
    except (KeyError, TypeError):
        raise ValueError(f"cell must be one of {sorted(CELLS)}, got {name!r}") from None
