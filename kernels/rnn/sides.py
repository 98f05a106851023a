"""Where a loss reaches steps on both sides: below the last layer of a bidirectional net, and at the inputs of any.

The last layer's two directions carry a loss away from its step to both ends, and the layers below back again: errors of
one loss do not stay at one lag, so that lag-major order gains nothing. Losses go side by side instead, as further rows
of an ordinary BPTT over all steps, in tiles whose memory is bounded. All lags are computed; those closer than K are
kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import array_namespace
from .batch import turned
from .lags import Record
from .net import RecurrentNet
from .rows import LARGEST, LN2, weighted_norm
from .scaled import carried_back_scaled
from .unroll import Run

TILE_BYTES = 64 << 20  # of the errors of the losses that go side by side; one loss at least
SUM_BYTES = 256 << 20  # of the sums per distance that `Flow.horizon` needs

Read = Callable[[dict[int, tuple[Any, ...]]], tuple[Any, Any]]


def two_sided(net: RecurrentNet, run: Run, index: int) -> bool:
    """Whether losses reach the steps of a strand from both sides."""
    return net.bidirectional and index < len(net.strands) - 2 and not run.end


def both_sides(
    net: RecurrentNet, run: Run, own: list[Any], kept: Record, down_to: int, read: Read, reverse: bool
) -> bool:
    """Fill the record, whose columns are the lags -(K-1)..K-1, in the time that `read` gives rows in.

    read: from errors per strand (`carried_back_scaled`) to rows (T, B, m, S) that are measured, and their powers;
    reverse: that is the backward direction's own time. Returns whether `kept.remainder` holds all distances, and not
    the last alone.
    """
    xp = array_namespace(net.flat)
    T, K, B = kept.remainder.shape
    S = kept.rest.shape[1]
    step = xp.broadcast_to(xp.arange(T)[:, None], (T, B))
    place = turned(step, run.length)  # of every step in the backward direction's own time
    places = [step, place]
    count = K if K * T * B * S * kept.rest.dtype.itemsize <= SUM_BYTES else 1
    sums = xp.zeros((count, T, B, S), kept.rest.dtype)
    kept.log = xp.full(kept.norm.shape, -np.inf)
    for first in range(0, T, losses_per_tile(net, T, B)):
        losses = xp.arange(first, min(first + losses_per_tile(net, T, B), T))
        seeds = [spread(part, where[losses]) for part, where in zip(own, places, strict=False)]
        rows, power = read(carried_back_scaled(net, run, seeds, down_to))
        loss_at = places[1 if reverse else 0][losses]  # (m, B)
        for i in range(len(losses)):
            _write(xp, rows[:, :, i], power[:, :, i], loss_at[i] - step, kept, sums)
    _subtract(xp, sums, kept)
    return count == K


def losses_per_tile(net: RecurrentNet, T: int, B: int) -> int:
    blocks = (net.cell.blocks + net.cell.states + 2) * 2 * net.hidden
    return max(TILE_BYTES // (T * B * blocks * net.dtype.itemsize), 1)


def spread(own: Any, where: Any) -> Any:
    """(T, B, m, H) from (T, B, H): the m losses at the steps `where` (m, B) apart, everything else 0."""
    xp = array_namespace(own)
    T, B, H = own.shape
    out = xp.zeros((T, B, len(where), H), own.dtype)
    b, i = xp.arange(B), xp.arange(len(where))[:, None]
    out[where, b, i] = own[where, b]
    return out


def _write(xp: Any, d: Any, power: Any, lag: Any, kept: Record, sums: Any) -> None:
    """One loss per sequence: rows d (T, B, S) times 2**power, at the lags (T, B)."""
    _, K, B = kept.remainder.shape
    s, b = xp.nonzero(abs(lag) < K)
    r, column, d, power = s * B + b, lag[s, b] + K - 1, d[s, b], power[s, b]
    w = kept.w[r] if len(kept.w) else None
    measured = (d if w is None else d * w).astype(np.float64)
    squares = (measured * measured).sum(axis=1)
    with np.errstate(over="ignore", divide="ignore"):
        kept.norm[s, column, b] = xp.minimum(xp.ldexp(xp.sqrt(squares), power), LARGEST)
        kept.log[s, column, b] = 0.5 * xp.log(squares) + power * LN2
    if len(kept.q):
        product = d * kept.q[r]
        kept.share[s, column, b] = xp.ldexp(product.sum(axis=1).astype(np.float64), power)
    if kept.units.size:
        H = kept.units.shape[3]
        folded = (measured * measured).reshape(len(d), -1, H).sum(axis=1)
        kept.units[s, column, b] = xp.ldexp(xp.sqrt(folded), power[:, None])
        if len(kept.q):
            kept.unit_share[s, column, b] = xp.ldexp(product.reshape(len(d), -1, H).sum(axis=1), power[:, None])
    if kept.watch is not None:
        for each in xp.unique(column).tolist():
            of = column == each
            kept.watch(each, r[of], d[of], power[of])
    distance = abs(lag[s, b]) if len(sums) == K else 0
    sums[distance, s, b] += xp.ldexp(d, (power - kept.power[r])[:, None])


def _subtract(xp: Any, sums: Any, kept: Record) -> None:
    """What the lags closer and closer to all leave of each step's whole error."""
    T, K, B = kept.remainder.shape
    step = xp.arange(T)
    for k in range(len(sums)):
        kept.rest -= sums[k].reshape(kept.rest.shape)
        m = k if len(sums) == K else K - 1
        with np.errstate(over="ignore"):
            left = xp.minimum(xp.ldexp(weighted_norm(kept.rest, kept.w), kept.power), LARGEST).reshape(T, B)
        left[(step + m + 1 >= T) & (step - m - 1 < 0)] = 0  # no loss lies farther away: that is rounding
        kept.remainder[:, m] = left
