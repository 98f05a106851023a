"""Confusion matrices: counts as a naive count has them, rows behind every cell, and links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import confusion_counts

import learnviews as lv

LABELS = ["cat", "dog", "owl"]


def labels(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(LABELS, rows)
    return truth, np.where(rng.random(rows) < 0.7, truth, rng.permutation(truth))


@pytest.fixture
def linked(renderer):
    """A matrix with a selection, and its plot."""
    truth, said = labels()
    ids = [f"row {at}" for at in range(len(truth))]
    element = lv.ConfusionMatrix.from_labels(truth, said, ids=ids, selection=lv.RowSelection(), label="forest")
    return element, renderer.get_plot(element)


def test_counts_and_shares():
    truth, said = labels()
    found = lv.ConfusionMatrix.from_labels(truth, said)
    counts = found["count"].reshape(3, 3)  # truth, prediction
    np.testing.assert_array_equal(counts, confusion_counts(truth, said, LABELS))
    np.testing.assert_allclose(found["share"].reshape(3, 3), counts / counts.sum(1, keepdims=True))
    np.testing.assert_allclose(found["of_predicted"].reshape(3, 3), counts / counts.sum(0, keepdims=True))
    assert found.classes == LABELS


def test_every_cell_knows_its_rows():
    truth, said = labels()
    found = lv.ConfusionMatrix.from_labels(pd.Series(truth, index=np.arange(60) + 100), said)
    for cell in range(9):
        true, predicted = LABELS[cell // 3], LABELS[cell % 3]
        wanted = [at + 100 for at in range(60) if truth[at] == true and said[at] == predicted]
        assert list(found.rows_of([cell])) == wanted
        assert found.counts_of(found.mask_of(wanted[:2]))[cell] == len(wanted[:2])


def test_missing_answers_and_foreign_classes():
    found = lv.ConfusionMatrix.from_labels(["a", None, "b", "a"], ["a", "a", None, "z"], classes=["b", "a"])
    assert found.classes == ["b", "a", "z"] and found["count"].sum() == 2
    assert list(found.marks) == [4, -1, -1, 5]
    assert np.isnan(found["share"].reshape(3, 3)[2]).all()  # nothing is truly z
    assert len(lv.ConfusionMatrix.from_labels([], [])) == 0
    mixed = lv.ConfusionMatrix.from_labels([1, "one", True], [1, "one", "one"])
    assert mixed["count"].sum() == 3


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.ConfusionMatrix.from_labels(["a"], ["a", "b"]), "expected a prediction and an id per row"),
        (lambda: lv.ConfusionMatrix.from_labels(["a"], ["a"], ids=[1], marks=np.array([7])), "marks from -1 to 0"),
        (lambda: lv.ConfusionMatrix([(0, 5, 1, 1.0, 1.0)], classes=["a"]), "truth as whole numbers from 0 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def test_of_a_model():
    frame = pd.DataFrame({"truth": list("aabb"), "prediction": list("abbb"), "split": ["train"] * 2 + ["holdout"] * 2})
    model = SimpleNamespace(predictions=frame, problem=SimpleNamespace(task="classification"), name="tree")
    found = lv.ConfusionMatrix.from_model(model)
    assert found.label == "tree" and found.classes == ["a", "b"] and list(found["count"]) == [0, 0, 0, 2]
    assert list(lv.ConfusionMatrix.from_model(model, "train")["count"]) == [1, 1, 0, 0]
    with pytest.raises(ValueError, match=r"no rows of split 'test'"):
        lv.ConfusionMatrix.from_model(model, "test")
    model.problem.task = "regression"
    with pytest.raises(ValueError, match="tree: a confusion matrix needs one label per row"):
        lv.ConfusionMatrix.from_model(model)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("bcd")), max_size=30))
def test_any_labels(pairs):
    truth, said = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = lv.ConfusionMatrix.from_labels(truth, said)
    names = sorted({*truth, *said})
    assert found.classes == names
    np.testing.assert_array_equal(found["count"], np.ravel(confusion_counts(truth, said, names)))


# -- drawn


def test_pointing_lights_and_clicking_keeps(linked):
    element, plot = linked
    cell = int(element["count"].reshape(3, 3)[0, 1:].argmax()) + 1  # cats that are taken for something else
    assert len(element.rows_of([cell]))
    plot.handles["pointed_source"].data = {"mark": [cell]}
    assert list(element.selection.lit) == list(element.rows_of([cell])) and element.selection.source == "forest"
    plot.handles["pointed_source"].data = {"mark": []}
    assert not len(element.selection.lit)
    plot.handles["source"].selected.indices = [0, cell]
    assert set(element.selection.kept) == set(element.rows_of([0, cell]))
    plot.handles["source"].selected.indices = []
    assert not len(element.selection.kept)


def test_what_others_light_shows_as_a_part_of_its_cells(linked):
    element, plot = linked
    half = element.rows_of([0])[::2]
    element.selection.light(half, "table")
    bars = plot.handles["lit_source"].data
    wide = bars["right"] - bars["left"]
    assert len(wide) == 1 and wide[0] == pytest.approx(0.94 * len(half) / len(element.rows_of([0])))
    assert not len(plot.handles["kept_source"].data["left"])
    element.selection.light(["no row of this"], "table")
    assert not len(plot.handles["lit_source"].data["left"])


def test_a_patched_matrix_follows_its_own_selection(linked):
    element, plot = linked
    other = lv.ConfusionMatrix.from_labels(list("xxyz"), list("xyyz"), selection=lv.RowSelection())
    lv.patch(plot, other)
    other.selection.keep([0], "table")
    assert len(plot.handles["kept_source"].data["left"]) == 1
    element.selection.keep(element.rows_of([0]), "table")
    assert len(plot.handles["kept_source"].data["left"]) == 1
    assert plot.handles["xaxis"].major_label_overrides == {0: "x", 1: "y", 2: "z"}
    plot.cleanup()
    assert not other.selection.subscribers


def test_many_classes_are_still_readable(renderer):
    names = [f"class number {at:03} of many" for at in range(100)]
    plot = renderer.get_plot(lv.ConfusionMatrix.from_labels(names, names))
    assert not len(plot.handles["text_source"].data["text"])
    shown = plot.handles["xaxis"].major_label_overrides
    assert len(shown) == 100 and all(len(name) <= 14 for name in shown.values())
    assert len(plot.handles["xaxis"].ticker.ticks) == 20  # the browser names as many as there is room for
    assert "class number 099 of many" in plot.handles["source"].data["true"]
