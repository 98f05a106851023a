"""Columns of texts and images as numbers a model can take. What is learned, is learned from training rows only."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from . import stash
from .pictures import chosen, described
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
    features : {"all", "hog", "colours", "thumbnail"}
        Histograms of oriented gradients; of colours; the small picture itself; all of these, with the same weight.
    size : int
        Pixels along a side that images are brought to.
    components : int
        At most so many directions of largest variation; the numbers along the first have variance 1.
    """

    def __init__(self, reader: Reader | None = None, features="all", size=32, components=60, seed=0):
        self.reader, self.features, self.size = reader, features, size
        self.components, self.seed = components, seed

    def fit(self, X, y=None):
        self._learn(self._rows(X))
        return self

    def fit_transform(self, X, y=None, **params):
        rows = self._rows(X)
        self._learn(rows)
        return self._reduced(rows)

    def transform(self, X):
        return self._reduced(self._rows(X))

    def _learn(self, rows: dict[str, np.ndarray]) -> None:
        self.means_ = {part: _mean(values) for part, values in rows.items()}
        centred = {part: _filled(values, self.means_[part]) - self.means_[part] for part, values in rows.items()}
        # Each part has as much variation in all: else the one with the largest numbers decides alone.
        spreads = {part: float(np.sqrt((values**2).sum() / len(values))) for part, values in centred.items()}
        self.spreads_ = {part: spread if spread > 1e-9 else 1.0 for part, spread in spreads.items()}
        side = self._side_by_side(rows)
        most = min(self.components, *side.shape)
        solver = "covariance_eigh" if len(side) > side.shape[1] else "full"
        self.reducer_ = PCA(most, random_state=self.seed, svd_solver=solver).fit(side)
        # One scale for all directions: brought to unit variance each, the small ones would be nothing but noise.
        largest = float(np.sqrt(self.reducer_.explained_variance_[0])) if len(side) > 1 else 0.0
        self.scale_ = largest if largest > 1e-9 else 1.0

    def _reduced(self, rows: dict[str, np.ndarray]) -> np.ndarray:
        return self.reducer_.transform(self._side_by_side(rows)) / self.scale_

    def _side_by_side(self, rows: dict[str, np.ndarray]) -> np.ndarray:
        filled = [_filled(values, self.means_[part]) / self.spreads_[part] for part, values in rows.items()]
        return np.concatenate(filled, axis=1)

    def _rows(self, X) -> dict[str, np.ndarray]:
        """Each part's (rows, features): NaN where an image is missing."""
        cells = X.iloc[:, 0]
        found = [self._row(cell, row) for row, cell in zip(cells.index, self._cells(cells), strict=True)]
        empty = next((parts for parts in found if parts is not None), None)
        empty = described(np.zeros((8, 8), np.uint8), self.size) if empty is None else empty
        none = {part: np.full(len(empty[part]), np.nan) for part in empty}
        return {
            part: np.array([(none if parts is None else parts)[part] for parts in found]).reshape(len(found), -1)
            for part in chosen(self.features)
        }

    def _cells(self, cells) -> list:
        return list(cells) if self.reader is None else self.reader.paths(cells)

    def _row(self, cell, row) -> dict[str, np.ndarray] | None:
        """All parts, whichever are asked for: the next trial may ask for others."""
        if _absent(cell):
            return None
        if not isinstance(cell, (str, Path)):
            return described(np.asarray(cell), self.size)
        if self.reader is None:
            raise TypeError(
                f"row {row!r} holds {cell!r}: expected an array of pixels, for no folder of images is known"
            )
        return stash.of_file(cell, ("image", self.size), partial(self._described, self.reader, Path(cell), row))

    def _described(self, reader: Reader, path: Path, row) -> dict[str, np.ndarray]:
        return described(reader.open(path, row, least=2 * self.size), self.size)

    def get_feature_names_out(self, input_features=None):
        column = "image" if input_features is None else input_features[0]
        return np.asarray([f"{column} {i}" for i in range(self.reducer_.n_components_)], dtype=object)


def _filled(rows: np.ndarray, means: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(rows), means, rows)


def _mean(rows: np.ndarray) -> np.ndarray:
    counted = (~np.isnan(rows)).sum(axis=0)
    return np.nansum(rows, axis=0) / np.maximum(counted, 1)
