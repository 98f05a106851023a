"""Element for objects in images: boxes that are there, and boxes that a model finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_index import id_array
from .row_linked import RowLinked, rows_of_split

MOST = 24  # images at first
SIDE = 160  # pixels of an image
LEAST = 0.5  # confidence
LAYERS = ("truth", "found")


class ObjectBoxes(RowLinked, Element2D):
    """Images side by side with boxes on them: the truth, and what is found, right or wrong, at a threshold.

    Parameters
    ----------
    data : table of (image, objects, hits, wrong)
        Of each image its place, the objects in it, how many of them are found, and how many boxes are wrong.
    pictures : list of kernels.search.box_matches.Picture
    truth : list of (objects, 4) arrays
        Corners in pixels of the image.
    found : list of (detections, 5) arrays, optional
        Corners and confidence; None where no model is shown.
    least : float
        Detections that are less sure are not shown.
    layers : list of str
        "truth", "found" or both.
    selection : RowSelection, optional
        Pointing at an image lights its row, clicking keeps it.

    Raises
    ------
    ValueError
        If there are not boxes for each picture.
    """

    group = param.String(default="ObjectBoxes", constant=True)

    kdims = param.List(default=[Dimension("image")], item_type=Dimension, bounds=(1, 1), doc="Place of the image.")

    vdims = param.List(
        default=[Dimension("objects"), Dimension("hits"), Dimension("wrong")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Objects in the image, how many are found, boxes that are wrong.",
    )

    pictures: Any = param.List(default=[], doc="The images, small.")
    truth: Any = param.List(default=[], doc="Corners of the objects of each image.")
    found: Any = param.List(default=None, allow_None=True, doc="Corners and confidence of the boxes found in each.")
    least: Any = param.Number(default=LEAST, bounds=(0, 1), doc="Confidence from which on a box is shown.")
    layers: Any = param.ListSelector(default=list(LAYERS), objects=list(LAYERS), doc="What is shown.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        for name in ("pictures", "truth", "found"):
            there = getattr(self, name)
            if there is not None and len(there) != len(self):
                raise ValueError(f"expected {name} of each image, {len(self)}, got {len(there)}")

    @property
    def side(self) -> int:
        """Pixels of an image."""
        return self.pictures[0].tile.shape[0] if self.pictures else SIDE

    @cached_property
    def matched(self) -> list[Any]:
        """Of each image which boxes are right, and which objects are found."""
        from ..kernels.search.box_matches import matches

        found = self.found or [np.zeros((0, 5))] * len(self)
        return [matches(true, said, self.least) for true, said in zip(self.truth, found, strict=True)]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Objects, those that are found, and boxes that are wrong, of all images."""
        objects, hits, wrong = (int(self.dimension_values(at).sum()) for at in (1, 2, 3))
        return objects, hits, wrong

    def at_least(self, least: float) -> ObjectBoxes:
        """The same at another threshold."""
        kept = {name: getattr(self, name) for name in ("pictures", "truth", "found", "layers", "ids", "label")}
        return type(self).from_boxes(**kept, least=least, selection=self.selection)

    @classmethod
    def from_boxes(
        cls, pictures: Sequence[Any], truth: Sequence[Any], found: Any = None, ids: Any = None, **params: Any
    ) -> ObjectBoxes:
        """Of pictures, as `kernels.search.box_matches` makes them."""
        from ..kernels.search.box_matches import matches

        least = params.get("least", LEAST)
        said = [np.zeros((0, 5))] * len(truth) if found is None else found
        if not len(truth) == len(said) == len(pictures):
            raise ValueError(f"expected boxes of each image, {len(pictures)}, got {len(truth)} and {len(said)}")
        made = [matches(a, b, least) for a, b in zip(truth, said, strict=True)]
        table = {
            "image": np.arange(len(pictures)),
            "objects": np.array([len(each) for each in truth], np.int64),
            "hits": np.array([each.hit.sum() for each in made], np.int64),
            "wrong": np.array([(each.sure & ~each.right).sum() for each in made], np.int64),
        }
        ids = id_array(range(len(pictures)) if ids is None else ids)
        known = {"ids": ids, "marks": table["image"], "pictures": list(pictures), "truth": list(truth)}
        known |= {"found": None if found is None else list(found)}
        return cls(table, datatype=["dictionary"], **(known | params))

    @classmethod
    def from_images(
        cls,
        images: Sequence[Any],
        truth: Sequence[Any],
        found: Sequence[Any] | None = None,
        ids: Any = None,
        side: int = SIDE,
        **params: Any,
    ) -> ObjectBoxes:
        """Of arrays.

        Parameters
        ----------
        images : sequence of (height, width) or (height, width, channels) arrays
        truth : sequence
            Of each image its boxes: a list of (x_min, y_min, x_max, y_max), or text as `boxes.boxes` takes it.
        found : sequence, optional
            Of each image a list of (box, confidence), an (n, 5) array, or text of both.
        ids : sequence, optional
            Of the rows; by default positions.

        Raises
        ------
        ValueError
            If there are not boxes for each image, or a box is none.
        """
        from ..kernels.search.box_matches import Picture
        from ..kernels.search.thumbnails import thumbnail

        pictures = [Picture(thumbnail(each, side), tuple(np.shape(each)[1::-1])) for each in images]
        return cls.from_boxes(pictures, _truths(truth), None if found is None else _founds(found), ids, **params)

    @classmethod
    def from_data(
        cls,
        data: Any,
        column: str | None = None,
        target: str | None = None,
        rows: Iterable[Any] | None = None,
        side: int = SIDE,
        **params: Any,
    ) -> ObjectBoxes:
        """Of a data set with images and boxes in them.

        Parameters
        ----------
        data : Dataset, or whatever `kernels.search.load` takes
        column, target : str, optional
            Of the images, and of the boxes; by default the first ones.
        rows : iterable of ids, optional
            By default the first `MOST`.

        Raises
        ------
        ValueError
            If there are no such columns.
        """
        from ..kernels.search.box_matches import pictures
        from ..kernels.search.data import load

        data = load(data)
        column, target = _column(data, column, "image", "images"), _column(data, target, "boxes", "boxes")
        rows = list(data.frame.index[:MOST] if rows is None else rows)
        truth = _truths(data.frame[target].loc[rows])
        return cls.from_boxes(pictures(data, column, rows, side), truth, None, rows, **params)

    @classmethod
    def from_model(
        cls,
        model: Any,
        split: str = "holdout",
        rows: Iterable[Any] | None = None,
        side: int = SIDE,
        **params: Any,
    ) -> ObjectBoxes:
        """Of the images a `kernels.search.Model` was tried on: the first `MOST`, or those asked for.

        Raises
        ------
        ValueError
            If it does not find objects, or there are no rows of that split.
        """
        from ..kernels.search.box_matches import pictures

        if model.problem.task != "objectDetection":
            raise ValueError(f"{model.name}: expected a model that finds objects, not one of {model.problem.task}")
        frame = rows_of_split(model, split)
        rows = list(frame.index[:MOST] if rows is None else rows)
        part = frame.loc[rows]
        column = _column(model.data, None, "image", "images")
        made = pictures(model.data, column, rows, side)
        told = {"label": model.name, **params}
        return cls.from_boxes(made, _truths(part["truth"]), _founds(part["prediction"]), rows, **told)


def _truths(cells: Iterable[Any]) -> list[np.ndarray]:
    from ..kernels.search.boxes import boxes

    return [boxes(cell) for cell in cells]


def _founds(cells: Iterable[Any]) -> list[np.ndarray]:
    from ..kernels.search.boxes import detections

    return [cell if isinstance(cell, np.ndarray) and cell.ndim == 2 else detections(cell) for cell in cells]


def _column(data: Any, name: str | None, type_: str, what: str) -> str:
    there = [each for each, found in data.columns.items() if found.type == type_]
    if name is None and not there:
        raise ValueError(f"{data.name}: no column of {what}")
    name = name or there[0]
    if name not in there:
        raise ValueError(f'{data.name}: column "{name}" is {data.column(name).type}; expected {what}')
    return name
