"""Importance of features to models and of hyper-parameters to a study: shares, order, notes, links by model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar.text_room import wide


def importances(features=6, seed=0):
    rng = np.random.default_rng(seed)
    found = rng.exponential(size=features) - 0.2
    index = pd.Index([f"feature {at}" for at in range(features)], name="feature")
    frame = pd.DataFrame({"importance": found, "low": found - 0.1, "high": found + 0.1}, index=index)
    frame.attrs["metric"] = "accuracy"
    return frame.sort_values("importance", ascending=False)


@pytest.fixture
def linked(renderer):
    frames = {number: importances(seed=number) for number in (3, 8, 5)}
    element = lv.ImportanceMap.from_frames(frames, list("abc"), selection=lv.RowSelection(), label="map")
    return element, renderer.get_plot(element)


def test_shares_and_their_order():
    frames = {3: importances(seed=3), 8: importances(seed=8)}
    frames[8] = frames[8].drop(index="feature 0")
    found = lv.ImportanceMap.from_frames(frames)
    shares = {}
    for number, frame in frames.items():
        helps = frame["importance"].clip(lower=0)
        shares[number] = (helps / helps.sum()).to_dict()
    for number, row, share, loss in zip(found.ids, found["feature"], found["share"], found["importance"], strict=True):
        feature = found.features[row]
        assert share == pytest.approx(shares[number].get(feature, 0))
        assert loss == pytest.approx(frames[number]["importance"].get(feature, np.nan), nan_ok=True)
    wanted = [np.mean([shares[n].get(feature, 0) for n in frames]) for feature in found.features]
    assert list(found.overall) == pytest.approx(wanted) and (np.diff(found.overall) <= 0).all()
    assert found.metric == "accuracy"


def test_of_many_features_the_first_are_shown_and_the_rest_counted():
    found = lv.ImportanceMap.from_frames({1: importances(200)}, top=25)
    assert len(found.features) == 25 and found.left_out == 175
    nothing = lv.ImportanceMap.from_frames({1: importances().assign(importance=0.0)})
    assert not nothing["share"].any()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.ImportanceMap.from_frames({1: importances()}, ["a", "b"]), "a name per model, 1, got 2"),
        (lambda: lv.ImportanceMap.from_frames({1: pd.DataFrame({"x": [1]})}), "model 1: expected a column importance"),
        (lambda: lv.ImportanceMap.from_frames({}, top=0), "top = 0"),
        (lambda: lv.ParameterImportance.from_frame(importances()), "no column 'trials'"),
        (lambda: lv.ParameterImportance([(0, 0.5, 0.4, 0.6, 9)]), "parameters: expected one per bar, 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def parameters(count=4):
    share = np.linspace(1, 0, count) / np.linspace(1, 0, count).sum()
    columns = {
        "importance": share,
        "low": share / 2,
        "high": share * 1.5,
        "trials": 30,
        "best": [0.25, None, "a", 7][:count],
    }
    frame = pd.DataFrame(columns, index=pd.Index([f"step:{at}" for at in range(count)], name="parameter"))
    frame.attrs.update(why="", fit=0.62)
    return frame


def test_parameters_with_what_to_believe():
    found = lv.ParameterImportance.from_frame(parameters(), top=3)
    assert found.parameters == ["step:0", "step:1", "step:2"] and found.best == ["0.25", "", "a"]
    assert found.left_out == 1 and "62%" in found.note
    few = pd.DataFrame({"config": [json.dumps({"a": at}) for at in range(3)], "cost": [1.0, 2, 3], "status": "ok"})
    empty = lv.ParameterImportance.from_study(few)
    assert not len(empty) and "3 finished trials" in empty.note


# -- drawn


def test_models_are_linked(linked):
    element, plot = linked
    cell = int(np.flatnonzero(element.ids == 8)[2])
    plot.handles["pointed_source"].data = {"mark": [cell]}
    assert list(element.selection.lit) == [8]
    assert plot.handles["lit_source"].data["left"].tolist() == [0.5]
    element.selection.keep([5], "table")
    assert plot.handles["kept_source"].data["left"].tolist() == [1.5]


def test_a_map_is_patched(linked, renderer):
    element, plot = linked
    assert plot.handles["color_mapper"].high == element["share"].max()
    lv.patch(plot, lv.ImportanceMap.from_frames({1: importances(200)}))
    assert len(plot.handles["overall_source"].data["left"]) == 30
    lv.patch(plot, lv.ImportanceMap.from_frames({}))
    assert not len(plot.handles["source"].data["left"])


@pytest.mark.parametrize("models", [1, 4, 20])
def test_the_largest_share_has_room_beside_its_bar(renderer, models):
    frames = {number: importances(1, seed=1).clip(lower=1) for number in range(models)}
    plot = renderer.get_plot(lv.ImportanceMap.from_frames(frames))
    shares, range_ = plot.handles["shares_source"].data, plot.handles["x_range"]
    assert list(shares["text"]) == ["100%"]
    assert 240 * (range_.end - shares["x"][0]) / (range_.end - range_.start) > 3 + wide("100%", 10)


def test_bars_are_patched(renderer):
    plot = renderer.get_plot(lv.ParameterImportance.from_frame(parameters().iloc[:0]))
    lv.patch(plot, lv.ParameterImportance.from_frame(parameters(), top=3))
    assert plot.handles["yaxis"].major_label_overrides[1] == "step:1"
    assert plot.handles["source"].data["best"][1] == "not active"
    assert "1 more not shown" in plot.handles["caption_source"].data["text"][0].replace("\n", " ")
    assert plot.handles["x_range"].end > parameters()["high"].max()
