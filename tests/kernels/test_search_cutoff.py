"""Cut-offs and lift: counts as a naive loop counts them, and the classes they speak of."""

from types import SimpleNamespace

import naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import search
from learnviews.kernels.search.cutoff import cut, gains

CHANCES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.booleans(), CHANCES), max_size=30)


def model(truth="aabb", split="holdout", positive=None, **chances):
    frame = pd.DataFrame({"truth": list(truth), "split": split, **chances})
    problem = SimpleNamespace(positive=positive)
    return SimpleNamespace(name="tree", predictions=frame, problem=problem, split="holdout")


@given(ROWS, st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1)))
def test_counts_at_a_cutoff(rows, cutoff):
    true, chances = [row[0] for row in rows], [row[1] for row in rows]
    found = cut(true, chances, cutoff)
    hits, false_alarms, misses, rejections = naive.cut_counts(true, chances, cutoff)
    assert (found.hits, found.false_alarms, found.misses, found.rejections) == (hits, false_alarms, misses, rejections)
    if hits:
        precision, recall = hits / (hits + false_alarms), hits / (hits + misses)
        assert (found.precision, found.recall) == pytest.approx((precision, recall))
        assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))
        assert found.lift == pytest.approx(precision / ((hits + misses) / found.rows))
    if found.rows:
        assert found.accuracy == pytest.approx((hits + rejections) / found.rows)


@given(ROWS)
def test_every_point_of_a_curve_is_a_cutoff(rows):
    true, chances = [row[0] for row in rows], [row[1] for row in rows]
    found = gains(true, chances)
    assert len(found) == 1 + len({chance for chance in chances if chance == chance})
    for cutoff, taken, share, lift in found.iloc[1:].itertuples(index=False):
        hits, false_alarms, misses, rejections = naive.cut_counts(true, chances, cutoff)
        assert taken == pytest.approx((hits + false_alarms) / (hits + false_alarms + misses + rejections))
        if hits + misses:
            assert share == pytest.approx(hits / (hits + misses)) and lift == pytest.approx(share / taken)
        else:
            assert np.isnan(share) and np.isnan(lift)


def test_nothing_of_no_rows():
    found = cut([], [], 0.5)
    assert found.rows == 0 and all(np.isnan(x) for x in (found.f1, found.precision, found.taken, found.lift))
    assert len(gains([], [])) == 1


def test_of_a_model():
    one = model(p_a=[0.9, 0.4, 0.2, 0.1], p_b=[0.1, 0.6, 0.8, 0.9])
    assert search.at_cutoff(one).hits == 2 and search.at_cutoff(one).false_alarms == 1  # b is the last in order
    assert search.at_cutoff(one, 0.7).f1 == 1.0
    assert search.at_cutoff(one, 0.5, positive="a").recall == 0.5
    assert list(search.lift(one)["found"]) == [0, 0.5, 1, 1, 1]
    assert search.lift(one)["lift"][1] == 2.0
    one.problem.positive = "a"
    assert search.at_cutoff(one).misses == 1
    assert search.at_cutoff(one, split="train").rows == 0


def test_numbers_and_text_are_one_label():
    one = model([1.0, 0.0, np.nan], positive="1", **{"p_0.0": [0.2, 0.7, 0.1], "p_1.0": [0.8, 0.3, 0.9]})
    found = search.at_cutoff(one)
    assert (found.hits, found.rejections, found.rows) == (1, 1, 2)  # a row without a truth does not count


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: cut([True], [0.5], 1.5), "cutoff = 1.5; expected a probability from 0 to 1"),
        (lambda: cut([True], [0.5, 0.5]), "expected a probability per row"),
        (lambda: search.lift(model()), "tree: gives no probabilities"),
        (lambda: search.lift(model(p_a=0.1, p_b=0.2, p_c=0.7)), "tree: name the positive class, one of a, b, c"),
        (lambda: search.lift(model(p_a=0.1, p_b=0.2), positive="z"), "tree: there is no class 'z'; there are a, b"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()
