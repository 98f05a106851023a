"""The gated recurrent unit, in PyTorch's form and order of gates (r, z, n).

    r = sigmoid(W_ir x + b_ir + W_hr h' + b_hr)         h' the state before
    z = sigmoid(W_iz x + b_iz + W_hz h' + b_hz)
    n = tanh(W_in x + b_in + r * q),  q = W_hn h' + b_hn
    h = (1 - z) * n + z * h'

Everything that leaves a step backward is dh times a coefficient. The candidate's error differs on the two sides of the
reset gate, so there are four blocks of errors, [n at q, r, z, n at the input]: the first three belong to weight_hh, the
last three to weight_ih. Five blocks of coefficients: one per block of errors, and z, by which dh skips to h'.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..jit import jit
from .block_norms import norm_across_blocks
from .squash import sigmoids, tangents


class GRU:
    name = "gru"
    code = 2
    gates = 3
    gate_names: tuple[str, ...] = ("r", "z", "n")
    # Sigmoids are taken as 1 / (1 + exp(-z)), and -z comes out of the matrix product.
    signs: tuple[float, ...] = (-1.0, -1.0, 1.0)
    coefs = 5
    blocks = 4
    states = 1
    recurrent = (0, 3)
    inward = (1, 4)
    order: tuple[int, ...] = (2, 0, 1)  # rows of weight_hh in the order of the recurrent blocks
    added_bias = True

    def forward(self, xp: ModuleType, z: Any, h: Any, c: Any, bias: Any, out: Any, kept: Any, coef: Any) -> None:
        """z = (recurrent product, input product) of shape (2, B, 3H)."""
        H = h.shape[1]
        product, given = z
        r, u = 1 / (1 + xp.exp(product[:, : 2 * H] + given[:, : 2 * H])).reshape(-1, 2, H).transpose(1, 0, 2)
        q = product[:, 2 * H :] + bias
        n = xp.tanh(given[:, 2 * H :] + r * q)
        xp.add(n, u * (h - n), out=out)
        across = (1 - u) * (1 - n * n)
        parts = (across * r, across * q * r * (1 - r), (h - n) * u * (1 - u), across, u)
        for i, part in enumerate(parts):
            coef[:, i * H : (i + 1) * H] = part

    def backward(self, xp: ModuleType, dh: Any, carry: Any, coef: Any) -> tuple[Any, Any, Any]:
        dh = dh + carry
        return dh, self.spread(xp, dh, coef), dh * coef[..., 4 * dh.shape[-1] :]

    def spread(self, xp: ModuleType, d: Any, coef: Any) -> Any:
        z = d[..., None, :] * coef.reshape(*coef.shape[:-1], 5, -1)[..., :4, :]
        return z.reshape(*z.shape[:-2], -1)

    def weights(self, xp: ModuleType, coef: Any, chosen: Any) -> Any:
        """|chosen blocks of the errors| per unit of |dh|."""
        H = coef.shape[-1] // 5
        which = [k for k in range(4) if chosen[k]]
        if len(which) == 1:
            return xp.ascontiguousarray(coef[:, which[0] * H : (which[0] + 1) * H])
        out = xp.empty((len(coef), H), coef.dtype)
        norm_across_blocks(coef, which, H, out)
        return out

    def pulled(self, xp: ModuleType, q: Any, coef: Any) -> Any:
        """The row p with <errors, q> = <dh, p>."""
        H = coef.shape[-1] // 5
        return (q * coef[..., : 4 * H]).reshape(*q.shape[:-1], 4, H).sum(axis=-2)


@jit
def forward_rows(product, given, before, bias, h, coef, n):
    """One step of all sequences. Loops of few arrays each: of more than that the compiler makes no vector code."""
    H = n.shape[1]
    for b in range(n.shape[0]):
        gates, outer, q, new = product[b, : 2 * H], given[b, : 2 * H], product[b, 2 * H :], n[b]
        for j in range(2 * H):
            gates[j] += outer[j]
        sigmoids(gates)
        r, inner = gates[:H], given[b, 2 * H :]
        for j in range(H):
            q[j] += bias[j]
            new[j] = inner[j] + r[j] * q[j]
        tangents(new)
        _finish(gates, q, new, before[b], h[b], coef[b])


@jit
def _finish(gates, q, new, old, h, coef):
    """h and the coefficients of one sequence, from the gates and the candidate."""
    H, one = q.size, h.dtype.type(1)  # a plain 1 would make it float64
    r, u = gates[:H], gates[H:]
    at_q, at_r, at_u, at_n, skip = coef[:H], coef[H : 2 * H], coef[2 * H : 3 * H], coef[3 * H : 4 * H], coef[4 * H :]
    for j in range(H):
        apart = old[j] - new[j]
        h[j] = new[j] + u[j] * apart
        at_u[j] = apart * u[j] * (one - u[j])
        skip[j] = u[j]
    for j in range(H):
        across = (one - u[j]) * (one - new[j] * new[j])
        at_n[j] = across
        at_q[j] = across * r[j]
        at_r[j] = across * q[j] * r[j] * (one - r[j])


@jit
def backward_row(d, carry, coef, z):
    H = d.size
    for j in range(H):
        d[j] += carry[j]
    for k in range(4):
        at, out = coef[k * H : (k + 1) * H], z[k * H : (k + 1) * H]
        for j in range(H):
            out[j] = d[j] * at[j]
    skip = coef[4 * H :]
    for j in range(H):
        carry[j] = d[j] * skip[j]
