"""Itemized gradients of a whole net in one pass: of every strand (layer and direction), parameter, gate and unit.

All four parameters of a strand move by the same errors e_{t->s} at its pre-activations, each times what it is
multiplied with at step s: h of the step before, the input u, or 1. So the norms of the errors, block by block, and |h|
and |u| of every step hold the norms of all parameters and gates. Shares do not factor so: they are kept per parameter
and block.

Blocks are those of the cell's errors (`cells.py`): gates, but for a GRU, whose candidate has one on each side of the
reset gate. Legend: n = T*B rows of steps, row s*B + b; C columns, one per lag; Z = blocks * H.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import array_namespace, as_numpy
from ..jit import jit
from . import paths
from .batch import turned
from .cells import Cell
from .flow import chains_of, links
from .lags import BLOCK_BYTES, Link
from .net import RecurrentNet
from .rows import advance, settle, weighted_norm
from .scaled import carried_back_scaled
from .sides import losses_per_tile, spread, two_sided
from .strand import Strand
from .target import lags_of
from .unroll import Errors, Run

FEWEST = 64  # chains that are followed together at least


@dataclass
class Inside:
    """One strand's itemized gradients: T steps, C lags, B sequences; steps in the order of the sequence."""

    lags: np.ndarray  # (C,)
    norm: Any  # (blocks, T, C, B) float64: |e| of each block of errors
    beyond: Any  # (blocks, T, B) of the sum of what is not kept; exactly 0 where nothing lies beyond
    reach: Any  # (2, T, B) float64: |h| of the step before and |u|, what weight_hh and weight_ih are multiplied with
    share: Any  # (3, blocks, T, C, B) float64: <its part of the cell's gradient, G>, of weight_hh, weight_ih and bias
    share_beyond: Any  # (3, blocks, T, B)
    unit_norm: Any  # (3, blocks, H): root of the sum of squares over the kept cells of each unit's rows
    unit_share: Any  # (3, blocks, H): their shares' sum


@dataclass
class _Tally:
    """What is added up for one strand as errors pass, in its own time."""

    q: Any  # (2, n, Z) G h and G u: what errors are multiplied with to give the shares of weight_hh and weight_ih
    q_bias: Any  # (Z,)
    reach: Any  # (2, n) float64
    rest: Any  # (n, Z) in: errors of all losses together; out: what the lags do not explain
    norm: Any  # (n, C, blocks) float64
    share: Any  # (n, C, 3, blocks) float64
    unit_squares: Any  # (3, Z) float64
    unit_share: Any  # (3, Z) float64


@dataclass
class Entering:
    """Errors that enter a net elsewhere than at h of the last layer: by index of the strand, in its own time."""

    h: dict[int, Any] = field(default_factory=dict)  # (T, B, H) each
    c: dict[int, Any] = field(default_factory=dict)  # (T, B, H) at the cell states of an LSTM

    def __bool__(self) -> bool:
        return bool(self.h or self.c)


def itemize_inside(
    net: RecurrentNet,
    run: Run,
    own: list[Any],
    total: Errors,
    K: int,
    grads: dict[str, Any],
    entering: Entering | None = None,
) -> list[Inside]:
    """Every strand of a run whose errors and gradients are known, in the order of `net.strands`.

    Works in the arrays `total.z`: they are overwritten. Where further errors enter below the last layer of a
    bidirectional net, they are not followed.
    """
    entering = entering or Entering()
    tallies = [_new_tally(net, run, i, total.z[i], K, grads) for i in range(len(net.strands))]
    last = len(net.strands) - net.directions
    if net.bidirectional:
        for i in (last, last + 1):
            _follow(net, run, [i], own[i - last], entering, tallies, K)
        if net.layers > 1:
            _both_sides(net, run, own, tallies[:last], K)
    else:
        _follow(net, run, list(range(last, -1, -1)), own[0], entering, tallies, K)
    return [_finished(net, run, i, tally, K) for i, tally in enumerate(tallies)]


def _new_tally(net: RecurrentNet, run: Run, index: int, z: Any, K: int, grads: dict[str, Any]) -> _Tally:
    xp, strand = array_namespace(z), run.strands[index]
    n, Z, blocks = z.shape[0] * z.shape[1], z.shape[2], net.cell.blocks
    columns = 2 * K - 1 if two_sided(net, run, index) else K
    q, q_bias = _share_rows(net, strand, grads)
    h = strand.h[:-1].reshape(n, -1)
    reach = xp.ones((2, n))
    reach[0] = weighted_norm(h, h[:0])
    if strand.u.ndim == 3:
        u = xp.ascontiguousarray(strand.u).reshape(n, -1)
        reach[1] = weighted_norm(u, u[:0])
    sums = (xp.zeros((3, Z)), xp.zeros((3, Z)))
    return _Tally(
        q, q_bias, reach, z.reshape(n, Z), xp.zeros((n, columns, blocks)), xp.zeros((n, columns, 3, blocks)), *sums
    )


def _share_rows(net: RecurrentNet, strand: Strand, grads: dict[str, Any]) -> tuple[Any, Any]:
    """q of `_Tally`: <e u', G> = e . G u, with G in the order of the blocks."""
    xp, cell = array_namespace(net.flat), net.cell
    n = len(strand.coef_rows)
    hh = _in_blocks(cell, grads[f"weight_hh_{strand.name}"], cell.recurrent[0], cell.order)
    ih = _in_blocks(cell, grads[f"weight_ih_{strand.name}"], cell.inward[0], tuple(range(cell.gates)))
    q = xp.empty((2, n, len(hh)), net.dtype)
    xp.matmul(strand.h[:-1].reshape(n, -1), hh.T, out=q[0])
    if strand.u.ndim == 2:
        q[1] = xp.ascontiguousarray(ih.T)[strand.u.reshape(-1)]
    else:
        xp.matmul(strand.u.reshape(n, -1), ih.T, out=q[1])
    q_bias = _in_blocks(cell, grads[f"bias_hh_{strand.name}"], cell.recurrent[0], cell.order)
    inward = slice(cell.inward[0] * net.hidden, cell.inward[1] * net.hidden)
    q_bias[inward] = grads[f"bias_ih_{strand.name}"]
    return q, q_bias


def _in_blocks(cell: Cell, G: Any, first: int, gates: tuple[int, ...]) -> Any:
    """(Z, ...): a gradient's gates in the places of their blocks of errors, 0 in blocks that do not belong to it."""
    H = len(G) // cell.gates
    out = array_namespace(G).zeros((cell.blocks * H, *G.shape[1:]), G.dtype)
    for place, gate in enumerate(gates, start=first):
        out[place * H : (place + 1) * H] = G[gate * H : (gate + 1) * H]
    return out


def _follow(
    net: RecurrentNet, run: Run, indices: list[int], own: Any, entering: Entering, tallies: list[_Tally], K: int
) -> None:
    """Follow all losses through the strands `indices`, from the last layer down, lag by lag (see `lags.py`)."""
    T, B, H = own.shape
    entries: list[tuple[Any, Any]] = [(entering.h.get(i), entering.c.get(i)) for i in indices]
    entries[0] = (own if entries[0][0] is None else own + entries[0][0], entries[0][1])
    seeds = [tuple(None if part is None else part.reshape(T * B, H) for part in both) for both in entries]
    chain = links(net, run, indices)
    chains = chains_of(run, run.strands[indices[0]].reverse)
    width = sum(link.cell.blocks + link.cell.states + 1 for link in chain) * H
    per_block = max(BLOCK_BYTES // (width * own.dtype.itemsize), FEWEST)
    if not paths.takes_loops(own):
        per_block = max(len(chains), 1)
    for start in range(0, len(chains), per_block):
        _follow_block(chain, seeds, chains[start : start + per_block], [tallies[i] for i in indices], K, B)


def _follow_block(
    chain: list[Link], seeds: list[tuple[Any, ...]], chains: Any, tallies: list[_Tally], K: int, B: int
) -> None:
    xp, cell = array_namespace(chains), chain[0].cell
    R, H, dtype = len(chains), chain[0].W.shape[1], chain[0].W.dtype
    z = [xp.empty((R, cell.blocks * H), dtype) for _ in chain]
    carry = [xp.zeros((R, H if cell.code > 1 else 0), dtype) for _ in chain]
    d, above = xp.empty((R, cell.states * H), dtype), xp.empty((R if len(chain) > 1 else 0, H), dtype)
    exponent, factor, biggest = xp.zeros(R, np.int32), xp.ones(R), xp.zeros(R)
    recurrent, inward = (slice(a * H, b * H) for a, b in (cell.recurrent, cell.inward))
    starts = np.searchsorted(as_numpy(chains), np.arange(K) * B)  # chains that began before step k have ended
    for k, a in enumerate(starts.tolist()):
        if a == R:
            break
        rows = chains[a:] - k * B
        for i, link in enumerate(chain):
            if k:
                xp.matmul(z[i][a:, recurrent], link.W, out=d[a:, :H])
            else:
                d[:, :H] = 0 if seeds[i][0] is None else seeds[i][0][chains]
                if seeds[i][1] is not None:
                    carry[i][...] = seeds[i][1][chains]
            if i:
                xp.matmul(z[i - 1][a:, inward], link.down, out=above[a:])
            scales = (factor[a:], biggest[a:], exponent[a:])
            down = above[a:] if i else above[:0]
            advance(cell, rows, d[a:], down, carry[i][a:], link.coef, z[i][a:], *scales, i == 0)
            _add(tallies[i], rows, xp.full(len(rows), k), z[i][a:], exponent[a:])
        settle(factor[a:], biggest[a:], exponent[a:])


def _both_sides(net: RecurrentNet, run: Run, own: list[Any], tallies: list[_Tally], K: int) -> None:
    """The layers below the last one of a bidirectional net: losses side by side (see `sides.py`)."""
    xp = array_namespace(net.flat)
    T, B = run.loss.shape
    step = xp.broadcast_to(xp.arange(T)[:, None], (T, B))
    places = [step, turned(step, run.length)]  # of every step in each direction's own time
    tile = losses_per_tile(net, T, B)
    for first in range(0, T, tile):
        losses = xp.arange(first, min(first + tile, T))
        seeds = [spread(part, where[losses]) for part, where in zip(own, places, strict=True)]
        found = carried_back_scaled(net, run, seeds, 0)
        for index, tally in enumerate(tallies):
            _, z, power = found[index]
            for i, at in enumerate(places[index % 2][losses]):
                lag = at - step
                s, b = xp.nonzero(abs(lag) < K)
                _add(tally, s * B + b, lag[s, b] + K - 1, z[s, b, i], power[s, b, i])


def _add(tally: _Tally, rows: Any, columns: Any, z: Any, exponent: Any) -> None:
    """Add errors z (c, Z), times 2**exponent, at the rows and columns (c,) to a tally."""
    if not paths.takes_loops(z):
        _add_arrays(tally, rows, columns, z, exponent)
        return
    _add_loop(
        rows, columns, z, exponent, tally.q, tally.q_bias, tally.reach, tally.rest,
        tally.norm, tally.share, tally.unit_squares, tally.unit_share,
    )  # fmt: skip


def _add_arrays(tally: _Tally, rows: Any, columns: Any, z: Any, exponent: Any) -> None:
    """`_add` in whole-array operations."""
    xp = array_namespace(z)
    blocks = tally.norm.shape[2]
    wide = xp.ldexp(z.astype(np.float64), exponent[:, None])
    tally.rest[rows] -= wide.astype(z.dtype)
    squares = wide * wide
    tally.norm[rows, columns] = xp.sqrt(squares.reshape(len(z), blocks, -1).sum(axis=2))
    ones = xp.ones(len(z))
    for kind, q in enumerate((tally.q[0][rows], tally.q[1][rows], tally.q_bias)):
        product = wide * q
        tally.share[rows, columns, kind] = product.reshape(len(z), blocks, -1).sum(axis=2)
        tally.unit_share[kind] += product.sum(axis=0)
        reach = tally.reach[kind][rows] if kind < 2 else ones
        tally.unit_squares[kind] += (reach * reach) @ squares


@jit
def _add_loop(
    rows, columns, z, exponent, q, q_bias, reach, rest, norm, share, unit_squares, unit_share
):  # fmt: skip
    blocks = norm.shape[2]
    H = z.shape[1] // blocks
    wide = np.empty(H)
    for i in range(rows.size):
        r, c = rows[i], columns[i]
        scale = math.ldexp(1.0, exponent[i])
        hh, ih = reach[0, r] * reach[0, r], reach[1, r] * reach[1, r]
        for k in range(blocks):
            part = slice(k * H, (k + 1) * H)
            row, left, q_hh, q_ih, q_b = z[i, part], rest[r, part], q[0, r, part], q[1, r, part], q_bias[part]
            squares, at_hh, at_ih, at_b = 0.0, 0.0, 0.0, 0.0
            for j in range(H):
                v = row[j] * scale
                wide[j] = v
                squares += v * v
                at_hh += v * q_hh[j]
                at_ih += v * q_ih[j]
                at_b += v * q_b[j]
            norm[r, c, k] = math.sqrt(squares)
            share[r, c, 0, k], share[r, c, 1, k], share[r, c, 2, k] = at_hh, at_ih, at_b
            squares_hh, squares_ih, squares_b = unit_squares[0, part], unit_squares[1, part], unit_squares[2, part]
            share_hh, share_ih, share_b = unit_share[0, part], unit_share[1, part], unit_share[2, part]
            for j in range(H):
                v = wide[j]
                left[j] -= v
                share_hh[j] += v * q_hh[j]
                share_ih[j] += v * q_ih[j]
                share_b[j] += v * q_b[j]
                v *= v
                squares_hh[j] += hh * v
                squares_ih[j] += ih * v
                squares_b[j] += v


def _finished(net: RecurrentNet, run: Run, index: int, tally: _Tally, K: int) -> Inside:
    """Roots, what lies beyond, and all steps in the order of the sequence."""
    xp, strand = array_namespace(tally.norm), run.strands[index]
    (T, B), blocks, sided = run.loss.shape, tally.norm.shape[2], two_sided(net, run, index)
    rest = tally.rest.reshape(len(tally.rest), blocks, -1).astype(np.float64)
    step = xp.repeat(xp.arange(T), B)
    rest[(step + K >= T) & ((step < K) if sided else True)] = 0  # no loss lies there: what is left is rounding
    beyond = xp.sqrt((rest * rest).sum(axis=2))
    q = [part.reshape(rest.shape) if part.ndim > 1 else part.reshape(blocks, -1) for part in (*tally.q, tally.q_bias)]
    share_beyond = xp.stack([(rest * part).sum(axis=2) for part in q], axis=1)  # (n, 3, blocks)

    def back(a: Any) -> Any:
        a = a.reshape(T, B, *a.shape[1:])
        return turned(a, run.length) if strand.reverse else a

    norm, share = back(tally.norm), back(tally.share)
    if sided and strand.reverse:
        norm, share = norm[:, :, ::-1], share[:, :, ::-1]
    each = (3, blocks, net.hidden)
    return Inside(
        lags_of(f"weight_hh_{strand.name}", net.layers, net.bidirectional, norm.shape[2]),
        norm.transpose(3, 0, 2, 1),
        back(beyond).transpose(2, 0, 1),
        back(tally.reach.T).transpose(2, 0, 1),
        share.transpose(3, 4, 0, 2, 1),
        back(share_beyond).transpose(2, 3, 0, 1),
        xp.sqrt(tally.unit_squares).reshape(each),
        tally.unit_share.reshape(each),
    )
