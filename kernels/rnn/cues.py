"""Which units are worth looking at, by what moved them through a training."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

CUES = ("share", "norm", "change")
STAGES = 10  # parts of a training that are compared


def part_of_whole(share: Any) -> np.ndarray:
    """Each row's signed share as a part of all rows' shares of the same batch.

    Parameters
    ----------
    share : (N, R)
        Signed shares of |G|² per batch and row (unit, gate, ...); floats.

    Returns
    -------
    (N, R) floats
        From -1 to 1: divided by the sum of the absolute shares, which is the sum itself where none is negative.
        0 in a batch without any.
    """
    share = np.asarray(share)
    return share * _inverse(np.abs(share).sum(axis=1, dtype=np.float64)).astype(share.dtype)[:, None]


def cue(norm: Any, share: Any, by: str = "share", stages: int = STAGES) -> np.ndarray:
    """How much each unit deserves a look; the more the larger.

    Parameters
    ----------
    norm, share : (N, R)
        Norm of each unit's gradient, and its signed share of |G|², per recorded batch.
    by : {"share", "norm", "change"}
        "share": the mean over all batches of the absolute part that the unit has of |G|² (`part_of_whole`).
        "norm": root mean square of its norm, in which the batches with large gradients count most.
        "change": how far its part of the whole went up and down through the training. The part is norm² / sum of all
        units' norm², so that a change of all gradients together is none. The training is cut into `stages` equally
        long stretches, over each of which the part is averaged, so that single batches count little; the change is the
        difference between the stretch with the largest mean and the one with the smallest.
    stages : int
        As many as there are batches, at most.

    Returns
    -------
    (R,) float64
        Parts from 0 to 1, or for "norm" in the unit of the norms.

    Raises
    ------
    ValueError
        If the arrays are not of one shape (batches, units), or `by` is unknown.
    """
    norm, share = np.asarray(norm), np.asarray(share)
    if norm.ndim != 2 or norm.shape != share.shape:
        raise ValueError(f"expected norms and shares of one shape (batches, units), got {norm.shape}, {share.shape}")
    if by not in CUES:
        raise ValueError(f"by must be one of {list(CUES)}, got {by!r}")
    if not len(norm):
        return np.zeros(norm.shape[1])
    stages = 1 if by == "share" else min(stages, len(norm))
    edges = np.linspace(0, len(norm), stages + 1).astype(int)
    found = [_of_stage(norm[a:b], share[a:b], by) for a, b in itertools.pairwise(edges)]
    if by == "norm":
        return np.sqrt(np.sum(found, axis=0) / len(norm))
    return found[0] / len(norm) if by == "share" else np.ptp(found / np.diff(edges)[:, None], axis=0)


def _of_stage(norm: np.ndarray, share: np.ndarray, by: str) -> np.ndarray:
    """(R,) sum over a stretch of the training of the part of |G|², of the squared norm, or of its part."""
    values = np.abs(share) if by == "share" else norm.astype(np.float64) ** 2
    if by == "norm":
        return values.sum(axis=0)
    weight = _inverse(values.sum(axis=1, dtype=np.float64))
    return weight.astype(values.dtype) @ values


def _inverse(whole: np.ndarray) -> np.ndarray:
    return np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)


def in_order(score: Any) -> np.ndarray:
    """(R,) int: units by falling score; of equal ones the first comes first."""
    return np.argsort(-np.asarray(score), kind="stable")
