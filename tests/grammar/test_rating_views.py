"""Histograms of what models predict, and errors by key: what is counted where, one scale, links to other views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar import KeyErrors, ValueHistogram
from learnviews.grammar.value_histogram import edges_of, shared_edges

TRUTH = np.array([1.0, 2, 3, 4, 5, 1, 2, 3])
SAID = np.array([1.5, 2, 2.5, 4, 4.5, 2, 2, np.nan])


@pytest.fixture
def model():
    """Eight held-out ratings of three users, and four that were learned from."""
    frame = pd.DataFrame({"truth": TRUTH, "prediction": SAID, "split": "holdout"}, index=range(100, 108))
    known = pd.DataFrame({"truth": [1.0, 2, 3, 4], "prediction": 2.0, "split": "train"}, index=range(4))
    users = pd.DataFrame({"user": [*"aaab", *"aabbbcca"]}, index=[*range(4), *range(100, 108)])
    problem = SimpleNamespace(task="collaborativeFiltering", targets=("rating",), keys=("user", "item"))
    data = SimpleNamespace(frame=users)
    return SimpleNamespace(predictions=pd.concat([known, frame]), problem=problem, name="factors", data=data)


@pytest.fixture
def linked(renderer):
    values = [0.1, 0.2, 1.5, 2.9, 3.0, np.nan, 9.0]
    told = {"ids": [*"abcdefg"], "selection": lv.RowSelection(), "label": "values", "what": "stars"}
    element = ValueHistogram.from_values(values, edges=[0, 1, 2, 3], reference=[0.5, 1.5, 1.6], **told)
    return element, renderer.get_plot(element)


def test_rows_are_counted_once_each(linked):
    element, plot = linked
    assert list(element.dimension_values(2)) == [2, 1, 3]  # what lies beyond counts to the last; missing not at all
    assert list(element.rows_of([2])) == ["d", "e", "g"] and list(element.reference) == [1, 2, 0]
    outline = plot.handles["reference_source"].data
    assert list(outline["x"]) == [0, 0, 1, 2, 3, 3] and list(outline["y"]) == [0, 1, 2, 0, 0, 0]
    assert plot.handles["xaxis"].axis_label == "stars"
    assert plot.handles["y_range"].end == pytest.approx(1.15 * 3)


def test_a_bar_lights_its_rows_and_shows_parts_that_are_selected_elsewhere(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [0]}
    assert list(element.selection.lit) == ["a", "b"] and element.selection.source == "values"
    assert list(plot.handles["lit_source"].data["top"]) == [2]
    plot.handles["source"].selected.indices = [1, 2]
    assert set(element.selection.kept) == set("cdeg")
    element.selection.keep(["g", "a", "elsewhere"], "table")
    kept = plot.handles["kept_source"].data
    assert list(kept["left"]) == [0, 2] and list(kept["top"]) == [1, 1]


def test_edges_leave_far_values_to_the_last_bars():
    values = np.append(np.random.default_rng(0).normal(size=5000), [1e6, -1e6])
    edges = edges_of([values], 10)
    assert len(edges) == 11 and -6 < edges[0] < -2 and 2 < edges[-1] < 6
    around = edges_of([[-1.0, 3.0]], 10, centred=True)
    assert len(around) == 12 and around[0] == -3 and around[5] == pytest.approx(-around[6])
    assert list(edges_of([[2.0, 2.0]], 2)) == [1.5, 2.0, 2.5] and list(edges_of([])) == [0, 1]


def test_models_share_one_scale(model):
    other = SimpleNamespace(**{**vars(model), "name": "biases"})
    other.predictions = model.predictions.assign(prediction=model.predictions["prediction"] + 2)
    edges = shared_edges([model, other], bins=6)
    assert edges[0] <= 1 and edges[-1] >= 6.5
    found = ValueHistogram.from_model(model, edges=edges)
    assert found.dimension_values(2).sum() == 7 and found.reference.sum() == 8 and found.what == "predicted"
    errors = ValueHistogram.from_model(model, "error", edges=[-1, -0.25, 0.25, 1.5])
    assert list(errors.dimension_values(2)) == [2, 3, 2] and errors.reference is None
    assert list(ValueHistogram.from_model(model, "truth", edges=[0, 2.5, 5]).dimension_values(2)) == [4, 4]


def test_errors_by_key_and_what_was_learned_from(model, renderer):
    found = KeyErrors.from_model(model, selection=lv.RowSelection())
    table = dict(
        zip(found.dimension_values(3), zip(*(found.dimension_values(at) for at in range(3)), strict=True), strict=True)
    )
    assert table["a"] == (3, pytest.approx(0.25), 2)  # its third row has no prediction
    assert table["b"] == (1, pytest.approx(np.mean([0.5, 0, 0.5])), 3)
    assert table["c"] == (0, pytest.approx(0.5), 2)
    plot = renderer.get_plot(found)
    drawn = plot.handles["source"].data
    at = list(drawn["key"]).index("c")
    assert drawn["x"][at] == 0 and set(plot.handles["xaxis"].major_label_overrides.values()) == {"0", "1", "3"}
    plot.handles["pointed_source"].data = {"mark": [at]}
    assert list(found.selection.lit) == [105, 106]
    found.selection.keep([103], "table")
    assert list(plot.handles["kept_source"].data["x"]) == [1]  # of user b, with one rating
    with pytest.raises(ValueError, match="no key 'film'; expected one of user, item"):
        KeyErrors.from_model(model, "film")


def test_a_line_shows_the_mean_of_many_keys(renderer):
    keys = np.repeat(np.arange(40), 2)
    found = KeyErrors.from_values(keys, 1 / (1 + keys), np.repeat(np.arange(40), np.arange(40)))
    trend = renderer.get_plot(found).handles["trend_source"].data
    assert len(trend["x"]) == 6 and (np.diff(trend["x"]) > 0).all() and (np.diff(trend["y"]) < 0).all()


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match="an id per value, 2, got 1"):
        ValueHistogram.from_values([1.0, 2.0], ids=["a"])
    with pytest.raises(ValueError, match="at least two edges, rising"):
        ValueHistogram.from_values([1.0], edges=[1, 1])
    with pytest.raises(ValueError, match="of = 'nothing'"):
        ValueHistogram.from_model(model, "nothing")
    with pytest.raises(ValueError, match="no rows of split 'test'"):
        ValueHistogram.from_model(model, split="test")
    with pytest.raises(ValueError, match="a key, an error and an id per row: 1, 2, 1"):
        KeyErrors.from_values(["a"], [1.0, 2.0], [])
