"""Maps of a cube, by the handles of their plots; the outlines under them."""

from pathlib import Path

import cube_small
import numpy as np
import pytest
from cube_small import GAPS, SCHEMA
from hypothesis import given, settings
from hypothesis import strategies as st

import learnviews as lv
from learnviews.grammar import outlines
from learnviews.grammar.cube_cells import Cells, color_range, rasterize
from learnviews.kernels import cube

FEW = settings(max_examples=40, deadline=None, derandomize=True)
PLACE = SCHEMA["place"]
LONLAT = {"extent": (-125, -65, 24, 50), "shape": (6, 4)}


def image(plot, source="source"):
    return np.asarray(plot.handles[source].data["image"][0])


def test_cells_lie_where_they_should(renderer):
    answer = np.zeros(36)
    answer[PLACE.codes(np.array([0.95]), np.array([0.05]))[0]] = 7
    plot = renderer.get_plot(lv.CubeMap.from_view(PLACE, answer, total=np.arange(36.0)))
    drawn, data = image(plot), plot.handles["source"].data
    assert np.argwhere(~np.isnan(drawn)).tolist() == [[0, 5]]  # lowest row, last column
    assert (data["x"], data["y"], data["dw"], data["dh"]) == ([0], [0], [1], [1])
    assert np.isnan(image(plot, "ground_source")).sum() == 1  # one cell has no rows at all
    assert np.asarray(data["known"][0]).sum() == 7


def test_boxes_and_masks_are_drawn(renderer):
    brush = lv.Brush()
    plot = renderer.get_plot(lv.CubeMap.from_view(PLACE, np.ones(36), filter=(1, 3, 0, 6), brush=brush))
    box = plot.handles["brush_box"]
    assert (box.left, box.right, box.bottom, box.top) == pytest.approx((1 / 6, 0.5, 0, 1))
    assert box.visible and box.editable
    assert np.isnan(image(plot, "veil_source")).sum() == 12
    assert plot.handles["brush_source"].data == {"x": [1, 3], "y": [0, 6]}
    lv.patch(plot, lv.CubeMap.from_view(PLACE, np.ones(36), filter=np.arange(36) < 9, brush=brush))
    assert not box.visible
    assert plot.handles["brush_source"].data == {"x": [], "y": []}
    assert brush.filters == {}


def test_the_browser_reports_boxes_and_lassos(renderer):
    brush = lv.Brush()
    plot = renderer.get_plot(lv.CubeMap.from_view(GAPS["place"], np.ones(37), brush=brush))
    source = plot.handles["brush_source"]
    source.data = {"x": [1, 3], "y": [2, 6]}
    assert brush.filters == {"place": (1, 3, 2, 6)}
    source.data = {"x": [-1.0, 0.5, 0.5, -1.0], "y": [-1.0, -1.0, 2.0, 2.0]}
    mask = brush.filters["place"]
    assert np.flatnonzero(mask).tolist() == list(range(18))
    lasso = source.data
    lv.patch(plot, lv.CubeMap.from_view(GAPS["place"], np.ones(37), filter=mask, brush=brush))
    assert source.data is lasso  # by which the mask came: it stays
    source.data = {"x": [], "y": []}
    assert brush.filters == {}


def test_missing_places_are_told(renderer):
    answer = np.append(np.ones(36), 1234.0)
    plot = renderer.get_plot(lv.CubeMap.from_view(GAPS["place"], answer))
    assert plot.handles["elsewhere_note"].text == "1,234 without a place"
    lv.patch(plot, lv.CubeMap.from_view(GAPS["place"], np.ones(37) * 2))
    assert plot.handles["elsewhere_note"].text == "2 without a place"


def test_outlines_and_projections(renderer):
    plain = cube.Spatial("dest", "lon", "lat", **LONLAT)
    plot = renderer.get_plot(lv.CubeMap.from_view(plain, np.ones(24)))
    lines = plot.handles["outline_source"].data
    assert len(lines["x"]) > 5000
    mercator = cube.Spatial("dest", "a", "b", **LONLAT, projection="mercator")
    element = lv.CubeMap.from_view(mercator, np.ones(24))
    plot = renderer.get_plot(element)
    assert type(plot.handles["yaxis"].ticker).__name__ == "MercatorTicker"
    assert element.degrees == pytest.approx(mercator.extent)
    assert plot.handles["outline_source"].data["x"].max(initial=0, where=~np.isnan(lines["x"])) > 1e7
    unprojected = np.degrees(np.arctan(np.sinh(element.cells.centres()[1][:4] / outlines.RADIUS)))
    assert (mercator.y_edges[:-1] < unprojected).all() and (unprojected < mercator.y_edges[1:]).all()
    none = renderer.get_plot(lv.CubeMap.from_view(PLACE, np.ones(36)))
    assert len(none.handles["outline_source"].data["x"]) == 0
    off = renderer.get_plot(lv.CubeMap.from_view(plain, np.ones(24)).opts(outlines=False))
    assert len(off.handles["outline_source"].data["x"]) == 0


def test_outlines_are_small_and_where_places_are():
    file = Path(outlines.__file__).with_name("outlines.npz")
    assert file.stat().st_size < 120_000
    x, y = outlines.outlines((-125, -65, 24, 50))
    known = ~np.isnan(x)
    assert np.abs(x[known]).max() <= 180 and np.abs(y[known]).max() <= 90
    assert np.hypot(x + 109.045, y - 36.999).min(where=known, initial=9) < 0.01  # the four corners
    world_x, world_y = outlines.outlines((-180, 180, -90, 90))
    assert np.hypot(world_x + 109.045, world_y - 36.999).min(where=~np.isnan(world_x), initial=9) > 1
    assert np.hypot(world_x - 18.5, world_y + 34.3).min(where=~np.isnan(world_x), initial=9) < 1  # Cape of Good Hope
    steps = np.hypot(np.diff(x), np.diff(y))
    assert np.nanmax(steps[np.abs(y[1:]) < 60]) < 40  # no line across the map


def test_colours_span_the_answers():
    assert color_range(np.array([0, 5.0, 1000]), True) == (5, 1000, False)
    assert color_range(np.array([1.0, 1e9]), True) == (1e5, 1e9, False)
    assert color_range(np.array([-2.0, 5]), False) == (-5, 5, True)
    assert color_range(np.array([3.0, np.nan]), True) == (0.3, 3, False)
    assert color_range(np.zeros(3), True)[0] < color_range(np.zeros(3), True)[1]


@FEW
@given(
    st.lists(st.one_of(st.just(np.nan), st.floats(-1e9, 1e9), st.just(0.0)), min_size=36, max_size=36), st.booleans()
)
def test_odd_values_have_a_colour_range(values, logarithmic):
    low, high, signed = color_range(np.array(values), logarithmic)
    assert np.isfinite([low, high]).all()
    assert low < high
    assert signed or not logarithmic or low > 0


def test_means_use_two_hues_and_a_linear_scale(renderer):
    answer = np.linspace(-3, 5, 36)
    plot = renderer.get_plot(lv.CubeMap.from_view(PLACE, answer, aggregate=("mean", "delay")))
    mapper = plot.handles["color_mapper"]
    assert type(mapper).__name__ == "LinearColorMapper"
    assert (mapper.low, mapper.high) == (-5, 5)
    counts = renderer.get_plot(lv.CubeMap.from_view(PLACE, np.arange(36.0))).handles["color_mapper"]
    assert type(counts).__name__ == "LogColorMapper"
    zero = lv.CubeMap.from_view(PLACE, np.zeros(36), aggregate=("mean", "delay"))
    assert not np.isnan(image(renderer.get_plot(zero))).any()  # a mean of 0 is something


def test_many_cells_go_through_datashader(renderer):
    fine = cube.Spatial("place", "x", "y", extent=(0, 4, 0, 2), shape=(1200, 600))
    answer = np.zeros(fine.bins)
    lit = int(fine.codes(np.array([3.001]), np.array([1.999]))[0])
    answer[lit] = 9
    brush = lv.Brush()
    plot = renderer.get_plot(lv.CubeMap.from_view(fine, answer, brush=brush))
    drawn = image(plot)
    assert drawn.shape == (600, 800)
    assert np.nanmax(drawn) == 9  # no cell gets lost
    plot.handles["x_range"].update(start=2.9, end=3.1)
    plot.handles["y_range"].update(start=1.9, end=2.0)
    zoomed, data = image(plot), plot.handles["source"].data
    assert zoomed.shape[0] <= 31 and zoomed.shape[1] <= 61
    assert np.nanmax(zoomed) == 9
    row, column = np.argwhere(zoomed == 9)[0]
    assert data["x"][0] + (column + 0.5) / zoomed.shape[1] * data["dw"][0] == pytest.approx(3.001, abs=0.005)
    assert data["y"][0] + (row + 0.5) / zoomed.shape[0] * data["dh"][0] == pytest.approx(1.999, abs=0.005)
    plot.handles["brush_source"].data = {"x": [0, 600], "y": [0, 600]}
    assert brush.filters == {"place": (0, 600, 0, 600)}  # cells are the attribute's, however they are drawn
    assert rasterize(np.ones((2, 2), np.float32), (0, 1, 0, 1), (5, 6, 5, 6), 9, 9) is None


def test_patching_keeps_models_and_zoom(renderer):
    first, second = (lv.CubeMap.from_view(PLACE, np.arange(36.0) * k, total=np.arange(36.0) * 5) for k in (1, 2))
    plot = renderer.get_plot(first)
    models = {name: handle for name, handle in plot.handles.items() if name.endswith(("source", "renderer", "box"))}
    plot.handles["x_range"].update(start=0.2, end=0.4)
    lv.patch(plot, second)
    assert all(plot.handles[name] is model for name, model in models.items())
    anew = renderer.get_plot(second)
    np.testing.assert_array_equal(image(plot), image(anew))
    assert plot.handles["color_mapper"].high == anew.handles["color_mapper"].high == 70
    assert (plot.handles["x_range"].start, plot.handles["x_range"].end) == (0.2, 0.4)


def test_what_is_refused():
    with pytest.raises(ValueError, match="not one of space"):
        lv.CubeMap.from_view(SCHEMA["month"], np.ones(12))
    with pytest.raises(ValueError, match="expected a row per cell"):
        lv.CubeMap(([0.5], [0.5], [1.0]), shape=(2, 2))
    with pytest.raises(ValueError, match="expected \\(36,\\)"):
        lv.CubeMap.from_view(PLACE, np.ones(35))


def test_cells_know_their_places():
    cells = Cells((2, 3), (0, 4, 0, 3), np.arange(6.0))
    x, y = cells.centres()
    assert x.tolist() == [1, 1, 1, 3, 3, 3]
    assert y.tolist() == [0.5, 1.5, 2.5] * 2
    assert cells.image(cells.answer).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert cells.place((1, 2, 0, 2)) == (2, 4, 0, 2)


def test_the_real_view(renderer):
    query = cube.Query(kind={"a"}, place=(0, 3, 0, 3))
    answer = cube_small.exact().views(query)["place"]
    plot = renderer.get_plot(lv.CubeMap.from_view(PLACE, answer, filter=query.filters["place"]))
    np.testing.assert_array_equal(np.asarray(plot.handles["source"].data["known"][0]).T.ravel(), answer)


def test_intervals_are_told_and_doubted_cells_marked(renderer):
    answer = np.arange(37.0)
    low, high = answer * 0.4, answer * 0.8 + 5  # wider than the answer up to 8
    element = lv.CubeMap.from_view(GAPS["place"], answer, interval=(low, high))
    plot = renderer.get_plot(element.opts(uncertain=True))
    data = plot.handles["source"].data
    np.testing.assert_allclose(np.asarray(data["low"][0]).T.ravel(), low[:36], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(data["high"][0]).T.ravel(), high[:36], rtol=1e-6)
    hover = plot.handles["hover"]
    assert "90% interval" in dict(hover.tooltips)
    assert hover.formatters["$sx"].args == {"source": plot.handles["source"]}
    x, y = element.cells.centres()
    doubted = [i for i in range(36) if answer[i] != 0 and high[i] - low[i] > answer[i]]
    assert doubted == list(range(1, 9))
    dots = plot.handles["doubt_source"].data
    assert list(zip(dots["x"], dots["y"], strict=True)) == [(x[i], y[i]) for i in doubted]
    lv.patch(plot, lv.CubeMap.from_view(GAPS["place"], answer))
    assert len(plot.handles["doubt_source"].data["x"]) == 0
    assert "low" not in plot.handles["source"].data
    plain = renderer.get_plot(lv.CubeMap.from_view(PLACE, np.ones(36)))
    assert "90% interval" not in dict(plain.handles["hover"].tooltips)
