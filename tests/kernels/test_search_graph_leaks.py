"""What is to be predicted of a row its model never sees: not in labels of nodes, nor in edges, nor in matches."""

from dataclasses import replace

import graph_files as toys
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from learnviews.kernels import search
from learnviews.kernels.search.link_features import SCORES, LinkFeatures
from learnviews.kernels.search.network import Network
from learnviews.kernels.search.node_features import NodeFeatures
from learnviews.kernels.search.pipelines import build
from learnviews.kernels.search.trial import run_trial


def flipped(data, target, rows):
    """The data with other labels in these rows."""
    frame = data.frame.copy()
    labels = list(dict.fromkeys(frame[target]))
    other = {label: labels[(at + 1) % len(labels)] for at, label in enumerate(labels)}
    frame.loc[rows, target] = [other[label] for label in frame.loc[rows, target]]
    return replace(data, frame=frame)


def said(data, problem, plan, config, rows):
    result = run_trial(data, problem, plan, config, 0)
    assert result.status == "ok", result.reason
    return result.predictions.loc[rows].filter(regex="^p_|prediction")


def cases():
    nodes = toys.group_data()
    pairs = search.links(search.load(nx.les_miserables_graph()))
    twins = toys.pairs_of_twins()
    return {
        "propagation": (nodes, "group", {"model": "propagation"}),
        "nodes": (nodes, "group", {"model": "forest", "forest:trees": 20, "nodes:labels": "both", "nodes:hops": 2}),
        "links": (pairs, "link", {"model": "forest", "forest:trees": 20, "pair:products": "yes"}),
        "matches": (twins, "match", {"model": "forest", "forest:trees": 20, "match:rounds": 2}),
        "assigned": (twins, "match", {"model": "linear", "match:assignment": "linear", "match:dimensions": 6}),
    }


@pytest.mark.parametrize("name", cases())
def test_labels_of_rows_that_are_predicted_are_not_seen(name):
    data, target, config = cases()[name]
    problem = search.Problem(target).check(data)
    plan = search.plan(data, problem, 0)
    fold = plan.folds[0][1]
    for rows in (plan.holdout_rows, fold):
        one = said(data, problem, replace(plan, folds=plan.folds[:1]), config, rows)
        other = said(flipped(data, target, rows), problem, replace(plan, folds=plan.folds[:1]), config, rows)
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("name", ["nodes", "links", "matches"])
def test_labels_of_other_rows_are_seen(name):
    """The trap would catch something."""
    data, target, config = cases()[name]
    problem = search.Problem(target).check(data)
    plan = search.plan(data, problem, 0)
    rows = plan.holdout_rows
    one = said(data, problem, plan, config, rows)
    assert not one.equals(said(flipped(data, target, plan.train_rows[::3]), problem, plan, config, rows))


def test_edges_of_rows_that_are_predicted_are_not_seen():
    data = search.links(search.load(nx.les_miserables_graph()))
    problem = search.Problem("link").check(data)
    plan = search.plan(data, problem, 0)
    held = data.frame.loc[plan.holdout_rows]
    graph = next(iter(data.graphs.values())).to_networkx()
    graph.remove_edges_from([pair for pair in zip(held["node"], held["other"], strict=True) if graph.has_edge(*pair)])
    without = search.load(data.frame, roles={"link": "suggestedTarget"}, types={"link": "categorical"})
    without = replace(without, splits=data.splits).with_graph(graph, ["node", "other"], next(iter(data.graphs)))
    config = {"model": "forest", "forest:trees": 20, "pair:embedding": "spectral"}
    one, other = (said(each, problem, plan, config, plan.holdout_rows) for each in (data, without))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_no_row_sees_its_own_edge():
    rng = np.random.default_rng(0)
    graph = nx.gnm_random_graph(40, 200, seed=0)  # nothing but the edge itself tells of an edge
    pairs = np.array([*graph.edges, *list(nx.non_edges(graph))[::3][:200]])
    labels = np.repeat([1, 0], [200, len(pairs) - 200])
    order = rng.permutation(len(pairs))
    frame = pd.DataFrame(pairs[order], columns=["u", "v"])
    features = LinkFeatures(Network(map(str, range(40)), []))
    table = features.fit_transform(frame, labels[order])
    for name in ("linked otherwise", "linked back"):
        assert not table[:, SCORES.index(name)].any()
    assert features.transform(frame)[:, SCORES.index("linked otherwise")].sum() == 200  # where all are known
    directions = [np.corrcoef(column, labels[order])[0, 1] for column in table.T if column.std() > 0]
    assert np.abs(directions).max() < 0.35


def test_no_node_sees_its_own_label():
    count = 400
    ends = np.arange(count).reshape(-1, 2)  # pairs: two steps away is the node itself
    labels = np.random.default_rng(0).integers(2, size=count)
    features = NodeFeatures(Network(map(str, range(count)), ends), structure="no", dimensions=0, hops=0)
    table = features.fit_transform(pd.DataFrame({"node": range(count)}), labels)
    assert table.shape == (count, 2 * 3 + 2)
    directions = [np.corrcoef(column, labels)[0, 1] for column in table.T if column.std() > 0]
    assert np.abs(directions).max() < 0.2
    after = features.transform(pd.DataFrame({"node": range(count)}))
    assert abs(np.corrcoef(after[:, 4], labels)[0, 1]) > 0.9  # the trap: of all labels, its own among them


def test_targets_are_no_attributes_of_neighbours():
    graph, table = toys.groups()
    nx.set_node_attributes(graph, dict(zip(graph, table["group"], strict=True)), "group")
    nx.set_node_attributes(graph, dict(zip(graph, table["hint"], strict=True)), "hint")
    data = search.load(graph)  # every attribute is a column, and one of them is asked for
    problem = search.Problem("group", "vertexClassification").check(data)
    pipeline = build({"model": "linear"}, data, problem, 0)
    network = pipeline.body.named_steps["columns"].transformers[0][1].network
    assert set(network.names) == {"hint"}
    chosen = problem.with_(features=("node",)).check(data)
    pipeline = build({"model": "linear"}, data, chosen, 0)
    assert pipeline.body.named_steps["columns"].transformers[0][1].network.values.shape[1] == 0


def test_communities_see_no_truth():
    data = toys.group_data()
    problem = search.Problem("group", "communityDetection").check(data)
    plan = search.plan(data, problem, 0)
    for config in ({"model": "louvain"}, {"model": "blocks", "communities": 3}):
        one, other = (
            run_trial(each, problem, plan, config, 0).predictions["prediction"]
            for each in (data, flipped(data, "group", data.frame.index))
        )
        pd.testing.assert_series_equal(one, other)
