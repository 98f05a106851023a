"""Object detection without a deep net: places in the image, what they look like, a classifier, the best of them.

What it can do, and what not. It learns one kind of object, by its outlines and colours in a coarse grid: rigid things,
seen from one side, at least about a tenth of the image wide, in tens to some hundreds of images. Things that change
their shape, stand in each other's way, are tiny, or are known by their parts only, need nets that were trained on
millions of images, which this library does not bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from . import boxes, stash, windows
from .learner import Quiet, probabilities
from .reading import Reader

FOUND, MISSED = 0.6, 0.3  # share of a union: from the one on a window shows the object, below the other it does not
SAMPLES = 2500  # windows without an object that a classifier learns from
MINED = 300  # windows of a training image that are looked at for mistakes
HARD = 10  # windows per image that were wrongly taken for an object, to learn from them too
LOOKED = 100  # surest places of an image that are brought into place
MOST = 20  # boxes of an image
LEAST = 0.05  # confidence of a box


class Scene(NamedTuple):
    """An image ready to be looked at: the small picture, its integral channels, its scale for each corner (4,)."""

    picture: np.ndarray
    whole: np.ndarray
    scale: np.ndarray


class Detector(Quiet):
    """Finds objects in the images of one column.

    Parameters
    ----------
    body : estimator
        A classifier of windows' descriptions (windows, numbers) into 0 and 1.
    column : str
        Of the images.
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are arrays.
    proposals : {"windows", "regions", "both"}
        Where to look: windows of typical shapes all over the image, boxes around its regions, or both.
    shapes : int
        Typical shapes of windows.
    stride : float
        Between windows, in their sides.
    side : int
        Pixels that the longer side of an image is brought to.
    cells : int
        Along a side of a window.
    overlap : float
        Of two boxes that share more of their union only the surer one is kept.
    hard : bool
        Learn once more, with the windows that were wrongly taken for an object.
    refine : bool
        Bring boxes into place by ridge regression of what is in them (Girshick et al. 2014).
    """

    def __init__(
        self,
        body,
        column="image",
        reader: Reader | None = None,
        proposals="windows",
        shapes=3,
        stride=0.25,
        side=128,
        cells=4,
        overlap=0.3,
        hard=False,
        refine=True,
        seed=0,
    ):
        self.body, self.column, self.reader, self.proposals = body, column, reader, proposals
        self.shapes, self.stride, self.side, self.cells = shapes, stride, side, cells
        self.overlap, self.hard, self.refine, self.seed = overlap, hard, refine, seed

    def fit(self, X, y):
        """Learn from images and their boxes: text as of `annotations`; rows without either are left out."""
        self._start(X)
        cells = pd.Series(np.asarray(y, dtype=object), X.index)
        known = cells.notna().to_numpy() & X[self.column].notna().to_numpy()
        drawn = [boxes.boxes(cell) for cell in cells[known]]
        if not sum(map(len, drawn)):
            raise ValueError("no object is drawn in the images to learn from")
        with self._quiet():
            scenes = list(self._scenes(X[known]))
            self._learn(scenes, [each * scene.scale for each, scene in zip(drawn, scenes, strict=True)])
        return self

    def _learn(self, scenes: list[Scene], drawn: list[np.ndarray]) -> None:
        rng = np.random.default_rng(self.seed)
        self.shapes_ = windows.shapes_of(np.concatenate(drawn), self.shapes, self.seed)
        each = max(8, SAMPLES // len(scenes))
        parts = [self._samples(*pair, each, rng) for pair in zip(scenes, drawn, strict=True)]
        X, y = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        self.mover_ = self._moving(np.concatenate([p[2] for p in parts]), np.concatenate([p[3] for p in parts]))
        if len(np.unique(y)) < 2:
            raise ValueError("the objects fill their images: there is nothing beside them to tell them from")
        self.body_ = clone(self.body).fit(X, y)
        if self.hard:
            wrong = [self._mistaken(*pair) for pair in zip(scenes, drawn, strict=True)]
            more = np.concatenate([X, *wrong])
            self.body_ = clone(self.body).fit(more, np.concatenate([y, np.zeros(len(more) - len(y), dtype=y.dtype)]))

    def _samples(self, scene: Scene, drawn: np.ndarray, each: int, rng: np.random.Generator) -> tuple:
        """Descriptions and labels (1: shows the object) of some windows; and of those near an object, where it is."""
        places = np.concatenate([self._places(scene), drawn, *(_shaken(drawn, rng) for _ in range(6))])
        share = windows.shared(places, drawn)
        best = share.max(axis=1, initial=0.0)
        showing, empty = np.flatnonzero(best >= FOUND), np.flatnonzero(best < MISSED)
        empty = rng.permutation(empty)[:each]
        told = windows.described(scene.whole, places[np.concatenate([showing, empty])], self.cells)
        labels = np.concatenate([np.ones(len(showing), int), np.zeros(len(empty), int)])
        goals = drawn[share[showing].argmax(axis=1)] if len(showing) else np.zeros((0, 4))
        return told, labels, told[: len(showing)], _offsets(places[showing], goals)

    def _moving(self, told: np.ndarray, offsets: np.ndarray):
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if not self.refine or len(told) < 2:
            return None
        return make_pipeline(StandardScaler(), Ridge(10.0)).fit(told, offsets)

    def _mistaken(self, scene: Scene, drawn: np.ndarray) -> np.ndarray:
        """Descriptions of the surest windows of a training image that show no object."""
        places = self._places(scene)
        places = places[windows.shared(places, drawn).max(axis=1, initial=0.0) < MISSED]
        if len(places) > MINED:
            places = places[np.linspace(0, len(places) - 1, MINED).astype(int)]
        if not len(places):
            return np.zeros((0, windows.CHANNELS * (self.cells**2 + 1) + 2))
        told = windows.described(scene.whole, places, self.cells)
        return told[np.argsort(-self._sure(told), kind="stable")[:HARD]]

    def predict(self, X):
        """Per row text of what is found, "x_min,y_min,x_max,y_max,confidence" joined by ";", the surest first."""
        X = self._checked(X)
        found = np.full(len(X), "", dtype=object)
        there = np.flatnonzero(X[self.column].notna().to_numpy())
        with self._quiet():
            for row, scene in zip(there, self._scenes(X.iloc[there]), strict=True):
                found[row] = boxes.written(self._found(scene))
        return found

    def _found(self, scene: Scene) -> np.ndarray:
        """(boxes, 5) with confidences, in pixels of the image."""
        places = self._places(scene)
        told = windows.described(scene.whole, places, self.cells)
        sure = self._sure(told)
        first = np.argsort(-sure, kind="stable")[:LOOKED]
        places, sure, told = places[first], sure[first], told[first]
        if self.mover_ is not None:
            places = _placed(places, np.clip(self.mover_.predict(told), -0.5, 0.5), scene)
            sure = self._sure(windows.described(scene.whole, places, self.cells))
        kept = windows.suppressed(places, sure, self.overlap, MOST)
        kept = kept[sure[kept] >= LEAST]
        return np.column_stack([places[kept] / scene.scale, sure[kept]])

    def _sure(self, told: np.ndarray) -> np.ndarray:
        return probabilities(self.body_, told, 2)[:, 1]

    def _places(self, scene: Scene) -> np.ndarray:
        height, width = scene.picture.shape[:2]
        parts = []
        if self.proposals != "regions":
            parts.append(windows.sliding(height, width, self.shapes_, self.stride))
        if self.proposals != "windows":
            parts.append(windows.regions(scene.picture))
        return np.concatenate(parts)

    # -- images

    def _scenes(self, X: pd.DataFrame) -> Iterator[Scene]:
        cells = X[self.column]
        paths = list(cells) if self.reader is None else self.reader.paths(cells)
        for row, cell in zip(cells.index, paths, strict=True):
            if self.reader is None or not isinstance(cell, (str, Path)):
                yield Scene(**_scene(np.asarray(cell), self.side))
            else:
                make = partial(_opened, self.reader, cell, row, self.side)
                yield Scene(**stash.of_file(cell, ("scene", self.side), make))


def _opened(reader: Reader, path: Any, row: Any, side: int) -> dict[str, np.ndarray]:
    return _scene(reader.open(path, row), side)


def _scene(image: np.ndarray, side: int) -> dict[str, np.ndarray]:
    """The parts of a `Scene`; the longer side of its picture has `side` pixels."""
    picture, scale = _brought(image, side)
    whole = windows.integral(windows.channels(picture.astype(float) / 255)).astype(np.float32)
    return {"picture": picture, "whole": whole, "scale": scale}


def _brought(image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    from .pictures import coloured

    picture = coloured(image)
    if picture.dtype != np.uint8:
        picture = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    scale = side / max(picture.shape[:2])
    size = [max(16, round(each * scale)) for each in picture.shape[1::-1]]
    small = Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(small), np.tile(np.array(size) / picture.shape[1::-1], 2)


def _shaken(drawn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Boxes a little beside those drawn."""
    sides = np.tile(drawn[:, 2:] - drawn[:, :2], 2)
    return drawn + sides * rng.uniform(-0.1, 0.1, drawn.shape)


def _offsets(places: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """How far a window is from its goal: shift of the middle in sides, and logarithms of how much larger it is."""
    sides, wanted = (np.maximum(each[:, 2:] - each[:, :2], 1.0) for each in (places, goals))
    shift = (goals[:, :2] + goals[:, 2:] - places[:, :2] - places[:, 2:]) / 2 / sides
    return np.hstack([shift, np.log(wanted / sides)])


def _placed(places: np.ndarray, offsets: np.ndarray, scene: Scene) -> np.ndarray:
    """Windows moved by their offsets, within the picture."""
    sides = np.maximum(places[:, 2:] - places[:, :2], 1.0)
    middle = (places[:, :2] + places[:, 2:]) / 2 + offsets[:, :2] * sides
    sides = sides * np.exp(offsets[:, 2:])
    height, width = scene.picture.shape[:2]
    return np.clip(np.hstack([middle - sides / 2, middle + sides / 2]), 0, [width, height, width, height])
