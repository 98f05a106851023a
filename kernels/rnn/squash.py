"""Sigmoid and tanh of many numbers, as vector code within compiled loops.

Both rest on e^v - 1 = 2^k p + (2^k - 1), where v = k ln 2 + r, |r| <= (ln 2) / 2, and p = e^r - 1 is a Taylor series
that starts with r: nothing cancels, however small v is. Off by at most 3 units in the last place (tested).
"""

from __future__ import annotations

import numpy as np

from ..jit import jit

LN2_HIGH = 355 / 512  # few bits, so that its products with small whole numbers are exact
LN2_LOW = -2.1219444005469058277e-4  # ln 2 - LN2_HIGH
PER_LN2 = 1.4426950408889634074  # 1 / ln 2


@jit
def sigmoids(row):
    """1 / (1 + e^v) in the place of each v: the sigmoid of -v. Exactly 0 instead of denormal numbers."""
    kind = row.dtype.type
    single, zero, one = kind(1) + kind(2.0**-30) == kind(1), kind(0), kind(1)
    most = kind(708 if row.itemsize == 8 else 87)
    for j in range(row.size):
        v = row[j]
        shut = v > most
        v = most if shut else v
        v = -most if v < -most else v
        p, power = _split(v, kind, single)
        value = one / (one + (power * p + power))
        row[j] = zero if shut else value


@jit
def tangents(row):
    """tanh(v) in the place of each v: with e = e^2|v| - 1 it is e / (e + 2)."""
    kind = row.dtype.type
    single, zero, one, two, most = kind(1) + kind(2.0**-30) == kind(1), kind(0), kind(1), kind(2), kind(44)
    for j in range(row.size):
        v = row[j]
        size = two * (-v if v < zero else v)
        p, power = _split(most if size > most else size, kind, single)
        e = power * p + (power - one)
        size = e / (e + two)
        row[j] = -size if v < zero else size


@jit
def _split(v, kind, single):
    """p = e^r - 1 and 2^k of a number that is no larger than 708 (single: 87)."""
    k = np.floor(v * kind(PER_LN2) + kind(0.5))
    r = (v - k * kind(LN2_HIGH)) - k * kind(LN2_LOW)
    if single:  # decided when compiled
        p = kind(1 / 5040)
        power = kind(np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32))
    else:
        p = kind(1 / 6227020800)
        p = kind(1 / 479001600) + r * p
        p = kind(1 / 39916800) + r * p
        p = kind(1 / 3628800) + r * p
        p = kind(1 / 362880) + r * p
        p = kind(1 / 40320) + r * p
        p = kind(1 / 5040) + r * p
        power = kind(np.int64((np.int64(np.int32(k)) + np.int64(1023)) << np.int64(52)).view(np.float64))
    p = kind(1 / 720) + r * p
    p = kind(1 / 120) + r * p
    p = kind(1 / 24) + r * p
    p = kind(1 / 6) + r * p
    p = kind(1 / 2) + r * p
    return r + r * r * p, power
