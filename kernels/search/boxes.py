"""Boxes found in images against those that are there: the average precision of D3M's objectDetectionAP."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

OVERLAP = 0.5
"""A box is found where more than this of the union of both is shared."""


def corners(box: Any) -> np.ndarray:
    """A box as (x_min, y_min, x_max, y_max), in whole pixels or not.

    Parameters
    ----------
    box : sequence of 4 or 8 numbers, or text of them with commas
        The corners above, or as D3M writes them a rectangle's four vertices.

    Raises
    ------
    ValueError
        If it is no upright rectangle.
    """
    try:
        numbers = np.array(box.split(",") if isinstance(box, str) else box, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"box {box!r}: expected 4 or 8 numbers") from None
    if numbers.shape == (4,):
        return numbers
    if numbers.shape != (8,):
        raise ValueError(f"box {box!r}: expected 4 or 8 numbers, not {numbers.size}")
    x, y = numbers[::2], numbers[1::2]
    if len(set(x)) > 2 or len(set(y)) > 2:
        raise ValueError(f"box {box!r}: no upright rectangle")
    return np.array([x.min(), y.min(), x.max(), y.max()])


def boxes(cell: Any) -> np.ndarray:
    """(boxes, 4) of what is in one image: a list of boxes, or none."""
    return np.array([corners(box) for box in _listed(cell)]).reshape(-1, 4)


def detections(cell: Any) -> np.ndarray:
    """(boxes, 5) of what was found in one image, a list of (box, confidence): corners and confidence."""
    return np.array([[*corners(box), float(sure)] for box, sure in _listed(cell)]).reshape(-1, 5)


def _listed(cell: Any) -> Iterable[Any]:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return []
    return cell


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of the union that a box has in common with each of others (n, 4); a side from a to b is b - a + 1 long."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:])
    shared = np.prod(np.maximum(high - low + 1, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2] + 1, axis=1)
    return shared / (np.prod(box[2:4] - box[:2] + 1) + areas - shared)


def average_precision(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """Area under the envelope of precision over recall; nan where there is no box to be found.

    Parameters
    ----------
    truth : sequence of (boxes, 4) arrays
        Per image.
    found : sequence of (boxes, 5) arrays
        With confidences, per image.

    Notes
    -----
    The surest detections come first, of equally sure ones the leftmost and then the upper. Each looks only at the box
    that it overlaps most: it is wrong where another one had that box before.
    """
    wanted = sum(map(len, truth))
    if not wanted:
        return float("nan")
    right = np.array(_right(truth, found), dtype=bool)
    hits = np.cumsum(right)
    recall, precision = hits / wanted, hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def _right(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> list[bool]:
    """Whether each detection finds a box, the surest first."""
    ranked = [(-row[4], *row[:4], image) for image, rows in enumerate(found) for row in rows]
    taken, right = set(), []
    for _, *box, image in sorted(ranked):
        share = overlaps(np.array(box), truth[image]) if len(truth[image]) else np.zeros(1)
        best = (image, int(np.argmax(share)))
        right.append(bool(share.max() > OVERLAP) and best not in taken)
        if right[-1]:
            taken.add(best)
    return right
