"""What a sound looks like: the least and the largest sample of each small part of it, channel by channel.

Files are read piece by piece, so that an hour of sound takes no more memory than a second of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import spans, stash
from .media import named_files
from .sounds import MISSING, Sound, read_sound

if TYPE_CHECKING:
    from .data import Dataset

FINEST = 16_384  # parts of a sound that are kept: enough to zoom in
PIECE = 1 << 20  # samples that are read at a time


class Envelope(NamedTuple):
    """Least and largest samples of the parts of a sound.

    Attributes
    ----------
    low, high : (channels, parts) float32 arrays
        Parts follow each other evenly.
    seconds : float
    rate : int
        Samples per second of the sound.
    """

    low: np.ndarray
    high: np.ndarray
    seconds: float
    rate: int

    @property
    def channels(self) -> int:
        return len(self.low)


def envelope(sound: Sound, parts: int = FINEST) -> Envelope:
    """Of samples, in at most so many parts.

    Raises
    ------
    ValueError
        If there is no sample, or no part.
    """
    samples = np.asarray(sound.samples, dtype=np.float32)
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"expected samples as (samples,) or (samples, channels), got {samples.shape}")
    if parts < 1:
        raise ValueError(f"parts = {parts}; expected at least one")
    samples = np.nan_to_num(samples.reshape(len(samples), -1))
    low, high = _ends(samples, parts)
    return Envelope(low, high, len(samples) / sound.rate, int(sound.rate))


def _ends(samples: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """(channels, parts) least and largest of even parts."""
    count = min(parts, len(samples))
    starts = np.arange(count) * len(samples) // count
    ends = [which.reduceat(samples, starts, axis=0).T for which in (np.minimum, np.maximum)]
    return np.ascontiguousarray(ends[0]), np.ascontiguousarray(ends[1])


def read_envelope(path: Path, parts: int = FINEST) -> Envelope:
    """Of a sound file, or a part of one (see `spans`); made once as long as the file stays as it is.

    Of a truncated file as far as it goes.

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As `sounds.read_sound`.
    """
    if not spans.split(path)[0].is_file():
        raise FileNotFoundError(path)
    found = stash.of_file(path, ("envelope", parts), lambda: _kept(_read(path, parts)))
    seconds, rate = found["numbers"].tolist()
    return Envelope(found["low"], found["high"], seconds, int(rate))


def _kept(found: Envelope) -> dict[str, np.ndarray]:
    """As arrays: what is kept of files is weighed by theirs."""
    return {"low": found.low, "high": found.high, "numbers": np.array([found.seconds, found.rate])}


def _read(path: Path, parts: int) -> Envelope:
    if spans.split(path)[1] is not None:
        return envelope(read_sound(path), parts)
    try:
        import soundfile
    except (ImportError, OSError):
        raise ImportError(MISSING) from None
    try:
        about = soundfile.info(str(path))
    except (RuntimeError, TypeError, ValueError):
        return envelope(read_sound(path), parts)  # says what is wrong
    if about.frames <= PIECE:
        return envelope(read_sound(path), parts)
    return _in_pieces(soundfile, path, -(-about.frames // parts))


def _in_pieces(soundfile: Any, path: Path, step: int) -> Envelope:
    """Parts of `step` samples each; the last may be shorter."""
    lows, highs, count = [], [], 0
    try:
        with soundfile.SoundFile(path) as file:
            for piece in file.blocks(step * max(1, PIECE // step), dtype="float32", always_2d=True):
                starts = np.arange(0, len(piece), step)
                lows.append(np.minimum.reduceat(piece, starts, axis=0).T)
                highs.append(np.maximum.reduceat(piece, starts, axis=0).T)
                count += len(piece)
            rate = file.samplerate
    except (RuntimeError, ValueError) as error:
        if not count:
            raise ValueError(f"{path}: cannot be read as a sound ({type(error).__name__})") from error
    if not count:
        raise ValueError(f"{path}: holds no sound")
    low, high = (np.nan_to_num(np.concatenate(ends, axis=1)) for ends in (lows, highs))
    return Envelope(low, high, count / rate, int(rate))


def seen(found: Envelope, begin: float, end: float, pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is drawn of a window of time: at most one part per pixel.

    Returns
    -------
    times : (drawn,) array
        Middle of each part, in seconds.
    low, high : (channels, drawn) arrays
    """
    count = found.low.shape[1]
    per = count / max(found.seconds, 1e-9)  # parts a second
    first = int(np.clip(np.floor(begin * per), 0, count - 1))
    last = int(np.clip(np.ceil(end * per), first + 1, count))
    wanted = int(np.clip(np.ceil(pixels), 1, last - first))
    starts = np.arange(wanted) * (last - first) // wanted
    low = np.minimum.reduceat(found.low[:, first:last], starts, axis=1)
    high = np.maximum.reduceat(found.high[:, first:last], starts, axis=1)
    stops = np.append(starts[1:], last - first)
    return (first + (starts + stops) / 2) / per, low, high


def envelopes(data: Dataset, column: str, rows: Iterable[Any] | None = None) -> tuple[list[Envelope | None], list[str]]:
    """Of the sounds that a column names.

    Returns
    -------
    found : list
        None where nothing is named, or a file cannot be read.
    problems : list of str
        What is wrong with each; "" where nothing is.

    Raises
    ------
    ImportError
        If soundfile is not installed.
    ValueError
        If there is no such column or row, or it does not name sounds.
    """
    made = [_of_file(path) for path in named_files(data, column, "audio", rows)]
    return [each for each, _ in made], [problem for _, problem in made]


def _of_file(path: Path | None) -> tuple[Envelope | None, str]:
    if path is None:
        return None, "no sound named"
    try:
        return read_envelope(path), ""
    except FileNotFoundError:
        return None, f"{path.name}: no such file"
    except (ValueError, OSError) as error:
        return None, f"{path.name}: {_told(error)}"


def _told(error: Exception) -> str:
    return "holds no sound" if "no sound" in str(error) else "cannot be read as a sound"
