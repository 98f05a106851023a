"""Thin outlines of land, countries and states that need no network: `outlines.npz`, made by `docs/outlines.py`."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

STEPS = 180  # per degree, in the file
RADIUS = 6378137.0  # of the Earth in Web Mercator, metres
USA = (-170.0, -64.0, 17.0, 72.0)
NEAR = 90.0  # degrees of longitude; narrower maps show states


@functools.cache
def _groups() -> dict[str, np.ndarray]:
    """Lines (n, 2) in degrees by group, each followed by a nan."""
    with np.load(Path(__file__).with_name("outlines.npz"), allow_pickle=False) as held:
        return {name: _read(held[name], held[f"{name}_lengths"]) for name in ("world", "usa", "states")}


def _read(steps: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    points = np.cumsum(steps, axis=0, dtype=np.int16) / STEPS
    return np.insert(points, np.cumsum(lengths.astype(np.int64)), np.nan, axis=0)


def outlines(extent: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes (n,) of the lines for a map, separated by nan.

    Parameters
    ----------
    extent : (west, east, south, north)
        In degrees. A map of some part of the United States shows states, others countries.
    """
    west, east, south, north = extent
    meets = west < USA[1] and east > USA[0] and south < USA[3] and north > USA[2]
    near = "states" if meets and east - west <= NEAR else "usa"
    lines = np.concatenate([_groups()["world"], _groups()[near]])
    return lines[:, 0], lines[:, 1]


def easting(longitude: np.ndarray) -> np.ndarray:
    """Web Mercator's x in metres."""
    return np.radians(longitude) * RADIUS


def northing(latitude: np.ndarray) -> np.ndarray:
    """Web Mercator's y in metres; nan beyond `POLE`."""
    with np.errstate(invalid="ignore"):
        within = np.where(np.abs(latitude) <= 89.95, latitude, np.nan)
    return np.arcsinh(np.tan(np.radians(within))) * RADIUS
