"""Cost over time: every trial a dot at its place, the best so far as a naive loop has it, links by model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.kernels.search import Problem


def trials(rows=40, seed=0):
    rng = np.random.default_rng(seed)
    seconds = rng.uniform(0.5, 3, rows)
    started = np.cumsum(seconds) - seconds + np.where(np.arange(rows) >= rows // 2, 4000, 0)
    ok = rng.random(rows) < 0.8
    return pd.DataFrame(
        {
            "number": np.arange(rows) + 1,
            "status": np.where(ok, "ok", "timeout"),
            "reason": np.where(ok, "", "took longer than 2 s"),
            "name": [f"tree {at}" for at in range(rows)],
            "source": ["search"] * (rows - 1) + ["ensemble"] * bool(rows),
            "fidelity": rng.choice([1.0, 1 / 9], rows),
            "cost": np.where(ok, rng.lognormal(size=rows), np.nan),
            "seconds": seconds,
            "started": pd.to_datetime(1.7e9 + started, unit="s"),
        }
    )


def study(frame, metric="accuracy", path="one"):
    frame = frame.assign(train=1 - frame["cost"] / 10, holdout=1 - frame["cost"] / 9)
    trivial = SimpleNamespace(cost=0.6, score=0.45, split="holdout")
    problem = Problem("y", "classification", metric)
    return SimpleNamespace(trials=frame, problem=problem, baseline=trivial, path=Path(path))


@pytest.fixture
def linked(renderer):
    element = lv.CostOverTime.from_trials(trials(), baseline=1.5, selection=lv.RowSelection(), label="cost")
    return element, renderer.get_plot(element)


def test_every_trial_is_a_dot_where_it_ended_and_pauses_are_left_out():
    frame = trials()
    found = lv.CostOverTime.from_trials(frame)
    assert list(found["number"]) == list(frame["number"]) and len(found.pauses) == 1
    np.testing.assert_allclose(found["ended"], np.cumsum(frame["seconds"]), atol=1e-5)
    failed = frame["status"] != "ok"
    assert (found["kind"][failed] == 3).all() and np.isnan(found["value"][failed]).all()


@pytest.mark.parametrize("larger", [False, True])
def test_best_so_far_steps_through_full_trials_only(larger):
    frame = trials()
    found = lv.CostOverTime.from_trials(frame, larger=larger, by="number")
    best, corners = None, []
    for row in frame.itertuples():
        counts = row.status == "ok" and (row.fidelity == 1 or row.source == "ensemble")
        if counts and (best is None or (row.cost > best if larger else row.cost < best)):
            best = row.cost
            corners.append((row.number, row.cost))
    x, y = found.best(0)
    assert list(zip(x[::2], y[::2], strict=True)) == corners and x[-1] == 40


def test_of_studies():
    one, other = study(trials()), study(trials(10, seed=1), path="two")
    found = lv.CostOverTime.from_study(one)
    assert found.larger and found.baselines == [pytest.approx(0.4)] and "accuracy" in found.scored
    assert lv.CostOverTime.from_study(one, "holdout").baselines == [0.45]
    assert lv.CostOverTime.from_study(one, "cost").baselines == [0.6]
    both = lv.CostOverTime.from_studies([one, other])
    assert both.studies == ["one", "two"] and len(both) == 50 and both.ids[-1] == "two/10"
    with pytest.raises(ValueError, match="no score 'gain'; expected one of score, holdout, cost"):
        lv.CostOverTime.from_study(one, "gain")
    with pytest.raises(ValueError, match="studies of one metric, got accuracy, f1Macro"):
        lv.CostOverTime.from_studies([one, study(trials(5), "f1Macro", "three")])
    with pytest.raises(ValueError, match="2 different names of studies, got a, a"):
        lv.CostOverTime.from_studies([one, other], ["a", "a"])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: lv.CostOverTime.from_trials(trials(), score="gain"), "no column 'gain' in the trials"),
        (lambda: lv.CostOverTime.from_trials(trials().drop(columns="started")), "no column 'started'"),
        (lambda: lv.CostOverTime([(0, 1.0, 1, 9, 0, 1.0, "", "")]), "kind as whole numbers from 0 to 3"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


# -- drawn


def test_models_are_linked(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [4]}
    assert list(element.selection.lit) == [5] and element.selection.source == "cost"
    assert plot.handles["lit_source"].data["x"].tolist() == [element["ended"][4]]
    element.selection.keep([7, 999], "table")
    assert plot.handles["kept_source"].data["x"].tolist() == [element["ended"][6]]


def test_failures_stand_at_the_foot_with_their_reason_and_far_values_at_the_edge(renderer):
    frame = trials()
    good = np.flatnonzero(frame["status"] == "ok")[0]
    frame.loc[good, "cost"] = 1e6
    plot = renderer.get_plot(lv.CostOverTime.from_trials(frame))
    drawn, top = plot.handles["source"].data, plot.handles["y_range"].end
    assert top < 1000 and drawn["marker"][good] == "triangle" and drawn["y"][good] < top
    assert drawn["said"][good] == "1,000,000"
    failed = np.flatnonzero(frame["status"] != "ok")
    assert set(np.array(drawn["marker"])[failed]) == {"x"} and drawn["said"][failed[0]] == "none: took longer than 2 s"
    assert drawn["marker"][-1] == ("star" if frame["status"].iloc[-1] == "ok" else "x")


@pytest.mark.parametrize("axes", [{}, {"logy": True}, {"logx": True, "logy": True}])
def test_a_study_that_runs_is_patched(renderer, axes):
    plot = renderer.get_plot(lv.CostOverTime.from_trials(trials(0), baseline=1.0).opts(**axes))
    assert not len(plot.handles["source"].data["x"])
    frame = trials()
    frame.loc[39, ["status", "seconds"]] = ["running", np.nan]
    lv.patch(plot, lv.CostOverTime.from_trials(frame, baseline=1.0))
    assert len(plot.handles["source"].data["x"]) == 39
    assert len(plot.handles["best_source"].data["xs"]) == 1
    assert plot.handles["x_range"].end > frame["seconds"].sum() * 0.9
    assert plot.handles["caption_source"].data["text"] == ["trivial predictor 1"]
    lv.patch(plot, lv.CostOverTime.from_trials(frame, by="number"))
    assert plot.handles["xaxis"].axis_label == "trial" and plot.handles["x_range"].end > 39


def test_a_trivial_predictor_far_off_is_told_but_squeezes_nothing(renderer):
    plot = renderer.get_plot(lv.CostOverTime.from_trials(trials(), baseline=1e6))
    assert not len(plot.handles["baseline_source"].data["y"]) and plot.handles["y_range"].end < 1000
    assert plot.handles["caption_source"].data["text"] == ["trivial predictor 1,000,000, not on this axis"]


def test_the_last_ticks_label_has_room(linked):
    assert linked[1].state.min_border_right >= 24


def test_several_studies_have_colours_and_a_legend(renderer):
    both = lv.CostOverTime.from_studies([study(trials()), study(trials(10, seed=1), path="two")])
    plot = renderer.get_plot(both)
    assert [item.label.value for item in plot.handles["legend"].items] == ["one", "two"]
    drawn = plot.handles["source"].data
    assert len(set(drawn["color"])) == 2 and set(drawn["in_study"]) == {"one", "two"}
