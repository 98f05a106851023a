"""Clips of video: files read as pairs of frames, and a clip as rows of numbers: colours, texture, motion.

Frames are looked at in pairs that follow each other, at moments spread evenly over the clip: what changes within a pair
is motion, in sides of the frame per second. A clip of one frame has no motion, all of it is 0. A truncated file is seen
as far as it goes; one without a single frame is an error. The sound of a clip is not heard.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .flow import flow

MOMENTS = 8  # pairs of frames that a description looks at
SIDE = 32  # pixels along a side in which motion is looked for
PARTS = ("colours", "texture", "motion")
MISSING = 'videos need PyAV: pip install "learnviews[media]"'
_STILL = 1 / 25  # seconds between frames of a file that does not say it
_MOVED = 0.08  # change of brightness that counts as motion
_WAYS = 8  # directions
_SEEN = 4  # moments whose colours and texture are looked at, about


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
    total : int
        Frames in all, as far as they can be read.
    """

    frames: np.ndarray
    later: np.ndarray
    times: np.ndarray
    steps: np.ndarray
    seconds: float
    rate: float
    total: int


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

    told = [picture(frame, size) for frame in clip.frames[:: max(1, len(clip.frames) // _SEEN)]]
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
    y from -1 to 1); flow of the pixels that change: mean speed right and down, mean speed, how much it spreads out and
    turns, shares of 8 directions. Of all these the mean and the spread over the moments, and of all but the directions
    the change from the first half to the second.
    """
    before, after = (np.stack([_grey(frame) for frame in frames]) for frames in (clip.frames, clip.later))
    change = np.abs(after - before)
    moved = change > _MOVED
    rows = np.column_stack([_changes(change, moved), _flows(before, after, moved, clip.steps)])  # (moments, 26)
    half = max(1, len(rows) // 2)
    later = rows[-half:].mean(axis=0) - rows[:half].mean(axis=0)
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0), later[:-_WAYS]])


def _grey(frame: np.ndarray) -> np.ndarray:
    from .pictures import coloured, shrunk

    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if frame.shape == (2 * SIDE, 2 * SIDE, 3) and frame.dtype == np.uint8:  # as pipelines read them
        return (frame @ (weights / 255)).reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
    return shrunk(coloured(frame), SIDE) @ weights


def _changes(change: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Change of brightness of each moment, in all and by zones, share and middle of what changes. (moments, 13)"""
    zones = [
        part.mean(axis=(1, 2)) for rows in np.array_split(change, 3, axis=1) for part in np.array_split(rows, 3, axis=2)
    ]
    across, count = np.linspace(-1, 1, SIDE), np.maximum(1, moved.sum(axis=(1, 2)))
    middle = [(moved * grid).sum(axis=(1, 2)) / count for grid in (across[None, :], across[:, None])]
    return np.column_stack([change.mean(axis=(1, 2)), *zones, moved.mean(axis=(1, 2)), *middle])


def _flows(before: np.ndarray, after: np.ndarray, moved: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Right, down, speed, spreading, turning, then shares of directions, of the pixels that change. (moments, 13)"""
    found = flow(before, after) / (SIDE * steps[:, None, None, None])  # sides per second
    right, down = found[..., 0], found[..., 1]
    speed = np.hypot(right, down)
    spreading = np.gradient(right, axis=2) + np.gradient(down, axis=1)
    turning = np.gradient(down, axis=2) - np.gradient(right, axis=1)
    count = np.maximum(1, moved.sum(axis=(1, 2)))
    means = [(each * moved).sum(axis=(1, 2)) / count for each in (right, down, speed, spreading, turning)]
    way = np.round(np.arctan2(down, right) / (2 * np.pi / _WAYS)).astype(int) % _WAYS
    ways = np.stack([(speed * moved * (way == one)).sum(axis=(1, 2)) for one in range(_WAYS)], axis=1)
    return np.column_stack([*means, ways / np.maximum(ways.sum(axis=1, keepdims=True), 1e-9)])
