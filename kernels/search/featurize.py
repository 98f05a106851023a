"""Columns of texts and images as numbers a model can take. What is learned, is learned from training rows only."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from .reading import Reader


class Words(TransformerMixin, BaseEstimator):
    """Texts of one column as weighted counts of their parts (tf-idf), or as fewer numbers made of these.

    Parameters
    ----------
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are the texts.
    parts : {"words", "pairs", "characters", "hashes"}
        What is counted: words; words and pairs of neighbours; runs of 2 to 4 characters; hashed words.
    features : int
        At most so many different parts.
    components : int
        With more than 0: so many directions of largest variation in place of the counts.
    """

    def __init__(self, reader: Reader | None = None, parts="words", features=5000, components=0, seed=0):
        self.reader, self.parts, self.features = reader, parts, features
        self.components, self.seed = components, seed

    def fit(self, X, y=None):
        self._learn(X)
        return self

    def fit_transform(self, X, y=None, **params):
        return self._learn(X)

    def _learn(self, X):
        texts = self._texts(X)
        self.counter_ = self._counter()
        try:
            counts = self.counter_.fit_transform(texts)
        except ValueError:  # scikit-learn's answer to rows without a single word
            counts = sparse.csr_matrix((len(texts), 1))
        if not counts.nnz:
            self.counter_, counts = None, sparse.csr_matrix((len(texts), 1))
        most = min(self.components, counts.shape[1] - 1, counts.shape[0] - 1)
        self.reducer_ = TruncatedSVD(most, random_state=self.seed) if most > 0 else None
        reduced = self.reducer_.fit_transform(counts) if self.reducer_ else counts
        self.width_ = reduced.shape[1]
        return self._shaped(reduced)

    def _counter(self):
        if self.parts == "hashes":
            return HashingVectorizer(n_features=self.features, alternate_sign=False)
        runs = {"words": ("word", (1, 1)), "pairs": ("word", (1, 2)), "characters": ("char_wb", (2, 4))}[self.parts]
        return TfidfVectorizer(analyzer=runs[0], ngram_range=runs[1], max_features=self.features, sublinear_tf=True)

    def transform(self, X):
        texts = self._texts(X)
        counts = self.counter_.transform(texts) if self.counter_ else sparse.csr_matrix((len(texts), 1))
        return self._shaped(self.reducer_.transform(counts) if self.reducer_ else counts)

    def _shaped(self, values):
        """Sparse counts only where sparse ones were asked for."""
        return values.toarray() if self.components and sparse.issparse(values) else values

    def _texts(self, X) -> list[str]:
        cells = X.iloc[:, 0]
        read = self.reader(cells) if self.reader else list(cells)
        return [text if isinstance(text, str) else "" if _absent(text) else str(text) for text in read]

    def get_feature_names_out(self, input_features=None):
        column = "text" if input_features is None else input_features[0]
        if self.counter_ is None or self.reducer_ is not None or self.parts == "hashes":
            return np.asarray([f"{column} {i}" for i in range(self.width_)], dtype=object)
        return np.asarray([f"{column}: {word}" for word in self.counter_.get_feature_names_out()], dtype=object)


def _absent(value) -> bool:
    return value is None or (isinstance(value, float) and value != value)


class Pictures(TransformerMixin, BaseEstimator):
    """Images of one column as numbers; a missing image has the mean of the others.

    Parameters
    ----------
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are arrays.
    features : {"hog", "colours", "thumbnail", "all"}
        Histograms of oriented gradients; of colours; the small picture itself.
    size : int
        Pixels along a side that images are brought to.
    components : int
        At most so many directions of largest variation.
    """

    def __init__(self, reader: Reader | None = None, features="hog", size=32, components=60, seed=0):
        self.reader, self.features, self.size = reader, features, size
        self.components, self.seed = components, seed

    def fit(self, X, y=None):
        rows = self._rows(X)
        self.mean_ = _mean(rows)
        filled = np.where(np.isnan(rows), self.mean_, rows)
        most = min(self.components, *filled.shape)
        self.reducer_ = PCA(most, random_state=self.seed, svd_solver="full").fit(filled)
        return self

    def transform(self, X):
        rows = self._rows(X, len(self.mean_))
        return self.reducer_.transform(np.where(np.isnan(rows), self.mean_, rows))

    def _rows(self, X, width: int = 0) -> np.ndarray:
        """(rows, features): NaN where an image is missing."""
        found = [self._row(cell) for cell in (X.iloc[:, 0] if self.reader is None else self.reader.paths(X.iloc[:, 0]))]
        width = next((len(row) for row in found if row is not None), width or 1)
        return np.array([np.full(width, np.nan) if row is None else row for row in found])

    def _row(self, cell):
        if _absent(cell):
            return None
        if isinstance(cell, (str, Path)):
            return _remembered(str(cell), Path(cell).stat().st_mtime_ns, self.reader, self.features, self.size)
        return describe_image(np.asarray(cell), self.features, self.size)

    def get_feature_names_out(self, input_features=None):
        column = "image" if input_features is None else input_features[0]
        return np.asarray([f"{column} {i}" for i in range(self.reducer_.n_components_)], dtype=object)


def _mean(rows: np.ndarray) -> np.ndarray:
    counted = (~np.isnan(rows)).sum(axis=0)
    return np.nansum(rows, axis=0) / np.maximum(counted, 1)


@lru_cache(maxsize=20_000)
def _remembered(path: str, changed: int, reader: Reader, features: str, size: int) -> np.ndarray:
    """Features of one file. They depend on nothing else, so folds and trials of a process may share them."""
    return describe_image(reader.open(path), features, size)


def describe_image(image: np.ndarray, features: str, size: int) -> np.ndarray:
    """One image as a row of numbers: see `Pictures`."""
    from skimage.transform import resize

    small = resize(_coloured(image), (size, size, 3), anti_aliasing=True)
    parts = {"hog": _gradients, "colours": _colours, "thumbnail": _thumbnail}
    chosen = parts.values() if features == "all" else [parts[features]]
    return np.concatenate([part(small) for part in chosen])


def _coloured(image: np.ndarray) -> np.ndarray:
    """(height, width, 3) between 0 and 1."""
    scale = (
        float(np.iinfo(image.dtype).max) if image.dtype.kind in "ui" else max(1.0, float(np.nanmax(image, initial=1)))
    )
    plain = np.nan_to_num(np.asarray(image, dtype=float)) / scale
    if plain.ndim == 2 or plain.shape[2] in (1, 2):
        grey = plain if plain.ndim == 2 else plain[:, :, 0]
        return np.repeat(grey[:, :, None], 3, axis=2)
    return plain[:, :, :3]


def _gradients(small: np.ndarray) -> np.ndarray:
    from skimage.feature import hog

    return hog(small, orientations=8, pixels_per_cell=(8, 8), cells_per_block=(1, 1), channel_axis=2)


def _colours(small: np.ndarray) -> np.ndarray:
    """Histograms of hue, saturation and value, 12 bins each, as shares."""
    from skimage.color import rgb2hsv

    channels = rgb2hsv(small).reshape(-1, 3)
    return np.concatenate([np.histogram(c, bins=12, range=(0, 1))[0] / len(c) for c in channels.T])


def _thumbnail(small: np.ndarray) -> np.ndarray:
    """The image at 8 x 8 pixels, in grey."""
    from skimage.transform import resize

    return resize(small.mean(axis=2), (8, 8), anti_aliasing=True).ravel()
