"""Comparing selections in the map of queries of the stand-alone page, offline, with a real mouse."""

import re

import cube_small
import numpy as np
import pytest
from browser import Page

from learnviews.kernels.cube import Query

pytestmark = pytest.mark.ui

HELPERS = """
window.lv = {
  page: nncubes.page,
  chosen: () => nncubes.page.comparison.chosen,
  lines: () => {
    const buttons = [...document.querySelectorAll("#compared button")]
    return buttons.map((each) => [each.firstChild.data, each.lastChild.textContent])
  },
  label: (k) => nncubes.page.queries.dots.data.label[k],
  text: (id) => document.getElementById(id).textContent,
  all: () => {
    const {plot: {canvas_view, frame}, dots: {data}} = lv.page.queries, box = canvas_view.el.getBoundingClientRect()
    const {x_scale, y_scale} = frame
    return Array.from(data.x, (x, k) => [box.left + x_scale.compute(x), box.top + y_scale.compute(data.y[k])])
  },
}
"""


class OfflinePage(Page):
    """Everything but the file itself is outside."""

    def _request(self, request):
        if not re.match(r"file:|data:", request.url):
            self.outside.append(request.url)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return cube_small.model().to_html(tmp_path_factory.mktemp("compared") / "page.html")


@pytest.fixture
def app(chromium, written):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    watched = OfflinePage(context.new_page())
    watched.page.goto(written.as_uri())
    watched.wait("window.nncubes?.ready && Bokeh.documents[0].is_idle")
    watched.page.add_script_tag(content=HELPERS)
    watched.page.locator("#projected").select_option(label="kind")
    watched.wait("lv.label(0).startsWith('kind')")
    watched.page.locator("#querymap").scroll_into_view_if_needed()
    yield watched
    context.close()
    assert watched.outside == []
    assert watched.errors == []


def lasso(app, rows):
    """Draw around dots."""
    places = np.array(app.js("lv.all()"))[rows]
    (x0, y0), (x1, y1) = places.min(0) - 9, places.max(0) + 9
    mouse = app.page.mouse
    mouse.move(x0, y0)
    mouse.down()
    for place in ((x1, y0), (x1, y1), (x0, y1), (x0, y0)):
        mouse.move(*place, steps=5)
    assert app.js("lv.page.queries.lasso.data.x.length") > 4
    mouse.up()
    mouse.move(5, 5)


def test_a_lasso_compares(app):
    model = cube_small.model()
    assert app.page.locator("#comparison").is_hidden()
    lasso(app, [0, 1, 2, 3, 4])
    app.wait("lv.lines().length > 2")
    chosen = app.js("lv.chosen()")
    names = [app.js("k => lv.label(k)", k).removeprefix("kind ") for k in chosen]
    totals = {name: model.total(Query(kind={name})) for name in names}
    order = sorted(names, key=lambda name: -totals[name])
    lines = app.js("lv.lines()")
    assert [line[0] for line in lines] == [*order, "any"]
    for name, words in lines[:-1]:
        answer, share, *_ = words.split(" · ")
        assert float(answer.replace(",", "")) == pytest.approx(totals[name], abs=0.51)
        assert float(share.removesuffix("% of the rows")) == pytest.approx(100 * totals[name] / model.total(), abs=0.51)
    assert f"{model.total():,.0f}" in lines[-1][1]
    assert app.js("lv.page.queries.lasso.data.x.length") == 0
    assert app.js("lv.page.state.past.length") == 0  # a lasso is no click


def test_lines_preview_and_apply(app):
    model = cube_small.model()
    lasso(app, [0, 1, 2, 3, 4])
    app.wait("lv.lines().length > 2")
    name = app.js("lv.lines()[1][0]")
    line = app.page.locator("#compared button").nth(1)
    line.hover()
    app.wait("document.body.classList.contains('preview')")
    assert app.js("lv.text('total')") == f"count {model.total(Query(kind={name})):,.0f}"
    line.click()
    app.page.mouse.move(5, 5)
    app.wait("lv.page.state.past.length === 1 && !document.body.classList.contains('preview')")
    assert app.js("lv.text('total')") == f"count {model.total(Query(kind={name})):,.0f}"
    app.page.keyboard.press("Control+z")
    assert app.js("lv.text('total')") == f"count {model.total():,.0f}"
    assert len(app.js("lv.chosen()")) > 1


def test_answers_follow_the_other_filters(app):
    model = cube_small.model()
    lasso(app, [0, 1, 2, 3, 4])
    app.wait("lv.lines().length > 2")
    app.js("lv.page.take(lv.page.state.with(0, {kind: 'range', start: 2, stop: 5}))")
    query = Query(month=(2, 5))
    app.wait("words => lv.lines().at(-1)[1].startsWith(words)", f"{model.total(query):,.0f}")
    for name, words in app.js("lv.lines()")[:-1]:
        expected = model.total(query.replace(kind={name}))
        assert float(words.split(" · ")[0].replace(",", "")) == pytest.approx(expected, abs=0.51)


def test_clicks_with_shift_and_another_attribute(app):
    places = app.js("lv.all()")
    app.page.keyboard.down("Shift")
    for k in (0, 1):
        app.page.mouse.click(*places[k])
    app.page.keyboard.up("Shift")
    app.page.mouse.move(5, 5)
    app.wait("lv.lines().length === 3 && lv.page.state.past.length === 0")
    app.page.locator("#projected").select_option(label="hour")
    app.wait("lv.chosen().length === 0 && document.getElementById('comparison').hidden")
    assert app.js("lv.page.queries.rings.data.x.length") == 0
