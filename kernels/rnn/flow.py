"""Which loss moves the weights through which step, and how much.

The gradient of a weight matrix splits into one summand per loss step t and state step s, G_{t,s} = e_{t->s} u_s',
with e_{t->s} the error that loss t causes at the pre-activation of step s and u_s what the matrix was multiplied with
(h_{s-1} for weight_hh). Cashman et al., "RNNbow", VADL 2017. Every summand has rank one: norms and inner products come
from the two vectors, and no H x H matrix per cell is ever formed.

Three ways lead there. Where a loss reaches steps on one side only: the lag-major engine (`lags.py`). Below the last
layer of a bidirectional net, where it reaches both sides: losses side by side (`sides.py`). With one loss per sequence
there is nothing to tell apart but steps: ordinary errors, each at the lag of its own.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from ..arrays import array_namespace
from .batch import of_sequences, turned
from .cells import in_order
from .items import Flow, mean_lag, valid_cells
from .lags import Link, Record, follow, new_record
from .net import RecurrentNet
from .readout import finite
from .rows import LARGEST, record_arrays, scale_norms, weighted_norm
from .scaled import carried_back_scaled
from .side_by_side import in_threads, joined, pieces
from .sides import both_sides, two_sided
from .strand import Strand
from .sums import Sums, new_sums
from .target import Target, find_target, parameters_of, reach, share_rows, weights
from .unroll import Errors, Run, check_batch, errors, forward, gradients, output_errors

__all__ = ["PARAMETERS", "Flow", "check_lags", "itemize", "itemize_run", "mean_lag", "parameters_of"]

PARAMETERS = (
    "weight_hh_l0",
    "weight_ih_l0",
    "bias_hh_l0",
    "bias_ih_l0",
)  # of every net; `parameters_of` has all of one


def itemize(
    net: RecurrentNet,
    x: Any,
    y: Any,
    lags: int | None = 6,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    state: Any = None,
    mask: Any = None,
    unit: int | str | None = None,
    gate: str | None = None,
    tol: float | None = None,
    matrices: bool = False,
    batch_norms: bool = False,
    grads: dict[str, Any] | None = None,
) -> Flow:
    """Itemize the gradient of one parameter over losses and steps.

    Parameters
    ----------
    net, x, y, state, mask
        As for `bptt`.
    lags : int from 1 to T, or None
        How many losses ahead of each step are told apart, its own included; None for all T. What lies farther ahead
        is not lost: `Flow.beyond` holds the norm of its sum. In a direction that runs backward losses lie behind the
        step and lags count down from 0. Below the last layer of a bidirectional net they lie on both sides, and lags
        go from -(K-1) to K-1.
    parameter : str
        weight_ih, weight_hh, bias_ih or bias_hh of any layer and direction ("weight_hh_l1_reverse"); or the states
        themselves, "state_l0" for dL_t/dh_s and, of an LSTM, "cell_l0" for dL_t/dc_s, where "state" and "cell" stand
        for the last layer's.
    shares : bool
        Also compute the signed shares <G_{t,s}, G> with G = dL/dparameter of the whole call (or the chosen gate's or
        unit's part of it). They add up: ``share.sum() + share_beyond.sum() == total == ||G||^2``. Norms do not.
    unit : int, "all" or None
        One hidden unit's rows of the parameter alone; or, with "all", every unit's beside the whole, as `Flow.units`
        (T, K, B, H) and `Flow.unit_share`: H times the memory of the norms.
    gate : str or None
        One gate's rows of the parameter alone: "r", "z", "n" of a GRU, "i", "f", "g", "o" of an LSTM.
    tol : float, optional
        Stop following a loss backward once it no longer matters. What is dropped has norm 0, is told by `Flow.kept`,
        and stays part of `Flow.beyond`, which is at most `tol` times each step's whole error (`Flow.whole`) as far as
        it is due to drops: checked for every step against ordinary BPTT. Worth it with many lags; with few of them
        what lies farther ahead counts as a miss, and little can be dropped. At least 64 times the dtype's precision.
        Nothing is dropped where one pass does it all: with one loss per sequence, or below the last layer of a
        bidirectional net.
    matrices : bool
        Also sum the gradients of each lag over steps and sequences, for `Flow.lag_matrices`: a product and a matrix
        more per lag.
    batch_norms : bool
        Also `Flow.batch_norm`: norms of the sum of a cell's gradients over all sequences. Not together with `tol`.
    grads : dict of str to array, optional
        G for the shares, where these sequences are a part of something larger: gradients as `bptt` gives them (the
        parameter's will do). Shares of all parts then add up to its ||G||^2.

    Returns
    -------
    Flow

    Raises
    ------
    ValueError, FloatingPointError
        As `bptt`; ValueError also for `lags` outside 1..T, an unknown parameter, gate or unit. Errors may outgrow the
        net's dtype (an exploding net): norms are right all the same, and only shares are refused.
    """
    target = find_target(net, parameter, gate, unit)
    batch = check_batch(net, x, y, state, mask)
    K, tol = check_lags(lags, len(batch[0])), check_tolerance(net, tol)
    if tol is not None and batch_norms:
        raise ValueError("batch_norms: sums over sequences need all rows; leave out tol")
    _shares_wanted(target, shares)
    if not (matrices or batch_norms):
        T, B = batch[0].shape[:2]
        parts = pieces(net, T, B, K)
        if len(parts) > 1:
            with contextlib.suppress(FloatingPointError):  # what follows does with it, or says where it is
                return _in_pieces(net, batch, parts, K, target, shares, grads, tol)
    run, own = _forward(net, batch)
    try:
        total = errors(net, run, own)[1]
    except FloatingPointError as error:
        if matrices or batch_norms:
            raise FloatingPointError(f"matrices, batch_norms: sums do not fit {net.dtype}; {error}") from error
        return _exploding(net, run, own, K, target, shares, tol, error)
    sums = new_sums(net, run, total, target, K, matrices, batch_norms)
    return _itemized(net, run, own, total, K, target, shares, grads, tol, sums)


def _forward(net: RecurrentNet, batch: tuple[Any, ...]) -> tuple[Run, list[Any]]:
    run = forward(net, *batch)
    with np.errstate(all="ignore"):
        return run, output_errors(net, run)


def _in_pieces(
    net: RecurrentNet, batch: tuple[Any, ...], parts: list[slice], K: int, target: Target, shares: bool,
    grads: Any, tol: float | None,
) -> Flow:  # fmt: skip
    """The sequences in threads. FloatingPointError where errors do not fit the dtype, its place counted in a part."""

    def carried(part: slice) -> tuple[Run, list[Any], Errors, Any]:
        run, own = _forward(net, of_sequences(batch, part))
        total = errors(net, run, own)[1]
        with np.errstate(over="ignore", invalid="ignore"):  # told with the shares
            return run, own, total, gradients(net, run, total) if shares and grads is None else None

    def itemized(found: tuple[Run, list[Any], Errors, Any]) -> Flow:
        run, own, total, _ = found
        return _itemized(net, run, own, total, K, target, shares, grads, tol)

    if not shares or grads is not None:
        return joined(in_threads(lambda part: itemized(carried(part)), parts))
    found = in_threads(carried, parts)
    grads = {name: sum(each[3][name] for each in found) for name in found[0][3]}
    return joined(in_threads(itemized, found))


def check_lags(lags: int | None, steps: int) -> int:
    """`lags` as a number; ValueError unless it lies in 1..steps."""
    if lags is None:
        return steps
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or not 1 <= lags <= steps:
        raise ValueError(f"lags must be a whole number from 1 to the {steps} steps of the sequence, got {lags!r}")
    return int(lags)


def check_tolerance(net: RecurrentNet, tol: Any) -> float | None:
    """`tol` as a float; ValueError unless it lies between what rounding allows and 1."""
    if tol is None:
        return None
    least = 64 * float(np.finfo(net.dtype).eps)
    if isinstance(tol, bool) or not isinstance(tol, float | int | np.floating) or not least <= tol < 1:
        raise ValueError(f"tol must be None or a number from {least:.1e} (of {net.dtype}) to below 1, got {tol!r}")
    return float(tol)


def itemize_run(
    net: RecurrentNet,
    run: Run,
    own: list[Any],
    total: Errors,
    K: int,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    grads: dict[str, Any] | None = None,
) -> Flow:
    """`itemize` for a run whose errors (and perhaps gradients) are known already, as in training.

    Works in the arrays of `total`: they are overwritten, and let go.
    """
    return _itemized(net, run, own, total, K, find_target(net, parameter), shares, grads)


def _itemized(
    net: RecurrentNet, run: Run, own: list[Any], total: Errors, K: int, target: Target, shares: bool, grads: Any,
    tol: float | None = None, sums: Sums | None = None,
) -> Flow:  # fmt: skip
    strand = run.strands[target.index]
    shares = _shares_wanted(target, shares)
    if shares and not grads:
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            grads = gradients(net, run, total)
    d = total.d[target.index]
    total.d, total.z = [], []  # the others are not needed any more, and are a third of the memory
    q, squared = _share_rows(net, strand, target, grads) if shares else (None, None)
    return itemize_rows(net, run, own, d.reshape(-1, d.shape[2]), None, K, target, q, squared, tol, sums)


def _share_rows(net: RecurrentNet, strand: Strand, target: Target, grads: dict[str, Any]) -> tuple[Any, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        q, squared = share_rows(net, strand, target, grads)
        if not (finite(q) and np.isfinite(squared)):
            raise FloatingPointError(f"shares: the gradient does not fit {net.dtype}")
    return q, squared


def _shares_wanted(target: Target, shares: bool) -> bool:
    if shares and target.is_state:
        raise ValueError(f"shares are parts of a parameter's gradient; {target.parameter} is no parameter")
    return bool(shares)


def _exploding(
    net: RecurrentNet, run: Run, own: list[Any], K: int, target: Target, shares: bool, tol: float | None,
    error: FloatingPointError,
) -> Flow:  # fmt: skip
    """The errors do not fit the dtype: with a power of two per row they do, unless weights are not finite."""
    _shares_wanted(target, shares)
    with np.errstate(all="ignore"):
        d, power = carried_back_scaled(net, run, own, target.index // net.directions)[target.index][::2]
        if not bool(array_namespace(d).isfinite(d).all()):
            raise error
        if shares:
            raise FloatingPointError(f"shares: the gradient does not fit {net.dtype}; {error}") from error
        return itemize_rows(net, run, own, d.reshape(-1, d.shape[2]), power.reshape(-1), K, target, None, None, tol)


def itemize_rows(
    net: RecurrentNet, run: Run, own: list[Any], rest: Any, power: Any, K: int, target: Target, q: Any, squared: Any,
    tol: float | None = None, sums: Sums | None = None,
) -> Flow:  # fmt: skip
    """`rest` (n, S): errors of all losses together at the target's strand, times 2**power; overwritten."""
    xp = array_namespace(net.flat)
    strand, (T, B) = run.strands[target.index], run.loss.shape
    w, u = weights(net, strand, target), reach(net, strand, target)
    whole = scaled_norm(rest, w, power)
    q = xp.zeros((0, rest.shape[1]), net.dtype) if q is None else q
    sided = two_sided(net, run, target.index)
    units = net.hidden if target.each_unit else 0
    kept = new_record(xp, (T, K, B), rest, w, q, power, units=units, two_sided=sided)
    kept.watch = sums
    known = True
    if sided:
        layer = target.index // net.directions
        known = both_sides(net, run, own, kept, layer, lambda found: found[target.index][::2], strand.reverse)
    elif run.end:
        _one_loss(net, run, own, target, kept)
    else:
        indices = range(len(net.strands) - 1, target.index - 1, -1)
        same_way = [i for i in indices if (i - target.index) % net.directions == 0]
        mine = own[target.index % net.directions].reshape(T * B, -1)
        follow(links(net, run, same_way), mine, chains_of(run, strand.reverse), kept, whole.reshape(T, B), tol)
    flow = assemble(run, kept, target, whole.reshape(T, B), u.reshape(T, B), strand.reverse)
    flow.total = squared
    if sums is not None:
        sums.tell(flow)
    if not known:
        flow.remainder = None
    return flow


def links(net: RecurrentNet, run: Run, indices: list[int]) -> list[Link]:
    """The layers of the chains' state, from the last one down."""
    found: list[Link] = []
    for i in indices:
        strand = run.strands[i]
        W = in_order(net.cell, net.parameters[f"weight_hh_{strand.name}"])
        down = net.parameters[f"weight_ih_{run.strands[i + net.directions].name}"] if found else None
        found.append(Link(net.cell, W, down, strand.coef_rows))
    return found


def chains_of(run: Run, reverse: bool) -> Any:
    """The losses that cause any error, as rows of steps in the strand's own time."""
    xp = array_namespace(run.loss)
    if run.mask is None or run.mask.ndim == 1:
        return xp.arange(run.loss.size)
    mask = turned(run.mask, run.length) if reverse else run.mask
    return xp.flatnonzero(mask.reshape(-1) != 0)


def scaled_norm(rows: Any, w: Any, power: Any) -> Any:
    """(n,) |w * row| * 2**power, at most the largest float64."""
    xp = array_namespace(rows)
    norm = weighted_norm(rows, w)
    if power is None:
        return norm
    with np.errstate(over="ignore"):
        return xp.minimum(xp.ldexp(norm, power), LARGEST)


def _one_loss(net: RecurrentNet, run: Run, own: list[Any], target: Target, kept: Record) -> None:
    """One loss per sequence: the error at a step is that loss's, at the lag that is the distance to it."""
    xp = array_namespace(net.flat)
    T, K, B = kept.norm.shape
    d, _, power = carried_back_scaled(net, run, own, target.index // net.directions)[target.index]
    d, power = d.reshape(T * B, -1), power.reshape(-1)
    length = xp.full(B, T) if run.length is None else run.length
    lag = length[None, :] - 1 - xp.arange(T)[:, None]  # (T, B), in the strand's own time
    kept.log = xp.full((T, K, B), -np.inf)
    for k in range(K):
        rows = xp.flatnonzero((lag == k).reshape(-1))
        if len(rows):
            record_arrays(rows, d[rows], power[rows], k, kept)
            if kept.watch is not None:
                kept.watch(k, rows, d[rows], power[rows])
    far = xp.flatnonzero((lag >= K).reshape(-1))
    norm = xp.zeros(T * B)
    norm[far] = scaled_norm(d[far], kept.w[far] if len(kept.w) else kept.w, power[far])
    kept.remainder[:, K - 1] = norm.reshape(T, B)
    kept.rest[...] = 0
    if len(kept.q):
        kept.rest[far] = xp.ldexp(d[far], power[far][:, None])
    whole = norm.reshape(T, B) + kept.norm.sum(axis=1)
    for k in range(K - 1):
        kept.remainder[:, k] = xp.where(lag > k, whole, 0)


def assemble(run: Run, kept: Record, target: Target | None, whole: Any, u: Any, reverse: bool) -> Flow:
    """The result, in the sequence's time, from a record in a strand's own; without target, of the inputs."""
    xp = array_namespace(kept.norm)
    T, K, B = kept.remainder.shape
    sided = kept.norm.shape[1] != K
    lags = xp.arange(1 - K, K) if sided else xp.arange(K)

    def back(a: Any) -> Any:
        if not reverse:
            return a
        a = a[:, ::-1] if sided and a.ndim > 2 and a.shape[1] == len(lags) else a
        if run.length is None:
            return a[::-1]
        return turned(a, run.length) if a.ndim == 2 else xp.moveaxis(turned(xp.moveaxis(a, 2, 1), run.length), 1, 2)

    shares, units = len(kept.q) > 0, kept.units.size > 0
    scale_norms(kept.norm, u)
    if units:
        kept.units *= u[:, None, :, None].astype(kept.units.dtype)
    if shares:
        left = xp.einsum("rh,rh->r", kept.rest, kept.q, dtype=np.float64).reshape(T, B)
        known = valid_cells(T, lags).sum(axis=1) == T  # no loss lies beyond: what is left there is rounding
        known = known if sided else xp.arange(T) >= T - K
        missing = False if kept.incomplete is None else kept.incomplete
        left = xp.where(known[:, None] & ~xp.asarray(missing), 0, left)
    log = None
    if len(kept.log):
        with np.errstate(divide="ignore"):
            log = back(kept.log + xp.log(u)[:, None, :])
    return Flow(
        norm=back(kept.norm),
        beyond=back(kept.remainder[:, -1] * u),
        share=back(kept.share) if shares else None,
        share_beyond=back(left) if shares else None,
        total=None,
        loss=run.loss,
        parameter=target.parameter if target else "input",
        whole=back(whole),
        remainder=back(kept.remainder),
        lags=-lags if reverse and not sided else lags,
        units=back(kept.units) if units else None,
        unit_share=back(kept.unit_share) if units and shares else None,
        gate=target.gate if target else None,
        unit=target.unit if target else None,
        log=log,
        followed=None if kept.followed is None else back(kept.followed),
    )
