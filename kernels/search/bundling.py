"""Edges that run side by side, drawn as bundles: each is drawn towards where many others run.

After Hurter, Ersoy and Telea, "Graph Bundling by Kernel Density Estimation" (2012): edges are sampled; in each round
the density of all samples is estimated, samples climb it a little, and each edge is smoothed; the kernel narrows from
round to round.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from ..progress import Progress

SAMPLES = 20  # of an edge
ROUNDS = 12
CELLS = 384  # of the grid of the density, along the longer side
WIDE, SHRINKS = 0.035, 0.82  # of the kernel, as a part of the longer side, and from round to round


def straight(places: np.ndarray, edges: np.ndarray, samples: int = 2) -> np.ndarray:
    """(edges, samples, 2) points of straight edges, evenly spaced."""
    ends = np.asarray(places, dtype=np.float32)[np.asarray(edges, dtype=np.int64).reshape(-1, 2)]
    part = np.linspace(0, 1, samples, dtype=np.float32)[None, :, None]
    return ends[:, :1] * (1 - part) + ends[:, 1:] * part


def bundled(
    places: Any,
    edges: Any,
    samples: int = SAMPLES,
    rounds: int = ROUNDS,
    progress: Progress | None = None,
) -> np.ndarray:
    """Paths of edges, bundled.

    Parameters
    ----------
    places : (nodes, 2) array
    edges : (edges, 2) int array
    samples : int
        Points of an edge.
    rounds : int
    progress : Progress, optional

    Returns
    -------
    (edges, samples, 2) float32 array
        The ends are where the nodes are.

    Raises
    ------
    CancelledError
        If `progress` was cancelled.
    """
    places = np.asarray(places, dtype=np.float32).reshape(-1, 2)
    paths = straight(places, edges, samples)
    if progress is not None:
        progress.start(rounds)
    if not len(paths):
        return paths
    low = places.min(axis=0)
    side = float((places.max(axis=0) - low).max()) or 1.0
    scaled = (paths - low) / side * (CELLS - 1)
    wide = WIDE * CELLS
    long = np.hypot(*(scaled[:, -1] - scaled[:, 0]).T)[:, None, None]
    for each in range(rounds):
        if progress is not None:
            if progress.cancelled:
                raise CancelledError
            progress.update(each, lambda: "bundling the edges")
        step = 0.5 * wide * np.minimum(long / (10 * wide), 1)  # short edges have no way to go together
        scaled[:, 1:-1] += step * climb(scaled.reshape(-1, 2), wide).reshape(scaled.shape)[:, 1:-1]
        for _ in range(3):
            scaled[:, 1:-1] = 0.5 * scaled[:, 1:-1] + 0.25 * (scaled[:, :-2] + scaled[:, 2:])
        wide *= SHRINKS
    if progress is not None:
        progress.update(rounds)
    paths[:, 1:-1] = scaled[:, 1:-1] * (side / (CELLS - 1)) + low
    return paths


def climb(points: np.ndarray, wide: float, cells: int = CELLS) -> np.ndarray:
    """(points, 2) towards where there are more points: the gradient of their density, at most 1 long.

    Parameters
    ----------
    points : (points, 2) array
        Within the grid, a cell being 1 wide.
    wide : float
        Standard deviation of the kernel, in cells.
    """
    at = np.clip(np.rint(points), 0, cells - 1).astype(np.int64)
    counts = np.bincount(at[:, 0] * cells + at[:, 1], minlength=cells * cells).reshape(cells, cells)
    density = ndimage.gaussian_filter(counts.astype(np.float32), wide, mode="constant", truncate=3.0)
    slopes = np.stack([each[at[:, 0], at[:, 1]] for each in np.gradient(density)], axis=1)
    long = np.hypot(*slopes.T)[:, None]
    typical = np.median(long)
    return slopes / np.maximum(long, max(float(typical) * 0.1, 1e-12))
