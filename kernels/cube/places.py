"""Columns that make up places: pairs by name, and the grid that fits them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .spatial import Spatial

PARTNERS = {
    "lon": ("lat",),
    "lng": ("lat",),
    "long": ("lat",),
    "longitude": ("latitude",),
    "x": ("y",),
    "easting": ("northing",),
}
DEGREES = {"lon", "lng", "long", "longitude"}
WEB_MERCATOR = 85.06  # degrees of latitude: where its square map ends
TAIL = 0.005  # of the rows; where they stretch the extent to more than twice, they go to the border


def find_pairs(columns: Sequence[str]) -> list[tuple[str, tuple[str, str]]]:
    """(name, (x, y)) for columns like lon and lat, dest_lon and dest_lat, x1 and y1: the common rest, or "place"."""
    split = {name: _words(name) for name in columns}
    pairs, used = [], set()
    for x, words in split.items():
        for place, word in enumerate(words):
            wanted = [[*words[:place], partner, *words[place + 1 :]] for partner in PARTNERS.get(word, ())]
            y = next((name for name, other in split.items() if other in wanted and name not in used), None)
            if y is not None and x not in used:
                used |= {x, y}
                pairs.append((" ".join(words[:place] + words[place + 1 :]) or "place", (x, y)))
    return pairs


def _words(name: str) -> list[str]:
    """dest_lon, destLon and "dest lon" as dest, lon; x1 as x, 1."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+", name)]


def spatial_attribute(
    name: str, x: str, y: str, longitude: np.ndarray, latitude: np.ndarray, shape: tuple[int, int], missing: bool
) -> Spatial:
    """A grid over the finite values of both columns; Web Mercator where they are longitude and latitude."""
    (x0, x1), (y0, y1) = extents = [_extent(values) for values in (longitude, latitude)]
    degrees = bool(DEGREES & set(_words(x))) and x0 >= -180 and x1 <= 360 and max(-y0, y1) < WEB_MERCATOR
    ends = [(values.min(), values.max()) for values in (longitude, latitude)]
    return Spatial(
        name,
        x,
        y,
        extent=(x0, x1, y0, y1),
        shape=shape,
        projection="mercator" if degrees else "plain",
        clamp=any(tuple(held) != tuple(end) for held, end in zip(extents, ends, strict=True)),
        missing=missing,
    )


def _extent(values: np.ndarray) -> tuple[float, float]:
    """All values, but not a few far ones that would leave the rest less than half of the grid."""
    low, high = float(values.min()), float(values.max())
    inner = np.quantile(values, [TAIL, 1 - TAIL])
    if inner[0] < inner[1] and inner[1] - inner[0] < 0.5 * (high - low):
        return float(inner[0]), float(inner[1])
    return low, high
