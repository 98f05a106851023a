"""Places in an image where an object may be, and what they look like: windows, regions, sums over cells.

A picture is brought to channels (gradients by direction, their size, colours) whose sums over any rectangle come from
four corners of an integral image (Viola and Jones 2001; Dollár et al. 2009): thousands of windows of any shape are
described at once. Boxes are (x_min, y_min, x_max, y_max), in pixels of the picture.
"""

from __future__ import annotations

import warnings

import numpy as np

from . import boxes

DIRECTIONS = 8  # of gradients, in half a circle
CHANNELS = DIRECTIONS + 4  # and their size, and three colours
RING = 0.25  # of its sides: so much of what is around a window is looked at
MOST = 3000  # windows of a picture; where there are more they lie farther apart
_SCALES = (60, 250)  # of regions: the larger the number, the larger they are


def channels(picture: np.ndarray) -> np.ndarray:
    """(height, width, CHANNELS) of a (height, width, 3) picture with values between 0 and 1."""
    grey = picture.mean(axis=2)
    down, right = np.gradient(grey)
    size = np.hypot(right, down)
    way = (np.arctan2(down, right) % np.pi) * (DIRECTIONS / np.pi)
    lower = np.floor(way)
    share = way - lower  # a direction between two counts for both
    found = np.zeros((*grey.shape, CHANNELS))
    rows, columns = np.indices(grey.shape, sparse=True)
    found[rows, columns, lower.astype(int) % DIRECTIONS] += size * (1 - share)
    found[rows, columns, (lower.astype(int) + 1) % DIRECTIONS] += size * share
    found[:, :, DIRECTIONS] = size
    found[:, :, DIRECTIONS + 1 :] = picture
    return found


def integral(found: np.ndarray) -> np.ndarray:
    """(height + 1, width + 1, channels): sums of all that is above and left."""
    return np.pad(found.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0), (0, 0)))


def sums(whole: np.ndarray, left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Sums over rectangles [left, right) x [top, bottom) of any number; (..., channels)."""
    return whole[bottom, right] - whole[top, right] - whole[bottom, left] + whole[top, left]


def described(whole: np.ndarray, places: np.ndarray, cells: int) -> np.ndarray:
    """What windows look like, each as (cells x cells x CHANNELS + CHANNELS + 2) numbers.

    Per cell the gradients by direction, relative to all of the window, the size of its gradients and its colours; then
    what lies around the window in the same channels, less what lies in it; then the logarithms of its sides.

    Parameters
    ----------
    whole : (height + 1, width + 1, CHANNELS) array
        From `integral`.
    places : (windows, 4) array
        Parts beyond the picture are cut off.
    cells : int
        Along a side.
    """
    height, width = whole.shape[0] - 1, whole.shape[1] - 1
    x = _edges(places[:, 0], places[:, 2], cells, width)  # (windows, cells + 1)
    y = _edges(places[:, 1], places[:, 3], cells, height)
    of_cells = sums(whole, x[:, None, :-1], y[:, :-1, None], x[:, None, 1:], y[:, 1:, None])
    areas = (x[:, None, 1:] - x[:, None, :-1]) * (y[:, 1:, None] - y[:, :-1, None])
    means = of_cells / areas[..., None]  # (windows, cells, cells, CHANNELS)
    edges = means[..., :DIRECTIONS]
    edges = edges / (np.sqrt((edges**2).sum(axis=(1, 2, 3), keepdims=True)) + 1e-2)
    told = np.concatenate([edges, means[..., DIRECTIONS:]], axis=-1).reshape(len(places), -1)
    sides = np.log(np.maximum(places[:, 2:] - places[:, :2], 1.0))
    return np.hstack([told, _around(whole, places, x, y), sides])


def _edges(low: np.ndarray, high: np.ndarray, cells: int, most: int) -> np.ndarray:
    """Borders of cells as whole pixels, each at least one wide."""
    edges = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, cells + 1)
    places = np.arange(cells + 1)
    edges = np.maximum.accumulate(np.clip(np.floor(edges + 0.5).astype(int), 0, most) - places, axis=1) + places
    return np.minimum(edges, most - cells + places)


def _around(whole: np.ndarray, places: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Means of a ring around each window, less those of the window. (windows, CHANNELS)"""
    wide = RING * (places[:, 2:] - places[:, :2])
    most = np.array([whole.shape[1] - 1, whole.shape[0] - 1])
    low = np.clip(np.rint(places[:, :2] - wide).astype(int), 0, np.stack([x[:, 0], y[:, 0]], axis=1))
    high = np.clip(np.rint(places[:, 2:] + wide).astype(int), np.stack([x[:, -1], y[:, -1]], axis=1), most)
    inner = sums(whole, x[:, 0], y[:, 0], x[:, -1], y[:, -1])
    outer = sums(whole, low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    of_inner = (x[:, -1] - x[:, 0]) * (y[:, -1] - y[:, 0])
    of_ring = np.prod(high - low, axis=1) - of_inner
    return (outer - inner) / np.maximum(of_ring, 1)[:, None] - inner / of_inner[:, None]


# -- where to look


def shapes_of(drawn: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` typical (width, height) of boxes (boxes, 4), by k-means of their logarithms."""
    from scipy.cluster.vq import kmeans2

    sides = np.log(np.maximum(drawn[:, 2:] - drawn[:, :2], 1.0))
    begin = np.unique(sides.round(6), axis=0)
    begin = begin[np.random.default_rng(seed).permutation(len(begin))[:count]]
    with warnings.catch_warnings():  # of a cluster that runs empty: it stays where it is
        warnings.simplefilter("ignore", UserWarning)
        return np.exp(kmeans2(sides, begin, minit="matrix")[0])


def sliding(height: int, width: int, shapes: np.ndarray, stride: float) -> np.ndarray:
    """Windows of these shapes, `stride` of their sides apart, all over a picture. (windows, 4)"""
    while True:
        found = np.concatenate([_grid(height, width, w, h, stride) for w, h in shapes])
        if len(found) <= MOST:
            return found
        stride *= 1.25


def _grid(height: int, width: int, w: float, h: float, stride: float) -> np.ndarray:
    w, h = min(w, width), min(h, height)
    x = np.linspace(0, width - w, max(1, int(np.ceil((width - w) / max(1.0, stride * w))) + 1))
    y = np.linspace(0, height - h, max(1, int(np.ceil((height - h) / max(1.0, stride * h))) + 1))
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.hstack([corners, corners + np.array([w, h])])


def regions(picture: np.ndarray) -> np.ndarray:
    """Boxes around regions of a picture (bytes) by segmentation, coarse and fine (Felzenszwalb, Huttenlocher 2004)."""
    from skimage.measure import regionprops
    from skimage.segmentation import felzenszwalb

    least = max(16, picture.shape[0] * picture.shape[1] // 1000)
    found = []
    for scale in _SCALES:
        labels = felzenszwalb(picture, scale=scale, sigma=0.8, min_size=least, channel_axis=2)
        found += [(left, top, right, bottom) for top, left, bottom, right in (r.bbox for r in regionprops(labels + 1))]
    return np.unique(np.array(found, dtype=float).reshape(-1, 4), axis=0)


# -- which of them to keep


def shared(places: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Share of the union of each pair of boxes. (places, drawn)"""
    if not len(drawn) or not len(places):
        return np.zeros((len(places), len(drawn)))
    return np.stack([boxes.overlaps(box, places) for box in drawn], axis=1)


def suppressed(places: np.ndarray, sure: np.ndarray, overlap: float, most: int) -> np.ndarray:
    """Places of the surest boxes, none of which shares more than `overlap` with a surer one; at most `most`."""
    kept: list[int] = []
    left = np.argsort(-sure, kind="stable")
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[boxes.overlaps(places[best], places[left]) <= overlap]
    return np.array(kept, dtype=int)
