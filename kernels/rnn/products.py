"""A few rows times a matrix, step after step: the products of a recurrent net that wait for one another.

For products this small OpenBLAS spends as long on packing the matrix, every time anew, as on multiplying. On processors
with AVX-512 it multiplies without packing up to a size, so larger matrices are cut into panels of columns, once for all
steps: measured 1.1 to 6 times as fast. Elsewhere panels would be packed again and again, and the matrix stays whole.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..jit import jit
from ..one_thread import blas_architectures, blas_threads

UNPACKED = {"skylakex", "cooperlake", "sapphirerapids"}  # OpenBLAS's kernels that multiply small matrices as they are
MOST = 1_000_000  # multiply-adds that they make without packing
BEST = 12  # rows at a time: a tile of such a kernel; with that many it is faster than with all rows packed
LANES = 16  # columns of a panel are a multiple of it, and at least as many
SHARED = 2**23  # multiply-adds per step from which several threads of BLAS are faster than one panel by panel
LOOPED = 8, 2**18  # where BLAS packs: rows and weights up to which a compiled loop is as fast


@cache
def packs() -> bool:
    """Whether BLAS packs small matrices, or nobody knows."""
    found = blas_architectures()
    return not found or not found <= UNPACKED


def way_of(rows: int, W: Any) -> str:
    """How (rows, n) @ W is best made many times: by "loop", "panels" or "whole"; measured."""
    if rows == 1:
        return "loop"
    if packs():
        return "loop" if rows <= LOOPED[0] and W.size <= LOOPED[1] else "whole"
    large = rows * W.size > SHARED or narrow(rows, W)
    return "whole" if large and blas_threads() > 1 else "panels"


def panels(W: Any, rows: int) -> Any:
    """(count, n, width): the columns of W (n, m), filled up with zeros; one panel where others would not be faster."""
    n, m = W.shape
    most = _widest(rows, W)
    widths = [m] if packs() or m <= most or narrow(rows, W) else range(LANES, most + 1, LANES)
    width = min(widths, key=lambda width: (-(-m // width) * width, -width))  # least to fill up, then few panels
    count = -(-m // width)
    cut = np.zeros((n, count * width), W.dtype)
    cut[:, :m] = W
    return np.ascontiguousarray(cut.reshape(n, count, width).transpose(1, 0, 2))


def narrow(rows: int, W: Any) -> bool:
    """Whether panels for so many rows would be too narrow to be worth it."""
    return _widest(rows, W) < LANES


def _widest(rows: int, W: Any) -> int:
    """Columns of W with which the product stays small enough."""
    return MOST // (rows * len(W))


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
def multiply_columns(z, first, W, cut, parts, errors, out):
    """`multiply` of the columns of z from `first` on, as many as W has rows; errors (z's rows or more, those columns):
    to bring them together in."""
    n, rows = W.shape[0], z.shape[0]
    if n == z.shape[1]:
        multiply(z, W, cut, parts, out)
    else:
        for b in range(rows):
            for j in range(n):
                errors[b, j] = z[b, first + j]
        multiply(errors[:rows], W, cut, parts, out)


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
