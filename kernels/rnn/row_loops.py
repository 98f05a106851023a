"""The compiled passes over the rows of a lag (see `rows.py`), and over many lags of few rows at a time."""

from __future__ import annotations

import math

import numpy as np

from ..jit import jit
from .products import multiply, multiply_columns
from .strand import backward_row

TINY, HUGE = 2.0**-40, 2.0**40  # squared row norms outside are scaled back to about 1
LOW, HIGH = 2.0**-100, 2.0**100  # sums of float32 squares outside may have lost terms: summed again in float64
LARGEST = np.finfo(np.float64).max
LN2 = math.log(2)


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
def advance_loop(code, rows, d, above, carry, coef, z, factor, biggest, first):
    H = d.shape[1] // (2 if code == 3 else 1)
    buffer = np.empty(d.shape[1], d.dtype)
    for i in range(rows.size):
        _combine(d, above, carry, factor, i, H)
        backward_row(code, d[i], carry[i], coef[rows[i]], z[i])
        size = _plain_squares(d[i], buffer)
        biggest[i] = size if first else max(biggest[i], size)


@jit
def fused_loop(
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
def lags_loop(
    code, k, stop, chains, together, first, W, cut, d, z, carry, coef, factor, exponent,
    w, rest, power, q, norm, remainder, share, log,
):  # fmt: skip
    """The lags k to stop - 1 of one layer, products included, for so many chains together; d at lag 0: the seeds.

    cut: `products.panels` of W.
    """
    B, n, H = norm.shape[2], W.shape[0], W.shape[1]
    biggest = np.empty(together)  # of several layers; there is one
    above, parts = np.empty((0, H), d.dtype), np.empty((cut.shape[0], together, cut.shape[2]), d.dtype)
    errors, product = np.empty((together, n), d.dtype), np.empty((together, H), d.dtype)
    for start in range(0, chains.size, together):
        a, end = start, min(start + together, chains.size)
        for lag in range(k, stop):
            while a < end and chains[a] < lag * B:  # these have come to their start
                a += 1
            if a == end:
                break
            if lag:
                multiply_columns(z[a:end], first, W, cut, parts, errors, product[: end - a])
                for i in range(end - a):
                    d[a + i, :H] = product[i]
            fused_loop(
                code, chains[a:end] - lag * B, d[a:end], above, carry[a:end], coef, z[a:end],
                factor[a:end], biggest, exponent[a:end], True, lag,
                w, rest, power, q, norm, remainder, share, log,
            )  # fmt: skip


@jit
def plain_lags_loop(
    k, stop, chains, together, d, z, W, cut, coef, factor, exponent, rest, power, q, norm, remainder, share, log
):  # fmt: skip
    """`lags_loop` for one layer of plain cells and its weights, in two arrays that take turns."""
    B = norm.shape[2]
    parts = np.empty((cut.shape[0], together, cut.shape[2]), d.dtype)
    for start in range(0, chains.size, together):
        a, end = start, min(start + together, chains.size)
        into, last = d, z
        for lag in range(k, stop):
            while a < end and chains[a] < lag * B:
                a += 1
            if a == end:
                break
            if lag:
                multiply(last[a:end], W, cut, parts, into[a:end])
            plain_loop(
                lag, chains[a:end] - lag * B, into[a:end], coef, factor[a:end], exponent[a:end],
                rest, power, q, norm, remainder, share, log,
            )  # fmt: skip
            into, last = last, into


@jit
def plain_loop(k, rows, d, coef, factor, exponent, rest, power, q, norm, remainder, share, log):
    """`fused_loop` for one layer of plain cells and its weights, in line and in place: w is coef, so z is w * d."""
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
def record_loop(rows, d, exponent, k, w, rest, power, q, norm, remainder, share, log):
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
    scale = _power_of_two(exponent)
    value = math.sqrt(squares) * scale
    norm[s, k, b] = LARGEST if value > LARGEST else value
    if log.shape[0] > 0:
        log[s, k, b] = 0.5 * math.log(squares) + exponent * LN2 if squares > 0 else -np.inf
    factor = d.dtype.type(_power_of_two(exponent - power[r]))
    squares = _subtract(d, factor, rest, w, r, buffer)
    if s + k + 1 < T:
        value = math.sqrt(squares) * _power_of_two(power[r])
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
def settle_loop(factor, biggest, exponent):
    for i in range(factor.size):
        _settle_row(i, biggest[i], factor, exponent)


@jit
def units_loop(rows, d, exponent, k, w, q, units, unit_share, settled):
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
def scale_loop(norm, u):
    """A few columns of many rows: NumPy takes five times as long."""
    for s in range(norm.shape[0]):
        for k in range(norm.shape[1]):
            for b in range(norm.shape[2]):
                norm[s, k, b] *= u[s, b]


@jit
def weighted_norm_loop(a, w, norm):
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
