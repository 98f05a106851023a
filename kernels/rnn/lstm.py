"""Long short-term memory, in PyTorch's form and order of gates (i, f, g, o).

    i, f, o = sigmoid(W_i. x + b_i. + W_h. h' + b_h.),  g = tanh(...)      h', c' the states before
    c = f * c' + i * g
    h = o * tanh(c)

Backward, with dh and the dc that comes from the next step: dc = dc_next + dh * o (1 - tanh(c)^2), then every error is
dc (dh for o) times a coefficient. Six blocks of coefficients: [i, f, g, o, h -> c, c -> c']. A row of errors
at the states is [dh | dc].
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

from ..jit import jit


class LSTM:
    name = "lstm"
    code = 3
    gates = 4
    gate_names: tuple[str, ...] = ("i", "f", "g", "o")
    # Sigmoids are taken as 1 / (1 + exp(-z)), and -z comes out of the matrix product.
    signs: tuple[float, ...] = (-1.0, -1.0, 1.0, -1.0)
    coefs = 6
    blocks = 4
    states = 2
    recurrent = (0, 4)
    inward = (0, 4)
    order: tuple[int, ...] = (0, 1, 2, 3)
    added_bias = False

    def forward(self, xp: ModuleType, z: Any, h: Any, c: Any, bias: Any, out: Any, kept: Any, coef: Any) -> None:
        H = c.shape[1]
        i, f, g, o = (z[:, k * H : (k + 1) * H] for k in range(4))
        i, f, o = (1 / (1 + xp.exp(gate)) for gate in (i, f, o))
        g = xp.tanh(g)
        kept[...] = f * c + i * g
        t = xp.tanh(kept)
        xp.multiply(o, t, out=out)
        parts = (g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), t * o * (1 - o), o * (1 - t * t), f)
        for k, part in enumerate(parts):
            coef[:, k * H : (k + 1) * H] = part

    def backward(self, xp: ModuleType, dh: Any, carry: Any, coef: Any) -> tuple[Any, Any, Any]:
        H = dh.shape[-1]
        dc = carry + dh * coef[..., 4 * H : 5 * H]
        d = xp.concatenate([dh, dc], axis=-1)
        return d, self.spread(xp, d, coef), dc * coef[..., 5 * H :]

    def spread(self, xp: ModuleType, d: Any, coef: Any) -> Any:
        H = d.shape[-1] // 2
        dh, dc = d[..., :H], d[..., H:]
        parts = [dc * coef[..., k * H : (k + 1) * H] for k in range(3)]
        return xp.concatenate([*parts, dh * coef[..., 3 * H : 4 * H]], axis=-1)

    def weights(self, xp: ModuleType, coef: Any, chosen: Any) -> Any:
        """|chosen blocks of the errors| per unit of |dh| and of |dc|: (..., 2H)."""
        H = coef.shape[-1] // 6
        out = xp.zeros((*coef.shape[:-1], 2 * H), coef.dtype)
        if chosen[3]:
            xp.abs(coef[..., 3 * H : 4 * H], out=out[..., :H])
        for k in range(3):
            if chosen[k]:
                part = coef[..., k * H : (k + 1) * H]
                out[..., H:] += part * part
        xp.sqrt(out[..., H:], out=out[..., H:])
        return out

    def pulled(self, xp: ModuleType, q: Any, coef: Any) -> Any:
        """The row p with <errors, q> = <[dh | dc], p>."""
        H = coef.shape[-1] // 6
        each = (q * coef[..., : 4 * H]).reshape(*q.shape[:-1], 4, H)
        return xp.concatenate([each[..., 3, :], each[..., :3, :].sum(axis=-2)], axis=-1)


@jit
def remember(z, before, c, t):
    """z: exp(-pre-activation) of i, f and o, tanh of g; the gates come out. c: new cell state; t: a copy of it."""
    H = c.shape[1]
    for b in range(c.shape[0]):
        i, f, g, o = z[b, :H], z[b, H : 2 * H], z[b, 2 * H : 3 * H], z[b, 3 * H :]
        old, new, copy = before[b], c[b], t[b]
        for j in range(H):
            i[j] = 1 / (1 + i[j])
            f[j] = 1 / (1 + f[j])
            o[j] = 1 / (1 + o[j])
            v = f[j] * old[j] + i[j] * g[j]
            new[j] = v
            copy[j] = v


@jit
def finish(z, before, t, h, coef):
    """h and the coefficients, from the gates and t = tanh(c)."""
    H = h.shape[1]
    for b in range(h.shape[0]):
        i, f, g, o = z[b, :H], z[b, H : 2 * H], z[b, 2 * H : 3 * H], z[b, 3 * H :]
        old, tanh, out = before[b], t[b], h[b]
        at_i, at_f, at_g = coef[b, :H], coef[b, H : 2 * H], coef[b, 2 * H : 3 * H]
        at_o, into, skip = coef[b, 3 * H : 4 * H], coef[b, 4 * H : 5 * H], coef[b, 5 * H :]
        for j in range(H):
            out[j] = o[j] * tanh[j]
            at_i[j] = g[j] * i[j] * (1 - i[j])
            at_f[j] = old[j] * f[j] * (1 - f[j])
            at_g[j] = i[j] * (1 - g[j] * g[j])
            at_o[j] = tanh[j] * o[j] * (1 - o[j])
            into[j] = o[j] * (1 - tanh[j] * tanh[j])
            skip[j] = f[j]


@jit
def activate(z):
    """exp(-pre-activation) of i, f and o; tanh of g."""
    H = z.shape[1] // 4
    for b in range(z.shape[0]):
        for j in range(4 * H):
            z[b, j] = math.tanh(z[b, j]) if 2 * H <= j < 3 * H else math.exp(z[b, j])


def forward_rows(z: Any, before: Any, c: Any, h: Any, coef: Any, t: Any) -> None:
    """One step of all sequences: NumPy's vector code for exp and tanh, compiled passes for the rest."""
    H = h.shape[1]
    np.exp(z[:, : 2 * H], out=z[:, : 2 * H])
    np.tanh(z[:, 2 * H : 3 * H], out=z[:, 2 * H : 3 * H])
    np.exp(z[:, 3 * H :], out=z[:, 3 * H :])
    remember(z, before, c, t)
    np.tanh(t, out=t)
    finish(z, before, t, h, coef)


@jit
def backward_row(d, carry, coef, z):
    """Loops of few arrays each: of more than that the compiler makes no vector code."""
    H = d.size // 2
    dh, dc = d[:H], d[H:]
    into, skip = coef[4 * H : 5 * H], coef[5 * H :]
    for j in range(H):
        dc[j] = carry[j] + dh[j] * into[j]
    for k in range(4):
        at, out = coef[k * H : (k + 1) * H], z[k * H : (k + 1) * H]
        e = dc if k < 3 else dh
        for j in range(H):
            out[j] = e[j] * at[j]
    for j in range(H):
        carry[j] = dc[j] * skip[j]
