"""Flights, many times over and shaken: as many rows as wanted, in Parquet files that are made once and kept.

LEARNVIEWS_BENCH_DATA names the folder (the system's temporary one if absent); LEARNVIEWS_BENCH_ROWS the largest table
that is measured (10,000,000 if absent; 100000000 takes 1 to 2 GB and some minutes to make).
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from learnviews.kernels import cube

SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
CHUNK = 1 << 20
VERSION = 1  # of what is written
FOUR = ("month", "weekday", "hour", "dest")
SEVEN = ("month", "weekday", "hour", "origin", "carrier", "delay", "dest")
DTYPES = dict.fromkeys(("month", "weekday", "hour", "origin", "carrier"), np.uint8)
DTYPES |= dict.fromkeys(("dep_delay", "lon", "lat"), np.float32)


def most() -> int:
    return int(float(os.environ.get("LEARNVIEWS_BENCH_ROWS", 10_000_000)))


def sizes() -> list[int]:
    """Row counts to measure."""
    return [n for n in SIZES if n <= most()] or [most()]


def folder() -> Path:
    named = os.environ.get("LEARNVIEWS_BENCH_DATA")
    path = Path(named) if named else Path(tempfile.gettempdir()) / "learnviews-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


@functools.cache
def schema(names: tuple[str, ...] = SEVEN) -> cube.Schema:
    """The flights' own bins, with origins and carriers as small numbers; FOUR has 12 x 7 x 24 x 400 cells."""
    _, flights = cube.flights()
    delay = flights["delay"]
    coded = {
        "origin": cube.Categorical("origin", list(range(3))),
        "carrier": cube.Categorical("carrier", list(range(16))),
        "delay": cube.Numeric("delay", delay.edges, clamp=True, column="dep_delay"),
    }
    return cube.Schema(*(coded.get(name, flights[name]) for name in names))


@functools.cache
def _originals() -> dict[str, np.ndarray]:
    frame, flights = cube.flights()
    codes = flights.codes(frame)
    named = {name: codes[flights.index(name)] for name in ("origin", "carrier")}
    return {name: np.asarray(named.get(name, frame.get(name))) for name in DTYPES}


def rows(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """`n` rows drawn from the flights: hours one off now and then, places and delays blurred."""
    chosen = rng.integers(0, len(_originals()["month"]), n)
    table = {name: values[chosen].astype(DTYPES[name]) for name, values in _originals().items()}
    moved = rng.integers(-1, 2, n) * (rng.random(n, np.float32) < 0.5)
    table["hour"] = np.clip(table["hour"].astype(np.int16) + moved, 0, 23).astype(np.uint8)
    table["dep_delay"] += np.float32(4) * rng.standard_normal(n, np.float32)
    for name, width in (("lon", 1.5), ("lat", 0.6)):
        table[name] += np.float32(width) * rng.standard_normal(n, np.float32)
    return table


def file(n: int) -> Path:
    """The Parquet file of `n` rows, made if it is not there."""
    path = folder() / f"flights-{n}-v{VERSION}.parquet"
    if path.exists():
        return path
    part = path.with_suffix(".part")
    kinds = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name, dtype in DTYPES.items()])
    with parquet.ParquetWriter(part, kinds, compression="snappy") as writer:
        for number, first in enumerate(range(0, n, CHUNK)):
            table = rows(min(CHUNK, n - first), np.random.default_rng([n, number]))
            writer.write_table(pa.table(table, schema=kinds), row_group_size=CHUNK // 8)
    part.replace(path)
    return path


def arrays(n: int) -> dict[str, np.ndarray]:
    """The same rows in memory."""
    table = parquet.read_table(file(n))
    return {name: table[name].to_numpy() for name in table.column_names}


def queries(names: tuple[str, ...], n: int, rng: int = 0) -> list[cube.Query]:
    """A seeded set of brushes."""
    return cube.random_queries(schema(names), n, rng)
