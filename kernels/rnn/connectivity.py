"""Connectivity: how much the scores of each step depend on each input (Madsen, "Visualizing memorization in RNNs",
Distill 2019): the norm of d score_t[symbol] / d x_s. The same engines with another seed, read out at the inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import array_namespace
from .flow import assemble, chains_of, check_lags, links, scaled_norm
from .items import Flow
from .lags import follow, new_record
from .net import RecurrentNet
from .readout import errors_at_states
from .scaled import carried_back_scaled, inputs_errors_scaled
from .sides import both_sides
from .unroll import Errors, Run, carried_back, check_batch, forward, seeds


def connectivity(
    net: RecurrentNet,
    x: Any,
    y: Any,
    lags: int | None = None,
    symbol: int | str = "target",
    state: Any = None,
    mask: Any = None,
) -> Flow:
    """Norms of the gradient of each step's score with respect to the inputs x_s.

    Parameters
    ----------
    net, x, y, state, mask
        As for `bptt`, with outputs per step. Steps whose mask is 0 are left out; other weights do not matter.
    lags : int from 1 to T, or None
        How many later scores are told apart per input; None for all.
    symbol : "target", "predicted" or int
        Whose score (logit) is followed: that of y, of the most probable symbol, or always the same one. Where y are
        floats there is no target among the outputs, and a number is needed.

    Returns
    -------
    Flow
        norm[s, k, b] is |d score_{s + lags[k]} / d x_s|, x_s being the vector that weight_ih reads: the floats, the
        embedded token, or the one-hot token. beyond: the norm of the sum over all scores that were not kept. Of a
        bidirectional net lags lie on both sides, from -(K-1) to K-1.

    Raises
    ------
    ValueError, FloatingPointError
        As `bptt`; ValueError also with one target per sequence, or a symbol that is not there.
    """
    run = forward(net, *check_batch(net, x, y, state, mask))
    if run.end:
        raise ValueError("y: connectivity takes one target per step, got one per sequence")
    K = check_lags(lags, len(run.loss))
    own = seeds(net, run, errors_at_states(net, _chosen(net, run, symbol)))
    xp, (T, B) = array_namespace(net.flat), run.loss.shape
    M = {i: _reduced(net, name) for i, name in enumerate(net.strands[: net.directions])}
    if net.directions == 2:
        M = _reduced_together(net)
    total, power = _whole(net, run, own, M)
    whole = scaled_norm(total, total[:0], power)
    none = xp.zeros((0, total.shape[1]), net.dtype)
    kept = new_record(xp, (T, K, B), total, none, none, power, M=M[0], two_sided=net.bidirectional)
    known = True
    if net.bidirectional:
        known = both_sides(
            net, run, own, kept, 0, lambda found: inputs_errors_scaled(net, run, [0, 1], found, M), reverse=False
        )
    else:
        layers = list(reversed(range(net.layers)))
        follow(links(net, run, layers), own[0].reshape(T * B, -1), chains_of(run, False), kept, whole.reshape(T, B))
    flow = assemble(run, kept, None, whole.reshape(T, B), xp.ones((T, B)), reverse=False)
    if not known:
        flow.remainder = None
    return flow


def _chosen(net: RecurrentNet, run: Run, symbol: int | str) -> Any:
    """(T*B, O): 1 at the score that is followed, 0 where the mask is."""
    xp, rows = array_namespace(net.flat), len(run.top)
    if isinstance(symbol, str) and symbol == "target" and run.y.dtype.kind == "i":
        place = run.y.reshape(-1)
    elif isinstance(symbol, str) and symbol == "predicted":
        place = run.p.reshape(rows, -1).argmax(axis=1)
    elif isinstance(symbol, int | np.integer) and not isinstance(symbol, bool) and 0 <= symbol < net.outputs:
        place = xp.full(rows, int(symbol))
    else:
        raise ValueError(
            f'symbol must be "target" (with tokens as y), "predicted" or a number from 0 to {net.outputs - 1}, '
            f"got {symbol!r}"
        )
    d = xp.zeros((rows, net.outputs), net.dtype)
    d[xp.arange(rows), place] = 1
    if run.mask is not None:
        d[run.mask.reshape(-1) == 0] = 0
    return d


def _reduced(net: RecurrentNet, strand: str) -> Any:
    """(G*H, r) with |e M| = |e weight_ih| for every e and r as small as can be: no wider than the errors."""
    W = net.parameters[f"weight_ih_{strand}"]
    if W.shape[1] <= W.shape[0]:
        return W
    xp = array_namespace(W)
    return xp.ascontiguousarray(xp.linalg.qr(W.T, mode="r").T)


def _reduced_together(net: RecurrentNet) -> dict[int, Any]:
    """The same for both directions, whose products are added."""
    xp = array_namespace(net.flat)
    both = xp.concatenate([net.parameters[f"weight_ih_{name}"] for name in net.strands[:2]])
    if both.shape[1] > both.shape[0]:
        both = xp.ascontiguousarray(xp.linalg.qr(both.T, mode="r").T)
    half = len(both) // 2
    return {0: both[:half], 1: both[half:]}


def _whole(net: RecurrentNet, run: Run, own: list[Any], M: dict[int, Any]) -> tuple[Any, Any]:
    """(T*B, r): gradients of the sum of all followed scores at the inputs (times M), and their powers or None."""
    xp = array_namespace(net.flat)
    with np.errstate(all="ignore"):
        total: Errors = carried_back(net, run, own)
        found = {i: (None, total.z[i], xp.zeros(run.loss.shape, np.int32)) for i in range(net.directions)}
        rows, _ = inputs_errors_scaled(net, run, list(range(net.directions)), found, M)
    if not bool(xp.isfinite(rows).all()):
        found = carried_back_scaled(net, run, own)
        rows, power = inputs_errors_scaled(net, run, list(range(net.directions)), found, M)
        return xp.ascontiguousarray(rows.reshape(-1, rows.shape[2])), power.reshape(-1)
    return xp.ascontiguousarray(rows.reshape(-1, rows.shape[2])), None
