"""Linked views as one HoloViews object, boards of patched plots, and maps of queries."""

from contextlib import nullcontext
from types import SimpleNamespace

import cube_small
import holoviews as hv
import numpy as np
import pytest

import learnviews as lv
from learnviews.grammar.cube_board import CubeBoard
from learnviews.grammar.cube_views import Asker
from learnviews.grammar.query_map import default_selections
from learnviews.kernels.cube import Query


def inner(plot):
    plots = [p for p in plot.traverse(lambda p: p) if hasattr(p, "patch")]
    return {p.current_frame.attribute: p for p in plots}


def answers(plot):
    data = plot.handles["source"].data
    return np.asarray(data["known"][0]).T.ravel() if "known" in data else np.asarray(data["answer"])


def test_all_views_follow_one_brush(renderer):
    exact, brush = cube_small.exact(), lv.Brush()
    plots = inner(renderer.get_plot(lv.cube_views(exact, brush)))
    assert list(plots) == ["month", "hour", "kind", "place"]
    sources = {name: plot.handles["source"] for name, plot in plots.items()}
    plots["hour"].handles["brush_source"].data = {"bin": [3, 4, 5]}
    plots["kind"].handles["brush_source"].data = {"bin": [1]}
    plots["place"].handles["brush_source"].data = {"x": [0, 3], "y": [2, 6]}
    query = Query(hour=(3, 6), kind={"b"}, place=(0, 3, 2, 6))
    assert brush.query == query
    for name, answer in exact.views(query).items():
        np.testing.assert_array_equal(answers(plots[name]), answer.astype(np.float32 if name == "place" else float))
        assert plots[name].handles["source"] is sources[name]
    assert len({id(plot.handles["y_range"]) for plot in plots.values()}) == 4


def test_a_models_intervals_and_other_aggregates(renderer):
    model = cube_small.measures()
    plots = inner(renderer.get_plot(lv.cube_views(model, aggregate=("mean", "delay"), unit="min")))
    low, high = model.interval(None, ("mean", "delay"))["hour"]
    np.testing.assert_array_equal(plots["hour"].handles["source"].data["low"], low)
    np.testing.assert_array_equal(plots["hour"].handles["source"].data["high"], high)
    assert plots["hour"].handles["yaxis"].axis_label == "mean delay (min)"
    plain = inner(renderer.get_plot(lv.cube_views(model, intervals=False)))
    assert np.isnan(plain["hour"].handles["source"].data["low"]).all()
    with pytest.raises(LookupError, match="no aggregate"):
        lv.cube_views(cube_small.model(), aggregate=("mean", "delay"))
    with pytest.raises(LookupError, match="no attribute 'nothing'"):
        lv.cube_views(model, lv.Brush(filters={"nothing": (0, 1)}))


def test_elements_of_ones_own_follow_the_brush(renderer):
    exact, brush = cube_small.exact(), lv.Brush()
    own = hv.DynamicMap(lambda filters: hv.Curve(exact.views(Query(**filters))["hour"]), streams=[brush])
    plot = renderer.get_plot(lv.cube_views(exact, brush) + own)
    curve = next(p for p in plot.traverse(lambda p: p) if type(p).__name__ == "CurvePlot")
    brush.set("kind", {"a"})
    np.testing.assert_array_equal(list(curve.handles["source"].data.values())[1], exact.views(brush.query)["hour"])


def test_answers_are_asked_for_once():
    exact, calls = cube_small.exact(), []
    views = lambda query, aggregate: calls.append(query) or exact.views(query, aggregate)  # noqa: E731
    ask = Asker(SimpleNamespace(schema=exact.schema, views=views))
    for _ in range(3):
        for name in exact.schema.names:
            ask.element(name, Query(hour=(1, 2)))
    assert calls == [Query(), Query(hour=(1, 2))]


class Session:
    """What a board needs of `grammar.serve.Session`, without a server."""

    def __init__(self, renderer):
        self.plot, self.waiting = renderer.get_plot, []
        self.soon, self.resting = self.waiting.append, []
        self.together = nullcontext

    def rest(self, callback, milliseconds):
        self.resting.append(callback)
        return SimpleNamespace(start=lambda: None)

    def run(self):
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def board(renderer):
    return CubeBoard(Session(renderer), cube_small.exact(), target=lv.Target(), title="rows")


def test_a_board_answers_a_burst_once(board):
    for stop in range(2, 9):
        board.brush.set("hour", (1, stop))
    board.brush.set("place", (0, 2, 0, 2))
    assert len(board.session.waiting) == 1
    board.session.run()
    for name, answer in cube_small.exact().views(Query(hour=(1, 8), place=(0, 2, 0, 2))).items():
        np.testing.assert_array_equal(
            answers(board.plots[name]), answer.astype(np.float32 if name == "place" else float)
        )
    assert board.plots["hour"].handles["brush_box"].right == 7.5
    assert board.plots["place"].handles["brush_source"].data == {"x": [0, 2], "y": [0, 2]}
    assert list(board.figures) == list(board.plots)


def test_a_board_equals_new_elements(board, renderer):
    board.brush.replace({"month": (2, 6), "kind": {"b"}, "place": np.arange(36) < 20})
    board.wanted = {"hour": {3: 99.0}}
    board.session.run()
    for name, plot in board.plots.items():
        extra = {} if name == "place" else {"wanted": board.wanted.get(name, {})}
        anew = renderer.get_plot(board.askers[""].element(name, board.brush.query, brush=board.brush, **extra))
        for source in ("source", "ghost_source", "veil_source", "ground_source"):
            if source in plot.handles:
                for column, values in anew.handles[source].data.items():
                    np.testing.assert_array_equal(plot.handles[source].data[column], values, err_msg=f"{name} {column}")


def test_a_board_asks_others(board):
    model = cube_small.model()
    board.brush.set("kind", {"a"})
    board.session.run()
    board.ask(model, view="hour")
    np.testing.assert_array_equal(answers(board.plots["hour"]), model.views(board.brush.query)["hour"])
    np.testing.assert_array_equal(answers(board.plots["month"]), cube_small.exact().views(board.brush.query)["month"])
    assert not np.isnan(board.plots["hour"].handles["source"].data["low"]).any()
    board.brush.set("month", (0, 3))
    board.session.run()
    np.testing.assert_array_equal(answers(board.plots["hour"]), model.views(board.brush.query)["hour"])
    board.ask(cube_small.exact())
    np.testing.assert_array_equal(answers(board.plots["hour"]), cube_small.exact().views(board.brush.query)["hour"])


def test_a_query_map_shows_bins_and_ranges(renderer):
    model = cube_small.model()
    choice = lv.QueryChoice()
    element = lv.QueryMap.from_model(model, "hour", query=Query(kind={"a"}), choice=choice, title="rows")
    assert len(element) == len(element.filters) == 24 + 23 + 22 + 21
    value, label = element.dimension_values("value"), element.dimension_values("label")
    np.testing.assert_allclose(value[:24], model.views(Query(kind={"a"}))["hour"], rtol=1e-4, atol=1e-2)
    row = element.filters.index((8, 11))
    assert label[row] == "hour is 8 to 10"
    assert value[row] == pytest.approx(model.total(Query(kind={"a"}, hour=(8, 11))), rel=1e-5)
    plot = renderer.get_plot(element)
    data = plot.handles["source"].data
    assert data["size"].argmax() == value.argmax()
    assert 0 < len(plot.handles["name_source"].data["text"]) <= 24
    plot.handles["source"].selected.indices = [3, row]
    plot.handles["pointed_source"].data = {"row": [5]}
    assert (choice.chosen, choice.previewed) == ([3, row], 5)
    plot.handles["pointed_source"].data = {"row": []}
    assert choice.previewed is None


def test_a_query_map_is_patched(renderer):
    model = cube_small.measures()
    plot = renderer.get_plot(lv.QueryMap.from_model(model, "kind"))
    source = plot.handles["source"]
    lv.patch(plot, lv.QueryMap.from_model(model, "kind", aggregate=("mean", "delay")))
    assert plot.handles["source"] is source
    assert plot.handles["color_mapper"].low < 0 < plot.handles["color_mapper"].high


def test_selections_shown_by_default():
    assert default_selections(cube_small.SCHEMA["kind"]) == [frozenset([k]) for k in "abcde"]
    gaps = default_selections(cube_small.GAPS["month"])
    assert gaps[12] == frozenset(["missing"])
    assert (0, 2) in gaps and len(set(gaps)) == len(gaps)
    assert len(default_selections(cube_small.SCHEMA["place"])) >= 36


def test_odd_query_maps(renderer):
    renderer.get_plot(lv.QueryMap([]))
    renderer.get_plot(lv.QueryMap({"x": [0.0], "y": [0.0], "value": [np.nan], "label": ["a"], "bins": [1]}))
    renderer.get_plot(lv.QueryMap.from_model(cube_small.model(), "kind", selections=[]))
    with pytest.raises(ValueError, match="finite"):
        lv.QueryMap({"x": [np.inf], "y": [0.0], "value": [1.0], "label": ["a"], "bins": [1]})
    with pytest.raises(ValueError, match="a filter per row"):
        lv.QueryMap({"x": [1.0], "y": [0.0], "value": [1.0], "label": ["a"], "bins": [1]}, filters=[(0, 1), (1, 2)])
    with pytest.raises(LookupError, match="no attribute"):
        lv.QueryMap.from_model(cube_small.model(), "nothing")
