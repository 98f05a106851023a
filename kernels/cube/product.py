"""The product net: non-negative (or signed) factors per bin, multiplied over attributes, summed over ranks.

``f(q) = sum_r prod_a ( sum_{i in q_a} E_a[i, r] )``: linear in the mask of every attribute, so its bars add up to the
total and split ranges add up, for any region. With E = exp(log) it is non-negative and monotone too.

Legend: M masks (B, m), E factors (m, R), S[a] = M_a E_a (B, R), P[a] = prod_{b != a} S[b], view a = P[a] E_a^T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from ..jit import jit

SPREAD = 0.5  # standard deviation of the initial log factors around the marginals: ranks must differ to part ways
RARE = 1e-7  # share given to a bin that was seen but hardly ever


@dataclass
class Trace:
    """What a forward pass leaves for the backward pass."""

    masks: Any  # (B, m)
    factors: Any  # (m, R)
    pre: list[Any]  # (B, R) each: product of S[b], b < a
    suf: list[Any]  # product of S[b], b > a
    sums: list[Any]  # S
    products: list[Any]  # P


class ProductNet:
    """A product of linear embeddings of the masks; see the module's docstring.

    Parameters
    ----------
    sizes : sequence of int
        Bins per attribute.
    keep : (bins,) bool array
        Bins that are ever occupied. The others answer 0 and cost nothing.
    log : (m, R) float array
        Logarithm of the factors' size, m = keep.sum() rows in the schema's order.
    sign : (m, R) float array, optional
        Factors are ``sign * exp(log)``: then the net is additive but neither non-negative nor monotone.
    """

    kind = "product"
    balanced = True  # trained with weights and widths per bin, see `training`

    def __init__(self, sizes: Any, keep: np.ndarray, log: Any, sign: Any = None) -> None:
        self.sizes = tuple(int(n) for n in sizes)
        self.keep = np.asarray(keep, bool)
        ends = np.cumsum([part.sum() for part in np.split(self.keep, np.cumsum(self.sizes)[:-1])])
        self.offsets = np.concatenate([[0], ends]).astype(np.int64)
        self.parameters = {"log": log} if sign is None else {"log": log, "sign": sign}

    @classmethod
    def initial(
        cls,
        sizes: Any,
        marginals: np.ndarray,
        rank: int,
        rng: np.random.Generator,
        signed: bool = False,
        negative: float = 0.0,
    ) -> ProductNet:
        """A net near independence: `marginals` (bins,) are expected answers per bin, 0 where none can be.

        Signs hardly ever change in training, so of a signed net's ranks a share `negative` begins below 0.
        """
        keep = marginals > 0
        net = cls(sizes, keep, np.zeros((int(keep.sum()), rank), np.float32))
        parts = np.split(marginals[keep].astype(np.float64), net.offsets[1:-1])
        total = max(part.sum() for part in parts) if keep.any() else 1.0
        logs = [np.log(part / (part.sum() or 1.0) + RARE) for part in parts]
        log = np.concatenate(logs)[:, None] + SPREAD * rng.standard_normal(net.parameters["log"].shape)
        log += np.log(total / rank) / max(1, len(parts))
        sign = np.ones(log.shape, np.float32) if signed else None
        if sign is not None:
            sign[: net.offsets[1], : round(negative * rank)] = -1
        return cls(sizes, keep, log.astype(np.float32), sign)

    @property
    def rank(self) -> int:
        return self.parameters["log"].shape[1]

    @property
    def signed(self) -> bool:
        return "sign" in self.parameters

    @property
    def floats(self) -> int:
        """Numbers needed to answer."""
        return int(self.parameters["log"].size)

    def factors(self) -> Any:
        """E (m, R)."""
        xp = array_namespace(self.parameters["log"])
        size = xp.exp(self.parameters["log"])
        return size * self.parameters["sign"] if self.signed else size

    def compress(self, array: Any) -> Any:
        """The kept columns of masks or answers (n, bins), in the factors' device and dtype."""
        log = self.parameters["log"]
        return array_namespace(log).asarray(np.asarray(array)[:, self.keep], dtype=log.dtype)

    def check(self, masks: np.ndarray) -> None:
        """Nothing: any region can be asked for."""

    def expand(self, answers: Any) -> np.ndarray:
        """Answers (n, m) back to all bins (n, bins), in host memory; 0 for bins that are never occupied."""
        out = np.zeros((len(answers), len(self.keep)), np.float64)
        out[:, self.keep] = as_numpy(answers)
        return out

    def parts(self, array: Any) -> list[Any]:
        """Columns of each attribute."""
        return [array[:, start:stop] for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def forward(self, masks: Any, factors: Any = None) -> tuple[Any, Trace]:
        """Every bar of every view: masks (B, m), soft or hard -> answers (B, m), and what backward needs."""
        xp = array_namespace(masks)
        factors = self.factors() if factors is None else factors
        E = [factors[start:stop] for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True)]
        S = [m @ e for m, e in zip(self.parts(masks), E, strict=True)]  # (B, R) each
        pre, suf, P = self._products(xp, S)
        answers = xp.empty(masks.shape, masks.dtype)
        for p, e, out in zip(P, E, self.parts(answers), strict=True):
            out[...] = p @ e.T
        return answers, Trace(masks, factors, pre, suf, S, P)

    @staticmethod
    def _products(xp: Any, S: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        pre, suf = [xp.ones_like(S[0])], [xp.ones_like(S[0])]
        for s in S[:-1]:
            pre.append(pre[-1] * s)
        for s in S[:0:-1]:
            suf.append(suf[-1] * s)
        suf.reverse()
        return pre, suf, [p * s for p, s in zip(pre, suf, strict=True)]

    def sums_gradient(self, trace: Trace, d_answers: Any) -> list[Any]:
        """dS (B, R) per attribute, from the gradient of all answers (B, m)."""
        E = [trace.factors[start:stop] for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True)]
        dP = [d @ e for d, e in zip(self.parts(d_answers), E, strict=True)]
        d = len(E)
        S, dS = trace.sums, [None] * d
        # pre[a+1] = pre[a] S[a], suf[a-1] = suf[a] S[a], P[a] = pre[a] suf[a]: reverse-mode, safe where an S is 0
        carried = None
        for a in range(d - 1, 0, -1):
            dpre = dP[a] * trace.suf[a]
            carried = dpre if carried is None else dpre + carried * S[a]
            dS[a - 1] = carried * trace.pre[a - 1]
        carried = None
        for a in range(d - 1):
            dsuf = dP[a] * trace.pre[a]
            carried = dsuf if carried is None else dsuf + carried * S[a]
            more = carried * trace.suf[a + 1]
            dS[a + 1] = more if dS[a + 1] is None else dS[a + 1] + more
        return [dP[0] * 0 if each is None else each for each in dS]

    def backward(self, trace: Trace, d_answers: Any) -> dict[str, Any]:
        """Gradients of the parameters, from those of the answers (B, m)."""
        xp = array_namespace(d_answers)
        dE = xp.empty_like(trace.factors)
        masks, dS = self.parts(trace.masks), self.sums_gradient(trace, d_answers)
        for a, (start, stop) in enumerate(zip(self.offsets[:-1], self.offsets[1:], strict=True)):
            dE[start:stop] = self.parts(d_answers)[a].T @ trace.products[a] + masks[a].T @ dS[a]
        if not self.signed:
            return {"log": dE * trace.factors}
        return {"log": dE * trace.factors, "sign": dE * xp.exp(self.parameters["log"])}

    def masks_gradient(self, trace: Trace, d_answers: Any) -> Any:
        """Gradient of the masks (B, m): for finding the brush that gives a wanted answer."""
        xp = array_namespace(d_answers)
        dM = xp.empty_like(trace.masks)
        for a, dS in enumerate(self.sums_gradient(trace, d_answers)):
            start, stop = self.offsets[a], self.offsets[a + 1]
            dM[:, start:stop] = dS @ trace.factors[start:stop].T
        return dM

    def totals(self, trace: Trace) -> Any:
        """Totals (B,) under all filters."""
        return (trace.sums[0] * trace.products[0]).sum(1)

    def totals_masks_gradient(self, trace: Trace, answers: Any, d_totals: Any) -> Any:
        """Gradient of the masks (B, m) from that of the totals (B,): the views, the net being multilinear."""
        return answers * d_totals[:, None]

    def loss(self, masks: Any, answers: Any, weight: Any, width: Any = None) -> tuple[float, dict[str, Any]]:
        """Mean over queries of the summed absolute error times `weight` (a number, or (m,)), and its gradients.

        With `width` (m,) errors smaller than that count as their square: the gradient is theirs over the width.
        """
        xp = array_namespace(masks)
        found, trace = self.forward(masks)
        found -= answers
        value = float((xp.abs(found) * weight).sum()) / len(masks)
        if width is None:
            xp.sign(found, out=found)
        else:
            found /= width
            xp.clip(found, -1, 1, out=found)
        found *= weight / len(masks)
        return value, self.backward(trace, found)

    def halved(self) -> None:
        """Round the parameters to what float16 holds: files are half as large, errors do not change measurably."""
        xp = array_namespace(self.parameters["log"])
        if self.signed:  # one number per factor: fold the sign's size into the logarithm
            factors = self.factors()
            self.parameters["log"] = xp.log(xp.maximum(xp.abs(factors), 1e-30)).astype(factors.dtype)
            self.parameters["sign"] = xp.where(factors < 0, -1, 1).astype(factors.dtype)
        log = self.parameters["log"]
        log[...] = xp.clip(log, -60000, 60000).astype(xp.float16)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` needs: logarithms (float16 where that holds them), kept bins and signs as bits."""
        log = as_numpy(self.parameters["log"])
        half = log.astype(np.float16)
        out = {"log": half if np.array_equal(half, log) else log, "keep": np.packbits(self.keep)}
        if self.signed:
            out["sign"] = np.packbits(as_numpy(self.parameters["sign"]) < 0)
        return out

    @classmethod
    def from_arrays(cls, sizes: Any, arrays: dict[str, np.ndarray]) -> ProductNet:
        bins = int(np.sum(sizes))
        if len(arrays["keep"]) != -(-bins // 8):
            raise ValueError(f"{len(arrays['keep'])} bytes of kept bins, expected {-(-bins // 8)}")
        keep = np.unpackbits(arrays["keep"], count=bins).astype(bool)
        log = arrays["log"]
        log = log.astype(np.float32) if log.dtype == np.float16 else log
        if log.dtype.kind != "f" or log.ndim != 2 or len(log) != keep.sum() or not np.isfinite(log).all():
            raise ValueError(f"factors of shape {log.shape} for {int(keep.sum())} occupied bins")
        sign = None
        if "sign" in arrays:
            if len(arrays["sign"]) != -(-log.size // 8):
                raise ValueError(f"{len(arrays['sign'])} bytes of signs for {log.size} factors")
            negative = np.unpackbits(arrays["sign"], count=log.size).astype(bool)
            sign = np.where(negative, np.float32(-1), np.float32(1)).reshape(log.shape)
        return cls(sizes, keep, log, sign)


@jit
def outer_products(S, P):
    """P[a] = prod_{b != a} S[b], in place; returns sum_r prod_a S[a, r]."""
    d, R = S.shape
    running, total = np.ones(R), 0.0
    for a in range(d):
        for r in range(R):
            P[a, r] = running[r]
            running[r] *= S[a, r]
    for r in range(R):
        total += running[r]
        running[r] = 1.0
    for a in range(d - 1, -1, -1):
        for r in range(R):
            P[a, r] *= running[r]
            running[r] *= S[a, r]
    return total


@jit
def brush(factors, offsets, kept, mask, answers):
    """One query: mask (bins,) -> answers (bins,) of the kept bins, in place; returns the total.

    Sums of products run in eight parts: one running sum would wait for itself, and may not be reordered.
    """
    d, R = len(offsets) - 1, factors.shape[1]
    S, P = np.zeros((d, R)), np.ones((d, R))
    for a in range(d):
        for i in range(offsets[a], offsets[a + 1]):
            weight = mask[kept[i]]
            if weight != 0:
                for r in range(R):
                    S[a, r] += weight * factors[i, r]
    total = outer_products(S, P)
    whole = R - R % 8
    for a in range(d):
        for i in range(offsets[a], offsets[a + 1]):
            t0, t1, t2, t3, t4, t5, t6, t7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for r in range(0, whole, 8):
                t0 += P[a, r] * factors[i, r]
                t1 += P[a, r + 1] * factors[i, r + 1]
                t2 += P[a, r + 2] * factors[i, r + 2]
                t3 += P[a, r + 3] * factors[i, r + 3]
                t4 += P[a, r + 4] * factors[i, r + 4]
                t5 += P[a, r + 5] * factors[i, r + 5]
                t6 += P[a, r + 6] * factors[i, r + 6]
                t7 += P[a, r + 7] * factors[i, r + 7]
            for r in range(whole, R):
                t0 += P[a, r] * factors[i, r]
            answers[kept[i]] = ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7))
    return total
