"""The stand-alone page of the flights in a browser: script per brush move, and what it computes."""

import numpy as np
import pytest

from learnviews.kernels import cube

pytestmark = pytest.mark.benchmark
CASE = "NNCubes page (flights, 7 views, 484 bars, Chromium from file://, software rendering)"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 5)))"
VIEWS = {"hour": (2, (5.3, 18.6), 0.93), "dest (box)": (6, (-110, -80), None)}
CALLS = {
    "answers of all views": """const range = {kind: "range", start: k % 9, stop: 12 + k % 9}
        page.engine.filter(2, nncubes.maskOf(page.attributes[2], range))
        page.engine.answer(page.aggregate, 2)""",
    "inversion, 64 starts": """nncubes.invert(page.engine, page.aggregate, {view: 2, bin: 8, value: 9000 + 500 * k},
        page.attributes.map(() => null), [0, 1, 3, 4, 5, 6], {seed: k})""",
    "projection of months": """nncubes.project(page.engine, page.aggregate, 0,
        nncubes.selectionsOf(page.attributes[0], page.occupied(0)).map((each) => each.mask))""",
}


def script_seconds(tab, devtools, act):
    """Seconds of script, by the browser's own count, until what the act led to is painted."""

    def spent():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "ScriptDuration")

    before = spent()
    act()
    tab.evaluate(PAINTED)
    return spent() - before


def drag(tab, devtools, view, between, height):
    """Script seconds of every move of one long drag over a view."""
    places = np.concatenate([np.linspace(*between, 40), np.linspace(*between[::-1], 40)])
    at = """([view, x, height]) => {
      const each = nncubes.page.views[view], {y_range} = each.plot.model
      return each.screen(x, height === null ? (y_range.start + y_range.end) / 2 + x % 7 : height * y_range.end)
    }"""
    points = [tab.evaluate(at, [view, float(x), height]) for x in places]
    tab.mouse.move(points[0]["x"], points[0]["y"])
    tab.mouse.down()
    spent = [script_seconds(tab, devtools, lambda p=p: tab.mouse.move(p["x"], p["y"])) for p in points]
    tab.mouse.up()
    return spent[10:]


def test_brushing_inverting_projecting(table, chromium, tmp_path):
    exact = cube.ExactCube.from_frame(*cube.flights())
    path = cube.fit(exact).to_html(tmp_path / "flights.html")
    table.note(CASE, f"file: {path.stat().st_size / 1e6:.2f} MB")
    tab = chromium.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(path.as_uri())
    tab.wait_for_function("window.nncubes?.ready && Bokeh.documents[0].is_idle")
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("Performance.enable")
    for name, (view, between, height) in VIEWS.items():
        drag(tab, devtools, view, between, height)
        tab.keyboard.press("Escape")
        spent = drag(tab, devtools, view, between, height)
        tab.keyboard.press("Escape")
        table.add(CASE, f"brush move over {name}, script with painting, median", float(np.median(spent)))
        table.add(CASE, f"brush move over {name}, script with painting, 95%", float(np.quantile(spent, 0.95)))
    for name, call in CALLS.items():
        spent = tab.evaluate(
            "() => { const {page} = nncubes, spent = []; for (let k = 0; k < 20; k++) {"
            f"const start = performance.now(); {call}; spent.push(performance.now() - start) }} return spent }}"
        )
        table.add(CASE, name, float(np.median(spent)) / 1e3)
    tab.close()
