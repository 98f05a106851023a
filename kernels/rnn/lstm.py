"""Long short-term memory, in PyTorch's form and order of gates (i, f, g, o).

    i, f, o = sigmoid(W_i. x + b_i. + W_h. h' + b_h.),  g = tanh(...)      h', c' the states before
    c = f * c' + i * g
    h = o * tanh(c)

Backward, with dh and the dc that comes from the next step: dc = dc_next + dh * o (1 - tanh(c)^2), then every error is
dc (dh for o) times a coefficient. Six blocks of coefficients: [i, f, g, o, h -> c, c -> c']. A row of errors
at the states is [dh | dc].
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..jit import jit
from .block_norms import norm_across_blocks
from .squash import sigmoids, tangents


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
        """|chosen blocks of the errors| per unit of |dh| and of |dc|: (n, 2H)."""
        H = coef.shape[-1] // 6
        out = xp.empty((len(coef), 2 * H), coef.dtype)
        for first, blocks in ((0, (3,)), (H, (0, 1, 2))):
            norm_across_blocks(coef, [k for k in blocks if chosen[k]], H, out, first)
        return out

    def pulled(self, xp: ModuleType, q: Any, coef: Any) -> Any:
        """The row p with <errors, q> = <[dh | dc], p>."""
        H = coef.shape[-1] // 6
        each = (q * coef[..., : 4 * H]).reshape(*q.shape[:-1], 4, H)
        return xp.concatenate([each[..., 3, :], each[..., :3, :].sum(axis=-2)], axis=-1)


@jit
def forward_rows(product, given, before, c, h, coef, t):
    """One step of all sequences. Loops of few arrays each: of more than that the compiler makes no vector code."""
    H = h.shape[1]
    for b in range(h.shape[0]):
        gates, outer, old, new, squashed = product[b], given[b], before[b], c[b], t[b]
        for j in range(4 * H):
            gates[j] += outer[j]
        sigmoids(gates[: 2 * H])
        tangents(gates[2 * H : 3 * H])
        sigmoids(gates[3 * H :])
        i, f, g = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H]
        for j in range(H):
            v = f[j] * old[j] + i[j] * g[j]
            new[j] = v
            squashed[j] = v
        tangents(squashed)
        _finish(gates, old, squashed, h[b], coef[b])


@jit
def _finish(gates, old, t, h, coef):
    """h and the coefficients of one sequence, from the gates and t = tanh(c)."""
    H, one = h.size, h.dtype.type(1)  # a plain 1 would make it float64
    i, f, g, o = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
    at_i, at_f, at_g = coef[:H], coef[H : 2 * H], coef[2 * H : 3 * H]
    at_o, into, skip = coef[3 * H : 4 * H], coef[4 * H : 5 * H], coef[5 * H :]
    for j in range(H):
        h[j] = o[j] * t[j]
        at_o[j] = t[j] * o[j] * (one - o[j])
        into[j] = o[j] * (one - t[j] * t[j])
    for j in range(H):
        at_i[j] = g[j] * i[j] * (one - i[j])
        at_g[j] = i[j] * (one - g[j] * g[j])
    for j in range(H):
        at_f[j] = old[j] * f[j] * (one - f[j])
        skip[j] = f[j]


@jit
def backward_row(d, carry, coef, z):
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
