"""Step matrices: what models are made of, the best first, and links by model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.kernels.search import Problem
from learnviews.kernels.search.pipelines import Step
from learnviews.kernels.search.step_choices import step_choices

PROBLEM = Problem("y", "classification", "accuracy")


def model(number, cost, scale, family, members=()):
    before = [Step("scale", "bring numbers to one scale", {"scale": scale})] if scale else []
    steps = [Step("encode", "categories as numbers", {}), *before, Step(family, f"the {family}", {})]
    told = {"number": number, "cost": cost, "name": f"{family} {number}", "members": members, "problem": PROBLEM}
    return SimpleNamespace(**told, steps=lambda: steps, split="holdout", score=1 - cost)


def models():
    one, two = model(4, 0.3, "power", "svm"), model(7, 0.1, None, "forest")
    return [one, two, model(9, 0.2, "robust", "svm"), model(11, 0.05, None, "x", ((one, 0.25), (two, 0.75)))]


@pytest.fixture
def linked(renderer):
    element = lv.StepMatrix.from_models(models(), selection=lv.RowSelection(), label="steps")
    return element, renderer.get_plot(element)


def test_choices_of_steps():
    found = step_choices(models())
    encode, svm = ("encode", "categories as numbers"), ("model", "the svm")
    assert next(iter(found.columns)) == encode and [kind for kind, _ in found.columns][-2:] == ["model", "model"]
    assert found[svm].to_dict() == {4: 1, 7: 0, 9: 1, 11: 0.25} and found.loc[11, encode] == 1
    assert step_choices([]).shape == (0, 0)


def test_the_best_models_come_first():
    found = lv.StepMatrix.from_models(models(), top=3)
    assert found.names == ["x 11", "forest 7", "svm 9"] and found.left_out == 1
    assert list(found.scores) == pytest.approx([0.95, 0.9, 0.8]) and "accuracy" in found.scored
    assert ("scale", "power") in found.steps  # by a member of the ensemble
    cells = found["share"].reshape(3, len(found.steps))
    assert cells[:, found.steps.index(("model", "the forest"))].tolist() == [0.75, 1, 0]


def test_of_a_matrix():
    columns = pd.MultiIndex.from_tuples([("scale", "a"), ("scale", "b"), ("model", "tree")])
    matrix = pd.DataFrame([[True, False, True], [False, False, True]], index=[5, 6], columns=columns)
    found = lv.StepMatrix.from_matrix(matrix, [0.2, 0.1], larger=False)
    assert found.names == ["6", "5"] and found.steps == [("scale", "a"), ("model", "tree")]  # nobody has b
    assert list(found.ids) == [6, 6, 5, 5] and list(found["share"]) == [0, 1, 1, 1]
    assert list(lv.StepMatrix.from_matrix(matrix).names) == ["5", "6"]
    with pytest.raises(ValueError, match="a score and a name per model, 2, got 1 and 2"):
        lv.StepMatrix.from_matrix(matrix, [0.2])
    with pytest.raises(ValueError, match="top = 0"):
        lv.StepMatrix.from_matrix(matrix, top=0)
    with pytest.raises(ValueError, match="step as whole numbers from 0 to 0"):
        lv.StepMatrix([(0, 3, 1.0)], names=["a"], scores=np.zeros(1), steps=[("", "s")])


# -- drawn


def test_models_are_linked(linked):
    element, plot = linked
    cell = int(np.flatnonzero(element.ids == 7)[2])
    plot.handles["pointed_source"].data = {"mark": [cell]}
    assert list(element.selection.lit) == [7]
    assert plot.handles["lit_source"].data["left"].tolist() == [0.5]  # second column, once
    element.selection.keep([4, 11, 999], "table")
    assert plot.handles["kept_source"].data["left"].tolist() == [-0.5, 2.5]


def test_dots_scores_and_rules(linked):
    element, plot = linked
    assert len(plot.handles["dots_source"].data["x"]) == (element["share"] > 0).sum()
    scores = plot.handles["scores_source"].data
    assert list(scores["x"]) == [0, 1, 2, 3] and (np.diff(scores["y"]) > 0).all()  # the worse the lower
    assert len(plot.handles["rules_source"].data["y"]) == 2  # three kinds of steps
    assert plot.handles["yaxis"].major_label_overrides[0] == "encode: categories as numbers"
    drawn = plot.handles["source"].data
    assert "75% of the ensemble" in drawn["has"] and set(drawn["has"]) >= {"yes", "no"}


@pytest.mark.parametrize("larger", [True, False])
def test_scores_lie_where_the_ticks_of_their_axis_say(renderer, larger):
    matrix = pd.DataFrame([[True]] * 4, columns=pd.MultiIndex.from_tuples([("model", "tree")]))
    element = lv.StepMatrix.from_matrix(matrix, [0.7490, 0.6712, 0.666, np.nan], larger=larger)
    plot = renderer.get_plot(element)
    axis, dots = plot.handles["yaxis"], plot.handles["scores_source"].data
    ticks = {at: float(text) for at, text in axis.major_label_overrides.items() if at < 0}
    assert len(ticks) >= 2 and set(axis.ticker.ticks) == {*ticks, 0}
    assert sorted(plot.handles["ticks_source"].data["y"]) == sorted(ticks)
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    assert slope * dots["y"] + start == pytest.approx(element.scores[:3])
    assert (dots["y"] < -0.5).all() and len(dots["y"]) == 3


def test_patched_from_none_to_many(renderer):
    plot = renderer.get_plot(lv.StepMatrix.from_models([], selection=lv.RowSelection()))
    assert not len(plot.handles["source"].data["left"])
    lv.patch(plot, lv.StepMatrix.from_models(models() * 500))
    assert len(plot.handles["scores_source"].data["x"]) == 40
    assert plot.handles["y_range"].start > plot.handles["y_range"].end  # the first row at the top
    lv.patch(plot, lv.StepMatrix.from_models(models()[:1] * 2))  # scores that are all the same
    assert len(set(plot.handles["scores_source"].data["y"])) == 1
