"""A few rows times a matrix, step after step: the products of a recurrent net that wait for one another.

For products this small OpenBLAS spends as long on packing the matrix, every time anew, as on multiplying. Up to a size
it multiplies as it is (on AVX-512), so larger matrices are cut into panels of columns, once for all steps: measured
1.1 to 6 times as fast. Products so large that a panel would be narrow are left to BLAS whole, on all its threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit import jit
from ..one_thread import blas_threads

MOST = 1_000_000  # multiply-adds that OpenBLAS makes without packing
BEST = 12  # rows at a time: a tile of OpenBLAS's kernel; with that many it is faster than with all rows packed
LANES = 16  # columns are a multiple of it, and at least as many
SHARED = 2**23  # multiply-adds per step from which several threads of BLAS are faster than one panel by panel


def way_of(rows: int, W: Any) -> str:
    """How (rows, n) @ W is best made many times: by "loop", "panels" or "whole"; measured."""
    if rows == 1:
        return "loop"
    if MOST // (rows * len(W)) < LANES or (rows * W.size > SHARED and blas_threads() > 1):
        return "whole"
    return "panels"


def panels(W: Any, rows: int) -> Any:
    """(count, n, width): the columns of W (n, m), filled up with zeros."""
    n, m = W.shape
    most = max(MOST // (rows * n), LANES)
    widths = [m] if m <= most else range(LANES, most + 1, LANES)
    width = min(widths, key=lambda width: (-(-m // width) * width, -width))  # least to fill up, then few panels
    count = -(-m // width)
    cut = np.zeros((n, count * width), W.dtype)
    cut[:, :m] = W
    return np.ascontiguousarray(cut.reshape(n, count, width).transpose(1, 0, 2))


@jit
def multiply(rows, W, cut, parts, out):
    """out = rows @ W. cut: `panels` of W, or none, for a loop; parts: (count, rows or more, width) to work in."""
    if cut.shape[0] == 0:
        for b in range(rows.shape[0]):
            for j in range(out.shape[1]):
                out[b, j] = 0
            add_product(rows[b], W, out[b])
    elif cut.shape[0] == 1:
        np.dot(rows, cut[0], out)
    else:
        for p in range(cut.shape[0]):
            np.dot(rows, cut[p], parts[p, : rows.shape[0]])
        width = cut.shape[2]
        for b in range(rows.shape[0]):
            for p in range(cut.shape[0]):
                part, to = parts[p, b], out[b, p * width : (p + 1) * width]
                for j in range(to.size):
                    to[j] = part[j]


@jit
def add_product(row, matrix, out):
    """out += row @ matrix; four rows of the matrix at a time, so that the inner loop becomes vector code."""
    n, m = matrix.shape
    i = 0
    while i + 4 <= n:
        a, b, c, d = row[i], row[i + 1], row[i + 2], row[i + 3]
        for j in range(m):
            out[j] += (a * matrix[i, j] + b * matrix[i + 1, j]) + (c * matrix[i + 2, j] + d * matrix[i + 3, j])
        i += 4
    while i < n:
        for j in range(m):
            out[j] += row[i] * matrix[i, j]
        i += 1
