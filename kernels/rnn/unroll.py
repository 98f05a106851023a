"""Running a net over a batch of sequences, and ordinary back-propagation through time (BPTT).

T steps, B sequences, H hidden units, D directions, O outputs. Arrays are time major; `rows` are the T*B (step,
sequence) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..jit import jit
from . import paths
from .batch import at_end, check_batch, last_of, lengths, turned
from .cells import in_gate_order, in_order, inward_columns, recurrent_columns
from .net import RecurrentNet
from .readout import errors_at_states, finite, losses, not_finite, score_errors, scores
from .strand import Strand, run_backward, run_forward, signs

__all__ = ["Errors", "Run", "bptt", "check_batch", "errors", "forward", "gradients"]


@dataclass
class Run:
    """What a forward pass leaves behind."""

    x: Any  # (T, B) tokens, or (T, B, I) floats
    y: Any  # (T, B) or (B,) tokens; (T, B, O) or (B, O) floats
    mask: Any  # (T, B), (B,) or None
    length: Any  # (B,) steps without padding, or None
    strands: list[Strand]  # per layer and direction, in the order of `net.strands`
    top: Any  # (rows, D*H) what the decoder read: rows of all steps, or of the sequences' ends
    p: Any  # (T, B, O), or (1, B, O) at the end: softmax of the scores, or the scores where targets are floats
    weight: Any  # (rows,) of the losses, or None
    loss: Any  # (T, B): cross entropy in nats or squared error, weighted; where it is asked once, at the last step

    @property
    def end(self) -> bool:
        """Whether there is one loss per sequence."""
        return at_end(self.y)

    @property
    def state(self) -> Any:
        """State after each sequence's last step, a copy: (L*D, B, H); of an LSTM a pair of them, h and c."""
        xp = array_namespace(self.loss)
        h = xp.array([last_of(strand.h, self.length) for strand in self.strands])
        if not len(self.strands[0].c):
            return h
        return h, xp.array([last_of(strand.c, self.length) for strand in self.strands])


@dataclass
class Errors:
    """Errors of all losses together, per strand and in its own time."""

    d: list[Any]  # (T, B, S) at the states: [dh] or [dh | dc]
    z: list[Any]  # (T, B, blocks * H) at the pre-activations


def bptt(net: RecurrentNet, x: Any, y: Any, state: Any = None, mask: Any = None) -> tuple[float, dict[str, Any], Any]:
    """Loss, its gradient by back-propagation through time, and the state to go on from.

    Parameters
    ----------
    net : RecurrentNet
    x : (T, B) int tokens, or (T, B, I) floats
    y : what to predict
        Tokens, for the cross entropy of a softmax: (T, B) one per step, or (B,) one per sequence, read out from the
        state after its last step (of a bidirectional net both directions' last states, each at its own end).
        Floats, for the squared error, averaged over the O outputs: (T, B, O) or (B, O); the last axis may be left out
        where O is 1.
    state : (L*D, B, H), optional
        Hidden states before the first step, layer by layer and in each forward, backward; of an LSTM a pair (h, c) of
        such arrays. Zeros if absent. (B, H) will do where there is one layer and direction.
    mask : (T, B), optional
        Weight of each step's loss: 0 takes the step out of the loss. Steps behind a sequence's last weight that is
        not 0 are padding: they change nothing, not even the states of a backward direction. (Only where all
        directions run forward and every step has a target, the state that is returned has gone on through them.)
        With one target per sequence the weight at its last step counts; it may be given alone then, as (B,).

    Returns
    -------
    loss : float
        Sum over steps and sequences.
    grads : dict of str to array
        dloss/dparameter under the names of `net.parameters`; views into one flat array.
    state : (L*D, B, H) array, or a pair of them
        The state after the last step, a copy.

    Raises
    ------
    ValueError
        If a shape, dtype or token does not fit the net.
    FloatingPointError
        If the loss is not finite; names the first step and sequence.
    """
    run = forward(net, *check_batch(net, x, y, state, mask))
    _, total = errors(net, run)
    return float(run.loss.sum(dtype=np.float64)), gradients(net, run, total), run.state


def forward(net: RecurrentNet, x: Any, y: Any, state: tuple[Any, ...], mask: Any) -> Run:
    """Run the net over a checked batch; FloatingPointError where the loss is not finite."""
    with np.errstate(all="ignore"):  # what is not finite is told below, once and with its place
        length = lengths(net, y, mask, len(x))
        strands, out = run_layers(net, x, state, length)
        end = at_end(y)
        top = out.reshape(-1, net.width) if not end else _ends(net, strands, length)
        p, each = losses(scores(net, top), y.reshape(len(top), -1) if y.dtype.kind == "f" else y.reshape(-1))
        weight = _weights(y, mask, length)
        if weight is not None:
            each *= weight
        loss = _placed(each, x, length) if end else each.reshape(x.shape[:2])
        if not finite(loss):
            raise FloatingPointError(not_finite("loss", loss))
        return Run(x, y, mask, length, strands, top, p.reshape(-1, x.shape[1], p.shape[1]), weight, loss)


def _ends(net: RecurrentNet, strands: list[Strand], length: Any) -> Any:
    xp = array_namespace(net.flat)
    return xp.concatenate([last_of(strand.h, length) for strand in strands[-net.directions :]], axis=1)


def _weights(y: Any, mask: Any, length: Any) -> Any:
    """One weight per loss, or None."""
    if mask is None or mask.ndim == 1 or not at_end(y):
        return mask if mask is None else mask.reshape(-1)
    if length is None:
        return mask[-1]
    xp = array_namespace(mask)
    return mask[xp.maximum(length - 1, 0), xp.arange(mask.shape[1])]


def _placed(each: Any, x: Any, length: Any) -> Any:
    """(T, B): the sequences' losses at their last steps."""
    xp = array_namespace(each)
    loss = xp.zeros(x.shape[:2], each.dtype)
    last = len(x) - 1 if length is None else xp.maximum(length - 1, 0)
    loss[last, xp.arange(x.shape[1])] = each
    return loss


def run_layers(net: RecurrentNet, x: Any, state: tuple[Any, ...], length: Any = None) -> tuple[list[Strand], Any]:
    """All layers and directions, from the first up; and the last layer's states (T, B, D*H) in the order of time."""
    xp = array_namespace(net.flat)
    below = x if x.ndim == 3 or not net.embedding else net.parameters["embedding.weight"][x]
    strands: list[Strand] = []
    for i, name in enumerate(net.strands):
        reverse = name.endswith("_reverse")
        u = xp.ascontiguousarray(turned(below, length)) if reverse else below
        strands.append(_run_strand(net, name, reverse, u, tuple(part[i] for part in state)))
        if len(strands) % net.directions == 0:
            outs = [turned(s.h[1:], length) if s.reverse else s.h[1:] for s in strands[-net.directions :]]
            below = outs[0] if len(outs) == 1 else xp.concatenate(outs, axis=2)
    return strands, below


def _run_strand(net: RecurrentNet, name: str, reverse: bool, u: Any, states: tuple[Any, ...]) -> Strand:
    W, bias = net.parameters[f"weight_hh_{name}"], net.parameters[f"bias_hh_{name}"]
    z = _projection(net, name, u)
    h, c, coef = run_forward(net.cell, z, W, bias[-net.hidden :], states)
    return Strand(name, reverse, u, h, c, coef)


def _projection(net: RecurrentNet, name: str, u: Any) -> Any:
    """(W_ih u_t + b_ih + b_hh) * signs for every step: (T, B, G*H). A bias inside a product is left to the cell."""
    xp = array_namespace(net.flat)
    W, bias = net.parameters[f"weight_ih_{name}"], net.parameters[f"bias_ih_{name}"] + _outer_bias(net, name)
    if -1.0 in net.cell.signs:
        sign = signs(xp, net.cell, net.hidden, net.dtype)
        W, bias = W * sign[:, None], bias * sign
    if u.ndim == 2 and u.size < W.shape[1] and paths.takes_loops(W):
        z = np.empty((*u.shape, len(W)), W.dtype)
        _columns_loop(W, bias, u, z)
        return z
    if u.ndim == 2:
        return (xp.ascontiguousarray(W.T) + bias)[u]
    z = u.reshape(-1, u.shape[2]) @ W.T
    z += bias
    return z.reshape(*u.shape[:2], -1)


def _outer_bias(net: RecurrentNet, name: str) -> Any:
    bias = net.parameters[f"bias_hh_{name}"]
    if net.cell.added_bias:
        bias = bias.copy()
        bias[-net.hidden :] = 0
    return bias


def errors(net: RecurrentNet, run: Run, own: list[Any] | None = None) -> tuple[list[Any], Errors]:
    """Per direction (T, B, H) dL_t/dh_t of the last layer through the read-out alone, in the direction's own time; and
    the errors of all losses together.

    FloatingPointError where they are not finite: a saturated unit hides infinite weights from the loss.
    """
    with np.errstate(all="ignore"):
        own = output_errors(net, run) if own is None else own
        total = carried_back(net, run, own)
        for z in total.z:
            if not finite(z):
                raise FloatingPointError(not_finite("error", z))
    return own, total


def output_errors(net: RecurrentNet, run: Run) -> list[Any]:
    """Per direction (T, B, H): dL_t/dh_t through the read-out of step t alone, in the direction's own time."""
    return seeds(net, run, errors_at_states(net, run_score_errors(run)))


def run_score_errors(run: Run) -> Any:
    """dL/dscores (rows, O)."""
    y = run.y.reshape(len(run.top), -1) if run.y.dtype.kind == "f" else run.y.reshape(-1)
    return score_errors(run.p.reshape(len(run.top), -1), y, run.weight)


def seeds(net: RecurrentNet, run: Run, at_states: Any) -> list[Any]:
    """Errors at what the decoder read (rows, D*H), per direction and as (T, B, H) in its own time."""
    xp = array_namespace(net.flat)
    T, B = run.loss.shape
    parts = []
    for k in range(net.directions):
        part = at_states if net.directions == 1 else at_states[:, k * net.hidden : (k + 1) * net.hidden]
        if run.end:
            own = xp.zeros((T, B, net.hidden), net.dtype)
            last = T - 1 if run.length is None else xp.maximum(run.length - 1, 0)
            own[last, xp.arange(B)] = part
        else:
            own = part.reshape(T, B, -1)
            own = xp.ascontiguousarray(turned(own, run.length) if k else own)
        parts.append(own)
    return parts


def carried_back(net: RecurrentNet, run: Run, own: list[Any]) -> Errors:
    """Errors of every strand, from the last layer down."""
    d: list[Any] = [None] * len(run.strands)
    z: list[Any] = [None] * len(run.strands)
    for layer in reversed(range(net.layers)):
        indices = [layer * net.directions + k for k in range(net.directions)]
        for i, part in zip(indices, own, strict=True):
            strand = run.strands[i]
            W = in_order(net.cell, net.parameters[f"weight_hh_{strand.name}"])
            d[i], z[i] = run_backward(net.cell, W, part, strand.coef)
        if layer:
            own = split_directions(net, run.length, inputs_errors(net, run, indices, z))
    return Errors(d, z)


def inputs_errors(net: RecurrentNet, run: Run, indices: list[int], z: list[Any]) -> Any:
    """(T, B, I): errors at the input of a layer, all its directions together, in the order of time."""
    total = None
    for i in indices:
        strand = run.strands[i]
        W = net.parameters[f"weight_ih_{strand.name}"]
        T, B, _ = z[i].shape
        back = (z[i].reshape(T * B, -1)[:, inward_columns(net.cell, net.hidden)] @ W).reshape(T, B, -1)
        back = turned(back, run.length) if strand.reverse else back
        total = back if total is None else total + back
    return total


def split_directions(net: RecurrentNet, length: Any, both: Any) -> list[Any]:
    """(T, B, D*H) in the order of time, per direction and in its own."""
    if net.directions == 1:
        return [both]
    xp, H = array_namespace(both), net.hidden
    return [xp.ascontiguousarray(both[..., :H]), xp.ascontiguousarray(turned(both[..., H:], length))]


def gradients(net: RecurrentNet, run: Run, total: Errors) -> dict[str, Any]:
    """dL/dparameter for every parameter."""
    xp = array_namespace(net.flat)
    grads = net.views(xp.empty_like(net.flat))
    for strand, z in zip(run.strands, total.z, strict=True):
        _strand_gradients(net, strand, z.reshape(-1, z.shape[2]), grads)
    if net.embedding:
        back = inputs_errors(net, run, list(range(net.directions)), total.z)
        grads["embedding.weight"][...] = sum_by_token(back.reshape(-1, back.shape[2]), run.x.reshape(-1), net.inputs)
    if net.decoder:
        d = run_score_errors(run)
        xp.matmul(d.T, run.top, out=grads["decoder.weight"])
        grads["decoder.bias"][...] = d.sum(axis=0)
    return grads


def _strand_gradients(net: RecurrentNet, strand: Strand, z: Any, grads: dict[str, Any]) -> None:
    cell, name = net.cell, strand.name
    hh, ih = z[:, recurrent_columns(cell, net.hidden)], z[:, inward_columns(cell, net.hidden)]
    h = strand.h[:-1].reshape(len(z), -1)
    bias = ih.sum(axis=0)
    grads[f"bias_ih_{name}"][...] = bias
    if cell.recurrent == cell.inward:
        array_namespace(z).matmul(hh.T, h, out=grads[f"weight_hh_{name}"])
        grads[f"bias_hh_{name}"][...] = bias
    else:
        grads[f"weight_hh_{name}"][...] = in_gate_order(cell, hh.T @ h)
        grads[f"bias_hh_{name}"][...] = in_gate_order(cell, hh.sum(axis=0))
    u = strand.u.reshape(len(z), -1) if strand.u.ndim == 3 else strand.u.reshape(-1)
    W = grads[f"weight_ih_{name}"]
    W[...] = sum_by_token(ih, u, net.inputs).T if u.ndim == 1 else ih.T @ u


def sum_by_token(rows: Any, tokens: Any, symbols: int) -> Any:
    """(symbols, H): row v is the sum of the rows whose token is v."""
    xp = array_namespace(rows)
    out = xp.zeros((symbols, rows.shape[1]), rows.dtype)
    if not paths.takes_loops(rows):
        xp.add.at(out, tokens, rows)
    else:
        _scatter_loop(rows, tokens, out)
    return out


@jit
def _columns_loop(W, bias, tokens, z):
    """z[t, b] = W[:, token] + bias: cheaper than turning the whole matrix where there are fewer steps than symbols."""
    for t in range(tokens.shape[0]):
        for b in range(tokens.shape[1]):
            v = tokens[t, b]
            for j in range(bias.size):
                z[t, b, j] = W[j, v] + bias[j]


@jit
def _scatter_loop(rows, tokens, out):
    for r in range(rows.shape[0]):
        v = tokens[r]
        for j in range(rows.shape[1]):
            out[v, j] += rows[r, j]
