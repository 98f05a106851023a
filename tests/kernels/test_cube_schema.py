"""A schema: rows into bins of all attributes, queries into masks over all bins."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from learnviews.kernels.cube import Categorical, Integer, Numeric, Query, Schema, Spatial, Temporal

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def make_schema():
    return Schema(
        Integer("month", 1, 4, missing=True),
        Categorical("carrier", ["A", "B", "C"]),
        Numeric("delay", [0, 1, 5]),
        Spatial("dest", "x", "y", extent=(0, 2, 0, 2), shape=(2, 2), missing=True),
    )


def make_frame():
    return pd.DataFrame(
        {
            "month": [1, 4, np.nan, 9],
            "carrier": ["A", "C", "zz", None],
            "delay": [0.5, 5.0, 7.0, np.nan],
            "x": [0.5, 1.5, np.nan, 3.0],
            "y": [1.5, 0.5, 0.0, 0.0],
        }
    )


CODES = [[0, 3, 4, -1], [0, 2, -1, -2], [0, 1, -1, -2], [1, 2, 4, -1]]


def test_bins_side_by_side():
    s = make_schema()
    assert s.names == ("month", "carrier", "delay", "dest") and s.sizes == (5, 3, 2, 5) and s.bins == 15
    assert s.offsets.dtype == np.int64 and s.offsets.tolist() == [0, 5, 8, 10, 15]
    assert s.slices["delay"] == slice(8, 10) and s.columns == ("month", "carrier", "delay", "x", "y")
    assert len(s) == 4 and [a.name for a in s] == list(s.names) and s["delay"].edges[-1] == 5
    assert "delay" in s and "x" not in s and s.index("delay") == 2
    assert [len(labels) for labels in s.labels()] == list(s.sizes)


def test_columns_are_read_once_each():
    s = Schema(Temporal("m", "month", column="t"), Temporal("h", "hour", column="t"), Integer("x", 0, 1))
    assert s.columns == ("t", "x")


@pytest.mark.parametrize("form", ["frame", "dict", "table", "batch", "categories"])
def test_codes_of_any_table(form):
    frame = make_frame()
    table = {
        "frame": frame,
        "dict": {name: frame[name].to_numpy() for name in frame},
        "table": pa.Table.from_pandas(frame),
        "batch": pa.RecordBatch.from_pandas(frame),
        "categories": frame.astype({"carrier": "category", "month": "category"}),
    }[form]
    codes = make_schema().codes(table)
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, CODES)


def test_codes_of_refused_tables():
    s, frame = make_schema(), make_frame()
    with pytest.raises(LookupError, match="no column 'delay', 'y'; there are month, carrier, x"):
        s.codes(frame.drop(columns=["delay", "y"]))
    columns = {name: frame[name] for name in frame}
    with pytest.raises(ValueError, match="columns of different lengths"):
        s.codes({**columns, "y": columns["y"][:2]})
    with pytest.raises(TypeError, match="column 'month' holds 'A'; expected numbers"):
        s.codes({**columns, "month": columns["carrier"]})


@pytest.mark.parametrize("attributes,error,text", [
    ((), ValueError, "at least one"), (("a",), TypeError, "'a' is no attribute"),
    ((Integer("a", 0, 1), Integer("b", 0, 1), Integer("a", 0, 2)), ValueError, "named twice: a;"),
])  # fmt: skip
def test_refused_attributes(attributes, error, text):
    with pytest.raises(error, match=text):
        Schema(*attributes)


def test_edited_copies():
    s = make_schema()
    assert s.without("delay").names == ("month", "carrier", "dest")
    assert s.replace("delay", Integer("late", 0, 1)).names == ("month", "carrier", "late", "dest")
    assert s.with_(Integer("late", 0, 1)).names == (*s.names, "late")
    assert s.names == ("month", "carrier", "delay", "dest")
    for edit in (lambda: s.without("x"), lambda: s.replace("x", Integer("b", 0, 1)), lambda: s["x"], lambda: s[0]):
        with pytest.raises(LookupError, match=r"no attribute .*; there are month, carrier, delay, dest"):
            edit()
    with pytest.raises(ValueError, match="named twice: month"):
        s.with_(Integer("month", 0, 1))


def test_json():
    s = make_schema()
    text = json.dumps(s.to_json(), allow_nan=False)
    assert s.to_json()["version"] == 1
    assert Schema.from_json(text) == s == Schema.from_json(json.loads(text)) == pickle.loads(pickle.dumps(s))
    assert hash(Schema.from_json(text)) == hash(s) and s != s.without("delay") and s != 3
    assert "month" in repr(s) and "2 x 2 + missing" in repr(s)


@pytest.mark.parametrize(
    "data", ["", "nope", "[]", "{}", None, {"version": 1}, {"attributes": []}, {"version": 1, "attributes": 3}]
)
def test_what_describes_no_schema(data):
    with pytest.raises(ValueError, match="describes no schema"):
        Schema.from_json(data)


def test_schemas_of_later_versions():
    with pytest.raises(ValueError, match="schema of version 2; this learnviews reads version 1"):
        Schema.from_json({**make_schema().to_json(), "version": 2})


# queries


def test_one_mask():
    s = make_schema()
    mask = s.mask(Query(month=(1, 3), carrier={"A", "C"}, dest=np.eye(2, dtype=bool)))
    expected = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0]
    np.testing.assert_array_equal(mask, np.array(expected, bool))
    assert mask.dtype == bool and s.mask(Query()).all()


def test_queries_from_values():
    s = make_schema()
    q = s.query(month=(2, 3), carrier=["A"], delay=(None, 0.5), dest=((0, 0.5), (None, None)))
    assert q == Query(month=(1, 3), carrier={"A"}, delay=(0, 1), dest=(0, 1, 0, 2))
    assert s.query(month=None) == Query() == s.query()
    assert s.query(month=(1, 4)) == Query(month=(0, 4)) and s.mask(s.query(month=(1, 4))).all()
    with pytest.raises(LookupError, match="no attribute 'x'"):
        s.query(x=(0, 1))
    with pytest.raises(ValueError, match="carrier: 'zz' is in no bin; there are A, B, C"):
        s.query(carrier={"zz"})


def test_many_queries_at_once():
    s = make_schema()
    rng = np.random.default_rng(0)
    queries = [
        Query(),
        Query(month=(0, 4), carrier=np.array([True, False, True])),
        Query(dest=(0, 1, 0, 2), month={2, None}),
        Query(carrier=set(), delay=(1, 1), dest=rng.random(5) < 0.5),
        Query(month=(3, 5), dest=rng.random((2, 2)) < 0.5),
    ]
    masks = s.masks(queries)
    np.testing.assert_array_equal(masks, [s.mask(q) for q in queries])
    for i, q in enumerate(queries):
        for name, held in q.filters.items():
            np.testing.assert_array_equal(masks[i, s.slices[name]], s[name].mask(held))
    np.testing.assert_array_equal(s.masks(queries[2]), masks[2:3])
    np.testing.assert_array_equal(s.masks(masks), masks)
    np.testing.assert_array_equal(s.masks(masks[1]), masks[1:2])
    assert s.masks([]).shape == (0, 15)


def test_ranges_of_many_queries():
    s = make_schema()
    bounds = np.array([[0, 4, 0, 3, 0, 2, 0, 2, 0, 2], [1, 3, 2, 2, 0, 1, 1, 2, 0, 1], [3, 4, 0, 1, 1, 2, 0, 2, 1, 2]])
    queries = [Query(month=tuple(b[:2]), carrier=tuple(b[2:4]), delay=tuple(b[4:6]), dest=tuple(b[6:])) for b in bounds]
    for form in (bounds, bounds.astype(np.uint8), bounds.astype(float), bounds.tolist()):
        np.testing.assert_array_equal(s.masks(form), s.masks(queries))
    np.testing.assert_array_equal(s.masks(bounds[1]), s.masks(queries[1]))
    assert s.masks(bounds)[0].all()


def test_refused_queries_are_named():
    s = make_schema()
    fine = Query(month=(0, 2))
    for bad, error, text in [
        (Query(month=(3, 1)), ValueError, r"query 2, month: range \(3, 1\) is reversed"),
        (Query(month=(0, 10**40)), ValueError, r"query 2, month: range .* leaves the bins 0 to 5"),
        (Query(dest=(0, 1, 0, 3)), ValueError, r"query 2, dest: range \(0, 3\) leaves the bins 0 to 2"),
        (Query(dest=(0, 1)), TypeError, r"query 2, dest: .* is no range; expected \(x0, x1, y0, y1\)"),
        (Query(carrier={"zz"}), ValueError, r"query 2, carrier: 'zz' is in no bin"),
        (Query(carrier=np.ones(5, bool)), ValueError, r"query 2, carrier: a mask of shape \(5,\); expected \(3,\)"),
        (Query(nope=(0, 1)), LookupError, r"query 2: no attribute 'nope'; there are month"),
    ]:
        with pytest.raises(error, match=text):
            s.masks([fine, fine, bad])
    bounds = np.array([[0, 4, 0, 3, 0, 2, 0, 2, 0, 2], [0, 4, 0, 3, 2, 1, 0, 2, 0, 2]])
    with pytest.raises(ValueError, match=r"query 1, delay: range \(2, 1\) is reversed"):
        s.masks(bounds)
    with pytest.raises(ValueError, match="not whole numbers"):
        s.masks(bounds[:1] + 0.5)
    for wrong in (bounds[:, :8], np.ones((2, 4), bool), [fine, 3], "month", np.ones((1, 1, 15), bool)):
        with pytest.raises(TypeError, match=r"expected queries, an \(n, 15\) bool array or an \(n, 10\) array"):
            s.masks(wrong)


def test_split_gives_views_of_the_array():
    s = make_schema()
    array = np.arange(30.0).reshape(2, 15)
    parts = s.split(array)
    assert list(parts) == list(s.names)
    np.testing.assert_array_equal(parts["delay"], array[:, 8:10])
    assert all(np.shares_memory(part, array) for part in parts.values())
    assert s.split(array[0])["dest"].shape == (5,)
    with pytest.raises(ValueError, match=r"answers of shape \(2, 14\); expected the last axis to have 15 bins"):
        s.split(array[:, :-1])


def test_queries_of_the_authors():
    path = DATA / "brightkite_nyc_queries.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the repository")
    rows = np.loadtxt(path)
    place = Spatial("place", "x", "y", extent=(0, 20, 0, 20), shape=(20, 20))
    s = Schema(Integer("month", 1, 12), Integer("weekday", 0, 6), Integer("hour", 0, 23), place)
    masks = s.masks(rows[:, :10])
    widths = np.diff(rows[:, :10].reshape(len(rows), 5, 2))[..., 0]
    assert masks.shape == (len(rows), s.bins) and rows.shape[1] == 10 + s.bins
    parts = s.split(masks)
    for i, name in enumerate(["month", "weekday", "hour"]):
        np.testing.assert_array_equal(parts[name].sum(1), widths[:, i])
    np.testing.assert_array_equal(parts["place"].sum(1), widths[:, 3] * widths[:, 4])
    answers = s.split(rows[:, 10:])
    totals = {name: (answers[name] * parts[name]).sum(1) for name in s.names}
    for name in s.names:  # the sum of a view inside its own filter is the total, whichever view it is
        np.testing.assert_array_equal(totals[name], totals["month"])
