"""How long sounds and videos are, at which rates, of how many channels or pixels: what the heads of files say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import media, spans

if TYPE_CHECKING:
    from .data import Dataset

MOST = 3000  # files of a column that are looked at, evenly spread


class Head(NamedTuple):
    """What a file's head says.

    Attributes
    ----------
    seconds : float
        Length; nan where it does not say.
    rate : float
        Samples, or frames, per second.
    shape : tuple of int
        (channels,) of a sound, (width, height) of a video.
    """

    seconds: float
    rate: float
    shape: tuple[int, ...]


@dataclass(frozen=True)
class RecordingFacts:
    """What is known of the recordings a column names.

    Attributes
    ----------
    column, type : str
        `type` is "audio" or "video".
    files, looked : int
        Different files, and how many of them were looked at.
    unread : list of str
        Names of those that cannot be read.
    shortest, longest, total : float
        Seconds; nan where no file says how long it is.
    rates : dict
        Samples, or frames, per second to how many have it, the commonest first.
    shapes : dict
        Channels, or width and height, likewise.
    """

    column: str
    type: str
    files: int
    looked: int
    unread: list[str] = field(default_factory=list)
    shortest: float = float("nan")
    longest: float = float("nan")
    total: float = float("nan")
    rates: dict[float, int] = field(default_factory=dict)
    shapes: dict[tuple[int, ...], int] = field(default_factory=dict)


def recordings(data: Dataset) -> list[RecordingFacts]:
    """Facts on each column that names sounds or videos; none of those whose package is not installed."""
    kinds = {name: found.type for name, found in data.columns.items() if found.is_media}
    return [_facts(data, name, type_) for name, type_ in kinds.items() if type_ in HEADS and not media.lacking(type_)]


def _facts(data: Dataset, name: str, type_: str) -> RecordingFacts:
    folder = data.resources[str(data.column(name).refers)].folder
    named = data.frame[name].dropna().astype(str)
    files = named.map(lambda each: spans.split(each)[0].as_posix()).unique() if len(named) else named.to_numpy()
    few = files[np.unique(np.linspace(0, len(files) - 1, min(MOST, len(files))).astype(int))] if len(files) else files
    heads = {file: _head(folder / file, type_) for file in few}
    read = [head for head in heads.values() if head is not None]
    seconds = np.array([head.seconds for head in read if np.isfinite(head.seconds)])
    nothing = float("nan")
    low, high, total = (seconds.min(), seconds.max(), seconds.sum()) if len(seconds) else (nothing,) * 3
    rates, shapes = (Counter(getattr(head, which) for head in read).most_common() for which in ("rate", "shape"))
    unread = [file for file, head in heads.items() if head is None]
    return RecordingFacts(
        column=name,
        type=type_,
        files=len(files),
        looked=len(few),
        unread=unread,
        shortest=float(low),
        longest=float(high),
        total=float(total),
        rates=dict(rates),
        shapes=dict(shapes),
    )


def _head(path: Path, type_: str) -> Head | None:
    try:
        return HEADS[type_](path)
    except Exception:  # whatever a library says of a file that is none
        return None


def sound_head(path: Path) -> Head:
    """Of a sound file; errors as soundfile raises them."""
    import soundfile

    about = soundfile.info(str(path))
    if not about.frames:
        raise ValueError(f"{path}: holds no sound")
    return Head(about.frames / about.samplerate, float(about.samplerate), (about.channels,))


def video_head(path: Path) -> Head:
    """Of a video file; errors as PyAV raises them."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float("nan")
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / 1e6
        rate = float(stream.average_rate or 0) or float("nan")
        size: Any = stream.codec_context
        return Head(seconds, round(rate, 3), (size.width, size.height))


HEADS = {"audio": sound_head, "video": video_head}
