"""The row every surrogate must beat: attributes taken as independent, a product of marginals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .product import ProductNet


def marginals(masks: np.ndarray, answers: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Size of the answers per bin (bins,) to the query that filters nothing, estimated from queries and answers.

    Shares within a view are pooled over all queries, and the total is the one that, multiplied out, gives the answers'
    sum: of all products of marginals the one of the largest Poisson likelihood. 0 for bins without any answer.
    """
    cuts = np.cumsum(sizes)[:-1]
    pooled = np.split(np.abs(answers).sum(0, dtype=np.float64), cuts)
    shares = [part / (part.sum() or 1.0) for part in pooled]
    covered = np.stack([m @ s for m, s in zip(np.split(masks, cuts, axis=1), shares, strict=True)])  # (d, n)
    let = sum(np.prod(np.delete(covered, a, axis=0), axis=0).sum() for a in range(len(sizes)))
    total = sum(part.sum() for part in pooled) / let if let else 0.0
    return np.concatenate(shares) * total


def independence(sizes: tuple[int, ...], marginals: np.ndarray, total: Any) -> ProductNet:
    """Shares of `marginals` (bins,), multiplied over attributes, times `total`: a net of rank 1."""
    total = float(total)
    keep = (marginals > 0) & (total != 0)
    net = ProductNet(sizes, keep, np.zeros((int(keep.sum()), 1)), np.ones((int(keep.sum()), 1)) if total < 0 else None)
    if keep.any():
        parts = np.split(np.asarray(marginals, np.float64)[keep], net.offsets[1:-1])
        logs = [np.log(part / (part.sum() or 1.0)) + np.log(abs(total)) / len(parts) for part in parts]
        net.parameters["log"] = np.concatenate(logs)[:, None]
        if total < 0:
            net.parameters["sign"][: len(parts[0])] = -1
    return net
