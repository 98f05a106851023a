"""How far off a surrogate is on queries it was not trained on, and how far off independence is on the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .training import relative_error


@dataclass(frozen=True)
class Error:
    """Relative absolute errors, RAE = sum |p - y| / sum |y - mean(y)|, over held-out queries.

    Attributes
    ----------
    overall : float
        Over all bars of all views.
    views : dict of float
        By view.
    independence, independence_views
        The same of the product of marginals, the row to beat.
    queries : int
        Held-out queries.
    """

    overall: float
    views: dict[str, float]
    independence: float
    independence_views: dict[str, float]
    queries: int

    def __str__(self) -> str:
        return f"RAE {self.overall:.4f} (independence {self.independence:.4f}) on {self.queries:,} held-out queries"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    schema: Any, truth: np.ndarray, found: np.ndarray, independent: np.ndarray, weights: np.ndarray | None = None
) -> Error:
    """The errors of answers (n, bins) against the truth; with `weights` every bar counts by its rows (means)."""
    rows = [_by_view(schema, truth, answers, weights) for answers in (found, independent)]
    overall = [_rae(truth, answers, weights) for answers in (found, independent)]
    return Error(overall[0], rows[0], overall[1], rows[1], len(truth))


def _by_view(schema: Any, truth: np.ndarray, answers: np.ndarray, weights: np.ndarray | None) -> dict[str, float]:
    return {
        name: _rae(truth[:, part], answers[:, part], None if weights is None else weights[:, part])
        for name, part in schema.slices.items()
    }


def _rae(truth: np.ndarray, found: np.ndarray, weights: np.ndarray | None) -> float:
    if weights is None:
        return relative_error(found, truth)
    known = ~np.isnan(truth) & (weights > 0)
    y, w = truth[known], weights[known]
    p = np.nan_to_num(found[known], nan=float(np.average(y, weights=w)) if len(y) else 0.0)
    spread = float((w * np.abs(y - np.average(y, weights=w))).sum()) if len(y) else 0.0
    miss = float((w * np.abs(p - y)).sum())
    return miss / spread if spread else (0.0 if miss == 0 else float("inf"))
