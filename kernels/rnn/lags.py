"""The lag-major engine: errors of *all* losses at one lag, moved one lag further by one product per weight matrix.

A *chain* is a loss and the errors it causes, step after step backwards: chain t*B + b starts at step t of sequence b,
and at lag k stands at step t - k. Chains are independent rows, kept in order of time; their state is, for every layer
from the last one down to the one that is looked at, the errors z at the pre-activations and the carry. At each lag:

    D = Z[recurrent] W_hh  (+ Z of the layer above, same lag, [inward] W_ih)     one GEMM each for all chains
    backward step of the cell, norm, what is left of the whole error, share      one pass over the rows

Chains go block by block, so that their state stays in the cache and memory does not grow with T*B. Blocks go in order
of time: a step then meets its lags in their order. Where BLAS does not pack small matrices (`products.py`) a dozen
chains of a block go through several lags before the next dozen, in one compiled loop.

A row is kept as mantissa and power of two (`exponent`), so that float32 rows neither vanish nor overflow over long
lags; the power of two makes the rescaling exact. All layers of a chain share it. A row that has left its range is
brought back at the next lag (`factor`).

With a tolerance (`tolerance.py`) chains that no longer matter leave their block, which shrinks.

Legend: n = T*B rows of steps, row s*B + b; S columns of d, [dh] or [dh | dc].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..one_thread import blas_threads
from . import paths
from .cells import Cell
from .products import BEST, MOST, narrow, packs, panels
from .rows import (
    advance,
    advance_and_record,
    advance_lags,
    advance_plain,
    advance_plain_lags,
    is_plain,
    record,
    settle,
)  # fmt: skip
from .tolerance import Chains, Tolerance, fill_gaps, followed_through

BLOCK_BYTES = 4 << 20  # of the chains' state that is worked on at a time
FEW = 2**18  # multiply-adds per product up to which OpenBLAS keeps to one thread
LOG_CHECK = 8  # lags (even) between looks at the exponents
LOG_FROM = 400  # power of two from which on logarithms are kept


@dataclass
class Link:
    """One layer of the chains' state."""

    cell: Cell
    W: Any  # (G*H, H) weight_hh in the order of the recurrent blocks
    down: Any  # (G*H, H) weight_ih of the layer above, the columns that this strand feeds; None for the last layer
    coef: Any  # (n, coefs * H)


@dataclass
class Record:
    """What is written down about the chains as they pass."""

    M: Any  # what z[inward] is multiplied with to give the row that is measured, or None: the row is d itself
    w: Any  # (n, S) the row is measured as |w * row|; no rows: |row|
    rest: Any  # (n, S) in: errors of all losses together; out: what the lags do not explain
    power: Any  # (n,) int32: the true value of a row of `rest` is rest * 2**power
    q: Any  # (n, S) what a row is multiplied with to give its share; no rows: no shares
    norm: Any  # (T, columns, B) float64, out: |w * row|, at most the largest float64; a column per lag
    remainder: Any  # (T, K, B) float64, out: |w * rest| after this lag; exactly 0 where no later loss exists
    share: Any  # (T, K, B) float64, out: <row, q>; empty without shares
    units: Any  # (T, K, B, H) out: |w * row| per hidden unit; empty unless asked for
    unit_share: Any  # the same of shares
    log: Any  # (T, K, B) float64, out: log |w * row|; empty as long as exponents are small
    followed: Any = None  # (T, B) int, out: through how many lags each loss was followed; None: through all
    watch: Any = None  # called with every lag's column, rows, d, and the power of two of each row
    incomplete: Any = None  # (T, B) bool, out: steps that miss the row of a loss that was dropped; None: there are none


def new_record(
    xp: Any, shape: tuple[int, int, int], rest: Any, w: Any, q: Any, power: Any, *, M: Any = None, units: int = 0,
    two_sided: bool = False,
) -> Record:  # fmt: skip
    """A record of shape (T, K, B) with its outputs at 0; `units`: hidden units to tell apart."""
    T, K, B = shape
    columns, none, shares = 2 * K - 1 if two_sided else K, (0, 0, 0), len(q) > 0
    each = (T, columns, B, units) if units else (0, 0, 0, 0)
    return Record(
        M, w, rest, xp.zeros(T * B, np.int32) if power is None else power, q,
        xp.zeros((T, columns, B)), xp.zeros(shape), xp.zeros((T, columns, B) if shares else none),
        xp.zeros(each, rest.dtype), xp.zeros(each if shares else (0, 0, 0, 0), rest.dtype), xp.zeros(none),
    )  # fmt: skip


def follow(links: list[Link], seeds: Any, losses: Any, kept: Record, whole: Any, tol: float | None = None) -> None:
    """Follow the chains through all lags of `kept`, from the last layer (`links[0]`) to the one that is looked at.

    seeds: (n, H) errors at h of the last layer that each loss causes at its own step; losses: (c,) those to follow,
    ascending; whole (T, B): |w * rest| as it is given; tol: as of `itemize`.
    """
    link = links[0]
    H = link.W.shape[1]
    width = sum(link.cell.blocks + link.cell.states + 1 for link in links) * H
    size = max(BLOCK_BYTES // (width * seeds.dtype.itemsize), 64)
    if not paths.takes_loops(seeds) or kept.watch is not None:
        size = len(losses)
    alone = _is_alone(links, kept)
    block = _follow_plain if alone and is_plain(link.cell, link.coef, kept) else _follow_block
    few = _few(link, min(size, len(losses))) if alone else None
    tolerance = None if tol is None else Tolerance(tol, kept, whole, losses)
    for start in range(0, len(losses), max(size, 1)):
        part = losses[start : start + size]
        block(links, _fresh(links, seeds, part), kept, 0, kept.norm.shape[1], tolerance, few)
    if tolerance is not None:
        for chains, k, stop in tolerance.failing():
            tolerance.going = block(links, chains, kept, k, stop, tolerance, few)
        tolerance.finish()
    elif len(losses) < whole.size:
        fill_gaps(kept, followed_through(kept, losses), whole)


def _is_alone(links: list[Link], kept: Record) -> bool:
    """Whether compiled loops do it all: there is one layer, and only norms and shares are asked for."""
    simple = len(links) == 1 and kept.M is None and not kept.units.size and kept.watch is None
    return simple and paths.takes_loops(kept.rest)


def _fresh(links: list[Link], seeds: Any, losses: Any) -> Chains:
    """Chains that have not set out: z of the last layer holds the errors at its h."""
    xp = array_namespace(seeds)
    R, H, dtype = len(losses), links[0].W.shape[1], seeds.dtype
    z = [seeds[_window(losses)]] + [xp.zeros((R, 0), dtype) for _ in links[1:]]
    carry = [xp.zeros((R, H if link.cell.code > 1 else 0), dtype) for link in links]
    return Chains(losses, z, carry, xp.ones(R), xp.zeros(R, np.int32))


def _follow_plain(
    links: list[Link],
    chains: Chains,
    kept: Record,
    k: int,
    last: int,
    tolerance: Tolerance | None,
    few: tuple[int, Any] | None,
) -> Chains | None:
    """`_follow_block` for one layer of plain cells, in two arrays that take turns."""
    link, B = links[0], kept.norm.shape[2]
    z = chains.z[0]  # errors of the lag before
    d = np.empty_like(z) if k else np.array(z)  # out of the last product; then the errors of the lag
    z = z if k else np.empty_like(d)
    look = last if tolerance is None else tolerance.next_look(k, True)
    while k < last:
        a = chains.ended(k, B)
        if a == len(chains.losses):
            return None
        if k and not len(kept.log):
            _keep_logs_if_needed(kept, chains.exponent[a:])
        stop = min(k + LOG_CHECK, look, last)
        if few is not None:
            scales = (chains.factor, chains.exponent)
            advance_plain_lags(k, stop, chains.losses, few, d, z, link.W, link.coef, scales, kept)
            d, z = (z, d) if (stop - k) % 2 else (d, z)
        else:
            starts = np.searchsorted(chains.losses, np.arange(k, stop) * B)
            for lag in range(k, stop):
                a = int(starts[lag - k])
                if lag:
                    np.matmul(z[a:], link.W, out=d[a:])
                scales = (chains.factor[a:], chains.exponent[a:])
                advance_plain(lag, chains.losses[a:] - lag * B, d[a:], link.coef, scales, kept)
                d, z = z, d
        k = stop
        chains.z = [z]
        if tolerance is not None and k == look < last:
            going = tolerance.drop(k, chains)
            look = tolerance.next_look(k, going is not chains)
            if going is not chains:
                chains, z = going, going.z[0]
                d = d[: len(z)]
    return chains


def _follow_block(
    links: list[Link],
    chains: Chains,
    kept: Record,
    k: int,
    last: int,
    tolerance: Tolerance | None,
    few: tuple[int, Any] | None,
) -> Chains | None:
    """Chains at lag k through the lags before `last`; those that are left then, if any."""
    xp = array_namespace(kept.norm)
    B = kept.norm.shape[2]
    R, H, dtype = len(chains.losses), links[0].W.shape[1], kept.rest.dtype
    seeds = chains.z[0]
    if k == 0:
        chains.z = [xp.empty((R, link.cell.blocks * H), dtype) for link in links]
    d, above = xp.empty((R, links[0].cell.states * H), dtype), xp.empty((R if len(links) > 1 else 0, H), dtype)
    biggest = xp.zeros(R)
    if few is not None and k == 0:
        d[:, :H] = seeds
    look = last if tolerance is None else tolerance.next_look(k, True)
    while k < last:
        a = chains.ended(k, B)
        if a == len(chains.losses):
            return None
        if k and k % LOG_CHECK == 0 and not len(kept.log):
            _keep_logs_if_needed(kept, chains.exponent[a:])
        if few is not None:
            stop = min(k + LOG_CHECK - k % LOG_CHECK, look, last)
            scales = (chains.factor, chains.exponent)
            link, z, carry = links[0], chains.z[0], chains.carry[0]
            advance_lags(link.cell, k, stop, chains.losses, few, link.W, d, z, carry, link.coef, scales, kept)
            k = stop
        else:
            _one_lag(links, chains, seeds, kept, k, a, d, above, biggest)
            k += 1
        if tolerance is not None and k == look < last:
            going = tolerance.drop(k, chains)
            look = tolerance.next_look(k, going is not chains)
            if going is not chains:
                chains = going
                d, above, biggest = (part[: len(chains.losses)] for part in (d, above, biggest))
    return chains


def _one_lag(
    links: list[Link], chains: Chains, seeds: Any, kept: Record, k: int, a: int, d: Any, above: Any, biggest: Any
) -> None:
    """All layers of the chains from number `a` on one step back, and what is written down of it."""
    xp, H = array_namespace(d), links[0].W.shape[1]
    z, rows = chains.z, chains.losses[a:] - k * kept.norm.shape[2]
    scales = (chains.factor[a:], biggest[a:], chains.exponent[a:])
    for i, link in enumerate(links):
        _incoming(k, i, link, z[i][a:], seeds[a:], d[a:])
        if i:
            first, last = link.cell.inward[0] * H, link.cell.inward[1] * H
            xp.matmul(z[i - 1][a:, first:last], link.down, out=above[a:])
        moved = (link.cell, rows, d[a:], above[a:] if i else above[:0], chains.carry[i][a:], link.coef, z[i][a:])
        if i + 1 < len(links):
            advance(*moved, *scales, i == 0)
        elif kept.M is None:
            advance_and_record(*moved, *scales, i == 0, k, kept)
            if kept.watch is not None:
                kept.watch(k, rows, d[a:], scales[2] + xp.frexp(scales[0])[1] - 1)
        else:
            advance(*moved, *scales, i == 0)
            first, last = link.cell.inward[0] * H, link.cell.inward[1] * H
            record(rows, z[i][a:, first:last] @ kept.M, chains.exponent[a:], k, kept)
            settle(*scales)


def _incoming(k: int, i: int, link: Link, z: Any, seeds: Any, d: Any) -> None:
    """The error at h as it comes from the step after: at lag 0, from the loss."""
    H = link.W.shape[1]
    if k:
        first, last = link.cell.recurrent[0] * H, link.cell.recurrent[1] * H
        array_namespace(d).matmul(z[:, first:last], link.W, out=d[:, :H])
    elif i == 0:
        d[:, :H] = seeds
    else:
        d[:, :H] = 0


def _few(link: Link, chains: int) -> tuple[int, Any] | None:
    """How many chains go through several lags together in compiled code, and the panels of W for their products.

    None where each lag is better made for all chains at once: BLAS packs W once for all of them, or shares out the
    product among its threads.
    """
    small = chains * link.W.size <= FEW
    if not small and (packs() or blas_threads() > 1 or narrow(BEST, link.W)):
        return None
    rows = min(max(MOST // link.W.size // BEST, 1) * BEST, max(chains, 1))
    return rows, panels(link.W, rows)


def _window(losses: Any) -> Any:
    """The losses as a slice where they lie side by side."""
    first, last = int(losses[0]), int(losses[-1])
    return slice(first, last + 1) if last - first + 1 == len(losses) else losses


def _keep_logs_if_needed(kept: Record, exponent: Any) -> None:
    if int(abs(exponent).max()) < LOG_FROM:
        return
    with np.errstate(divide="ignore"):
        kept.log = array_namespace(exponent).log(kept.norm)
