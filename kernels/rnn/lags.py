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


def advance(E: Any, slope: Any, exponent: Any, norm: Any, rest: Any, left: Any, q: Any, share: Any) -> None:
    """One pass over the rows of one lag, in place.

    Parameters
    ----------
    E : (n, H)
        In: the error at h as the GEMM gave it. Out: times `slope`, that is D_k, rescaled.
    slope : (n, H)
    exponent : (n,) int32
        In and out: the row's true value is E * 2**exponent.
    norm : (n,) float64
        Out: |D_k| per row.
    rest : (n, H)
        In and out: what the lags up to here leave of each step's whole error; D_k is subtracted.
    left : (n,) float64
        Out: |rest| per row.
    q : (n, H) or (0, H)
        What a row is multiplied with to give its share; no rows: no shares.
    share : (n,) float64
        Out: <D_k, q> per row, if `q` has rows.
    """
    if array_namespace(E) is np:
        _advance_loop(E, slope, exponent, norm, rest, left, q, share)
    else:
        advance_arrays(E, slope, exponent, norm, rest, left, q, share)


def advance_arrays(E: Any, slope: Any, exponent: Any, norm: Any, rest: Any, left: Any, q: Any, share: Any) -> None:
    """`advance` in whole-array operations: the path for CuPy, and the witness for the compiled loop."""
    xp = array_namespace(E)
    E *= slope
    biggest = xp.abs(E).max(axis=1)  # squares of a row this small would underflow
    shift = xp.where((biggest < math.sqrt(TINY)) | (biggest > math.sqrt(HUGE)), xp.frexp(biggest)[1], 0)
    shift = xp.where((biggest > 0) & xp.isfinite(biggest), shift, 0).astype(exponent.dtype)
    E[...] = xp.ldexp(E, -shift[:, None])
    exponent += shift
    true = xp.ldexp(E, exponent[:, None])
    norm[...] = xp.ldexp(xp.sqrt((E * E).sum(axis=1)).astype(np.float64), exponent)
    rest -= true
    left[...] = xp.sqrt((rest * rest).sum(axis=1))
    if len(q):
        share[...] = xp.ldexp((E * q).sum(axis=1).astype(np.float64), exponent)


@jit
def _advance_loop(E, slope, exponent, norm, rest, left, q, share):
    n, width = E.shape
    buffer = np.empty(width, E.dtype)
    for r in range(n):
        e, f, d = E[r], slope[r], rest[r]
        for j in range(width):
            v = e[j] * f[j]
            e[j] = v
            buffer[j] = v * v
        squares = _fold(buffer)
        if not TINY < squares < HUGE:
            exponent[r] += _rescale(e)
            for j in range(width):
                buffer[j] = e[j] * e[j]
            squares = _fold(buffer)
        scale = math.ldexp(1.0, exponent[r])
        norm[r] = math.sqrt(squares) * scale
        factor = E.dtype.type(scale)
        for j in range(width):
            v = d[j] - factor * e[j]
            d[j] = v
            buffer[j] = v * v
        left[r] = math.sqrt(_fold(buffer))
        if q.shape[0] > 0:
            for j in range(width):
                buffer[j] = e[j] * q[r, j]
            share[r] = _fold(buffer) * scale


@jit
def _fold(buffer):
    """Sum of the buffer, which is overwritten. Folding halves gives vector code without reordering, and small errors."""
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
