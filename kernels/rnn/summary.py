"""What there is to know of the flow of very many sequences: sums over them, and a few numbers of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .items import Flow
from .tiles import Job, told

SUMMARY = "learnviews.kernels.rnn.summary:summary_of"


@dataclass
class FlowSummary:
    """Itemized gradients of N sequences, summed up: T steps, K lags.

    A sum of norms tells where gradients are large; it is not the norm of a sum, which only shares give.
    """

    norm: np.ndarray  # (T, K) float64: norms of all sequences' cells added up
    cells: np.ndarray  # (T, K) int: how many sequences have that cell, both its step and its loss
    beyond: np.ndarray  # (T,) what was not kept: norms added up
    share: np.ndarray | None  # (T, K) shares added up; with shares
    share_beyond: np.ndarray | None  # (T,)
    total: float | None  # ||G||_F^2, of all sequences together; share.sum() + share_beyond.sum() is the same
    loss: np.ndarray  # (N,) of each sequence, summed over its steps
    largest: np.ndarray  # (N,) largest norm of a cell
    largest_step: np.ndarray  # (N,) int: the step it is at
    mean_lag: np.ndarray  # (N,) see `mean_lag`, by each sequence's own steps; nan where it is too short
    sequence_share: np.ndarray | None  # (N,) of `total`, by sequence: which ones move the weights, and against whom
    horizons: np.ndarray | None  # (K + 1,) int: at how many steps `Flow.horizon` is 0..K; None as there
    past: int  # at how many it does not lie within K
    fraction: float  # that of the horizons
    lags: np.ndarray = field(repr=False)  # (K,) int
    parameter: str = ""

    @property
    def norm_per_lag(self) -> np.ndarray:
        """(K,) mean norm of the cells at each lag; nan where there is none."""
        with np.errstate(invalid="ignore"):
            return self.norm.sum(axis=0) / self.cells.sum(axis=0)

    @property
    def share_per_lag(self) -> np.ndarray | None:
        """(K,) the part of ||G||^2 at each lag; what is missing to 1 lies beyond."""
        return None if self.share is None or not self.total else self.share.sum(axis=0) / self.total


class Sums:
    """A summary while tiles are added, in their order."""

    def __init__(self, T: int, N: int, lags: np.ndarray, shares: bool, fraction: float) -> None:
        K, reach = len(lags), int(abs(lags).max()) + 1
        self.horizons_known = True
        self.whole = FlowSummary(
            norm=np.zeros((T, K)), cells=np.zeros((T, K), np.int64), beyond=np.zeros(T),
            share=np.zeros((T, K)) if shares else None, share_beyond=np.zeros(T) if shares else None, total=None,
            loss=np.zeros(N), largest=np.zeros(N), largest_step=np.zeros(N, np.int64), mean_lag=np.full(N, np.nan),
            sequence_share=np.zeros(N) if shares else None, horizons=np.zeros(reach + 1, np.int64), past=0,
            fraction=fraction, lags=lags,
        )  # fmt: skip

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(value.nbytes for value in vars(self.whole).values() if isinstance(value, np.ndarray))

    def add(self, indices: np.ndarray, part: FlowSummary) -> None:
        """Add a tile's summary, whose sequences are these of the whole."""
        whole, steps = self.whole, len(part.norm)
        first = int(np.flatnonzero(whole.lags == part.lags[0])[0])
        columns = slice(first, first + len(part.lags))
        for name in ("norm", "cells", "share"):
            if getattr(part, name) is not None:
                getattr(whole, name)[:steps, columns] += getattr(part, name)
        for name in ("beyond", "share_beyond"):
            if getattr(part, name) is not None:
                getattr(whole, name)[:steps] += getattr(part, name)
        for name in ("loss", "largest", "largest_step", "mean_lag", "sequence_share"):
            if getattr(part, name) is not None:
                getattr(whole, name)[indices] = getattr(part, name)
        if part.horizons is None:
            self.horizons_known = False
        elif whole.horizons is not None:
            whole.horizons[: len(part.horizons)] += part.horizons
            whole.past += part.past
        whole.total, whole.parameter = part.total, part.parameter

    def summary(self) -> FlowSummary:
        """The whole."""
        if not self.horizons_known:
            self.whole.horizons, self.whole.past = None, 0
        return self.whole


@told
def summary_of(job: Job, batch: dict[str, Any], lengths: np.ndarray, G: Any, fraction: float) -> FlowSummary:
    """A tile's summary; lengths (B,): the steps of its sequences."""
    return summed_up(job.itemized(batch, G), lengths, fraction)


def summed_up(flow: Flow, lengths: np.ndarray, fraction: float = 0.95) -> FlowSummary:
    """The summary of a flow whose sequences have so many steps."""
    T, K, B = flow.norm.shape
    step = np.arange(T)[:, None, None]
    loss_at = step + flow.lags[None, :, None]
    there = (step < lengths) & (loss_at >= 0) & (loss_at < lengths)  # (T, K, B)
    share, share_beyond = flow.share, flow.share_beyond
    horizons, past = _horizons(flow, lengths, fraction)
    place = flow.norm.reshape(T * K, B).argmax(axis=0)
    return FlowSummary(
        norm=flow.norm.sum(axis=2), cells=there.sum(axis=2), beyond=flow.beyond.sum(axis=1),
        share=None if share is None else share.sum(axis=2),
        share_beyond=None if share_beyond is None else share_beyond.sum(axis=1), total=flow.total,
        loss=flow.loss.sum(axis=0, dtype=np.float64), largest=flow.norm.max(axis=(0, 1)), largest_step=place // K,
        mean_lag=_mean_lags(flow, lengths),
        sequence_share=None
        if share is None or share_beyond is None
        else share.sum(axis=(0, 1)) + share_beyond.sum(axis=0),
        horizons=horizons, past=past, fraction=fraction, lags=flow.lags, parameter=flow.parameter,
    )  # fmt: skip


def _horizons(flow: Flow, lengths: np.ndarray, fraction: float) -> tuple[np.ndarray | None, int]:
    """Of the steps that sequences have."""
    if flow.remainder is None:
        return None, 0
    found = flow.horizon(fraction)[np.arange(len(flow.norm))[:, None] < lengths]
    return np.bincount(found[found >= 0], minlength=flow.remainder.shape[1] + 1), int((found < 0).sum())


def _mean_lags(flow: Flow, lengths: np.ndarray) -> np.ndarray:
    """(B,) mean distance of the losses weighted by norm, over the steps whose losses all exist."""
    first, after = max(-int(flow.lags.min()), 0), max(int(flow.lags.max()), 0)
    step = np.arange(len(flow.norm))[:, None]
    inner = (step >= first) & (step < lengths - after)  # (T, B)
    weight = (flow.norm * inner[:, None, :]).sum(axis=0)  # (K, B)
    with np.errstate(invalid="ignore"):
        return abs(flow.lags) @ weight / weight.sum(axis=0)
