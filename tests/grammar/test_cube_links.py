"""Filters as expressions and back, and a cube's brush linked with elements of HoloViews' own."""

import json
import sys
from pathlib import Path

import cube_small
import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import pytest
from bokeh.document import Document
from browser import Server
from cube_small import GAPS, SCHEMA
from holoviews.streams import SelectionXY
from hypothesis import given, settings
from hypothesis import strategies as st
from pyviz_comms import Comm

import learnviews as lv
from learnviews.grammar.cube_expressions import filter_from, filters_of
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

FEW = settings(max_examples=40, deadline=None, derandomize=True)
TIMES = cube.Schema(
    cube.Numeric("delay", [-10, 0, 5, 7.5, 30], missing=True),
    cube.Temporal("day", every="D", start="2024-02-01", stop="2024-04-01", column="time", missing=True),
    cube.Temporal("hour", part="hour", column="time"),
    cube.Temporal("weekday", part="weekday", column="time"),
    cube.Categorical("code", [3, 5, 8], other=True),
    cube.Spatial("place", "lon", "lat", extent=(-10, 10, 40, 60), shape=(5, 4), projection="mercator", missing=True),
)


def rows(count=3000, seed=3):
    rng = np.random.default_rng(seed)
    minutes = rng.integers(-5000, 95_000, count)
    table = {
        "delay": np.where(rng.random(count) < 0.1, np.nan, rng.normal(2, 12, count)),
        "time": np.datetime64("2024-02-01T00:00", "ns") + minutes.astype("m8[m]"),
        "code": rng.choice([3, 5, 8, 9], count),
        "lon": np.where(rng.random(count) < 0.1, np.nan, rng.uniform(-12, 12, count)),
        "lat": rng.uniform(38, 62, count),
    }
    table["time"][::17] = np.datetime64("NaT")
    return table


def passed(table, schema, filters):
    """Slowly: row by row."""
    keep = []
    for codes in schema.codes(table).T:
        taken = {a.name: code for a, code in zip(schema, codes, strict=True)}
        keep.append(all(taken[n] >= 0 and schema[n].mask(held)[taken[n]] for n, held in filters.items()))
    return np.array(keep)


QUERIES = [
    {"delay": (1, 3)},
    {"delay": np.array([True, False, False, False, True])},
    {"day": (10, 30), "hour": (6, 12)},
    {"weekday": {"Mon", "Sun"}, "code": {3}},
    {"code": {"other"}, "place": (1, 4, 0, 2)},
    {"place": np.arange(21) % 4 == 0, "day": np.arange(61) == 60},
]


@pytest.mark.parametrize("filters", QUERIES)
@pytest.mark.parametrize("frame", [dict, pd.DataFrame])
def test_a_brush_filters_rows(filters, frame):
    table, brush = rows(), lv.Brush(filters=filters)
    dataset = hv.Dataset(frame(table), kdims=list(table), vdims=[])
    found = dataset.select(brush.expression(TIMES))
    expected = passed(table, TIMES, filters)
    assert 0 < expected.sum() == len(found)
    np.testing.assert_array_equal(found.dimension_values("lat"), table["lat"][expected])


@pytest.mark.parametrize("filters", QUERIES)
def test_expressions_of_filters_come_back(filters):
    back = filters_of(lv.Brush(filters=filters).expression(TIMES), TIMES)
    np.testing.assert_array_equal(TIMES.mask(Query(**back)), TIMES.mask(Query(**filters)))


def test_no_brush_is_no_expression():
    assert lv.Brush().expression(TIMES) is None
    brush = lv.Brush(filters={"hour": (1, 2)})
    brush.take(None, TIMES)
    assert brush.filters == {}
    with pytest.raises(LookupError, match="no attribute 'nothing'"):
        lv.Brush(filters={"nothing": (0, 1)}).expression(TIMES)


def test_expressions_tell_filters_apart():
    """HoloViews compares them by their text."""
    masks = np.random.default_rng(0).random((30, 21)) < 0.5
    texts = {repr(lv.Brush(filters={"place": mask}).expression(TIMES)) for mask in masks}
    assert len(texts) == 30


x, y, delay, time, code = map(hv.dim, ("lon", "lat", "delay", "time", "code"))
SELECTIONS = [
    ((delay >= 1) & (delay <= 6), {"delay": (1, 3)}),
    ((delay >= 6.1) & (delay <= 6.2), {"delay": (2, 3)}),
    ((delay < -2) | (delay > 20), {"delay": np.array([1, 0, 0, 1, 0], bool)}),
    (~(delay > 0), {"delay": np.array([1, 1, 0, 0, 1], bool)}),  # of nan, too
    ((delay >= 500) & (delay <= 600), {"delay": np.zeros(5, bool)}),
    ((time >= pd.Timestamp("2024-02-10T12:00")) & (time <= pd.Timestamp("2024-02-12")), {"day": (9, 12)}),
    (code.isin([3, 9]), {"code": {3, "other"}}),
    (code.isin([3]) & (delay >= 7.5), {"code": {3}, "delay": (3, 4)}),
    (hv.dim("hour").isin([7, 8]), {"hour": (7, 9)}),
    (hv.dim("weekday").isin(["Mon", "Wed"]), {"weekday": {"Mon", "Wed"}}),
    ((x >= -3) & (x <= 3) & (y >= 41) & (y <= 42), {"place": (1, 4, 0, 1)}),
    ((x >= -1) & (x <= 1), {"place": (2, 3, 0, 4)}),
]


@pytest.mark.parametrize(("expression", "filters"), SELECTIONS)
def test_selections_become_filters(expression, filters):
    found = filters_of(expression, TIMES)
    assert found.keys() == filters.keys()
    np.testing.assert_array_equal(TIMES.mask(Query(**found)), TIMES.mask(Query(**filters)))


@FEW
@given(st.floats(-20, 40), st.floats(0, 20), st.booleans())
def test_all_bins_with_a_selected_row_are_taken(low, width, inverted):
    expression = (delay >= low) & (delay <= low + width)
    expression = ~expression if inverted else expression
    schema = cube.Schema(TIMES["delay"])
    values = np.append(np.linspace(-9.99, 29.99, 2000), np.nan)
    chosen = expression.apply(hv.Dataset({"delay": values}, "delay"))
    touched = np.bincount(schema["delay"].codes(values[chosen]), minlength=5) > 0
    found = filters_of(expression, schema)
    taken = schema.mask(Query(**found))
    assert (taken | ~touched).all()
    edges = np.array([-10, 0, 5, 7.5, 30])
    apart = (edges[1:] < low - 0.1) | (edges[:-1] > low + width + 0.1)
    if not inverted:
        assert not (taken[:4] & apart).any()


def test_what_no_attribute_can_tell():
    for expression, error, text in [
        (hv.dim("altitude") > 3, LookupError, "no attribute reads altitude"),
        ((delay > 3) | (code > 3), ValueError, "joins code, delay"),
        (time > pd.Timestamp("2024-02-03"), ValueError, "says nothing of hour, weekday"),
    ]:
        schema = TIMES.without("day") if "says" in text else TIMES
        with pytest.raises(error, match=text):
            lv.Brush().take(expression, schema)


@FEW
@given(st.lists(st.booleans(), min_size=13, max_size=13), st.lists(st.booleans(), min_size=37, max_size=37))
def test_masks_keep_their_meaning(months, cells):
    for name, mask in (("month", np.array(months)), ("place", np.array(cells))):
        held = filter_from(GAPS[name], mask)
        np.testing.assert_array_equal(np.ones(len(mask), bool) if held is None else GAPS[name].mask(held), mask)


@pytest.fixture
def linked(renderer):
    """A brush, selections, and the plots of points by kind of plot."""
    table = cube_small.table(2000)
    dataset = hv.Dataset(pd.DataFrame(table), ["month", "hour", "kind", "x", "y"], ["delay"])
    brush, selections = lv.Brush(), hv.link_selections.instance()
    link = lv.link_brush(brush, selections, SCHEMA)
    views = lv.cube_views(cube_small.exact(), brush)
    plot = renderer.get_plot(selections(hv.Points(dataset, ["x", "y"]) + views))
    points = [p for p in plot.traverse(lambda p: p) if type(p).__name__ == "PointPlot"]
    bars = [p for p in plot.traverse(lambda p: p) if type(p).__name__ == "CubeBarsPlot"]
    return table, brush, selections, points, bars, link


def select(selections, x0, y0, x1, y1):
    """A box, as HoloViews hears of it."""
    for sequence in list(selections._selection_expr_streams.values()):
        for stream in sequence.history_stream.input_stream.input_streams:
            if isinstance(stream, SelectionXY) and type(sequence.source).__name__ == "Points":
                stream.event(bounds=(x0, y0, x1, y1), x_selection=(x0, x1), y_selection=(y0, y1))


def drawn(points):
    return len(points[1].handles["source"].data["x"])


def test_points_follow_cube_views(linked):
    table, brush, selections, points, bars, _ = linked
    assert len(bars) == 3  # each once: cube views show their own brush
    bars[1].handles["brush_source"].data = {"bin": list(range(3, 9))}
    assert drawn(points) == ((table["hour"] >= 3) & (table["hour"] < 9)).sum()
    brush.set("kind", {"a", "b"})
    assert drawn(points) == passed(table, SCHEMA, brush.filters).sum()
    brush.clear()
    assert drawn(points) == 2000
    assert selections.selection_expr is None


def test_cube_views_follow_points(linked):
    table, brush, selections, points, bars, _ = linked
    brush.set("hour", (3, 9))
    select(selections, 0, 0, 0.3, 0.3)
    assert brush.filters == {"hour": (3, 9), "place": (0, 2, 0, 2)}
    inside = (table["x"] <= 0.3) & (table["y"] <= 0.3) & (table["hour"] >= 3) & (table["hour"] < 9)
    assert drawn(points) == inside.sum()
    answer = cube_small.exact().views(brush.query)["kind"]
    np.testing.assert_array_equal(bars[2].handles["source"].data["answer"], answer)
    brush.clear("hour")  # what was selected among the points stays
    assert drawn(points) == ((table["x"] <= 0.3) & (table["y"] <= 0.3)).sum()
    select(selections, 0, 0, 0.7, 0.3)
    assert brush.filters == {"place": (0, 5, 0, 2)}
    brush.set("place", (0, 1, 0, 6))  # by the map: the box among the points is taken back
    assert drawn(points) == (table["x"] < 1 / 6).sum()
    brush.clear()
    assert drawn(points) == 2000


def test_a_selection_set_by_hand(linked):
    table, brush, selections, points, _, link = linked
    brush.set("hour", (3, 9))
    selections.selection_expr = hv.dim("kind").isin(["a"])
    assert brush.filters == {"kind": {"a"}}
    brush.set("month", (0, 3))
    assert set(brush.filters) == {"kind", "month"}
    assert drawn(points) == ((table["kind"] == "a") & (table["month"] <= 3)).sum()
    link.unlink()
    brush.set("hour", (1, 4))
    assert drawn(points) == 2000  # no longer linked
    selections.selection_expr = hv.dim("kind").isin(["b"])
    assert set(brush.filters) == {"kind", "month", "hour"}


def test_a_dynamic_map_of_ones_own(renderer):
    table, brush = cube_small.table(500), lv.Brush()
    dataset = hv.Dataset(pd.DataFrame(table), list(table), [])

    def kinds(filters):
        return hv.Points(dataset.select(brush.expression(SCHEMA)), ["x", "y"])

    plot = renderer.get_plot(hv.DynamicMap(kinds, streams=[brush]))
    brush.set("place", (0, 3, 0, 6))
    assert len(plot.handles["source"].data["x"]) == (table["x"] < 0.5).sum()


class Kernel(Comm):
    """As a notebook's kernel sends to its page."""

    def __init__(self):
        super().__init__(id="recorded")
        self._comm, self.sent = True, []

    def init(self, on_msg=None):
        """There is no page."""

    def send(self, data=None, metadata=None, buffers=()):
        self.sent.append(data)


@pytest.mark.usefixtures("renderer")
def test_answers_reach_a_notebook():
    """What the page says is heard when Bokeh holds no changes, and only held ones are sent."""
    doc, comm, brush = Document(), Kernel(), lv.Brush()
    pane = pn.pane.HoloViews(lv.cube_views(cube_small.exact(), brush), backend="bokeh")
    root = pane.get_root(doc, comm)
    doc.add_root(root)
    doc.hold()
    plots = [p for p in pane._plots[root.ref["id"]][0].traverse(lambda p: p) if type(p).__name__ == "CubeBarsPlot"]
    comm.sent.clear()
    doc.callbacks._held_events.clear()
    plots[1].handles["brush_source"].data = {"bin": [3, 4]}
    assert comm.sent == []
    doc.unhold()
    assert brush.filters == {"hour": (3, 5)}
    ids = {plots[i].handles["source"].id for i in (0, 2)}
    told = "".join(str(each) for each in comm.sent)
    assert all(id in told for id in ids)


@pytest.fixture(scope="module")
def app():
    path = Path(__file__).parent.parent / "cube_links_app.py"
    command = [sys.executable, "-m", "bokeh", "serve", str(path), "--port", "0"]
    server = Server(command, r"running at: (http://\S+)")
    yield server
    server.stop()


FRAMES = """() => {
  const found = []
  const walk = (view) => {
    if (view.model.type === "Figure") {
      const box = view.el.getBoundingClientRect(), frame = view.frame.bbox
      found.push([box.left + frame.left, box.top + frame.top, frame.width, frame.height])
    }
    for (const child of view.child_views ?? []) walk(child)
  }
  for (const view of Bokeh.index.roots ?? Object.values(Bokeh.index)) walk(view)
  return found
}"""
SUMS = """() => Bokeh.documents[0]._all_models.values().filter((m) => m.type === "ColumnDataSource" && m.data.answer)
  .map((m) => [m.data.answer.length, m.data.answer.reduce((a, b) => a + b, 0)]).toArray()"""


def drag(page, frame, start, stop):
    left, top, width, height = frame
    page.page.mouse.move(left + width * start[0], top + height * start[1])
    page.page.mouse.down()
    for k in range(1, 6):
        x, y = (a + (b - a) * k / 5 for a, b in zip(start, stop, strict=True))
        page.page.mouse.move(left + width * x, top + height * y)
    page.page.mouse.up()


@pytest.mark.ui
def test_a_box_among_points_brushes_the_cube(app, page):
    page.open(app.url)
    frames = page.js(FRAMES)
    drag(page, frames[0], (0.05, 0.5), (0.5, 0.95))
    page.wait("document.title.includes('place')")
    query = Query.from_json(json.loads(page.js("document.title")))
    expected = {str(len(v)): float(v.sum()) for k, v in cube_small.exact().views(query).items() if k != "place"}
    page.wait(f"expected => Object.fromEntries(({SUMS})())[24] === expected", expected["24"])
    assert {str(n): total for n, total in page.js(SUMS)} == expected
    drag(page, page.js(FRAMES)[2], (0.3, 0.5), (0.6, 0.5))
    page.wait("document.title.includes('hour') && document.title.includes('place')")
