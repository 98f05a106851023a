"""Data sets with graphs: nodes are found by whatever ids there are, rows become nodes or pairs of them."""

import json
import math

import graph_files as toys
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from graph_files import column, d3m, resource

from learnviews.kernels import search
from learnviews.kernels.search import study_files
from learnviews.kernels.search.graph_data import node_columns

NODE = {"resID": "G", "resObject": "node"}


def table(**columns):
    found = pd.DataFrame(columns)
    return pd.concat([pd.Series(range(len(found)), name="d3mIndex"), found], axis=1)


def square(names="abcd"):
    graph = nx.cycle_graph(4)
    return nx.relabel_nodes(graph, dict(enumerate(names)))


@pytest.mark.parametrize("version", ["3.0", "3.3.1", "4.0.0", "4.1.0"])
def test_d3m_graph_whose_nodes_have_attributes(tmp_path, version):
    rows = table(nodeID=[10, 11, 12, 13], label=["x", "y", "x", "y"])
    refers = NODE if version.startswith("3") else {"resID": "G", "resObject": {"nodeAttribute": "nodeID"}}
    columns = [
        column(0, "d3mIndex", "integer", "index"),
        column(1, "nodeID", "integer", "attribute", refers),
        column(2, "label", "categorical", "suggestedTarget"),
    ]
    folder = d3m(tmp_path, rows, columns, [resource("G", "G.gml")], version)
    graph = nx.cycle_graph(5)
    for node, told in graph.nodes(data=True):
        told |= {"nodeID": node + 10, "size": node / 2, "label": "xyxyx"[node]}
    nx.write_gml(nx.relabel_nodes(graph, {n: f"n{n}" for n in graph}), folder / "graphs" / "G.gml")
    data = search.load(folder)
    graph = data.graphs["G"]
    assert node_columns(data) == {"nodeID": "G"} and graph.ids == ["10", "11", "12", "13", "14"]
    assert graph.attributes == ("size",)  # the label would tell the target of all rows
    assert graph.network().degrees.tolist() == [2] * 5
    assert search.Problem("label").check(data).task == "vertexClassification"


def test_the_truth_under_another_name_is_left_out(tmp_path):
    rows = table(node=["a", "b", "c", "d"], kind=["x", "y", "x", None])
    graph = square()
    nx.set_node_attributes(graph, {"a": "x", "b": "y", "c": "x", "d": "y"}, "secret")
    nx.set_node_attributes(graph, {"a": 7, "b": 8, "c": 7, "d": 8}, "code")
    nx.set_node_attributes(graph, {"a": 1.0, "b": 2.0, "c": 1.0, "d": 3.0}, "hint")
    graph.nodes["c"]["hint"] = 4.0
    rows = pd.concat([rows, rows.assign(node=list("efgh"))], ignore_index=True).drop(columns="d3mIndex")
    both = nx.compose(graph, nx.relabel_nodes(graph, dict(zip("abcd", "efgh", strict=True))))
    data = search.load(rows, roles={"kind": "suggestedTarget"}).with_graph(both, "node", "G")
    assert data.graphs["G"].attributes == ("hint",)
    assert any("secret, code of its nodes is the target itself: left out" in note for note in data.notes)


def edge_columns(refers, prefix="undirectedEdge"):
    return [
        column(0, "edgeIndex", "integer", "index"),
        column(1, "one", "integer", f"{prefix}Source", refers),
        column(2, "two", "integer", f"{prefix}Target", refers),
    ]


def edge_list(tmp_path, rows, edges, refers=None, prefix="undirectedEdge", **options):
    refers = refers or {"resID": "learningData", "resObject": {"columnName": "nodeID"}}
    columns = [
        column(0, "d3mIndex", "integer", "index"),
        column(1, "nodeID", "integer", "attribute"),
        column(2, "age", "integer", "attribute"),
        column(3, "label", "categorical", "suggestedTarget"),
    ]
    listed = resource("E", "edges.csv", "edgeList", edge_columns(refers, prefix))
    folder = d3m(tmp_path, rows, columns, [listed], **options)
    frame = pd.DataFrame(edges, columns=["one", "two"]).rename_axis("edgeIndex").reset_index()
    frame.to_csv(folder / "graphs" / "edges.csv", index=False)
    return search.load(folder)


def people(first=1):
    return table(nodeID=np.arange(4) + first, age=[30, 40, 50, 60], label=["x", "y", "x", "y"])


def test_d3m_list_of_edges(tmp_path):
    data = edge_list(tmp_path, people(), [(1, 2), (2, 1), (2, 3)])
    graph = data.graphs["E"]
    assert graph.ids == ["1", "2", "3", "4"] and not graph.directed
    assert len(graph.edges) == 2 and any("1 edges are listed again" in note for note in data.notes)
    assert graph.attributes == ("age",) and graph.nodes["age"].tolist() == [30, 40, 50, 60]  # of all rows
    assert not any("does not have" in note for note in data.notes)  # row 4 has no edge: that is all


def test_directed_list_of_edges(tmp_path):
    data = edge_list(tmp_path, people(), [(1, 2), (2, 1), (2, 3)], prefix="directedEdge")
    assert data.graphs["E"].directed and len(data.graphs["E"].edges) == 3


@pytest.mark.parametrize("first", [0, 1])
def test_nodes_that_are_counted_from_0_here_and_from_1_there(tmp_path, first):
    edges = np.array([(0, 1), (1, 2), (2, 3), (3, 0)]) + (1 - first)
    data = edge_list(tmp_path, people(first), edges)
    graph = data.graphs["E"]
    assert graph.ids == [str(each) for each in people(first)["nodeID"]]
    places = graph.places(data.frame["nodeID"])
    assert graph.network().adjacency.toarray()[places[0]].tolist() == [0, 1, 0, 1]
    assert any(f"E counts nodes from {1 - first}, column nodeID from {first}" in note for note in data.notes)


def test_numbers_are_not_moved_without_need(tmp_path):
    data = edge_list(tmp_path, people(1), [(1, 2), (2, 3), (9, 1)])
    assert data.graphs["E"].ids == ["1", "2", "9", "3", "4"] or set(data.graphs["E"].ids) == {*"12394"}
    assert not any("counts nodes" in note for note in data.notes)


def test_nodes_listed_in_a_table_of_their_own(tmp_path):
    refers = {"resID": "nodes", "resObject": {"columnName": "id"}}
    columns = [
        column(0, "d3mIndex", "integer", "index"),
        column(1, "nodeID", "integer", "key", refers),
        column(2, "label", "categorical", "suggestedTarget"),
    ]
    listing = [column(0, "id", "integer", "index"), column(1, "age", "integer", "attribute")]
    own = {"resID": "nodes", "resPath": "tables/nodes.csv", "resType": "table", "resFormat": ["text/csv"]}
    edges = resource("E", "edges.csv", "edgeList", edge_columns(refers))
    rows = table(nodeID=[1, 2, 3], label=["x", "y", "x"])
    folder = d3m(tmp_path, rows, columns, [{**own, "isCollection": False, "columns": listing}, edges])
    pd.DataFrame({"id": [1, 2, 3, 4], "age": [5, 6, 7, 8]}).to_csv(folder / "tables" / "nodes.csv", index=False)
    pd.DataFrame({"edgeIndex": [0, 1], "one": [1, 4], "two": [2, 3]}).to_csv(
        folder / "graphs" / "edges.csv", index=False
    )
    data = search.load(folder)
    graph = data.graphs["E"]
    assert node_columns(data) == {"nodeID": "E"} and graph.ids == ["1", "2", "3", "4"]
    assert graph.nodes["age"].tolist() == [5, 6, 7, 8] and "age" in data.columns


def test_several_graphs_and_columns_called_as_they_are(tmp_path):
    rows = table(**{"G1.nodeID": [0, 1], "G2.nodeID": [1, 0], "match": [0, 1]})
    columns = [column(at, name, "integer", "attribute") for at, name in enumerate(rows)]
    folder = d3m(tmp_path, rows, columns, [resource("0", "G1.gml"), resource("1", "G2.gml")])
    for name in ("G1.gml", "G2.gml"):
        nx.write_gml(nx.path_graph(3), folder / "graphs" / name)
    data = search.load(folder)
    assert node_columns(data) == {"G1.nodeID": "0", "G2.nodeID": "1"} and set(data.graphs) == {"0", "1"}


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0], ["1", "2", "3", "4"], [" 1", "2 ", 3, 4.0]])
def test_ids_of_mixed_types(values):
    graph = nx.relabel_nodes(nx.cycle_graph(4), {at: str(at + 1) for at in range(4)})
    data = search.load(pd.DataFrame({"who": pd.Series(values, dtype=object), "y": [0, 1, 0, 1]}))
    data = data.with_graph(graph, "who")
    assert data.graphs["graph"].places(data.frame["who"]).tolist() == [0, 1, 2, 3] and not data.notes


def test_unknown_missing_and_repeated_nodes():
    who = pd.Series(["a", "b", "z", None, "a"], dtype=object)
    data = search.load(pd.DataFrame({"who": who, "y": [0, 1, 0, 1, 1]})).with_graph(square(), "who", "ring")
    assert any('"who": 1 rows name no node, the first is row 3' in note for note in data.notes)
    assert any('nodes that ring does not have, the first is "z" in row 2' in note for note in data.notes)
    graph = data.graphs["ring"]
    assert graph.ids == ["a", "b", "c", "d", "z"] and graph.network().degrees[-1] == 0
    assert graph.places(data.frame["who"]).tolist() == [0, 1, 4, -1, 0]
    assert graph.attributes == ()  # rows are no nodes of their own
    with pytest.raises(ValueError, match="no column whom; it has who, y"):
        data.with_graph(square(), "whom")


def test_two_ids_that_are_one():
    graph = nx.Graph([(1, 2), ("1", 2)])
    with pytest.raises(ValueError, match="two nodes have the id '1'"):
        search.load(graph)


def test_edges_that_rows_ask_for():
    data = search.load(pd.DataFrame({"u": ["a", "c", "a"], "v": ["b", "b", "c"], "there": [1, 1, 0]}))
    data = data.with_graph(square(), ["u", "v"], "ring")
    graph = data.graphs["ring"]
    assert graph.asked.sum() == 2 and len(graph.network(known=False).ends) == 2
    assert len(graph.network().ends) == 4
    directed = nx.DiGraph([("a", "b"), ("b", "a")])
    data = search.load(pd.DataFrame({"u": ["a"] * 4, "v": ["b"] * 4})).with_graph(directed, ["u", "v"], "both")
    assert data.graphs["both"].asked.tolist() == [True, False]


def test_links_are_drawn_from_a_graph():
    data = search.load(nx.les_miserables_graph())
    found = search.links(data, rng=3)
    truth = data.graphs["graph"].to_networkx()
    graph = found.graphs["graph"]
    assert found.frame["link"].value_counts().to_dict() == {"1": 127, "0": 127}
    for _, row in found.frame.iterrows():
        assert truth.has_edge(row["node"], row["other"]) == (row["link"] == "1")
    assert not found.frame.duplicated(["node", "other"]).any() and graph.asked.sum() == 127
    assert found.splits.value_counts().to_dict() == {"train": 178, "holdout": 76}
    assert found.frame.equals(search.links(data, rng=3).frame) and not found.frame.equals(search.links(data, 4).frame)
    assert search.Problem("link").check(found).task == "linkPrediction"


def test_links_between_two_sides_and_too_few():
    women = search.load_bundled("davis_women_links")
    sides = women.graphs["davis women"].nodes["side"]
    assert (sides[women.frame["node"]].to_numpy() != sides[women.frame["other"]].to_numpy()).all()
    with pytest.raises(ValueError, match="3 edges are too few to hold some out"):
        search.links(search.load(nx.path_graph(4)))
    with pytest.raises(ValueError, match="nearly all nodes are linked"):
        search.links(search.load(nx.complete_graph(8)))
    with pytest.raises(ValueError, match=r"table: which graph\? it has none"):
        search.links(search.load(pd.DataFrame({"a": [1]})))


def test_graphs_go_with_a_study_and_count_in_fingerprints(tmp_path):
    data = toys.pairs_of_twins(20)
    study_files.write_dataset(tmp_path, data)
    again = study_files.read_dataset(tmp_path)
    assert again.fingerprint() == data.fingerprint()
    for name, graph in data.graphs.items():
        pd.testing.assert_frame_equal(again.graphs[name].edges, graph.edges)
        assert again.graphs[name].ids == graph.ids and again.graphs[name].types == graph.types
    fewer = search.load(data.frame).with_graph(nx.path_graph(20), "left", "one")
    assert fewer.fingerprint() != search.load(data.frame).fingerprint()
    part = data.take(data.frame.index[:5])
    assert part.graphs is data.graphs and part.select(["left", "match"]).graphs is data.graphs


def test_study_files_keep_attributes_and_what_is_asked(tmp_path):
    data = search.links(search.load(nx.les_miserables_graph()))
    study_files.write_dataset(tmp_path, data)
    again = study_files.read_dataset(tmp_path).graphs["graph"]
    np.testing.assert_array_equal(again.asked, data.graphs["graph"].asked)
    assert again.weights().tolist() == data.graphs["graph"].weights().tolist()


def test_broken_graphs_of_d3m(tmp_path):
    rows = table(nodeID=[0, 1], label=["x", "y"])
    columns = [
        column(0, "d3mIndex", "integer", "index"),
        column(1, "nodeID", "integer", "attribute", NODE),
        column(2, "label", "categorical", "suggestedTarget"),
    ]
    folder = d3m(tmp_path, rows, columns, [resource("G", "G.gml")])
    with pytest.raises(FileNotFoundError, match=r"G\.gml: no such file"):
        search.load(folder)
    (folder / "graphs" / "G.gml").write_text("graph [ node [ id 0")
    with pytest.raises(ValueError, match=r"G\.gml: cannot be read as GML"):
        search.load(folder)
    doc = json.loads((folder / "datasetDoc.json").read_text())
    doc["dataResources"][0]["resID"] = "other"
    (folder / "datasetDoc.json").write_text(json.dumps(doc))
    with pytest.raises(ValueError, match='column "nodeID": refers to resource "G", unknown'):
        search.load(folder)


def test_types_of_attributes_and_gaps():
    graph = nx.path_graph(4)
    nx.set_node_attributes(graph, {0: True, 1: False, 2: True, 3: False}, "flag")
    nx.set_node_attributes(graph, {0: "x", 1: "y", 3: "x"}, "kind")
    nx.set_node_attributes(graph, {0: 1, 1: 2.5}, "size")
    data = search.load(graph)
    assert {name: data.columns[name].type for name in data.columns} == {
        "node": "integer",
        "flag": "boolean",
        "kind": "categorical",
        "size": "real",
    }
    network = data.graphs["graph"].network(("flag", "kind", "size"))
    assert network.names == ["flag", "kind", "size"] and np.isfinite(network.values).all()
    assert network.values[2, 2] == 0 and math.isclose(network.values[:2, 2].sum(), 0, abs_tol=1e-12)
