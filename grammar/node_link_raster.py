"""Graphs of many edges as an image, by Datashader: edges under nodes, of what is seen only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

Window = tuple[float, float, float, float]
"""x0, y0, x1, y1."""
INK = ["#C9D3DC", "#7C8FA0", "#2C3E50"]  # of edges, from few to many


def polylines(paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and y of all paths one after the other, parted by nan."""
    gap = np.full((len(paths), 1, 2), np.nan, dtype=np.float32)
    flat = np.concatenate([paths.astype(np.float32, copy=False), gap], axis=1).reshape(-1, 2)
    return np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1])


def edge_image(lines: tuple[np.ndarray, np.ndarray], window: Window, shape: tuple[int, int]) -> np.ndarray:
    """Edges inside a window as an image, from below, (height, width) uint32: darker where there are more."""
    import datashader as ds
    import pandas as pd
    from datashader import transfer_functions as tf

    x0, y0, x1, y1 = window
    canvas = ds.Canvas(*shape, x_range=(x0, x1), y_range=(y0, y1))
    frame = pd.DataFrame({"x": lines[0], "y": lines[1]})
    counts = canvas.line(frame, "x", "y", ds.count())
    image = tf.shade(counts, cmap=INK, how="eq_hist", min_alpha=60)
    return np.ascontiguousarray(image.to_numpy())


def stamp_nodes(image: np.ndarray, places: np.ndarray, inks: np.ndarray, window: Window, radius: float = 2.6) -> None:
    """Draw nodes inside a window into such an image, as discs, later ones over earlier ones.

    Parameters
    ----------
    places : (nodes, 2) array
    inks : (nodes,) array of str
        Colours, as "#RRGGBB".
    """
    height, width = image.shape
    x0, y0, x1, y1 = window
    column = np.floor((places[:, 0] - x0) / (x1 - x0) * width)
    row = np.floor((places[:, 1] - y0) / (y1 - y0) * height)
    colors, at = np.unique(inks.astype(str), return_inverse=True)
    reach = int(radius)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > radius * radius:
                continue
            x, y = column + dx, row + dy
            there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            image[y[there].astype(int), x[there].astype(int)] = _rgba(colors)[at[there]]


def _rgba(colors: np.ndarray) -> np.ndarray:
    """Colours as (colours,) uint32: red in the lowest byte, and opaque."""
    parts = np.array([[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in colors], dtype=np.uint32)
    return parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16 | np.uint32(255) << 24


@lru_cache(1)
def warm() -> None:
    """Compile what an image needs: seconds, once, best in a thread."""
    edge_image(polylines(np.zeros((1, 2, 2), np.float32)), (0.0, 0.0, 1.0, 1.0), (8, 8))
