"""A large grid reduced to what a screen can show, without averaging: the largest cell of every block."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit


def peaks(values: Any, row_edges: Any, column_edges: Any) -> tuple[np.ndarray, np.ndarray]:
    """Where the cell of largest absolute value lies in every block of a grid.

    Parameters
    ----------
    values : (R, N) floats
        NaN never counts as largest.
    row_edges : (r + 1,) int, rising
        Block i holds the rows from row_edges[i] up to row_edges[i + 1].
    column_edges : (n + 1,) int, rising

    Returns
    -------
    row, column : (r, n) int
        Of equal cells the first, by rows. A block of NaN alone gives its first cell.

    Raises
    ------
    ValueError
        If edges do not rise, or lie outside the grid.
    """
    values = np.asarray(values)
    edges = [np.asarray(each, np.int64) for each in (row_edges, column_edges)]
    for name, at, size in zip(("row", "column"), edges, values.shape, strict=True):
        if len(at) < 1 or at[0] < 0 or at[-1] > size or (np.diff(at) < 1).any():
            raise ValueError(f"expected {name} edges that rise from 0 to at most {size}, got {at.tolist()[:10]}")
    shape = (len(edges[0]) - 1, len(edges[1]) - 1)
    row, column = np.empty(shape, np.int64), np.empty(shape, np.int64)
    _peaks(values, *edges, row, column, np.empty(shape[1]))
    return row, column


@jit
def _peaks(values, row_edges, column_edges, row, column, best):
    """Rows outside, so that memory is read as it lies."""
    for i in range(row.shape[0]):
        best[:] = -1.0
        row[i], column[i] = row_edges[i], column_edges[:-1]
        for r in range(row_edges[i], row_edges[i + 1]):
            for j in range(row.shape[1]):
                for c in range(column_edges[j], column_edges[j + 1]):
                    size = abs(values[r, c])
                    if size > best[j]:
                        best[j], row[i, j], column[i, j] = size, r, c
