"""Graphs through the console: files of graphs, tables about nodes, links without a table of pairs."""

from pathlib import Path

import graph_files as toys
import networkx as nx
import pandas as pd
import pytest
from click.testing import CliRunner

from learnviews.apps.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    graph, table = toys.groups()
    nx.write_gml(graph, "net.gml")
    table.to_csv("people.csv", index=False)
    pd.DataFrame(graph.edges, columns=["caller", "callee"]).to_csv("calls.csv", index=False)


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_problems_of_graphs_are_listed():
    result = run("problems", "net.gml")
    assert result.exit_code == 0, result.output
    assert "graph net: 60 nodes" in result.stdout and "community detection" in result.stdout
    result = run("problems", "people.csv", "--graph", "net.gml", "--nodes", "node")
    assert "predict group from node and hint with a vertex classification model" in result.stdout
    words = "Search the first: learnviews search people.csv --graph net.gml --nodes node --target group"
    assert words in result.stdout
    assert "graph calls: 60 nodes" in run("problems", "calls.csv", "--edges", "caller,callee").stdout


@pytest.mark.slow
def test_links_of_a_graph_are_searched():
    result = run("search", "net.gml", "--task", "linkPrediction", "--trials", 2, "--workers", 1, "--out", "out")
    assert result.exit_code == 0, result.output
    assert "edges of net and" in result.stdout and "predict link from node and other" in result.stdout
    ranking = pd.read_csv("out/export/ranking.csv")
    assert ranking["value"].iloc[0] > ranking["value"].iloc[-1] == ranking.set_index("name").loc["trivial", "value"]
    assert len(list(Path("out/export").glob("01-*/graph-0-*.parquet"))) == 2


def test_communities_of_a_graph_are_searched():
    result = run("search", "net.gml", "--task", "graphClustering", "--trials", 2, "--workers", 1, "--out", "out")
    assert result.exit_code == 0, result.output
    assert "graph clustering model by the best modularity" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["people.csv", "--graph", "net.gml"], "--graph and --nodes go together"),
        (["people.csv", "--graph", "no.gml", "--nodes", "node"], "no.gml: no such file"),
        (["people.csv", "--graph", "net.gml", "--nodes", "nod"], "no column nod; it has node"),
        (["calls.csv", "--edges", "caller"], "for the ends of edges"),
    ],
)
def test_one_line_says_what_to_mend(arguments, message):
    result = run("problems", *arguments)
    assert result.exit_code in (1, 2) and "Traceback" not in result.output
    assert message in " ".join(result.output.split())
