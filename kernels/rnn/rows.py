"""Passes over the rows of a lag: the backward step, norm, rest and share of every chain (see `lags.py`).

Each pass has three forms: a compiled loop for NumPy, a CUDA kernel for CuPy (`rows_cuda.py`), and whole-array
operations for both, the witness.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import paths, rows_cuda
from .strand import backward_row

TINY, HUGE = 2.0**-40, 2.0**40  # squared row norms outside are scaled back to about 1
SAFE_SQUARES = (2.0**-100, 2.0**100)  # sums of float32 squares outside may have lost terms: summed again in float64
LOW, HIGH = SAFE_SQUARES
LARGEST = np.finfo(np.float64).max
LN2 = math.log(2)


def advance(
    cell: Any, rows: Any, d: Any, above: Any, carry: Any, coef: Any, z: Any, factor: Any, biggest: Any, exponent: Any,
    first: bool,
) -> None:  # fmt: skip
    """One layer of all chains one step back, in place.

    Parameters
    ----------
    rows : (c,)
        The row of the step at which each chain stands.
    d : (c, S)
        In: error at h from the step after (scaled as at the last lag). Out: errors at the states.
    above : (c, H) or no rows
        Error at h from the layer above, at this lag.
    carry : (c, H)
        In and out; a plain cell's has no columns.
    coef : (n, coefs * H)
    z : (c, blocks * H)
        Out: errors at the pre-activations.
    factor : (c,) float64
        What the last lag's rows are multiplied with before they are used.
    biggest : (c,) float64
        Out: the largest squared norm of d, over the layers so far; `first`: this is the first.
    """
    if paths.takes_loops(d):
        _advance_loop(cell.code, rows, d, above, carry, coef, z, factor, biggest, first)
    elif paths.takes_cuda(d):
        rows_cuda.launch(cell, rows, d, above, carry, coef, z, factor, biggest, exponent, first, 0, None)
    else:
        advance_arrays(cell, rows, d, above, carry, coef, z, factor, biggest, exponent, first)


def advance_and_record(
    cell: Any, rows: Any, d: Any, above: Any, carry: Any, coef: Any, z: Any, factor: Any, biggest: Any, exponent: Any,
    first: bool, k: int, kept: Any,
) -> None:  # fmt: skip
    """`advance`, `record` and `settle` in one pass; arguments as of `advance`, then lag and record."""
    if paths.takes_loops(d):
        _fused_loop(
            cell.code, rows, d, above, carry, coef, z, factor, biggest, exponent, first, k,
            kept.w, kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
        )  # fmt: skip
        if kept.units.size:
            _units_loop(rows, d, exponent, k, kept.w, kept.q, kept.units, kept.unit_share, _settled(factor))
    elif paths.takes_cuda(d):
        rows_cuda.launch(cell, rows, d, above, carry, coef, z, factor, biggest, exponent, first, k, kept)
        if kept.units.size:
            _units_arrays(rows, d, exponent - _settled(factor), k, kept)
    else:
        advance_arrays(cell, rows, d, above, carry, coef, z, factor, biggest, exponent, first)
        record_arrays(rows, d, exponent, k, kept)
        settle_arrays(factor, biggest, exponent)


def is_plain(cell: Any, coef: Any, kept: Any) -> bool:
    """Whether a plain cell's own errors are measured, so that |w * d| is the norm of z."""
    return cell.code < 2 and kept.w is coef


def advance_plain(k: int, rows: Any, d: Any, coef: Any, scales: tuple[Any, Any], kept: Any) -> None:
    """`advance_and_record` of one layer of plain cells (`is_plain`), compiled. d: out: errors at the pre-activations.

    scales: factor and exponent. A row is the only thing written besides what is kept, so more rows fit into the cache.
    """
    _plain_loop(
        k, rows, d, coef, *scales,
        kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
    )  # fmt: skip


def advance_plain_lags(
    k: int, stop: int, chains: Any, d: Any, z: Any, W: Any, coef: Any, scales: tuple[Any, Any], kept: Any
) -> None:
    """`advance_plain` for the lags k to stop - 1 and the products between them, without a call for each.

    For few rows: where the products stay on one thread, whichever library makes them. The errors of the lag before
    stand in z; where stop - k is even, those of the last one do again.
    """
    _plain_lags(
        k, stop, chains, d, z, W, coef, *scales,
        kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
    )  # fmt: skip


def record(rows: Any, d: Any, exponent: Any, k: int, kept: Any) -> None:
    """Write down norm, rest and share of the rows d at lag k; the true value of a row is d * 2**exponent."""
    if paths.takes_loops(d):
        _record_loop(
            rows, d, exponent, k,
            kept.w, kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
        )  # fmt: skip
    else:
        record_arrays(rows, d, exponent, k, kept)


def settle(factor: Any, biggest: Any, exponent: Any) -> None:
    """Choose by which power of two each chain is rescaled at the next lag."""
    (_settle_loop if paths.takes_loops(factor) else settle_arrays)(factor, biggest, exponent)


def _settled(factor: Any) -> Any:
    """Powers of two that `settle` has added to the exponents already."""
    return 1 - array_namespace(factor).frexp(factor)[1].astype(np.int32)


# --- whole-array operations


def advance_arrays(
    cell: Any, rows: Any, d: Any, above: Any, carry: Any, coef: Any, z: Any, factor: Any, biggest: Any, exponent: Any,
    first: bool,
) -> None:  # fmt: skip
    """`advance` in whole-array operations."""
    xp = array_namespace(d)
    H = coef.shape[1] // cell.coefs
    scale = factor[:, None].astype(d.dtype)
    dh = d[:, :H] * scale
    if len(above):
        dh += above
    d[...], z[...], new = cell.backward(xp, dh, carry * scale, coef[rows])
    carry[...] = new
    size = _squares(xp, d)
    biggest[...] = size if first else xp.maximum(biggest, size)


def record_arrays(rows: Any, d: Any, exponent: Any, k: int, kept: Any) -> None:
    """`record` in whole-array operations."""
    xp = array_namespace(d)
    T, _, B = kept.norm.shape
    s, b = rows // B, rows % B
    w = kept.w[rows] if len(kept.w) else None
    measured = d if w is None else d * w
    squares = _squares(xp, measured)
    with np.errstate(over="ignore", divide="ignore"):
        kept.norm[s, k, b] = xp.minimum(xp.ldexp(xp.sqrt(squares), exponent), LARGEST)
        if len(kept.log):
            kept.log[s, k, b] = 0.5 * xp.log(squares) + exponent * LN2
        power = kept.power[rows]
        left = kept.rest[rows] - xp.ldexp(d, (exponent - power)[:, None])
        kept.rest[rows] = left
        remainder = xp.ldexp(xp.sqrt(_squares(xp, left if w is None else left * w)), power)
        kept.remainder[s, k, b] = xp.where(s + k + 1 < T, xp.minimum(remainder, LARGEST), 0)
        if len(kept.q):
            product = (d * kept.q[rows]).sum(axis=1)
            kept.share[s, k, b] = xp.ldexp(product.astype(np.float64), exponent)
    if kept.units.size:
        _units_arrays(rows, d, exponent, k, kept)


def _units_arrays(rows: Any, d: Any, exponent: Any, k: int, kept: Any) -> None:
    xp, (_, _, B, H) = array_namespace(d), kept.units.shape
    s, b = rows // B, rows % B
    measured = d * kept.w[rows] if len(kept.w) else d
    folded = (measured * measured).reshape(len(d), -1, H).sum(axis=1)
    kept.units[s, k, b] = xp.ldexp(xp.sqrt(folded), exponent[:, None])
    if len(kept.q):
        product = (d * kept.q[rows]).reshape(len(d), -1, H).sum(axis=1)
        kept.unit_share[s, k, b] = xp.ldexp(product, exponent[:, None])


def settle_arrays(factor: Any, biggest: Any, exponent: Any) -> None:
    """`settle` in whole-array operations."""
    xp = array_namespace(factor)
    far = (biggest > 0) & xp.isfinite(biggest) & ((biggest <= TINY) | (biggest >= HUGE))
    shift = xp.where(far, xp.frexp(xp.sqrt(biggest))[1], 0).astype(exponent.dtype)
    exponent += shift
    factor[...] = xp.ldexp(xp.ones_like(factor), -shift)


def _squares(xp: Any, a: Any) -> Any:
    wide = a.astype(np.float64)
    return (wide * wide).sum(axis=1)


def weighted_norm(a: Any, w: Any) -> Any:
    """(n,) float64: |w * row| of the rows of a (n, S); w (n, S), or no rows: |row|."""
    xp = array_namespace(a)
    if not paths.takes_loops(a):
        return xp.sqrt(_squares(xp, a * w if len(w) else a))
    norm = np.empty(len(a))
    _weighted_norm_loop(a, w, norm)
    return norm


# --- compiled loops


@jit
def _combine(d, above, carry, factor, i, H):
    """The last lag's rows brought to this lag's scale, and what the layer above adds."""
    if factor[i] != 1:
        for j in range(H):
            d[i, j] = d[i, j] * factor[i]
        for j in range(carry.shape[1]):
            carry[i, j] = carry[i, j] * factor[i]
    if above.shape[0] > 0:
        for j in range(H):
            d[i, j] += above[i, j]


@jit
def _advance_loop(code, rows, d, above, carry, coef, z, factor, biggest, first):
    H = d.shape[1] // (2 if code == 3 else 1)
    buffer = np.empty(d.shape[1], d.dtype)
    for i in range(rows.size):
        _combine(d, above, carry, factor, i, H)
        backward_row(code, d[i], carry[i], coef[rows[i]], z[i])
        size = _plain_squares(d[i], buffer)
        biggest[i] = size if first else max(biggest[i], size)


@jit
def _fused_loop(
    code, rows, d, above, carry, coef, z, factor, biggest, exponent, first, k,
    w, rest, power, q, norm, remainder, share, log,
):  # fmt: skip
    T, _, B = norm.shape
    H = d.shape[1] // (2 if code == 3 else 1)
    buffer = np.empty(d.shape[1], d.dtype)
    for i in range(rows.size):
        r = rows[i]
        _combine(d, above, carry, factor, i, H)
        backward_row(code, d[i], carry[i], coef[r], z[i])
        squares = _weighted_squares(d[i], w, r, buffer)
        _record_row(d[i], r, k, T, B, exponent[i], squares, w, rest, power, q, buffer, norm, remainder, share, log)
        size = _plain_squares(d[i], buffer)
        _settle_row(i, size if first else max(biggest[i], size), factor, exponent)


@jit
def _plain_lags(
    k, stop, chains, d, z, W, coef, factor, exponent, rest, power, q, norm, remainder, share, log
):  # fmt: skip
    a, B = 0, norm.shape[2]
    for lag in range(k, stop):
        while a < chains.size and chains[a] < lag * B:  # these have come to their start
            a += 1
        if a == chains.size:
            break
        if lag:
            np.dot(z[a:], W, d[a:])
        _plain_loop(
            lag, chains[a:] - lag * B, d[a:], coef, factor[a:], exponent[a:],
            rest, power, q, norm, remainder, share, log,
        )  # fmt: skip
        d, z = z, d


@jit
def _plain_loop(k, rows, d, coef, factor, exponent, rest, power, q, norm, remainder, share, log):
    """`_fused_loop` for one layer of plain cells and its weights, in line and in place: w is coef, so z is w * d."""
    T, _, B = norm.shape
    width = d.shape[1]
    buffer = np.empty(width, d.dtype)
    for i in range(rows.size):
        r = rows[i]
        s, b = r // B, r % B
        row, f, left = d[i], coef[r], rest[r]
        if factor[i] != 1:
            for j in range(width):
                row[j] = row[j] * factor[i]
        scale = _power_of_two(exponent[i])
        step = d.dtype.type(_power_of_two(exponent[i] - power[r]))
        for j in range(width):
            v = left[j] - step * row[j]
            left[j] = v
            v *= f[j]
            buffer[j] = v * v
        if s + k + 1 < T:
            squares = np.float64(fold(buffer))
            if not LOW < squares < HIGH:
                squares = _weighted_squares(left, coef, r, buffer)
            value = math.sqrt(squares) * _power_of_two(power[r])
            remainder[s, k, b] = LARGEST if value > LARGEST else value
        if q.shape[0] > 0:
            for j in range(width):
                buffer[j] = row[j] * q[r, j]
            share[s, k, b] = fold(buffer) * scale
        for j in range(width):
            v = row[j] * f[j]
            row[j] = v
            buffer[j] = v * v
        squares = np.float64(fold(buffer))
        if not LOW < squares < HIGH:
            squares = _wide_squares(row)
        value = math.sqrt(squares) * scale
        norm[s, k, b] = LARGEST if value > LARGEST else value
        if log.shape[0] > 0:
            log[s, k, b] = 0.5 * math.log(squares) + exponent[i] * LN2 if squares > 0 else -np.inf
        _settle_row(i, squares, factor, exponent)


@jit
def _power_of_two(exponent):
    return 1.0 if exponent == 0 else math.ldexp(1.0, exponent)


@jit
def _record_loop(rows, d, exponent, k, w, rest, power, q, norm, remainder, share, log):
    T, _, B = norm.shape
    buffer = np.empty(d.shape[1], d.dtype)
    for i in range(rows.size):
        squares = _weighted_squares(d[i], w, rows[i], buffer)
        _record_row(
            d[i], rows[i], k, T, B, exponent[i], squares, w, rest, power, q, buffer, norm, remainder, share, log
        )


@jit
def _record_row(d, r, k, T, B, exponent, squares, w, rest, power, q, buffer, norm, remainder, share, log):
    s, b = r // B, r % B
    scale = math.ldexp(1.0, exponent)
    value = math.sqrt(squares) * scale
    norm[s, k, b] = LARGEST if value > LARGEST else value
    if log.shape[0] > 0:
        log[s, k, b] = 0.5 * math.log(squares) + exponent * LN2 if squares > 0 else -np.inf
    factor = d.dtype.type(math.ldexp(1.0, exponent - power[r]))
    squares = _subtract(d, factor, rest, w, r, buffer)
    if s + k + 1 < T:
        value = math.sqrt(squares) * math.ldexp(1.0, power[r])
        remainder[s, k, b] = LARGEST if value > LARGEST else value
    if q.shape[0] > 0:
        for j in range(d.size):
            buffer[j] = d[j] * q[r, j]
        share[s, k, b] = fold(buffer) * scale


@jit
def _settle_row(i, size, factor, exponent):
    factor[i] = 1.0
    if not TINY < size < HUGE and 0 < size < np.inf:
        shift = math.frexp(math.sqrt(size))[1]
        exponent[i] += shift
        factor[i] = math.ldexp(1.0, -shift)


@jit
def _settle_loop(factor, biggest, exponent):
    for i in range(factor.size):
        _settle_row(i, biggest[i], factor, exponent)


@jit
def _units_loop(rows, d, exponent, k, w, q, units, unit_share, settled):
    B, H = units.shape[2], units.shape[3]
    for i in range(rows.size):
        r = rows[i]
        s, b = r // B, r % B
        scale = math.ldexp(1.0, exponent[i] - settled[i])
        for j in range(H):
            squares, product = 0.0, 0.0
            for c in range(j, d.shape[1], H):
                v = np.float64(d[i, c] * w[r, c]) if w.shape[0] > 0 else np.float64(d[i, c])
                squares += v * v
                if q.shape[0] > 0:
                    product += d[i, c] * q[r, c]
            units[s, k, b, j] = math.sqrt(squares) * scale
            if q.shape[0] > 0:
                unit_share[s, k, b, j] = product * scale


@jit
def _subtract(d, factor, rest, w, r, buffer):
    """rest[r] -= factor * d; returns what `_weighted_squares` gives of it, in one loop."""
    left = rest[r]
    if w.shape[0] == 0:
        for j in range(d.size):
            v = left[j] - factor * d[j]
            left[j] = v
            buffer[j] = v * v
    else:
        weight = w[r]
        for j in range(d.size):
            v = left[j] - factor * d[j]
            left[j] = v
            v *= weight[j]
            buffer[j] = v * v
    squares = np.float64(fold(buffer))
    return squares if LOW < squares < HIGH else _weighted_squares(left, w, r, buffer)


@jit
def _wide_squares(row):
    squares = 0.0
    for j in range(row.size):
        squares += np.float64(row[j]) * np.float64(row[j])
    return squares


@jit
def _weighted_norm_loop(a, w, norm):
    buffer = np.empty(a.shape[1], a.dtype)
    for r in range(a.shape[0]):
        norm[r] = math.sqrt(_weighted_squares(a[r], w, r, buffer))


@jit
def _plain_squares(row, buffer):
    for j in range(row.size):
        buffer[j] = row[j] * row[j]
    squares = np.float64(fold(buffer))
    return squares if LOW < squares < HIGH else _wide_squares(row)


@jit
def _weighted_squares(row, w, r, buffer):
    """|w[r] * row|^2, or |row|^2 where w has no rows."""
    if w.shape[0] == 0:
        return _plain_squares(row, buffer)
    weight = w[r]
    for j in range(row.size):
        v = row[j] * weight[j]
        buffer[j] = v * v
    squares = np.float64(fold(buffer))
    if LOW < squares < HIGH:
        return squares
    wide = 0.0
    for j in range(row.size):
        v = np.float64(row[j]) * np.float64(weight[j])
        wide += v * v
    return wide


@jit
def fold(buffer):
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
