"""How far new rows differ: against a naive count, against chance, and on odd columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import search
from learnviews.kernels.search.drift import BINS, chance


def data(name="rows", **columns):
    return search.load(pd.DataFrame(columns), name=name)


def naive(before, after):
    """Total variation of two lists of labels."""
    seen = set(before) | set(after)
    return sum(abs(list(before).count(each) / len(before) - list(after).count(each) / len(after)) for each in seen) / 2


@given(
    st.lists(st.sampled_from("abcd"), min_size=4, max_size=40),
    st.lists(st.sampled_from("abcde"), min_size=4, max_size=40),
)
@settings(max_examples=30, deadline=None)
def test_distance_of_labels_is_the_naive_one(before, after):
    old = search.load(pd.DataFrame({"x": before}), name="old", types={"x": "categorical"})
    new = search.load(pd.DataFrame({"x": after}), name="new", types={"x": "categorical"})
    (found,) = search.drift(old, new)
    assert found.distance == pytest.approx(naive(before, after))
    assert found.strange == pytest.approx(np.mean([each not in before for each in after]))
    assert found.before.sum() == len(before) and found.after.sum() == len(after)


def test_chance_is_what_samples_of_one_distribution_give():
    rng = np.random.default_rng(0)
    share = np.array([0.4, 0.3, 0.2, 0.1])
    pairs = [(rng.multinomial(300, share), rng.multinomial(80, share)) for _ in range(400)]
    real = np.mean([np.abs(a / 300 - b / 80).sum() / 2 for a, b in pairs])
    told = np.mean([chance(a, b) for a, b in pairs])
    assert told == pytest.approx(real, rel=0.06)


def test_moved_columns_come_first_and_are_marked():
    rng = np.random.default_rng(0)
    old = data(same=rng.normal(size=400), moved=rng.normal(size=400), when=pd.date_range("2020-01-01", periods=400))
    new = data(same=rng.normal(size=200), moved=rng.normal(3, 1, 200), when=pd.date_range("2022-01-01", periods=200))
    found = search.drift(old, new)
    assert {each.name for each in found[:2]} == {"moved", "when"} and found[2].name == "same"
    assert [each.clear for each in found] == [True, True, False]
    assert {each.name: each.strange for each in found}["when"] == 1.0
    assert all(len(each.bins) <= BINS + 1 for each in found)


def test_gaps_count_and_empty_tables_do_not_matter():
    old = data(x=[1.5, 2.5, 3.5, 4.5], y=["a", "b", "a", "b"])
    new = data(x=[np.nan, np.nan, 3.5, 4.5], y=["a", "b", "a", "b"])
    found = {each.name: each for each in search.drift(old, new)}
    assert found["x"].distance == pytest.approx(0.5) and found["x"].strange == 0 and found["y"].distance == 0
    nothing = new.take(new.frame.index[:0])
    assert all(each.distance == 0 and each.strange == 0 for each in search.drift(old, nothing))


def test_types_of_the_first_are_taken_and_unknown_columns_named():
    old = search.load(pd.DataFrame({"code": ["1", "2", "3"] * 5}), name="old", types={"code": "categorical"})
    new = data("new", code=[1, 2, 3, 9])
    (found,) = search.drift(old, new)
    assert found.bins.kind == "labels" and found.strange == 0.25
    with pytest.raises(KeyError, match="new: has no column 'other'"):
        search.drift(data(other=[1, 2]), new, ["other"])
