"""Where graphs are drawn: forces and densities against slow twins, layouts by what they show, files that are kept."""

from concurrent.futures import CancelledError

import naive_layout as naive
import networkx as nx
import numpy as np
import pytest

from learnviews.kernels.progress import Progress
from learnviews.kernels.search import graph_drawing, load
from learnviews.kernels.search.bundling import bundled, climb, straight
from learnviews.kernels.search.graph_drawing import known_paths, paths_of, places_of
from learnviews.kernels.search.graph_layout import exact_push, grid_push, layout


def ends(graph):
    graph = nx.convert_node_labels_to_integers(graph)
    return len(graph), np.array(list(graph.edges)).reshape(-1, 2)


def blocks(sizes=(60, 60, 60), seed=1):
    return ends(nx.random_partition_graph(list(sizes), 0.2, 0.002, seed=seed))


def test_forces_are_those_of_all_pairs():
    places = np.random.default_rng(0).random((40, 2)) * 10
    np.testing.assert_allclose(exact_push(places), naive.push(places), rtol=1e-9)


def test_forces_on_a_grid_are_nearly_so():
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(12.0), np.arange(12.0))
    places = np.column_stack([x.ravel(), y.ravel()]) + 0.3 * rng.random((144, 2))
    exact, found = naive.push(places), grid_push(places)
    off = np.linalg.norm(found - exact, axis=1) / np.linalg.norm(exact, axis=1).mean()
    assert off.max() < 0.1, off.max()
    alone = grid_push(np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(alone[0], -alone[1], atol=1e-9)
    np.testing.assert_allclose(alone[1], np.array([0.6, 0.8]) / 25, rtol=0.05)


@pytest.mark.parametrize("made", [lambda: ends(nx.karate_club_graph()), blocks], ids=["small", "larger"])
def test_neighbours_lie_near_each_other(made):
    size, edges = made()
    places = layout(size, edges)
    assert places.shape == (size, 2) and places.min() >= 0 and places.max() == pytest.approx(1)
    length, distance = naive.far_apart(places, edges)
    assert length < 0.6 * distance
    np.testing.assert_array_equal(places, layout(size, edges))  # same seed, same bits


def test_blocks_lie_apart():
    size, edges = blocks()
    places = layout(size, edges).reshape(3, -1, 2)
    middles, spreads = places.mean(axis=1), places.std(axis=1).max()
    between = [np.linalg.norm(middles[i] - middles[j]) for i in range(3) for j in range(i)]
    assert min(between) > 2 * spreads


def test_thousands_of_nodes(monkeypatch):
    monkeypatch.setattr("learnviews.kernels.search.graph_layout.EXACT", 100)  # on the grid
    monkeypatch.setattr("learnviews.kernels.search.graph_layout.STEPS", 40)
    size, edges = blocks((150, 150, 150))
    places = layout(size, edges)
    length, distance = naive.far_apart(places, edges[:400])
    assert length < 0.6 * distance and len(np.unique(places.round(6), axis=0)) == size


def test_parts_do_not_overlap_and_lonely_nodes_have_places():
    size, edges = ends(nx.disjoint_union_all([nx.cycle_graph(8), nx.path_graph(3), nx.empty_graph(5)]))
    places = layout(size, edges)
    assert len(np.unique(places.round(9), axis=0)) == size
    (x0, y0), (x1, y1) = places[:8].min(axis=0), places[:8].max(axis=0)
    others = places[8:]
    inside = (others > (x0, y0)).all(axis=1) & (others < (x1, y1)).all(axis=1)
    assert not inside.any()


def test_odd_graphs():
    assert layout(0, []).shape == (0, 2)
    np.testing.assert_array_equal(layout(1, [(0, 0)]), [[0, 0]])
    assert len(np.unique(layout(2, [(0, 1), (1, 0)]), axis=0)) == 2
    with pytest.raises(ValueError, match="expected ends of edges from 0 to 1, got 0 to 5"):
        layout(2, [(0, 5)])


def test_a_layout_and_bundles_can_be_stopped():
    size, edges = blocks()
    for work in (layout, lambda n, e, progress: bundled(np.random.default_rng(0).random((n, 2)), e, progress=progress)):
        progress = Progress()
        progress.cancel()
        with pytest.raises(CancelledError):
            work(size, edges, progress=progress)


def test_samples_climb_to_where_others_are():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal((60, 60), 4, (80, 2)), rng.normal((140, 150), 4, (80, 2))])
    found, expected = climb(points, 12.0), naive.climb(points, 12.0)
    far = np.linalg.norm(expected, axis=1) > np.quantile(np.linalg.norm(expected, axis=1), 0.3)
    along = (found * expected).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert along[far].min() > 0.9
    assert np.linalg.norm(found, axis=1).max() <= 1 + 1e-6


def test_edges_side_by_side_are_bundled():
    left = np.column_stack([np.zeros(12), np.linspace(0, 0.3, 12)])
    places = np.concatenate([left, left + np.array([1.0, 0.0])])
    edges = np.column_stack([np.arange(12), np.arange(12, 24)])
    paths = bundled(places, edges)
    np.testing.assert_allclose(paths[:, 0], places[:12], atol=1e-6)
    np.testing.assert_allclose(paths[:, -1], places[12:], atol=1e-6)
    middle = paths[:, paths.shape[1] // 2, 1]
    assert len(np.unique(middle.round(2))) <= 3  # of twelve edges
    np.testing.assert_array_equal(paths, bundled(places, edges))
    assert straight(places, edges).shape == (12, 2, 2) and bundled(places, edges[:0]).shape[0] == 0


def test_what_was_drawn_is_kept(tmp_path, monkeypatch):
    graph = next(iter(load(nx.karate_club_graph()).graphs.values()))
    again = next(iter(load(nx.karate_club_graph()).graphs.values()))
    other = next(iter(load(nx.les_miserables_graph()).graphs.values()))
    places, paths = places_of(graph, tmp_path), paths_of(graph, tmp_path)
    assert places_of(graph) is places and known_paths(graph) is paths and known_paths(again) is None
    assert len(list(tmp_path.iterdir())) == 2
    with monkeypatch.context() as patch:
        patch.setattr("learnviews.kernels.search.graph_layout.layout", lambda *_: pytest.fail("computed again"))
        np.testing.assert_array_equal(places_of(again, tmp_path), places)
    assert places_of(other, tmp_path).shape == (77, 2)
    for file in tmp_path.glob("*places*"):
        file.write_bytes(file.read_bytes()[:40])  # cut short
    third = next(iter(load(nx.karate_club_graph()).graphs.values()))
    np.testing.assert_array_equal(places_of(third, tmp_path), places)
    (tmp_path / "file").write_text("")
    fourth = next(iter(load(nx.path_graph(4)).graphs.values()))
    assert places_of(fourth, tmp_path / "file").shape == (4, 2)  # no folder can be made there
    assert graph_drawing.VERSION == 1
