"""Files of graphs: what they hold is read, and what is wrong in one is told with its place."""

import networkx as nx
import pandas as pd
import pytest
from cases import FEW
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import search
from learnviews.kernels.search.graph_files import read_graph

GML = """graph [
  node [ id 0 label "a" kind "x" size 1.5 ]
  node [ id 1 label "b" kind "y" size 2 ]
  node [ id 7 label "é" kind "x" ]
  edge [ source 0 target 1 weight 2 ]
  edge [ source 1 target 0 weight 3 ]
]
"""


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_gml(tmp_path):
    path = written(tmp_path, "net.gml", GML)
    data = search.load(path)
    graph = data.graphs["net"]
    assert graph.ids == ["a", "b", "é"]  # as label: the ids to read
    assert list(data.columns) == ["node", "kind", "size"] and data.columns["size"].type == "real"
    assert data.frame["kind"].tolist() == ["x", "y", "x"] and data.frame["size"].isna().tolist() == [0, 0, 1]
    (facts,) = search.describe_graphs(data)
    assert (facts.nodes, facts.edges, facts.parallel, facts.isolated, facts.components) == (3, 2, 1, 1, 2)
    assert facts.weighted and not facts.directed and facts.edge_attributes == ("weight",)
    assert facts.attributes == ("kind", "size") and facts.columns == ("node",)
    assert graph.network().weighted.toarray()[0, 1] == 5 and graph.network().adjacency.toarray()[0, 1] == 1
    again = graph.to_networkx()
    assert again.is_multigraph() and again.number_of_edges() == 2 and again.nodes["é"] == {"kind": "x"}


def test_directed_gml_and_loops(tmp_path):
    edges = " edge [ source 1 target 2 ]\n edge [ source 2 target 2 ]\n"
    text = f"graph [\n directed 1\n node [ id 1 ]\n node [ id 2 ]\n{edges}]"
    data = search.load(written(tmp_path, "net.gml", text))
    (facts,) = search.describe_graphs(data)
    assert facts.directed and facts.loops == 1 and data.frame["node"].tolist() == [1, 2]
    assert data.graphs["net"].network().arrows.toarray().tolist() == [[0, 1], [0, 0]]
    assert data.graphs["net"].to_networkx().is_directed()


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph])
def test_graphml(tmp_path, kind):
    graph = kind()
    graph.add_node("n1", colour="red", size=3)
    graph.add_node("n2", colour="blue")
    graph.add_edge("n1", "n2", strength=0.5)
    nx.write_graphml(graph, tmp_path / "net.graphml")
    data = search.load(tmp_path / "net.graphml")
    assert data.frame["node"].tolist() == ["n1", "n2"] and data.frame["colour"].tolist() == ["red", "blue"]
    assert data.graphs["net"].directed == graph.is_directed()
    assert data.graphs["net"].edge_attributes[0] == "strength"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("net.edgelist", "# friends\n1 2\n2 3\n\n3 1 # a triangle\n"),
        ("net.edges", "source,target\n1,2\n2,3\n3,1\n"),
        ("net.edgelist", "% KONECT\n1\t2\n2\t3\n3\t1\n"),
        ("net.csv", "from,to\n1,2\n2,3\n3,1\n"),
        ("net.tsv", "Source\tTarget\tWeight\n1\t2\t1\n2\t3\t1\n3\t1\t1\n"),
    ],
)
def test_lists_of_edges(tmp_path, name, text):
    data = search.load(written(tmp_path, name, text))
    assert sorted(data.frame["node"]) == [1, 2, 3] and data.columns["node"].refers == "net"
    assert len(data.graphs["net"].edges) == 3 and data.graphs["net"].network().degrees.tolist() == [2, 2, 2]


def test_weights_of_edges(tmp_path):
    data = search.load(written(tmp_path, "net.edgelist", "a b 2.5\nb c 1\n"))
    assert data.graphs["net"].weights().tolist() == [2.5, 1]
    data = search.load(written(tmp_path, "net.edges", "a b {'weight': 3}\nb a {'weight': 4}\n"))
    assert data.graphs["net"].network().weighted.toarray().max() == 7
    data = search.load(written(tmp_path, "net.csv", "source,target,weight\na,b,2\nb,c,0\n"))
    assert data.graphs["net"].weights() is None  # one of them is not above 0


def test_which_tables_are_lists_of_edges(tmp_path):
    plain = written(tmp_path, "data.csv", "source,target\nweb,1\nshop,0\nweb,0\nweb,1\n")
    assert not search.load(plain).graphs  # nothing is both source and target
    calls = written(tmp_path, "calls.csv", "caller,callee,minutes\nann,bob,3\nbob,cy,4\n")
    assert not search.load(calls).graphs
    data = search.load(calls, edges=("caller", "callee"), directed=True)
    assert data.graphs["calls"].directed and data.graphs["calls"].edge_attributes == ("minutes",)
    plain = written(tmp_path, "pairs.csv", "source,target\n1,2\n2,3\n")
    assert search.load(plain).graphs and not search.load(plain, edges=False).graphs
    (tmp_path / "one").mkdir()
    assert search.load(written(tmp_path / "one", "net.gml", GML).parent).graphs
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 3]})
    assert search.load(frame, edges=("a", "b")).graphs["graph"].ids == ["1", "2", "3"]
    with pytest.raises(ValueError, match=r"calls\.csv: no columns calee for the ends of edges; it has caller, callee"):
        search.load(calls, edges=("caller", "calee"))
    gap = written(tmp_path, "gap.csv", "a,b\n1,2\n3,\n")
    with pytest.raises(ValueError, match=r'gap\.csv, column "b", row 1: an edge without this end'):
        search.load(gap, edges=("a", "b"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.gml", "", r"a.gml: cannot be read as GML \(it is empty\)"),
        ("a.gml", "graph [\n]\n", "a.gml: a graph without nodes"),
        ("a.gml", "graph [\n node [ id 0 ]\n node [ id 1\n", r"a.gml: cannot be read as GML \(expected "),
        (
            "a.gml",
            "graph [\n node [ id 0 ]\n node [ \n id 1 ]\n node [\n id 1\n ]\n]",
            "node id 1 is duplicated: line 6",
        ),
        (
            "a.gml",
            "graph [\n node [ id 0 ]\n edge [ source 0 target 9 ]\n]",
            "edge #0 has undefined target 9, which is no node's id: line 3",
        ),
        ("a.gml", "[1, 2]", "a.gml: cannot be read as GML"),
        ("a.graphml", "<graphml><graph>", r"a.graphml: cannot be read as GraphML \(line 1, column 16"),
        ("a.graphml", "<graphml></graphml>", "it has no <graph>"),
        (
            "a.graphml",
            '<graphml><graph edgedefault="directed"><node id="a"/><node id="a"/></graph></graphml>',
            "node 'a' is there twice",
        ),
        (
            "a.graphml",
            '<graphml><graph edgedefault="directed"><node id="a"/><edge source="a" target="b"/></graph></graphml>',
            "edge 1 has the target 'b', which is no node's id",
        ),
        ("a.edgelist", "1 2\n3\n", "a.edgelist, line 2: '3' names one node; expected an edge"),
        ("a.edgelist", "# nothing\n", "a.edgelist: a graph without edges; expected a line per edge"),
        ("a.edges", "1 2 {'weight': }\n", "a.edges: cannot be read as a list of edges"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        search.load(written(tmp_path, name, text))


def test_files_that_are_not_there_or_no_text(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.gml: no such file"):
        search.load(tmp_path / "none.gml")
    (tmp_path / "zip.gml").write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(ValueError, match=r"zip\.gml: cannot be read as text"):
        search.load(tmp_path / "zip.gml")
    with pytest.raises(TypeError, match="a graph cannot be made of int"):
        search.load(pd.DataFrame({"a": [1]})).with_graph(3, "a")


def test_graphs_without_edges_are_noted():
    graph = nx.empty_graph(3)
    data = search.load(graph)
    assert any("without edges" in note for note in data.notes) and len(data) == 3


_IDS = st.one_of(
    st.integers(-5, 5), st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=3)
)


@FEW
@given(st.lists(st.tuples(_IDS, _IDS), min_size=1, max_size=12))
def test_any_ids_survive_every_format(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("any")
    graph = nx.Graph()
    graph.add_edges_from((str(u), str(v)) for u, v in pairs)
    nx.write_gml(graph, folder / "a.gml")
    nx.write_graphml(graph, folder / "a.graphml")
    nx.write_edgelist(graph, folder / "a.edgelist", data=False)
    for name in ("a.gml", "a.graphml", "a.edgelist"):
        found = read_graph(folder / name)
        ids = list(found.nodes["label"]) if "label" in found.nodes else found.ids
        edges = {frozenset((str(ids[u]), str(ids[v]))) for u, v in found.edges[["source", "target"]].to_numpy()}
        if name != "a.gml":  # whose labels may be read as numbers
            assert edges == {frozenset(edge) for edge in graph.edges}
        assert len(edges) == graph.number_of_edges() and len(found.nodes) == len(graph)


@FEW
@given(st.text(max_size=60))
def test_any_text_is_a_graph_or_a_clear_error(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("text")
    for name in ("a.gml", "a.graphml", "a.edgelist"):
        path = written(folder, name, text)
        try:
            read_graph(path)
        except ValueError as error:
            assert str(path) in str(error)
