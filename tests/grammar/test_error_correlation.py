"""Correlated errors: every pair in its cell, and links by model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import learnviews as lv

TABLE = pd.DataFrame([[1.0, 0.5, np.nan], [0.5, 1.0, -0.75], [np.nan, -0.75, 1.0]], [4, 6, 9], [4, 6, 9])


@pytest.fixture
def linked(renderer):
    element = lv.ErrorCorrelation.from_matrix(TABLE, list("abc"), selection=lv.RowSelection(), label="errors")
    return element, renderer.get_plot(element)


def test_every_pair_has_its_cell():
    found = lv.ErrorCorrelation.from_matrix(TABLE)
    for x, y, value in found.array():
        np.testing.assert_equal(value, TABLE.iloc[int(y), int(x)])
    assert found.names == ["model 4", "model 6", "model 9"] and list(found.ids) == [4, 6, 9]
    assert list(found.rows_of([1])) == [4, 6] and list(found.rows_of([8])) == [9] and not len(found.rows_of([]))


def test_of_models(monkeypatch):
    from types import SimpleNamespace

    frames = [[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [-1.0, -2.0, -4.0]]
    models = [
        SimpleNamespace(
            number=at,
            name=f"m{at}",
            split="holdout",
            problem=SimpleNamespace(task="regression", subtask=None),
            predictions=pd.DataFrame({"truth": 0.0, "prediction": said, "split": "holdout"}),
        )
        for at, said in enumerate(frames)
    ]
    found = lv.ErrorCorrelation.from_models(models)
    np.testing.assert_allclose(found["correlation"].reshape(3, 3), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    assert found.names == ["m0", "m1", "m2"]
    assert lv.ErrorCorrelation.from_study(SimpleNamespace(models=models), top=2).size == 2
    assert not len(lv.ErrorCorrelation.from_models([]))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.ErrorCorrelation.from_matrix([[1.0, 0.5]]), r"a square table of correlations, got shape \(1, 2\)"),
        (lambda: lv.ErrorCorrelation.from_matrix([[1.0]], ["a", "b"]), "a name and a number per model, 1, got 2 and 1"),
        (lambda: lv.ErrorCorrelation.from_matrix([[2.0]]), "expected correlation from -1 to 1"),
        (lambda: lv.ErrorCorrelation([(0, 3, 0.5)], names=["a"]), "y as whole numbers from 0 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_pointing_at_a_cell_lights_both_models(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [5]}
    assert set(element.selection.lit) == {6, 9} and element.selection.source == "errors"
    plot.handles["pointed_source"].data = {"mark": []}
    element.selection.keep([9, 77], "scores")
    frames = plot.handles["kept_source"].data
    assert list(zip(frames["left"], frames["right"], strict=True)) == [(-0.5, 2.5), (1.5, 2.5)]
    assert list(zip(frames["bottom"], frames["top"], strict=True)) == [(1.5, 2.5), (-0.5, 2.5)]
    assert not len(plot.handles["lit_source"].data["left"])


def test_numbers_where_there_is_room(linked, renderer):
    _, plot = linked
    assert plot.handles["text_source"].data["text"] == ["0.50", "0.50", "-0.75", "-0.75"]
    assert plot.handles["yaxis"].major_label_overrides[1] == "b  2"
    lv.patch(plot, lv.ErrorCorrelation.from_matrix(np.full((8, 8), -0.04)))
    assert set(plot.handles["text_source"].data["text"]) == {"0.0"}
    lv.patch(plot, lv.ErrorCorrelation.from_matrix(np.eye(100)))
    assert not plot.handles["text_source"].data["text"]
    assert len(plot.handles["xaxis"].major_label_overrides) <= 30
    lv.patch(plot, lv.ErrorCorrelation.from_matrix(np.zeros((0, 0))))
    assert not len(plot.handles["source"].data["left"])
