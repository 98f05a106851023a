"""Columns of sounds and of video clips as numbers a model can take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from . import clips, sounds, stash
from .reading import Reader


class Recorded(TransformerMixin, BaseEstimator):
    """Base of what describes recordings: the parts of each file side by side; a missing one has the others' means.

    Only these means are learned from rows; the rest is computed once of each file.
    """

    reader: Reader | None
    features: str
    _parts: tuple[str, ...]
    _kind: str

    def fit(self, X, y=None):
        self._learn(self._rows(X))
        return self

    def fit_transform(self, X, y=None, **params):
        rows = self._rows(X)
        self._learn(rows)
        return self._filled(rows)

    def transform(self, X):
        return self._filled(self._rows(X))

    def _learn(self, rows: np.ndarray) -> None:
        known = ~np.isnan(rows).all(axis=1)
        self.means_ = rows[known].mean(axis=0) if known.any() else np.zeros(rows.shape[1])

    def _filled(self, rows: np.ndarray) -> np.ndarray:
        width = len(self.means_)
        return (
            np.where(np.isnan(rows), self.means_, rows)
            if rows.shape[1] == width
            else np.tile(self.means_, (len(rows), 1))
        )

    def _rows(self, X) -> np.ndarray:
        """(rows, numbers): NaN where a recording is missing; one column where all of them are."""
        cells = X.iloc[:, 0]
        paths = list(cells) if self.reader is None else self.reader.paths(cells)
        found = [self._row(cell, row) for row, cell in zip(cells.index, paths, strict=True)]
        width = next((len(each) for each in found if each is not None), 1)
        return np.array([np.full(width, np.nan) if each is None else each for each in found]).reshape(len(found), width)

    def _row(self, cell: Any, row: Any) -> np.ndarray | None:
        if cell is None or (isinstance(cell, float) and cell != cell):
            return None
        if isinstance(cell, (str, Path)) and self.reader is None:
            raise TypeError(f"row {row!r} holds {cell!r}: expected a {self._kind}, for no folder of such is known")
        told = self._described(cell, row)
        names = self._parts if self.features == "all" else (self.features,)
        return np.concatenate([told[name] for name in names])

    def _described(self, cell: Any, row: Any) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _of_file(self, cell: Any, about: Any, row: Any, make: Callable[[Any], Any]) -> Any:
        """What `make` makes of the recording, once per file."""
        if not isinstance(cell, (str, Path)) or self.reader is None:
            return make(cell)
        return stash.of_file(cell, about, partial(self._made, self.reader, make, Path(cell), row))

    @staticmethod
    def _made(reader: Reader, make: Callable[[Any], Any], path: Path, row: Any) -> Any:
        return make(reader.open(path, row))

    def get_feature_names_out(self, input_features=None):
        column = self._kind if input_features is None else input_features[0]
        return np.asarray([f"{column} {i}" for i in range(len(self.means_))], dtype=object)


class Sounds(Recorded):
    """Sounds of one column as numbers: see `sounds.described`.

    Parameters
    ----------
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are `Sound`.
    features : {"all", "cepstra", "course", "shape"}
        The timbre in all; its course from beginning to end; level, pitch and spectrum; all of these.
    cepstra : int
        Coefficients per frame.
    pieces : int
        Of the course.
    """

    _parts, _kind = sounds.PARTS, "sound"

    def __init__(self, reader: Reader | None = None, features="all", cepstra=20, pieces=8):
        self.reader, self.features, self.cepstra, self.pieces = reader, features, cepstra, pieces

    def _described(self, cell, row):
        found = sounds.Heard(*self._of_file(cell, "sound", row, _listened).values())
        return sounds.described(found, self.cepstra, self.pieces)


class Clips(Recorded):
    """Video clips of one column as numbers: see `clips.described`.

    Parameters
    ----------
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are `Clip`.
    features : {"all", "motion", "colours", "texture"}
    size : int
        Pixels along a side that frames are brought to for colours and texture.
    """

    _parts, _kind = clips.PARTS, "video"

    def __init__(self, reader: Reader | None = None, features="all", size=32):
        self.reader, self.features, self.size = reader, features, size

    def _described(self, cell, row):
        return self._of_file(cell, ("video", self.size), row, partial(clips.described, size=self.size))


def _listened(sound: sounds.Sound) -> dict[str, np.ndarray]:
    return sounds.heard(sound)._asdict()
