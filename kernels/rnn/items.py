"""What itemizing gives: norms and shares by step, lag and sequence, and what can be read off them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import array_namespace


@dataclass
class Flow:
    """Itemized gradients of one batch: T steps, K lags, B sequences. Column j of step s is the loss of s + lags[j].

    Norms are Frobenius norms of one cell's contribution to dL/dparameter, in nats (or units of the squared error) per
    unit of the parameter. Steps are those of the sequence, also where the direction runs backward through them.
    """

    norm: Any  # (T, K, B) float64; 0 where not valid; at most the largest float64 (log_norm goes on)
    beyond: Any  # (T, B) norm of the sum of everything that was not kept; exactly 0 where nothing lies beyond
    share: Any | None  # (T, K, B) <cell's gradient, G>, or None
    share_beyond: Any | None  # (T, B)
    total: float | None  # ||G||_F^2, with shares
    loss: Any  # (T, B) nats or squared error
    parameter: str
    whole: Any = field(repr=False)  # (T, B) |d_s|, d_s the error at step s from all losses
    remainder: Any = field(repr=False)  # (T, N, B) |d_s - sum of the lags at a distance of 0..m|; None if not computed
    lags: Any = field(repr=False, default=None)  # (K,) int: how many steps ahead of the state step each loss lies
    units: Any = field(repr=False, default=None)  # (T, K, B, H) norm per hidden unit, with unit="all"
    unit_share: Any = field(repr=False, default=None)  # (T, K, B, H) share per hidden unit, with shares too
    gate: str | None = None
    unit: int | None = None
    log: Any = field(repr=False, default=None)  # (T, K, B) log norm where float64 does not hold all norms
    batch_norm: Any = field(repr=False, default=None)  # (T, K) norm of the cells' sum over sequences, with batch_norms
    matrices: LagMatrices | None = field(repr=False, default=None)  # with matrices
    followed: Any = field(repr=False, default=None)  # (T, B) int: through how many lags each loss was followed, or all

    def __post_init__(self) -> None:
        if self.lags is None:
            self.lags = array_namespace(self.norm).arange(self.norm.shape[1])

    @property
    def valid(self) -> Any:
        """(T, K) bool: False where the loss would lie before the start or past the end of the sequence."""
        return valid_cells(self.norm.shape[0], self.lags)

    @property
    def kept(self) -> Any:
        """(T, K, B) bool: False where a valid cell was dropped, and so has norm 0; only with a tolerance."""
        xp, valid = array_namespace(self.norm), self.valid
        if self.followed is None:
            return xp.broadcast_to(valid[:, :, None], self.norm.shape)
        loss = xp.clip(xp.arange(len(valid))[:, None] + self.lags, 0, len(valid) - 1)
        return valid[:, :, None] & (abs(self.lags)[:, None] < self.followed[loss])

    @property
    def log_norm(self) -> Any:
        """(T, K, B) natural logarithm of the norms, finite where they are too large or small for float64; -inf at 0."""
        if self.log is not None:
            return self.log
        with np.errstate(divide="ignore"):
            return array_namespace(self.norm).log(self.norm)

    def horizon(self, fraction: float = 0.95) -> Any:
        """How far away each step's error has to look to be known.

        Parameters
        ----------
        fraction : float in (0, 1)
            The part of the error to account for; 0.95 allows a relative miss of 5%.

        Returns
        -------
        (T, B) int
            Smallest m such that for every m' >= m (as far as lags were computed)
            |d_s - sum of the lags closer than m'| <= (1 - fraction) |d_s|; -1 where no m <= K does. A step without any
            error has horizon 0.

        Raises
        ------
        ValueError
            Below the last layer of a bidirectional net, where so many lags were asked for that this was not computed.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
        if self.remainder is None:
            raise ValueError(
                "horizon: the lags reach so far to both sides that it was not computed; ask for fewer lags"
            )
        xp = array_namespace(self.norm)
        misses = self.remainder > (1 - fraction) * self.whole[:, None, :]  # (T, N, B); index k stands for m' = k+1
        lags = xp.arange(1, misses.shape[1] + 1)[None, :, None]
        last_miss = (misses * lags).max(axis=1)  # 0: none
        horizon = last_miss + 1
        horizon[(self.whole == 0) & (last_miss == 0)] = 0
        horizon[last_miss == misses.shape[1]] = -1
        return horizon

    def smallest_lags(self, error: float = 0.05) -> int:
        """The smallest number of lags with which every step of every sequence is known well enough.

        Parameters
        ----------
        error : float in (0, 1)
            What may be missing of each step's error, relative to all of it.

        Returns
        -------
        int
            Certified: the largest `horizon` of all. -1 where the lags that were computed are not enough.
        """
        if not 0 < error < 1:
            raise ValueError(f"error must lie between 0 and 1, got {error!r}")
        horizon = self.horizon(1 - error)
        return -1 if bool((horizon < 0).any()) else int(horizon.max(initial=0))

    def lag_matrices(self) -> LagMatrices:
        """The gradient per lag, summed over steps and sequences; ValueError unless `itemize` was told `matrices`."""
        if self.matrices is None:
            raise ValueError("lag_matrices: itemize with matrices=True")
        return self.matrices

    def mean_lag(self) -> float:
        """Mean distance of the losses weighted by norm; see `mean_lag`."""
        return float(mean_lag(self.norm, self.lags))


@dataclass
class LagMatrices:
    """What losses at each lag add to the gradient of a parameter, over all steps and sequences. K lags, R rows (of the
    gate or unit that was asked for), I columns (1 for a bias)."""

    lags: Any  # (K,) int
    matrix: Any = field(repr=False)  # (K, R, I) in the net's dtype
    whole: Any = field(repr=False)  # (R, I) the gradient of all losses, those that were not kept too

    @property
    def norm(self) -> Any:
        """(K,) float64 Frobenius norms."""
        xp = array_namespace(self.matrix)
        return xp.sqrt(xp.maximum(xp.diagonal(self._products(self._rows())), 0))

    @property
    def cosine(self) -> Any:
        """(K,) cosine of the angle between each lag's gradient and the whole one; nan where there is none."""
        xp = array_namespace(self.matrix)
        whole = self.whole.reshape(-1).astype(np.float64)
        with np.errstate(invalid="ignore"):
            return self._rows() @ whole / (self.norm * xp.sqrt(whole @ whole))

    @property
    def between(self) -> Any:
        """(K, K) cosines of the angles between the gradients of two lags; nan where there is none."""
        norm = self.norm
        with np.errstate(invalid="ignore"):
            return self._products(self._rows()) / (norm[:, None] * norm)

    @property
    def remainder(self) -> Any:
        """(K,) norm of the whole gradient less the lags at a distance of at most |lags[k]|, relative to the whole."""
        xp = array_namespace(self.matrix)
        whole = self.whole.astype(np.float64)
        distance = abs(self.lags)
        size = [xp.linalg.norm(whole - self.matrix[distance <= far].sum(axis=0)) for far in distance.tolist()]
        with np.errstate(invalid="ignore", divide="ignore"):
            return xp.stack(size) / xp.linalg.norm(whole)

    def smallest_lags(self, error: float = 0.05) -> int:
        """Smallest K from which on the gradient of K lags (0 to K-1 away) misses the whole one by at most `error` of
        it; -1 where that is more than were computed."""
        if not 0 < error < 1:
            raise ValueError(f"error must lie between 0 and 1, got {error!r}")
        xp = array_namespace(self.matrix)
        misses = xp.flatnonzero(self.remainder > error)
        least = int(abs(self.lags[misses]).max()) + 2 if len(misses) else 1
        return -1 if least > int(abs(self.lags).max()) + 1 else least

    def _rows(self) -> Any:
        return self.matrix.reshape(len(self.lags), -1).astype(np.float64)

    @staticmethod
    def _products(rows: Any) -> Any:
        return rows @ rows.T


def valid_cells(steps: int, lags: Any) -> Any:
    """(T, K) bool: whether step s + lags[j] lies in the sequence."""
    loss = array_namespace(lags).arange(steps)[:, None] + lags
    return (loss >= 0) & (loss < steps)


def mean_lag(norm: Any, lags: Any = None) -> Any:
    """Mean distance |lag| weighted by norm, over the steps whose losses all exist (the edge would fake short lags).

    Parameters
    ----------
    norm : (..., T, K, B)
    lags : (K,) int, optional
        0 to K-1 if absent.

    Returns
    -------
    (...) array, in steps; nan where there is no gradient.
    """
    xp = array_namespace(norm)
    T, K = norm.shape[-3:-1]
    lags = xp.arange(K) if lags is None else xp.asarray(lags)
    first, last = max(-int(lags.min()), 0), T - max(int(lags.max()), 0)
    weight = norm[..., first : max(last, first), :, :].sum(axis=(-3, -1))  # (..., K)
    with np.errstate(invalid="ignore"):
        return weight @ abs(lags).astype(np.float64) / weight.sum(axis=-1)
