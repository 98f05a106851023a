"""The read-out: from the last layer's states to scores, losses, and the errors that losses cause at those states.

Cross entropy where targets are tokens: -log softmax(scores)[y], in nats. Squared error where they are floats: the mean
over the O outputs of (score - y)^2. Both per step, or once per sequence from the state after its last step (of a
bidirectional net: both directions' last states, each at its own end).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import paths
from .net import RecurrentNet
from .row_loops import fold

FEW = 2**14  # scores up to which a compiled loop is faster than whole-array operations


def scores(net: RecurrentNet, states: Any) -> Any:
    """decoder.weight h + decoder.bias, or a copy of the states where there is no decoder: (n, O)."""
    if not net.decoder:
        return states.copy()
    out = states @ net.parameters["decoder.weight"].T
    out += net.parameters["decoder.bias"]
    return out


def losses(scored: Any, y: Any) -> tuple[Any, Any]:
    """Outputs (n, O), for tokens the softmax in place of the scores; losses (n,). y: (n,) tokens or (n, O) floats."""
    xp = array_namespace(scored)
    if y.dtype.kind == "f":
        miss = scored - y
        return scored, (miss * miss).mean(axis=1)
    if paths.takes_loops(scored) and scored.size <= FEW:
        loss = np.empty(len(scored), scored.dtype)
        _shift_loop(scored, y, loss)
        _softmax_loop(np.exp(scored, out=scored), loss)
        return scored, loss
    low, high = float(scored.min()), float(scored.max())
    scored -= high if high - low < 60 else scored.max(axis=1, keepdims=True)  # exp(-60) is far from underflow
    target = scored[xp.arange(len(scored)), y]
    p = xp.exp(scored, out=scored)
    whole = p.sum(axis=1)
    p /= whole[:, None]
    return p, xp.log(whole) - target


def score_errors(outputs: Any, y: Any, weight: Any) -> Any:
    """dL/dscores (n, O): weight (p - onehot(y)), or weight 2 (output - y) / O."""
    xp = array_namespace(outputs)
    if y.dtype.kind == "f":
        d = (outputs - y) * outputs.dtype.type(2 / outputs.shape[1])
    elif paths.takes_loops(outputs):
        d = outputs.copy()
        _at_target_loop(d, y)
    else:
        d = outputs.copy()
        d[xp.arange(len(d)), y] -= 1
    if weight is not None:
        d *= weight.reshape(-1, 1)
    return d


def errors_at_states(net: RecurrentNet, d: Any) -> Any:
    """dL/dstates (n, D*H) from dL/dscores."""
    return d @ net.parameters["decoder.weight"] if net.decoder else d


def not_finite(what: str, values: Any) -> str:
    """Where an array (T, B, ...) is first not finite, in words."""
    xp = array_namespace(values)
    step, sequence = (int(i) for i in xp.argwhere(~xp.isfinite(values))[0][:2])
    return f"{what} is not finite at step {step} of sequence {sequence}: weights, state or input hold NaN or Inf"


def finite(values: Any) -> bool:
    """Whether all are; the sum decides nearly always."""
    total = float(values.sum(dtype=np.float64))
    return bool(np.isfinite(total)) or bool(array_namespace(values).isfinite(values).all())


@jit
def _shift_loop(scored, y, loss):
    """Scores less each row's largest; loss: the target's, with the other sign."""
    for i in range(scored.shape[0]):
        row = scored[i]
        high = row[0]
        for j in range(1, row.size):
            high = row[j] if row[j] > high else high
        for j in range(row.size):
            row[j] -= high
        loss[i] = -row[y[i]]


@jit
def _softmax_loop(p, loss):
    """Exponentials to probabilities; log of their sum added to the losses."""
    buffer = np.empty(p.shape[1], p.dtype)
    for i in range(p.shape[0]):
        row = p[i]
        for j in range(row.size):
            buffer[j] = row[j]
        whole = fold(buffer)
        for j in range(row.size):
            row[j] = row[j] / whole
        loss[i] += math.log(whole)


@jit
def _at_target_loop(d, y):
    for i in range(y.size):
        d[i, y[i]] -= 1
