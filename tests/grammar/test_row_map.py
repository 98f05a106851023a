"""Rows as dots: coloured by label, value or a model's answer, of many rows as an image, and linked to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bokeh.embed import file_html
from bokeh.events import RangesUpdate
from bokeh.resources import INLINE

import learnviews as lv
from learnviews.grammar import RowMap
from learnviews.kernels.search import load


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.choice(["cat", "dog", "owl"], rows)
    names = [f"row {at}" for at in range(rows)]
    frame = {"a": rng.normal(size=rows) + 3 * (kind == "owl"), "b": rng.normal(size=rows), "kind": kind}
    return pd.DataFrame(frame, index=names)


@pytest.fixture
def linked(renderer):
    element = RowMap.from_data(table(), color="kind", selection=lv.RowSelection(), label="map")
    return element, renderer.get_plot(element)


@pytest.fixture
def many(renderer):
    """Drawn as an image, though of few rows."""
    element = RowMap.from_data(table(), color="kind", selection=lv.RowSelection(), label="map").opts(many=10)
    return element, renderer.get_plot(element)


def test_a_dot_per_row_with_its_label():
    frame = table()
    found = RowMap.from_data(frame, color="kind")
    assert found.labels == ["cat", "dog", "owl"] and found.by == "kind" and list(found.ids) == list(frame.index)
    assert [found.told(at) for at in range(60)] == list(frame["kind"])
    assert "% of the variation: " in found.titles[0] and "kind" not in found.titles[0]
    values = RowMap.from_data(frame, color="a")
    assert not values.labels and values.told(3) == f"{frame['a'].iloc[3]:.6g}"
    plain = RowMap.from_data(frame[["a", "b"]])
    assert plain.by == "" and len(plain) == 60


def test_of_points_with_missing_values():
    found = RowMap.from_points([(0, 1), (1, 2), (2, 0)], [True, None, False], by="won")
    assert list(found["value"]) == [1, -1, 0] and found.told(1) == "none"
    numbers = RowMap.from_points([(0, 1), (1, 2)], pd.Series([np.nan, 2.0], index=["x", "y"]))
    assert list(numbers.ids) == ["x", "y"] and numbers.told(0) == "none" and numbers.told(1) == "2"
    assert len(RowMap.from_points([])) == 0


def test_of_a_model():
    frame = table()
    said = pd.DataFrame({"truth": frame["kind"], "prediction": "cat", "split": ["train"] * 40 + ["holdout"] * 20})
    problem = SimpleNamespace(task="classification", features=("a", "b"), targets=("kind",))
    model = SimpleNamespace(predictions=said, problem=problem, name="tree", data=load(frame))
    found = RowMap.from_model(model)
    assert found.by == "verdict" and [found.told(at) == "right" for at in range(60)] == list(frame["kind"] == "cat")
    assert list(RowMap.from_model(model, "truth", split="holdout").ids) == list(frame.index[40:])
    with pytest.raises(ValueError, match="tree: no rows of split 'test'"):
        RowMap.from_model(model, split="test")
    with pytest.raises(ValueError, match="tree: cannot be coloured by 'age'; expected one of prediction, truth, error"):
        RowMap.from_model(model, "age")
    problem.task, model.predictions = "clustering", pd.DataFrame({"prediction": 1, "split": "train"}, frame.index)
    assert RowMap.from_model(model).labels == ["cluster 1"]
    numbers = pd.DataFrame({"truth": frame["a"], "prediction": frame["a"] - 2, "split": "train"})
    problem.task, model.predictions = "regression", numbers
    assert RowMap.from_model(model).by == "size of the error" and RowMap.from_model(model).told(0) == "2"


def models(truths, saids, task="regression"):
    frame = table(len(truths))
    problem = SimpleNamespace(task=task, features=("a", "b"), targets=("kind",))
    for at, said in enumerate(saids):
        rows = pd.DataFrame({"truth": truths, "prediction": said, "split": "holdout"}, frame.index)
        yield SimpleNamespace(predictions=rows, problem=problem, name=f"model {at}", data=load(frame))


def test_maps_side_by_side_have_one_scale_of_values(renderer):
    truths = np.zeros(60)
    good, bad = models(truths, [np.linspace(0, 1, 60), np.linspace(0, 10, 60)])
    first, second = RowMap.from_models([good, bad], "error", names=["1: good", "2: bad"])
    assert [first.label, second.label] == ["1: good", "2: bad"] and first.ends == second.ends
    assert first.ends[1] == pytest.approx(np.quantile([*np.linspace(0, 1, 60), *np.linspace(0, 10, 60)], 0.99))
    drawn = [renderer.get_plot(each).handles for each in (first, second)]
    assert list(drawn[0]["names_source"].data["text"]) == list(drawn[1]["names_source"].data["text"])
    assert drawn[0]["source"].data["ink"][-1] != drawn[1]["source"].data["ink"][-1]
    [alone] = RowMap.from_models([good], "error", among=[good, bad])
    assert alone.ends == first.ends


def test_a_label_has_one_colour_in_maps_side_by_side(renderer):
    truths = np.array(["3", "10", "9"] * 20, dtype=object)
    some, every = models(truths, [np.where(truths == "9", "10", truths), truths], "classification")
    found = RowMap.from_models([some, every], "prediction")
    assert found[0].labels == found[1].labels == ["3", "9", "10"]
    inks = [
        dict(zip(each.handles["source"].data["said"], each.handles["source"].data["ink"], strict=True))
        for each in map(renderer.get_plot, found)
    ]
    assert all(inks[1][said] == ink for said, ink in inks[0].items()) and len(inks[1]) == 3


def test_the_legend_can_be_read_whatever_the_colours(renderer):
    plot = renderer.get_plot(RowMap.from_points([(0, 0), (1, 1)], [0.0, 5.0], by="age"))
    shown = plot.handles["names_source"].data
    assert {ink for text, ink in zip(shown["text"], shown["ink"], strict=True) if text != "●"} == {"#444444"}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: RowMap.from_points([(0, 1)], ["a", "b"]), "a value and an id per row, 1, got 2 and 1"),
        (lambda: RowMap.from_points([(0, np.nan)]), "two finite numbers per row"),
        (lambda: RowMap.from_points([(0, 1)], ["c"], labels=["a", "b"]), "'c': expected one of a, b"),
        (lambda: RowMap.from_data(table(), color="hat"), "no column hat"),
        (lambda: RowMap([(0, 0, 5)], labels=["a"], ids=np.arange(1), marks=np.arange(1)), "from -1 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def test_the_nearest_dot_is_the_one_a_naive_search_finds():
    rng = np.random.default_rng(3)
    points = rng.random((200, 2))
    found = RowMap.from_points(points)
    for x, y in rng.random((50, 2)):
        far = np.hypot((points[:, 0] - x) / 0.05, (points[:, 1] - y) / 0.1)
        assert found.nearest(x, y, (0.05, 0.1)) == (far.argmin() if far.min() <= 1 else None)


# -- drawn


def test_pointing_lights_and_clicking_keeps(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [7]}
    assert list(element.selection.lit) == ["row 7"] and element.selection.source == "map"
    assert plot.handles["lit_source"].data["x"][0] == element.points[7, 0]
    plot.handles["source"].selected.indices = [1, 2]
    assert list(element.selection.kept) == ["row 1", "row 2"]
    assert len(plot.handles["kept_source"].data["x"]) == 2
    assert not len(plot.handles["raster_source"].data["image"])
    assert len(set(plot.handles["source"].data["ink"])) == 3


def test_many_rows_are_an_image_and_still_answer(many):
    element, plot = many
    assert not len(plot.handles["source"].data["x"])
    [image] = plot.handles["raster_source"].data["image"]
    assert image.dtype == np.uint32 and (image > 0).any()
    x, y = element.points[5]
    plot.handles["at_place"].data = {"x": [x], "y": [y], "w": [0.001], "h": [0.001]}
    assert list(element.selection.lit) == ["row 5"] and plot.handles["told_source"].data["text"][0].startswith(
        "row 5: "
    )
    plot.handles["tapped_place"].data = {"x": [x], "y": [y], "w": [0.001], "h": [0.001]}
    assert list(element.selection.kept) == ["row 5"]
    plot.handles["at_place"].data = {"x": [], "y": [], "w": [], "h": []}
    assert not len(element.selection.lit) and not len(plot.handles["told_source"].data["text"])


def test_the_image_is_made_anew_where_one_zooms_in(many):
    element, plot = many
    x, y = (float(each) for each in element.points[5])
    plot._zoomed(RangesUpdate(plot.state, x0=x - 0.01, x1=x + 0.01, y0=y - 0.01, y1=y + 0.01))
    shown = plot.handles["raster_source"].data
    assert shown["w"][0] == pytest.approx(0.02) and (shown["image"][0] > 0).any()


def test_of_many_selected_rows_some_are_drawn(renderer):
    rng = np.random.default_rng(0)
    element = RowMap.from_points(rng.random((6000, 2)), selection=lv.RowSelection())
    plot = renderer.get_plot(element)
    element.selection.keep(np.arange(6000), "table")
    assert len(plot.handles["kept_source"].data["x"]) == 5000


def test_values_have_a_scale_of_colours(renderer):
    found = RowMap.from_points([(0, 0), (1, 1), (2, 2)], [0.0, 5.0, np.nan], by="age")
    plot = renderer.get_plot(found)
    inks = plot.handles["source"].data["ink"]
    assert len(set(inks)) == 3 and inks[2] == "#BBBBBB"
    assert plot.handles["names_source"].data["text"][0] == "age"
    assert (renderer.get_plot(found.clone().opts(many=1)).handles["raster_source"].data["image"][0] > 0).any()


def test_titles_of_axes_are_as_long_as_the_axes(renderer, page):
    frame = table().rename(columns={"a": "Number_of_seasons", "b": "Fielding_average"})
    plot = renderer.get_plot(RowMap.from_data(frame, color="kind").opts(height=170, width=900, responsive=False))
    page.page.set_content(file_html(plot.state, INLINE, suppress_callback_warning=True))
    page.wait("window.Bokeh?.documents[0]?.is_idle")
    tall, wide = page.js(
        "[Bokeh.documents[0].roots()[0].left[0], Bokeh.documents[0].roots()[0].below[0]].map((axis) => axis.axis_label)"
    )
    assert "of the variation" in wide and "of the variation" not in tall and tall.count("%") == 1


def test_other_rows_in_the_same_plot(linked):
    _, plot = linked
    other = RowMap.from_points([(0, 0), (4, 1)], ["a", "b"], selection=lv.RowSelection(), titles=("this", "that"))
    lv.patch(plot, other)
    assert plot.handles["xaxis"].axis_label == "this" and len(plot.handles["source"].data["x"]) == 2
    other.selection.keep([1], "table")
    assert list(plot.handles["kept_source"].data["x"]) == [4.0]
    lv.patch(plot, RowMap())
    assert list(plot.handles["names_source"].data["text"]) == ["no rows"]
