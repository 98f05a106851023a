"""Wanting an answer in the served NNCubes app: the ghost under the pointer, and suggestions after the release."""

import time

import numpy as np
import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS

from learnviews.apps.nncubes import first
from learnviews.kernels import cube

pytestmark = pytest.mark.benchmark
CASE = "NNCubes app, an answer is wanted (flights, 7 views, Chromium over loopback, software rendering)"
KERNEL = "NNCubes, model.invert alone (flights, 64 starts, 6 suggestions)"
BARS = [("month", 3), ("month", 8), ("scheduled hour", 8), ("carrier", 4), ("departure delay", 6)]
SHARES = (0.8, 0.5, 0.65)
# When the pointer moved, when the ghost stood where it should, and when frames came.
WATCH = """() => {
  const seen = window.seen = {moves: [], ghosts: [], frames: [], stop: false}
  const at = () => performance.now()
  document.addEventListener("pointermove", () => seen.moves.push(at()), {capture: true})
  const source = nn.figure("month").renderers.map((r) => r.data_source).find((s) => s && nn.isGhost(s.data))
  source.properties.data.change.connect(() => seen.ghosts.push(at()))
  const frame = () => { seen.frames.push(at()); if (!seen.stop) requestAnimationFrame(frame) }
  requestAnimationFrame(frame)
}"""
GHOST = """() => { nn.isGhost = (d) => Object.keys(d).sort().join() === "bin,bottom,left,right,top" }"""
# Milliseconds from the release until suggestions are painted.
RELEASED = """() => new Promise((done) => {
  const old = nn.model("wanted").text
  document.addEventListener("pointerup", () => {
    const start = performance.now()
    const look = () => {
      const text = nn.model("wanted").text
      if (text !== old && text.includes("data-item")) return setTimeout(() => done(performance.now() - start))
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }, {capture: true, once: true})
  window.armed = true
})"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cubes")
    first.first_model(folder)
    return folder


@pytest.fixture(scope="module")
def tab(models, chromium):
    with bokeh_serve("nncubes", str(models)) as server:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(HELPERS)
        page.goto(server.url)
        page.wait_for_function("window.Bokeh && nn.ready() && nn.text().includes('Everything.')")
        page.evaluate(GHOST)
        yield page
        page.close()


def place(tab, title, x, y):
    found = tab.evaluate("([title, x, y]) => nn.screen(title, x, y)", [title, x, y])
    return found["x"], found["y"]


def test_the_ghost_follows_the_pointer(table, tab):
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("Performance.enable")

    def spent():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "ScriptDuration")

    top = tab.evaluate("nn.top('month', 3)")
    heights = np.abs(np.linspace(-1, 1, 150)) * 0.8 + 0.15
    points = [place(tab, "month", 3, float(top * height)) for height in heights]
    tab.mouse.move(*place(tab, "month", 3, top))
    tab.mouse.down()
    for point in points[:20]:
        tab.mouse.move(*point)
    before = spent()
    for point in points:
        tab.mouse.move(*point)
    script = (spent() - before) / len(points)
    tab.evaluate(WATCH)
    for point in points:
        tab.mouse.move(*point)
    seen = tab.evaluate("() => { seen.stop = true; return seen }")
    tab.keyboard.press("Escape")
    tab.mouse.up()
    moves, ghosts, frames = (np.array(seen[name]) for name in ("moves", "ghosts", "frames"))
    drawn = np.array([ghosts[ghosts >= each].min(initial=np.inf) for each in moves])
    table.add(CASE, "script per move of a dragged bar", script)
    table.add(CASE, "pointer moved until the ghost has, median", float(np.median(drawn - moves)) / 1e3)
    table.add(CASE, "pointer moved until the ghost has, 95%", float(np.quantile(drawn - moves, 0.95)) / 1e3)
    table.add(CASE, "from frame to frame meanwhile, median", float(np.median(np.diff(frames))) / 1e3)
    table.add(CASE, "from frame to frame meanwhile, 95%", float(np.quantile(np.diff(frames), 0.95)) / 1e3)


def test_suggestions_after_the_release(table, tab):
    spent = []
    for title, bin in BARS:
        for share in SHARES:
            tab.keyboard.press("Escape")
            tab.wait_for_function("title => nn.ghosts(title).length === 0", arg=title)
            top = tab.evaluate("([title, bin]) => nn.top(title, bin)", [title, bin])
            tab.mouse.move(*place(tab, title, bin, top))
            tab.mouse.down()
            tab.mouse.move(*place(tab, title, bin, top * share), steps=5)
            tab.evaluate(f"() => {{ window.took = ({RELEASED})() }}")
            tab.mouse.up()
            spent.append(tab.evaluate("() => window.took") / 1e3)
    table.add(CASE, "release until suggestions are painted, median", float(np.median(spent)))
    table.add(CASE, "release until suggestions are painted, 95%", float(np.quantile(spent, 0.95)))


def test_inversion_alone(table, models):
    model = cube.load(models / first.NAME)
    views, spent = model.views(), []
    for name, bin in (("month", 3), ("hour", 8), ("carrier", 4), ("delay", 6), ("dest", int(views["dest"].argmax()))):
        free = [other for other in model.schema.names if other != name]
        for share in SHARES:
            start = time.perf_counter()
            model.invert({(name, bin): float(views[name][bin]) * share}, free=free, n=6)
            spent.append(time.perf_counter() - start)
    table.add(KERNEL, "median", float(np.median(spent)))
    table.add(KERNEL, "95%", float(np.quantile(spent, 0.95)))
