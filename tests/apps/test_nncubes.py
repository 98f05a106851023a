"""The NNCubes app in a real browser: what a user brushes, drags and clicks."""

import json
import urllib.parse

import numpy as np
import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS, brush, click, drag, place, press, says, tab

from learnviews.apps.nncubes import first
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

pytestmark = pytest.mark.ui


def fragment(app):
    return urllib.parse.unquote(app.js("location.hash")[1:])


def test_the_page_fits_and_is_labelled(app):
    assert app.js("nn.overflow()") == [0, 0]
    assert "NNCubes" in app.page.title()
    says(app, "Everything.")
    titles = app.js("nn.figures().map((f) => f.title.text)")
    assert len(titles) == 7
    assert all("error" in title for title in titles)


def test_a_brush_moves_all_other_views_and_the_readout(app, models):
    before = {name: app.js("t => nn.answers(t)", name) for name in ("month", "scheduled hour")}
    cells = app.js("nn.cells().length")
    brush(app, "scheduled hour", 6, 11)
    says(app, "Where scheduled hour is 6 to 11.")
    app.wait("before => nn.answers('month').every((v, i) => v < before[i] * 0.8)", before["month"])
    assert app.js("nn.answers('scheduled hour')") == before["scheduled hour"]  # its own brush is not its business
    assert app.js("nn.brushed('scheduled hour')") == [5.5, 11.5]
    assert app.js("nn.cells().length") == cells
    model = cube.load(models / first.NAME)
    expected = model.views(Query(hour=(6, 12)))
    assert app.js("nn.answers('month')") == pytest.approx(expected["month"].tolist())
    assert app.js("nn.answers('carrier')") == pytest.approx(expected["carrier"].tolist())


def test_undo_redo_and_clear(app):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    click(app, "origin", 1, app.js("nn.height('origin')") * 0.05)
    says(app, "origin is JFK")
    app.wait("!nn.model('undo').disabled && nn.model('redo').disabled")
    press(app, "Undo")
    says(app, "Where scheduled hour is 6 to 11.")
    app.wait("nn.brushed('scheduled hour') && !nn.model('redo').disabled")
    app.page.keyboard.press("Control+z")
    says(app, "Everything.")
    app.wait("nn.brushed('scheduled hour') === null && nn.model('undo').disabled")
    app.page.keyboard.press("Control+Shift+Z")
    says(app, "Where scheduled hour is 6 to 11.")
    press(app, "Redo")
    says(app, "origin is JFK")
    press(app, "Clear")
    says(app, "Everything.")
    press(app, "Undo")
    says(app, "origin is JFK")
    app.page.locator("h1").click()
    app.page.keyboard.press("Escape")
    says(app, "Everything.")


def test_clicked_categories_add_up(app):
    low = app.js("nn.height('carrier')") * 0.02
    click(app, "carrier", 3, low)
    says(app, "carrier is B6")
    app.page.keyboard.down("Shift")
    click(app, "carrier", 4, low)
    app.page.keyboard.up("Shift")
    says(app, "carrier is B6 or DL")


def test_a_box_on_the_map(app, exact):
    drag(app, "destination", (-100, 30), (-80, 40))
    says(app, "destination in lon -101 to -80, lat 30.5 to 39.6")
    press(app, "exact")
    truth = exact.total(Query(dest=(8, 15, 5, 12)))
    says(app, f"{truth:,.0f} rows")


def test_exact_answers_are_the_cubes(app, exact):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    press(app, "exact")
    app.wait("nn.figures().every((f) => f.title.text.endsWith('exact'))")
    truth = exact.views(Query(hour=(6, 12)))
    for title, name in (("month", "month"), ("carrier", "carrier"), ("departure delay", "delay")):
        assert app.js("t => nn.answers(t)", title) == truth[name].tolist()
    says(app, f"{exact.total(Query(hour=(6, 12))):,.0f} rows")
    assert "interval" not in app.js("nn.text()")
    app.page.mouse.move(*place(app, "month", 4, app.js("nn.top('month', 4)") / 2))
    tooltip = app.page.locator(".bk-tooltip-row-value, .bk-tooltip-custom, .bk-Tooltip").filter(has_text="none")
    tooltip.first.wait_for()
    assert app.page.get_by_text("NaN").count() == 0
    click(app, "origin", 1, app.js("nn.height('origin')") * 0.05)
    says(app, "origin is JFK")
    truth = exact.views(Query(hour=(6, 12), origin={"JFK"}))
    app.wait("truth => nn.answers('month').every((v, i) => v === truth[i])", truth["month"].tolist())
    press(app, "model")
    app.wait("truth => nn.answers('month').some((v, i) => v !== truth[i])", truth["month"].tolist())


def test_means(app, exact):
    app.page.locator("select").nth(1).select_option(label="mean departure delay (min)")
    says(app, "mean departure delay")
    press(app, "exact")
    brush(app, "scheduled hour", 6, 11, at=0.9)
    says(app, "scheduled hour is 6 to 11")
    truth = exact.views(Query(hour=(6, 12)), ("mean", "dep_delay"))["month"]
    app.wait("truth => nn.answers('month').every((v, i) => Math.abs(v - truth[i]) < 1e-9)", truth.tolist())
    tab(app, "SQL and pandas")
    assert "AVG(dep_delay)" in app.js("nn.plain('code')")


def test_a_surprise_is_previewed_and_applied(app):
    app.wait("nn.plain('surprises').includes('expected')")
    first_item = app.page.locator("[data-item]").first
    first_item.hover()
    app.wait("nn.text().startsWith('preview Where')")
    previewed = app.js("nn.text()").removeprefix("preview ").split(".")[0]
    app.page.mouse.move(640, 20)
    app.wait("nn.text().startsWith('model Everything.')")
    first_item.click()
    says(app, f"model {previewed}.")
    press(app, "Undo")
    says(app, "model Everything.")


def ask_for(app, title, bin, share):
    """Drag the top of a bar to a share of its height."""
    top = app.js("([title, bin]) => nn.top(title, bin)", [title, bin])
    drag(app, title, (bin, top), (bin, top * share))
    return top * share


def test_dragging_a_bar_gives_suggestions(app, exact, models):
    wanted = ask_for(app, "month", 3, 0.6)
    app.wait("nn.plain('wanted').includes('does it')")
    assert app.page.locator("[data-sheet=wanted]").is_visible()
    ((bin, asked),) = app.js("nn.ghosts('month')")
    assert bin == 3
    assert asked == pytest.approx(wanted, rel=0.05)
    item = app.page.locator("[data-item^=wanted]").first
    item.hover()
    says(app, "preview Where")
    app.wait("asked => Math.abs(nn.answers('month')[3] - asked) <= 0.02 * asked", asked)
    item.click()
    says(app, "model Where")
    app.wait("asked => Math.abs(nn.answers('month')[3] - asked) <= 0.02 * asked", asked)
    app.wait("location.hash.length > 1")
    held = Query.from_json(json.loads(fragment(app))["query"])
    assert cube.load(models / first.NAME).views(held)["month"][3] == pytest.approx(asked, rel=0.02)
    app.page.locator("h1").click()
    app.page.keyboard.press("Escape")
    app.wait("nn.ghosts('month').length === 0 && nn.plain('wanted').includes('Drag')")


def test_only_some_attributes_may_change(app):
    tab(app, "Wanted")
    for name in ("weekday", "scheduled hour", "carrier", "departure delay", "destination"):
        app.page.get_by_label(name, exact=True).uncheck()
    ask_for(app, "month", 3, 0.35)
    app.wait("nn.plain('wanted').includes('origin')")
    text = app.js("nn.plain('wanted')")
    assert "carrier" not in text
    assert "hour" not in text


def test_what_is_out_of_reach_is_told_with_the_nearest(app):
    click(app, "origin", 0, app.js("nn.height('origin')") * 0.05)
    says(app, "origin is EWR")
    tab(app, "Wanted")
    for name in ("weekday", "scheduled hour", "origin", "departure delay", "destination"):
        app.page.get_by_label(name, exact=True).uncheck()
    top = app.js("nn.height('month')")
    drag(app, "month", (3, app.js("nn.top('month', 3)")), (3, top * 0.995))
    app.wait("nn.plain('wanted').includes('Out of reach') && nn.plain('wanted').includes('nearest')")


def test_the_address_brings_the_query_back(app, served_cubes, chromium):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    click(app, "origin", 1, app.js("nn.height('origin')") * 0.05)
    says(app, "origin is JFK")
    app.wait("location.hash.includes('JFK')")
    assert Query.from_json(json.loads(fragment(app))["query"]) == Query(hour=(6, 12), origin={"JFK"})
    other = chromium.new_page()
    other.add_init_script(HELPERS)
    other.goto(app.js("location.href"))
    other.wait_for_function(
        "window.Bokeh && nn.ready() && nn.text().includes('scheduled hour is 6 to 11; origin is JFK')"
    )
    other.evaluate('location.hash = encodeURIComponent(\'{"query":{"month":{"range":[0,3]}}}\')')
    other.wait_for_function("nn.text().includes('Where month is 1 to 3.')")
    assert "origin is JFK" in app.js("nn.text()")  # pages do not disturb each other
    other.close()


@pytest.mark.parametrize(
    ("text", "answer"),
    [("nonsense", "no bookmark"), ('{"query":{"colour":{"range":[0,3]}}}', "no attribute 'colour'")],
)
def test_a_bad_address_is_told_and_the_page_lives_on(page, served_cubes, text, answer):
    page.page.add_init_script(HELPERS)
    page.open(served_cubes.url + "#" + urllib.parse.quote(text))
    page.wait("answer => nn.message().includes(answer)", answer)
    brush(page, "scheduled hour", 6, 11)
    says(page, "scheduled hour is 6 to 11")
    assert page.js("nn.message()") == ""


def test_code_and_card(app, models):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    tab(app, "SQL and pandas")
    app.wait("nn.plain('code').includes('WHERE hour BETWEEN 6 AND 11')")
    tab(app, "Model card")
    model = cube.load(models / first.NAME)
    text = app.js("nn.plain('card')")
    assert f"{100 * model.error.overall:.1f}%" in text
    assert "320,960" in text
    assert "285,538 cells" in text
    assert app.page.locator("[data-sheet=card]").evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_help_opens_and_closes(app):
    press(app, "Help")
    assert app.page.locator("#help").is_visible()
    app.page.keyboard.press("Escape")
    assert not app.page.locator("#help").is_visible()


@pytest.mark.slow
def test_a_damaged_model_is_told_and_the_page_lives_on(page, models, tmp_path):
    whole = (models / first.NAME).read_bytes()
    (tmp_path / "a-whole.cube.npz").write_bytes(whole)
    (tmp_path / "b-damaged.cube.npz").write_bytes(whole[: len(whole) // 2])
    page.page.add_init_script(HELPERS)
    with bokeh_serve("nncubes", str(tmp_path)) as server:
        page.open(server.url)
        says(page, "Everything.")
        page.page.locator("select").first.select_option(label="b-damaged")
        page.wait("nn.message().includes('b-damaged.cube.npz')")
        page.page.locator("select").first.select_option(label="a-whole")
        page.wait("nn.message() === '' && nn.text().includes('Everything.')")
        brush(page, "scheduled hour", 6, 11)
        says(page, "scheduled hour is 6 to 11")
        page.wait('decodeURIComponent(location.hash).includes(\'"model":"a-whole"\')')


def test_no_model_yet(page, tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path))
    page.page.add_init_script(HELPERS)
    with bokeh_serve("nncubes") as server:
        page.open(server.url)
        page.wait("nn.message().includes('learnviews cube flights')")


@pytest.mark.slow
def test_a_model_of_other_data_has_no_exact_answers(page, tmp_path):
    from cube_small import model

    model().save(tmp_path / "small.cube.npz")
    page.page.add_init_script(HELPERS)
    with bokeh_serve("nncubes", str(tmp_path / "small.cube.npz")) as server:
        page.open(server.url)
        says(page, "Everything.")
        assert page.js("nn.model('source').disabled")
        brush(page, "month", 2, 4)
        says(page, "Where month is 3 to 5.")
        np.testing.assert_allclose(page.js("nn.answers('hour')"), model().views(Query(month=(2, 5)))["hour"], rtol=1e-6)
        assert place(page, "hour", 0, 0)[1] < 800


def test_the_readout_tells_the_query_of_the_views(app, served_cubes, exact):
    mark = urllib.parse.quote(json.dumps({"query": {"hour": {"range": [6, 12]}}, "exact": True}))
    app.page.goto("about:blank")
    app.open(f"{served_cubes.url}#{mark}")
    says(app, "Where scheduled hour is 6 to 11.")
    says(app, f"{exact.total(Query(hour=(6, 12))):,.0f} rows")
    assert app.js("nn.brushed('scheduled hour')") == [5.5, 11.5]


def test_clear_takes_what_was_wanted_away_too(app):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    app.page.locator(".total").click()
    app.page.keyboard.type("50k")
    app.page.keyboard.press("Enter")
    says(app, "50,000 wanted")
    press(app, "Clear")
    says(app, "Everything.")
    app.page.wait_for_timeout(300)  # nothing comes after
    assert "Everything." in app.js("nn.text()")
    assert "wanted" not in app.js("nn.text()")


def test_a_long_query_does_not_hide_its_answer(app):
    query = {"hour": {"range": [6, 12]}, "month": {"range": [2, 9]}, "weekday": {"range": [0, 5]}}
    query |= {"delay": {"range": [13, 15]}, "dest": {"range": [1, 19, 2, 18]}, "origin": {"values": ["JFK", "EWR"]}}
    app.js("text => { location.hash = encodeURIComponent(text) }", json.dumps({"query": query}))
    says(app, "origin is any but LGA")
    box = app.page.locator(".total").bounding_box()
    inside = "([x, y]) => document.elementFromPoint(x, y) !== null"
    assert app.js(inside, [box["x"] + box["width"], box["y"] + 5])
    line = app.page.locator(".line").bounding_box()
    assert box["x"] + box["width"] <= line["x"] + line["width"] <= 1280
