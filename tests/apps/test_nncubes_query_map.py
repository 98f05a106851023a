"""The query map and the views' own switches in a real browser: what a user points at, clicks and draws."""

import json
import urllib.parse

import numpy as np
import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS, brush, press, says

from learnviews.apps.nncubes import first
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

pytestmark = [pytest.mark.ui, pytest.mark.slow]

MAP = """
window.qm = {
  figure: () => nn.figures().find((f) => f.name === "query map"),
  title: () => qm.figure()?.title.text ?? "",
  dots: () => qm.figure().renderers[0].data_source,
  column: (name) => Array.from(qm.dots().data[name]),
  label: (k) => qm.dots().data.label[k],
  ring: () => {
    const {x, y} = qm.figure().renderers.find((each) => each.name === "now").data_source.data
    return [...x, ...y]
  },
  switch: (view) => nn.all("Toggle").find((each) => each.name === `exact:${view}` && Bokeh.index.find_one(each)),
  middle: (view) => {
    const box = Bokeh.index.find_one(qm.switch(view)).el.getBoundingClientRect()
    return [box.x + box.width / 2, box.y + box.height / 2]
  },
  compared: () => Array.from(qm.dots().selected.indices),
  at: (k) => {
    const view = Bokeh.index.find_one(qm.figure()), box = view.el.getBoundingClientRect(), {data} = qm.dots()
    return [box.left + view.frame.x_scale.compute(data.x[k]), box.top + view.frame.y_scale.compute(data.y[k])]
  },
  lines: () => {
    const page = new DOMParser().parseFromString(nn.model("compared").text, "text/html")
    return [...page.querySelectorAll("tr")].slice(1).map((row) => [...row.cells].map((cell) => cell.textContent))
  },
}
"""


@pytest.fixture
def app(page, served_cubes):
    page.page.add_init_script(HELPERS + MAP)
    page.open(served_cubes.url)
    says(page, "Everything.")
    return page


def open_map(app, attribute=""):
    """Open the tab, choose an attribute, and wait for its dots."""
    app.page.get_by_role("tab", name="Query map").click()
    if attribute:
        app.page.locator("[data-sheet=queries] select").select_option(label=attribute)
    app.wait("title => qm.title().includes(title)", f"by {attribute or 'month'}")
    app.wait("Bokeh.documents[0].is_idle && Bokeh.index.find_one(qm.figure())?.frame?.bbox.width > 100")


def dot(app, k):
    return app.js("k => qm.at(k)", k)


def alone(app, least=14):
    """A dot with no other within some pixels."""
    places = np.array(app.js("Array.from(qm.column('x'), (_, k) => qm.at(k))"))
    far = np.sqrt(((places[:, None] - places) ** 2).sum(-1)) + 1e9 * np.eye(len(places))
    k = int(far.min(1).argmax())
    assert far[k].min() > least
    return k


def around(app, *rows):
    """Draw a lasso around dots."""
    places = np.array([dot(app, k) for k in rows])
    (x0, y0), (x1, y1) = places.min(0) - 13, places.max(0) + 13
    mouse = app.page.mouse
    mouse.move(x0, y0)
    mouse.down()
    for place in ((x1, y0), (x1, y1), (x0, y1), (x0, y0)):
        mouse.move(*place, steps=6)
    mouse.up()


def away(app):
    app.page.mouse.move(400, 22)


# -- the query map


def test_a_dot_is_a_selection_and_its_answer(app, model):
    assert app.js("qm.figure() === undefined")  # not before it is asked for
    open_map(app)
    assert app.js("nn.overflow()") == [0, 0]
    assert app.js("qm.label(5)") == "month is 6"
    have = app.js("qm.column('value')")
    assert have[:12] == pytest.approx(model.views()["month"].tolist(), rel=1e-6)
    assert np.isfinite(app.js("qm.column('x')")).all()
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    expected = model.views(Query(hour=(6, 12)))["month"]
    app.wait("value => Math.abs(qm.column('value')[5] - value) < 1e-6 * value", float(expected[5]))


def test_pointing_previews_and_clicking_applies(app, model):
    open_map(app)
    k = alone(app)
    held = app.js("k => qm.label(k)", k)
    app.page.mouse.move(*dot(app, k))
    app.wait("held => nn.text().startsWith(`preview Where ${held}.`)", held)
    app.wait("all => nn.answers('weekday').every((v, i) => v < all[i])", model.views()["weekday"].tolist())
    away(app)
    says(app, "model Everything.")
    app.page.mouse.click(*dot(app, k))
    app.wait("held => nn.text().startsWith(`model Where ${held}.`)", held)
    app.wait(
        "([x, y]) => { const [a, b] = qm.ring(); return a === x && b === y }",
        [app.js("k => qm.column('x')[k]", k), app.js("k => qm.column('y')[k]", k)],
    )
    app.wait("location.hash.length > 1")
    query = Query.from_json(json.loads(urllib.parse.unquote(app.js("location.hash")[1:]))["query"])
    assert app.js("nn.answers('weekday')") == pytest.approx(model.views(query)["weekday"].tolist(), rel=1e-6)
    assert app.js("k => qm.column('value')[k]", k) == pytest.approx(model.total(query), rel=1e-5)
    away(app)
    press(app, "Undo")
    says(app, "model Everything.")
    app.wait("qm.ring().length === 0")
    app.page.mouse.click(*dot(app, k))  # the same dot once more
    app.wait("held => nn.text().startsWith(`model Where ${held}.`)", held)


def test_a_lasso_compares(app, model):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    open_map(app, "origin")
    around(app, 0, 1, 2)
    app.wait("qm.lines().length > 3")
    chosen = app.js("qm.compared()")
    labels = [app.js("k => qm.label(k)", k).removeprefix("origin is ") for k in chosen]
    filters = [Query(hour=(6, 12), origin=set(label.split(" or "))) for label in labels]
    totals = {label: model.total(query) for label, query in zip(labels, filters, strict=True)}
    whole, lines = model.total(Query(hour=(6, 12))), app.js("qm.lines()")
    order = sorted(labels, key=lambda label: -totals[label])
    assert [line[0] for line in lines] == [*order, "any"]
    for line, label in zip(lines, order, strict=False):
        assert float(line[1].replace(",", "")) == pytest.approx(totals[label], abs=0.51)
        assert float(line[2].rstrip("%")) == pytest.approx(100 * totals[label] / whole, abs=0.51)
    assert float(lines[-1][1].replace(",", "")) == pytest.approx(whole, abs=0.51)
    assert "differ most by" in app.js("nn.plain('compared')")
    item = app.page.locator("[data-item^=compared]").nth(1)
    item.hover()
    says(app, f"preview Where scheduled hour is 6 to 11; origin is {order[1]}.")
    away(app)
    says(app, "model Where scheduled hour is 6 to 11.")
    item.click()
    says(app, f"model Where scheduled hour is 6 to 11; origin is {order[1]}.")
    assert len(app.js("qm.compared()")) == len(chosen)


def test_clicks_with_shift_compare_too(app):
    open_map(app, "origin")
    app.page.keyboard.down("Shift")
    app.page.mouse.click(*dot(app, 0))
    app.wait("qm.compared().length === 1")
    app.page.mouse.click(*dot(app, 1))
    app.wait("qm.compared().length === 2 && qm.lines().length === 3")
    away(app)
    says(app, "model Everything.")
    app.page.mouse.click(*dot(app, 0))
    app.page.keyboard.up("Shift")
    app.wait("qm.compared().join() === '1' && nn.plain('compared').includes('Compare')")


def test_maps_of_other_attributes_and_aggregates(app, model):
    open_map(app, "destination")
    away(app)
    app.page.locator("select").nth(1).select_option(label="mean departure delay (min)")
    says(app, "mean departure delay")
    app.wait("qm.title().startsWith('mean departure delay (min) by destination')")
    assert np.isfinite(np.array(app.js("qm.column('x')"), float)).all()
    open_map(app, "carrier")
    have = np.array(app.js("qm.column('value')"), float)
    means = model.views(None, ("mean", first.MEASURE))["carrier"]
    assert have[:16] == pytest.approx(means, rel=1e-5)


def test_the_map_follows_the_source(app, exact):
    open_map(app, "origin")
    press(app, "exact")
    app.wait("qm.title().endsWith('exact')")
    assert app.js("qm.column('value')")[:3] == exact.views()["origin"].tolist()


# -- switches of views


def switch(app, name):
    """Turn the switch at a view's title."""
    app.page.mouse.click(*app.js("name => qm.middle(name)", name))


def test_one_view_exact(app, model, exact):
    brush(app, "scheduled hour", 6, 11)
    says(app, "scheduled hour is 6 to 11")
    switch(app, "month")
    app.wait("nn.figure('month').title.text.endsWith('exact')")
    query = Query(hour=(6, 12))
    assert app.js("nn.answers('month')") == exact.views(query)["month"].tolist()
    assert app.js("nn.answers('weekday')") == pytest.approx(model.views(query)["weekday"].tolist(), rel=1e-6)
    assert "error" in app.js("nn.figure('weekday').title.text")
    assert app.js("nn.model('source').active") is None
    says(app, "model Where")
    brush(app, "scheduled hour", 15, 18)
    query = Query(hour=(15, 19))
    app.wait("truth => nn.answers('month').every((v, i) => v === truth[i])", exact.views(query)["month"].tolist())
    app.wait("location.hash.includes('exact')")
    assert json.loads(urllib.parse.unquote(app.js("location.hash")[1:]))["exact"] == ["month"]
    app.page.locator("select").nth(1).select_option(label="mean departure delay (min)")
    says(app, "mean departure delay")
    truth = exact.views(query, ("mean", first.MEASURE))["month"].tolist()
    app.wait("truth => nn.answers('month').every((v, i) => Math.abs(v - truth[i]) < 1e-9)", truth)
    assert app.js("nn.figures().filter((f) => f.title.text.endsWith('exact')).length") == 1
    press(app, "model")
    app.wait("nn.figures().every((f) => !f.title.text.endsWith('exact'))")
    app.wait("qm.switch('month').active === false")


def test_all_views_one_by_one_are_the_pages_switch(app, exact):
    for name in ("month", "weekday", "hour", "origin", "carrier", "delay"):
        switch(app, name)
        app.wait("name => qm.switch(name).active", name)
    app.wait("nn.model('source').active === null")
    switch(app, "dest")
    app.wait("nn.model('source').active === 1")
    says(app, f"exact Everything. {exact.total():,.0f} rows")
    switch(app, "month")
    app.wait("nn.model('source').active === null && nn.figure('month').title.text.includes('error')")
    says(app, "model Everything.")


def test_the_switch_answers_to_the_keyboard(app):
    app.wait("nn.figure('month')")
    app.js("Bokeh.index.find_one(qm.switch('month')).el.shadowRoot.querySelector('button').focus()")
    app.page.keyboard.press("Enter")
    app.wait("nn.figure('month').title.text.endsWith('exact')")
    app.page.keyboard.press("Enter")  # it kept the focus
    app.wait("nn.figure('month').title.text.includes('error')")


def test_the_address_keeps_the_views_that_are_exact(app, served_cubes, exact):
    app.page.goto("about:blank")
    app.open(served_cubes.url + "#" + urllib.parse.quote('{"exact":["month","carrier"]}'))
    app.wait("nn.figures().filter((f) => f.title.text.endsWith('exact')).length === 2")
    assert app.js("nn.answers('carrier')") == exact.views()["carrier"].tolist()
    app.js("location.hash = encodeURIComponent('{\"exact\":true}')")
    app.wait("nn.figures().every((f) => f.title.text.endsWith('exact'))")
    app.js('location.hash = encodeURIComponent(\'{"exact":["colour"]}\')')
    app.wait("nn.message().includes(\"no attribute 'colour'\")")


# -- other models


def test_a_model_without_rows_and_with_a_single_bin(page, tmp_path):
    schema = cube.Schema(
        cube.Categorical("only", ["x"]), cube.Integer("hour", 0, 23), cube.Categorical("kind", list("abc"))
    )
    r = np.random.default_rng(0)
    table = {"only": ["x"] * 5000, "hour": r.integers(0, 24, 5000), "kind": r.choice(list("abc"), 5000)}
    cube.fit(cube.ExactCube.build(table, schema), net="mlp", queries=200, steps=60).save(tmp_path / "odd.cube.npz")
    page.page.add_init_script(HELPERS + MAP)
    with bokeh_serve("nncubes", str(tmp_path / "odd.cube.npz")) as server:
        page.open(server.url)
        says(page, "Everything.")
        assert page.js("qm.switch('hour').disabled")
        page.page.get_by_role("tab", name="Query map").click()
        page.wait("nn.plain('compared').includes('single bin')")
        open_map(page, "kind")
        assert page.js("qm.column('label').length") == 6
        page.page.locator("[data-sheet=queries] select").select_option(label="only")
        page.wait("nn.plain('compared').includes('single bin')")
        open_map(page, "hour")
        assert page.js("qm.column('label').length") == 24 + 23 + 11 + 5
        assert page.errors == []
