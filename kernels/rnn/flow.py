"""Itemized gradients: which loss moves the weights through which step, and how much.

The gradient of a weight matrix splits into one summand per loss step t and state step s <= t,
G_{t,s} = d_{t->s} u_s', with d_{t->s} = dL_t/dz_s the error at the pre-activation and u_s what the matrix was
multiplied with (h_{s-1} for weight_hh). Cashman et al., "RNNbow", VADL 2017. Every summand has rank one: norms and
inner products come from the two vectors, and no H x H matrix per cell is ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import array_namespace
from .lags import SAFE_SQUARES, advance, row_norm
from .net import RecurrentNet
from .unroll import Run, cell_input, check_batch, errors, forward, gradients

PARAMETERS = ("weight_hh_l0", "weight_ih_l0", "bias_hh_l0", "bias_ih_l0")


@dataclass
class Flow:
    """Itemized gradients of one batch: T steps, K lags, B sequences. Lag k of step s is the loss of step s+k.

    Norms are Frobenius norms of one cell's contribution to dL/dparameter, in nats per unit of the parameter.
    """

    norm: Any  # (T, K, B) float64; 0 where not valid
    beyond: Any  # (T, B) norm of the sum of everything that was not kept; exactly 0 where s+K >= T
    share: Any | None  # (T, K, B) <cell's gradient, G>, or None
    share_beyond: Any | None  # (T, B)
    total: float | None  # ||G||_F^2, with shares
    loss: Any  # (T, B) nats
    parameter: str
    whole: Any = field(repr=False)  # (T, B) |d_s|, d_s the error at step s from all losses
    remainder: Any = field(repr=False)  # (T, K, B) |d_s - sum of lags 0..k|

    @property
    def lags(self) -> Any:
        """(K,) int: how many steps ahead of the state step each loss lies."""
        return array_namespace(self.norm).arange(self.norm.shape[1])

    @property
    def valid(self) -> Any:
        """(T, K) bool: False where step s+k lies past the end of the sequence."""
        T = self.norm.shape[0]
        return array_namespace(self.norm).arange(T)[:, None] + self.lags < T

    @property
    def kept(self) -> Any:
        """(T, K, B) bool: False where a valid cell was dropped. Nothing is dropped without a tolerance."""
        xp = array_namespace(self.norm)
        return xp.broadcast_to(self.valid[:, :, None], self.norm.shape)

    def horizon(self, fraction: float = 0.95) -> Any:
        """How far back each step's error has to look to be known.

        Parameters
        ----------
        fraction : float in (0, 1)
            The part of the error to account for; 0.95 allows a relative miss of 5%.

        Returns
        -------
        (T, B) int
            Smallest m such that for every m' >= m (as far as lags were computed)
            |d_s - sum_{k<m'} d_{s+k->s}| <= (1 - fraction) |d_s|; -1 where no m <= K does. A step without any error
            has horizon 0.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
        xp = array_namespace(self.norm)
        misses = self.remainder > (1 - fraction) * self.whole[:, None, :]  # (T, K, B); index k stands for m' = k+1
        lags = xp.arange(1, misses.shape[1] + 1)[None, :, None]
        last_miss = (misses * lags).max(axis=1)  # 0: none
        horizon = last_miss + 1
        horizon[(self.whole == 0) & (last_miss == 0)] = 0
        horizon[last_miss == misses.shape[1]] = -1
        return horizon

    def mean_lag(self) -> float:
        """Mean lag weighted by norm; see `mean_lag`."""
        return float(mean_lag(self.norm))


def mean_lag(norm: Any) -> Any:
    """Mean lag weighted by norm, over the steps whose K losses all exist (the edge would fake short lags).

    Parameters
    ----------
    norm : (..., T, K, B)

    Returns
    -------
    (...) array, in steps; nan where there is no gradient.
    """
    xp = array_namespace(norm)
    T, K = norm.shape[-3:-1]
    weight = norm[..., : T - K + 1, :, :].sum(axis=(-3, -1))  # (..., K)
    with np.errstate(invalid="ignore"):
        return weight @ xp.arange(K, dtype=np.float64) / weight.sum(axis=-1)


def itemize(
    net: RecurrentNet,
    x: Any,
    y: Any,
    lags: int | None = 6,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    state: Any = None,
    mask: Any = None,
) -> Flow:
    """Itemize the gradient of one parameter over losses and steps.

    Parameters
    ----------
    net, x, y, state, mask
        As for `bptt`.
    lags : int from 1 to T, or None
        How many losses ahead of each step are told apart, its own included; None for all T. What lies farther ahead
        is not lost: `Flow.beyond` holds the norm of its sum.
    parameter : {"weight_hh_l0", "weight_ih_l0", "bias_hh_l0", "bias_ih_l0"}
    shares : bool
        Also compute the signed shares <G_{t,s}, G> with G = dL/dparameter of the whole call. They add up:
        ``share.sum() + share_beyond.sum() == total == ||G||^2``. Norms do not.

    Returns
    -------
    Flow

    Raises
    ------
    ValueError, FloatingPointError
        As `bptt`; ValueError also for `lags` outside 1..T or an unknown parameter.
    """
    run = forward(net, *check_batch(net, x, y, state, mask))
    own, total = errors(net, run)
    K = check_lags(lags, len(run.loss))
    return itemize_run(net, run, own, total, K, parameter, shares)


def check_lags(lags: int | None, steps: int) -> int:
    """`lags` as a number; ValueError unless it lies in 1..steps."""
    if lags is None:
        return steps
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or not 1 <= lags <= steps:
        raise ValueError(f"lags must be a whole number from 1 to the {steps} steps of the sequence, got {lags!r}")
    return int(lags)


def itemize_run(
    net: RecurrentNet,
    run: Run,
    own: Any,
    total: Any,
    K: int,
    parameter: str = "weight_hh_l0",
    shares: bool = False,
    grads: dict[str, Any] | None = None,
) -> Flow:
    """`itemize` for a run whose errors (and perhaps gradients) are known already, as in training.

    Works in the arrays `own` and `total`: both are overwritten.
    """
    if parameter not in PARAMETERS:
        raise ValueError(f"parameter must be one of {list(PARAMETERS)}, got {parameter!r}")
    xp = array_namespace(net.flat)
    T, B, H = total.shape
    reach = input_norm(net, run, parameter)  # (T, B) |u_s|
    q, squared = share_rows(net, run, total, parameter, grads) if shares else (xp.empty((0, H), net.dtype), None)
    whole = row_norm(total)
    norm, remainder = xp.zeros((2, T, K, B))
    share = xp.zeros((T, K, B) if shares else (0, 0, 0))
    rest = total.reshape(T * B, H)
    _lag_loop(net, run, own, norm, remainder, rest, q, share)
    norm *= reach[:, None, :]
    share_beyond = None
    if shares:
        share_beyond = xp.einsum("rh,rh->r", rest, q, dtype=np.float64).reshape(T, B)
        share_beyond[max(T - K, 0) :] = 0  # no loss lies beyond: what is left there is rounding
    return Flow(
        norm=norm,
        beyond=remainder[:, -1] * reach,
        share=share if shares else None,
        share_beyond=share_beyond,
        total=squared,
        loss=run.loss,
        parameter=parameter,
        whole=whole,
        remainder=remainder,
    )


def _lag_loop(net: RecurrentNet, run: Run, own: Any, norm: Any, remainder: Any, rest: Any, q: Any, share: Any) -> None:
    """Fill norm, remainder and share lag by lag; leave in `rest` what the lags do not explain."""
    xp = array_namespace(net.flat)
    T, B, H = own.shape
    W = net.parameters["weight_hh_l0"]
    slope = run.slope.reshape(T * B, H)
    here, spare = own.reshape(T * B, H), xp.empty((T * B, H), net.dtype)
    exponent = xp.zeros(T * B, np.int32)
    for k in range(norm.shape[1]):
        if k:
            n = (T - k) * B
            xp.matmul(here[B : n + B], W, out=spare[:n])
            here, spare = spare, here
        advance(k, here, slope, exponent, norm, rest, remainder, q, share)


def input_norm(net: RecurrentNet, run: Run, parameter: str) -> Any:
    """(T, B) |u_s|: the norm of what the parameter is multiplied with at step s."""
    xp = array_namespace(net.flat)
    if parameter == "weight_hh_l0":
        u = run.h[:-1]
    elif parameter == "weight_ih_l0" and (run.x.ndim == 3 or net.embedding):
        u = cell_input(net, run.x)
    else:
        return xp.ones(run.loss.shape)  # a one-hot input, or the 1 that a bias is multiplied with
    return row_norm(u)


def share_rows(
    net: RecurrentNet, run: Run, total: Any, parameter: str, grads: dict[str, Any] | None = None
) -> tuple[Any, float]:
    """q (T*B, H) with <d u', G> = d . q for a cell of step s, that is q_s = G u_s; and ||G||^2."""
    xp = array_namespace(net.flat)
    G = (grads or gradients(net, run, total))[parameter]
    n, H = len(run.x) * run.x.shape[1], net.hidden
    if parameter == "weight_hh_l0":
        q = run.h[:-1].reshape(n, H) @ G.T
    elif parameter == "weight_ih_l0" and run.x.ndim == 2 and not net.embedding:
        q = xp.ascontiguousarray(G.T)[run.x.reshape(-1)]
    elif parameter == "weight_ih_l0":
        q = cell_input(net, run.x).reshape(n, -1) @ G.T
    else:
        q = xp.ascontiguousarray(xp.broadcast_to(G, (n, H)))
    squared = float(xp.vdot(G, G))
    if not SAFE_SQUARES[0] < squared < SAFE_SQUARES[1]:
        squared = float((G.astype(np.float64) ** 2).sum())
    return q, squared
