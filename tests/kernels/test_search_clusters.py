"""Clusterings: groups that are there are found; new rows join them; odd tables survive."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import normalized_mutual_info_score, silhouette_samples, silhouette_score

from learnviews.kernels.search import pipelines, portfolio
from learnviews.kernels.search.columns import Column
from learnviews.kernels.search.measures import silhouettes
from learnviews.kernels.search.problem import Problem


class Table:
    def __init__(self, frame, **types):
        self.frame, self.resources = frame, {}
        self.columns = {name: Column(name, types.get(name, "real")) for name in frame.columns}


MODELS = ["kmeans", "mixture", "agglomerative", "spectral", "dbscan"]
GROUPS = Problem(task="clustering", features=("0", "1"))


def blobs(rows=90):
    x, y = make_blobs(rows, centers=[(0, 0), (8, 0), (0, 8)], cluster_std=0.7, random_state=0)
    return Table(pd.DataFrame(x, columns=["0", "1"])), y


@pytest.mark.parametrize("model", MODELS)
def test_groups_are_found_again_and_new_rows_join_them(model):
    data, truth = blobs()
    made = pipelines.build({"model": model}, data, GROUPS, 0)
    labels = made.fit_predict(data.frame)
    assert normalized_mutual_info_score(truth, labels) > 0.9
    assert np.array_equal(made.predict(data.frame), labels)
    near = data.frame.head(5) + 1e-6
    assert np.array_equal(pickle.loads(pickle.dumps(made)).predict(near), labels[:5])


def test_flowers():
    flowers = load_iris(as_frame=True)
    data = Table(flowers.data)
    problem = Problem(task="clustering", features=tuple(flowers.data.columns))
    score = {}
    for config in portfolio.portfolio(data, problem):
        labels = pipelines.build(config, data, problem, 0).fit_predict(data.frame)
        score[pipelines.describe(config, "clustering")] = normalized_mutual_info_score(flowers.target, labels)
    assert max(score.values()) > 0.75 and "k-means, 3 clusters" in score


@pytest.mark.parametrize("model", MODELS)
def test_odd_tables_survive(model):
    frame = pd.DataFrame({"0": [1.0, np.nan, np.inf, 2, 2, 9], "1": [*list("aabb"), None, "c"]})
    data = Table(frame, **{"1": "categorical"})
    for rows in (frame, frame.iloc[:3], frame.iloc[:2], frame.iloc[[0, 0, 0]], frame.iloc[:1]):
        made = pipelines.build({"model": model}, data, GROUPS, 0)
        assert len(made.fit_predict(rows)) == len(rows) == len(made.predict(rows))


def test_the_same_seed_gives_the_same_groups():
    data, _ = blobs(60)
    for model in MODELS:
        first, again = (pipelines.build({"model": model}, data, GROUPS, 1).fit_predict(data.frame) for _ in range(2))
        assert np.array_equal(first, again)


def test_a_known_number_of_clusters_is_kept():
    data, _ = blobs()
    problem = Problem(task="clustering", features=("0", "1"), clusters=4)
    for config in portfolio.portfolio(data, problem):
        assert config.get("clusters", 4) == 4
    assert len(set(pipelines.build({"model": "kmeans"}, data, problem, 0).fit_predict(data.frame))) == 4


def test_dbscan_is_not_offered_where_the_number_of_clusters_is_known():
    data, _ = blobs()
    assert "dbscan" in {config["model"] for config in portfolio.portfolio(data, GROUPS)}
    problem = Problem(task="clustering", features=("0", "1"), clusters=4)
    assert "dbscan" not in {config["model"] for config in portfolio.portfolio(data, problem)}


def test_a_new_row_far_from_all_dense_regions_is_noise():
    data, _ = blobs()
    made = pipelines.build({"model": "dbscan"}, data, GROUPS, 0)
    assert np.array_equal(made.fit_predict(data.frame), made.predict(data.frame))
    assert list(made.predict(pd.DataFrame({"0": [1e3], "1": [1e3]}))) == [-1]


def test_setting_one_outlier_apart_is_not_the_best_clustering():
    x, groups = make_blobs(90, centers=[(0, 0), (5, 0)], cluster_std=1, random_state=0)
    x[0] = 60, 60
    alone = np.arange(90) == 0
    score = {name: np.nanmean(silhouettes(x, codes)) for name, codes in [("alone", alone * 1), ("groups", groups)]}
    assert silhouette_score(x, alone) > score["groups"] > score["alone"] == 0


def test_silhouettes_of_groups_of_some_size_are_those_of_scikit_learn():
    x, groups = make_blobs(90, centers=3, random_state=0)
    assert np.allclose(silhouettes(x, groups), silhouette_samples(x, groups))
