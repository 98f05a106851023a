"""Element for the images of a data set, in bins of what is to be predicted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.figures import figure
from .dimensions import default_dimensions
from .row_index import id_array
from .row_linked import RowLinked, rows_of_split

PER = 50  # images of a bin, and as many more when asked
MOST = 1500  # images at first, of all bins: their pixels travel to the browser
LEAST = 4


@dataclass(frozen=True, eq=False)
class Album:
    """All images of a mosaic, shown or not.

    Parameters
    ----------
    members : dict
        Name of a bin to the positions of its images, in their order.
    ids : array
        Of the rows.
    labels : array of str
        What the tooltip says of each: its class or value.
    data, column
        A data set, and the column that names the images; or
    images : sequence of arrays
        The images themselves.
    right : array, optional
        Of each 1 where a model is right, 0 where it is wrong, NaN where it says nothing.
    said : array of str, optional
        What it says.
    """

    members: Mapping[str, np.ndarray]
    ids: np.ndarray
    labels: np.ndarray
    data: Any = None
    column: str = ""
    images: Sequence[Any] | None = None
    right: np.ndarray | None = None
    said: np.ndarray | None = None

    def tiles(self, at: np.ndarray, side: int) -> tuple[np.ndarray, list[str]]:
        """Thumbnails of the images at some positions, and what is wrong with each; see `kernels.search.thumbnails`."""
        from ..kernels.search.thumbnails import of_arrays, thumbnails

        if self.images is not None:
            return of_arrays([self.images[each] for each in at], side)
        return thumbnails(self.data, self.column, self.ids[at], side)


class ImageMosaic(RowLinked, Element2D):
    """Thumbnails side by side, bin by bin: the classes of a target, or ranges of its values.

    Parameters
    ----------
    data : table of (bin, place)
        Of each image the number of its bin and its place there.
    album : Album
    counts : dict
        Name of a bin to how many of its images are shown.
    side : int
        Pixels of a thumbnail.
    selection : RowSelection, optional
        Pointing at an image lights its row, and shows it larger; clicking keeps it.

    Raises
    ------
    ValueError
        If the table does not fit the counts.
    """

    group = param.String(default="ImageMosaic", constant=True)

    kdims = param.List(
        default=[Dimension("bin"), Dimension("place")], item_type=Dimension, bounds=(2, 2), doc="Bin, and place in it."
    )

    vdims = param.List(default=[Dimension("row")], item_type=Dimension, bounds=(1, None), doc="Position of the row.")

    album: Any = param.ClassSelector(class_=Album, default=None, allow_None=True, doc="All images, shown or not.")
    counts: Any = param.Dict(default={}, doc="How many of each bin are shown.")
    side: Any = param.Integer(default=40, bounds=(4, 256), doc="Pixels of a thumbnail.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if len(self) != sum(self.counts.values()):
            raise ValueError(f"expected a row per image that is shown, {sum(self.counts.values())}, got {len(self)}")
        self.check_rows(len(self))
        self._tiles: tuple[np.ndarray, list[str]] | None = None

    @property
    def bins(self) -> list[str]:
        """Names of the bins."""
        return list(self.counts)

    @property
    def at(self) -> np.ndarray:
        """Positions in the album of the images that are shown."""
        return self.dimension_values(2).astype(np.int64)

    @property
    def tiles(self) -> tuple[np.ndarray, list[str]]:
        """(images, side, side, 4) uint8, and what is wrong with each; made when they are first asked for."""
        if self._tiles is None:
            none = np.zeros((0, self.side, self.side, 4), np.uint8), list[str]()
            self._tiles = none if self.album is None else self.album.tiles(self.at, self.side)
        return self._tiles

    def larger(self, mark: int, side: int) -> np.ndarray:
        """One of the images in `side` pixels. (side, side, 4) uint8"""
        return self.album.tiles(self.at[[mark]], side)[0][0]

    def more(self, label: str, count: int = PER) -> ImageMosaic:
        """The same with up to `count` more images of one bin.

        Raises
        ------
        ValueError
            If there is no such bin.
        """
        if label not in self.counts:
            raise ValueError(f"no bin {label!r}; there are {', '.join(self.bins[:20])}")
        return self._showing({**self.counts, label: self.counts[label] + count})

    def _showing(self, counts: Mapping[str, int]) -> ImageMosaic:
        kept = {"selection": self.selection, "label": self.label, "side": self.side}
        return self.from_album(self.album, counts, **kept)

    @classmethod
    def from_album(cls, album: Album, counts: Mapping[str, int] | int = PER, **params: Any) -> ImageMosaic:
        """Of an album.

        Parameters
        ----------
        counts : int or dict
            Images of each bin at first; an int is less where there are many bins.
        """
        if not isinstance(counts, Mapping):
            first = max(min(counts, MOST // max(len(album.members), 1)), min(LEAST, counts))
            counts = dict.fromkeys(album.members, first)
        chosen = {name: at[: counts.get(name, 0)] for name, at in album.members.items()}
        rows = np.concatenate([np.zeros(0, np.int64), *chosen.values()])
        table = {
            "bin": np.repeat(np.arange(len(chosen)), [len(at) for at in chosen.values()]),
            "place": np.concatenate([np.zeros(0, np.int64), *(np.arange(len(at)) for at in chosen.values())]),
            "row": rows,
        }
        known = {"album": album, "counts": {name: len(at) for name, at in chosen.items()}}
        known |= {"ids": album.ids[rows], "marks": np.arange(len(rows))}
        return cls(table, datatype=["dictionary"], **(known | params))

    @classmethod
    def from_images(
        cls, images: Sequence[Any], labels: Sequence[Any] | None = None, ids: Any = None, per: int = PER, **params: Any
    ) -> ImageMosaic:
        """Of arrays, as (height, width) or with up to 4 channels.

        Parameters
        ----------
        labels : sequence, optional
            The class of each.
        ids : sequence, optional
            Of the rows; by default positions.

        Raises
        ------
        ValueError
            If there is not a label and an id per image.
        """
        found = pd.Series(["all"] * len(images) if labels is None else list(labels), dtype=object)
        ids = np.arange(len(images)) if ids is None else id_array(ids)
        if not len(found) == len(images) == len(ids):
            raise ValueError(f"expected a label and an id per image, {len(images)}, got {len(found)} and {len(ids)}")
        members, text = _by_label(found)
        return cls.from_album(Album(members, ids, text, images=images), per, **params)

    @classmethod
    def from_data(
        cls, data: Any, column: str | None = None, target: str | None = None, per: int = PER, **params: Any
    ) -> ImageMosaic:
        """Of a data set with a column that names images.

        Parameters
        ----------
        column : str, optional
            By default the first of images.
        target : str, optional
            Whose classes, or ranges of values, are the bins; by default a suggested target, else there is one bin.
        per : int
            Images of a bin.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        from ..kernels.search.data import load

        data = load(data)
        column = _image_column(data, column)
        if target is None:
            target = next((name for name, found in data.columns.items() if found.role == "suggestedTarget"), None)
        members, text = _by_target(data, target)
        album = Album(members, id_array(data.frame.index), text, data, column)
        return cls.from_album(album, per, **params)

    @classmethod
    def from_model(
        cls, model: Any, split: str = "holdout", column: str | None = None, per: int = PER, **params: Any
    ) -> ImageMosaic:
        """Of the rows a `kernels.search.Model` was tried on, in bins of the truth; frames say right or wrong.

        Raises
        ------
        ValueError
            If its data has no images, it has no single target, or there are no rows of that split.
        """
        from ..kernels.search.tasks import CLASSIFICATION

        frame = rows_of_split(model, split)
        if "truth" not in frame:
            raise ValueError(f"{model.name}: a mosaic needs one target, not {', '.join(model.problem.targets)}")
        data = model.data.take(frame.index)
        labelled = model.problem.task in CLASSIFICATION
        members, text = _by_label(frame["truth"]) if labelled else _by_target(data, model.problem.targets[0])
        there = frame["truth"].notna() & frame["prediction"].notna()
        right = np.where(there, frame["truth"].astype(object) == frame["prediction"].astype(object), np.nan)
        album = Album(
            members,
            id_array(data.frame.index),
            text,
            data,
            _image_column(data, column),
            right=right.astype(float) if labelled else None,
            said=np.array([_text(value) for value in frame["prediction"]], dtype=object),
        )
        return cls.from_album(album, per, **{"label": model.name, **params})


def _image_column(data: Any, column: str | None) -> str:
    names = [name for name, found in data.columns.items() if found.type == "image" and found.is_media]
    if column is None and not names:
        raise ValueError(f"{data.name}: no column of images")
    column = column or names[0]
    if data.column(column).type != "image":
        raise ValueError(f'{data.name}: column "{column}" is {data.column(column).type}; expected images')
    return column


def _by_label(labels: pd.Series) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Positions by label, labels in the order of their values; and all of them as text."""
    text = np.array([_text(value) for value in labels], dtype=object)
    try:
        order = sorted(set(labels.dropna()))
    except TypeError:  # labels of several types
        order = sorted(set(labels.dropna()), key=str)
    names = list(dict.fromkeys([*map(_text, order), *(["missing"] if labels.isna().any() else [])]))
    places = pd.Series(np.arange(len(text))).groupby(text).indices
    return {name: np.sort(places[name]) for name in names}, text


def _by_target(data: Any, target: str | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    from ..kernels.search.profile import KINDS, Profile

    if target is None:
        return {"all": np.arange(len(data))}, np.full(len(data), "", dtype=object)
    kind = KINDS.get(data.column(target).type)
    if kind not in ("numbers", "times"):
        return _by_label(data.frame[target])
    profile = Profile(data.select([target]), bins=8)
    names, codes = profile.columns[0].labels, profile.codes[:, 0]
    text = np.array([_text(value) for value in data.frame[target]], dtype=object)
    return {name: np.flatnonzero(codes == at) for at, name in enumerate(names) if (codes == at).any()}, text


def _text(value: Any) -> str:
    missing: Iterable[Any] | bool = pd.isna(value) if np.ndim(value) == 0 else False
    return "missing" if missing else figure(value, 6) if isinstance(value, float) else str(value)
