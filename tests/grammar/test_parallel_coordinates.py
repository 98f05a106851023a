"""Parallel coordinates: heights of values, the axes that are chosen, links by trial, brushing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from browser import Server
from hypothesis import given
from hypothesis import strategies as st

import learnviews as lv
from learnviews.grammar.parallel_axes import ABSENT, axis_of, score_axis
from learnviews.kernels.search import Problem, load
from learnviews.kernels.search.telling import telling


def trials(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    configs = []
    for _ in range(rows):
        if rng.random() < 0.5:
            configs.append({"model": "forest", "forest:trees": int(rng.integers(10, 500)), "scale": True})
        else:
            configs.append(
                {"model": "svm", "svm:penalty": float(10 ** rng.uniform(-3, 3)), "scale": bool(rng.random() < 0.5)}
            )
    cost = np.array([abs(np.log10(each.get("svm:penalty", 0.1))) for each in configs])
    return pd.DataFrame(
        {
            "number": np.arange(rows) + 1,
            "config": [json.dumps(each) for each in configs],
            "name": [f"model <{at}>" for at in range(rows)],
            "source": "search",
            "cost": np.where(np.arange(rows) % 7 == 3, np.nan, cost),
        }
    )


@pytest.fixture
def linked(renderer):
    element = lv.ParallelCoordinates.from_trials(trials(), selection=lv.RowSelection(), label="configurations")
    return element, renderer.get_plot(element)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(0, 5)), max_size=20))
def test_heights_keep_order(values):
    axis = axis_of(pd.Series(values, dtype=object, name="x"))
    there = [at for at, each in enumerate(values) if each is not None]
    assert all((axis.heights[at] == ABSENT) == (values[at] is None) for at in range(len(values)))
    assert all(0 <= axis.heights[at] <= 1 for at in there)
    for one in there:
        for other in there:
            assert axis.heights[one] <= axis.heights[other] or values[one] > values[other]
    assert all(-1e-9 <= at <= 1 + 1e-9 for at, _ in axis.ticks)


def test_logarithmic_axes_and_labels():
    axis = axis_of(pd.Series([0.001, 0.1, 10.0, None], name="rate"))
    np.testing.assert_allclose(axis.heights, [0, 0.5, 1, ABSENT])
    assert [text for _, text in axis.ticks] == ["0.001", "0.01", "0.1", "1", "10"]
    assert axis_of(pd.Series([1, 3, 5], name="depth"), log=False).heights.tolist() == [0, 0.5, 1]
    labels = axis_of(pd.Series([f"label {at:02}" for at in range(40)], name="kind"))
    assert labels.heights[0] > labels.heights[-1] and len(labels.ticks) <= 14


def test_the_best_score_is_at_the_top():
    assert score_axis("cost", np.array([1.0, 2.0, np.nan]), larger=False).heights.tolist() == [1, 0, ABSENT]
    assert score_axis("accuracy", np.array([1.0, 2.0]), larger=True).heights.tolist() == [0, 1]


def test_axes_are_the_family_and_what_tells_most():
    found = lv.ParallelCoordinates.from_trials(trials())
    names = [axis.name for axis in found.axes]
    assert names[:2] == ["model", "svm:penalty"] and names[-1] == "cost"
    assert len(found) == len(trials()["cost"].dropna())
    assert (np.diff(found.axes[-1].heights) >= 0).all()  # the best are drawn last
    chosen = lv.ParallelCoordinates.from_trials(trials(), axes=["scale"])
    assert [axis.name for axis in chosen.axes] == ["scale", "cost"] and chosen.left_out == 3


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 9)), min_size=1, max_size=30))
def test_what_tells_as_a_naive_sum_of_squares(rows):
    known = [
        (label, rank) for (label, _), rank in zip(rows, pd.Series([y for _, y in rows]).rank(), strict=True) if label
    ]
    mean = sum(rank for _, rank in known) / max(len(known), 1)
    total = sum((rank - mean) ** 2 for _, rank in known)
    groups = {label: [rank for other, rank in known if other == label] for label, _ in known}
    within = sum(sum((rank - sum(g) / len(g)) ** 2 for rank in g) for g in groups.values())
    wanted = 0.0
    if len(groups) > 1 and len(known) > len(groups) and total > 0:
        wanted = max(0.0, 1 - within / total * (len(known) - 1) / (len(known) - len(groups))) * len(known) / len(rows)
    frame = pd.DataFrame({"x": pd.Series([label for label, _ in rows], dtype=object)})
    assert telling(frame, [y for _, y in rows])["x"] == pytest.approx(wanted, abs=1e-9)


def test_of_a_frame():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": list("xyx"), "score": [0.1, 0.3, 0.2]}, index=["r", "s", "t"])
    found = lv.ParallelCoordinates.from_frame(frame, "score")
    assert list(found.ids) == ["r", "t", "s"] and list(found["value"]) == [0.1, 0.2, 0.3]
    assert list(found.within({len(found.axes) - 1: (0.4, 1.0)})) == ["t", "s"]
    with pytest.raises(ValueError, match="no column 'c'; there are a, b, score"):
        lv.ParallelCoordinates.from_frame(frame, "score", ["c"])
    with pytest.raises(ValueError, match="column 'b': expected numbers to colour by"):
        lv.ParallelCoordinates.from_frame(frame, "b")
    with pytest.raises(ValueError, match="no hyper-parameter 'depth'; there are model"):
        lv.ParallelCoordinates.from_trials(trials(), axes=["depth"])


def test_of_a_study_scales_are_those_of_its_space():
    data = load(pd.DataFrame({"x": np.arange(30.0), "y": ["a", "b"] * 15}))
    problem = Problem("y", "classification", "accuracy").check(data)
    frame = trials().assign(train=lambda each: 1 - each["cost"] / 10)
    trivial = SimpleNamespace(cost=0.5, score=0.5, split="holdout")
    study = SimpleNamespace(trials=frame, data=data, problem=problem, space=None, baseline=trivial)
    found = lv.ParallelCoordinates.from_study(study, axes=["forest:trees"])
    trees = pd.json_normalize([json.loads(each) for each in frame["config"]])["forest:trees"]
    numbers = dict(zip(frame["number"], trees, strict=True))
    drawn = np.array([numbers[each] for each in found.ids])
    there = ~np.isnan(drawn)
    spread = np.log(drawn[there])
    spread = (spread - spread.min()) / (spread.max() - spread.min())
    np.testing.assert_allclose(found.axes[0].heights[there], spread)


# -- drawn


def test_trials_are_linked_and_those_not_kept_fade(linked):
    element, plot = linked
    before = plot.handles["glyph_renderer"].glyph.line_alpha
    plot.handles["pointed_source"].data = {"mark": [2]}
    assert list(element.selection.lit) == [element.ids[2]]
    assert len(plot.handles["lit_source"].data["ys"]) == 1
    element.selection.keep(element.ids[:5], "table")
    assert len(plot.handles["kept_source"].data["xs"]) == 5
    assert plot.handles["glyph_renderer"].glyph.line_alpha < before
    element.selection.clear()
    assert plot.handles["glyph_renderer"].glyph.line_alpha == before


def box(x, low, high):
    return {"x0": [x - 0.1], "x1": [x + 0.1], "y0": [low], "y1": [high]}


def test_boxes_on_axes_keep_trials_together(linked):
    element, plot = linked
    last = len(element.axes) - 1
    plot.handles["brush_source"].data = box(last, 0.5, 1.1)
    good = set(element.ids[element.axes[last].heights >= 0.5])
    assert set(element.selection.kept) == good and len(plot.handles["brushes_source"].data["left"]) == 1
    plot.handles["brush_source"].data = box(1, ABSENT - 0.1, ABSENT + 0.1)
    absent = set(element.ids[element.axes[1].heights == ABSENT])
    assert set(element.selection.kept) == good & absent
    assert len(plot.handles["brushes_source"].data["left"]) == 2
    plot.handles["brush_source"].data = {"x0": [], "x1": [], "y0": [], "y1": []}  # a click beside the lines
    assert not len(element.selection.kept) and not len(plot.handles["brushes_source"].data["left"])


def test_boxes_go_when_others_keep_something_else(linked):
    element, plot = linked
    plot.handles["brush_source"].data = box(0, 0.0, 0.5)
    element.selection.keep(element.ids[:1], "table")
    assert not len(plot.handles["brushes_source"].data["left"])


def test_a_study_that_runs_is_patched(renderer):
    plot = renderer.get_plot(lv.ParallelCoordinates.from_trials(trials(0), selection=lv.RowSelection()))
    assert not len(plot.handles["source"].data["xs"])
    lv.patch(plot, lv.ParallelCoordinates.from_trials(trials(), selection=lv.RowSelection()))
    drawn = plot.handles["source"].data
    assert len(drawn["xs"]) == trials()["cost"].notna().sum()
    assert "model" in plot.handles["titles_source"].data["text"]
    assert "svm:penalty" in drawn["said"][-1] and "none" in plot.handles["ticks_source"].data["text"]
    lv.patch(plot, lv.ParallelCoordinates.from_trials(trials(5000)))
    assert len(plot.handles["source"].data["ys"]) > 4000


# -- in a browser


@pytest.fixture(scope="module")
def app():
    path = Path(__file__).parent.parent / "parallel_app.py"
    server = Server([sys.executable, "-m", "bokeh", "serve", str(path), "--port", "0"], r"running at: (http://\S+)")
    yield server
    server.stop()


FRAME = """() => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].roots()[0])
  const box = view.el.getBoundingClientRect(), frame = view.frame.bbox
  return [box.left + frame.left, box.top + frame.top, frame.width, frame.height]
}"""
SOURCE = """Bokeh.documents[0]._all_models.values().filter((m) => m.data && m.data.said).toArray()[0]"""


def test_the_mouse_brushes_an_axis_lights_a_line_and_clears(app, page):
    page.open(app.url)
    left, top, width, height = page.js(FRAME)

    def spot(x, y):  # within the extents of the plot
        return left + width * (x + 0.25) / 3, top + height * (1.38 - y) / 1.68

    mouse = page.page.mouse
    mouse.move(*spot(0.9, 1.1))
    mouse.down()
    for y in (1.0, 0.9, 0.8):
        mouse.move(*spot(1.1, y))
    mouse.up()
    deep = page.js(f"{SOURCE}.data.said.filter((said) => /depth: [78]/.test(said)).length")
    page.wait("expected => document.title.startsWith(`[${expected}, `)", deep)
    mouse.move(*spot(1.5, 0.5))
    page.wait("document.title.endsWith(', 1]')")
    mouse.click(*spot(2.6, 1.3))
    page.wait("document.title === '[0, 0]'")
    assert not page.errors and not page.outside
