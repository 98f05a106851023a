"""Partial dependence: curves on one scale, categories by their frequency, the chosen class, links by model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import learnviews as lv


def curves(values, seed=0, ofs=("prediction",)):
    rng = np.random.default_rng(seed)
    rows = [(each, of, *np.sort(rng.random(3))[[1, 0, 2]]) for each in values for of in ofs]
    return pd.DataFrame(rows, columns=["value", "of", "mean", "low", "high"])


VALUES = [0.5, 1.0, 2.5]
COLUMN = np.random.default_rng(1).gamma(2, 1, 80)


@pytest.fixture
def linked(renderer):
    frames = {number: curves(VALUES, number) for number in (4, 9)}
    element = lv.PartialDependence.from_frames(frames, "age", COLUMN, ["tree", "line"], selection=lv.RowSelection())
    return element, renderer.get_plot(element)


def test_a_curve_per_model_and_a_histogram():
    frame = curves(VALUES[::-1])
    found = lv.PartialDependence.from_frames({4: frame}, "age", COLUMN)
    assert list(found.curves[0]["value"]) == VALUES and list(found.curves[0]["mean"]) == list(frame["mean"][::-1])
    assert found.counts.sum() == len(COLUMN) and len(found.edges) == len(found.counts) + 1
    assert found.of == "prediction" and not found.categories


def test_categories_by_frequency_and_one_of_the_classes():
    column = ["b"] * 5 + ["a"] * 3 + [None] + ["c"]
    frame = curves(["a", "b", "c"], ofs=("no", "yes"))
    found = lv.PartialDependence.from_frames({1: frame}, "kind", column, of="yes")
    assert found.categories == ["b", "a", "c"] and found.counts.tolist() == [5, 3, 1]
    yes = frame[frame["of"] == "yes"].set_index("value")["mean"]
    assert list(found.curves[0]["mean"]) == [yes["b"], yes["a"], yes["c"]]
    assert lv.PartialDependence.from_frames({1: frame}, "kind").of == "no"
    flags = lv.PartialDependence.from_frames({1: curves([True, False])}, "flag", [True, False, False])
    assert flags.categories == ["False", "True"]


def test_categories_that_are_numbers_are_in_their_order():
    frame, column = curves(["4", "8", "10"]), ["8"] * 5 + ["10"] * 4 + ["4"]
    found = lv.PartialDependence.from_frames({1: frame}, "cylinders", column)
    assert found.categories == ["4", "8", "10"] and found.counts.tolist() == [1, 5, 4]
    assert list(found.curves[0]["mean"]) == list(frame["mean"])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.PartialDependence.from_frames({1: curves(VALUES)}, "age", of="z"), "of = 'z': no such class"),
        (lambda: lv.PartialDependence.from_frames({1: curves(VALUES)}, "age", names=["a", "b"]), "a name per model, 1"),
        (lambda: lv.PartialDependence([(0, 1, "a")]), "expected a table per curve, 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_models_are_linked_and_the_one_pointed_at_has_a_band(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [1]}
    assert list(element.selection.lit) == [9]
    assert plot.handles["lit_source"].data["ys"] == [element.curves[1]["mean"].tolist()]
    assert len(plot.handles["band_source"].data["xs"][0]) == 6
    element.selection.light([4, 9], "table")
    assert not plot.handles["band_source"].data["xs"]
    element.selection.keep([4], "table")
    assert len(plot.handles["kept_source"].data["xs"]) == 1


def test_few_models_are_named_and_many_shaded(linked):
    _, plot = linked
    assert [item.label.value for item in plot.handles["legend"].items] == ["tree", "line"]
    lv.patch(plot, lv.PartialDependence.from_frames({at: curves(VALUES, at) for at in range(40)}, "age", COLUMN))
    assert not plot.handles["legend"].visible and len(set(plot.handles["source"].data["color"])) > 30


def test_another_feature_is_patched_in(linked):
    _, plot = linked
    lv.patch(plot, lv.PartialDependence.from_frames({1: curves(["a", "b"], ofs=("yes",))}, "kind", ["a", "b", "b"]))
    assert plot.handles["xaxis"].axis_label == "kind"
    assert plot.handles["yaxis"].axis_label == "mean probability of yes"
    assert plot.handles["xaxis"].major_label_overrides == {0: "b", 1: "a"}
    assert list(plot.handles["dots_source"].data["x"]) == [0, 1]
    lv.patch(plot, lv.PartialDependence.from_frames({}, "kind"))
    assert not len(plot.handles["source"].data["xs"])


def test_no_line_joins_categories(renderer):
    frames = {number: curves(["a", "b", "c"], number) for number in (4, 9)}
    element = lv.PartialDependence.from_frames(frames, "kind", ["b", "a", "c"], selection=lv.RowSelection())
    plot = renderer.get_plot(element)
    for name in ("source", "lit_source"):
        element.selection.light([4, 9], "table")
        for xs, curve in zip(plot.handles[name].data["xs"], element.curves, strict=True):
            parts = [part for part in np.split(xs, np.flatnonzero(np.isnan(xs))) if len(part)]
            assert len(parts) == len(curve) and all(np.ptp(part[np.isfinite(part)]) < 1 for part in parts)
    element.selection.light([9], "table")
    assert np.isnan(plot.handles["band_source"].data["xs"][0]).sum() == 2
    assert len(plot.handles["dots_source"].data["x"]) == 6


def test_the_legend_lies_beside_the_curves(linked):
    _, plot = linked
    assert plot.handles["legend"] in plot.state.above
