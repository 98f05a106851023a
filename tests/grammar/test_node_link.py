"""Graphs as nodes and links: coloured by what is said of them, dragged, as an image of many, linked to other views."""

from __future__ import annotations

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import learnviews as lv
from learnviews.grammar import NodeLink, NodePlaces
from learnviews.grammar.node_link import KINDS, class_order, ordered
from learnviews.grammar.node_link_looks import CLASSES, MARKERS, node_looks
from learnviews.grammar.node_link_rows import COMMUNITIES
from learnviews.kernels import search


def club():
    return nx.karate_club_graph()


def said_of(data, task, truth, prediction, targets=("club",), split="holdout", positive=None):
    """What a model of a study would be."""
    frame = pd.DataFrame({"truth": truth, "prediction": prediction, "split": split}, data.frame.index)
    problem = SimpleNamespace(task=task, targets=targets, positive=positive)
    return SimpleNamespace(predictions=frame, problem=problem, name="model", data=data)


@pytest.fixture
def linked(renderer):
    element = NodeLink.from_graph(club(), "club", selection=lv.RowSelection(), label="graph")
    return element, renderer.get_plot(element)


@pytest.fixture(scope="module")
def pairs():
    """Pairs of members, half of them friends."""
    return search.links(search.load(club()), rng=0)


@pytest.fixture(scope="module")
def matching():
    """Two graphs whose nodes have other names, and rows that match them."""
    rng = np.random.default_rng(0)
    one, other = nx.path_graph(5), nx.relabel_nodes(nx.path_graph(5), lambda node: f"n{node}")
    frame = pd.DataFrame({"a": rng.permutation(5), "b": [f"n{node}" for node in rng.permutation(5)]})
    frame["match"] = (frame["a"].map(lambda node: f"n{node}") == frame["b"]).map({True: "yes", False: "no"})
    data = search.load(frame, roles={"match": "suggestedTarget"})
    return data.with_graph(one, "a", "one").with_graph(other, "b", "other")


def test_of_a_graph_with_an_attribute():
    found = NodeLink.from_graph(club(), "club")
    assert len(found) == 34 and found.edges.shape == (78, 2) and found.labels == ["Mr. Hi", "Officer"]
    assert found.told(0) == "Mr. Hi" and found.told(33) == "Officer" and list(found.ids[:2]) == ["0", "1"]
    assert found.said(33)[:3] == ["node 33", "club: Officer", "17 edges"]
    plain = NodeLink.from_graph(club())
    assert plain.by == "" and plain.labels == ["nodes"]
    values = NodeLink.from_graph(club(), np.arange(34.0))
    assert not values.labels and values.told(3) == "3"


def test_to_and_from_the_graph_of_holoviews():
    found = NodeLink.from_graph(club(), "club")
    back = NodeLink.from_graph(found.to_graph(), "value")
    np.testing.assert_allclose(back.places, found.places)
    np.testing.assert_array_equal(back.edges, found.edges)
    assert len(NodeLink.from_graph(found.to_graph())) == 34


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: NodeLink.from_graph(club(), "hat"), "nodes have no attribute 'hat'; expected one of: club"),
        (lambda: NodeLink.from_graph(club(), [1, 2]), "a label or number per node, 34, got 2"),
        (lambda: NodeLink.from_data(pd.DataFrame({"a": [1]})), "has no graph to draw"),
        (lambda: NodeLink.from_data(search.load(club()), "other"), "no graph 'other'; it has"),
        (lambda: NodeLink.from_data(search.load(club()), color="hat"), "no column, and no attribute of nodes"),
        (lambda: NodeLink([(0, 0, 0)], edges=np.array([[0, 5]])), "edges as pairs of positions of nodes, from 0 to 0"),
        (lambda: NodeLink([(0, 0, 4)], labels=["a"]), "numbers of labels from -1 to 0"),
        (lambda: NodeLink([(0, 0, 0)], node_places=NodePlaces()), "places of 1 nodes, got 0"),
        (lambda: NodeLink([(0, 0, 0)], shown=("odd",)), "no kind of links 'odd'; there are expected, none"),
        (lambda: NodeLink([(0, 0, 0)], names=np.array(["a", "b"])), "names, wrong and about of all 1 nodes or none"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        wrong()


def test_what_is_no_graph_is_refused():
    with pytest.raises(TypeError, match="a graph cannot be made of int"):
        NodeLink.from_graph(5)


def test_a_row_per_node_and_its_model():
    data = search.load(club()).with_roles({"club": "suggestedTarget"})
    found = NodeLink.from_data(data)
    assert found.by == "club" and list(found.ids) == list(data.frame.index)
    assert NodeLink.from_data(data, color="").by == ""
    groups = NodeLink.from_data(data, color=COMMUNITIES)
    assert 2 <= len(groups.labels) <= 6
    truth = data.frame["club"]
    split = np.where(np.arange(34) < 20, "train", "holdout")
    model = said_of(data, "vertexClassification", truth, "Officer", split=split)
    told = NodeLink.from_model(model, split="holdout")
    assert [told.told(at) for at in (0, 33)] == ["none", "Officer"]
    assert told.wrong.sum() == (truth[20:] == "Mr. Hi").sum()
    assert told.inks == [1]  # the colour that it has where both labels are there
    assert NodeLink.from_model(model, "error").told(33) == "right"
    assert NodeLink.from_model(SimpleNamespace(best=model)).label == "model"
    with pytest.raises(ValueError, match="model: no rows of split 'test'"):
        NodeLink.from_model(model, split="test")
    with pytest.raises(ValueError, match="cannot be coloured by 'age'; expected one of prediction, truth, error"):
        NodeLink.from_model(model, "age")


def test_alike_communities_have_the_same_colours():
    values, others = pd.Series(["b", "b", "a", "a", "c"]), pd.Series(["x", "x", "x", "y", "z"])
    _, labels, inks = ordered(values, None, others)
    assert dict(zip(labels, inks, strict=True)) == {"b": 0, "a": 1, "c": 2}
    assert class_order(pd.Series(["10", "9", "b", None])) == ["9", "10", "b"]
    data = search.load(club())
    model = said_of(data, "communityDetection", None, np.arange(34) % 2 + 5, targets=())
    found = NodeLink.from_model(model, alike=pd.Series(np.where(np.arange(34) % 2, "z", "y"), data.frame.index))
    assert found.by == "community" and found.labels == ["5", "6"] and found.inks == [0, 1]
    assert not found.wrong.any()


def test_many_labels_are_told_apart():
    found = NodeLink.from_graph(nx.path_graph(45), [f"label {at:02}" for at in range(45)])
    inks, markers = node_looks(found)
    looks = set(zip(inks, markers, strict=True))
    assert len(looks) == len(CLASSES) * len(MARKERS) + 1  # and grey for the rest


def test_rows_about_pairs(pairs):
    found = NodeLink.from_data(pairs)
    assert len(found.links) == len(pairs) and found.by == ""
    kinds = [KINDS[kind] for kind in found.kinds]
    assert kinds == ["expected" if link == "1" else "none" for link in pairs.frame["link"]]
    assert len(found.edges) + kinds.count("expected") == 78  # those that are asked for are no plain edges
    first = pairs.frame.iloc[0, :2]
    assert [found.called(node) for node in found.links[0]] == [str(each) for each in first]
    there = found.mask_of([pairs.frame.index[0]])
    assert list(found.links_in(there)) == [0] and set(found.marks[there]) == set(found.links[0])


def test_links_by_what_a_model_makes_of_them(pairs):
    truth = pairs.frame["link"]
    said = truth.copy()
    said[truth == "1"] = np.where(np.arange((truth == "1").sum()) % 3, "1", "0")
    said[truth == "0"] = np.where(np.arange((truth == "0").sum()) % 4, "0", "1")
    found = NodeLink.from_model(said_of(pairs, "linkPrediction", truth, said, ("link",)))
    names = {("1", "1"): "found", ("1", "0"): "missed", ("0", "1"): "wrongly predicted", ("0", "0"): "rightly none"}
    assert [KINDS[kind] for kind in found.kinds] == [names[pair] for pair in zip(truth, said, strict=True)]
    half = said_of(
        pairs, "linkPrediction", truth, said, ("link",), np.where(np.arange(len(truth)) < 40, "train", "holdout")
    )
    known = NodeLink.from_model(half, split="holdout")
    learned = (truth[:40] == "1").sum()
    assert len(known.edges) == len(found.edges) + learned  # what was learned from is an edge as others are
    both = {KINDS[found.kinds[at]] for at in found.drawn_links}
    assert both == {"found", "missed", "wrongly predicted"}
    assert set(found.toggled(expected=False).shown) == {"found", "wrongly predicted"}
    assert set(found.toggled(predicted=False).shown) == {"expected", "found", "missed"}
    assert found.toggled(False, False).shown == () and set(found.toggled(wrong=True).shown) <= {*both}
    assert found.said_of_link(0)[1] == KINDS[found.kinds[0]]


def test_two_graphs_side_by_side(matching, renderer):
    found = NodeLink.from_data(matching, selection=lv.RowSelection())
    assert found.sides == [("one", 5), ("other", 5)] and found.shown == ()
    assert found.start[:5, 0].max() < found.start[5:, 0].min()
    plot = renderer.get_plot(found)
    assert not len(plot.handles["links_source"].data["u"])
    plot.handles["pointed_source"].data = {"mark": [0]}
    lit = plot.handles["lit_links_source"].data
    assert list(lit["u"]) == [0] and len(plot.handles["lit_source"].data["x"]) == 2
    match = matching.frame.set_index("a").loc[int(found.called(0)), "b"]
    assert found.called(lit["v"][0]) == match
    one = NodeLink.from_data(matching, "other")
    assert len(one) == 5 and not one.sides and not len(one.links)


# -- drawn


def test_pointing_lights_and_clicking_keeps(linked):
    element, plot = linked
    plot.handles["pointed_source"].data = {"mark": [7]}
    assert list(element.selection.lit) == ["7"] and element.selection.source == "graph"
    assert plot.handles["lit_source"].data["x"][0] == element.places[7, 0]
    plot.handles["source"].selected.indices = [1, 2]
    assert list(element.selection.kept) == ["1", "2"] and len(plot.handles["kept_source"].data["x"]) == 2
    element.selection.light(["30"], "table")
    assert plot.handles["lit_source"].data["y"][0] == element.places[30, 1]
    texts = list(plot.handles["names_source"].data["text"])
    assert texts == ["club", "● Mr. Hi", "● Officer"]
    assert not len(plot.handles["raster_source"].data["image"])


def test_links_are_pointed_at_and_clicked(pairs, renderer):
    element = NodeLink.from_data(pairs, selection=lv.RowSelection())
    plot = renderer.get_plot(element)
    drawn = plot.handles["links_source"].data["mark"]
    plot.handles["told_links"].data = {"mark": [4]}
    assert list(element.selection.lit) == [element.link_ids[drawn[4]]]
    assert len(plot.handles["lit_source"].data["x"]) == 2 and len(plot.handles["lit_links_source"].data["u"]) == 1
    plot.handles["links_source"].selected.indices = [2]
    plot.handles["source"].selected.indices = []
    assert list(element.selection.kept) == [element.link_ids[drawn[2]]]
    said = plot.handles["links_source"].data["said"][0]
    assert "<br>expected<br>row" in said


def test_a_node_is_dragged_in_all_views(linked, renderer):
    element, plot = linked
    other = renderer.get_plot(element.clone(label="other"))
    plot.handles["dropped"].data = {"mark": [3], "x": [0.25], "y": [0.75]}
    for each in (plot, other):
        assert (each.handles["source"].data["x"][3], each.handles["source"].data["y"][3]) == (0.25, 0.75)
        edges = each.handles["edges_source"].data
        assert (edges["x0"][edges["u"] == 3] == 0.25).all() and (edges["y1"][edges["v"] == 3] == 0.75).all()
    element.selection.light(["3"], "table")
    assert plot.handles["lit_source"].data["x"][0] == 0.25
    with pytest.raises(ValueError, match="a node from 0 to 33 and a finite place, got 99"):
        element.node_places.move(99, 0, 0)
    other.cleanup()
    element.node_places.move(3, 0.1, 0.1)
    assert other.handles["source"].data["x"][3] == 0.25  # its page is closed


def test_names_have_room(linked):
    _, plot = linked
    plot.handles["window"].data = {"at": [0, 0, 1, 1, 900, 700]}
    many = len(plot.handles["labels_source"].data["text"])
    plot.handles["window"].data = {"at": [0, 0, 1, 1, 120, 90]}
    few = plot.handles["labels_source"].data["text"]
    assert many > 25 and len(few) < many and "33" in few  # the one with most edges


def test_many_edges_are_an_image(renderer):
    element = NodeLink.from_graph(club(), "club", selection=lv.RowSelection(), label="graph")
    plot = renderer.get_plot(element.opts(many_edges=20, many_nodes=10))
    [image] = plot.handles["raster_source"].data["image"]
    assert image.dtype == np.uint32 and (image > 0).any()
    assert not len(plot.handles["source"].data["x"]) and not len(plot.handles["edges_source"].data["u"])
    x, y = element.places[5]
    plot.handles["at_place"].data = {"x": [x], "y": [y], "w": [0.001], "h": [0.001]}
    assert list(element.selection.lit) == ["5"]
    assert plot.handles["told_source"].data["text"][0].startswith("node 5\nclub: Mr. Hi")
    plot.handles["tapped_place"].data = {"x": [x], "y": [y], "w": [0.001], "h": [0.001]}
    assert list(element.selection.kept) == ["5"]
    plot.handles["at_place"].data = {"x": [], "y": [], "w": [], "h": []}
    assert not len(element.selection.lit)
    plot.handles["window"].data = {"at": [x - 0.02, y - 0.02, x + 0.02, y + 0.02, 400, 300]}
    assert 5 in plot.handles["source"].data["mark"] and len(plot.handles["source"].data["x"]) <= 10
    assert plot.handles["raster_source"].data["w"][0] == pytest.approx(0.06)
    at = list(plot.handles["source"].data["mark"]).index(5)
    element.selection.clear()
    plot.handles["pointed_source"].data = {"mark": [at]}
    assert list(element.selection.lit) == ["5"]  # by the number of the node, not of the mark


def test_bundled_edges_of_a_dragged_node_are_straight(renderer):
    from learnviews.kernels.search.bundling import bundled

    plain = NodeLink.from_graph(club())
    element = plain.clone(paths=bundled(plain.places, plain.edges)).opts(many_edges=20)
    plot = renderer.get_plot(element)
    before = plot.handles["raster_source"].data["image"][0]
    element.node_places.move(0, 0.9, 0.9)
    assert not np.array_equal(before, plot.handles["raster_source"].data["image"][0])
    assert len(plot._lines(element)[0]) == 78 * (element.paths.shape[1] + 1)


def test_directions_have_heads(renderer):
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    plot = renderer.get_plot(NodeLink.from_graph(graph))
    heads = plot.handles["arrows_source"].data
    assert len(heads["x0"]) == 2
    assert not len(renderer.get_plot(NodeLink.from_graph(graph.to_undirected())).handles["arrows_source"].data["x0"])


def test_other_graphs_in_the_same_plot(linked):
    _, plot = linked
    other = NodeLink.from_graph(nx.path_graph(3), ["a", "b", "a"], selection=lv.RowSelection())
    lv.patch(plot, other)
    assert len(plot.handles["source"].data["x"]) == 3 and len(plot.handles["edges_source"].data["u"]) == 2
    other.selection.keep(["1"], "table")
    assert len(plot.handles["kept_source"].data["x"]) == 1
    lv.patch(plot, NodeLink())
    assert list(plot.handles["names_source"].data["text"]) == ["no nodes"]
    lonely = NodeLink.from_graph(nx.empty_graph(4))
    lv.patch(plot, lonely)
    assert len(plot.handles["source"].data["x"]) == 4


def test_wrong_nodes_are_marked(renderer):
    data = search.load(club())
    model = said_of(data, "vertexClassification", data.frame["club"], "Officer")
    plot = renderer.get_plot(NodeLink.from_model(model))
    assert len(plot.handles["wrong_source"].data["x"]) == 17
    assert plot.handles["names_source"].data["text"][-1] == "✕ wrong: 17"
