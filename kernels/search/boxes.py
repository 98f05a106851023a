"""Boxes found in images against those that are there: the average precision of D3M's objectDetectionAP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

BETWEEN = ";"
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
    """(boxes, 4) of what is in one image: a list of boxes, text of boxes joined by ";", or none."""
    parts = [part for part in cell.split(BETWEEN) if part.strip()] if isinstance(cell, str) else _listed(cell)
    return np.array([corners(box) for box in parts]).reshape(-1, 4)


def detections(cell: Any) -> np.ndarray:
    """(boxes, 5) of what was found in one image, corners and confidence: a list of (box, confidence), or text of five
    numbers per box joined by ";"."""
    if isinstance(cell, str):
        parts = [part.split(",") for part in cell.split(BETWEEN) if part.strip()]
        if any(len(part) != 5 for part in parts):
            raise ValueError(f"detections {cell[:60]!r}: expected 5 numbers each, the last one a confidence")
        return np.array(parts, dtype=float).reshape(-1, 5)
    return np.array([[*corners(box), float(sure)] for box, sure in _listed(cell)]).reshape(-1, 5)


def written(rows: np.ndarray) -> str:
    """Boxes (n, 4), or detections (n, 5), as text that `boxes` and `detections` read."""
    ends = ("{:.6g}",) * 4 + ("{:.4f}",)
    return BETWEEN.join(",".join(end.format(value) for end, value in zip(ends, row, strict=False)) for row in rows)


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
    return precision_of(truth, found)(np.arange(len(truth)))


def precision_of(truth: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> Callable[[np.ndarray], float]:
    """`average_precision` of any choice of these images, by their places; one that is chosen twice counts twice.

    Which detection finds which box is a matter of one image alone: it is settled once, for all resamples.
    """
    ranked = sorted((-row[4], *row[:4], image) for image, rows in enumerate(found) for row in rows)
    right, of = _right(truth, ranked), np.array([image for *_, image in ranked], dtype=int)
    boxes_of = np.array([len(each) for each in truth])

    def score(images: np.ndarray) -> float:
        times = np.bincount(images, minlength=len(truth))
        wanted = int(boxes_of @ times)
        if not wanted:
            return float("nan")
        hits = np.repeat(right, times[of])
        found_so_far = np.cumsum(hits)
        recall, precision = found_so_far / wanted, found_so_far / np.arange(1, len(hits) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.sum(np.diff(recall, prepend=0.0) * envelope))

    return score


def matched(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Which box of one image each detection finds: its place in `truth` (boxes, 4), -1 for a wrong one. (detections,)

    As `average_precision` counts them: in the order of `found` (detections, 5), by confidence.
    """
    places = np.full(len(found), -1)
    for at in sorted(range(len(found)), key=lambda at: (-found[at, 4], *found[at, :4])):
        share = overlaps(found[at, :4], truth) if len(truth) else np.zeros(1)
        best = int(np.argmax(share))
        if share.max() > OVERLAP and best not in places:
            places[at] = best
    return places


def _right(truth: Sequence[np.ndarray], ranked: list[tuple]) -> np.ndarray:
    """Whether each detection finds a box, the surest first."""
    taken, right = set(), []
    for _, *box, image in ranked:
        share = overlaps(np.array(box), truth[image]) if len(truth[image]) else np.zeros(1)
        best = (image, int(np.argmax(share)))
        right.append(bool(share.max() > OVERLAP) and best not in taken)
        if right[-1]:
            taken.add(best)
    return np.array(right, dtype=bool)
