"""Features of graphs against slow twins, and against networkx."""

import naive_graph as naive
import networkx as nx
import numpy as np
import pytest
from cases import FEW
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels.search import measures
from learnviews.kernels.search.block_model import block_model, likelihood
from learnviews.kernels.search.link_features import SCORES, link_scores
from learnviews.kernels.search.match_features import agreement, known_partners, mapped_apart, matching, turned_apart
from learnviews.kernels.search.network import STRUCTURE, Network, betweenness, clustering, core_numbers, pagerank
from learnviews.kernels.search.node_features import propagated, seeds_of


@st.composite
def networks(draw, most=7):
    """Any small graph, with loops, parallel edges and nodes without an edge."""
    count = draw(st.integers(1, most))
    ends = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=2 * count))
    return Network(map(str, range(count)), np.array(ends, int).reshape(-1, 2), directed=draw(st.booleans()))


@FEW
@given(networks())
def test_structure(network):
    near, after = naive.neighbours(network), naive.successors(network)
    np.testing.assert_allclose(clustering(network.adjacency), naive.clustering(near), atol=1e-12)
    np.testing.assert_array_equal(core_numbers(network.adjacency), naive.core_numbers(near))
    np.testing.assert_allclose(pagerank(network.arrows), naive.pagerank(after), atol=1e-8)
    np.testing.assert_allclose(betweenness(network.adjacency), naive.betweenness(near), atol=1e-9)
    table = network.structure()
    assert table.shape == (len(network), len(STRUCTURE)) and np.isfinite(table).all()
    np.testing.assert_allclose(np.expm1(table[:, 0]), [len(each) for each in near])
    np.testing.assert_allclose(np.expm1(table[:, 1]), [len(each) for each in after])
    np.testing.assert_allclose(np.expm1(table[:, 2]), [sum(u in each for each in after) for u in range(len(near))])


@FEW
@given(networks(), st.data())
def test_link_scores(network, data):
    places = st.integers(0, len(network) - 1)
    pairs = np.array(data.draw(st.lists(st.tuples(places, places), min_size=1, max_size=6)))
    found = link_scores(network, *pairs.T)
    assert found.shape == (len(pairs), len(SCORES))
    expected = [naive.link_scores(network, u, v) for u, v in pairs.tolist() if u != v]
    np.testing.assert_allclose(found[pairs[:, 0] != pairs[:, 1]], np.reshape(expected, (-1, len(SCORES))), atol=1e-9)


def test_link_scores_are_networkx_and_come_in_pieces(monkeypatch):
    graph = nx.karate_club_graph()
    network = Network(map(str, graph), list(graph.edges))
    pairs = list(nx.non_edges(graph))[:120]
    whole = link_scores(network, *np.array(pairs).T)
    names = {"Jaccard": nx.jaccard_coefficient, "Adamic-Adar": nx.adamic_adar_index}
    names |= {"resource allocation": nx.resource_allocation_index}
    for name, score in names.items():
        np.testing.assert_allclose(whole[:, SCORES.index(name)], [value for _, _, value in score(graph, pairs)])
    monkeypatch.setattr("learnviews.kernels.search.link_features.CHUNK", 7)
    np.testing.assert_allclose(link_scores(network, *np.array(pairs).T), whole)


@FEW
@given(networks(), st.data())
def test_propagation(network, data):
    count = data.draw(st.integers(1, len(network)))
    things = np.arange(count)
    codes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    seeds = seeds_of(things, codes, 3, len(network))
    found = propagated(network.walk, seeds, 0.7)
    np.testing.assert_allclose(found, naive.propagated(naive.neighbours(network), seeds, 0.7), atol=1e-4)


@FEW
@given(networks(), st.data())
def test_modularity(network, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(network), max_size=len(network))))
    parts = measures.modularities(network.weighted, groups)
    if network.weighted.nnz:
        assert parts.sum() == pytest.approx(naive.modularity(network.weighted.toarray(), groups))
        graph = nx.from_scipy_sparse_array(network.weighted)
        sets = [set(np.flatnonzero(groups == each)) for each in np.unique(groups)]
        assert parts.sum() == pytest.approx(nx.community.modularity(graph, sets))
    else:
        assert not parts.any()


def test_block_model_climbs_its_likelihood():
    rng = np.random.default_rng(0)
    graph = nx.planted_partition_graph(3, 14, 0.6, 0.05, seed=1)
    network = Network(map(str, graph), list(graph.edges))
    weights = network.weighted.toarray()
    start = rng.integers(3, size=len(network))
    assert likelihood(network.weighted, start, 3) == pytest.approx(naive.block_likelihood(weights, start, 3))
    found = block_model(network.weighted, 3, start, 0)
    truth = np.repeat([0, 1, 2], 14)
    assert likelihood(network.weighted, found, 3) >= likelihood(network.weighted, truth, 3) - 1e-9
    assert measures.mutual_information(truth, found) > 0.9
    np.testing.assert_array_equal(found, block_model(network.weighted, 3, start, 0))


@FEW
@given(networks(), networks(), st.data())
def test_agreement_of_matches(one, other, data):
    def drawn():
        return st.tuples(st.integers(0, len(one) - 1), st.integers(0, len(other) - 1))

    seeds = np.array(data.draw(st.lists(drawn(), max_size=5, unique=True)), int).reshape(-1, 2)
    pairs = np.array(data.draw(st.lists(drawn(), min_size=1, max_size=5)), int)
    found = agreement(one, other, seeds, *pairs.T)
    sides = naive.neighbours(one), naive.neighbours(other)
    expected = [naive.agreement(*sides, seeds.tolist(), u, v) for u, v in pairs.tolist()]
    np.testing.assert_allclose(found, expected)
    known = known_partners(seeds, *pairs.T)
    for (u, v), row in zip(pairs.tolist(), known, strict=True):
        same = [u, v] in seeds.tolist()
        assert row.tolist() == [same, u in seeds[:, 0] and not same, v in seeds[:, 1] and not same]


def twins(nodes=60, seed=0):
    """A graph and its copy with other numbers; the number of each node in the copy."""
    graph = nx.gnp_random_graph(nodes, 0.12, seed=seed)
    order = np.random.default_rng(seed).permutation(nodes)
    values = np.random.default_rng(1).normal(size=(nodes, 2))
    one = Network(map(str, range(nodes)), list(graph.edges), values=values, names=("a", "b"))
    other = Network(map(str, range(nodes)), order[np.array(graph.edges)], values=2 * values[np.argsort(order)] + 1)
    other.names = ["a", "b"]
    return one, other, order


@pytest.mark.parametrize("assignment", ["none", "linear", "relaxed"])
def test_matches_spread_from_a_few(assignment):
    one, other, order = twins()
    plain = [Network(side.ids, side.ends) for side in (one, other)]
    seeds = np.stack([np.arange(12), order[:12]], axis=1)
    found = matching(*plain, seeds, 3, assignment)
    assert np.mean(found.partner[12:] == order[12:]) > 0.8
    score, lead, back, same, else_ = found.of(np.arange(60), order).T
    assert same.mean() > 0.8 and np.median(lead) > 0 and np.median(back) > 0 and (score > 0).mean() > 0.9
    assert not (same * else_).any()


def test_attributes_and_embeddings_are_brought_together_by_matches():
    one, other, order = twins()
    u = np.arange(60)
    seeds = np.stack([u[:20], order[:20]], axis=1)
    plain, mapped, nearer = mapped_apart(one.values, other.values, seeds, u, order).T
    assert mapped.mean() < plain.mean() / 3 and np.median(nearer) == 0
    apart, alike = turned_apart(one.spectral(8), other.spectral(8), seeds, u, order).T
    wrong = turned_apart(one.spectral(8), other.spectral(8), seeds, u, order[::-1])[:, 0]
    assert apart.mean() < wrong.mean() / 2 and np.median(alike) > 0.9


def test_embeddings_tell_edges():
    graph = nx.planted_partition_graph(2, 30, 0.5, 0.02, seed=0)
    network = Network(map(str, graph), list(graph.edges))
    halves = network.spectral(2)[:, 1] > 0
    assert max(np.mean(halves[:30]), 1 - np.mean(halves[:30])) == 1 and halves[:30].all() != halves[30:].all()
    left, right = network.factors(60)
    np.testing.assert_allclose(left @ right.T, network.arrows.toarray(), atol=1e-9)
    big = Network(map(str, range(600)), np.stack([np.arange(599), np.arange(1, 600)], axis=1))
    dense = np.sort(np.linalg.eigvalsh(big.adjacency.toarray()))  # a path: both ways see the same
    assert big.spectral(4).shape == (600, 4) and dense[-1] > 1.99
    np.testing.assert_allclose(big.spectral(4), Network(big.ids, big.ends).spectral(8)[:, :4], atol=1e-6)


def test_graphs_without_edges_or_with_one_node():
    for network in (Network(["a"], []), Network(["a", "b"], []), Network(["a"], [[0, 0]])):
        assert np.isfinite(network.structure()).all() and np.isfinite(network.spectral(4)).all()
        zeros = np.zeros(1, int)
        assert np.isfinite(link_scores(network, zeros, zeros)).all()
        assert all(np.isfinite(each).all() for each in network.factors(3))
