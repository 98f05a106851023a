"""Pareto fronts: which trials are models, what they take, names where there is room, links by model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.kernels.search import Problem


def trials(rows=30, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "number": np.arange(rows) + 1,
            "status": "ok",
            "config": "{}",
            "name": [f"tree {at}" for at in range(rows)],
            "source": "search",
            "fidelity": 1.0,
            "cost": rng.lognormal(size=rows),
            "fit_seconds": rng.lognormal(size=rows),
            "score_seconds": rng.lognormal(size=rows) / 100,
        }
    )
    if rows:
        frame.loc[0, ["status", "cost"]] = ["failed", np.nan]
        frame.loc[1, "fidelity"] = 1 / 9
        frame.loc[rows - 1, ["source", "config", "fit_seconds"]] = ["ensemble", '{"members": [3, 4]}', np.nan]
    return frame


@pytest.fixture
def linked(renderer):
    element = lv.ParetoFront.from_trials(trials(), selection=lv.RowSelection(), label="front", baseline=1.0)
    return element, renderer.get_plot(element)


def test_models_are_full_trials_and_ensembles_take_what_their_members_take():
    frame = trials()
    found = lv.ParetoFront.from_trials(frame)
    assert list(found.ids) == list(range(3, 31))
    took = dict(zip(found.ids, found["seconds"], strict=True))
    assert took[30] == pytest.approx(frame["fit_seconds"][2] + frame["fit_seconds"][3])
    assert found.price == "time to fit"


@pytest.mark.parametrize("larger", [False, True])
def test_front_of_what_no_other_beats(larger):
    found = lv.ParetoFront.from_trials(trials(), larger=larger, price="score_seconds")
    seconds, cost = found["seconds"], -found["value"] if larger else found["value"]
    wanted = {
        at
        for at in range(len(found))
        if not any(seconds[o] <= seconds[at] and cost[o] <= cost[at] and o != at for o in range(len(found)))
    }
    assert set(found.front) == wanted and (np.diff(seconds[found.front]) > 0).all()


def test_of_models_and_studies():
    problem = Problem("y", "classification", "accuracy")
    tree = SimpleNamespace(number=1, name="tree", cost=0.2, seconds=2.0, members=(), problem=problem, score=0.7)
    line = SimpleNamespace(number=2, name="line", cost=0.3, seconds=1.0, members=(), problem=problem, score=0.6)
    both = SimpleNamespace(**{**vars(tree), "number": 3, "cost": 0.1, "members": ((tree, 0.5), (line, 0.5))})
    for each in (tree, line, both):
        each.split = "holdout"
    found = lv.ParetoFront.from_models([tree, line, both])
    assert list(found["value"]) == pytest.approx([0.8, 0.7, 0.9]) and list(found["seconds"]) == [2, 1, 3]
    assert len(found.front) == 3
    assert list(lv.ParetoFront.from_models([tree, line], "holdout")["value"]) == [0.7, 0.6]
    assert not len(lv.ParetoFront.from_models([]))
    frame = trials().assign(train=lambda each: 1 - each["cost"] / 100)
    trivial = SimpleNamespace(cost=0.6, score=0.45, split="holdout")
    study = SimpleNamespace(trials=frame, problem=problem, baseline=trivial)
    assert lv.ParetoFront.from_study(study).baseline == pytest.approx(0.4)
    with pytest.raises(ValueError, match="no column 'dollars' in the trials"):
        lv.ParetoFront.from_trials(frame, price="dollars")
    with pytest.raises(ValueError, match="no score 'gain'"):
        lv.ParetoFront.from_models([tree], "gain")


# -- drawn


def test_models_are_linked(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [4]}
    assert list(element.selection.lit) == [element.ids[4]]
    assert plot.handles["lit_source"].data["x"].tolist() == [element["seconds"][4]]
    plot.handles["source"].selected.indices = [5]
    assert plot.handles["kept_source"].data["y"].tolist() == [element["value"][5]]


def test_the_front_is_a_line_with_names_that_do_not_overlap(linked):
    element, plot = linked
    line = plot.handles["front_source"].data
    corners = set(zip(line["x"], line["y"], strict=True))
    assert corners >= {(element["seconds"][at], element["value"][at]) for at in element.front}
    assert (np.diff(line["x"]) >= 0).all() and (np.diff(line["y"]) <= 0).all()
    names = plot.handles["names_source"].data
    assert 0 < len(names["text"]) <= len(element.front)
    spots = [plot._pixels(element, *spot) for spot in zip(names["x"], names["y"], strict=True)]
    for at, (x, y) in enumerate(spots):
        for other, (u, v) in enumerate(spots[:at]):
            same_side = names["align"][at] == names["align"][other]
            assert abs(y - v) > 13 or not same_side or abs(x - u) > 5 * len(names["text"][at])


def test_ticks_can_be_told_apart_and_no_dot_is_cut(renderer):
    frame = trials().assign(cost=lambda each: 0.0021 + 1e-5 * each["cost"])
    frame.loc[5, "cost"] = 3.0  # far off: at the edge
    plot = renderer.get_plot(lv.ParetoFront.from_trials(frame))
    assert plot.handles["yaxis"].formatter.precision == "auto"  # as many digits as tell ticks apart
    dots, range_ = plot.handles["source"].data, plot.handles["y_range"]
    room = 0.02 * (range_.end - range_.start)
    assert (dots["y"] > range_.start + room).all() and (dots["y"] < range_.end - room).all()
    assert [number for number, at in zip(dots["number"], dots["marker"], strict=True) if at == "triangle"] == [6]


SAID = """([ticks, words, start, end]) => new Function("cb_data", ticks)({range: {start, end}})
  .map((tick) => new Function("tick", words)(tick))"""


def test_few_ticks_of_a_logarithmic_axis_are_named(renderer, page):
    axis = renderer.get_plot(lv.ParetoFront.from_trials(trials())).handles["xaxis"]

    def named(low, high):
        return page.page.evaluate(SAID, [axis.ticker.major_code, axis.formatter.code, low, high])

    assert named(0.7, 9.5) == ["1 s", "2 s", "5 s"]
    assert named(0.9, 27) == ["1 s", "2 s", "5 s", "10 s", "20 s"]
    assert named(0.09, 1.6) == ["100 ms", "200 ms", "500 ms", "1 s"]
    assert named(0.02, 40) == ["100 ms", "1 s", "10 s"] and named(5, 400) == ["10 s", "60 s"]
    assert named(40, 900) == ["60 s", "2 min", "5 min", "10 min"]
    assert named(1e-3, 1e6) == ["1 ms", "100 ms", "10 s", "10 min", "10 h"]
    assert named(3.05, 3.9) == ["3.2 s", "3.4 s", "3.6 s", "3.8 s"]
    assert named(0, 1) == []


@pytest.mark.parametrize("axes", [{}, {"logx": False}, {"logy": True}])
def test_a_study_that_runs_is_patched(renderer, axes):
    plot = renderer.get_plot(lv.ParetoFront.from_trials(trials(0)).opts(**axes))
    assert not len(plot.handles["front_source"].data["x"])
    lv.patch(plot, lv.ParetoFront.from_trials(trials(), baseline=1.0))
    assert len(plot.handles["source"].data["x"]) == 28 and len(plot.handles["front_source"].data["x"])
    assert plot.handles["x_range"].start < trials()["fit_seconds"][2:].min()
    assert plot.handles["caption_source"].data["text"] == ["trivial predictor 1"]
    lv.patch(plot, lv.ParetoFront.from_trials(trials(), price="score_seconds"))
    assert plot.handles["xaxis"].axis_label == "time to predict"
