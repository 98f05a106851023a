"""Answers wanted of a map's cells, by the handles of the plot."""

import cube_small
import numpy as np
import pytest
from cube_small import GAPS, SCHEMA

import learnviews as lv
from learnviews.grammar.cube_cells import MANY, Cells, number
from learnviews.kernels import cube

PLACE = SCHEMA["place"]
LISTENING = {"mouseenter", "mousemove"}


def view(answer=None, **params):
    return lv.CubeMap.from_view(PLACE, np.arange(36.0) if answer is None else answer, **params)


def test_wanted_cells_are_outlined(renderer):
    plot = renderer.get_plot(view(target=lv.Target(), wanted={0: 9.5, 35: 1200.0}))
    ghosts = plot.handles["ghost_source"].data
    assert list(ghosts["bin"]) == [0, 35]
    for name, expected in {"left": [0, 5 / 6], "right": [1 / 6, 1], "bottom": [0, 5 / 6], "top": [1 / 6, 1]}.items():
        np.testing.assert_allclose(ghosts[name], expected)
    assert list(ghosts["text"]) == ["9.5 wanted, now 0", "1,200 wanted, now 35"]
    assert list(ghosts["align"]) == ["left", "right"]  # towards the middle
    assert list(ghosts["baseline"]) == ["bottom", "top"]
    for name in ("ghost_renderer", "ghost_label_renderer"):
        assert plot.handles[name].data_source is plot.handles["ghost_source"]
        assert plot.handles[name].level == "overlay"


def test_outlines_follow_answers_and_go(renderer):
    target = lv.Target()
    plot = renderer.get_plot(view(target=target))
    source = plot.handles["ghost_source"]
    assert len(source.data["bin"]) == 0
    lv.patch(plot, view(target=target, wanted={7: 3.0}))
    kept = source.data
    assert list(kept["bin"]) == [7]
    assert list(kept["text"]) == ["3 wanted, now 7"]
    lv.patch(plot, view(target=target, wanted={7: 3.0}))
    assert source.data is kept  # the same is not sent again
    lv.patch(plot, view(np.full(36, 2.0), target=target, wanted={7: 3.0}))
    assert list(source.data["text"]) == ["3 wanted, now 2"]
    lv.patch(plot, view(target=target, wanted={36: 3.0}))  # no such cell
    assert len(source.data["bin"]) == 0


def test_the_browser_asks_for_an_answer(renderer):
    target, calls = lv.Target(), []
    target.add_subscriber(lambda **asked: calls.append(asked))
    plot = renderer.get_plot(lv.CubeMap.from_view(GAPS["place"], np.ones(37), target=target))
    source = plot.handles["target_source"]
    source.data = {"bin": [13], "value": [250.0], "add": [False]}
    source.data = {"bin": [14], "value": [0.0], "add": [True]}
    source.data = {"bin": [], "value": [], "add": []}
    assert calls == [
        {"view": "place", "bin": 13, "value": 250.0, "add": False},
        {"view": "place", "bin": 14, "value": 0.0, "add": True},
    ]


@pytest.mark.parametrize("target", [None, lv.Target()])
def test_only_a_map_with_a_target_listens(renderer, target):
    plot = renderer.get_plot(view(target=target))
    assert (set(plot.state.js_event_callbacks) >= LISTENING) is (target is not None)


def test_a_drawn_raster_cannot_be_dragged(renderer):
    nx, ny = MANY // 100, 101  # one too many: what is drawn is not the cells
    fine = cube.Spatial("place", "x", "y", extent=(0, 4, 0, 2), shape=(nx, ny))
    plot = renderer.get_plot(lv.CubeMap.from_view(fine, np.ones(nx * ny), target=lv.Target()))
    assert not LISTENING & set(plot.state.js_event_callbacks)


def test_linked_views_pass_the_target_on(renderer):
    target, calls = lv.Target(), []
    target.add_subscriber(lambda **asked: calls.append((asked["view"], asked["bin"])))
    layout = lv.cube_views(cube_small.exact(), lv.Brush(), target=target)
    plots = [next(iter(grid.subplots.values())) for grid in renderer.get_plot(layout).subplots.values()]
    for plot in (each.subplots["main"] if hasattr(each, "subplots") and each.subplots else each for each in plots):
        plot.handles["target_source"].data = {"bin": [2], "value": [5.0], "add": [False]}
    assert calls == [(name, 2) for name in SCHEMA.names]


def test_numbers_as_the_browser_writes_them():
    assert [number(v) for v in (1234.5, 12.3456, 0, -3, float("nan"))] == ["1,234", "12.35", "0", "-3", "none"]


def test_ghosts_of_no_cell():
    assert len(Cells((6, 6), (0, 1, 0, 1), np.zeros(36)).ghosts()["left"]) == 0
