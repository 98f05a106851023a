"""Small pictures of images, all of one size: what a mosaic is laid of. A broken file is a tile that says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import stash
from .pictures import coloured

if TYPE_CHECKING:
    from .data import Dataset

SIDE = 40  # pixels
GROUND, CROSS = (238, 238, 238, 255), (213, 94, 0, 255)


def thumbnail(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """An image, whole and undistorted, in the middle of a square. (side, side, 4) uint8, transparent beside it.

    Parameters
    ----------
    image : (height, width) or (height, width, 1 to 4) array
        Bytes, or other numbers as brightnesses; what is transparent lies on white.
    side : int

    Raises
    ------
    ValueError
        If it is no image, or of no pixels.
    """
    from PIL import Image

    image = np.asarray(image)
    if image.ndim not in (2, 3) or not image.size or (image.ndim == 3 and not 1 <= image.shape[2] <= 4):
        raise ValueError(f"expected an image as (height, width) or with 1 to 4 channels, got {image.shape}")
    plain = coloured(image)
    plain = plain if plain.dtype == np.uint8 else np.rint(np.clip(plain, 0, 1) * 255).astype(np.uint8)
    high, wide = (max(1, round(side * each / max(plain.shape[:2]))) for each in plain.shape[:2])
    crisp = max(plain.shape[:2]) < side  # few pixels, such as digits: as squares, not blurred
    way = Image.Resampling.NEAREST if crisp else Image.Resampling.BILINEAR
    small = Image.fromarray(np.ascontiguousarray(plain)).resize((wide, high), way, reducing_gap=3.0)
    tile = np.zeros((side, side, 4), np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    tile[top : top + high, left : left + wide, :3] = np.asarray(small)
    tile[top : top + high, left : left + wide, 3] = 255
    return tile


def broken(side: int = SIDE) -> np.ndarray:
    """The tile of an image that cannot be read: a cross on grey. (side, side, 4) uint8"""
    tile = np.tile(np.array(GROUND, np.uint8), (side, side, 1))
    down, across = np.indices((side, side))
    thick = max(1, side // 20)
    cross = np.minimum(abs(down - across), abs(down + across - side + 1)) <= thick
    inside = np.minimum(np.minimum(down, across), side - 1 - np.maximum(down, across)) >= side // 5
    tile[cross & inside] = CROSS
    return tile


def thumbnails(
    data: Dataset, column: str, rows: Iterable[Any] | None = None, side: int = SIDE
) -> tuple[np.ndarray, list[str]]:
    """Of the images that a column names; each file is read once as long as it stays as it is.

    Returns
    -------
    tiles : (rows, side, side, 4) uint8
        Empty where nothing is named.
    problems : list of str
        What is wrong with each; "" where nothing is.

    Raises
    ------
    ValueError
        If there is no such column or row, or it does not name images.
    """
    from .media import named_files

    made = [_of_file(path, side) for path in named_files(data, column, "image", rows)]
    tiles = np.stack([tile for tile, _ in made]) if made else np.zeros((0, side, side, 4), np.uint8)
    return tiles, [problem for _, problem in made]


def _of_file(path: Any, side: int) -> tuple[np.ndarray, str]:
    from .media import read_image

    if path is None:
        return np.zeros((side, side, 4), np.uint8), "no image named"
    try:
        return stash.of_file(path, ("thumbnail", side), lambda: thumbnail(read_image(path, side), side)), ""
    except (ValueError, OSError) as error:
        return broken(side), f"{path.name}: {_told(error)}"


def _told(error: Exception) -> str:
    return "no such file" if isinstance(error, FileNotFoundError) else "cannot be read as an image"


def of_arrays(images: Iterable[Any], side: int = SIDE) -> tuple[np.ndarray, list[str]]:
    """The same of images that are there as arrays; None: there is none."""
    made = [_of_array(image, side) for image in images]
    tiles = np.stack([tile for tile, _ in made]) if made else np.zeros((0, side, side, 4), np.uint8)
    return tiles, [problem for _, problem in made]


def _of_array(image: Any, side: int) -> tuple[np.ndarray, str]:
    if image is None:
        return np.zeros((side, side, 4), np.uint8), "no image"
    try:
        return thumbnail(image, side), ""
    except (ValueError, TypeError) as error:
        return broken(side), str(error)
