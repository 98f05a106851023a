"""The stand-alone page in a real browser, offline and from `file://`: its answers, and what a user does with it."""

import functools
import json
import re

import numpy as np
import pytest
from browser import Page

import learnviews
from learnviews.kernels import cube, pages
from learnviews.kernels.store import StoreError

NASTY = "</script><script>alert('x')</script> \"q\" & $$x^2$$ — ½ @{label} %%"
AGGREGATES = ["count", ("sum", "delay"), ("mean", "delay")]
LARGEST = 3_000_000  # bytes


def make_table(rows=6000, seed=3):
    """Columns that depend on each other, with values missing in each kind of attribute."""
    r = np.random.default_rng(seed)
    hour = r.integers(0, 24, rows)
    kind = np.minimum(3, r.geometric(0.4, rows) - 1)
    delay = r.normal(np.where(hour > 15, 6, -2) + kind, 4)
    wait = np.where(r.random(rows) < 0.1, np.nan, r.gamma(2, 4 + hour / 6))
    x, y = r.normal(hour / 6, 1.2), r.normal(0, 1, rows)
    x[r.random(rows) < 0.05] = np.nan
    names = np.array(["a", "b", "c", NASTY], object)[kind]
    names[r.random(rows) < 0.08] = None
    return {"hour": hour, "kind": names, "wait": wait, "x": x, "y": y, "delay": delay}


def make_schema():
    return cube.Schema(
        cube.Integer("hour", 0, 23, title=NASTY),
        cube.Categorical("kind", ["a", "b", "c", NASTY], missing=True),
        cube.Numeric("wait", [0, 2, 4, 6, 9, 13, 20, "inf"], missing=True, unit="<b>min</b>"),
        cube.Spatial("place", "x", "y", extent=(-2, 6, -3, 3), shape=(8, 6), clamp=True, missing=True),
    )


@functools.cache
def fitted(net="product"):
    exact = cube.ExactCube.build(make_table(), make_schema(), ["delay"])
    return cube.fit(exact, net=net, aggregate=AGGREGATES, queries=300, rank=10, steps=200)


@pytest.fixture(params=["product", "signed"])
def either(request):
    return fitted(request.param)


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    return model.to_html(tmp_path_factory.mktemp("page") / "page.html", NASTY)


def opened(browser, path):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    app = OfflinePage(context.new_page())
    app.page.goto(path.as_uri())
    app.wait("window.nncubes?.ready && Bokeh.documents[0].is_idle")
    app.page.add_script_tag(content=HELPERS)
    return app


class OfflinePage(Page):
    """Everything but the file itself is outside."""

    def _request(self, request):
        if not re.match(r"file:|data:", request.url):
            self.outside.append(request.url)


# numbers as text: JSON has no nan
HELPERS = """
window.lv = {
  page: nncubes.page,
  text: (id) => document.getElementById(id).textContent,
  values: (a) => Array.from(lv.page.engine.values[a], (v) => Number.isNaN(v) ? null : v),
  bars: (a) => Array.from(lv.page.views[a].bars.data.top),
  screen: ([a, x, y]) => lv.page.views[a].screen(x, y),
  filter: (a) => JSON.stringify(lv.page.state.filters[a], (k, v) => v instanceof Uint8Array ? [...v] : v),
  // colours of a cell of the map: on its picture, and by its value
  painted: (cell) => {
    const {plot, renderer} = lv.page.views[3], x = Math.floor(cell / 6), y = cell % 6
    const context = plot.views.get_one(renderer).glyph.image_data[0].getContext("2d")
    return [...context.getImageData(x, y, 1, 1).data].join()
  },
  expected: (cell) => {
    const {renderer} = lv.page.views[3]
    return [...renderer.glyph.color_mapper.rgba_mapper.v_compute([lv.page.engine.values[3][cell]])].join()
  },
  mask: (a) => { const m = nncubes.maskOf(lv.page.attributes[a], lv.page.state.filters[a]); return m && [...m] },
  dot: (k) => {
    const {plot, dots: {data}} = lv.page.queries, box = plot.canvas_view.el.getBoundingClientRect()
    return {x: box.left + plot.frame.x_scale.compute(data.x[k]), y: box.top + plot.frame.y_scale.compute(data.y[k])}
  },
}
"""

ANSWER = """
([masks, number]) => {
  const {engine} = nncubes.page, aggregate = engine.aggregates[number]
  const plain = (values) => Array.from(values, (v) => Number.isNaN(v) ? null : v)
  return masks.map((mask) => {
    mask.forEach((bits, a) => engine.filter(a, Uint8Array.from(bits)))
    const total = engine.answer(aggregate)
    const answers = engine.values.flatMap(plain), low = engine.low.flatMap(plain), high = engine.high.flatMap(plain)
    return {total: plain([total])[0], answers, low, high}
  })
}
"""


@pytest.fixture(scope="module")
def watched(chromium, written):
    app = opened(chromium, written)
    yield app
    app.page.context.close()
    assert app.outside == []


@pytest.fixture
def app(watched):
    """The page as it was when it was opened."""
    watched.page.mouse.move(5, 5)
    watched.js(RESET)
    yield watched
    assert watched.outside == []
    assert watched.errors == []


RESET = """
() => {
  const {page} = lv, pick = (id) => { document.getElementById(id).selectedIndex = 0 }
  for (const id of ["aggregate", "scale", "projected"]) pick(id)
  for (const box of document.querySelectorAll("#free input")) box.checked = true
  page.turn(3, "box")
  Object.assign(page.state, {filters: page.attributes.map(() => null), past: [], future: []})
  page.choose(page.engine.aggregates[0])
}
"""


def screen(app, view, x, y):
    place = app.js("place => lv.screen(place)", [view, x, y])
    return place["x"], place["y"]


def drag(app, view, *places):
    """Press at the first place (data coordinates of a view), move over the others, let go at the last."""
    app.page.mouse.move(*screen(app, view, *places[0]))
    app.page.mouse.down()
    for place in places[1:]:
        app.page.mouse.move(*screen(app, view, *place), steps=5)
    app.page.mouse.up()


def click(app, view, x, y):
    app.page.mouse.click(*screen(app, view, x, y))


def filter_of(app, view):
    return json.loads(app.js("a => lv.filter(a)", view))


def middle(app, view):
    """A height at which there is a view's frame, but no bar ends."""
    return app.js("a => lv.page.views[a].plot.model.y_range.end", view) * 0.93


def shown(app, view):
    return np.array(app.js("a => lv.values(a)", view), float)


def press(app, label):
    app.page.get_by_role("button", name=label, exact=True).first.click()


# -- answers


def random_masks(schema, n, seed):
    """Ranges, boxes and sets, every other time free regions with or without the bin for missing values."""
    masks = cube.random_masks(schema, n, seed)
    r = np.random.default_rng(seed)
    odd = r.random(masks[1::2].shape) < 0.5
    masks[1::2] = odd
    for part in schema.slices.values():
        masks[~masks[:, part].any(1), part.start] = True
    return masks


@pytest.mark.ui
def test_answers_equal_those_of_python(chromium, either, tmp_path):
    watched = opened(chromium, either.to_html(tmp_path / "page.html"))
    masks = random_masks(either.schema, 60, 5)
    split = [[mask[part].astype(int).tolist() for part in either.schema.slices.values()] for mask in masks]
    for number, aggregate in enumerate(AGGREGATES):
        found = watched.js(ANSWER, [split, number])
        expected, totals = either.query_many(masks, aggregate), either.totals_many(masks, aggregate)
        low, high = either.interval_many(masks, aggregate)
        for name, truth in (("answers", expected), ("low", low), ("high", high)):
            ours = np.array([each[name] for each in found], float)
            assert near(ours, truth), f"{name} of {aggregate}"
        assert near(np.array([each["total"] for each in found], float)[:, None], totals[:, None])
    watched.page.context.close()
    assert watched.errors == watched.outside == []


def near(ours, truth):
    """To 1e-4, relative; of sums that nearly cancel, to a hundredth of the largest."""
    known = ~np.isnan(truth)
    scale = np.maximum(np.abs(truth), 1e-2 * np.nanmax(np.abs(truth)))[known]
    return (known == ~np.isnan(ours)).all() and (np.abs(ours - truth)[known] <= 1e-4 * scale).all()


@pytest.mark.ui
def test_projection_keeps_the_distances_of_python(app, model):
    found = app.js("""() => {
      const {page} = lv, each = page.attributes[0]
      const masks = each.labels.map((_, i) => nncubes.maskOf(each, {kind: "range", start: i, stop: i + 1}))
      return nncubes.project(page.engine, page.aggregate, 0, masks)
    }""")
    places, truth = np.array(found), cube.differences(model, "hour")
    ours = np.linalg.norm(places[:, None] - places, axis=-1)
    pairs = np.triu_indices(24, 1)
    assert np.corrcoef(ours[pairs], truth[pairs])[0, 1] > 0.95


@pytest.mark.ui
@pytest.mark.parametrize(("view", "bin_", "factor"), [(0, 9, 0.5), (1, 1, 0.4), (2, 3, 0.6), (3, 20, 0.5)])
def test_inversion_finds_distinct_queries_that_hit_as_python_says(app, model, view, bin_, factor):
    name = model.schema.names[view]
    value = factor * float(model.views()[name][bin_])
    found = app.js(
        """([view, bin, value]) => {
          const {page} = lv, {engine, attributes} = page, none = attributes.map(() => null)
          const bits = (filter, a) => Array.from(
            nncubes.maskOf(attributes[a], filter) ?? new Uint8Array(attributes[a].bins).fill(1))
          return nncubes.invert(engine, page.aggregate, {view, bin, value}, none, [0, 1, 2, 3]).map((each) => ({
            ...each, filters: each.filters.map(bits),
            words: nncubes.changeText(attributes, none, each.filters),
          }))
        }""",
        [view, bin_, value],
    )
    assert len(found) == 5
    assert found[0]["hit"]
    order = [(0 if each["hit"] else each["miss"], each["change"]) for each in found]
    assert order == sorted(order)
    for each in found:
        mask = np.concatenate(each["filters"]).astype(bool)
        assert model.schema.split(model.answer(mask))[name][bin_] == pytest.approx(each["answer"], rel=1e-4)
        assert each["miss"] == pytest.approx(abs(each["answer"] - value) / max(1, value), rel=1e-6)
        assert mask[model.schema.slices[name]].all()  # its own filter would change nothing
        assert each["words"] != "no change"
    assert len({json.dumps(each["filters"]) for each in found}) == 5


# -- what a user does


@pytest.mark.ui
def test_the_page_fits_and_tells_what_it_shows(app, model):
    width, inner = app.js("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner
    assert app.page.title() == app.page.locator("h1").text_content() == NASTY
    assert app.page.locator("h2").first.text_content() == NASTY
    assert app.page.locator("h2 small").first.text_content() == "(<b>min</b>)"
    assert app.js("lv.text('sentence')") == "all rows"
    assert app.js("lv.text('total')") == f"count {model.total():,.0f}"
    assert f"{model.error.overall:.4f}" in app.js("lv.text('card')")
    assert f"{model.error.independence:.4f}" in app.js("lv.text('card')")
    assert app.js("lv.page.attributes[1].labels")[3] == NASTY
    for view, name in enumerate(model.schema.names):
        assert shown(app, view) == pytest.approx(model.views()[name], rel=1e-4, abs=1e-6)
        told = app.js("a => Array.from(lv.page.views[a].hit.data.all)", view)  # by tooltips, without the map's missing
        assert told == np.rint(model.views()[name])[: len(told)].tolist()
        assert len(told) == [24, 5, 8, 48][view]


@pytest.mark.ui
def test_brush_move_resize_and_clear(app, model):
    y = middle(app, 0)
    drag(app, 0, (5.3, y), (11.6, y))
    assert filter_of(app, 0) == {"kind": "range", "start": 5, "stop": 12}
    query = cube.Query(hour=(5, 12))
    assert shown(app, 1) == pytest.approx(model.views(query)["kind"], rel=1e-4)
    assert shown(app, 0) == pytest.approx(model.views(query)["hour"], rel=1e-4)
    assert app.js("lv.text('total')") == f"count {model.total(query):,.0f}"
    assert app.js("lv.text('sentence')") == f"rows where {NASTY} is 5 to 11"
    drag(app, 0, (8, y), (11, y))  # the middle moves it
    assert filter_of(app, 0) == {"kind": "range", "start": 8, "stop": 15}
    drag(app, 0, (15, y), (20.2, y))  # an edge changes it
    assert filter_of(app, 0) == {"kind": "range", "start": 8, "stop": 20}
    drag(app, 0, (8, y), (22.8, y))  # past the other edge
    assert filter_of(app, 0) == {"kind": "range", "start": 20, "stop": 23}
    drag(app, 0, (18.4, y), (30, y), (30, 5 * y))  # a new one, beyond the axis
    assert filter_of(app, 0) == {"kind": "range", "start": 18, "stop": 24}
    app.page.locator("[data-view='0'] .clear").click()
    assert filter_of(app, 0) is None
    assert shown(app, 1) == pytest.approx(model.views()["kind"], rel=1e-4)


@pytest.mark.ui
def test_clicks_select_single_bars_sets_and_missing_values(app, model):
    top = middle(app, 1)
    click(app, 1, 0.5, top)
    click(app, 1, 3.5, top)
    assert app.js("lv.mask(1)") == [1, 0, 0, 1, 0]
    assert shown(app, 0) == pytest.approx(model.views(cube.Query(kind={"a", NASTY}))["hour"], rel=1e-4)
    click(app, 1, 0.5, top)
    assert app.js("lv.mask(1)") == [0, 0, 0, 1, 0]
    click(app, 1, 5, top)  # the bar of missing values stands apart
    assert app.js("lv.mask(1)") == [0, 0, 0, 1, 1]
    drag(app, 1, (0.2, top), (2.5, top))
    assert app.js("lv.mask(1)") == [1, 1, 1, 0, 0]
    press(app, "Clear")
    click(app, 2, 8, middle(app, 2))
    assert app.js("lv.mask(2)") == [0] * 7 + [1]
    click(app, 2, 8, middle(app, 2))
    assert filter_of(app, 2) is None
    app.page.locator(".missing").click()
    assert shown(app, 0) == pytest.approx(model.views(cube.Query(place=np.arange(49) == 48))["hour"], rel=1e-4)


@pytest.mark.ui
def test_undo_redo_and_escape_by_keyboard(app):
    y = middle(app, 0)
    drag(app, 0, (5.3, y), (11.6, y))
    drag(app, 0, (2.3, y), (3.6, y))
    app.page.keyboard.press("Control+z")
    assert filter_of(app, 0) == {"kind": "range", "start": 5, "stop": 12}
    app.page.keyboard.press("Control+z")
    assert filter_of(app, 0) is None
    assert app.page.locator("#undo").is_disabled()
    app.page.keyboard.press("Control+z")  # there is no more
    app.page.keyboard.press("Control+Shift+z")
    app.page.keyboard.press("Control+Shift+Z")
    assert filter_of(app, 0) == {"kind": "range", "start": 2, "stop": 4}
    app.page.mouse.move(*screen(app, 0, 10, y))
    app.page.mouse.down()
    app.page.mouse.move(*screen(app, 0, 20, y), steps=4)
    app.page.keyboard.press("Escape")  # gives up the drag, nothing else
    app.page.mouse.up()
    assert filter_of(app, 0) == {"kind": "range", "start": 2, "stop": 4}
    app.page.keyboard.press("Escape")
    assert filter_of(app, 0) is None
    press(app, "Undo")
    assert filter_of(app, 0) == {"kind": "range", "start": 2, "stop": 4}


@pytest.mark.ui
def test_box_and_lasso_on_the_map(app, model):
    drag(app, 3, (-0.5, -1.5), (3.5, 1.5))  # cells are 1 by 1
    assert filter_of(app, 3) == {"kind": "box", "x0": 1, "x1": 6, "y0": 1, "y1": 5}
    assert shown(app, 0) == pytest.approx(model.views(cube.Query(place=(1, 6, 1, 5)))["hour"], rel=1e-4)
    drag(app, 3, (1, 0), (2, 1))
    assert filter_of(app, 3) == {"kind": "box", "x0": 2, "x1": 7, "y0": 2, "y1": 6}
    drag(app, 3, (5, 1), (3, 1))  # its right side
    assert filter_of(app, 3) == {"kind": "box", "x0": 2, "x1": 5, "y0": 2, "y1": 6}
    click(app, 3, 4.5, -2.5)
    assert filter_of(app, 3) == {"kind": "box", "x0": 6, "x1": 7, "y0": 0, "y1": 1}
    press(app, "lasso")
    drag(app, 3, (-1.8, -2.8), (3.8, -2.8), (3.8, 1.8), (-1.8, -2.8))  # a triangle
    chosen = np.array(app.js("lv.mask(3)"), bool)
    cells = chosen[:48].reshape(8, 6)
    assert cells[4, 1]
    assert not cells[1, 4]
    assert not chosen[48]
    assert shown(app, 0) == pytest.approx(model.views(cube.Query(place=chosen))["hour"], rel=1e-4)
    assert "a drawn region of" in app.js("lv.text('sentence')")
    press(app, "pan")
    before = app.js("lv.page.views[3].plot.model.x_range.start")
    drag(app, 3, (0, 0), (2, 0))
    app.wait(f"lv.page.views[3].plot.model.x_range.start < {before} - 1")
    assert app.js("lv.mask(3)") == chosen.astype(int).tolist()
    app.page.mouse.dblclick(*screen(app, 3, 0, 0))
    app.wait(f"lv.page.views[3].plot.model.x_range.start === {before}")


@pytest.mark.ui
def test_drag_a_bar_preview_and_apply_a_suggestion(app, model):
    before = shown(app, 1)
    wanted = 0.4 * before[0]
    drag(app, 1, (0.5, before[0]), (0.52, wanted))
    assert app.js("lv.page.target.value") == pytest.approx(wanted, rel=0.05)
    assert app.js("lv.page.views[1].ghost.data.top[0]") == app.js("lv.page.target.value")
    assert filter_of(app, 1) is None
    suggestions = app.page.locator("#suggestions button")
    assert 1 <= suggestions.count() <= 5
    suggestions.first.hover()
    app.wait("document.body.classList.contains('preview')")
    previewed = shown(app, 1)
    assert previewed[0] == pytest.approx(app.js("lv.page.target.value"), rel=0.02)
    assert filter_of(app, 1) is None
    app.page.mouse.move(5, 5)
    app.wait("!document.body.classList.contains('preview')")
    assert shown(app, 1) == pytest.approx(before)
    suggestions.first.click()
    assert shown(app, 1) == pytest.approx(previewed)
    assert suggestions.count() == 0
    masks = app.js("lv.page.attributes.map((_, a) => lv.mask(a))")
    chosen = [np.ones(n) if m is None else np.array(m) for m, n in zip(masks, model.schema.sizes, strict=True)]
    answers = model.schema.split(model.answer(np.concatenate(chosen).astype(bool)))
    assert shown(app, 1) == pytest.approx(answers["kind"], rel=1e-4)
    press(app, "Undo")
    assert shown(app, 1) == pytest.approx(before)


@pytest.mark.ui
def test_attributes_that_may_not_change_do_not(app):
    before = shown(app, 1)
    drag(app, 1, (1.5, before[1]), (1.52, 0.5 * before[1]))
    for number in (0, 3):
        app.page.locator("#free input").nth(number).uncheck()
    texts = app.page.locator("#suggestions button").all_text_contents()
    assert texts
    assert all(text.startswith("wait: ") and "place" not in text for text in texts)
    app.page.locator("#free input").nth(2).uncheck()
    assert "let more attributes change" in app.js("lv.text('target')")


@pytest.mark.ui
def test_a_wanted_total_and_one_that_cannot_be_had(app, model):
    app.page.locator("#wantedtotal").fill("1,500")
    press(app, "Find")
    app.page.locator("#suggestions button").first.click()
    found = float(app.js("lv.text('total')").split()[-1].replace(",", ""))
    assert found == pytest.approx(1500, rel=0.011)
    app.page.locator("#wantedtotal").fill("99999999")
    press(app, "Find")
    assert "cannot be reached" in app.js("lv.text('target')")
    app.page.locator("#wantedtotal").fill("many")
    press(app, "Find")
    assert "a number is wanted" in app.js("lv.text('target')")


@pytest.mark.ui
def test_map_of_queries_previews_and_applies(app, model):
    place = app.js("lv.dot(20)")  # of hour 20; what lies on top may be another one
    app.page.mouse.move(place["x"], place["y"])
    app.wait("document.body.classList.contains('preview')")
    previewed = shown(app, 1)
    app.page.mouse.click(place["x"], place["y"])
    app.page.mouse.move(5, 5)
    app.wait("!document.body.classList.contains('preview')")
    assert shown(app, 1) == pytest.approx(previewed)
    chosen = np.array(app.js("lv.mask(0)"), bool)
    assert 0 < chosen.sum() < 24
    assert previewed == pytest.approx(model.views(cube.Query(hour=chosen))["kind"], rel=1e-4)
    app.page.locator("#projected").select_option(label="place")
    app.wait("lv.page.queries.dots.data.label[0].startsWith('place')")
    answers = app.js("Array.from(lv.page.queries.dots.data.answer)")
    assert answers[0] == pytest.approx(model.total(cube.Query(hour=chosen, place=(0, 1, 0, 1))), rel=1e-4, abs=1e-6)


@pytest.mark.ui
def test_other_aggregates(app, model):
    y = middle(app, 0)
    drag(app, 0, (16.3, y), (22.6, y))
    app.page.locator("#aggregate").select_option(label="mean of delay")
    query = cube.Query(hour=(16, 23))
    assert shown(app, 1) == pytest.approx(model.views(query, ("mean", "delay"))["kind"], rel=1e-4)
    assert app.js("lv.text('total')") == f"mean of delay {model.total(query, ('mean', 'delay')):,.2f}"
    app.page.locator("#aggregate").select_option(label="sum of delay")
    colors = "lv.page.views[3].renderer.glyph.color_mapper"
    assert app.js(f"{colors}.name").startswith("signed")  # sums of both signs
    assert app.js(f"{colors}.low") == -app.js(f"{colors}.high")
    app.wait("lv.painted(20) === lv.expected(20)")
    assert shown(app, 2) == pytest.approx(model.views(query, ("sum", "delay"))["wait"], rel=1e-3, abs=1e-2)
    app.page.locator("#scale").select_option("own")
    app.wait("lv.page.views[2].plot.model.y_range.end < 1.2 * Math.max(...lv.values(2))")


@pytest.mark.ui
def test_tooltips_tell_numbers(app, model):
    app.page.mouse.move(*screen(app, 0, 9.5, 0.5 * middle(app, 0)))
    app.page.wait_for_selector("text=all rows:")
    count = f"{round(model.views()['hour'][9]):,}"
    assert app.page.get_by_text(count, exact=True).count() >= 1


# -- the file


def test_one_file_of_less_than_three_megabytes(written):
    text = written.read_text(encoding="utf-8")
    assert written.stat().st_size < LARGEST
    assert not written.with_name("page.html.part").exists()
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="(?!data:)', text.split("<script>")[0])


def test_hostile_names_end_no_element(written):
    text = written.read_text(encoding="utf-8")
    assert NASTY not in text
    assert "<script>alert" not in text
    assert "<b>min" not in text
    assert text.lower().count("</script>") == text.lower().count("<script")


def test_what_a_page_cannot_hold(tmp_path):
    exact = cube.ExactCube.build(make_table(), make_schema(), ["delay"])
    mlp = cube.fit(exact, net="mlp", description="tuned", queries=40, steps=3)
    with pytest.raises(ValueError, match='"product" or "signed", not \'mlp\''):
        mlp.to_html(tmp_path / "page.html")
    variance = cube.fit(exact, aggregate=["count", ("var", "delay")], queries=40, rank=3, steps=3)
    with pytest.raises(ValueError, match="count, sum and mean, not var of delay"):
        variance.to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_written(model, tmp_path):
    with pytest.raises(StoreError, match=r"no/page\.html: could not write the page: No such file"):
        model.to_html(tmp_path / "no" / "page.html")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StoreError, match="could not write the page"):
        model.to_html(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_without_what_draws_pages(model, monkeypatch, tmp_path):
    assert pages.cube_writer is not None
    assert learnviews.__name__ == "learnviews"
    monkeypatch.setattr(pages, "cube_writer", None)
    with pytest.raises(RuntimeError, match="import learnviews"):
        model.to_html(tmp_path / "page.html")
