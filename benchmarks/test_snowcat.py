"""The Snowcat app in a browser, over loopback: how soon models are there, how soon a row that is pointed at is lit
everywhere, and whether a page answers while two processes train."""

import time

import numpy as np
import pytest
from browser import bokeh_serve
from snowcat_large import long_table
from snowcat_page import HELPERS, opened

from learnviews.kernels import search

pytestmark = pytest.mark.benchmark
TABLES = ("iris", "wine", "breast_cancer", "diabetes", "digits")
ROWS, MILLION = 10_000, 1_000_000
# From the change of what is pointed at in one figure until every other figure that changed is painted.
WATCH = """
() => {
  window.lights = {started: null, last: null}
  const painted = () => {
    if (lights.started === null) return
    const started = lights.started
    requestAnimationFrame(() => setTimeout(() => { lights.last = performance.now() - started }, 0))
  }
  for (const figure of snow.figures()) Bokeh.index.find_one(figure).repainted.connect(painted)
}
"""
MOVED = """
() => {
  lights.last = lights.started = null
  window.addEventListener("pointermove", (event) => { lights.started = event.timeStamp }, {capture: true, once: true})
}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A server's home without anything in it."""
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tab(chromium):
    """A page of 1280 x 800."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    made = context.new_page()
    made.add_init_script(HELPERS)
    yield made
    context.close()


def test_first_model(table, tab, home):
    """One click on "Find models" of a set that was not opened before, until a row of the leaderboard is there."""
    case = "Snowcat: click on a data set until its first model is on screen"
    with bokeh_serve("snowcat") as server:
        for name in TABLES:
            opened(tab, server.url)
            start = time.perf_counter()
            tab.locator(f'[data-do*="find"][data-do*="{name}"]').first.click()
            tab.wait_for_function("snow.models().some((number) => number > 0)", timeout=60_000)
            table.add(case, name, time.perf_counter() - start)
            tab.locator(".step").nth(3).click()
            tab.locator('[data-do*="pause"]').first.click()
            tab.wait_for_function("!document.querySelector('[data-do*=pause]')", timeout=60_000)


def lit_everywhere(tab, places, settle=0.6):
    """Milliseconds from each move of the pointer until the last figure was painted."""
    spent = []
    for x, y in places:
        tab.evaluate(MOVED)
        tab.mouse.move(x, y)
        tab.wait_for_timeout(int(settle * 1000))
        found = tab.evaluate("lights.last")
        if found is not None:
            spent.append(found / 1e3)
    return spent


def test_cross_highlight(table, tab, home, tmp_path):
    """Bars of a histogram are pointed at, one after the other, while the cards of Compare are open."""
    case = f"Snowcat: a bar is pointed at until all open cards are painted, {ROWS:,} rows"
    long_table(ROWS).to_csv(tmp_path / "wide.csv", index=False)
    study = search.Study(tmp_path / "wide.csv", search.Problem("target"), tmp_path / "study", seconds=30, workers=2)
    list(study.run())
    study.close()
    with bokeh_serve("snowcat", str(tmp_path / "study")) as server:
        opened(tab, server.url)
        tab.locator(".tile").first.click()
        tab.wait_for_function("!document.querySelectorAll('.step')[4].disabled", timeout=60_000)
        tab.locator(".step").nth(4).click()
        tab.wait_for_function("snow.cards().length > 3 && snow.figures().length > 2", timeout=60_000)
        for name in ("table", "columns"):
            snow_add(tab, name)
        tab.wait_for_function("snow.bars('columns').length > 60", timeout=60_000)
        tab.wait_for_timeout(5000)  # other cards still draw their intervals
        tab.evaluate(WATCH)
        places = tab.evaluate("snow.bars('columns')")
        lit_everywhere(tab, places[:5])
        spent = lit_everywhere(tab, places[5:65])
        cards = tab.evaluate("snow.cards().length")
        table.add(case, f"{cards} cards, {len(spent)} moves, p50", float(np.median(spent)))
        table.add(case, "p95", float(np.quantile(spent, 0.95)))


def snow_add(tab, name):
    """Add a card."""
    tab.locator("#add-button").click()
    tab.locator(f'#offered [data-name="{name}"]').click()
    tab.wait_for_function("name => snow.cards().includes(name)", arg=name)


def test_a_million_rows(table, tab, home, tmp_path):
    """Data cards of a table of 20 columns."""
    case = f"Snowcat: data cards, {MILLION:,} rows x 20 columns"
    long_table(MILLION).to_parquet(tmp_path / "million.parquet")
    with bokeh_serve("snowcat", str(tmp_path / "million.parquet")) as server:
        opened(tab, server.url)
        start = time.perf_counter()
        tab.locator(".tile").first.click()
        tab.wait_for_function("document.querySelector('.tile[aria-pressed=true]')", timeout=120_000)
        table.add(case, "click until the table is read", time.perf_counter() - start)
        start = time.perf_counter()
        tab.wait_for_function("snow.figures('columns').length > 0 && snow.bars('columns').length > 20", timeout=60_000)
        table.add(case, "from then until the first paint of all histograms", time.perf_counter() - start)
        tab.wait_for_timeout(2000)
        tab.evaluate(WATCH)
        places = tab.evaluate("snow.bars('columns')")
        lit_everywhere(tab, places[:3], 1.0)
        spent = lit_everywhere(tab, places[3:33], 1.0)
        table.add(case, f"cross-highlight, {len(spent)} moves, p50", float(np.median(spent)))
        table.add(case, "cross-highlight, p95", float(np.quantile(spent, 0.95)))


def test_input_while_training(table, tab, home):
    """Keys that are typed into the leaderboard's page while two workers train: delay until the next paint."""
    case = "Snowcat: input delay while two workers train (two cores)"
    with bokeh_serve("snowcat") as server:
        opened(tab, server.url)
        tab.locator('[data-do*="find"][data-do*="digits"]').first.click()
        tab.wait_for_function("snow.models().length > 2", timeout=60_000)
        tab.evaluate("""() => {
            window.delays = []
            window.addEventListener("pointerdown", (event) => {
              requestAnimationFrame(() => setTimeout(() => delays.push(performance.now() - event.timeStamp), 0))
            }, {capture: true})
        }""")
        for _ in range(60):
            tab.mouse.click(640, 20)
            tab.wait_for_timeout(150)
        spent = np.array(tab.evaluate("delays")) / 1e3
        table.add(case, "p50", float(np.median(spent)))
        table.add(case, "p95", float(np.quantile(spent, 0.95)))
        answers = []
        for step in [1, 3] * 8:  # to another step and back: the server draws other cards
            start = time.perf_counter()
            tab.locator(".step").nth(step).click()
            tab.wait_for_function(
                "step => document.querySelectorAll('.step')[step].getAttribute('aria-current') === 'step'", arg=step
            )
            answers.append(time.perf_counter() - start)
            tab.wait_for_timeout(200)
        table.add(case, "the server's answer to a click on a step, p50", float(np.median(answers)))
        table.add(case, "the server's answer, p95", float(np.quantile(answers, 0.95)))
