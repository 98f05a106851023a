"""Sources that are patched, and what is repainted alone."""

import cube_small
import numpy as np
import pytest
from bokeh.models import ColumnDataSource

from learnviews.grammar.cube_views import Asker
from learnviews.grammar.overlay_bokeh import patch_columns
from learnviews.kernels.cube import Query


@pytest.fixture
def source():
    return ColumnDataSource({"top": np.array([1.0, np.nan]), "label": np.array(["a", "b"], object), "more": [1, 2]})


def test_only_what_changed_is_patched(monkeypatch, source):
    patches = []
    monkeypatch.setattr(ColumnDataSource, "patch", lambda self, patches_: patches.append(patches_))
    patch_columns(source, {"top": np.array([2.0, np.nan]), "label": np.array(["a", "b"], object)})
    assert patches == [{"top": [(slice(0, 2), pytest.approx([2.0, np.nan], nan_ok=True))]}]
    patch_columns(source, {"top": np.array([1.0, np.nan])})
    assert len(patches) == 1


def test_other_numbers_of_rows_are_all_sent(source):
    patch_columns(source, {"top": np.array([1.0, 2.0, 3.0]), "label": np.array(["a", "b", "c"], object)})
    assert source.data["top"].tolist() == [1.0, 2.0, 3.0]
    assert list(source.data) == ["top", "label"]


def test_answers_that_are_kept_are_never_overwritten(renderer):
    ask = Asker(cube_small.exact())
    plot = renderer.get_plot(ask.element("month", Query()))
    before = ask(Query()).views["month"].copy()
    plot.patch(ask.element("month", Query(hour=(0, 2))))
    plot.patch(ask.element("month", Query(hour=(1, 3))))
    assert ask(Query()).views["month"].tolist() == before.tolist()
    assert plot.handles["source"].data["answer"].tolist() == ask(Query(hour=(1, 3))).views["month"].tolist()


def test_while_a_brush_moves_the_axis_stays(renderer):
    ask = Asker(cube_small.exact())
    plot = renderer.get_plot(ask.element("month", Query()))
    plot.patch(ask.element("month", Query()))
    whole = plot.handles["y_range"].end
    few = ask.element("month", Query(hour=(0, 1))).bars
    plot.patch_bars(few, fit=False)
    assert plot.handles["y_range"].end == whole
    plot.patch_bars(few)
    assert plot.handles["y_range"].end < whole


def test_a_bar_that_outgrows_its_axis_changes_it(renderer):
    ask = Asker(cube_small.exact())
    plot = renderer.get_plot(ask.element("month", Query(hour=(0, 1))))
    plot.patch(ask.element("month", Query(hour=(0, 1))))
    small = plot.handles["y_range"].end
    plot.patch_bars(ask.element("month", Query()).bars, fit=False)
    assert plot.handles["y_range"].end > max(small, ask(Query()).views["month"].max())
