"""Which problems of graphs are legal, what stands in for what is not said, and how they are written and phrased."""

import json

import graph_files as toys
import networkx as nx
import pandas as pd
import pytest

from learnviews.kernels import search
from learnviews.kernels.search import Problem
from learnviews.kernels.search.pipelines import build, describe, steps
from learnviews.kernels.search.portfolio import portfolio
from learnviews.kernels.search.space import options
from learnviews.kernels.search.tasks import COMMUNITIES, GRAPHS, LABELS_OF_NODES, keywords_of_task, task_of_keywords

NODES = toys.group_data(size=8)
PAIRS = search.load_bundled("karate_club_links")
TWINS = toys.pairs_of_twins(20)
PLAIN = search.load(pd.DataFrame({"x": range(20), "kind": ["a", "b"] * 10}))
LEGAL = {
    "vertexClassification": (NODES, "group", "f1Macro"),
    "vertexNomination": (NODES, "group", "f1Macro"),
    "linkPrediction": (PAIRS, "link", "f1Macro"),
    "graphMatching": (TWINS, "match", "f1Macro"),
    "communityDetection": (NODES, "group", "normalizedMutualInformation"),
    "graphClustering": (NODES, None, "modularity"),
}


@pytest.mark.parametrize("task", GRAPHS)
def test_completed(task):
    data, target, metric = LEGAL[task]
    problem = Problem(target, task).check(data)
    assert problem.metric == metric and problem.check(data) == problem
    count = 1 if data is NODES else 2
    assert len(problem.nodes) == count and problem.features[:count] == problem.nodes
    assert Problem.from_json(problem.to_json()) == problem
    assert problem.nodes[0] in problem.sentence(data)


def test_what_nobody_says():
    assert Problem("group").check(NODES).task == "vertexClassification"
    assert Problem("link").check(PAIRS).task == "linkPrediction"
    assert Problem("match").check(TWINS).task == "graphMatching"
    assert Problem().check(NODES).task == "communityDetection" and Problem().check(PLAIN).task == "clustering"
    assert Problem("hint").check(NODES).task == "regression"
    assert Problem("hint").check(NODES).features == ("group",)  # the id of a node is no quantity
    chosen = Problem("group", features=("hint",)).check(NODES)
    assert chosen.features == ("node", "hint") and chosen.nodes == ("node",)


@pytest.mark.parametrize(
    ("data", "problem", "message"),
    [
        (PLAIN, Problem("kind", "vertexClassification"), r"table has no graph \(Dataset.with_graph adds one\)"),
        (NODES, Problem("group", "linkPrediction"), r"two columns that name nodes of one graph.*search\.links\(data\)"),
        (NODES, Problem("group", "graphMatching"), "nodes of two different graphs: table has 'node'"),
        (TWINS, Problem("match", "linkPrediction"), r"nodes of one graph: .*'left' \(graph 'one'\), 'right'"),
        (PAIRS, Problem("link", "graphMatching"), "nodes of two different graphs"),
        (PAIRS, Problem("link", "vertexClassification"), "needs one column that names nodes of a graph"),
        (PAIRS, Problem("link", "communityDetection"), "needs one column that names nodes of a graph"),
        (PAIRS, Problem(None, "linkPrediction"), "link prediction needs a target: these would do: link"),
        (NODES, Problem("hint", "vertexClassification"), "'hint' is real: vertex classification takes boolean"),
        (NODES, Problem("node", "vertexClassification"), "needs one column that names nodes"),
        (NODES, Problem("group", "vertexClassification", nodes=("hint",)), "'hint' names no nodes of a graph of table"),
        (NODES, Problem(None, "communityDetection", "normalizedMutualInformation"), "no target: take modularity"),
        (NODES, Problem("group", "communityDetection", "accuracy"), "accuracy does not judge community detection"),
        (NODES, Problem("group", metric="f1"), "f1 does not judge multiClass problems"),
        (search.load(nx.empty_graph(30)), Problem(None, "communityDetection"), "graph 'graph' has no edges"),
    ],
)
def test_refused(data, problem, message):
    with pytest.raises(ValueError, match=message):
        problem.check(data)


def test_a_pair_of_columns_can_be_chosen_for_a_vertex_task():
    problem = Problem("match", "vertexClassification", nodes=("left",)).check(TWINS)
    assert problem.nodes == ("left",) and "right" not in problem.features


@pytest.mark.parametrize("version", ["3.3.1", "4.0.0"])
@pytest.mark.parametrize("task", GRAPHS)
def test_documents(tmp_path, task, version):
    data, target, _ = LEGAL[task]
    problem = Problem(target, task).check(data)
    document = problem.to_d3m(data, version)
    (tmp_path / "problemDoc.json").write_text(json.dumps(document))
    again = Problem.from_d3m(tmp_path)
    assert again.check(data) == problem.with_(name=again.name)
    about = document["about"]
    assert about["taskType"] == task if version[0] == "3" else set(keywords_of_task(task)) <= {*about["taskKeywords"]}


@pytest.mark.parametrize("task", GRAPHS)
def test_keywords(task):
    assert task_of_keywords(keywords_of_task(task))[0] == task
    if task in LABELS_OF_NODES:
        assert task_of_keywords(["classification", "graph", *keywords_of_task(task)])[0] == task
    assert task_of_keywords(["clustering", "tabular"])[0] == "clustering"


def test_sentences_offer_what_is_legal():
    for data in (NODES, PAIRS, TWINS, PLAIN):
        choices = search.choices_of(data)
        for task in (offer for offer in choices.tasks if offer.name in GRAPHS):
            targets = [o.name for o in search.choices_of(data, task=task.name).targets if o.legal]
            assert task.legal or task.why
            for name in targets:
                assert Problem(name, task.name).check(data)
    offers = search.choices_of(NODES, "group", "vertexClassification")
    assert {o.name for o in offers.features if o.usual} == {"node", "hint"}
    assert [(o.name, o.legal, o.usual) for o in offers.nodes] == [("node", True, True), ("hint", False, False)]
    sides = search.choices_of(TWINS, "match").nodes
    assert [(o.name, o.legal) for o in sides] == [("left", True), ("right", True)]
    assert not search.choices_of(PLAIN, "kind").nodes
    metrics = [o.name for o in search.choices_of(NODES, None, "communityDetection").metrics if o.legal]
    assert metrics == ["modularity"]


def test_discovered():
    for data, task, target in ((NODES, "vertexClassification", "group"), (PAIRS, "linkPrediction", "link")):
        first = search.discover(data)[0]
        assert (first.task, first.target) == (task, target) and first.score > 0.5 and "forest" in first.reason
    found = search.discover(NODES)
    assert "communityDetection" in [problem.task for problem in found]
    assert "a reference to friends" in found.left_out["node"]
    assert search.discover(TWINS)[0].task == "graphMatching"
    assert not {problem.task for problem in search.discover(PLAIN)} & {*GRAPHS}


@pytest.mark.parametrize("task", GRAPHS)
def test_choices_and_portfolio(task):
    data, target, _ = LEGAL[task]
    problem = Problem(target, task).check(data)
    space = search.space(data, problem)
    assert len(portfolio(data, problem)) >= 6
    for config in (*portfolio(data, problem), *map(dict, space.sample_configuration(10))):
        assert describe(config, task) and steps(config)[-1].name == config["model"]
        build(config, data, problem, 0)
    models = options(data, problem)["model"]
    assert ("propagation" in models) == task.startswith("vertex")
    assert ("louvain" in models) == (task in COMMUNITIES)


def test_a_known_number_of_communities_is_kept():
    problem = Problem("group", "communityDetection", clusters=4).check(NODES)
    assert search.space(NODES, problem)["communities"].choices == (4,)


def test_plans_of_communities():
    data = toys.group_data(size=40)
    found = search.plan(data, Problem("group", "communityDetection").check(data), 0)
    assert len(found.holdout_rows) == 24 and "the rest chooses among them" in found.why
    few = search.plan(NODES, Problem("group", "communityDetection").check(NODES), 0)
    assert not len(few.holdout_rows) and len(few.folds[0][1]) == 24
    assert not len(search.plan(data, Problem().check(data), 0).holdout_rows)
