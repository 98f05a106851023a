"""The lag-major engine: errors of *all* losses at one lag, moved one lag further by one product per weight matrix.

A *chain* is a loss and the errors it causes, step after step backwards: chain t*B + b starts at step t of sequence b,
and at lag k stands at step t - k. Chains are independent rows, kept in order of time; their state is, for every layer
from the last one down to the one that is looked at, the errors z at the pre-activations and the carry. At each lag:

    D = Z[recurrent] W_hh  (+ Z of the layer above, same lag, [inward] W_ih)     one GEMM each for all chains
    backward step of the cell, norm, what is left of the whole error, share      one pass over the rows

Chains go block by block, so that their state stays in the cache and memory does not grow with T*B. Blocks go in order
of time: a step then meets its lags in their order.

A row is kept as mantissa and power of two (`exponent`), so that float32 rows neither vanish nor overflow over long
lags; the power of two makes the rescaling exact. All layers of a chain share it. A row that has left its range is
brought back at the next lag (`factor`).

Legend: n = T*B rows of steps, row s*B + b; S columns of d, [dh] or [dh | dc].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from . import paths
from .cells import Cell
from .rows import advance, advance_and_record, advance_plain, advance_plain_lags, is_plain, record, settle

BLOCK_BYTES = 4 << 20  # of the chains' state that is worked on at a time
FEW = 2**18  # multiply-adds per product up to which OpenBLAS keeps to one thread and calls cost more than work
LOG_CHECK, LOG_FROM = (
    8,
    400,
)  # lags (even) between looks at the exponents; from which power of two on logarithms are kept


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


def follow(links: list[Link], seeds: Any, chains: Any, kept: Record, whole: Any) -> None:
    """Follow the chains through all lags of `kept`, from the last layer (`links[0]`) to the one that is looked at.

    seeds: (n, H) errors at h of the last layer that each loss causes at its own step; chains: (c,) the losses to
    follow, ascending; whole (T, B): |w * rest| as it is given.
    """
    link = links[0]
    H = link.W.shape[1]
    width = sum(link.cell.blocks + link.cell.states + 1 for link in links) * H
    per_block = max(BLOCK_BYTES // (width * seeds.dtype.itemsize), 64)
    if not paths.takes_loops(seeds):
        per_block = len(chains)
    plain = len(links) == 1 and kept.M is None and is_plain(link.cell, link.coef, kept) and not kept.units.size
    block = _follow_plain if plain and paths.takes_loops(seeds) else _follow_block
    for start in range(0, len(chains), max(per_block, 1)):
        block(links, seeds, chains[start : start + per_block], kept)
    fill_gaps(kept, chains, whole)


def _follow_plain(links: list[Link], seeds: Any, chains: Any, kept: Record) -> None:
    """`_follow_block` for one layer of plain cells, in two arrays that take turns."""
    link, R = links[0], len(chains)
    K, B = kept.norm.shape[1:]
    d = np.array(seeds[_window(chains)])  # out of the last product; then the errors of the lag
    z = np.empty_like(d)  # errors of the lag before
    factor, exponent = np.ones(R), np.zeros(R, np.int32)
    few = d.size * d.shape[1] <= FEW
    starts = np.searchsorted(chains, np.arange(0 if few else K) * B)  # chains that began before step k have ended
    for k in range(0, K, LOG_CHECK):
        if k and not len(kept.log):
            _keep_logs_if_needed(kept, exponent)
        stop = min(k + LOG_CHECK, K)
        if few:
            advance_plain_lags(k, stop, chains, d, z, link.W, link.coef, (factor, exponent), kept)
            continue
        for lag in range(k, stop):
            a = int(starts[lag])
            if a == R:
                return
            if lag:
                np.matmul(z[a:], link.W, out=d[a:])
            advance_plain(lag, chains[a:] - lag * B, d[a:], link.coef, (factor[a:], exponent[a:]), kept)
            d, z = z, d


def _follow_block(links: list[Link], seeds: Any, chains: Any, kept: Record) -> None:
    xp = array_namespace(seeds)
    K, B = kept.norm.shape[1:]
    R, H, dtype = len(chains), links[0].W.shape[1], seeds.dtype
    S = links[0].cell.states * H
    z = [xp.empty((R, link.cell.blocks * H), dtype) for link in links]
    carry = [xp.zeros((R, H if link.cell.code > 1 else 0), dtype) for link in links]
    d, above = xp.empty((R, S), dtype), xp.empty((R if len(links) > 1 else 0, H), dtype)
    exponent, factor, biggest = xp.zeros(R, np.int32), xp.ones(R), xp.zeros(R)
    starts = np.searchsorted(_host(chains), np.arange(K) * B)  # chains that began before step k have ended
    for k in range(K):
        a = int(starts[k])
        if a == R:
            break
        if k % LOG_CHECK == LOG_CHECK - 1 and not len(kept.log):
            _keep_logs_if_needed(kept, exponent[a:])
        rows = chains[a:] - k * B
        for i, link in enumerate(links):
            _incoming(k, i, link, z, seeds, chains, a, d)
            if i:
                first, last = link.cell.inward[0] * H, link.cell.inward[1] * H
                xp.matmul(z[i - 1][a:, first:last], link.down, out=above[a:])
            moved = (link.cell, rows, d[a:], above[a:] if i else above[:0], carry[i][a:], link.coef, z[i][a:])
            scales = (factor[a:], biggest[a:], exponent[a:])
            if i + 1 < len(links):
                advance(*moved, *scales, i == 0)
            elif kept.M is None:
                advance_and_record(*moved, *scales, i == 0, k, kept)
            else:
                advance(*moved, *scales, i == 0)
                first, last = link.cell.inward[0] * H, link.cell.inward[1] * H
                record(rows, z[i][a:, first:last] @ kept.M, exponent[a:], k, kept)
                settle(*scales)


def _incoming(k: int, i: int, link: Link, z: list[Any], seeds: Any, chains: Any, a: int, d: Any) -> None:
    """The error at h as it comes from the step after: at lag 0, from the loss."""
    H = link.W.shape[1]
    if k:
        first, last = link.cell.recurrent[0] * H, link.cell.recurrent[1] * H
        array_namespace(d).matmul(z[i][a:, first:last], link.W, out=d[a:, :H])
    elif i == 0:
        d[:, :H] = seeds[_window(chains)]
    else:
        d[:, :H] = 0


def fill_gaps(kept: Record, chains: Any, whole: Any) -> None:
    """Where a chain was not followed, a step's remainder is what it was a lag before; whole (T, B): at first."""
    T, K, B = kept.remainder.shape
    if len(chains) == T * B:
        return
    xp = array_namespace(kept.norm)
    absent = xp.ones(T * B, bool)
    absent[chains] = False
    absent = absent.reshape(T, B)
    for k in range(min(K, T - 1)):
        before = kept.remainder[: T - k - 1, k - 1] if k else whole[: T - 1]
        kept.remainder[: T - k - 1, k] = xp.where(absent[k : T - 1], before, kept.remainder[: T - k - 1, k])


def _window(chains: Any) -> Any:
    """The chains as a slice where they lie side by side."""
    first, last = int(chains[0]), int(chains[-1])
    return slice(first, last + 1) if last - first + 1 == len(chains) else chains


def _keep_logs_if_needed(kept: Record, exponent: Any) -> None:
    if int(abs(exponent).max()) < LOG_FROM:
        return
    with np.errstate(divide="ignore"):
        kept.log = array_namespace(exponent).log(kept.norm)


def _host(chains: Any) -> Any:
    return chains if isinstance(chains, np.ndarray) else chains.get()
