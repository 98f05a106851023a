"""Points in which distances between rows mean something, for columns of every kind: what clusterings are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from .answers import silhouette_space

if TYPE_CHECKING:
    from .data import Dataset

DIRECTIONS = 12  # of largest variation, that describe a text, an image, a recording
DESCRIBED = ("text", "image", "timeseries", "audio", "video")
_made: WeakKeyDictionary[Dataset, dict[tuple[str, ...], np.ndarray]] = WeakKeyDictionary()


def points(data: Dataset, names: Sequence[str], rows: Any) -> Any:
    """What the silhouette of `rows` is measured in: their columns, or an array where some hold files or texts.

    The same for every clustering of the data set, however that looks at it: else each would judge itself.
    """
    if not any(data.columns[name].type in DESCRIBED for name in names):
        return data.frame.loc[rows, list(names)]
    spaces = _made.setdefault(data, {})
    if tuple(names) not in spaces:
        spaces[tuple(names)] = _points(data, names)
    return spaces[tuple(names)][data.frame.index.get_indexer(rows)]


def _points(data: Dataset, names: Sequence[str]) -> np.ndarray:
    """(rows, directions): a described column varies as much along its first direction as a number does."""
    plain = [name for name in names if data.columns[name].type not in DESCRIBED]
    parts = [silhouette_space(data.frame[plain])] if plain else []
    for name in names:
        if data.columns[name].type in DESCRIBED:
            directions = _described(data, name)
            spread = directions.std(axis=0).max(initial=0)
            parts.append((directions - directions.mean(axis=0)) / (spread or 1.0))
    return np.concatenate(parts, axis=1)


def _described(data: Dataset, name: str) -> np.ndarray:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    from .featurize import Pictures, Words
    from .reading import reader
    from .recorded import Clips, Sounds
    from .series import SeriesFeatures

    kind, opened, cells = data.columns[name].type, reader(data, name), data.frame[[name]]
    if kind == "image":
        return np.asarray(Pictures(opened, components=DIRECTIONS).fit_transform(cells))
    if kind == "text":
        return np.asarray(Words(opened, components=DIRECTIONS).fit_transform(cells))
    plain = {"audio": Sounds(opened), "video": Clips(opened)}.get(kind) or SeriesFeatures(opened, features="statistics")
    told = StandardScaler().fit_transform(plain.fit_transform(cells))
    return np.asarray(PCA(min(DIRECTIONS, *told.shape), random_state=0, svd_solver="full").fit_transform(told))
