"""Optical flow between pairs of small grey pictures, all pairs at once (Lucas and Kanade 1981, coarse to fine)."""

from __future__ import annotations

import numpy as np

LEVELS = (4, 2, 1)  # how much smaller pictures are made, one after the other
FLAT = 1e-4  # squared change of brightness per pixel below which nothing can be told


def flow(before: np.ndarray, after: np.ndarray, reach: int = 4, rounds: int = 4) -> np.ndarray:
    """Where each pixel goes.

    Parameters
    ----------
    before, after : (pairs, height, width) arrays
        Brightness from 0 to 1; sides are multiples of 4.
    reach : int
        All pixels so far around a pixel are taken to move as it does.
    rounds : int
        Per level; each moves a pixel by at most one of that level.

    Returns
    -------
    (pairs, height, width, 2) array
        Pixels right and down.
    """
    from scipy.ndimage import median_filter

    found = np.zeros((len(before), before.shape[1] // LEVELS[0], before.shape[2] // LEVELS[0], 2))
    for level in LEVELS:
        small = [_shrunk(np.asarray(each, dtype=float), level) for each in (before, after)]
        if found.shape[1] != small[0].shape[1]:
            found = 2 * found.repeat(2, axis=1).repeat(2, axis=2)
        for _ in range(rounds):
            found = found + _step(small[0], _moved(small[1], found), reach)
        found = median_filter(found, (1, 3, 3, 1))  # single pixels that went astray
    return found


def _shrunk(pictures: np.ndarray, level: int) -> np.ndarray:
    """Means of blocks of `level` x `level` pixels."""
    pairs, height, width = pictures.shape
    return pictures.reshape(pairs, height // level, level, width // level, level).mean(axis=(2, 4))


def _step(before: np.ndarray, after: np.ndarray, reach: int) -> np.ndarray:
    """What moves `after` nearer to `before`: least squares over the neighbours of each pixel. As `flow`."""
    from scipy.ndimage import uniform_filter

    mean = lambda values: uniform_filter(values, (0, 2 * reach + 1, 2 * reach + 1))  # noqa: E731
    down, right = np.gradient(after, axis=(1, 2))
    left = before - after
    a, b, d = mean(right * right) + FLAT, mean(right * down), mean(down * down) + FLAT
    e, f = mean(right * left), mean(down * left)
    determinant = a * d - b * b
    step = np.stack([d * e - b * f, a * f - b * e], axis=-1) / determinant[..., None]
    return np.clip(step, -1, 1)


def _moved(pictures: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Pictures read where the flow points to, between pixels by straight lines; beyond the border its pixels."""
    pairs, height, width = pictures.shape
    rows, columns = np.mgrid[:height, :width]
    x = np.clip(columns + flow[..., 0], 0, width - 1)
    y = np.clip(rows + flow[..., 1], 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    u, v, pair = x - left, y - top, np.arange(pairs)[:, None, None]
    upper = (1 - u) * pictures[pair, top, left] + u * pictures[pair, top, left + 1]
    lower = (1 - u) * pictures[pair, top + 1, left] + u * pictures[pair, top + 1, left + 1]
    return (1 - v) * upper + v * lower
