"""The RNNbow app in a browser: first page, hover, selecting a batch, and an overview of a million batches."""

import time

import numpy as np
import pandas as pd
import pytest
from browser import bokeh_serve
from rnnbow_page import HELPERS, record

import learnviews as lv
from learnviews.grammar.operations import loudest
from learnviews.kernels import rnn

pytestmark = pytest.mark.benchmark
MILLION = 1_000_000
CASE = "RNNbow app (300 batches, Chromium, software rendering)"


def script_seconds(tab, act, count):
    """Seconds of script in the page per action, by the browser's own count."""
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("Performance.enable")

    def spent():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "ScriptDuration")

    before = spent()
    for number in range(count):
        act(number)
    return (spent() - before) / count


def long_recording(path, batches):
    """A real recording of very short sequences, continued with synthetic rows."""
    corpus = rnn.Corpus.embedded()
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet("tanh", symbols, 2, symbols)
    with rnn.Recording.create(path, net, corpus, lags=2) as recording:
        rnn.Trainer(net, corpus, length=4, record=recording, every=1).run(10)
        columns = np.random.default_rng(0).gamma(4, 8, (batches, 4))
        rows = ((i, i * 100, i * 25, *columns[i].tolist()) for i in range(10, batches))
        recording._connection.executemany("INSERT INTO overview VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        copies = "SELECT o.batch, b.data, b.noise FROM overview o, batch b WHERE o.batch >= 10 AND b.batch = 7"
        recording._connection.execute(f"INSERT INTO batch {copies}")
    return path


def pan(tab, x, y, by):
    """Drag the overview; seconds from the end of the drag until the bars of the new view are there."""
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.evaluate("() => { window.before = lv.bars().batch }")
    tab.mouse.move(x + by, y, steps=4)
    started = time.perf_counter()
    tab.mouse.up()
    tab.wait_for_function("lv.bars().batch !== window.before", polling=5)
    spent = time.perf_counter() - started
    tab.wait_for_timeout(300)
    return spent


def test_pages_and_selection(benchmark, table, chromium, tmp_path):
    path = record(tmp_path / "figures.rnnbow", steps=30_000, every=100)
    started = time.perf_counter()
    with bokeh_serve("rnnbow", str(path)) as server:
        table.add(CASE, "server says it runs", time.perf_counter() - started)
        for label in ("first page, until drawn", "second page", "third page"):
            tab = chromium.new_page(viewport={"width": 1280, "height": 800})
            tab.add_init_script(HELPERS)
            started = time.perf_counter()
            tab.goto(server.url)
            tab.wait_for_function("window.Bokeh && lv.ready() && lv.text().includes('of 300')")
            table.add(CASE, label, time.perf_counter() - started)
            if label != "third page":
                tab.context.close()
        places = [tab.evaluate("loss => lv.screen('flow', ...lv.segment(loss))", loss) for loss in range(24)]

        def point(number):
            place = places[number % len(places)]
            tab.mouse.move(place["x"], place["y"])
            tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

        idle = script_seconds(tab, lambda _: tab.evaluate("1"), 40)
        moves = [script_seconds(tab, point, 24) for _ in range(5)]
        assert tab.evaluate("lv.lit().length") > 0
        table.add(CASE, "hover, script and drawing per move", float(np.median(moves)) - idle)
        repaint = tab.evaluate(
            """async () => {
              const spent = [], number = lv.model("number")
              for (let i = 0; i < 60; i++) {
                const before = lv.signature(), start = performance.now()
                number.value = 299 - 4 * i - 1
                while (lv.signature() === before) await new Promise((r) => setTimeout(r, 1))
                await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)))
                spent.push(performance.now() - start)
              }
              return spent
            }"""
        )
        table.add(CASE, "select a batch until repainted, median", float(np.median(repaint)) / 1e3)
        table.add(CASE, "select a batch until repainted, 95%", float(np.quantile(repaint, 0.95)) / 1e3)
    tab.context.close()
    benchmark.pedantic(lambda: None, rounds=1)


def test_choosers_and_units(benchmark, table, chromium, tmp_path):
    """A two-layer LSTM: another gate, gates and units, another order, a unit's own bars."""
    path = record(tmp_path / "deep.rnnbow", steps=6000, every=20, cell="lstm", layers=2)
    case = "RNNbow app (LSTM, 2 layers, 300 batches, Chromium)"
    with bokeh_serve("rnnbow", str(path)) as server:
        tab = chromium.new_page(viewport={"width": 1280, "height": 800})
        tab.add_init_script(HELPERS)
        tab.goto(server.url)
        tab.wait_for_function("window.Bokeh && lv.ready() && lv.text().includes('of 300')")

        def spent(label, acts, seen):
            """Median seconds from an action in the page until what it changes is there."""
            found = []
            for act in acts:
                tab.evaluate("(seen) => { window.before = eval(seen) }", seen)
                started = time.perf_counter()
                tab.evaluate(act)
                tab.wait_for_function(f"({seen}) !== window.before && ({seen}) !== undefined", polling=5)
                found.append(time.perf_counter() - started)
                tab.wait_for_timeout(300)
            table.add(case, label, float(np.median(found)))

        gates = [f"() => {{ lv.chooser('gate').value = '{gate}' }}" for gate in "ifgoifgo"]
        spent("choose a gate until the bars are repainted, median", gates, "lv.signature()")
        spent("open the panel of gates and units", ["() => { lv.model('panel').active = 1 }"], "lv.figure('units')?.id")
        spent("choose a gate until the units are repainted, median", gates, "lv.caption_above(lv.figure('units'))")
        orders = [f"() => {{ lv.order().value = '{order}' }}" for order in ("change", "norm", "share") * 3]
        spent("order the units anew, median", orders, "lv.caption_above(lv.figure('units'))")
        units = [f"() => {{ lv.unit().value = '{unit}' }}" for unit in range(8)]
        spent("a unit's own bars, of the same batch, median", units, "lv.said().includes('alone') && lv.signature()")
    tab.context.close()
    benchmark.pedantic(lambda: None, rounds=1)


def test_panning_a_million_batches(benchmark, table, chromium, tmp_path):
    path = long_recording(tmp_path / "million.rnnbow", MILLION)
    case = "overview of 1,000,000 batches, Chromium"
    with bokeh_serve("rnnbow", str(path)) as server:
        tab = chromium.new_page(viewport={"width": 1280, "height": 800})
        tab.add_init_script(HELPERS)
        started = time.perf_counter()
        tab.goto(server.url)
        tab.wait_for_function("window.Bokeh && lv.ready() && lv.text().includes('of 1,000,000')", timeout=60_000)
        table.add(case, "page until drawn", time.perf_counter() - started)
        box = tab.evaluate("[lv.screen('overview', 500_000, 0), lv.screen('overview', 400_000, 0)]")
        x, y = box[0]["x"], box[0]["y"] - 30
        for label, wheel in (("nearly half", 4), ("5,000", 20), ("500", 10)):
            tab.mouse.move(x, y)
            for _ in range(wheel):
                tab.mouse.wheel(0, -120)
                tab.wait_for_timeout(60)
            spent = [pan(tab, x, y, 40 if i % 2 else -40) for i in range(12)]
            table.add(case, f"pan, {label} in view, until redrawn, median", float(np.median(spent)))
    tab.context.close()
    benchmark.pedantic(lambda: None, rounds=1)


def test_aggregate(measure):
    rng = np.random.default_rng(0)
    batch, value = np.arange(MILLION), rng.gamma(4, 8, MILLION)
    measure("loudest batch per pixel column of 1,000,000", "loudest()", lambda: loudest(batch, value, 1100), 15)


LONG = {
    "in order of change": lambda norm, flow: lv.UnitFlow.from_units(norm, norm**2, by="change"),
    "aggregate_cells, all in view": lambda norm, flow: reduced(flow),
    "aggregate_cells, 5,000 in view": lambda norm, flow: reduced(flow, x_range=(40_000, 45_000)),
}


def reduced(flow, **view):
    return lv.aggregate_cells(flow, width=1100, height=250, dynamic=False, **view)


@pytest.mark.parametrize("label", LONG)
def test_units_of_a_long_training(measure, label):
    norm = np.random.default_rng(0).gamma(2, 1, (100_000, 256)).astype(np.float32)
    flow = lv.UnitFlow.from_units(norm, norm**2)
    reduced(flow)  # compiled
    measure("256 units in 100,000 batches", label, lambda: LONG[label](norm, flow), 5)


def test_patch(measure):
    lv.extension("bokeh")
    import holoviews as hv

    frame = pd.DataFrame({"max_gradient": np.arange(300.0)})
    bars = lv.TrainingOverview(frame)
    plot = hv.renderer("bokeh").get_plot(bars.pick(3))
    measure("patch a mark of the overview", "patch()", lambda: lv.patch(plot, bars.pick(5), fit=False), 60)
