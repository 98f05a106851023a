"""The norm across blocks of coefficients, number by number: what a gated cell's errors weigh."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import paths


def norm_across_blocks(coef: Any, chosen: list[int], H: int, out: Any, first: int = 0) -> None:
    """out[:, first : first + H] = square root of the sum of squares of the chosen blocks of coef (n, blocks * H).

    Block by block: all squares at once would be most of the memory that itemizing takes.
    """
    if paths.takes_loops(coef):
        _across_loop(coef, np.array(chosen, np.intp), H, out, first)
        return
    into = out[:, first : first + H]
    into[...] = 0
    for k in chosen:
        into += coef[:, k * H : (k + 1) * H] ** 2
    array_namespace(coef).sqrt(into, out=into)


@jit
def _across_loop(coef, chosen, H, out, first):
    for r in range(out.shape[0]):
        row = out[r, first : first + H]
        for j in range(H):
            row[j] = 0
        for k in chosen:
            part = coef[r, k * H : (k + 1) * H]
            for j in range(H):
                row[j] += part[j] * part[j]
        for j in range(H):
            row[j] = np.sqrt(row[j])
