"""Passes over the rows of a lag: the backward step, norm, rest and share of every chain (see `lags.py`).

Each pass has three forms: a compiled loop for NumPy (`row_loops.py`), a CUDA kernel for CuPy (`rows_cuda.py`), and
whole-array operations for both, the witness. For NumPy there are also loops of a single layer over plain cells, and
over several lags.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace
from . import paths, rows_cuda
from .row_loops import (
    HUGE,
    LARGEST,
    LN2,
    TINY,
    advance_loop,
    fused_loop,
    lags_loop,
    plain_lags_loop,
    plain_loop,
    record_loop,
    scale_loop,
    settle_loop,
    units_loop,
    weighted_norm_loop,
)  # fmt: skip


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
        advance_loop(cell.code, rows, d, above, carry, coef, z, factor, biggest, first)
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
        fused_loop(
            cell.code, rows, d, above, carry, coef, z, factor, biggest, exponent, first, k,
            kept.w, kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
        )  # fmt: skip
        if kept.units.size:
            units_loop(rows, d, exponent, k, kept.w, kept.q, kept.units, kept.unit_share, _settled(factor))
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
    plain_loop(
        k, rows, d, coef, *scales,
        kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
    )  # fmt: skip


def advance_lags(
    cell: Any, k: int, stop: int, chains: Any, few: tuple[int, Any], W: Any, d: Any, z: Any, carry: Any, coef: Any,
    scales: tuple[Any, Any], kept: Any,
) -> None:  # fmt: skip
    """`advance_and_record` for the lags k to stop - 1 of one layer and the products between them, compiled.

    few: how many chains go through all these lags before the next, so few that they stay in the nearest cache, and W's
    `products.panels` for them. scales: factor and exponent. At lag 0 the seeds stand in d.
    """
    together, cut = few
    lags_loop(
        cell.code, k, stop, chains, together, cell.recurrent[0] * W.shape[1], W, cut, d, z, carry, coef, *scales,
        kept.w, kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
    )  # fmt: skip


def advance_plain_lags(
    k: int, stop: int, chains: Any, few: tuple[int, Any], d: Any, z: Any, W: Any, coef: Any, scales: tuple[Any, Any],
    kept: Any,
) -> None:  # fmt: skip
    """`advance_plain` for the lags k to stop - 1 and the products between them, as `advance_lags`.

    The errors of the lag before stand in z; where stop - k is even, those of the last one do again.
    """
    together, cut = few
    plain_lags_loop(
        k, stop, chains, together, d, z, W, cut, coef, *scales,
        kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
    )  # fmt: skip


def record(rows: Any, d: Any, exponent: Any, k: int, kept: Any) -> None:
    """Write down norm, rest and share of the rows d at lag k; the true value of a row is d * 2**exponent."""
    if paths.takes_loops(d):
        record_loop(
            rows, d, exponent, k,
            kept.w, kept.rest, kept.power, kept.q, kept.norm, kept.remainder, kept.share, kept.log,
        )  # fmt: skip
    else:
        record_arrays(rows, d, exponent, k, kept)


def settle(factor: Any, biggest: Any, exponent: Any) -> None:
    """Choose by which power of two each chain is rescaled at the next lag."""
    (settle_loop if paths.takes_loops(factor) else settle_arrays)(factor, biggest, exponent)


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


def scale_norms(norm: Any, u: Any) -> None:
    """norm (T, columns, B) *= u (T, B), in place."""
    if paths.takes_loops(norm):
        scale_loop(norm, u)
    else:
        norm *= u[:, None, :]


def weighted_norm(a: Any, w: Any) -> Any:
    """(n,) float64: |w * row| of the rows of a (n, S); w (n, S), or no rows: |row|."""
    xp = array_namespace(a)
    if not paths.takes_loops(a):
        return xp.sqrt(_squares(xp, a * w if len(w) else a))
    norm = np.empty(len(a))
    weighted_norm_loop(a, w, norm)
    return norm
