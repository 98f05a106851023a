"""Graphs: layout and bundling beside networkx and Datashader; in a page, panning 20,000 edges and lighting rows."""

import time

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from browser import bokeh_serve
from snowcat_page import HELPERS, opened
from test_snowcat import WATCH, lit_everywhere

from learnviews.kernels.search.bundling import bundled
from learnviews.kernels.search.graph_layout import layout

pytestmark = pytest.mark.benchmark
BLOCKS = 8
# From a move of the mouse that pans until the figure is painted, and between two frames of the page.
PANNED = """
() => {
  window.pans = []
  window.frames = []
  let moved = null, last = null
  const figure = snow.figures("graph")[0]
  window.addEventListener("pointermove", (event) => { moved = event.timeStamp }, {capture: true})
  Bokeh.index.find_one(figure).repainted.connect(() => {
    if (moved === null) return
    const started = moved
    moved = null
    requestAnimationFrame(() => setTimeout(() => pans.push(performance.now() - started), 0))
  })
  const tick = (now) => { if (last !== null) frames.push(now - last); last = now; requestAnimationFrame(tick) }
  requestAnimationFrame(tick)
}
"""


def blocks():
    """4,000 nodes in eight blocks, about 20,000 edges."""
    graph = nx.random_partition_graph([500] * BLOCKS, 0.019, 0.0004, seed=1)
    graph.graph.clear()  # its lists of nodes can be in no file
    return graph


def test_layout_and_bundling(table):
    """Seconds, after a first call that compiles."""
    graph = blocks()
    ends = np.array(graph.edges)
    layout(200, ends[(ends < 200).all(axis=1)])
    case = f"Graph of {len(graph):,} nodes and {len(ends):,} edges"
    start = time.perf_counter()
    places = layout(len(graph), ends)
    table.add(f"{case}: layout", "LearnViews", time.perf_counter() - start)
    start = time.perf_counter()
    nx.spring_layout(graph, seed=0, iterations=5, method="force")
    table.add(f"{case}: layout", "networkx spring_layout, 5 of its 50 rounds", time.perf_counter() - start)
    start = time.perf_counter()
    bundled(places, ends)
    table.add(f"{case}: bundling", "LearnViews", time.perf_counter() - start)
    from datashader.bundling import hammer_bundle

    nodes = pd.DataFrame(places, columns=["x", "y"])
    edges = pd.DataFrame(ends, columns=["source", "target"])
    hammer_bundle(nodes[:50], edges[(ends < 50).all(axis=1)])
    start = time.perf_counter()
    hammer_bundle(nodes, edges)
    table.add(f"{case}: bundling", "Datashader hammer_bundle", time.perf_counter() - start)


def test_pan_and_light(table, chromium, tmp_path, monkeypatch):
    """The card “Graph” of 20,000 edges is dragged; then nodes are pointed at, with table and histograms beside it."""
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))
    graph = blocks()
    for node in graph:
        graph.nodes[node]["block"] = f"block {node // 500}"
    nx.write_graphml(nx.Graph(graph), tmp_path / "large.graphml")
    tab = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    tab.add_init_script(HELPERS)
    case = f"Snowcat: card of a graph of {graph.number_of_edges():,} edges"
    with bokeh_serve("snowcat", str(tmp_path / "large.graphml")) as server:
        opened(tab, server.url)
        start = time.perf_counter()
        tab.locator(".tile").first.click()
        raster = "snow.sources('graph').some((each) => each.name === 'layer raster' && each.data.image.length)"
        tab.wait_for_function(f"snow.card('graph') && {raster}", timeout=120_000)
        table.add(case, "click on the data set until it is drawn, with straight edges", time.perf_counter() - start)
        tab.wait_for_function("!snow.text('graph').includes('…')", timeout=120_000)
        table.add(case, "until it is bundled", time.perf_counter() - start)
        tab.evaluate("snow.card('graph').scrollIntoView({block: 'center'})")
        tab.wait_for_timeout(3000)
        _pan(table, tab, case)
        _light(table, tab, case)
    tab.context.close()


def _pan(table, tab, case):
    box = tab.locator('.card[data-name="graph"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.evaluate(PANNED)
    tab.mouse.move(x, y)
    tab.mouse.down()
    for step in range(90):
        tab.mouse.move(x + 120 * np.sin(step / 14), y + 60 * np.sin(step / 9))
        tab.wait_for_timeout(16)
    tab.mouse.up()
    tab.wait_for_timeout(500)
    for name in ("pans", "frames"):
        spent = np.array(tab.evaluate(name)) / 1e3
        what = "from a move until it is painted" if name == "pans" else "between two frames"
        table.add(case, f"panning, {what}, p50", float(np.median(spent)))
        table.add(case, f"panning, {what}, p95", float(np.quantile(spent, 0.95)))


def _light(table, tab, case):
    tab.evaluate(WATCH)
    box = tab.locator('.card[data-name="graph"]').bounding_box()
    rng = np.random.default_rng(0)
    x = box["x"] + box["width"] * rng.uniform(0.3, 0.7, 45)
    y = box["y"] + box["height"] * rng.uniform(0.4, 0.7, 45)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    lit_everywhere(tab, places[:5])
    spent = lit_everywhere(tab, places[5:])
    cards = tab.evaluate("snow.cards().length")
    table.add(
        case, f"a node is pointed at until all {cards} cards are painted, {len(spent)} moves, p50", np.median(spent)
    )
    table.add(case, "p95", float(np.quantile(spent, 0.95)))
