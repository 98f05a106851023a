"""A small cube with dependences between all attributes, and quick models of it, that several test modules share."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from learnviews.kernels import cube
from learnviews.kernels.cube.description import tuned
from learnviews.kernels.cube.model import Model

SCHEMA = cube.Schema(
    cube.Integer("month", 1, 12),
    cube.Integer("hour", 0, 23),
    cube.Categorical("kind", list("abcde")),
    cube.Spatial("place", "x", "y", extent=(0, 1, 0, 1), shape=(6, 6)),
)
GAPS = cube.Schema(
    cube.Integer("month", 1, 12, missing=True),
    cube.Integer("hour", 0, 23),
    cube.Categorical("kind", list("abcd"), other=True, missing=True),
    cube.Spatial("place", "x", "y", extent=(0, 1, 0, 1), shape=(6, 6), missing=True),
)
EVERY = ["count", ("sum", "delay"), ("mean", "delay"), ("var", "delay")]


def table(rows: int = 40_000, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows whose hour depends on month and kind, place on kind and hour, delay (of either sign) on hour and kind."""
    rng = np.random.default_rng(seed)
    month = rng.integers(1, 13, rows)
    kind = rng.choice(list("abcde"), rows, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    hour = np.clip(np.rint(rng.normal(8 + 8 * (kind == "b") + 0.5 * month, 3, rows)), 0, 23).astype(int)
    x = np.clip(rng.normal(0.3 + 0.4 * (kind == "a"), 0.2, rows), 0, 1)
    y = np.clip(rng.normal(0.3 + 0.03 * hour, 0.2, rows), 0, 1)
    delay = rng.normal(1.5 * (hour - 10) - 2 * (kind == "c"), 5, rows)
    return {"month": month, "hour": hour, "kind": kind, "x": x, "y": y, "delay": delay}


def table_with_gaps() -> dict[str, Any]:
    data = table(seed=1)
    rng = np.random.default_rng(2)
    for name in ("month", "x"):
        data[name] = np.where(rng.random(len(data[name])) < 0.1, np.nan, data[name])
    data["kind"] = np.where(rng.random(len(data["kind"])) < 0.1, None, data["kind"].astype(object))
    return data


@cache
def exact(gaps: bool = False) -> cube.ExactCube:
    return cube.ExactCube.build(table_with_gaps(), GAPS) if gaps else cube.ExactCube.build(table(), SCHEMA, ["delay"])


@cache
def model(net: str = "product", gaps: bool = False) -> Model:
    """Counts by any net."""
    steps = 400 if net == "mlp" else 1000
    return cube.fit(exact(gaps), net=net, queries=1500, steps=steps, rank=None if net == "mlp" else 32)


@cache
def measures(net: str = "product") -> Model:
    """Counts, and sum, mean and variance of a signed measure; good ones by the product net only."""
    options: dict[str, Any] = {"steps": 2000 if net == "product" else 300, "rank": 24}
    if net == "mlp":  # answers of either sign: not over independence
        options = {"steps": 150, "description": {**tuned([(a.shape, a.bins) for a in SCHEMA]), "output": "linear"}}
    return cube.fit(exact(), net=net, aggregate=EVERY, queries=1000, **options)
