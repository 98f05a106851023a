"""Small tables, cubes and queries that the tests of surrogates share."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings

from learnviews.kernels import cube
from learnviews.kernels.cube.product import ProductNet

KINDS = ("a", "b", "c", "d")
MEASURES = ("delay", "constant")
BRIGHTKITE = Path(__file__).resolve().parents[2] / "shared" / "data" / "brightkite_nyc_queries.txt"
FEW = settings(max_examples=40, deadline=None, derandomize=True)


def make_table(rows: int, seed: int = 0, months: int = 12) -> dict[str, np.ndarray]:
    """Rows whose attributes and measure depend on each other; the measure has both signs."""
    r = np.random.default_rng(seed)
    month, day = r.integers(1, months + 1, rows), r.integers(0, 7, rows)
    return {
        "month": month,
        "day": day,
        "kind": np.array(KINDS)[np.minimum(3, r.geometric(0.4, rows) - 1)],
        "x": r.normal(month / 4, 1),
        "y": r.normal(0, 1, rows),
        "delay": r.normal(np.where(day > 4, -3, 2), 4),
        "constant": np.full(rows, 3.5),
    }


def make_schema() -> cube.Schema:
    """Ranges, a set and a map: 12 + 7 + 4 + 30 bins."""
    return cube.Schema(
        cube.Integer("month", 1, 12),
        cube.Integer("day", 0, 6),
        cube.Categorical("kind", KINDS),
        cube.Spatial("place", "x", "y", extent=(-2, 6, -3, 3), shape=(6, 5), clamp=True),
    )


def make_cube(rows: int, seed: int = 0, months: int = 12) -> cube.ExactCube:
    return cube.ExactCube.build(make_table(rows, seed, months), make_schema(), MEASURES)


@functools.cache
def shared_cube() -> cube.ExactCube:
    """20,000 rows. Not to be changed."""
    return make_cube(20_000)


@functools.cache
def shared_model(net: str = "product") -> cube.Model:
    """A count of the shared cube. Not to be changed."""
    options: dict[str, Any] = {"steps": 60} if net == "mlp" else {"steps": 500, "rank": 12}
    return cube.fit(shared_cube(), net=net, queries=500, **options)


def make_product(sizes: Any, rank: int, seed: int = 0, signed: bool = False, share: float = 1.0) -> ProductNet:
    """A net of random factors in float64, of which some `share` of bins is kept (the first of each view always)."""
    r = np.random.default_rng(seed)
    keep = np.concatenate([[True, *(r.random(n - 1) < share)] for n in sizes])
    shape = (int(keep.sum()), rank)
    return ProductNet(sizes, keep, r.normal(0, 1, shape), r.normal(0, 1, shape) if signed else None)


def brightkite() -> tuple[cube.Schema, np.ndarray, np.ndarray]:
    """Schema, ranges (800, 10) and answers (800, 443) of the authors' queries."""
    table = np.loadtxt(BRIGHTKITE)
    schema = cube.Schema(
        cube.Integer("month", 1, 12),
        cube.Integer("weekday", 0, 6),
        cube.Integer("hour", 0, 23),
        cube.Spatial("place", "lon", "lat", extent=(-74.3, -73.7, 40.5, 40.9), shape=(20, 20)),
    )
    return schema, table[:, :10].astype(np.int64), table[:, 10:]
