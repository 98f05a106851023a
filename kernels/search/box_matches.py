"""Which boxes of an image were found, and which of the found ones are right: what a viewer of detections shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import stash
from .boxes import matched
from .thumbnails import broken, thumbnail

if TYPE_CHECKING:
    from .data import Dataset


class Matches(NamedTuple):
    """Of one image.

    Attributes
    ----------
    right : (detections,) bool array
        Whether each finds an object; False also of those that are not sure enough.
    hit : (objects,) bool array
        Whether each is found.
    sure : (detections,) bool array
        Whether each is sure enough to count.
    """

    right: np.ndarray
    hit: np.ndarray
    sure: np.ndarray


def matches(truth: np.ndarray, found: np.ndarray, least: float = 0.0) -> Matches:
    """Match detections with objects by the rule of `boxes.average_precision`.

    Parameters
    ----------
    truth : (objects, 4) array
    found : (detections, 5) array
        Corners and confidence.
    least : float
        Detections that are less sure do not count.
    """
    sure = found[:, 4] >= least
    places = np.where(sure, matched(truth, found), -1)  # a less sure one never takes a box from a surer one
    hit = np.zeros(len(truth), dtype=bool)
    hit[places[places >= 0]] = True
    return Matches(places >= 0, hit, sure)


class Picture(NamedTuple):
    """An image small, (side, side, 4) uint8, its own (width, height), and what is wrong with it."""

    tile: np.ndarray
    size: tuple[int, int]
    problem: str = ""


def pictures(data: Dataset, column: str, rows: Iterable[Any], side: int) -> list[Picture]:
    """Of the images that some rows name; each file is read once as long as it stays as it is.

    Raises
    ------
    ValueError
        If there is no such column or row, or it does not name images.
    """
    from .media import named_files

    return [_picture(path, side) for path in named_files(data, column, "image", rows)]


def _picture(path: Any, side: int) -> Picture:
    from .media import read_image

    if path is None:
        return Picture(np.zeros((side, side, 4), np.uint8), (side, side), "no image named")

    def make() -> dict[str, np.ndarray]:
        image = read_image(path)
        return {"tile": thumbnail(image, side), "size": np.array(image.shape[1::-1])}

    try:
        found = stash.of_file(path, ("picture", side), make)
        return Picture(found["tile"], tuple(found["size"].tolist()))
    except (ValueError, OSError) as error:
        told = "no such file" if isinstance(error, FileNotFoundError) else "cannot be read as an image"
        return Picture(broken(side), (side, side), f"{path.name}: {told}")
