"""Zooming in the NNCubes app, in a real browser: finer bins of a range and of the map, told by the rows."""

import numpy as np
import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS, brush, drag, place, press, says

from learnviews.apps.nncubes import first
from learnviews.apps.nncubes.zoom import MOST_CELLS, _factor
from learnviews.kernels import cube
from learnviews.kernels.cube import Query
from learnviews.kernels.cube.nesting import translate_query
from learnviews.kernels.cube.refine import refined, refined_grid, values_within

pytestmark = [pytest.mark.ui, pytest.mark.slow]

DELAY = "departure delay"
KNOWN = "nn.sources(nn.figure('destination')).find((d) => 'known' in d)"
ZOOMED = "title => nn.figure(title).title.text.includes('exact (zoomed)')"


@pytest.fixture(scope="module")
def flights():
    return cube.flights()


def finer(flights, start, stop):
    """An exact cube of the bins that a zoom into a range of the departure delay shows."""
    frame, schema = flights
    attribute = schema["delay"]
    values = values_within(frame, attribute, start, stop)
    schema = schema.replace("delay", refined(attribute, start, stop, values=values))
    return cube.ExactCube.build(frame, schema)


def zoom_in(app, start=12, stop=17):
    brush(app, DELAY, start, stop - 1)
    says(app, "departure delay is")
    press(app, f"Zoom into {DELAY}")
    app.wait(ZOOMED, DELAY)
    app.wait("nn.model('unzoom').visible")


def turn(app, x, y, notches, down=-240):
    """Turn the wheel over a place on the map."""
    at = place(app, "destination", x, y)
    app.page.mouse.move(*at)
    for _ in range(notches):
        before = app.js("nn.figure('destination').x_range.end - nn.figure('destination').x_range.start")
        app.page.mouse.wheel(0, down)
        app.wait(
            "before => nn.figure('destination').x_range.end - nn.figure('destination').x_range.start !== before", before
        )


def test_a_brushed_range_is_zoomed_into(app, flights):
    assert not app.js("nn.model('zoom').visible || nn.model('unzoom').visible")
    zoom_in(app)
    frame, _ = flights
    minutes = frame["dep_delay"].to_numpy()
    per_minute = [int((minutes == minute).sum()) for minute in range(3, 25)]
    view = app.js("title => [nn.figure(title).x_range.start + 0.5, nn.figure(title).x_range.end + 0.5]", DELAY)
    assert app.js("t => nn.answers(t)", DELAY)[int(view[0]) : int(view[1])] == per_minute
    exact = finer(flights, 12, 17)
    inside = Query(delay=(int(view[0]), int(view[1])))
    truth = exact.views(inside)
    assert app.js("t => nn.answers(t)", DELAY) == truth["delay"].tolist()
    assert app.js("nn.answers('month')") == truth["month"].tolist()
    assert app.js("nn.figures().every((f) => f.title.text.endsWith('exact (zoomed)'))")
    says(app, f"exact (zoomed) Where departure delay is 3 to 25 min. {sum(per_minute):,} rows")
    assert app.js("nn.height('departure delay')") < 2 * max(per_minute)  # by the bars in view alone
    assert app.js("t => nn.brushed(t)", DELAY) is None  # all in view is brushed: the next drag is another brush
    assert app.js("nn.overflow()") == [0, 0]


def test_a_brush_on_fine_bins_is_exact_everywhere(app, flights):
    zoom_in(app)
    brush(app, DELAY, 20, 24, at=0.02)
    frame, _ = flights
    chosen = frame[(frame["dep_delay"] >= 11) & (frame["dep_delay"] < 16)]
    says(app, f"Where departure delay is 11 to 16 min. {len(chosen):,} rows")
    months = [int((chosen["month"] == month).sum()) for month in range(1, 13)]
    app.wait("months => nn.answers('month').every((v, i) => v === months[i])", months)
    brush(app, "scheduled hour", 6, 11)
    some = chosen[chosen["hour"].between(6, 11)]
    says(app, f"{len(some):,} rows")
    months = [int((some["month"] == month).sum()) for month in range(1, 13)]
    app.wait("months => nn.answers('month').every((v, i) => v === months[i])", months)
    press(app, "Undo")
    says(app, f"Where departure delay is 11 to 16 min. {len(chosen):,} rows")


def test_zooming_out_gives_the_model_back(app, models):
    zoom_in(app)
    brush(app, DELAY, 20, 24, at=0.02)
    says(app, "Where departure delay is 11 to 16 min.")
    press(app, "Zoom out")
    says(app, "model Where departure delay is 9 to 18 min.")  # the bins of the model that hold it
    app.wait("nn.plain('zoom_note').includes('cover whole bins')")
    expected = cube.load(models / first.NAME).views(Query(delay=(14, 16)))
    assert app.js("nn.answers('month')") == pytest.approx(expected["month"].tolist())
    assert len(app.js("t => nn.answers(t)", DELAY)) == 22
    assert app.js("t => nn.brushed(t)", DELAY) == [13.5, 15.5]
    assert app.js("title => nn.figure(title).x_range.start", DELAY) == -0.5
    assert not app.js("nn.model('unzoom').visible")
    press(app, "Undo")
    says(app, "model Where departure delay is 3 to 25 min.")
    press(app, "Undo")
    says(app, "model Everything.")


def test_keys_zoom_in_and_out_and_ranges_within_ranges(app):
    brush(app, DELAY, 19, 21)
    says(app, "departure delay is")
    app.page.keyboard.press("z")
    app.wait(ZOOMED, DELAY)
    app.wait("nn.model('unzoom').visible && nn.answers('departure delay').length > 40")
    first_bins = app.js("t => nn.answers(t).length", DELAY)
    start = app.js("title => nn.figure(title).x_range.start + 0.5", DELAY)
    brush(app, DELAY, start + 30, start + 33, at=0.02)
    app.wait("nn.brushed('departure delay') !== null && nn.model('zoom').visible")
    app.page.keyboard.press("z")
    app.wait("bins => nn.answers('departure delay').length > bins", first_bins)
    app.page.keyboard.press("Shift+Z")
    app.wait("nn.answers('departure delay').length === 22")
    says(app, "model Where departure delay is")


def test_bins_of_single_values_are_only_enlarged(app):
    brush(app, "month", 2, 5)
    says(app, "month is 3 to 6")
    press(app, "Zoom into month")
    app.wait("nn.plain('zoom_note').includes('no finer bins of month')")
    app.wait("nn.figure('month').x_range.start === 1.5 && nn.figure('month').x_range.end === 5.5")
    says(app, "model Where month is 3 to 6.")
    press(app, "Zoom out")
    app.wait("nn.figure('month').x_range.start === -0.5 && nn.figure('month').x_range.end === 11.5")


def naive_cells(frame, factor):
    """Flights per cell of the grid, (ny, nx), by plain counting."""
    x = np.clip(np.floor((frame["lon"] + 125) / 60 * 20 * factor), 0, 20 * factor - 1)
    y = np.clip(np.floor((frame["lat"] - 24) / 26 * 20 * factor), 0, 20 * factor - 1)
    counts = np.zeros((20 * factor, 20 * factor))
    np.add.at(counts, (y.astype(int), x.astype(int)), 1)
    return counts


def test_the_wheel_over_the_map_brings_finer_cells(app, flights):
    frame, _ = flights
    turn(app, -74, 41, 2)
    app.wait(ZOOMED, "destination")
    ny, nx = app.js(f"{KNOWN}.image[0].shape")
    assert (ny, nx) == (80, 80)
    known = np.array(app.js(f"Array.from({KNOWN}.known[0])")).reshape(ny, nx)
    np.testing.assert_array_equal(known, naive_cells(frame, 4))
    says(app, f"exact (zoomed) Everything. {len(frame):,} rows")
    drag(app, "destination", (-72.0, 41.9), (-70.4, 42.9))
    says(app, "destination in lon")
    x0, x1, y0, y1 = app.js("(() => { const b = nn.box('destination'); return [b.left, b.right, b.bottom, b.top] })()")
    for value, low, width in ((x0, -125, 60 / 80), (x1, -125, 60 / 80), (y0, 24, 26 / 80), (y1, 24, 26 / 80)):
        assert (value - low) / width == pytest.approx(round((value - low) / width))  # edges of fine cells
    assert x1 - x0 < 3
    inside = frame["lon"].between(x0, x1) & frame["lat"].between(y0, y1)
    assert 0 < inside.sum() < len(frame)
    says(app, f"{inside.sum():,} rows")
    months = [int((frame["month"][inside] == month).sum()) for month in range(1, 13)]
    app.wait("months => nn.answers('month').every((v, i) => v === months[i])", months)
    app.page.locator(".bk-tool-icon-reset").first.click()  # all in view again; but the brush needs the fine cells
    app.wait("nn.plain('zoom_note').includes('Finer cells stay')")
    says(app, f"{inside.sum():,} rows")
    press(app, "Zoom out")
    says(app, "model Where destination in lon")
    app.wait(f"{KNOWN}.image[0].shape[0] === 20")


def test_turning_back_gives_the_model_back(app):
    before = app.js("[nn.figure('destination').x_range.start, nn.figure('destination').x_range.end]")
    turn(app, -74, 41, 2)
    app.wait(ZOOMED, "destination")
    app.page.locator(".bk-tool-icon-reset").first.click()
    app.wait("nn.figure('destination').title.text.includes('error')")
    assert app.js("[nn.figure('destination').x_range.start, nn.figure('destination').x_range.end]") == before
    assert app.js(f"{KNOWN}.image[0].shape") == [20, 20]
    says(app, "model Everything.")


def test_more_cells_than_a_screen_shows(app, flights):
    turn(app, -74, 40.7, 6)
    app.wait(ZOOMED, "destination")
    app.wait(f"{KNOWN}.image[0].shape[0] < 80")  # what is in view of them, through Datashader
    frame, _ = flights
    says(app, f"exact (zoomed) Everything. {len(frame):,} rows")
    press(app, "Zoom out")
    says(app, "model Everything.")
    app.wait(f"{KNOWN}.image[0].shape[0] === 20")
    app.wait("nn.figure('destination').x_range.end - nn.figure('destination').x_range.start > 50")


def test_without_the_rows_it_only_enlarges(page, tmp_path):
    from cube_small import model

    model().save(tmp_path / "small.cube.npz")
    page.page.add_init_script(HELPERS)
    with bokeh_serve("nncubes", str(tmp_path / "small.cube.npz")) as server:
        page.open(server.url)
        page.wait("nn.text().includes('Everything.')")
        page.page.mouse.move(*place(page, "place", 0.5, 0.5))
        page.page.mouse.wheel(0, -600)
        page.wait("nn.plain('zoom_note').includes('finer bins need the rows')")
        assert "error" in page.js("nn.figure('place').title.text")
        brush(page, "hour", 6, 11)
        page.wait("nn.text().includes('hour is 6 to 11')")
        page.page.goto("about:blank")  # a page complains when its server goes


@pytest.mark.parametrize(
    ("now", "share", "factor"),
    [(1, 1, 1), (1, 0.6, 1), (1, 0.4, 4), (4, 0.4, 4), (4, 0.7, 2), (4, 1, 1), (1, 0.001, 32), (32, 0.1, 16)],
)
def test_how_fine_the_cells_of_a_map_should_be(now, share, factor):
    assert _factor((20, 20), now, (share, share)) == factor
    assert 400 * factor**2 <= MOST_CELLS
    assert _factor((5, 5), now, (1.0, 1.0)) == 1  # all in view: what the model has, be it few


def test_a_refined_map_is_the_coarse_one_in_pieces(flights):
    frame, schema = flights
    fine = schema.replace("dest", refined_grid(schema["dest"], 4))
    query, exact = translate_query(Query(dest=(3, 5, 7, 9)), schema, fine)
    assert exact
    counts = cube.ExactCube.build(frame, fine).views()["dest"].reshape(80, 80)
    np.testing.assert_array_equal(counts.T, naive_cells(frame, 4))
    assert query.filters["dest"] == (12, 20, 28, 36)
