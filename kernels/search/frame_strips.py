"""Strips of frames, evenly spread over a video: what is in a clip without playing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import stash
from .clips import read_clip
from .media import named_files
from .thumbnails import thumbnail

if TYPE_CHECKING:
    from .data import Dataset

FRAMES, SIDE = 8, 72  # of a strip, and pixels of each


class Strip(NamedTuple):
    """A few frames of a clip as small pictures.

    Attributes
    ----------
    tiles : (frames, side, side, 4) uint8 array
        Whole and undistorted, transparent beside them.
    times : (frames,) array
        Seconds from the beginning.
    seconds, rate : float
        Length of the clip, and frames per second.
    size : (int, int)
        Width and height of its frames.
    """

    tiles: np.ndarray
    times: np.ndarray
    seconds: float
    rate: float
    size: tuple[int, int]


def strip(frames: Sequence[Any], rate: float = 25.0, count: int = FRAMES, side: int = SIDE) -> Strip:
    """Of a clip that is there as arrays.

    Parameters
    ----------
    frames : sequence of (height, width) or (height, width, channels) arrays
    rate : float
        Frames per second, above 0.

    Raises
    ------
    ValueError
        If there is no frame, or no such rate.
    """
    if not len(frames) or not rate > 0:
        raise ValueError(f"expected frames and a rate above 0, got {len(frames)} frames and {rate}")
    at = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    tiles = np.stack([thumbnail(frames[place], side) for place in at])
    high, wide = np.shape(frames[0])[:2]
    return Strip(tiles, at / rate, len(frames) / rate, float(rate), (wide, high))


def read_strip(path: Path, count: int = FRAMES, side: int = SIDE) -> Strip:
    """Of a video file; made once as long as the file stays as it is.

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As `clips.read_clip`.
    """
    if not path.is_file():
        raise FileNotFoundError(path)

    def make() -> dict[str, Any]:
        clip = read_clip(path, count)
        tiles = np.stack([thumbnail(frame, side) for frame in clip.frames])
        high, wide = clip.frames.shape[1:3]
        numbers = np.array([clip.seconds, clip.rate, wide, high])
        return {"tiles": tiles, "times": clip.times, "numbers": numbers}

    found = stash.of_file(path, ("strip", count, side), make)
    seconds, rate, wide, high = found["numbers"].tolist()
    return Strip(found["tiles"], found["times"], seconds, rate, (int(wide), int(high)))


def strips(
    data: Dataset, column: str, rows: Iterable[Any] | None = None, count: int = FRAMES, side: int = SIDE
) -> tuple[list[Strip | None], list[str]]:
    """Of the videos that a column names.

    Returns
    -------
    found : list
        None where nothing is named, or a file cannot be read.
    problems : list of str
        What is wrong with each; "" where nothing is.

    Raises
    ------
    ImportError
        If PyAV is not installed.
    ValueError
        If there is no such column or row, or it does not name videos.
    """
    made = [_of_file(path, count, side) for path in named_files(data, column, "video", rows)]
    return [each for each, _ in made], [problem for _, problem in made]


def _of_file(path: Path | None, count: int, side: int) -> tuple[Strip | None, str]:
    if path is None:
        return None, "no video named"
    try:
        return read_strip(path, count, side), ""
    except FileNotFoundError:
        return None, f"{path.name}: no such file"
    except (ValueError, OSError):
        return None, f"{path.name}: cannot be read as a video"
