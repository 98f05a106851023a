"""Schemas that are inferred: what becomes of every kind of column."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.cube import Categorical, Integer, Numeric, Schema, Spatial, Temporal
from learnviews.kernels.cube.periods import temporal_attributes
from learnviews.kernels.cube.places import find_pairs

ROWS = 2000


def make_frame(rows=ROWS):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "stars": rng.integers(1, 6, rows),
            "rating": rng.integers(1, 6, rows).astype(float),
            "wide": rng.integers(0, 10_000, rows),
            "code": rng.choice([100, 200, 700], rows),
            "price": np.exp(3 * rng.normal(size=rows)),
            "temp": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(20, 5, rows)),
            "flag": rng.random(rows) < 0.5,
            "carrier": rng.choice(["UA", "AA", "B6"], rows),
            "item": rng.choice([f"item {i}" for i in range(120)], rows),
            "when": pd.Timestamp("2019-03-02") + pd.to_timedelta(rng.uniform(0, 900, rows), unit="D"),
            "dest_lon": rng.normal(-74, 0.1, rows),
            "dest_lat": rng.normal(40, 0.1, rows),
        }
    )


def test_every_kind_of_column():
    s = Schema.infer(make_frame())
    kinds = {a.name: type(a) for a in s}
    assert kinds == {
        "stars": Integer, "rating": Integer, "wide": Numeric, "code": Categorical, "price": Numeric, "temp": Numeric,
        "flag": Categorical, "carrier": Categorical, "item": Categorical, "when": Temporal, "when month": Temporal,
        "when weekday": Temporal, "when hour": Temporal, "dest": Spatial,
    }  # fmt: skip
    assert (s["stars"].low, s["stars"].high) == (1, 5) == (s["rating"].low, s["rating"].high)
    assert s["code"].categories == (100, 200, 700) and s["carrier"].categories == ("AA", "B6", "UA")
    assert s["item"].bins == 50 and s["item"].labels()[-1] == "other"
    assert s["item"].labels()[:-1] == sorted(s["item"].labels()[:-1], key=lambda text: int(text.split()[1]))
    assert [a.name for a in s if a.missing] == ["temp"]
    assert s["dest"].projection == "mercator" and s["dest"].columns == ("dest_lon", "dest_lat")
    assert s["when"].bins == 30 and s["when"].every == "1M"
    assert s.left_out == {}


def test_every_row_has_a_bin():
    frame = make_frame()
    assert Schema.infer(frame).codes(frame).min() >= 0
    assert Schema.infer(frame, limit=100).codes(frame).min() >= -1  # of a sample: few are outside (of space)
    assert (Schema.infer(frame, limit=100).codes(frame) < 0).mean() < 0.01


def test_what_is_left_out_and_why():
    rows = 200
    frame = pd.DataFrame(
        {
            "fine": np.arange(rows) % 7,
            "id": [f"id{i}" for i in range(rows)],
            "row": np.arange(rows),
            "const": 1,
            "same": "a",
            "day": pd.Timestamp("2024-01-01"),
            "none": [None] * rows,
            "nan": np.nan,
            "inf": np.inf,
            "mixed": [1, "a"] * (rows // 2),
            "lists": [[1]] * rows,
            "span": pd.to_timedelta(np.arange(rows), unit="s"),
        }
    )
    s = Schema.infer(frame)
    assert s.names == ("fine",)
    assert s.left_out == {
        "id": "every value is another",
        "row": "counts the rows",
        "const": "constant (1)",
        "same": "constant (a)",
        "day": "constant (2024-01-01 00:00:00)",
        "none": "all values are missing",
        "nan": "all values are missing",
        "inf": "no value is finite",
        "mixed": "holds int, str; expected numbers, dates, or texts throughout",
        "lists": "holds list; expected numbers, dates, or texts throughout",
        "span": "holds Timedelta; expected numbers, dates, or texts throughout",
    }
    assert s == Schema(Integer("fine", 0, 6))
    for name, reason in s.left_out.items():
        with pytest.raises(ValueError, match=f"column '{name}' cannot become an attribute: {reason.split('(')[0]}"):
            Schema.infer(frame, [name])
    with pytest.raises(ValueError, match=r"no column could become an attribute \(const: constant"):
        Schema.infer(frame[["const"]])


def test_named_attributes():
    frame = make_frame()
    s = Schema.infer(frame, ["flag", Integer("month", 1, 12), ("dest_lon", "dest_lat"), ("wide", "price"), "dest_lat"])
    assert s.names == ("flag", "month", "dest", "place", "dest_lat")
    assert isinstance(s["dest_lat"], Numeric) and s["place"].projection == "plain" and s["place"].clamp
    with pytest.raises(LookupError, match="no column 'nope'; there are stars, rating"):
        Schema.infer(frame, ["nope"])
    with pytest.raises(LookupError, match="no column 'nope'"):
        Schema.infer(frame, [("dest_lon", "nope")])
    with pytest.raises(ValueError, match="'flag' cannot be a coordinate"):
        Schema.infer(frame, [("flag", "wide")])


def test_options():
    frame = make_frame()
    s = Schema.infer(frame, bins=5, max_categories=4)
    assert s["wide"].bins == 5 and s["dest"].shape == (5, 5) and s["item"].bins == 4 and s["carrier"].bins == 3
    for options in ({"bins": 0}, {"max_categories": 1}, {"limit": 0}):
        with pytest.raises(ValueError, match="expected 1, 2, 1 or more"):
            Schema.infer(frame, **options)


def test_ordered_categories_and_those_that_do_not_occur():
    frame = pd.DataFrame({"grade": pd.Categorical(["mid", "low", None], ["low", "mid", "high"], ordered=True)})
    assert Schema.infer(frame)["grade"].labels() == ["low", "mid", "missing"]


@pytest.mark.parametrize("form", ["frame", "dict", "table", "batch", "csv", "csv.gz", "parquet"])
def test_any_table_gives_the_same(form, tmp_path):
    frame = make_frame()
    path = tmp_path / f"rows.{form}"
    if form.startswith("csv"):
        frame.to_csv(path, index=False)
    elif form == "parquet":
        frame.to_parquet(path)
    table = {
        "frame": frame,
        "dict": {name: frame[name] for name in frame},
        "table": pa.Table.from_pandas(frame),
        "batch": pa.RecordBatch.from_pandas(frame),
    }.get(form, path)
    assert Schema.infer(table) == Schema.infer(frame)


def test_a_sample_of_a_parquet_file_knows_the_ranges_of_all_rows(tmp_path):
    frame = make_frame()
    frame.loc[ROWS - 1, ["stars", "wide"]] = [9, 10**6]
    frame.loc[ROWS - 2, "carrier"] = None
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "rows.parquet", row_group_size=50)
    s = Schema.infer(tmp_path / "rows.parquet", limit=100)
    assert s["stars"].high == 9 and s["wide"].edges[-1] >= 10**6 and s["carrier"].missing and s["carrier"].other
    for table in (frame, pa.Table.from_pandas(frame)):
        s = Schema.infer(table, limit=100)
        assert s["stars"].high == 9 and s["wide"].edges[-1] >= 10**6 and s["carrier"].missing
        assert s["carrier"].categories == ("AA", "B6", "UA") and not s["carrier"].other


def test_a_sample_of_a_csv_file_keeps_the_rest_in_the_end_bins(tmp_path):
    frame = pd.DataFrame({"wide": np.arange(200_000) ** 2 % 99_991, "name": ["a", "b"] * 100_000})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    s = Schema.infer(tmp_path / "rows.csv", limit=10)
    assert s["wide"].clamp and s["name"].labels() == ["a", "b", "other"]
    assert s.codes(frame).min() >= 0


def test_refused_tables(tmp_path):
    frame = make_frame()
    for table in (frame.iloc[:0], pa.Table.from_pandas(frame.iloc[:0]), {"a": []}):
        with pytest.raises(ValueError, match="the table has no rows"):
            Schema.infer(table)
    with pytest.raises(FileNotFoundError, match=r"nope\.csv: no such file"):
        Schema.infer(tmp_path / "nope.csv")
    with pytest.raises(TypeError, match="int: expected a DataFrame"):
        Schema.infer(3)
    for name, text in (
        ("a.parquet", "a.parquet: cannot be read"),
        ("a.csv", "a.csv: cannot be read"),
        ("a.txt", "ends in"),
    ):
        (tmp_path / name).write_bytes(b'a,b\n1,2\n1,2,3\n"')
        with pytest.raises(ValueError, match=text):
            Schema.infer(tmp_path / name)
    with pytest.raises(ValueError, match="columns named twice: a"):
        Schema.infer(pd.DataFrame([[1, 2]], columns=["a", "a"]))


# dates


def test_dates_in_texts_and_objects():
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(30)]
    for column in (
        days,
        [str(day) for day in days],
        pd.Series(days, dtype="datetime64[s]"),
        pa.array(days).to_pandas(),
    ):
        s = Schema.infer({"day": column})
        assert s.names == ("day", "day weekday") and s["day"].every == "1D" and s["day"].bins == 30
        np.testing.assert_array_equal(s["day"].codes(column), np.arange(30))


def test_parts_do_not_take_the_names_of_columns():
    frame = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=900), "when month": np.arange(900) % 12})
    s = Schema.infer(frame)
    assert isinstance(s["when month"], Integer) and isinstance(s["when weekday"], Temporal)


@settings(max_examples=80, deadline=None)
@given(st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)), st.floats(1e-6, 1e11))
def test_intervals_cover_any_span_with_few_bins(start, seconds):
    low = np.datetime64(start, "us")
    instants = low + np.linspace(0, seconds * 1e6, 50).astype("m8[us]")
    made = temporal_attributes("t", instants, False, set())
    codes = made[0].codes(instants)
    assert codes.min() >= 0 and made[0].bins <= 40 and codes[0] <= 12
    if instants[-1] - instants[0] > np.timedelta64(60, "s"):
        assert made[0].bins >= 4
    assert all(part.codes(instants).min() >= 0 for part in made)


# places


@pytest.mark.parametrize("columns,pairs", [
    (["lon", "lat"], [("place", ("lon", "lat"))]),
    (["lat", "a", "lng"], [("place", ("lng", "lat"))]),
    (["Longitude", "Latitude"], [("place", ("Longitude", "Latitude"))]),
    (["dest_lon", "dest_lat", "origin_lon", "origin_lat"],
     [("dest", ("dest_lon", "dest_lat")), ("origin", ("origin_lon", "origin_lat"))]),
    (["pickupLongitude", "pickupLatitude"], [("pickup", ("pickupLongitude", "pickupLatitude"))]),
    (["x1", "y1", "x2", "y2"], [("1", ("x1", "y1")), ("2", ("x2", "y2"))]),
    (["x", "y", "xs", "lonely", "ally"], [("place", ("x", "y"))]),
    (["lon", "y", "dest_lat"], []),
])  # fmt: skip
def test_pairs_by_name(columns, pairs):
    assert find_pairs(columns) == pairs


def test_places_beside_a_column_of_their_name():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"dest": list("ab") * 50, "dest_x": rng.random(100), "dest_y": rng.random(100)})
    s = Schema.infer(frame)
    assert s.names == ("dest", "dest place") and s["dest place"].projection == "plain"


def test_a_few_far_places_do_not_stretch_the_grid():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"lon": rng.normal(-74, 0.1, 1000), "lat": rng.normal(40, 0.1, 1000)})
    frame.loc[0] = 0.0  # as in many a table of taxi rides
    place = Schema.infer(frame)["place"]
    assert place.clamp and place.extent[1] < -73 and place.codes(frame["lon"], frame["lat"]).min() >= 0


def test_a_column_that_turns_decimal_late_in_a_csv_file(tmp_path):
    path = tmp_path / "late.csv"
    lines = [f"{k % 7},{k}" for k in range(300_000)] + ["2.5,1"] * 10
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    schema = Schema.infer(path)
    assert "a" in schema.names
