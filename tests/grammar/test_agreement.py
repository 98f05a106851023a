"""Disagreement: bars as a naive loop has them, the most disputed row first, and links by row."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import learnviews as lv


def labels(*shares):
    """A row per (agree, right)."""
    frame = pd.DataFrame(shares, columns=["agree", "right"], index=[f"r{at}" for at in range(len(shares))])
    return frame.assign(truth="a", most="b")


def numbers(*spreads):
    frame = pd.DataFrame({"spread": spreads, "error": [2 * each for each in spreads]}, dtype=float)
    return frame.assign(truth=1.0, mean=1.23456)


@pytest.fixture
def linked(renderer):
    table = labels((1.0, 1.0), (0.5, 0.5), (0.75, 0.75), (0.5, 0.0))
    element = lv.Disagreement.from_table(table, selection=lv.RowSelection(), label="disputed")
    return element, renderer.get_plot(element)


def test_the_most_disputed_first_and_of_these_the_worst():
    found = lv.Disagreement.from_table(labels((1.0, 1.0), (0.5, 0.5), (0.75, 0.75), (0.5, 0.0)))
    assert list(found.ids) == ["r3", "r1", "r2", "r0"] and list(found.marks) == [0, 1, 2, -1]
    assert list(found["high"]) == [0.5, 0.5, 0.25] and list(found["right"]) == [0.0, 0.5, 0.75]
    assert found.disputed == 3 and list(found["most"]) == ["b"] * 3
    found = lv.Disagreement.from_table(numbers(0.0, 1.0, 3.0))
    assert found.kind == "numbers" and list(found.ids) == [2, 1, 0] and list(found["high"]) == [3.0, 1.0]
    assert list(found["right"]) == [6.0, 2.0] and list(found["most"]) == ["1.235"] * 2


@given(st.lists(st.floats(0, 9), max_size=40), st.integers(1, 12))
def test_bars_of_several_rows(spreads, most):
    found = lv.Disagreement.from_table(numbers(*spreads), most=most)
    disputed = sorted((each for each in spreads if each > 1e-12), reverse=True)
    assert found.disputed == len(disputed) and len(found) == min(most, len(disputed))
    for mark in range(len(found)):
        mine = [each for each, where in zip(disputed, found.marks, strict=False) if where == mark]
        assert [found[name][mark] for name in ("low", "high", "rows")] == [min(mine), max(mine), len(mine)]
        assert found["right"][mark] == pytest.approx(2 * sum(mine) / len(mine))
        assert (found["truth"][mark] == "") == (len(mine) > 1)


def test_of_models():
    def model(number, said):
        frame = pd.DataFrame({"truth": list("aab"), "prediction": list(said), "split": "holdout"}, index=[7, 8, 9])
        problem = SimpleNamespace(task="classification", subtask="binary")
        return SimpleNamespace(number=number, name="m", split="holdout", predictions=frame, problem=problem)

    found = lv.Disagreement.from_models([model(1, "aab"), model(2, "aba"), model(3, "abb")])
    assert list(found.ids) == [8, 9, 7] and found.disputed == 2
    np.testing.assert_allclose(found["high"], [1 / 3, 1 / 3])
    np.testing.assert_allclose(found["right"], [1 / 3, 2 / 3])
    assert not len(lv.Disagreement.from_models([]))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.Disagreement.from_table(labels((1.0, 1.0)).drop(columns="most")), "lacks column 'most'"),
        (lambda: lv.Disagreement.from_table(labels((1.0, 1.0)), most=0), "most = 0"),
        (lambda: lv.Disagreement([(0, 0.5, 0.4, 1, 0.0, "", "")]), "low <= high"),
        (
            lambda: lv.Disagreement([(0, 0.4, 0.4, 1, 0.0, "", "")], ids=np.array([1]), marks=np.array([0])),
            "a disagreement per row id",
        ),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_pointing_lights_a_row_and_others_show_theirs(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [2]}
    assert list(element.selection.lit) == ["r2"] and list(plot.handles["lit_source"].data["top"]) == [0.25]
    element.selection.keep(["r0", "r3"], "table")  # models agree on r0: it has no bar
    assert list(plot.handles["kept_source"].data["top"]) == [0.5]
    assert plot.handles["caption_source"].data["text"] == ["models disagree in 3 of 4 rows"]
    assert list(plot.handles["source"].data["id"]) == ["r3", "r1", "r2"]


def test_another_table_in_the_same_plot(linked):
    _, plot = linked
    lv.patch(plot, lv.Disagreement.from_table(numbers(*range(100)), most=10))
    assert plot.handles["source"].data["id"][1] == "10 rows" and plot.handles["source"].data["far"][1] == "80 to 89"
    assert plot.handles["yaxis"].axis_label == "spread between models"
    assert plot.handles["color_mapper"].high > 100 and plot.handles["y_range"].end > 99
    lv.patch(plot, lv.Disagreement.from_table(numbers(0.0, 0.0)))
    assert plot.handles["caption_source"].data["text"] == ["models disagree in 0 of 2 rows"]
    lv.patch(plot, lv.Disagreement.from_models([]))
    assert not plot.handles["caption_source"].data["text"]
