"""Residuals: every row in its bar, bars as a naive loop has them, and links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import residual_bars

import learnviews as lv


def values(rows=40, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows).round(3)
    return truth, (truth + rng.normal(scale=0.3, size=rows)).round(3)


@pytest.fixture
def linked(renderer):
    truth, said = values()
    ids = [f"row {at}" for at in range(len(truth))]
    element = lv.Residuals.from_values(truth, said, ids=ids, selection=lv.RowSelection(), label="forest")
    return element, renderer.get_plot(element)


@pytest.mark.parametrize("order", ["truth", "prediction", "residual", "size", "row"])
def test_one_bar_per_row_in_order(order):
    truth, said = values()
    found = lv.Residuals.from_values(truth, said, order=order)
    off = said - truth
    np.testing.assert_allclose(found["low"], off[list(found.ids)])
    np.testing.assert_array_equal(found["low"], found["high"])
    by = {"truth": truth, "prediction": said, "residual": off, "size": -abs(off), "row": np.arange(40)}[order]
    assert (np.diff(by[list(found.ids)]) >= 0).all()
    assert found.mean_error == pytest.approx(abs(off).mean())


@given(st.integers(0, 60), st.integers(1, 25))
def test_bars_of_several_rows(rows, most):
    truth, said = values(rows)
    found = lv.Residuals.from_values(truth, said, most=most)
    wanted = residual_bars(sorted(zip(truth, said, strict=True), key=lambda pair: pair[0]), found.marks)
    assert len(found) == len(wanted) <= min(most, max(rows, 1))
    for at, (low, high, count, true, predicted) in enumerate(wanted):
        got = [found[name][at] for name in ("low", "high", "rows", "truth", "prediction")]
        assert got == pytest.approx([low, high, count, true, predicted])


def test_rows_without_an_answer_are_left_out_and_ids_kept():
    truth = pd.Series([1.0, np.nan, 3.0, 4.0], index=["a", "b", "c", "d"])
    found = lv.Residuals.from_values(truth, [1.5, 2.0, np.inf, 3.0])
    assert list(found.ids) == ["a", "d"] and list(found.residuals) == [0.5, -1.0]
    empty = lv.Residuals.from_values([], [])
    assert len(empty) == 0 and np.isnan(empty.mean_error)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.Residuals.from_values([1.0], [1.0, 2.0]), "a prediction and an id per row, got 1, 2 and 1"),
        (lambda: lv.Residuals.from_values([1.0], [1.0], order="age"), "no order 'age'; expected one of truth"),
        (lambda: lv.Residuals.from_values([1.0], [1.0], most=0), "most = 0"),
        (lambda: lv.Residuals([(0, 2.0, 1.0, 1, 0.0, 0.0)]), "low <= high"),
        (
            lambda: lv.Residuals([(0, 0.0, 1.0, 1, 0.0, 0.0)], ids=np.array([1]), marks=np.array([0])),
            "residual per row",
        ),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def test_of_a_model():
    frame = pd.DataFrame({"truth": [1.0, 2.0], "prediction": [1.5, 1.0], "split": ["train", "holdout"]}, index=[7, 8])
    problem = SimpleNamespace(task="regression", targets=("y",))
    model = SimpleNamespace(predictions=frame, problem=problem, name="tree")
    found = lv.Residuals.from_model(model)
    assert found.label == "tree" and list(found.ids) == [8] and list(found.residuals) == [-1.0]
    assert list(lv.Residuals.from_model(model, "train", target="y").ids) == [7]
    with pytest.raises(ValueError, match=r"tree: no rows of split 'test'"):
        lv.Residuals.from_model(model, "test")
    model.predictions = frame.rename(columns={"truth": "truth_y", "prediction": "prediction_y"})
    assert list(lv.Residuals.from_model(model, target="y").residuals) == [-1.0]
    with pytest.raises(ValueError, match="tree: name one of its targets, y"):
        lv.Residuals.from_model(model)
    problem.task = "classification"
    with pytest.raises(ValueError, match="tree: residuals need numbers"):
        lv.Residuals.from_model(model)


# -- drawn


def test_an_instance_lights_in_all_models(linked, renderer):
    element, plot = linked
    truth, _ = values()
    other = lv.Residuals.from_values(truth, truth + 1, ids=element.ids, selection=element.selection, label="tree")
    beside = renderer.get_plot(other)
    plot.handles["pointed_source"].data = {"mark": [3]}
    assert list(element.selection.lit) == [element.ids[3]]
    for shown in (plot, beside):
        assert len(shown.handles["lit_source"].data["left"]) == 1
    assert plot.handles["lit_source"].data["top"][0] == pytest.approx(max(element.residuals[3], 0))
    plot.handles["source"].selected.indices = [5]
    plot.handles["pointed_source"].data = {"mark": []}
    assert not len(beside.handles["lit_source"].data["left"])
    assert len(beside.handles["kept_source"].data["left"]) == 1


def test_of_a_bar_of_many_rows_the_selected_part_is_drawn(renderer):
    truth, said = values(5000)
    element = lv.Residuals.from_values(truth, said, selection=lv.RowSelection(), most=100)
    plot = renderer.get_plot(element)
    rows = element.rows_of([40])
    element.selection.keep(rows[:3])
    drawn, off = plot.handles["kept_source"].data, (said - truth)[list(rows[:3])]
    assert drawn["bottom"][0] == pytest.approx(min(off.min(), 0)) and drawn["top"][0] == pytest.approx(
        max(off.max(), 0)
    )
    assert plot.handles["source"].data["id"][40] == "50 rows"


def test_the_mean_error_is_told_and_patched(linked):
    element, plot = linked
    assert plot.handles["caption_source"].data["text"] == [f"mean absolute error {element.mean_error:.4g}"]
    lv.patch(plot, lv.Residuals.from_values([1.0, 2.0], [2.0, 4.0]))
    assert plot.handles["caption_source"].data["text"] == ["mean absolute error 1.5"]
    np.testing.assert_allclose(plot.handles["mean_source"].data["y"], [-1.5, 1.5])
    lv.patch(plot, lv.Residuals.from_values([], []))
    assert plot.handles["caption_source"].data["text"] == []


def test_several_models_on_one_scale_and_a_patched_order(renderer):
    near = lv.Residuals.from_values([1.0, 2.0], [1.1, 2.0], reach=8.0)
    far = lv.Residuals.from_values([1.0, 2.0], [9.0, 2.0], reach=8.0)
    plots = [renderer.get_plot(each) for each in (near, far)]
    ends = [(plot.handles["y_range"].start, plot.handles["y_range"].end) for plot in plots]
    assert ends[0] == ends[1]
    lv.patch(plots[0], lv.Residuals.from_values([1.0, 2.0], [1.1, 2.0], order="size"))
    assert plots[0].handles["xaxis"].axis_label == "rows, by size of the error"


def test_ids_that_occur_twice_are_both_found():
    found = lv.Residuals.from_values([1.0, 2.0, 3.0], [1.0, 2.5, 3.0], ids=["a", "b", "a"], order="row")
    assert found.mask_of(["a", "else"]).tolist() == [True, False, True]
    assert found.mask_of([]).tolist() == [False, False, False]
