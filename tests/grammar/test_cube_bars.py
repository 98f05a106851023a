"""Bars of a cube's attributes, by the handles of their plots."""

import cube_small
import holoviews as hv
import numpy as np
import pytest
from cube_small import GAPS, SCHEMA
from hypothesis import given, settings
from hypothesis import strategies as st

import learnviews as lv
from learnviews.grammar.cube_ticks import round_ticks
from learnviews.kernels import cube

FEW = settings(max_examples=40, deadline=None, derandomize=True)
VALUES = st.one_of(st.just(np.nan), st.just(0.0), st.floats(-1e12, 1e12), st.floats(0, 1e300))


def view(name="month", schema=SCHEMA, **params):
    attribute = schema[name]
    answer = np.linspace(1, 5, attribute.bins)
    return lv.CubeBars.from_view(attribute, params.pop("answer", answer), **params)


def columns(plot):
    return {name: np.asarray(column) for name, column in plot.handles["source"].data.items()}


def test_answers_over_totals_with_whiskers(renderer):
    total, low = np.full(12, 8.0), np.zeros(12)
    plot = renderer.get_plot(view(total=total, interval=(low, total - 1), filter=(2, 5)))
    data = columns(plot)
    np.testing.assert_array_equal(data["top"], np.linspace(1, 5, 12))
    np.testing.assert_array_equal(data["total_top"], total)
    np.testing.assert_array_equal(data["share"], np.linspace(1, 5, 12) / 8)
    assert (data["strength"] == 1).nonzero()[0].tolist() == [2, 3, 4]
    assert (plot.handles["whisker_renderer"].glyph.y0, plot.handles["whisker_renderer"].glyph.y1) == ("low", "high")
    renderers = plot.state.renderers
    assert renderers.index(plot.handles["total_renderer"]) < renderers.index(plot.handles["glyph_renderer"])
    assert plot.handles["y_range"].end == pytest.approx(8 * 1.08)
    assert (plot.handles["x_range"].start, plot.handles["x_range"].end) == (-0.5, 11.5)


def test_kinds_of_bars(renderer):
    histogram = lv.CubeBars.from_view(cube.Numeric("wait", [0, 1, 5, 10.5], unit="min", missing=True), np.ones(4))
    plot = renderer.get_plot(histogram)
    data = columns(plot)
    np.testing.assert_array_equal(data["right"][:2], data["left"][1:3])  # touching
    assert data["left"][3] > data["right"][2]  # but not the missing ones
    axis = plot.handles["xaxis"]
    assert axis.major_label_overrides == {-0.5: "0", 0.5: "1", 1.5: "5", 2.5: "10.5", 3.0: "missing"}
    assert axis.axis_label == "wait (min)"
    month = cube.Temporal("when", part="month")
    calendar = renderer.get_plot(lv.CubeBars.from_view(month, np.ones(12), title="flights"))
    assert calendar.handles["xaxis"].major_label_overrides[3.0] == "Apr"
    assert calendar.handles["yaxis"].axis_label == "flights"
    data = columns(calendar)
    assert (data["right"][:-1] < data["left"][1:]).all()
    kinds = renderer.get_plot(view("kind"))
    assert list(kinds.handles["xaxis"].major_label_overrides.values()) == list("abcde")
    days = cube.Temporal("day", start="2024-01-01", stop="2024-01-04", every="1D")
    assert lv.CubeBars.from_view(days, np.ones(3)).edges == ["2024-01-01", "2024-01-02", "2024-01-03", ""]


def test_long_names_are_cut_and_turned(renderer):
    names = [f"a very long name of a carrier {i}" for i in range(6)]
    plot = renderer.get_plot(lv.CubeBars.from_view(cube.Categorical("carrier", names), np.ones(6)))
    axis = plot.handles["xaxis"]
    assert axis.major_label_orientation != "horizontal"
    assert {len(text) for text in axis.major_label_overrides.values()} == {18}
    assert columns(plot)["label"].tolist() == names


def test_means_have_no_share_and_may_be_negative(renderer):
    answer = np.array([-3.0, np.nan, 2, *np.zeros(9)])
    plot = renderer.get_plot(view(answer=answer, total=np.ones(12), aggregate=("mean", "delay")))
    data = columns(plot)
    assert data["top"].tolist()[:3] == [-3, 0, 2]
    assert np.isnan(data["answer"][1])
    assert plot.handles["y_range"].start < -3 < 2 < plot.handles["y_range"].end
    tips = dict(plot.handles["hover"].tooltips)
    assert "mean delay" in tips
    assert "share" not in tips
    renderers = plot.state.renderers
    assert renderers.index(plot.handles["total_renderer"]) > renderers.index(plot.handles["glyph_renderer"])


def test_small_answers_stay_readable(renderer):
    total = np.arange(1.0, 13) * 100
    few = view(answer=np.full(12, 2.0), total=total)
    plot = renderer.get_plot(few)
    assert columns(plot)["total_top"].sum() == pytest.approx(24)
    np.testing.assert_array_equal(columns(plot)["total"], total)  # tooltips tell the true ones
    assert plot.handles["total_renderer"].glyph.line_color is not None
    lv.patch(plot, view(answer=total / 2, total=total))
    np.testing.assert_array_equal(columns(plot)["total_top"], total)
    assert plot.handles["total_renderer"].glyph.line_color is None
    fixed = renderer.get_plot(few.opts(fit="all"))
    np.testing.assert_array_equal(columns(fixed)["total_top"], total)


def test_the_brush_is_drawn(renderer):
    brush = lv.Brush()
    plot = renderer.get_plot(view(filter=(2, 5), brush=brush))
    box = plot.handles["brush_box"]
    assert (box.left, box.right, box.visible, box.editable) == (1.5, 4.5, True, True)
    assert plot.handles["brush_source"].data["bin"] == [2, 3, 4]
    lv.patch(plot, view(filter=np.arange(12) % 2 == 0, brush=brush))
    assert not box.visible
    assert plot.handles["brush_source"].data["bin"] == [0, 2, 4, 6, 8, 10]
    lv.patch(plot, view(brush=brush))
    assert plot.handles["brush_source"].data["bin"] == []
    assert brush.filters == {}  # what Python drew is not reported


def test_the_browser_reports_bins(renderer):
    brush, target = lv.Brush(), lv.Target()
    month, kind = (renderer.get_plot(view(name, brush=brush, target=target)) for name in ("month", "kind"))
    month.handles["brush_source"].data = {"bin": [3, 4]}
    kind.handles["brush_source"].data = {"bin": [0, 2]}
    assert brush.filters == {"month": (3, 5), "kind": frozenset({"a", "c"})}
    lv.patch(month, view(filter=(3, 5), brush=brush, target=target))
    assert not month.handles["brush_box"].visible  # the browser drew it: Python does not interfere
    month.handles["brush_source"].data = {"bin": list(range(12))}
    assert list(brush.filters) == ["kind"]
    month.handles["target_source"].data = {"bin": [7], "value": [2.5]}
    assert (target.view, target.bin, target.value) == ("month", 7, 2.5)


def test_without_streams_nothing_listens(renderer):
    plot = renderer.get_plot(view())
    assert not plot.state.js_event_callbacks
    assert "grip_renderer" not in plot.handles
    assert not renderer.get_plot(view(brush=lv.Brush())).state.subscribed_events  # gestures stay in the browser


def test_ghosts(renderer):
    plot = renderer.get_plot(view(target=lv.Target(), wanted={3: 9.0}))
    ghost = plot.handles["ghost_source"].data
    assert (list(ghost["bin"]), list(ghost["top"])) == ([3], [9.0])
    assert plot.handles["y_range"].end > 9
    lv.patch(plot, view(target=lv.Target()))
    assert list(plot.handles["ghost_source"].data["bin"]) == []


def test_patching_keeps_models_and_equals_drawing_anew(renderer):
    first = view("kind", GAPS, total=np.full(6, 9.0))
    second = view(
        "kind", GAPS, answer=np.array([0, 1, np.nan, 3, 4, 5]), total=np.full(6, 7.0), filter={"a", "missing"}
    )
    plot = renderer.get_plot(first)
    models = {name: handle for name, handle in plot.handles.items() if name.endswith(("source", "renderer", "box"))}
    lv.patch(plot, second)
    anew = renderer.get_plot(second)
    assert all(plot.handles[name] is model for name, model in models.items())
    for name, column in columns(anew).items():
        np.testing.assert_array_equal(columns(plot)[name], column, err_msg=name)
    assert plot.handles["y_range"].end == anew.handles["y_range"].end


def test_fixed_axes_stay(renderer):
    plot = renderer.get_plot(view().opts(ylim=(0, 100)))
    lv.patch(plot, view(answer=np.full(12, 50.0)))
    assert (plot.handles["y_range"].start, plot.handles["y_range"].end) == (0, 100)


@FEW
@given(st.lists(VALUES, min_size=12, max_size=12), st.lists(VALUES, min_size=12, max_size=12))
def test_odd_values_are_drawn(answer, total):
    element = view(answer=np.array(answer), total=np.array(total), interval=(np.full(12, -np.inf), np.full(12, np.inf)))
    plot = hv.renderer("bokeh").get_plot(element)
    data, y = columns(plot), plot.handles["y_range"]
    assert np.isfinite(data["top"]).all()
    assert np.isfinite([y.start, y.end]).all()
    assert y.start <= 0 <= y.end and y.start < y.end
    known = np.array(answer)[~np.isnan(answer)]
    assert (known <= y.end).all() and (known >= y.start).all()


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\); expected \(12,\)"):
        view(answer=np.ones(3))
    with pytest.raises(ValueError, match="finite"):
        view(answer=np.full(12, np.inf))
    with pytest.raises(ValueError, match="one of space"):
        view("place", answer=np.ones(36))
    with pytest.raises(ValueError, match="whole numbers"):
        lv.CubeBars({"position": [0.5], "answer": [1.0]})
    with pytest.raises(ValueError, match="finite numbers"):
        lv.CubeBars({"position": [0], "answer": ["many"]})


def test_by_hand_and_empty(renderer):
    plot = renderer.get_plot(lv.CubeBars({"position": [0, 1, 2], "answer": [1, 2, 3]}, brush=lv.Brush(), attribute="a"))
    plot.handles["brush_source"].data = {"bin": [1]}
    assert plot.current_frame.brush.filters == {"a": (1, 2)}
    renderer.get_plot(lv.CubeBars([]))
    renderer.get_plot(lv.CubeBars(([0, 1], [2.0, 3.0])))
    assert len(view("month", GAPS)) == 13


def test_linked_selections_take_bins(renderer):
    linked = hv.link_selections.instance()
    bars = view(total=np.ones(12))
    plot = renderer.get_plot(linked(bars))
    linked.selection_expr = hv.dim("position") > 7
    layers = [p for p in plot.traverse(lambda p: p) if type(p).__name__ == "CubeBarsPlot"]
    assert [columns(p)["position"].min() for p in layers] == [0, 8]


def test_the_real_views(renderer):
    exact = cube_small.exact()
    query = cube.Query(hour=(8, 12), kind={"a"})
    views, totals = exact.views(query), exact.views()
    for attribute in list(SCHEMA)[:3]:
        name = attribute.name
        element = lv.CubeBars.from_view(attribute, views[name], totals[name], filter=query.filters.get(name))
        np.testing.assert_array_equal(columns(renderer.get_plot(element))["answer"], views[name])


def edges_of(start, stop, every):
    attribute = cube.Temporal("time", every=every, start=start, stop=stop)
    return [*attribute.labels(), ""]


@pytest.mark.parametrize(
    ("edges", "first", "second", "last"),
    [
        (edges_of("2013-01-01", "2014-01-01", "D"), (0, "2013"), (31, "Feb"), (334, "Dec")),
        (edges_of("2013-01-01", "2015-01-01", "D"), (0, "2013"), (90, "Apr"), (638, "Oct")),
        (edges_of("2013-01-20", "2014-01-20", "D"), (12, "Feb 2013"), (40, "Mar"), (346, "2014")),
        (edges_of("2013-01-01", "2013-02-15", "D"), (0, "1 Jan 2013"), (6, "7 Jan"), (41, "11 Feb")),
        (edges_of("2013-01-01", "2013-01-03", "h"), (0, "1 Jan 2013"), (3, "03:00"), (45, "21:00")),
        (edges_of("2013-01", "2013-04", "M"), (0, "2013-01"), (1, "2013-02"), (2, "2013-03")),
        ([str(i) for i in range(401)], (0, "0"), (50, "50"), (400, "400")),
    ],
)
def test_many_edges_are_labelled_at_round_places(edges, first, second, last):
    found = list(round_ticks(edges).items())
    assert (found[0], found[1], found[-1]) == (first, second, last)
    assert len(found) <= 17
    times = [text for text in edges if text]
    assert all(0 <= number < len(times) for number in round_ticks(edges))


def test_a_year_of_days(renderer):
    days = cube.Temporal("day", every="D", start="2013-01-01", stop="2014-01-01", missing=True)
    element = lv.CubeBars.from_view(days, np.ones(366), brush=lv.Brush())
    plot = renderer.get_plot(element)
    overrides = plot.handles["xaxis"].major_label_overrides
    assert overrides[58.5] == "Mar"
    assert overrides[365.0] == "missing"
    assert columns(plot)["label"][59] == "2013-03-01"  # tooltips tell the day
    assert plot.handles["glyph"].line_color is None
    plot.handles["brush_source"].data = {"bin": list(range(59, 90))}
    assert element.brush.filters == {"day": (59, 90)}
