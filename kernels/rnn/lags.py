"""The lag-major engine: errors of *all* steps at one lag, moved one lag further by one matrix product.

Row (s, b) of the block D_k holds d_{s+k -> s}: the error that the loss of step s+k of sequence b causes at the
pre-activation of step s. Then

    D_{k+1}[s] = (D_k[s+1] W) * slope[s]                     one GEMM for all steps, and one pass over its result

A row is kept as mantissa and power of two (`exponent`), so that float32 rows neither vanish nor overflow over long
lags; the power of two makes the rescaling exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit

TINY, HUGE = 2.0**-40, 2.0**40  # squared row norms outside are scaled back to about 1
SAFE_SQUARES = (2.0**-100, 2.0**100)  # sums of float32 squares outside may have lost terms: summed again in float64


def advance(
    k: int, E: Any, slope: Any, exponent: Any, norm: Any, rest: Any, remainder: Any, q: Any, share: Any
) -> None:
    """One pass over the rows of lag `k`, in place. T steps, B sequences, H units; row s*B + b is step s of sequence b.

    Parameters
    ----------
    k : int
        The lag; only the first (T-k)*B rows exist.
    E : (T*B, H)
        In: the error at h as the GEMM gave it. Out: times `slope`, that is D_k, rescaled.
    slope : (T*B, H)
    exponent : (T*B,) int32
        In and out, by row of the *loss*: the true value of row (s, b) is E * 2**exponent[(s + k)*B + b].
    norm : (T, K, B) float64
        Out, at lag k: |D_k| per row.
    rest : (T*B, H)
        In and out: what the lags up to here leave of each step's whole error; D_k is subtracted.
    remainder : (T, K, B) float64
        Out, at lag k: |rest| per row; exactly 0 where no later loss exists (what is left there is rounding).
    q : (T*B, H) or (0, H)
        What a row is multiplied with to give its share; no rows: no shares.
    share : (T, K, B) float64
        Out, at lag k: <D_k, q> per row, if `q` has rows.
    """
    loop = _advance_loop if array_namespace(E) is np else advance_arrays
    loop(k, E, slope, exponent, norm, rest, remainder, q, share)


def advance_arrays(
    k: int, E: Any, slope: Any, exponent: Any, norm: Any, rest: Any, remainder: Any, q: Any, share: Any
) -> None:
    """`advance` in whole-array operations: the path for CuPy, and the witness for the compiled loop."""
    xp = array_namespace(E)
    T, _, B = norm.shape
    n = (T - k) * B
    E, power, rest = E[:n], exponent[k * B :], rest[:n]
    E *= slope[:n]
    biggest = xp.abs(E).max(axis=1)  # squares of a row this small would underflow
    shift = xp.where((biggest < math.sqrt(TINY)) | (biggest > math.sqrt(HUGE)), xp.frexp(biggest)[1], 0)
    shift = xp.where((biggest > 0) & xp.isfinite(biggest), shift, 0).astype(exponent.dtype)
    E[...] = xp.ldexp(E, -shift[:, None])
    power += shift
    rest -= xp.ldexp(E, power[:, None])
    norm[: T - k, k] = xp.ldexp(xp.sqrt((E * E).sum(axis=1)).astype(np.float64), power).reshape(-1, B)
    wide = rest.astype(np.float64)
    remainder[: T - k, k] = xp.sqrt((wide * wide).sum(axis=1)).reshape(-1, B)
    remainder[T - k - 1 :, k] = 0
    if len(q):
        share[: T - k, k] = xp.ldexp((E * q[:n]).sum(axis=1).astype(np.float64), power).reshape(-1, B)


def row_norm(a: Any) -> Any:
    """(T, B) float64: the norm along the last axis of a (T, B, H) array."""
    xp = array_namespace(a)
    norm = xp.empty(a.shape[:2])
    if xp is np:
        _row_norm_loop(a, norm)
    else:
        wide = a.astype(np.float64)
        xp.sqrt((wide * wide).sum(axis=2), out=norm)
    return norm


LOW, HIGH = SAFE_SQUARES


@jit
def _row_norm_loop(a, norm):
    buffer = np.empty(a.shape[2], a.dtype)
    for t in range(a.shape[0]):
        for b in range(a.shape[1]):
            row = a[t, b]
            for j in range(row.size):
                buffer[j] = row[j] * row[j]
            squares = np.float64(_fold(buffer))
            if not LOW < squares < HIGH:
                squares = _wide_squares(row)
            norm[t, b] = math.sqrt(squares)


@jit
def _wide_squares(row):
    total = 0.0
    for j in range(row.size):
        total += np.float64(row[j]) * np.float64(row[j])
    return total


@jit
def _advance_loop(k, E, slope, exponent, norm, rest, remainder, q, share):
    T, _, B = norm.shape
    width = E.shape[1]
    buffer = np.empty(width, E.dtype)
    for r in range((T - k) * B):
        s, b = r // B, r % B
        e, f, d = E[r], slope[r], rest[r]
        for j in range(width):
            v = e[j] * f[j]
            e[j] = v
            buffer[j] = v * v
        squares = _fold(buffer)
        if not TINY < squares < HUGE:
            exponent[r + k * B] += _rescale(e)
            for j in range(width):
                buffer[j] = e[j] * e[j]
            squares = _fold(buffer)
        scale = math.ldexp(1.0, exponent[r + k * B])
        norm[s, k, b] = math.sqrt(squares) * scale
        factor = E.dtype.type(scale)
        for j in range(width):
            v = d[j] - factor * e[j]
            d[j] = v
            buffer[j] = v * v
        if s + k + 1 < T:
            left = np.float64(_fold(buffer))
            if not LOW < left < HIGH:
                left = _wide_squares(d)
            remainder[s, k, b] = math.sqrt(left)
        if q.shape[0] > 0:
            for j in range(width):
                buffer[j] = e[j] * q[r, j]
            share[s, k, b] = _fold(buffer) * scale


@jit
def _fold(buffer):
    """Sum of the buffer, which is overwritten.

    Folding halves onto each other is vector code without reordering a sum, and its rounding error is small.
    """
    width = buffer.size
    while width > 8:
        half = (width + 1) // 2
        for j in range(width - half):
            buffer[j] += buffer[j + half]
        width = half
    total = buffer[0]
    for j in range(1, width):
        total += buffer[j]
    return total


@jit
def _rescale(row):
    """Divide the row by the power of two that brings its largest element to [0.5, 1); returns the exponent."""
    biggest = abs(row[0])
    for j in range(1, row.size):
        biggest = max(biggest, abs(row[j]))
    if not 0 < biggest < np.inf:
        return 0
    shift = math.frexp(biggest)[1]
    half = shift // 2  # in two halves: 2**-shift itself may not be representable
    first, second = math.ldexp(1.0, -half), math.ldexp(1.0, half - shift)
    for j in range(row.size):
        row[j] = row[j] * first * second
    return shift
