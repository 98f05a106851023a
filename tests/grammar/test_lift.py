"""Lift: curves as their points say, cut-offs that follow a stream, and links by model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import learnviews as lv
from learnviews.kernels.search.cutoff import cut


def rows(count=200, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.random(count) < 0.3
    return true, {"forest": np.clip(0.4 * true + 0.6 * rng.random(count), 0, 1), "linear": rng.random(count)}


def model(number, **chances):
    frame = pd.DataFrame({"truth": list("abab"), "split": "holdout", **chances})
    return SimpleNamespace(
        number=number, name="tree", predictions=frame, problem=SimpleNamespace(positive="a"), split="holdout"
    )


@pytest.fixture
def linked(renderer):
    links = {"selection": lv.RowSelection(), "cutoff": lv.Cutoff(value=0.5), "label": "lift"}
    element = lv.LiftCurve.from_values(*rows(), numbers=[4, 6], **links)
    return element, renderer.get_plot(element)


@given(st.floats(0, 1))
def test_a_cutoff_ends_where_its_counts_say(value):
    true, chances = rows()
    found = lv.LiftCurve.from_values(true, chances).at_cutoff(value)
    for line, each in enumerate(chances.values()):
        counts = cut(true, each, value)
        assert tuple(found[:, line]) == pytest.approx((counts.taken, counts.recall))


def test_gains_end_with_everything_and_lift_with_one():
    for kind in ("gains", "lift"):
        found = lv.LiftCurve.from_values(*rows(), kind=kind)
        for line in (0, 1):
            taken, over, cutoffs = found.points(line)
            assert taken[0] == 0 and taken[-1] == over[-1] == 1.0 and (np.diff(cutoffs) < 0).all()
    assert found.points(0)[1][1] > 1.5


def test_of_models():
    models = [model(3, p_a=[0.9, 0.2, 0.8, 0.1], p_b=[0.1, 0.8, 0.2, 0.9]), model(5, p_a=0.5, p_b=0.5)]
    found = lv.LiftCurve.from_models(models)
    assert found.names == ["tree (3)", "tree (5)"] and list(found.ids) == [3, 5] and found.positive == "a"
    assert list(found.points(0)[1]) == [0, 0.5, 1, 1, 1] and list(found.points(1)[1]) == [0, 1]
    assert lv.LiftCurve.from_models(models, positive="b").positive == "b"
    assert not len(lv.LiftCurve.from_models([]))
    with pytest.raises(ValueError, match="tree: gives no probabilities"):
        lv.LiftCurve.from_models([model(1)])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.LiftCurve.from_values([True], {"m": [0.5, 0.6]}), "expected a probability per row"),
        (
            lambda: lv.LiftCurve.from_values([True], {"m": [0.5]}, numbers=[1, 2]),
            "expected a number per model, 1, got 2",
        ),
        (lambda: lv.LiftCurve([(0.0, 0.0, 1.0, 0.5, 1)], names=["m"]), "line as whole numbers from 0 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_the_cutoff_follows_its_stream(linked):
    element, plot = linked
    dots = plot.handles["dot_source"]
    np.testing.assert_allclose([dots.data["x"], dots.data["y"]], element.at_cutoff(0.5))
    element.cutoff.cut(0.8)
    np.testing.assert_allclose([dots.data["x"], dots.data["y"]], element.at_cutoff(0.8))
    assert plot.handles["caption_source"].data["text"] == ["cut-off 0.8"]
    plot.cleanup()
    assert not element.cutoff.subscribers and not element.selection.subscribers


def test_a_cutoff_that_takes_nothing_is_at_the_start(linked):
    element, plot = linked
    element.cutoff.cut(1.0)
    assert list(plot.handles["dot_source"].data["x"]) == [0, 0]


def test_pointing_lights_a_model(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [1]}
    assert list(element.selection.lit) == [6]
    np.testing.assert_array_equal(plot.handles["lit_source"].data["xs"][0], element.points(1)[0])
    element.selection.keep([4, 99])
    assert len(plot.handles["kept_source"].data["xs"]) == 1


def test_another_curve_in_the_same_plot(linked):
    element, plot = linked
    true, chances = rows(5000)
    only = {"forest": chances["forest"]}
    other = lv.LiftCurve.from_values(true, only, kind="lift", cutoff=lv.Cutoff(value=0.6))
    lv.patch(plot, other)
    assert not element.cutoff.subscribers and plot.handles["yaxis"].axis_label == "lift"
    assert len(plot.handles["lines_source"].data["xs"][0]) <= 400
    found = cut(true, only["forest"], 0.6)
    told = f"cut-off 0.6: {found.taken:.0%} of rows, lift {found.lift:.2f}"
    assert plot.handles["caption_source"].data["text"] == [told]
    lv.patch(plot, lv.LiftCurve.from_values([], {}))
    assert not plot.handles["source"].data["xs"] and not plot.handles["caption_source"].data["text"]
    assert not other.cutoff.subscribers


def test_without_any_positive_row(renderer):
    found = lv.LiftCurve.from_values([False, False], {"m": [0.1, 0.2]}, cutoff=lv.Cutoff())
    plot = renderer.get_plot(found)
    assert not len(plot.handles["dot_source"].data["x"])


def test_names_in_the_legend_differ(renderer):
    names = ["gradient boosting, 80 trees, depth 3", "gradient boosting, 80 trees, depth 4", *map(str, range(10))]
    plot = renderer.get_plot(lv.LiftCurve.from_values([True], {name: [0.5] for name in names}))
    told = plot.handles["lines_source"].data["name"]
    assert told[:3] == ["gradient boosting, … 1", "gradient boosting, … 2", "0"]
    assert set(told[8:]) == {"and 4 more"} and all(len(name) <= 22 for name in told)
