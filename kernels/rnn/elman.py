"""The plain (Elman) cells: h = tanh(z) or relu(z) with z = W_ih x + b_ih + W_hh h_before + b_hh.

Legend: slope = dh/dz. One block of coefficients: [slope]. One block of errors: [z].
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..jit import jit
from .squash import tangents


class Tanh:
    """h = tanh(z);  dh/dz = 1 - h^2."""

    name = "tanh"
    code = 0
    gates = 1
    gate_names: tuple[str, ...] = ()
    signs: tuple[float, ...] = (1.0,)
    coefs = 1
    blocks = 1
    states = 1
    recurrent = (0, 1)
    inward = (0, 1)
    order: tuple[int, ...] = (0,)
    added_bias = False

    def forward(self, xp: ModuleType, z: Any, h: Any, c: Any, bias: Any, out: Any, kept: Any, coef: Any) -> None:
        xp.tanh(z, out=out)
        xp.multiply(out, out, out=coef)
        xp.subtract(1, coef, out=coef)

    def backward(self, xp: ModuleType, dh: Any, carry: Any, coef: Any) -> tuple[Any, Any, Any]:
        return dh, self.spread(xp, dh, coef), carry

    def spread(self, xp: ModuleType, d: Any, coef: Any) -> Any:
        return d * coef

    def weights(self, xp: ModuleType, coef: Any, chosen: Any) -> Any:
        return coef  # there is one block to choose

    def pulled(self, xp: ModuleType, q: Any, coef: Any) -> Any:
        return q * coef


class Relu(Tanh):
    """h = max(z, 0);  dh/dz = 1 where h > 0, else 0 (at 0 too, as PyTorch has it)."""

    name = "relu"
    code = 1

    def forward(self, xp: ModuleType, z: Any, h: Any, c: Any, bias: Any, out: Any, kept: Any, coef: Any) -> None:
        xp.maximum(z, 0, out=out)
        coef[...] = out > 0


@jit
def forward_rows(code, product, given, h, coef):
    """h and slope of all sequences, from the recurrent product and the input's."""
    one = h.dtype.type(1)  # a plain 1 would make it float64
    for b in range(h.shape[0]):
        inner, outer, out, slope = product[b], given[b], h[b], coef[b]
        for j in range(out.size):
            out[j] = inner[j] + outer[j]
        if code == 0:
            tangents(out)
            for j in range(out.size):
                slope[j] = one - out[j] * out[j]
        else:
            for j in range(out.size):
                v = out[j] if not out[j] < 0 else out.dtype.type(0)
                out[j] = v
                slope[j] = 1 if v > 0 else 0


@jit
def backward_row(d, coef, z):
    for j in range(d.size):
        z[j] = d[j] * coef[j]
