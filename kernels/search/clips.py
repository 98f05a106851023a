"""Clips of video: files read as pairs of frames, and a clip as rows of numbers: colours, texture, motion.

Frames are looked at in pairs that follow each other, at moments spread evenly over the clip: what changes within a pair
is motion, in sides of the frame per second. A clip of one frame has no motion, all of it is 0. A truncated file is seen
as far as it goes; one without a single frame is an error. The sound of a clip is not heard.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MOMENTS = 8  # pairs of frames that a description looks at
SIDE = 32  # pixels along a side in which motion is looked for
PARTS = ("colours", "texture", "motion")
MISSING = 'videos need PyAV: pip install "learnviews[media]"'
_STILL = 1 / 25  # seconds between frames of a file that does not say it
_MOVED = 0.08  # change of brightness that counts as motion
_WAYS = 8  # directions


class Clip(NamedTuple):
    """Moments of a video.

    Attributes
    ----------
    frames, later : (moments, height, width, 3) uint8 arrays
        A frame per moment, and the one that follows it; of a clip of one frame that frame again.
    times : (moments,) array
        Seconds from the beginning.
    steps : (moments,) array
        Seconds from `frames` to `later`.
    seconds : float
        Length of the clip, as far as it can be read.
    rate : float
        Frames per second.
    count : int
        Frames in all, as far as they can be read.
    """

    frames: np.ndarray
    later: np.ndarray
    times: np.ndarray
    steps: np.ndarray
    seconds: float
    rate: float
    count: int


def read_clip(path: Path, moments: int = MOMENTS, side: int | None = None) -> Clip:
    """Moments of a video file (mp4, avi, webm, mkv, mov: what FFmpeg reads).

    Parameters
    ----------
    path : path
    moments : int
        At most so many pairs of frames.
    side : int, optional
        Frames are brought to `side` x `side` pixels; by default they stay as they are.

    Raises
    ------
    ImportError
        If PyAV is not installed.
    FileNotFoundError, ValueError
        If there is no such file, or no frame can be read from it.
    """
    try:
        import av
    except ImportError:
        raise ImportError(MISSING) from None
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError("no video in it")
            rate = float(container.streams.video[0].average_rate or 1 / _STILL)
            wanted = _wanted(_frames_in(av, path), moments)
            found = _decoded(av, container, wanted, side, 1 / rate)
    except (av.FFmpegError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a video ({_said(error)})") from error
    if not found:
        raise ValueError(f"{path}: cannot be read as a video (no frame in it)")
    return _clip(found, wanted, rate)


def _said(error: Exception) -> str:
    return str(error) if type(error) is ValueError else type(error).__name__


def _frames_in(av: Any, path: Path) -> int:
    """How many frames a file has, by its packets: what its head says may be missing or wrong."""
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def _wanted(count: int, moments: int) -> list[int]:
    """Places of the first frames of pairs, evenly spread."""
    if count < 2:
        return [0]
    return sorted(set(np.linspace(0, count - 2, min(moments, count - 1)).round().astype(int).tolist()))


def _decoded(av: Any, container: Any, wanted: list[int], side: int | None, step: float) -> dict[int, tuple]:
    """Place -> (pixels, seconds) of the frames wanted and of those behind them; -1: the last place and its time."""
    container.streams.video[0].thread_type = "AUTO"
    needed, found = {place for one in wanted for place in (one, one + 1)}, {}
    try:
        for place, frame in enumerate(container.decode(video=0)):
            time = frame.time if frame.time is not None else place * step
            if place in needed:
                small = {"width": side, "height": side} if side else {}
                found[place] = frame.to_ndarray(format="rgb24", **small), float(time)
            found[-1] = place, float(time)
    except av.FFmpegError:
        if not found:
            raise
    return found


def _clip(found: dict[int, tuple], wanted: list[int], rate: float) -> Clip:
    last, end = found.pop(-1)
    there = [place for place in wanted if place in found and (place + 1 in found or last == 0)]
    there = there or [max(found)]  # cut off behind the first moment
    pairs = [(*found[place], *found.get(place + 1, found[place])) for place in there]
    times = np.array([time for _, time, _, _ in pairs])
    steps = np.array([after - time for _, time, _, after in pairs])
    steps = np.where(steps > 0, steps, 1 / rate)
    frames, later = (np.stack([pair[side] for pair in pairs]) for side in (0, 2))
    return Clip(frames, later, times - times[0], steps, end - times[0] + 1 / rate, rate, last + 1)


# -- a clip as one row


def described(clip: Clip, size: int) -> dict[str, np.ndarray]:
    """Every part of a clip's description.

    Parameters
    ----------
    clip : Clip
    size : int
        Pixels along a side that frames are brought to for colours and texture.

    Returns
    -------
    dict
        "colours": histograms of hue, saturation and value, their mean over the moments and their change from the
        first to the last; "texture": likewise of oriented gradients; "motion": see `motion`.
    """
    from .pictures import described as picture

    told = [picture(frame, size) for frame in clip.frames]
    colours, edges = (np.array([one[part] for one in told]) for part in ("colours", "hog"))
    ends = slice(0, None, max(1, len(told) - 1))
    over = {"colours": colours, "texture": edges}
    parts = {
        name: np.concatenate([rows.mean(axis=0), np.diff(rows[ends], axis=0).sum(axis=0)])
        for name, rows in over.items()
    }
    return {**parts, "motion": motion(clip)}


def motion(clip: Clip) -> np.ndarray:
    """What moves, where, how fast and which way. (70,)

    Per moment: mean change of brightness, in all and in 3 x 3 zones; share of pixels that change, and their middle (x,
    y from -1 to 1); flow of the pixels that change (Lucas and Kanade, iterated): mean speed right and down, mean speed,
    how much it spreads out and turns, shares of 8 directions. Of all these the mean and the spread over the moments,
    and of all but the directions the change from the first half to the second.
    """
    rows = np.array([_moment(*each) for each in zip(clip.frames, clip.later, clip.steps, strict=True)])
    if np.array_equal(clip.frames, clip.later):  # a still: nothing is there to be measured
        rows = np.zeros_like(rows)
    half = max(1, len(rows) // 2)
    first, second = rows[:half].mean(axis=0), rows[-half:].mean(axis=0)
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0), (second - first)[: rows.shape[1] - _WAYS]])


def _moment(frame: np.ndarray, later: np.ndarray, step: float) -> np.ndarray:
    """Numbers of one pair of frames. (26,)"""
    before, after = _grey(frame), _grey(later)
    change = np.abs(after - before)
    zones = [part.mean() for rows in np.array_split(change, 3) for part in np.array_split(rows, 3, axis=1)]
    moved = change > _MOVED
    across = np.linspace(-1, 1, SIDE)
    middle = [(moved * grid).sum() / max(1, moved.sum()) for grid in (across[None, :], across[:, None])]
    return np.concatenate([[change.mean(), *zones, moved.mean(), *middle], _flow(before, after, moved, step)])


def _grey(frame: np.ndarray) -> np.ndarray:
    from .pictures import coloured, shrunk

    return shrunk(coloured(frame), SIDE) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def _flow(before: np.ndarray, after: np.ndarray, moved: np.ndarray, step: float) -> np.ndarray:
    """Right, down, speed, spreading, turning, then shares of directions, of the pixels that change. (13,)"""
    from skimage.registration import optical_flow_ilk

    if not moved.any():
        return np.zeros(5 + _WAYS)
    down, right = optical_flow_ilk(before, after, radius=4, num_warp=4) / (SIDE * step)  # sides per second
    speed = np.hypot(right, down)
    spreading = np.gradient(right, axis=1) + np.gradient(down, axis=0)
    turning = np.gradient(down, axis=1) - np.gradient(right, axis=0)
    means = [each[moved].mean() for each in (right, down, speed, spreading, turning)]
    way = np.round(np.arctan2(down, right)[moved] / (2 * np.pi / _WAYS)).astype(int) % _WAYS
    ways = np.bincount(way, weights=speed[moved], minlength=_WAYS)
    return np.nan_to_num(np.concatenate([means, ways / max(ways.sum(), 1e-9)]))
