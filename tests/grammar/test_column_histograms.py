"""Histograms of all columns: bars as a naive count has them, and any rows shown in all of them at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bokeh.models import TapTool

import learnviews as lv
from learnviews.grammar.text_room import wide
from learnviews.kernels.search import Profile


def table(rows=120, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, rows),
            "town": rng.choice(["Bath", "Cork", "Deal"], rows),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "income": rng.lognormal(10, 1, rows),
        },
        index=[f"row {at}" for at in range(rows)],
    )
    frame.loc["row 3", "income"] = np.nan
    return frame


@pytest.fixture
def linked(renderer):
    element = lv.ColumnHistograms.from_data(table(), selection=lv.RowSelection(), marked=["town"], label="overview")
    return element, renderer.get_plot(element)


def bar_of(element, column, label):
    """The number of the bar of a label."""
    at = [each.name for each in element.bins].index(column)
    before = sum(len(each) for each in element.bins[:at])
    return before + element.bins[at].labels.index(label)


def spread(element, ids):
    """How many of some rows are in each bar, counted one by one."""
    place, found = {id_: at for at, id_ in enumerate(element.ids)}, [0] * len(element)
    for mark in range(len(element)):
        column, bin = int(element["column"][mark]), int(element["bin"][mark])
        found[mark] = sum(element.profile.codes[place[id_], column] == bin for id_ in ids)
    return found


def test_a_bar_per_bin_with_its_rows():
    frame = table()
    found = lv.ColumnHistograms.from_data(frame)
    for town, rows in frame["town"].value_counts().items():
        mark = bar_of(found, "town", town)
        assert found["rows"][mark] == rows and found["share"][mark] == pytest.approx(rows / 120)
        assert list(found.rows_of([mark])) == list(frame.index[frame["town"] == town])
    assert found["rows"][found["column"] == 3].sum() == 120  # those without a value have a bar, too
    assert found.ends["age"] == (str(frame["age"].min()), str(frame["age"].max()))


def test_some_rows_in_every_bar():
    found = lv.ColumnHistograms.from_data(table())
    some = list(found.ids[::7])
    np.testing.assert_array_equal(found.counts_of(found.mask_of([*some, "no row of this"])), spread(found, some))
    mark = bar_of(found, "town", "Cork")
    np.testing.assert_array_equal(found.counts_alike(mark), spread(found, found.rows_of([mark])))
    both = [mark, bar_of(found, "income", "missing")]
    assert set(found.rows_of(both)) == set(found.rows_of(both[:1])) | {"row 3"}


def test_of_a_profile_of_a_model_and_of_nothing():
    profile = Profile(table(), ["age", "town"])
    found = lv.ColumnHistograms.from_profile(profile)
    assert [column.name for column in found.bins] == ["age", "town"] and list(found.ids) == list(range(120))
    assert list(found.positions([5, 500, 7])) == [5, 7]
    model = SimpleNamespace(data=table(), problem=SimpleNamespace(targets=("town",)))
    assert lv.ColumnHistograms.from_model(model).marked == ["town"]
    assert len(lv.ColumnHistograms()) == 0


@pytest.mark.parametrize(
    ("wrong", "error", "complaint"),
    [
        (lambda: lv.ColumnHistograms.from_data(table(), columns=["hat"]), KeyError, "column 'hat'"),
        (lambda: lv.ColumnHistograms.from_data(table(), marked=["hat"]), ValueError, "column 'hat' is to be marked"),
        (
            lambda: lv.ColumnHistograms.from_profile(Profile(table()), ids=[1]),
            ValueError,
            r"per row .* 120, got 1",
        ),
        (lambda: lv.ColumnHistograms([(0, 0, 1, 1.0)]), ValueError, "a row per bin of the profile, 0, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, error, complaint):
    with pytest.raises(error, match=complaint):
        wrong()


# -- drawn


def test_hovering_a_bar_lights_its_rows_in_all_histograms(linked):
    element, plot = linked
    mark = bar_of(element, "town", "Deal")
    plot.handles["pointed_source"].data = {"mark": [mark]}
    assert list(element.selection.lit) == list(element.rows_of([mark])) and element.selection.source == "overview"
    np.testing.assert_array_equal(plot.handles["lit_source"].data["count"], spread(element, element.selection.lit))
    plot.handles["pointed_source"].data = {"mark": []}
    assert not len(element.selection.lit) and not plot.handles["lit_source"].data["count"].any()


def test_clicked_bars_stay(linked):
    element, plot = linked
    marks = [bar_of(element, "town", "Deal"), bar_of(element, "town", "Bath")]
    plot.handles["source"].selected.indices = marks
    assert set(element.selection.kept) == set(element.rows_of(marks))
    kept = plot.handles["kept_source"].data
    np.testing.assert_array_equal(kept["count"], spread(element, element.selection.kept))
    plot.handles["pointed_source"].data = {"mark": [0]}
    assert plot.handles["kept_source"].data["count"].any()
    plot.handles["source"].selected.indices = []
    assert not len(element.selection.kept)


def test_rows_lit_elsewhere_show(linked):
    element, plot = linked
    element.selection.light(["row 1", "row 4", "elsewhere"], "table")
    lit, whole = plot.handles["lit_source"].data, plot.handles["source"].data
    np.testing.assert_array_equal(lit["count"], spread(element, ["row 1", "row 4"]))
    some = lit["count"] > 0
    assert np.isnan(lit["top"][~some]).all()
    assert (lit["top"] <= whole["top"] + 1e-9)[some].all() and (lit["top"] - whole["bottom"] >= 1.5)[some].all()


def test_of_too_many_rows_ids_are_not_told(renderer):
    element = lv.ColumnHistograms.from_data(table(), selection=lv.RowSelection(), told=30)
    plot, mark = renderer.get_plot(element), bar_of(element, "town", "Cork")
    assert element["rows"][mark] > 30
    plot.handles["pointed_source"].data = {"mark": [mark]}
    assert not len(element.selection.lit)
    np.testing.assert_array_equal(plot.handles["lit_source"].data["count"], element.counts_alike(mark))
    element.selection.keep(["row 1"], "table")  # what is said of others leaves it as it is
    np.testing.assert_array_equal(plot.handles["lit_source"].data["count"], element.counts_alike(mark))
    element.selection.light(["row 1"], "table")
    np.testing.assert_array_equal(plot.handles["lit_source"].data["count"], spread(element, ["row 1"]))


def test_without_a_selection_it_still_answers_the_pointer(renderer):
    element = lv.ColumnHistograms.from_data(table())
    plot = renderer.get_plot(element)
    plot.handles["pointed_source"].data = {"mark": [2]}
    np.testing.assert_array_equal(plot.handles["lit_source"].data["count"], element.counts_alike(2))


def test_the_figure_is_laid_out_by_its_width(linked):
    element, plot = linked
    plot.handles["wide_source"].data = {"width": [620]}
    assert plot.across == 4 and plot.handles["x_range"].end == 4 and plot.state.height == plot.cell_height + 4
    plot.handles["wide_source"].data = {"width": [310]}
    assert plot.across == 2 and plot.state.height == 2 * plot.cell_height + 4
    left, column = plot.handles["source"].data["left"], element["column"]
    assert (left[column % 2 == 0] < 1).all() and (left[column % 2 == 1] > 1).all()
    texts = list(plot.handles["text_source"].data["text"])
    assert {"age", "town (target)", "Bath"} <= set(texts)
    assert plot.handles["cells_source"].data["ground"][1] != plot.handles["cells_source"].data["ground"][0]


def test_a_bar_that_is_cut_has_a_break_across_it(renderer):
    names = [f"PLAYER_{at:03}_SMITH" for at in range(300)]
    element = lv.ColumnHistograms.from_data(pd.DataFrame({"name": names * 2, "town": ["Bath", "Cork"] * 300}))
    plot = renderer.get_plot(element)
    assert element.bins[0].labels[-1] == "others"
    bars, breaks = plot.handles["source"].data, plot.handles["breaks_source"].data
    at = len(element.bins[0]) - 1
    assert (
        len(breaks["x0"]) == 2 and (breaks["x0"] < bars["left"][at]).all() and (breaks["x1"] > bars["right"][at]).all()
    )
    assert (breaks["y1"] < bars["top"][at]).all() and (breaks["y0"] > bars["bottom"][at]).all()


def test_texts_below_a_histogram_do_not_run_into_each_other(renderer):
    names = [f"PLAYER_{at:03}_SMITH_THE_SECOND" for at in range(300)]
    element = lv.ColumnHistograms.from_data(pd.DataFrame({"name": names * 2, "kind": ["A" * 40, "B" * 40] * 300}))
    texts = list(renderer.get_plot(element).handles["text_source"].data["text"])
    assert "others 562" in texts
    at = texts.index("others 562")
    for first, last in (texts[at - 1 : at + 1], texts[-2:]):
        assert first.endswith("…") and wide(first) + wide(last) < 150 - 16


def test_bars_answer_over_their_whole_height(linked):
    _, plot = linked
    slot = plot.handles["slot_renderer"]
    assert plot.handles["hover"].renderers == [slot] and slot.data_source is plot.handles["source"]
    assert all(tap.renderers == [slot] for tap in plot.state.select({"type": TapTool}))
    tops = plot.handles["source"].data
    assert (tops["ceiling"] >= tops["top"]).all()


def test_few_of_many_are_seen_better_on_a_root_scale(renderer):
    frame = pd.DataFrame({"x": [0] * 9999 + [1] * 100})
    tall = {}
    for scale in ("linear", "root"):
        data = renderer.get_plot(lv.ColumnHistograms.from_data(frame).opts(scale=scale)).handles["source"].data
        tall[scale] = data["top"][1] - data["bottom"][1]
    assert tall["root"] > 3 * tall["linear"] > 0


def test_another_data_set_in_the_same_plot(linked):
    _, plot = linked
    other = lv.ColumnHistograms.from_data(pd.DataFrame({"x": [1.0, 2.0, 4.0]}), selection=lv.RowSelection())
    lv.patch(plot, other)
    assert len(plot.handles["source"].data["top"]) == len(other)
    other.selection.keep([0], "table")
    assert plot.handles["kept_source"].data["count"].sum() == 1
    lv.patch(plot, lv.ColumnHistograms())
    assert plot.handles["text_source"].data["text"] == ["no columns of numbers, times or labels"]
    plot.cleanup()
    assert not other.selection.subscribers


def test_nothing_to_show(renderer):
    plot = renderer.get_plot(lv.ColumnHistograms())
    assert not len(plot.handles["source"].data["top"])
