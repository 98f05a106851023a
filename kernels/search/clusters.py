"""Clustering: groups of rows, and the group of a new row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from .learner import Quiet


class Density(ClusterMixin, BaseEstimator):
    """DBSCAN whose reach is a quantile of the distances to the `core`-th neighbour: it means the same on any scale.

    Rows in no dense region get label -1.
    """

    def __init__(self, reach: float = 0.9, core: int = 5):
        self.reach, self.core = reach, core

    def fit(self, X, y=None):
        near = min(self.core, len(X))
        far = NearestNeighbors(n_neighbors=near).fit(X).kneighbors(X)[0][:, -1]
        radius = float(np.quantile(far, self.reach))
        self.radius_ = radius if radius > 0 else 1e-9
        self.labels_ = DBSCAN(eps=self.radius_, min_samples=near, n_jobs=1).fit_predict(X)
        return self


class ClusterLearner(ClusterMixin, Quiet):
    """Groups rows; a new row joins the group of its nearest neighbour among the training rows.

    A density's new row that is farther from all of them than its reach is noise, label -1.

    Parameters
    ----------
    body : Pipeline
        From a DataFrame to a matrix.
    model : clusterer
        With `n_clusters` or `n_components`, cut to the number of different rows.
    """

    def __init__(self, body, model):
        self.body, self.model = body, model

    def fit(self, X, y=None):
        self._start(X)
        with self._quiet():
            self.body_ = clone(self.body)
            points = np.asarray(self.body_.fit_transform(X), dtype=float)
            self.labels_ = self._labels(points)
            self.nearest_ = NearestNeighbors(n_neighbors=1).fit(points)
        return self

    def _labels(self, points: np.ndarray) -> np.ndarray:
        self.radius_ = float("inf")
        different = len(np.unique(points, axis=0))
        if different < 2:
            self.notes_.append("all rows are alike: one cluster")
            return np.zeros(len(points), dtype=np.int64)
        model = clone(self.model)
        most = {"n_clusters": different, "n_components": different, "n_neighbors": different - 1}
        asked = {name: value for name, value in model.get_params().items() if name in most and value is not None}
        model.set_params(**{name: min(value, most[name]) for name, value in asked.items()})
        found = np.asarray(model.fit_predict(points), dtype=np.int64)
        self.radius_ = float(getattr(model, "radius_", np.inf))
        return found

    def fit_predict(self, X, y=None):
        return self.fit(X).labels_

    def predict(self, X) -> np.ndarray:
        with self._quiet():
            points = np.asarray(self.body_.transform(self._checked(pd.DataFrame(X))), dtype=float)
        far, nearest = self.nearest_.kneighbors(points)
        return np.where(far[:, 0] > self.radius_, -1, self.labels_[nearest[:, 0]])


def clusterer(config: Mapping, seed: int):
    """The unfitted clusterer of a configuration."""
    makers: dict[str, Callable] = {
        "kmeans": lambda c: KMeans(c["clusters"], n_init=5, random_state=seed),
        "mixture": lambda c: GaussianMixture(
            c["clusters"], covariance_type=c["mixture:shape"], reg_covar=1e-4, random_state=seed
        ),
        "agglomerative": lambda c: AgglomerativeClustering(c["clusters"], linkage=c["agglomerative:linkage"]),
        "spectral": lambda c: SpectralClustering(
            c["clusters"],
            affinity="nearest_neighbors",
            n_neighbors=c["spectral:neighbours"],
            random_state=seed,
            n_jobs=1,
        ),
        "dbscan": lambda c: Density(c["dbscan:reach"], c["dbscan:core"]),
    }
    return makers[config["model"]](config)
