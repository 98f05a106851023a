"""One image as a row of numbers: its edges, its colours, the small picture itself. Nothing here is learned."""

from __future__ import annotations

import numpy as np

PARTS = ("hog", "colours", "thumbnail")


def described(image: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Every part of an image's description, brought to `size` x `size` pixels first: see `featurize.Pictures`."""
    small = shrunk(coloured(image), size)
    return {"hog": _gradients(small), "colours": _colours(small), "thumbnail": shrunk(small, 8).ravel()}


def chosen(features: str) -> tuple[str, ...]:
    """The parts that a choice of features stands for."""
    return PARTS if features == "all" else (features,)


def coloured(image: np.ndarray) -> np.ndarray:
    """(height, width, 3) between 0 and 1, or bytes; what is transparent lies on white."""
    if image.dtype == np.uint8:  # the usual case needs no arithmetic on all of its pixels
        if image.ndim == 2 or image.shape[2] == 1:
            return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
        if image.shape[2] == 3:
            return image
    plain = _bright(image)
    plain = plain[:, :, None] if plain.ndim == 2 else plain
    if plain.shape[2] in (2, 4):
        opaque = plain[:, :, -1:]
        plain = plain[:, :, :-1] * opaque + (1 - opaque)
    return np.repeat(plain[:, :, :1], 3, axis=2) if plain.shape[2] < 3 else plain[:, :, :3]


def _bright(image: np.ndarray) -> np.ndarray:
    """Brightnesses between 0 and 1: as shares of what the type holds, or of the brightest pixel where it holds more."""
    plain = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    if image.dtype.kind == "u" and image.dtype.itemsize <= 2:
        return plain / np.float32(np.iinfo(image.dtype).max)
    darkest = min(0.0, float(plain.min(initial=0)))
    return (plain - darkest) / (max(1.0, float(plain.max(initial=0))) - darkest)


def shrunk(image: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) between 0 and 1; every pixel of the image counts (no aliasing)."""
    from PIL import Image

    sides, gap = (size, size), 3.0
    if image.dtype == np.uint8:
        small = Image.fromarray(np.ascontiguousarray(image)).resize(sides, Image.Resampling.BILINEAR, reducing_gap=gap)
        return np.asarray(small, dtype=np.float32) / 255
    planes = [Image.fromarray(np.ascontiguousarray(image[:, :, c], dtype=np.float32)) for c in range(3)]
    made = [plane.resize(sides, Image.Resampling.BILINEAR, reducing_gap=gap) for plane in planes]
    return np.clip(np.stack([np.asarray(plane) for plane in made], axis=2), 0, 1)


def _gradients(small: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients in cells of a quarter of the side, 8 directions each. (128,)"""
    from skimage.feature import hog

    cell = max(2, len(small) // 4)
    return hog(small, orientations=8, pixels_per_cell=(cell, cell), cells_per_block=(1, 1), channel_axis=2)


def _colours(small: np.ndarray) -> np.ndarray:
    """Shares of 12 hues, weighed by their saturation, then histograms of saturation and of value, 12 bins each. (36,)

    A grey pixel has no hue: by its saturation it counts for none.
    """
    from skimage.color import rgb2hsv

    hue, saturation, value = rgb2hsv(small).reshape(-1, 3).T
    hues = np.bincount(_bins(hue), weights=saturation, minlength=12)
    others = [np.bincount(_bins(channel), minlength=12) for channel in (saturation, value)]
    return np.concatenate([hues, *others]) / len(hue)


def _bins(channel: np.ndarray) -> np.ndarray:
    return np.minimum((channel * 12).astype(np.intp), 11)
