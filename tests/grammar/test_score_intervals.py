"""Scores of models: best first whatever is better, the baseline beside them, and links by model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import learnviews as lv

NAMES = ["linear", "a forest of very many trees with long names", "boosting"]
SCORES = [0.7, 0.9, 0.8]


def scores(**params):
    ends = [each - 0.05 for each in SCORES], [each + 0.04 for each in SCORES]
    return lv.ScoreIntervals.from_scores(NAMES, SCORES, *ends, numbers=[3, 7, 5], **params)


def model(number, value, metric="accuracy"):
    table = pd.DataFrame({"value": [value], "low": [value - 1], "high": [value + 1]}, index=[metric])
    problem = SimpleNamespace(metric=metric, name="p")
    return SimpleNamespace(number=number, name=f"model {number}", problem=problem, scores=table)


@pytest.fixture
def linked(renderer):
    element = scores(metric="accuracy", baseline=(0.5, 0.45, 0.55), selection=lv.RowSelection(), label="scores")
    return element, renderer.get_plot(element)


def test_best_first_whatever_is_better():
    found = scores(metric="accuracy")
    assert list(found.ids) == [7, 5, 3] and found.names[0] == NAMES[1] and list(found["value"]) == [0.9, 0.8, 0.7]
    found = scores(metric="meanSquaredError")
    assert list(found.ids) == [3, 5, 7] and found.metric == "mean squared error" and not found.larger_is_better
    assert list(scores(metric="euros", larger_is_better=False).ids) == [3, 5, 7]


@given(st.lists(st.one_of(st.floats(allow_infinity=False, width=32), st.none()), max_size=20), st.integers(1, 10))
def test_any_scores_and_the_best_of_them(values, top):
    values = np.array([np.nan if each is None else each for each in values], dtype=float)
    found = lv.ScoreIntervals.from_scores([f"m{at}" for at in range(len(values))], values, top=top)
    known = sorted((each for each in values if each == each), reverse=True)
    shown = [each for each in found["value"] if each == each]
    assert shown == known[:top] and len(found) == min(top, len(values))
    assert found.left_out == len(values) - len(found)


def test_of_models_and_of_a_study():
    models = [model(1, 0.4), model(2, 0.6)]
    found = lv.ScoreIntervals.from_models(models)
    assert (
        list(found.ids) == [2, 1] and found.metric == "accuracy" and list(found["low"]) == pytest.approx([-0.4, -0.6])
    )
    with pytest.raises(ValueError, match="model 1: no score 'f1'; there are accuracy"):
        lv.ScoreIntervals.from_models(models, "f1")
    assert len(lv.ScoreIntervals.from_models([])) == 0
    board = pd.DataFrame({"number": [1, None, 4], "name": ["a", "trivial", "b"], "accuracy": [0.8, 0.5, 0.9]})
    board = board.assign(low=board["accuracy"] - 0.1, high=board["accuracy"] + 0.1).astype({"number": "Int64"})
    study = SimpleNamespace(problem=models[0].problem, leaderboard=lambda top: board, models=models)
    found = lv.ScoreIntervals.from_study(study, label="p")
    assert list(found.ids) == [4, 1] and found.left_out == 0 and found.names == ["b", "a"]
    assert found.baseline == pytest.approx((0.5, 0.4, 0.6)) and found.label == "p"
    study.models, study.baseline = [model(1, 2.0, "f1"), model(2, 3.0, "f1")], model(-1, 0.5, "f1")
    found = lv.ScoreIntervals.from_study(study, "f1", top=1)
    assert list(found.ids) == [1] and found.left_out == 1 and found.baseline == (0.5, -0.5, 1.5)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.ScoreIntervals.from_scores(["a"], [1.0, 2.0]), "expected a score per name, 1, got 2"),
        (lambda: lv.ScoreIntervals.from_scores(["a"], [1.0], top=0), "top = 0"),
        (lambda: lv.ScoreIntervals.from_scores(["a"], [1.0], [2.0], [3.0]), "a: expected low <= score <= high"),
        (lambda: lv.ScoreIntervals([(0, 1.0, 1.0, 1.0)]), "expected a name per model, 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_pointing_lights_a_model_and_clicking_keeps_it(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [1]}
    assert list(element.selection.lit) == [5] and element.selection.source == "scores"
    assert list(plot.handles["lit_source"].data["x"]) == [0.8]
    plot.handles["source"].selected.indices = [0]
    assert list(element.selection.kept) == [7]
    element.selection.light([99, 3], "elsewhere")
    assert list(plot.handles["lit_source"].data["y"]) == [2]


def test_the_baseline_and_names_are_drawn_and_patched(linked):
    _, plot = linked
    assert list(plot.handles["baseline_source"].data["x"]) == [0.5]
    assert plot.handles["caption_source"].data["text"] == [" trivial 0.5 "]
    shown = plot.handles["yaxis"].major_label_overrides
    assert shown[0].endswith("…") and len(shown[0]) <= 26 and NAMES[1] in plot.handles["source"].data["name"]
    lv.patch(plot, scores(metric="rootMeanSquaredError", top=2))
    assert plot.handles["yaxis"].major_label_overrides == {0: "linear", 1: "boosting", 2: "and 1 more"}
    assert plot.handles["xaxis"].axis_label == "RMSE (smaller is better)"
    assert not len(plot.handles["baseline_source"].data["x"])
    lv.patch(plot, lv.ScoreIntervals.from_scores([], []))
    assert not len(plot.handles["dot_source"].data["x"])


def test_on_a_log_axis_and_without_intervals(renderer):
    found = lv.ScoreIntervals.from_scores(["a", "b", "c"], [0.0, 1.0, 100.0], baseline=(10.0, np.nan, np.nan))
    plot = renderer.get_plot(found.clone().opts(logx=True))
    assert 0 < plot.handles["x_range"].start < 1 and plot.handles["x_range"].end > 100
    assert plot.handles["source"].data["between"] == ["unknown"] * 3
