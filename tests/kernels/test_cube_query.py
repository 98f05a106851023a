"""Queries as values, as JSON, and drawn at random."""

import datetime as dt
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.cube import (
    Categorical,
    Integer,
    Numeric,
    Query,
    Schema,
    Spatial,
    random_masks,
    random_queries,
)

SCHEMA = Schema(
    Integer("month", 1, 5, missing=True),
    Categorical("carrier", ["A", "B", "C"], other=True, missing=True),
    Numeric("delay", [0, 1, 5]),
    Spatial("dest", "x", "y", extent=(0, 1, 0, 1), shape=(3, 2)),
)
MASK = np.array([True, False, True])


def test_filters_are_kept_in_one_form():
    q = Query(a=(np.int64(0), 3), b={"AA"}, c=[np.str_("x"), np.int64(3)], d=MASK, e=[True, False], f=None)
    assert q.filters["a"] == (0, 3) and type(q.filters["a"][0]) is int
    assert q.filters["b"] == frozenset({"AA"}) and q.filters["c"] == frozenset({"x", 3})
    np.testing.assert_array_equal(q.filters["d"], MASK)
    np.testing.assert_array_equal(q.filters["e"], [True, False])
    assert list(q.filters) == list("abcde")
    assert not Query().filters


def test_queries_do_not_change():
    mask = MASK.copy()
    q = Query(d=mask)
    mask[0] = False
    np.testing.assert_array_equal(q.filters["d"], MASK)
    with pytest.raises(ValueError, match="read-only"):
        q.filters["d"][0] = False
    with pytest.raises(AttributeError, match="do not change"):
        q.filters = {}


def test_equal_queries_are_equal_keys():
    q = Query(a=(0, 3), d=MASK)
    assert q == Query(d=MASK.tolist(), a=(np.int32(0), 3)) and hash(q) == hash(Query(d=MASK, a=(0, 3)))
    assert pickle.loads(pickle.dumps(q)) == q
    different = [Query(), Query(a=(0, 3)), Query(a=(0, 3), d=~MASK), Query(a={0, 3}, d=MASK), Query(b=(0, 3), d=MASK)]
    assert q not in different and len({q, *different}) == 6
    assert Query(d=np.ones((2, 3), bool)) != Query(d=np.ones((3, 2), bool)) and q != 3


def test_replace():
    q = Query(a=(0, 3), b={"AA"})
    assert q.replace(a=(1, 2)) == Query(a=(1, 2), b={"AA"})
    assert q.replace(a=None, c={1}) == Query(b={"AA"}, c={1})
    assert q == Query(a=(0, 3), b={"AA"})


def test_any_name_will_do():
    assert Query(**{"self": (0, 1), "departure delay": (0, 1)}).replace(self=None).filters == {
        "departure delay": (0, 1)
    }


def test_repr_is_short():
    shown = repr(Query(a=(0, 3), b={"AA"}, c=set(range(100)), d=np.arange(400) % 2 == 0))
    assert shown.startswith("Query(a=(0, 3), b={'AA'}, c={") and "... 100" in shown and "d=<200 of 400 bins>" in shown
    assert len(shown) < 90


@pytest.mark.parametrize("value", [
    3, 1.5, "AA", True, b"x", (1,), (1, 2, 3), (0.0, 1.0), ("a", "b"), (True, False), (), {"a": 1}, np.arange(2),
    np.ones((2, 2, 2), bool), np.bool_(True), {frozenset()}, [["a"]], {b"x"},
])  # fmt: skip
def test_refused_filters(value):
    with pytest.raises(TypeError, match="month"):
        Query(month=value)


ITEMS = st.one_of(
    st.text(max_size=3), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(),
    st.dates(), st.datetimes(), st.tuples(st.integers(), st.integers()),
)  # fmt: skip
FILTERS = st.one_of(
    st.tuples(st.integers(), st.integers()),
    st.tuples(*[st.integers(0, 9)] * 4),
    st.frozensets(ITEMS, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=9).map(np.array),
    st.lists(st.booleans(), min_size=6, max_size=6).map(lambda m: np.array(m).reshape(2, 3)),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=4), FILTERS, max_size=4))
def test_json_gives_the_same_back(filters):
    q = Query(**filters)
    text = json.dumps(q.to_json())
    assert Query.from_json(text) == q == Query.from_json(json.loads(text))


def test_dates_survive_json():
    q = Query(when={dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5, 6), np.datetime64("2024-01-02T03")})
    assert len(Query.from_json(json.dumps(q.to_json())).filters["when"]) == 3


@pytest.mark.parametrize(
    "data", ["nope", "[]", [], None, {"a": 3}, {"a": {}}, {"a": {"range": [0]}}, {"a": {"mask": "012"}}]
)
def test_what_describes_no_query(data):
    with pytest.raises(ValueError, match="describes no query"):
        Query.from_json(data)


# at random


def test_random_masks_are_those_of_random_queries():
    for seed in (0, 7):
        for names in (None, ["delay"], ["dest", "carrier"]):
            queries = random_queries(SCHEMA, 50, rng=seed, attributes=names)
            np.testing.assert_array_equal(random_masks(SCHEMA, 50, seed, names), SCHEMA.masks(queries))
            assert all(set(q.filters) == set(names or SCHEMA.names) for q in queries)
            again = random_queries(SCHEMA, 50, rng=np.random.default_rng(seed), attributes=names)
            assert queries == again and [hash(q) for q in queries] == [hash(q) for q in again]
    assert random_queries(SCHEMA, 9, 0) != random_queries(SCHEMA, 9, 1)
    assert random_queries(SCHEMA, 0) == [] and random_masks(SCHEMA, 0).shape == (0, SCHEMA.bins)


def test_random_queries_are_as_if_made_by_hand():
    for q in random_queries(SCHEMA, 20):
        assert Query(**q.filters) == q == Query.from_json(q.to_json())
        with pytest.raises(ValueError, match="read-only"):
            q.filters["carrier"][0] = True


def chi_squared(counts, expected):
    return ((counts - expected) ** 2 / expected).sum()


def test_law_of_ranges():
    n, size = 60_000, 5
    ranges = np.array([q.filters["month"] for q in random_queries(SCHEMA, n, rng=3)])
    widths = ranges[:, 1] - ranges[:, 0]
    assert chi_squared(np.bincount(widths, minlength=size + 1)[1:], n / size) < 20  # 4 degrees of freedom: p = 0.0005
    for width in range(1, size):
        starts = np.bincount(ranges[widths == width, 0], minlength=size - width + 1)
        assert len(starts) == size - width + 1
        assert chi_squared(starts, starts.sum() / len(starts)) < 20


def test_law_of_boxes():
    n = 60_000
    x0, x1, y0, y1 = np.array([q.filters["dest"] for q in random_queries(SCHEMA, n, rng=4)]).T
    assert x0.min() == y0.min() == 0 and x1.max() == 3 and y1.max() == 2
    pairs = np.bincount((x1 - x0 - 1) * 2 + y1 - y0 - 1, minlength=6)  # widths of both axes: independent, uniform
    assert chi_squared(pairs, n / 6) < 22


def test_law_of_sets():
    n, bins = 60_000, 5  # A, B, C, other, missing
    masks = random_masks(SCHEMA, n, rng=5)[:, SCHEMA.slices["carrier"]]
    sizes = masks.sum(1)
    assert chi_squared(np.bincount(sizes, minlength=bins + 1)[1:], n / bins) < 20
    pairs = masks[sizes == 2] @ (1 << np.arange(bins))
    counts = np.unique(pairs, return_counts=True)[1]
    assert len(counts) == 10 and chi_squared(counts, len(pairs) / 10) < 30


def test_missing_values_are_in_where_all_others_are():
    masks = random_masks(SCHEMA, 2000, rng=6)[:, SCHEMA.slices["month"]]
    np.testing.assert_array_equal(masks[:, -1], masks[:, :-1].all(1))
    assert masks[:, -1].any()


def test_refused_draws():
    with pytest.raises(LookupError, match="no attribute 'nope'; there are month"):
        random_queries(SCHEMA, 3, attributes=["nope"])
    with pytest.raises(ValueError, match="-1 queries"):
        random_masks(SCHEMA, -1)
