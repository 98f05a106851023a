"""The NNCubes app in a browser: a move of a brush until all views are painted anew, over loopback."""

import time

import numpy as np
import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS, place

from learnviews.kernels import cube

pytestmark = pytest.mark.benchmark
FOUR = ("month", "hour", "delay", "dest")
# From the pointer's own time stamp to the frame in which the last view was painted.
WATCH = """
() => {
  window.moves = {spent: [], started: null, painted: 0}
  const watched = nn.figures().filter((figure) => !figure.title.text.startsWith("scheduled hour"))
  const left = new Set()
  window.addEventListener("pointermove", (event) => { moves.pointer = event.timeStamp }, {capture: true})
  const brushes = nn.all("ColumnDataSource").filter((source) => Object.keys(source.data).join() === "bin")
  for (const brush of brushes) brush.properties.data.change.connect(() => {
    moves.started = moves.pointer
    left.clear()
    for (const figure of watched) left.add(figure)
  })
  for (const figure of watched) Bokeh.index.find_one(figure).repainted.connect(() => {
    if (moves.started === null || !left.delete(figure) || left.size > 0) return
    const {started} = moves
    moves.started = null
    requestAnimationFrame(() => setTimeout(() => moves.spent.push(performance.now() - started), 0))
  })
}
"""


class App:
    """A page, as `nncubes_page` takes it."""

    def __init__(self, page) -> None:
        self.page = page

    def js(self, expression, *args):
        return self.page.evaluate(expression, *args)


def drag(app, count, pause):
    """Milliseconds of every move of one long drag that widens and narrows a range of hours."""
    app.js("() => { moves.spent.length = 0 }")
    y = app.js("nn.height('scheduled hour')") * 0.03
    ends = [place(app, "scheduled hour", 6 + k, y) for k in (*range(1, 16), *range(14, 0, -1))]
    mouse = app.page.mouse
    mouse.move(*place(app, "scheduled hour", 6, y))
    mouse.down()
    for k in range(count):
        mouse.move(*ends[k % len(ends)])
        time.sleep(pause)
    app.page.wait_for_timeout(500)
    mouse.up()
    app.page.keyboard.press("Escape")
    app.page.wait_for_timeout(500)
    return list(app.js("moves.spent"))[3:]


@pytest.mark.parametrize("names", [None, FOUR], ids=["7 attributes", "4 attributes"])
def test_brushing(table, chromium, tmp_path, names):
    frame, schema = cube.flights()
    if names is not None:
        schema = cube.Schema(*(schema[name] for name in names))
    case = f"NNCubes app ({len(schema.names)} attributes, Chromium over loopback, software rendering)"
    model = cube.fit(cube.ExactCube.from_frame(frame, schema), rank=64, steps=2000, rng=0)
    model.save(tmp_path / "flights.cube.npz")
    with bokeh_serve("nncubes", str(tmp_path)) as server:
        tab = chromium.new_page(viewport={"width": 1280, "height": 800})
        tab.add_init_script(HELPERS)
        tab.goto(server.url)
        tab.wait_for_function("window.Bokeh && nn.ready()", timeout=60_000)
        tab.wait_for_timeout(1000)
        app = App(tab)
        app.js(WATCH)
        drag(app, 30, 0.1)  # warm
        spent = np.array(drag(app, 120, 0.15)) / 1e3
        table.add(case, "brush move until all views are painted, median", float(np.median(spent)))
        table.add(case, "brush move until all views are painted, 95%", float(np.quantile(spent, 0.95)))
        flow = np.array(drag(app, 240, 0.0)) / 1e3
        table.note(case, f"moves without a pause: {len(flow)} of 240 painted, the others were overtaken")
        table.add(case, "the same without a pause between moves, median", float(np.median(flow)))
        tab.context.close()
