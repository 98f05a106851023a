"""Trials on one clock: runs of a study put end to end, and which trials were the best so far."""

from __future__ import annotations

from typing import Any

import numpy as np

GAP = 30.0  # seconds without any trial that are taken for a pause between runs


def elapsed(started: Any, seconds: Any, gap: float = GAP) -> tuple[np.ndarray, np.ndarray]:
    """When trials ended, in seconds since the first one started, without the pauses between runs.

    Parameters
    ----------
    started : (trials,) seconds since whenever
    seconds : (trials,) how long each took; nan while it runs
    gap : float
        A time in which nothing ran is a pause if it is longer; pauses are left out.

    Returns
    -------
    (trials,) seconds, nan for those that run; (pauses,) seconds at which a pause was left out
    """
    started, seconds = np.asarray(started, float), np.asarray(seconds, float)
    if not len(started):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(started, kind="stable")
    begun = started[order]
    busy_until = np.maximum.accumulate(begun + np.nan_to_num(seconds[order]))
    idle = np.append(0.0, begun[1:] - busy_until[:-1])
    pauses = idle > gap
    clock = begun - begun[0] - np.cumsum(np.where(pauses, idle, 0.0))
    ended = np.empty(len(started))
    ended[order] = clock + seconds[order]
    return ended, clock[pauses]


def records(when: Any, values: Any, larger: bool = False) -> np.ndarray:
    """Positions of the entries that were better than all before them, in the order of `when`.

    Parameters
    ----------
    when, values : (entries,) numbers
        Entries where either is not finite are passed over.
    larger : bool
        Whether larger values are better.
    """
    when, values = np.asarray(when, float), np.asarray(values, float)
    known = np.flatnonzero(np.isfinite(when) & np.isfinite(values))
    order = known[np.argsort(when[known], kind="stable")]
    cost = -values[order] if larger else values[order]
    before = np.append(np.inf, np.minimum.accumulate(cost)[:-1]) if len(cost) else cost
    return order[cost < before]
