"""Brushes: filters from what was drawn, and sentences from filters."""

import numpy as np
import pytest
from cube_small import GAPS, SCHEMA
from hypothesis import given, settings
from hypothesis import strategies as st

import learnviews as lv
from learnviews.grammar.brush import cells_filter, filter_of, inside
from learnviews.kernels import cube

FEW = settings(max_examples=60, deadline=None, derandomize=True)


def heard(stream):
    calls = []
    stream.add_subscriber(lambda **contents: calls.append(contents))
    return calls


def test_a_brush_speaks_only_when_something_changes():
    brush = lv.Brush()
    calls = heard(brush)
    brush.set("month", (2, 5))
    brush.set("month", (2, 5))
    brush.set("kind", {"a", "b"})
    brush.set("kind", ["b", "a"])
    brush.set("hour", None)
    brush.clear("place")
    assert [sorted(call["filters"]) for call in calls] == [["month"], ["kind", "month"]]
    assert brush.query == cube.Query(month=(2, 5), kind={"a", "b"})
    mask = np.arange(36) % 2 == 0
    brush.set("place", mask)
    brush.set("place", mask.copy())
    brush.clear()
    brush.clear()
    assert len(calls) == 4
    assert brush.filters == {}


def test_a_brush_takes_queries_and_refuses_nonsense():
    brush = lv.Brush(filters={"month": [1, 2]})
    assert brush.filters == {"month": frozenset({1, 2})}
    brush.replace(cube.Query(hour=(0, 3)))
    assert brush.filters == {"hour": (0, 3)}
    with pytest.raises(TypeError, match="cannot filter by"):
        brush.set("hour", "noon")
    assert brush.filters == {"hour": (0, 3)}


def test_brushes_are_told_apart_by_what_they_hold():
    one, other = lv.Brush(filters={"month": (1, 2)}), lv.Brush(filters={"month": (1, 2)})
    assert one.hashkey == other.hashkey
    other.set("month", np.arange(12) > 3)
    assert one.hashkey != other.hashkey


def test_a_target_reports():
    target = lv.Target()
    calls = heard(target)
    target.ask("month", 3, 12.5)
    target.ask("month", 3, 12.5)  # asked again is asked
    assert calls == [{"view": "month", "bin": 3, "value": 12.5, "add": False}] * 2


@FEW
@given(st.sampled_from([*SCHEMA, *GAPS]), st.data())
def test_what_is_drawn_is_what_is_selected(attribute, data):
    bins = data.draw(st.sets(st.integers(-2, attribute.bins + 2)))
    labels = attribute.labels()
    held = filter_of(bins, attribute.bins, attribute.ordered, labels, attribute.missing)
    kept = [i for i in range(attribute.bins) if i in bins]
    if held is None:
        assert len(kept) in (0, attribute.bins)
    elif len(attribute.shape) == 1 or not isinstance(held, tuple):
        assert np.flatnonzero(attribute.mask(held)).tolist() == kept


def test_the_most_telling_form():
    assert filter_of([3, 4, 5], 12) == (3, 6)
    assert filter_of([0, 2], 3, ordered=False, labels=["a", "b", "c"]) == frozenset({"a", "c"})
    assert filter_of([1, 3], 4).tolist() == [False, True, False, True]
    assert filter_of([12], 13, missing=True).tolist() == [False] * 12 + [True]
    assert filter_of([11, 12], 13, missing=True) == (11, 13)


def test_boxes_and_lassos():
    x, y = np.repeat(np.arange(4) + 0.5, 3), np.tile(np.arange(3) + 0.5, 4)
    assert cells_filter([], [], (4, 3), (x, y), 12) is None
    assert cells_filter([0, 4], [0, 3], (4, 3), (x, y), 12) is None
    assert cells_filter([1, 3], [0, 2], (4, 3), (x, y), 12) == (1, 3, 0, 2)
    triangle = cells_filter([0, 4, 0], [0, 0, 3], (4, 3), (x, y), 13)
    assert triangle.shape == (13,)
    assert triangle[:12].tolist() == (3 * x + 4 * y < 12).tolist()
    assert cells_filter([9, 9.1, 9], [9, 9, 9.1], (4, 3), (x, y), 12) is None


@FEW
@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=3, max_size=9))
def test_inside_a_polygon_beside_the_naive_way(corners):
    x, y = np.array(corners).T
    points = np.random.default_rng(0).uniform(-3, 3, (40, 2))

    def naive(px, py):
        odd = False
        for i in range(len(x)):
            xa, ya, xb, yb = x[i - 1], y[i - 1], x[i], y[i]
            if (ya > py) != (yb > py) and px < xa + (py - ya) * (xb - xa) / (yb - ya):
                odd = not odd
        return odd

    found = inside(x, y, *points.T)
    near = [abs(py - corner) < 1e-9 for _, py in points for corner in y]
    assert any(near) or found.tolist() == [naive(*point) for point in points]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({}, "Everything."),
        ({"month": (2, 5)}, "Where month is 3 to 5."),
        ({"month": (2, 3), "kind": {"a", "c"}}, "Where month is 3; kind is a or c."),
        ({"month": np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], bool)}, "Where month is 1 to 2 or 5."),
        ({"month": np.arange(12) < 0}, "Where month is nothing."),
        ({"hour": np.arange(24) % 2 == 0}, "Where hour is one of 12 of 24."),
        ({"place": (0, 3, 3, 6)}, "Where place in x 0 to 0.5, y 0.5 to 1."),
        ({"place": np.arange(36) < 7}, "Where place in 7 of 36 cells."),
    ],
)
def test_in_words(filters, words):
    assert lv.Brush(filters=filters).words(SCHEMA) == words


def test_intervals_and_missing_values_in_words():
    wait = cube.Numeric("wait", [-np.inf, 0, 10, 20, np.inf], unit="min", missing=True)
    schema = cube.Schema(wait)

    def words(held):
        return lv.Brush(filters={"wait": held}).words(schema)

    assert words((1, 3)) == "Where wait is 0 to 20 min."
    assert words((0, 2)) == "Where wait is below 10 min."
    assert words((2, 4)) == "Where wait is 10 or more min."
    assert words((2, 5)) == "Where wait is 10 or more, or missing min."
    assert words((0, 1)) == "Where wait is below 0 min."
    with pytest.raises(LookupError, match="no attribute 'nothing'"):
        lv.Brush(filters={"nothing": (0, 1)}).words(schema)
