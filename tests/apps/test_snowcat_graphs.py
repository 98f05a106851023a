"""Graphs in the page: nodes that are pointed at, clicked and dragged; models side by side; many edges as an image."""

from concurrent.futures import Future

import networkx as nx
import numpy as np
import pytest
from browser import bokeh_serve
from snowcat_page import HELPERS

from learnviews.apps.snowcat.data_graph_words import graph_lines, size_of
from learnviews.apps.snowcat.shelf import Shelf
from learnviews.apps.snowcat.sources import ENDINGS
from learnviews.kernels import search

LOOKING = """
window.part = (card, name, at = 0) => snow.figures(card)[at].renderers.map((each) => each.data_source)
  .find((source) => source.name === `layer ${name}`)
window.nodes = (card, at = 0) => snow.figures(card)[at].renderers[0].data_source
window.many = (card, name) => snow.figures(card).map((_, at) => {
  const columns = Object.values(part(card, name, at).data)
  return columns.length ? columns[0].length : 0
})
window.place = (card, x, y, at = 0) => {
  const figure = snow.figures(card)[at], view = Bokeh.index.find_one(figure), {x_scale, y_scale} = view.frame
  const box = view.el.getBoundingClientRect()
  return [box.left + x_scale.compute(x), box.top + y_scale.compute(y)]
}
window.spot = (card, node, at = 0) => {
  const {mark, x, y} = nodes(card, at).data, k = Array.from(mark).indexOf(node)
  return place(card, x[k], y[k], at)
}
window.drawn = (card) => snow.card(card) && snow.figures(card).length > 0 &&
  snow.figures(card).every((figure) => (Bokeh.index.find_one(figure)?.frame?.bbox.width ?? 0) > 40)
window.range = (card) => [snow.figures(card)[0].x_range.start, snow.figures(card)[0].x_range.end]
"""
STUDIES = {
    "karate_club": search.Problem("club", "vertexClassification"),
    "karate_club_links": search.Problem("link", "linkPrediction"),
    "les_miserables": search.Problem(None, "communityDetection"),
}


def test_what_the_description_says_of_graphs():
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "b")])
    graph.add_node("c", age=3)
    data = search.load(graph)
    [line] = graph_lines(data)
    assert "3 nodes, 3 edges, directed; 2 unconnected parts; 1 isolated node; 1 loop; 1 parallel edge" in line
    assert "nodes have age" in line and "named by node" in line
    assert size_of(data).endswith("3 nodes, 3 edges") and size_of(search.load_bundled("iris")) == ""
    assert {".gml", ".graphml"} <= set(ENDINGS)


def test_a_folder_of_one_graph_is_read(tmp_path):
    nx.write_graphml(nx.karate_club_graph(), tmp_path / "club.graphml")
    assert len(search.load(tmp_path)) == 34
    nx.write_gml(nx.path_graph(3), tmp_path / "path.gml")
    with pytest.raises(ValueError, match=r"several graphs: club.graphml, path.gml; expected the name of one"):
        search.load(tmp_path)


def test_what_is_drawn_already_is_told_at_once(tmp_path):
    """A layout that a file holds may be there before anybody listens."""
    from types import SimpleNamespace

    from learnviews.apps.snowcat import graph_drawings
    from learnviews.apps.snowcat.graph_drawings import Drawing

    class Now:
        def submit(self, work, *arguments):
            future = Future()
            future.set_result(work(*arguments))
            return future

    [graph] = search.load(nx.karate_club_graph()).graphs.values()
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_drawings, "_thread", Now)
        drawing = Drawing(SimpleNamespace(folder=tmp_path), graph)
        drawing.ask("places", lambda: heard.append(drawing.words()))
        assert heard == [""] and drawing.places.shape == (34, 2) and drawing.paths is None and not drawing.many
        drawing.ask("places", lambda: heard.append("again"))
        assert heard == [""]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with studies of small graphs, and a graph of 20,000 edges."""
    folder = tmp_path_factory.mktemp("graphs")
    large = nx.random_partition_graph([500] * 8, 0.019, 0.0004, seed=1)
    nx.write_edgelist(large, folder / "large.edges", data=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder / "home"))
        shelf = Shelf((str(folder / "large.edges"),))
        for name, problem in STUDIES.items():
            project = shelf.project(name)
            studies = project.folder / "studies"
            studies.mkdir(parents=True)
            study = search.Study(project.data, problem, studies / "1", trials=2, rng=0)
            list(study.run())
            study.close()
        key = next(key for key, source in shelf.sources.items() if source.title == "large.edges")
        with bokeh_serve("snowcat", str(folder / "large.edges")) as server:
            yield server.url, key


@pytest.fixture
def opened(page, served):
    """Opens a step of a data set, and waits for a card."""

    def go(name, step, card):
        page.page.add_init_script(HELPERS + LOOKING)
        study = "&study=1" if step == "compare" else ""
        page.open(f"{served[0]}#data={served[1] if name == 'large' else name}{study}&step={step}")
        page.wait("(card) => drawn(card)", card, timeout=60_000)
        page.js("(card) => snow.card(card).scrollIntoView({block: 'center'})", card)
        return page

    return go


def point(page, card, node, at=0):
    x, y = page.js("([card, node, at]) => spot(card, node, at)", [card, node, at])
    page.page.mouse.move(x + 1, y + 1)
    return x, y


@pytest.mark.ui
def test_a_node_lights_its_row_everywhere_and_the_other_way_round(opened):
    page = opened("karate_club", "data", "graph")
    page.wait("drawn('columns')")
    x, y = point(page, "graph", 33)
    page.wait("many('graph', 'lit')[0] === 1")
    page.wait("Array.from(part('columns', 'lit').data.count ?? []).some((count) => count > 0)")
    page.page.mouse.click(x, y)
    page.wait("document.getElementById('kept-words').textContent.startsWith('1 row')")
    page.wait("many('graph', 'kept')[0] === 1")
    page.page.mouse.move(3, 3)
    page.wait("many('graph', 'lit')[0] === 0")
    page.js("snow.card('columns').scrollIntoView({block: 'center'})")
    bar = page.js("snow.bars('columns')")[-1]
    page.page.mouse.move(*bar)
    page.wait("many('graph', 'lit')[0] > 1")


@pytest.mark.ui
def test_a_node_is_dragged_and_the_picture_is_not(opened):
    page = opened("karate_club", "data", "graph")
    before = page.js("range('graph')")
    x, y = point(page, "graph", 16)
    page.page.mouse.down()
    page.page.mouse.move(x - 40, y - 30, steps=6)
    page.page.mouse.move(x - 60, y - 50, steps=4)
    page.page.mouse.up()
    page.wait("([x, y]) => { const [a, b] = spot('graph', 16); return Math.hypot(a - x, b - y) < 8 }", [x - 60, y - 50])
    assert page.js("range('graph')") == before
    page.wait(
        """() => {
      const {u, v, x0, x1} = part('graph', 'edges').data, at = nodes('graph').data.x[16]
      return Array.from(u).every((node, i) => (node !== 16 || x0[i] === at) && (v[i] !== 16 || x1[i] === at))
    }"""
    )
    x, y = page.js("place('graph', range('graph')[0] + 0.05, 0.02)")
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 60, y - 20, steps=5)
    page.page.mouse.up()
    page.wait("(before) => range('graph')[0] < before[0]", before)


@pytest.mark.ui
def test_models_side_by_side_and_the_training_data(opened):
    page = opened("karate_club", "compare", "graphs")
    figures = page.js("snow.figures('graphs').length")
    assert figures >= 2
    held = page.js("Array.from(nodes('graphs').data.ink).findIndex((ink) => ink !== '#BBBBBB')")
    point(page, "graphs", held)
    page.wait("many('graphs', 'lit').every((many) => many === 1)")
    page.wait("many('confusion matrices', 'lit').every((many) => many === 1)")
    page.page.mouse.move(3, 3)
    page.wait("many('graphs', 'lit').every((many) => many === 0)")
    view = page.page.locator('.card[data-name="graphs"] select').first
    view.select_option("data")
    page.wait("snow.figures('graphs').length === 1 && drawn('graphs')")
    grey = page.js("Array.from(nodes('graphs').data.ink).filter((ink) => ink === '#BBBBBB').length")
    assert grey == 17  # those held out
    view.select_option("1/1")
    page.wait("(grey) => Array.from(nodes('graphs').data.ink).filter((ink) => ink === '#BBBBBB').length === 17", grey)


@pytest.mark.ui
def test_links_are_toggled_and_lit(opened):
    page = opened("karate_club_links", "compare", "graphs")
    every = page.js("many('graphs', 'links')[0]")
    expected = page.page.locator('.card[data-name="graphs"] input[type=checkbox]').first
    expected.uncheck()
    page.wait("(every) => many('graphs', 'links')[0] < every", every)
    expected.check()
    page.wait("(every) => many('graphs', 'links')[0] === every", every)
    middle = page.js(
        """() => {
      const {x0, y0, x1, y1} = part('graphs', 'links').data
      return place('graphs', x0[0] + 0.4 * (x1[0] - x0[0]), y0[0] + 0.4 * (y1[0] - y0[0]))
    }"""
    )
    page.page.mouse.move(*middle)
    page.wait("many('graphs', 'lit').every((many) => many >= 2)")
    page.wait("many('graphs', 'lit_links').every((many) => many >= 1)")


@pytest.mark.ui
def test_communities_have_the_same_colours(opened):
    page = opened("les_miserables", "compare", "graphs")
    inks = [page.js("(at) => Array.from(nodes('graphs', at).data.ink)", at) for at in range(2)]
    first, other = (np.array(each) for each in inks)
    assert len(set(first)) > 2 and (first == other).mean() > 0.5


@pytest.mark.ui
@pytest.mark.slow
def test_many_edges_are_an_image_that_follows(opened):
    page = opened("large", "data", "graph")
    page.wait("many('graph', 'raster')[0] === 1", timeout=60_000)
    page.wait("!snow.text('graph').includes('…')", timeout=60_000)  # bundled by now
    assert page.js("nodes('graph').data.x.length") == 0  # too many to be drawn one by one
    before = page.js("part('graph', 'raster').data.x[0]")
    x, y = page.js("place('graph', 0.5, 0.5)")
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x - 150, y, steps=8)
    page.page.mouse.up()
    page.wait("(before) => part('graph', 'raster').data.x[0] !== before", before)
    for _ in range(20):
        if page.js("nodes('graph').data.x.length"):
            break
        page.page.mouse.wheel(0, -120)
        page.page.wait_for_timeout(300)
    page.wait("nodes('graph').data.x.length > 0")
    shown = page.js(
        """() => {
      const figure = snow.figures('graph')[0], {mark, x, y} = nodes('graph').data
      const inside = (value, range) => value > range.start && value < range.end
      const k = Array.from(x).findIndex((_, i) => inside(x[i], figure.x_range) && inside(y[i], figure.y_range))
      return k < 0 ? null : mark[k]
    }"""
    )
    assert shown is not None
    point(page, "graph", shown)
    page.wait("many('graph', 'lit')[0] === 1")
    assert "edges, undirected" in page.js("snow.text('description')")
