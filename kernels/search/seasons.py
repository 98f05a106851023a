"""How long the season of a series is: the peaks of its autocorrelation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST = 2  # seasons that are told apart: hours have a day and a week
_SERIES = 50  # of many series so many are looked at
_LEAST = 0.2  # height of a peak


def seasons(series: Sequence[np.ndarray], longest: int = 400) -> list[int]:
    """Steps until series resemble themselves, the plainest first; empty where nothing stands out.

    Peaks of the mean autocorrelation of the series without their straight lines, at most a third of a series apart. Of
    peaks that are nearly as high as the highest the first counts: a year's season is there after two years, too.
    """
    stride = max(1, len(series) // _SERIES)
    found = [memory for z in series[::stride] if len(memory := autocorrelation(z, longest)) > 3]
    if not found:
        return []
    width = int(np.median([len(memory) for memory in found]))
    memory = np.mean([m[:width] for m in found if len(m) >= width], axis=0)
    inner = np.flatnonzero((memory[1:-1] > memory[:-2]) & (memory[1:-1] >= memory[2:])) + 1
    inner = inner[(inner > 1) & (memory[inner] > _LEAST)]
    chosen: list[int] = []
    while len(inner) and len(chosen) < MOST:
        lag = int(inner[np.argmax(memory[inner] >= 0.9 * memory[inner].max())])
        chosen.append(lag)
        inner = inner[(inner > 1.5 * lag) | (inner < lag / 1.5)]
    return chosen


def autocorrelation(z: np.ndarray, longest: int) -> np.ndarray:
    """Of a series without its straight line, lags 0 to a third of its length; empty where it is short or constant."""
    steps = np.arange(len(z))
    if len(z) < 8:
        return np.zeros(0)
    rest = z - np.polyval(np.polyfit(steps, z, 1), steps)
    if float(rest @ rest) <= 1e-12 * len(z):
        return np.zeros(0)
    power = np.abs(np.fft.rfft(rest, 2 * len(z))) ** 2  # twice as long: the end does not meet the start
    memory = np.fft.irfft(power)[: min(longest, len(z) // 3) + 1]
    return memory / memory[0]
