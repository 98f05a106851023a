"""The linked views of a cube in a real browser: brushing with the mouse, and the numbers that come back."""

import json
from pathlib import Path

import cube_small
import numpy as np
import pytest
from browser import bokeh_serve

from learnviews.kernels.cube import Query

pytestmark = pytest.mark.ui
APP = Path(__file__).resolve().parent.parent / "cube_board_app.py"
HELPERS = """
window.lv = {
  figures: () => [...Bokeh.documents[0]._all_models.values()].filter((m) => m.type === "Figure"),
  axis: {month: "month", hour: "hour", kind: "kind", place: "x"},
  figure: (name) => lv.figures().find((f) => f.below.some((a) => a.axis_label === lv.axis[name])),
  sources: (name) => lv.figure(name).renderers.map((r) => r.data_source.data),
  bars: (name) => {
    const data = lv.sources(name).find((d) => "share" in d)
    return {answer: Array.from(data.answer), top: Array.from(data.top), strength: Array.from(data.strength)}
  },
  cells: () => Array.from(lv.sources("place").find((d) => "known" in d).known[0]),
  ghost: (name) => Array.from(lv.sources(name).find((d) => "bin" in d && "top" in d).top),
  box: (name) => lv.figure(name).center.find((m) => m.type === "BoxAnnotation" && m.left_units === "data"),
  screen: (name, x, y) => {
    const view = Bokeh.index.find_one(lv.figure(name)), box = view.el.getBoundingClientRect()
    return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
  },
  count_messages: () => {
    lv.sent = 0
    const send = WebSocket.prototype.send
    WebSocket.prototype.send = function (...args) { lv.sent += 1; return send.apply(this, args) }
  },
}
"""


@pytest.fixture(scope="module")
def board():
    with bokeh_serve(str(APP)) as server:
        yield server


@pytest.fixture(scope="module")
def maps():
    with bokeh_serve(str(APP), "--maps") as server:
        yield server


@pytest.fixture(params=["board", "maps"])
def app(page, request):
    page.page.add_init_script(HELPERS)
    page.open(request.getfixturevalue(request.param).url)
    page.wait("lv.figures().length >= 4 && lv.figures().every((f) => f.inner_width > 0)")
    return page


def at(app, name, x, y):
    return app.js("([name, x, y]) => lv.screen(name, x, y)", [name, x, y])


def drag(app, name, *places):
    """Press at the first place, move through the others, release."""
    app.page.mouse.move(*at(app, name, *places[0]))
    app.page.mouse.down()
    for place in places[1:]:
        app.page.mouse.move(*at(app, name, *place), steps=5)
    app.page.mouse.up()


def click(app, name, x, twice=False):
    mouse = app.page.mouse
    (mouse.dblclick if twice else mouse.click)(*at(app, name, x, middle(app, name)))


def middle(app, name):
    """A height that is no bar's top."""
    start, end = app.js("name => { const r = lv.figure(name).y_range; return [r.start, r.end] }", name)
    return start + 0.985 * (end - start)


def brushed(app, **filters):
    """Wait until Python has that brush; then every view must show what the exact cube answers to it."""
    query = Query(**filters)
    app.wait("wanted => document.title === wanted", json.dumps(query.to_json()))
    exact = cube_small.exact().views(query)
    for name in ("month", "hour", "kind"):
        shown = "([name, wanted]) => lv.bars(name).answer.every((a, i) => a === wanted[i])"
        app.wait(shown, [name, exact[name].tolist()])
        mask = cube_small.SCHEMA[name].mask(filters[name]) if name in filters else np.ones(len(exact[name]), bool)
        strong = "([name, mask]) => lv.bars(name).strength.every((s, i) => (s === 1) === mask[i])"
        app.wait(strong, [name, mask.tolist()])
    cells = exact["place"].reshape(6, 6).T.ravel().tolist()
    app.wait("wanted => lv.cells().every((a, i) => a === wanted[i])", cells)


def test_ranges_by_dragging_moving_and_resizing(app):
    y = middle(app, "hour")
    drag(app, "hour", (5.2, y), (9.1, y))
    brushed(app, hour=(5, 10))
    assert app.js("[lv.box('hour').left, lv.box('hour').right, lv.box('hour').visible]") == [4.5, 9.5, True]
    y = middle(app, "hour")
    drag(app, "hour", (7, y), (10, y))  # the box
    brushed(app, hour=(8, 13))
    drag(app, "hour", (12.5, y), (15.6, y))  # its end
    brushed(app, hour=(8, 16))
    y = middle(app, "month")
    drag(app, "month", (11, y), (6, y))
    brushed(app, hour=(8, 16), month=(6, 12))
    app.page.mouse.move(*at(app, "month", 2, y))
    app.page.keyboard.press("Escape")
    brushed(app, hour=(8, 16))
    click(app, "hour", 1, twice=True)
    brushed(app)
    assert app.js("lv.box('hour').visible") is False


def test_sets_by_clicking(app):
    click(app, "kind", 1)
    brushed(app, kind={"b"})
    app.page.keyboard.down("Shift")
    click(app, "kind", 3)
    brushed(app, kind={"b", "d"})
    click(app, "kind", 1)
    app.page.keyboard.up("Shift")
    brushed(app, kind={"d"})
    click(app, "kind", 0)
    click(app, "kind", 2)  # quick clicks on two bars are no double click on one
    brushed(app, kind={"c"})
    app.page.wait_for_timeout(800)  # or the click before would be one of the two
    click(app, "kind", 2, twice=True)
    brushed(app)


def test_boxes_and_lassos_on_the_map(app):
    drag(app, "place", (0.2, 0.2), (0.64, 0.49))
    brushed(app, place=(1, 4, 1, 3))
    app.js("lv.figure('place').toolbar.tools.find((t) => t.type === 'BoxSelectTool').active = false")
    app.js("lv.figure('place').toolbar.tools.find((t) => t.type === 'LassoSelectTool').active = true")
    drag(app, "place", (0.05, 0.95), (0.95, 0.95), (0.95, 0.7), (0.05, 0.7))
    mask = np.zeros((6, 6), bool)
    mask[:, 4:] = True  # cells whose centres lie inside: above 0.7
    brushed(app, place=mask.ravel())
    assert app.js("lv.box('place').visible") is False
    app.page.keyboard.press("Escape")
    brushed(app)


def test_a_bar_is_dragged_without_a_message(app):
    before = app.js("lv.bars('month')")
    app.page.mouse.move(*at(app, "month", 4, before["top"][4]))
    app.page.mouse.down()
    app.js("lv.count_messages()")
    wanted = before["top"][4] * 0.5
    app.page.mouse.move(*at(app, "month", 5.3, wanted), steps=10)
    assert app.js("lv.ghost('month')")[0] == pytest.approx(wanted, rel=0.02)
    assert app.js("lv.sent") == 0
    app.page.mouse.up()
    app.wait("document.title.includes('value')")
    asked = json.loads(app.js("document.title"))
    assert (asked["view"], asked["bin"]) == ("month", 4)
    assert asked["value"] == pytest.approx(wanted, rel=0.02)
    assert app.js("lv.bars('month')") == before


VIEWS = "Object.keys(lv.axis).map((name) => Bokeh.index.find_one(lv.figure(name)))"
COUNT = f"""
() => {{
  lv.painted = []
  lv.heard = 0
  for (const view of {VIEWS}) {{
    const paint = view._paint_primary
    view._paint_primary = (...args) => {{
      lv.painted.push(view.model.below[0].axis_label)
      return paint.apply(view, args)
    }}
  }}
  const own = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data"), seen = new Set()
  Object.defineProperty(MessageEvent.prototype, "data", {{get() {{
    const data = own.get.call(this)
    if (!seen.has(this) && typeof data === "string" && data.includes('"PATCH-DOC"')) lv.heard += 1
    seen.add(this)
    return data
  }}}})
}}
"""


def test_what_a_brush_moves_is_repainted_alone(page, board):
    """Private names of Bokeh: without them axes are measured, and painted, at every move."""
    page.page.add_init_script(HELPERS)
    page.open(board.url)
    page.wait(f"{VIEWS}.length >= 4 && {VIEWS}.every((v) => Object.hasOwn(v, '_invalidate_layout_if_needed'))")
    assert page.js(f"{VIEWS}.every((v) => typeof Object.getPrototypeOf(v)._invalidate_layout_if_needed === 'function')")
    lifted = "v.model.renderers.filter((r) => r.level === 'overlay' && 'needs_clip' in v.views.get_one(r))"
    assert page.js(f"{VIEWS}.every((v) => {lifted}.length >= 3)")
    y = middle(page, "hour")
    drag(page, "hour", (5.2, y), (9.1, y))
    brushed(page, hour=(5, 10))
    page.page.wait_for_timeout(600)  # until axes fit
    page.js(COUNT)
    before = page.js("lv.bars('month').answer")
    page.page.mouse.move(*at(page, "hour", 7, y))
    page.page.mouse.down()
    page.page.mouse.move(*at(page, "hour", 8, y))
    page.wait("before => lv.bars('month').answer.some((a, i) => a !== before[i])", before)
    assert page.js("lv.painted") == []
    assert page.js("lv.heard") <= 2  # the answers, and the page's title
    page.page.mouse.up()


def test_a_drag_along_the_bars_is_a_brush_also_from_a_top(app):
    tops = app.js("lv.bars('hour').top")
    start, stop = at(app, "hour", 4, tops[4]), at(app, "hour", 9, tops[4])
    app.page.mouse.move(*start)
    app.page.mouse.down()
    app.page.mouse.move(stop[0], start[1] + 2, steps=6)
    app.page.mouse.up()
    brushed(app, hour=(4, 10))
    assert app.js("lv.ghost('hour')") == []


def test_escape_in_the_middle_of_a_drag_clears(page, board):
    page.page.add_init_script(HELPERS)
    page.open(board.url)
    page.wait(f"{VIEWS}.length >= 4 && {VIEWS}.every((v) => Object.hasOwn(v, '_invalidate_layout_if_needed'))")
    y = middle(page, "hour")
    mouse = page.page.mouse
    mouse.move(*at(page, "hour", 2, y))
    mouse.down()
    mouse.move(*at(page, "hour", 6, y), steps=5)
    page.wait("document.title.includes('hour')")
    page.page.keyboard.press("Escape")
    mouse.move(*at(page, "hour", 15, y), steps=5)
    mouse.up()
    brushed(page)
    drag(page, "hour", (2.2, y), (6.1, y))
    brushed(page, hour=(2, 7))


def test_a_brush_that_is_moved_against_the_edge_keeps_its_width(page, board):
    page.page.add_init_script(HELPERS)
    page.open(board.url)
    page.wait(f"{VIEWS}.length >= 4 && {VIEWS}.every((v) => Object.hasOwn(v, '_invalidate_layout_if_needed'))")
    y = middle(page, "hour")
    drag(page, "hour", (12, y), (16, y))
    brushed(page, hour=(12, 17))
    drag(page, "hour", (14, y), (26, y))
    brushed(page, hour=(19, 24))
    drag(page, "hour", (21, y), (-4, y))
    brushed(page, hour=(0, 5))
