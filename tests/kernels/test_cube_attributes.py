"""Attributes: rows into bins, compared with the naive twins, for every form a column has; selections into masks."""

import datetime as dt
import itertools
import json
import math
import pickle
from decimal import Decimal

import naive
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.cube import Attribute, Categorical, Integer, Numeric, Spatial, Temporal
from learnviews.kernels.cube.binning import count_edges, divide, divide_any, edge_table, find_edges

ODD = st.floats(allow_nan=True, allow_infinity=True)
INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
START = np.datetime64("2024-01-01")


def samples():
    """One of each kind, and of each option."""
    return [
        Integer("month", 1, 12),
        Integer("day", -3, 3, labels="abcdefg", missing=True, column="d", title="Day", unit="d"),
        Categorical("carrier", ["UA", "AA", "ÄÖ"]),
        Categorical("flag", [False, True], missing=True),
        Categorical("code", [7, 300, -1], other=True, missing=True),
        Numeric("delay", [-5, 0, 2.5, 100]),
        Numeric("open", [-np.inf, 0, 1, np.inf], missing=True, clamp=True),
        Temporal("month", "month"),
        Temporal("year", "year", start=2001, stop=2010, missing=True, column="t"),
        Temporal("days", start="2024-01-01", stop="2024-02-01", every="1D"),
        Temporal("quarters", start="2023-05-17", stop="2025-01-01", every="1Q"),
        Temporal("ticks", start="2024-01-01T00:00:00.5", stop="2024-01-01T00:00:02", every="100ms"),
        Spatial("dest", "lon", "lat", extent=(-125, -65, 24, 50), shape=(5, 4)),
        Spatial("map", "lon", "lat", extent=(-10, 10, 40, 70), shape=(3, 7), projection="mercator", missing=True),
    ]


EVERY_KIND = pytest.mark.parametrize("attribute", samples(), ids=repr)


# what all kinds share


@EVERY_KIND
def test_labels_are_one_per_bin_and_different(attribute):
    labels = attribute.labels()
    assert len(labels) == attribute.bins == len(set(labels))
    assert attribute.bins == np.prod(attribute.shape) + attribute.missing
    assert all(isinstance(label, str) and label for label in labels)
    assert (labels[-1] == "missing") == attribute.missing


@EVERY_KIND
def test_json_and_pickle_give_the_same_back(attribute):
    text = json.dumps(attribute.to_json(), allow_nan=False)
    again = Attribute.from_json(json.loads(text))
    copy = pickle.loads(pickle.dumps(attribute))
    assert again == attribute == copy and hash(again) == hash(attribute)
    assert again.to_json() == attribute.to_json() and again.labels() == attribute.labels()
    assert (again.columns, again.title, again.unit) == (attribute.columns, attribute.title, attribute.unit)


def test_different_attributes_are_not_equal():
    for a, b in itertools.combinations(samples(), 2):
        assert a != b
    assert Integer("a", 1, 3) != "a"


@EVERY_KIND
def test_attributes_do_not_change(attribute):
    with pytest.raises(AttributeError, match="do not change"):
        attribute.name = "other"


@EVERY_KIND
def test_masks(attribute):
    rng = np.random.default_rng(0)
    n, regular = attribute.bins, int(np.prod(attribute.shape))
    mask = rng.random(n) < 0.5
    np.testing.assert_array_equal(attribute.mask(mask), mask)
    np.testing.assert_array_equal(attribute.mask(mask.tolist()), mask)
    short = attribute.mask(mask[:regular])
    np.testing.assert_array_equal(short[:regular], mask[:regular])
    assert not short[regular:].any()
    np.testing.assert_array_equal(attribute.mask(mask[:regular].reshape(attribute.shape)), short)
    for i in (0, n // 2, n - 1):
        np.testing.assert_array_equal(np.flatnonzero(attribute.mask({attribute.labels()[i]})), [i])
    assert not attribute.mask(set()).any() and not attribute.mask([]).any()
    for wrong in (np.ones(n + 1, bool), np.ones((2, n), bool), np.ones((0,), bool)):
        with pytest.raises(ValueError, match=rf"{attribute.name}: a mask of shape .* expected \("):
            attribute.mask(wrong)


@EVERY_KIND
def test_ranges_of_bins(attribute):
    rng = np.random.default_rng(1)
    for _ in range(20):
        ends = [sorted(rng.integers(0, size + 1, 2).tolist()) for size in attribute.shape]
        bounds = tuple(itertools.chain(*ends))
        expected = naive.mask_of_range(bounds, attribute.shape, attribute.missing)
        np.testing.assert_array_equal(attribute.mask(bounds), expected)
    full = tuple(itertools.chain(*((0, size) for size in attribute.shape)))
    assert attribute.mask(full).all()
    assert not attribute.mask((0, 0) * len(attribute.shape)).any()


@EVERY_KIND
def test_refused_selections(attribute):
    zeros = (0, 0) * (len(attribute.shape) - 1)
    for bounds in ((2, 1), (-1, 2), (0, attribute.bins + 2), (0, 10**30), (-(10**30), 1)):
        with pytest.raises(ValueError, match=f"{attribute.name}: range"):
            attribute.mask(bounds + zeros)
    for bounds in ((0,), (0, 1, 2), (0.0, 1.0), ("a", "b"), (True, False), ()):
        with pytest.raises(TypeError, match=f"{attribute.name}: .*no range"):
            attribute.mask(bounds)
    for value in (5, "month", None, np.array([0, 1]), {"a": 1}):
        with pytest.raises(TypeError, match=f"{attribute.name}: cannot select"):
            attribute.mask(value)
    with pytest.raises(ValueError, match=f"{attribute.name}: 'nowhere' is in no bin; there are"):
        attribute.mask({"nowhere"})


def test_the_bin_of_missing_values_can_be_chosen():
    a = Integer("a", 1, 3, missing=True)
    np.testing.assert_array_equal(a.mask({None, 2}), [False, True, False, True])
    np.testing.assert_array_equal(a.mask([float("nan")]), a.mask({"missing"}))
    np.testing.assert_array_equal(a.mask((2, 4)), [False, False, True, True])
    with pytest.raises(ValueError, match="None is in no bin"):
        Integer("a", 1, 3).mask({None})


@EVERY_KIND
def test_all_missing_and_no_rows(attribute):
    code = attribute.bins - 1 if attribute.missing else -2
    for column in (pa.nulls(3), np.array([None, None, None]), [None] * 3):
        np.testing.assert_array_equal(attribute.codes(*[column] * len(attribute.columns)), [code] * 3)
    assert len(attribute.codes(*[pa.nulls(0)] * len(attribute.columns))) == 0


def test_wrong_columns():
    with pytest.raises(TypeError, match="p: got 1 columns; expected x, y"):
        Spatial("p", "x", "y", extent=(0, 1, 0, 1), shape=(2, 2)).codes([1.0])
    with pytest.raises(ValueError, match="different lengths"):
        Spatial("p", "x", "y", extent=(0, 1, 0, 1), shape=(2, 2)).codes([1.0], [1.0, 2.0])
    for column in (np.ones((2, 2)), np.ones(3, complex), np.ones(3, "m8[s]"), pa.array([[1]]), ["a", "b"], [{}]):
        with pytest.raises(TypeError, match="'a'"):
            Integer("a", 0, 1).codes(column)
    with pytest.raises(TypeError, match="'a' holds datetime64"):
        Integer("a", 0, 1).codes(np.array(["2024-01-01"], "M8[s]"))
    with pytest.raises(TypeError, match="'a' is there 2 times"):
        Integer("a", 0, 1).codes(pd.DataFrame([[1, 2]], columns=["a", "a"])["a"])


@pytest.mark.parametrize("data", [None, {}, {"kind": "nope"}, {"kind": "integer"}, {"kind": "integer", "name": 3}, []])
def test_what_describes_no_attribute(data):
    with pytest.raises(ValueError, match=r"describes no attribute|cannot be read"):
        Attribute.from_json(data)


# whole numbers


def forms(values, missing=None):
    """The same whole numbers in every form that a column of them can have."""
    values = np.asarray(values)
    yield from (values.astype(t) for t in ("i1", "i2", "i4", "i8", "f4", "f8", "f2", ">i4", ">f8", object))
    yield np.repeat(values, 2)[::2]
    yield values.tolist()
    yield pd.Series(values)
    yield pd.Series(values).astype("category")
    yield pd.Series(values, dtype="Int64")
    yield pd.Series(values, dtype="int64[pyarrow]")
    yield pa.array(values)
    yield pa.chunked_array([values[:2], values[2:]])
    yield pa.array(values).dictionary_encode()
    yield pa.array([Decimal(int(v)) for v in values])
    yield np.ma.array(values)


def test_whole_numbers_in_every_form():
    values = [1, 12, 0, 13, 5, 5, -100]
    for form in forms(values):
        np.testing.assert_array_equal(Integer("m", 1, 12).codes(form), [0, 11, -1, -1, 4, 4, -1])


def test_missing_whole_numbers_in_every_form():
    held = [3, None, 1]
    columns = [
        held, np.array(held, object), np.array([3, np.nan, 1]), pd.Series(held), pd.Series(held, dtype="Int64"),
        pa.array(held), pa.array(held).dictionary_encode(), pd.Series(held, dtype=object), pa.array(held, pa.float32()),
        np.ma.array([3, 9, 1], mask=[0, 1, 0]), pd.Series(held).astype("category"), [3, pd.NA, 1],
    ]  # fmt: skip
    for column in columns:
        np.testing.assert_array_equal(Integer("m", 1, 3).codes(column), [2, -2, 0])
        np.testing.assert_array_equal(Integer("m", 1, 3, missing=True).codes(column), [2, 3, 0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(ODD, st.integers(-20, 20).map(float)), max_size=20), st.integers(-9, 9), st.integers(0, 9))
def test_floats_are_binned_where_they_are_whole(values, low, more):
    expected = [naive.bin_of_whole(v, low, low + more) if abs(v) < 1e300 or v != v else -1 for v in values]
    np.testing.assert_array_equal(Integer("a", low, low + more).codes(np.array(values, float)), expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(INT64, st.integers(-20, 20)), max_size=20), st.integers(-9, 9), st.integers(0, 9))
def test_integers_of_any_size(values, low, more):
    expected = [naive.bin_of_whole(v, low, low + more) for v in values]
    attribute = Integer("a", low, low + more)
    np.testing.assert_array_equal(attribute.codes(np.array(values, np.int64)), expected)
    unsigned = np.array([v % 2**64 for v in values], np.uint64)
    expected = [naive.bin_of_whole(v % 2**64, low, low + more) for v in values]
    np.testing.assert_array_equal(attribute.codes(unsigned), expected)


def test_booleans_are_whole_numbers():
    for column in (np.array([True, False]), pa.array([True, False]), pd.Series([True, False], dtype="boolean")):
        np.testing.assert_array_equal(Integer("a", 0, 1).codes(column), [1, 0])


@pytest.mark.parametrize("values,expected", [
    ((1, 3), (0, 3)), ((None, 3), (0, 3)), ((3, None), (2, 12)), ((None, None), (0, 12)), ((2.5, 3.5), (2, 3)),
    ((2.2, 2.8), (0, 0)), ((-5, 0), (0, 0)), ((13, 99), (0, 0)), ((-np.inf, np.inf), (0, 12)), ((12, 12), (11, 12)),
])  # fmt: skip
def test_ranges_of_whole_numbers(values, expected):
    assert Integer("m", 1, 12).selection(values) == expected
    np.testing.assert_array_equal(
        Integer("m", 1, 12).mask_of_values(values), naive.mask_of_range(expected, (12,), False)
    )


@pytest.mark.parametrize("values", [(3, 1), (np.nan, 1), (1, np.nan)])
def test_reversed_ranges_of_values(values):
    for attribute in (Integer("m", 1, 12), Numeric("m", [1, 2, 3]), Temporal("m", "month")):
        with pytest.raises(ValueError, match=r"m: .* is reversed"):
            attribute.selection(values)


@pytest.mark.parametrize("values", [(1,), (1, 2, 3), ("a", 2), ((1, 2), (3, 4))])
def test_what_is_no_range_of_values(values):
    for attribute in (Integer("m", 1, 12), Numeric("m", [1, 2, 3])):
        with pytest.raises(TypeError, match=r"m: .*expected"):
            attribute.selection(values)


@pytest.mark.parametrize("low,high", [(3, 2), (0, 2**60), (-(2**60), 0), (1.5, 2), ("1", 2), (0, 2**25), (True, 2)])
def test_integer_bounds(low, high):
    with pytest.raises(ValueError, match="a: "):
        Integer("a", low, high)


@pytest.mark.parametrize("labels", [["x"], ["x", "x", "y"]])
def test_integer_labels(labels):
    with pytest.raises(ValueError, match="expected 3, one per bin"):
        Integer("a", 1, 3, labels=labels)


@pytest.mark.parametrize("name", ["", 3, None])
def test_names_are_text(name):
    with pytest.raises(TypeError, match="is no name"):
        Integer(name, 1, 3)


# categories


def text_forms(values):
    yield from (list(values), np.array(values, object), pd.Series(values), pd.Series(values, dtype=object))
    yield from (pa.array(values), pa.array(values, pa.large_string()), pa.array(values, pa.string_view()))
    yield pa.chunked_array([pa.array(values[:1]).dictionary_encode(), pa.array(values[1:]).dictionary_encode()])
    yield from (pd.Series(values).astype("category"), pd.Categorical(values), pd.Series(values, dtype="string"))


def test_texts_in_every_form():
    a = Categorical("c", ["UA", "ÄÖ"])
    b = Categorical("c", ["UA", "ÄÖ"], other=True, missing=True)
    for column in text_forms(["ÄÖ", None, "zz", "UA", ""]):
        np.testing.assert_array_equal(a.codes(column), [1, -2, -1, 0, -1])
        np.testing.assert_array_equal(b.codes(column), [1, 3, 2, 0, 2])
    for column in (np.array(["ÄÖ", "UA"]), np.array(["ÄÖ".encode(), b"UA"])):
        np.testing.assert_array_equal(a.codes(column), [1, 0])


def test_numbers_and_booleans_as_categories():
    codes = Categorical("c", [7, 300, -1])
    for form in forms([7, -1, 8, 100]):
        np.testing.assert_array_equal(codes.codes(form), [0, 2, -1, -1])
    np.testing.assert_array_equal(codes.codes(np.array([7.0, np.nan, 7.5, np.inf, 300])), [0, -2, -1, -1, 1])
    np.testing.assert_array_equal(codes.codes(np.array([7, 2**62, -(2**62), 300])), [0, -1, -1, 1])
    np.testing.assert_array_equal(codes.codes(np.array([], int)), [])
    flags = Categorical("f", [False, True])
    for column in (np.array([True, False]), [True, False], pa.array([True, False]), pd.Series([1, 0])):
        np.testing.assert_array_equal(flags.codes(column), [1, 0])


def test_labels_of_other_and_missing_make_way():
    a = Categorical("c", ["other", "missing"], other=True, missing=True)
    assert a.labels() == ["other", "missing", "(other)", "(missing)"]
    np.testing.assert_array_equal(a.codes(["missing", None, "x"]), [1, 3, 2])


def test_values_and_labels_of_categories():
    a = Categorical("c", [7, 300], other=True)
    np.testing.assert_array_equal(a.mask({300}), [False, True, False])
    np.testing.assert_array_equal(a.mask({"300", "other"}), [False, True, True])
    assert not a.ordered and a.selection({7}) == frozenset({7}) and a.selection([7]) == frozenset({7})
    with pytest.raises(TypeError, match="categories have no order; give a set"):
        a.selection((7, 300))


@pytest.mark.parametrize("categories,error", [
    ([], ValueError), (["a", "a"], ValueError), ([1, "1"], ValueError), ([True, 1], ValueError), ("abc", TypeError),
    ([1.5], TypeError), ([None], TypeError), ([["a"]], TypeError),
])  # fmt: skip
def test_refused_categories(categories, error):
    with pytest.raises(error, match="c: "):
        Categorical("c", categories)


# numbers between edges


def all_bins(values, edges, clamp, missing):
    """Bins by each of the two loops; the attribute takes one of them."""
    grid = edge_table(np.asarray(edges, float))
    low, high = (0, grid.bins - 1) if clamp else (-1, -1)
    counted, found = np.empty((2, len(values)), np.int32)
    count_edges(values, grid.edges, grid.bins, low, high, missing, counted)
    find_edges(values, *grid, low, high, missing, found)
    return counted, found


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ODD.filter(lambda v: v == v), min_size=2, max_size=12, unique=True),
    st.lists(ODD, max_size=12),
    st.booleans(),
)
def test_numbers_between_any_edges(edges, values, clamp):
    edges = sorted(edges)
    tried = np.array(values + edges + [math.nextafter(e, math.inf) for e in edges], float)
    expected = [naive.bin_of_number(v, edges, clamp, 99) for v in tried]
    for codes in all_bins(tried, edges, clamp, 99):
        np.testing.assert_array_equal(codes, expected)


@pytest.mark.parametrize("n", [1, 2, 39, 41, 300, 1000])
@pytest.mark.parametrize("law", ["even", "normal", "heavy"])
def test_many_edges(n, law):
    rng = np.random.default_rng(n)
    scale = {"even": lambda z: z, "normal": lambda z: z**3, "heavy": lambda z: np.exp(30 * z)}[law]
    edges = np.unique(scale(np.linspace(-1, 1, n + 1)))
    values = np.concatenate([scale(rng.uniform(-1.1, 1.1, 1000)), edges, np.nextafter(edges, -np.inf), [np.nan]])
    expected = np.searchsorted(edges, values, "right") - 1
    expected[values == edges[-1]] = len(edges) - 2
    expected[(values < edges[0]) | (values > edges[-1])] = -1
    expected[-1] = -2
    for codes in (*all_bins(values, edges, False, -2), Numeric("a", edges).codes(values)):
        np.testing.assert_array_equal(codes, expected)


def test_numbers_in_every_form():
    a = Numeric("a", [0, 2, 10, 100], missing=True)
    for form in forms([0, 2, 10, 100, 101, 1]):
        np.testing.assert_array_equal(a.codes(form), [0, 1, 2, 2, -1, 0])
    np.testing.assert_array_equal(a.codes([0.5, None, float("nan"), 99]), [0, 3, 3, 2])
    np.testing.assert_array_equal(Numeric("a", [0, 0.5, 1]).codes(np.array([True, False])), [1, 0])


@pytest.mark.parametrize("values,expected", [
    ((0, 2), (0, 2)), ((0, 1.9), (0, 1)), ((None, 2), (0, 2)), ((10, None), (2, 3)), ((100, 200), (2, 3)),
    ((101, 200), (0, 0)), ((-9, -1), (0, 0)), ((-9, 0), (0, 1)), ((None, None), (0, 3)), ((3, 3), (1, 2)),
])  # fmt: skip
def test_ranges_of_numbers(values, expected):
    assert Numeric("a", [0, 2, 10, 100]).selection(values) == expected


def test_ranges_beyond_clamped_edges_take_the_end_bins():
    a = Numeric("a", [0, 2, 10], clamp=True)
    assert a.selection((50, 60)) == (1, 2) and a.selection((-5, -4)) == (0, 1)
    np.testing.assert_array_equal(a.codes([50.0, -np.inf, np.inf, np.nan]), [1, 0, 1, -2])


@pytest.mark.parametrize(
    "edges", [[1], [1, 1], [2, 1], [0, np.nan], [0, np.inf, np.inf], [[0, 1]], [], "ab", [None, 1]]
)
def test_refused_edges(edges):
    with pytest.raises((ValueError, TypeError), match="a: edges"):
        Numeric("a", edges)


def test_edges_from_values():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=999), [np.nan, np.inf]])
    q = Numeric.quantiles("a", values, 10)
    counts = np.bincount(q.codes(values[:999]), minlength=10)
    assert q.bins == 10 and counts.min() > 95 and counts.max() < 105
    assert Numeric.quantiles("a", [1, 1, 1, 2], 10).bins < 10
    assert Numeric.quantiles("a", [3, 3], 4).codes([3])[0] == 0 == Numeric.automatic("a", [3]).codes([3])[0]
    np.testing.assert_allclose(Numeric.regular("a", 0, 1, 4).edges, [0, 0.25, 0.5, 0.75, 1])
    auto = Numeric.automatic("a", [0.013, 0.981], 10)
    np.testing.assert_allclose(auto.edges, np.arange(11) / 10, atol=1e-15)
    heavy = np.exp(3 * rng.normal(size=999))
    assert np.bincount(Numeric.automatic("a", heavy).codes(heavy)).min() > 20
    for make in (Numeric.quantiles, Numeric.automatic):
        with pytest.raises(ValueError, match="a: no finite value"):
            make("a", [np.nan], 3)
        with pytest.raises(ValueError, match="a: 0 bins"):
            make("a", [1, 2], 0)
    with pytest.raises(ValueError, match="a: 4 bins from 1 to 0"):
        Numeric.regular("a", 1, 0, 4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=9), st.integers(1, 30))
def test_automatic_edges_cover_all_values(values, n):
    a = Numeric.automatic("a", values, n)
    assert (a.codes(np.array(values)) >= 0).all() and a.bins <= n + 2


@pytest.mark.parametrize("edges,labels", [
    ([-5, 2, 9], ["-5 to 2", "2 to 9"]), ([0, 0.1, 0.25], ["0 to 0.1", "0.1 to 0.25"]),
    ([-np.inf, 3, 8, np.inf], ["below 3", "3 to 8", "from 8"]), ([-np.inf, np.inf], ["all"]),
    ([0.0111, 900, 123456], ["0 to 900", "900 to 123456"]), ([0, 1e-9], ["0 to 1e-09"]),
])  # fmt: skip
def test_labels_of_intervals(edges, labels):
    assert Numeric("a", edges).labels() == labels


# time


TIMES = st.datetimes(dt.datetime(1600, 1, 1), dt.datetime(2400, 1, 1))


@settings(max_examples=100, deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=10), st.sampled_from(["month", "weekday", "hour", "day", "quarter"]))
def test_parts_of_the_calendar(times, part):
    a = Temporal("t", part, missing=True)
    first = {"weekday": 0, "hour": 0}.get(part, 1)
    expected = [naive.calendar_part(t, part) - first for t in times] + [a.bins - 1]
    column = np.array([*times, "NaT"], "M8[us]")
    np.testing.assert_array_equal(a.codes(column), expected)
    seconds = np.array([t.replace(microsecond=0) for t in times], "M8[s]")
    np.testing.assert_array_equal(a.codes(seconds), expected[:-1])
    if part != "hour":
        np.testing.assert_array_equal(a.codes(column.astype("M8[D]")), expected)


def test_years():
    a = Temporal("t", "year", start=2001, stop=2003)
    assert a.labels() == ["2001", "2002", "2003"] and a.bins == 3
    column = np.array(["2000-12-31T23", "2001-01-01", "2003-12-31T23", "2004-01-01"], "M8[s]")
    np.testing.assert_array_equal(a.codes(column), [-1, 0, 2, -1])
    assert a.selection((2002, None)) == (1, 3)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(2023, 12, 1), dt.datetime(2027, 1, 1)), min_size=1, max_size=10),
    st.sampled_from(["1D", "3D", "1W", "7h", "977min", "1M", "5M", "1Q", "1Y", "30D", "100000s"]),
    st.sampled_from(["D", "h", "s", "ms", "us", "ns"]),
)
def test_intervals(times, every, unit):
    a = Temporal("t", start="2024-01-01", stop="2026-03-01", every=every)
    column = np.array(times, "M8[us]").astype(f"M8[{unit}]")
    starts = a.starts().astype("M8[us]")
    expected = [naive.bin_of_instant(t, starts) for t in column.astype("M8[us]")]
    np.testing.assert_array_equal(a.codes(column), expected)
    assert starts[0] == np.datetime64("2024-01-01") and starts[-2] < np.datetime64("2026-03-01") <= starts[-1]


def test_far_instants_are_outside():
    a = Temporal("t", start="2024-01-01", stop="2024-02-01", every="1h")
    far = np.array([2**62, -(2**62), 10**9, 2**63 - 1, np.iinfo(np.int64).min])
    for unit in ("D", "h", "s", "ms"):
        np.testing.assert_array_equal(a.codes(far.view(f"M8[{unit}]")), [-1, -1, -1, -1, -2])
    late = Temporal("t", start="2500-01-01T00:00:00.000001", stop="2500-01-02", every="100ms")
    assert late.codes(np.array(["2500-01-01T00:00:01"], "M8[us]"))[0] == 9


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**62), 2**62), st.integers(1, 2**40))
def test_quotients_through_floats(value, by):
    assert divide_any(value, by, 1.0 / by) == value // by
    if abs(value // by) < 2**51:
        assert divide(value, by, 1.0 / by) == value // by


def test_instants_in_every_form():
    a = Temporal("t", "month", missing=True)
    held = [dt.datetime(2024, 3, 1, 12), None, dt.datetime(1850, 12, 31)]
    expected = [2, 12, 11]
    columns = [held, np.array(held, object), pd.Series(held), pa.array(held), pa.array(held, pa.timestamp("ms", "UTC"))]
    columns += [pa.array(held).dictionary_encode(), pa.array([h and h.date() for h in held])]
    columns += [pa.array([h and h.date() for h in held], pa.date64()), ["2024-03-01T12:00", None, "1850-12-31"]]
    columns += [
        pd.Series(held).astype("category"),
        pd.Series(["2024-03-01", None, "1850-12-31"]),
        pa.chunked_array([held]),
    ]
    columns += [
        np.array(["2024-03", "NaT", "1850-12"], "M8[M]"),
        np.array(["2024-03-01", "NaT", "1850-12-01"], ">M8[s]"),
    ]
    for column in columns:
        np.testing.assert_array_equal(a.codes(column), expected)


def test_time_zones_are_taken_in_utc():
    hours = Temporal("t", "hour")
    zoned = pd.Series(pd.to_datetime(["2024-01-01 00:30"])).dt.tz_localize("Europe/Berlin")
    for column in (zoned, pa.array(zoned), pd.DatetimeIndex(zoned), zoned.astype(object), zoned.astype("category")):
        np.testing.assert_array_equal(hours.codes(column), [23])


@pytest.mark.parametrize("values,expected", [
    (("2024-01-02", "2024-01-03"), (1, 3)), (("2024-01-02T23:00", "2024-01-03T00:00"), (1, 3)),
    ((None, "2024-01-01"), (0, 1)), ((None, "2023-12-31"), (0, 0)),
    (("2024-01", "2024-01"), (0, 31)), (("2024", None), (0, 31)), (("2025", None), (0, 0)),
    ((dt.date(2024, 1, 5), dt.datetime(2024, 1, 5, 1)), (4, 5)), ((START, START + 1), (0, 2)), ((None, None), (0, 31)),
])  # fmt: skip
def test_ranges_of_dates(values, expected):
    assert Temporal("t", start="2024-01-01", stop="2024-02-01", every="1D").selection(values) == expected


def test_ranges_of_parts():
    assert Temporal("t", "month").selection((1, 3)) == (0, 3) == Temporal("t", "month").selection(("Jan", "Mar"))
    assert Temporal("t", "weekday").selection((5, None)) == (5, 7)
    np.testing.assert_array_equal(np.flatnonzero(Temporal("t", "weekday").mask({"Mon", 6})), [0, 6])
    days = Temporal("t", start="2024-01-01", stop="2024-02-01", every="1W")
    np.testing.assert_array_equal(np.flatnonzero(days.mask({"2024-01-09", dt.date(2024, 1, 1)})), [0, 1])
    with pytest.raises(ValueError, match="'2024-05-01' is in no bin"):
        days.mask({"2024-05-01"})
    for values in (("x", None), ("2024-01-05", "2024-01-01"), (3, 4)):
        with pytest.raises(ValueError, match="t: "):
            days.selection(values)


@pytest.mark.parametrize("options", [
    {}, {"part": "month", "every": "1D"}, {"part": "minute"}, {"part": "year"}, {"part": "year", "start": 3, "stop": 2},
    {"part": "month", "start": 1, "stop": 3}, {"every": "1D"},
    {"every": "1D", "start": "2024-01-02", "stop": "2024-01-02"},
    {"every": "0D", "start": "2024", "stop": "2025"}, {"every": "1 lightyear", "start": "2024", "stop": "2025"},
    {"every": "1D", "start": "hello", "stop": "2025"}, {"every": "1s", "start": "1900", "stop": "2100"},
    {"every": "1D", "start": float("nan"), "stop": "2025"},
])  # fmt: skip
def test_refused_times(options):
    with pytest.raises(ValueError, match="t: "):
        Temporal("t", **options)


def test_what_holds_no_instants():
    for column in (np.arange(3), ["a", "b"], [1, 2], np.array([True])):
        with pytest.raises(TypeError, match="expected dates or times"):
            Temporal("t", "month").codes(column)


# space


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ODD, ODD), max_size=10), st.integers(1, 60), st.integers(1, 5), st.booleans())
def test_cells(points, nx, ny, clamp):
    a = Spatial("p", "x", "y", extent=(-3, 4, 0, 0.7), shape=(nx, ny), clamp=clamp, missing=True)
    corners = [(x, y) for x in a.x_edges for y in a.y_edges]
    x, y = np.array(points + corners, float).T
    expected = []
    for u, v in zip(x, y, strict=True):
        i, j = (naive.bin_of_number(w, e, clamp, -2) for w, e in ((u, a.x_edges), (v, a.y_edges)))
        expected.append(nx * ny if -2 in (i, j) else i * ny + j if min(i, j) >= 0 else -1)
    np.testing.assert_array_equal(a.codes(x, y), expected)


def test_cells_of_missing_places():
    a = Spatial("p", "x", "y", extent=(0, 2, 0, 2), shape=(2, 2), missing=True)
    x = pa.array([0.5, None, 1.5, 9.0])
    np.testing.assert_array_equal(a.codes(x, [1.5, 0.5, None, 0.5]), [1, 4, 4, -1])
    np.testing.assert_array_equal(a.codes(x, pd.Series([1, 0, 1, 0], dtype="Int64").astype("category")), [1, 4, 3, -1])
    with pytest.raises(TypeError, match="'y' holds 'a'; expected numbers"):
        a.codes(x, ["a"] * 4)
    with pytest.raises(TypeError, match="'y' holds datetime64"):
        a.codes(x, np.zeros(4, "M8[s]"))


def test_mercator_is_regular_after_projecting():
    a = Spatial(
        "p", "lon", "lat", extent=(-180, 180, -85.0511287798066, 85.0511287798066), shape=(4, 4), projection="mercator"
    )
    np.testing.assert_allclose(a.y_edges, [-85.05112878, -66.51326044, 0, 66.51326044, 85.05112878], atol=1e-8)
    np.testing.assert_array_equal(a.codes([10.0, -170.0], [66.0, 67.0]), [2 * 4 + 2, 3])


@pytest.mark.parametrize("values,expected", [
    (((0, 1), (2, 2.5)), (0, 2, 2, 3)), (((None, 0.5), (None, None)), (0, 1, 0, 4)), (((9, 10), (0, 1)), (0, 0, 0, 0)),
])  # fmt: skip
def test_boxes(values, expected):
    a = Spatial("p", "x", "y", extent=(0, 3, 0, 4), shape=(3, 4))
    assert a.selection(values) == expected
    np.testing.assert_array_equal(np.flatnonzero(a.mask({(2.5, 3.5), (0, 0)})), [0, 11])
    with pytest.raises(TypeError, match=r"p: .* is no extent"):
        a.selection((0, 1))


@pytest.mark.parametrize("options", [
    {"extent": (1, 0, 0, 1)}, {"extent": (0, 1, 0)}, {"extent": (0, np.inf, 0, 1)}, {"extent": None}, {"shape": (0, 3)},
    {"shape": (2.5, 3)}, {"shape": 3}, {"shape": (5000, 5000)}, {"projection": "conic"},
    {"projection": "mercator", "extent": (0, 1, 0, 90)},
])  # fmt: skip
def test_refused_grids(options):
    with pytest.raises(ValueError, match="p: "):
        Spatial("p", "x", "y", **{"extent": (0, 1, 0, 1), "shape": (2, 2), **options})
