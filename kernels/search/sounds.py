"""Sounds: files read as samples, and a sound as rows of numbers: bands, cepstra, level, pitch. Nothing here is learned.

The bands are those of hearing (mel scale, triangular filters), the cepstra their discrete cosine transform (Davis and
Mermelstein 1980), as in any recognizer of speech. Sounds of other rates are brought to `RATE` first, channels are
averaged. Of a long sound the first `LONGEST` seconds are heard. A truncated file is heard as far as it goes; one
without a single sample is an error. Silence is a sound like any other: its level is `FLOOR`, everything else finite.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import spans

RATE = 16_000  # samples per second
HOP, WINDOW, SIZE = 160, 400, 512  # samples from frame to frame, in a frame, of its transform: 10, 25, 32 ms
BANDS = 40
LONGEST = 600.0  # seconds
FLOOR = -100.0  # dB below full scale: what is quieter is silence
QUIET = 35.0  # dB below the loudest frame: there a sound begins and ends
PARTS = ("cepstra", "course", "shape")
MISSING = 'sounds need soundfile: pip install "learnviews[media]"'
_PITCH = (75.0, 500.0)  # Hz, of voices
_TRACKS = ("level", "crossings", "centroid", "width", "rolloff", "flatness", "peak", "pitch")
_SHARES = (0.1, 0.5, 0.9)


class Sound(NamedTuple):
    """Samples of a sound, (samples, channels) float32 between -1 and 1, and how many there are in a second."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read_sound(path: Path, longest: float | None = None) -> Sound:
    """A sound file (wav, flac, ogg, mp3, aiff: what libsndfile reads), or a part of one (see `spans`); at most
    `longest` seconds of it.

    Raises
    ------
    ImportError
        If soundfile is not installed.
    FileNotFoundError, ValueError
        If there is no such file, or it cannot be read, or it holds no sound.
    """
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the package is there, the library it wraps is not
        raise ImportError(MISSING) from None
    file_, span = spans.split(path)
    if not file_.is_file():
        raise FileNotFoundError(file_)
    try:
        with soundfile.SoundFile(file_) as file:
            begin, end = (0.0, file.frames / file.samplerate) if span is None else span
            file.seek(min(int(begin * file.samplerate), file.frames))
            seconds = end - begin if longest is None else min(end - begin, longest)
            found = Sound(file.read(round(seconds * file.samplerate), "float32", always_2d=True), file.samplerate)
    except (RuntimeError, ValueError, TypeError) as error:  # TypeError: headerless files, which say no rate
        raise ValueError(f"{path}: cannot be read as a sound ({type(error).__name__})") from error
    if not len(found.samples):
        raise ValueError(f"{path}: holds no sound")
    return found


class Heard(NamedTuple):
    """A sound frame by frame: (frames, BANDS) log energies, and (frames, 8) of `_TRACKS`."""

    bands: np.ndarray
    tracks: np.ndarray


def heard(sound: Sound) -> Heard:
    """What there is to hear in each frame; the level in dB, frequencies in octaves above 55 Hz."""
    wave = _mono(sound)
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP]  # (frames, WINDOW)
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), SIZE)) ** 2 / SIZE  # (frames, SIZE / 2 + 1)
    bands = np.log(power @ _filters().T + 1e-10)
    return Heard(bands.astype(np.float32), _tracks(frames, power).astype(np.float32))


def _mono(sound: Sound) -> np.ndarray:
    """One channel at `RATE`, of at least one window; without its mean, NaN as silence."""
    from math import gcd

    from scipy.signal import resample_poly

    samples = np.asarray(sound.samples, dtype=np.float64)
    wave = samples.mean(axis=1) if samples.ndim == 2 else samples
    wave = np.nan_to_num(wave[: int(LONGEST * sound.rate)], posinf=0.0, neginf=0.0)
    if sound.rate != RATE and len(wave):
        shared = gcd(int(sound.rate), RATE)
        wave = resample_poly(wave, RATE // shared, int(sound.rate) // shared)
    wave = wave - wave.mean() if len(wave) else wave
    return np.pad(wave, (0, max(0, WINDOW - len(wave))))


@functools.cache
def _filters() -> np.ndarray:
    """(BANDS, SIZE / 2 + 1) triangles, evenly spaced in mel from 40 Hz to half the rate."""
    edges = _hertz(np.linspace(_mel(40.0), _mel(RATE / 2), BANDS + 2))
    bins = np.fft.rfftfreq(SIZE, 1 / RATE)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))


def _mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def _hertz(mel):
    return 700 * (10 ** (mel / 2595) - 1)


def _tracks(frames: np.ndarray, power: np.ndarray) -> np.ndarray:
    """(frames, 8) of `_TRACKS`; frequencies of silence are 0."""
    bins = np.fft.rfftfreq(SIZE, 1 / RATE)
    energy = (frames**2).mean(axis=1)
    level = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR / 10)))
    crossings = (np.diff(np.signbit(frames), axis=1) != 0).mean(axis=1)
    total = power.sum(axis=1)
    share = power / np.where(total > 0, total, 1)[:, None]
    centroid = share @ bins
    width = np.sqrt(np.maximum(share @ bins**2 - centroid**2, 0))
    rolloff = bins[np.minimum((np.cumsum(share, axis=1) < 0.85).sum(axis=1), len(bins) - 1)]
    flatness = np.exp(np.log(power + 1e-20).mean(axis=1)) / (power.mean(axis=1) + 1e-20)
    peak, pitch = bins[power.argmax(axis=1)], _pitch(frames)
    silent = energy <= 10 ** (FLOOR / 10)
    octaves = [np.where(silent, 0.0, _octaves(hertz)) for hertz in (centroid, width, rolloff)]
    tones = [np.where(silent, 0.0, _octaves(hertz)) for hertz in (peak, pitch)]
    return np.column_stack([level, np.where(silent, 0, crossings), *octaves, np.where(silent, 0, flatness), *tones])


def _octaves(hertz: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(hertz, 27.5) / 55.0)


def _pitch(frames: np.ndarray) -> np.ndarray:
    """Frequency of the highest peak of each frame's autocorrelation within what voices reach. (frames,) Hz

    Over that of the window itself, which falls with the lag (Boersma 1993).
    """
    window = np.hanning(WINDOW)
    memory, own = (np.fft.irfft(np.abs(np.fft.rfft(part, 2 * SIZE)) ** 2) for part in (frames * window, window))
    first, last = int(RATE / _PITCH[1]), int(RATE / _PITCH[0])
    alike = memory[:, first:last] / own[first:last] / np.maximum(memory[:, :1] / own[0], 1e-20)
    octaves = 0.05 * np.log2(np.arange(first, last) / first)  # two periods are as alike as one: the shorter counts
    return RATE / (first + (alike - octaves).argmax(axis=1))


# -- a sound as one row


def described(found: Heard, coefficients: int, pieces: int) -> dict[str, np.ndarray]:
    """Every part of a sound's description.

    Parameters
    ----------
    found : Heard
    coefficients : int
        Cepstra per frame.
    pieces : int
        Even pieces between the sound's beginning and end, for its course.

    Returns
    -------
    dict
        "cepstra": mean and spread of the cepstra and of their first and second changes, (6 x coefficients,).
        "course": the cepstra piece by piece, the first one the level below the loudest in dB, then the seconds,
        (pieces x coefficients + 1,). "shape": mean, spread and quantiles of level, zero crossings, centroid, width,
        rolloff, flatness, strongest frequency and pitch, then the seconds and the share of silence, (8 x 5 + 2,).
    """
    cepstra = cepstra_of(found.bands, coefficients)
    changes = changed(cepstra)
    loud = _loud(found.tracks[:, 0])
    within = slice(loud[0], loud[-1] + 1)
    seconds = (loud[-1] + 1 - loud[0]) * HOP / RATE
    course = cepstra[within].copy()
    course[:, 0] = np.maximum(found.tracks[within, 0] - found.tracks[within, 0].max(), -2 * QUIET)
    parts = [cepstra[within], changes[within], changed(changes)[within]]
    tracks = found.tracks[within]
    spread = [tracks.mean(axis=0), tracks.std(axis=0), *np.quantile(tracks, _SHARES, axis=0)]
    silence = 1 - len(loud) / len(found.bands)
    return {
        "cepstra": np.concatenate([stat for part in parts for stat in (part.mean(axis=0), part.std(axis=0))]),
        "course": np.append(_in_pieces(course, pieces).ravel(), seconds),
        "shape": np.append(np.concatenate(spread), [seconds, silence]),
    }


def cepstra_of(bands: np.ndarray, coefficients: int) -> np.ndarray:
    """(frames, coefficients): orthonormal cosine transform of the log energies."""
    from scipy.fft import dct

    return dct(np.asarray(bands, dtype=float), axis=1, norm="ortho")[:, :coefficients]


def changed(series: np.ndarray, reach: int = 2) -> np.ndarray:
    """Slope of a line through each frame and `reach` neighbours on both sides; ends are repeated. As `series`."""
    padded = np.pad(series, ((reach, reach), (0, 0)), mode="edge")
    lags = np.arange(-reach, reach + 1)
    moved = [lag * padded[reach + lag : reach + lag + len(series)] for lag in lags]
    return np.sum(moved, axis=0) / (lags**2).sum()


def _loud(level: np.ndarray) -> np.ndarray:
    """Frames in which there is something to hear; of silence all."""
    found = np.flatnonzero((level > level.max() - QUIET) & (level > FLOOR))
    return found if len(found) else np.arange(len(level))


def _in_pieces(series: np.ndarray, pieces: int) -> np.ndarray:
    """Means over even pieces, (pieces, width); a series shorter than these is read between its frames."""
    if len(series) < pieces:
        old, new = np.linspace(0, 1, len(series)), np.linspace(0, 1, pieces)
        return np.column_stack([np.interp(new, old, column) for column in series.T])
    return np.array([part.mean(axis=0) for part in np.array_split(series, pieces)])
