"""What elements of recordings have in common: a track per sound or video, one below the other, with a playhead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .pipeline import unrecorded
from .row_linked import RowLinked, rows_of_split
from .streams import Playhead

MANY = 10  # classes that have a colour each


class MediaTracks(RowLinked, Element2D):
    """Base of elements with a track per recording; a row may have no recording that can be read.

    Parameters
    ----------
    data : table of (track, seconds)
        Number and length of each recording, 0 where there is none.
    ids : array
        Of the rows, a track each.
    names, labels : sequences of str
        What each is called, and its class.
    problems : sequence of str
        What is wrong with each; "" where nothing is.
    classes : list of str, optional
        All there are, also beyond these recordings: each has a colour.
    right : array, optional
        Of each 1 where a model is right, 0 where it is wrong, NaN where it says nothing: then colours tell that.
    playhead : Playhead, optional
        A click on a track goes there; where it is shows as a line.
    selection : RowSelection, optional
        Pointing at a track lights its row, clicking keeps it.

    Raises
    ------
    ValueError
        If names, labels or problems do not fit the tracks.
    """

    at_first = 12  # recordings that are shown unless rows are named

    kdims = param.List(default=[Dimension("track")], item_type=Dimension, bounds=(1, 1), doc="Number of the track.")

    vdims = param.List(
        default=[Dimension("seconds", unit="s")], item_type=Dimension, bounds=(1, None), doc="Length of the recording."
    )

    names: Any = param.List(default=[], doc="What each recording is called.")
    labels: Any = param.List(default=[], doc="The class of each.")
    problems: Any = param.List(default=[], doc="What is wrong with each.")
    classes: Any = param.List(default=[], doc="All classes there are, for the colours; by default those of the labels.")
    right: Any = param.Array(default=None, allow_None=True, doc="1 where a model is right, 0 where wrong, else NaN.")
    playhead: Any = param.ClassSelector(class_=Playhead, default=None, allow_None=True, doc="Where one listens.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        for name in ("names", "labels", "problems"):
            if len(getattr(self, name)) != len(self):
                raise ValueError(f"expected as many {name} as tracks, {len(self)}, got {len(getattr(self, name))}")
        if self.right is not None and len(self.right) != len(self):
            raise ValueError(f"expected a verdict per track, {len(self)}, got {len(self.right)}")

    @classmethod
    def from_model(cls, model: Any, split: str = "holdout", column: str | None = None, **params: Any) -> Any:
        """Of the first rows a `kernels.search.Model` was tried on; labels say the truth and what it predicts.

        Raises
        ------
        ValueError
            If its data has no such recordings, or there are no rows of that split.
        """
        rows = rows_tried(model, split, cls.at_first)
        told = verdicts(model, rows) | {"label": model.name}
        return cls.from_data(model.data, column, rows, **(told | params))

    @unrecorded
    def track_of(self, row: Any) -> int | None:
        """Number of a row's track; None where there is none."""
        found = [at for at, id_ in enumerate(self.ids) if row is not None and id_ == row]
        return found[0] if found else None

    @property
    def keys(self) -> list[str]:
        """Ids as a page's script knows them."""
        return [json.dumps(plain_id(id_)) for id_ in self.ids]


def plain_id(id_: Any) -> Any:
    """An id as JSON knows it: NumPy's numbers are not its."""
    return id_.item() if hasattr(id_, "item") else id_


def told_of(data: Any, rows: Sequence[Any], column: str, label: str | None) -> dict[str, list[str]]:
    """Names and labels of some rows' recordings, and all classes."""
    part = data.frame.loc[list(rows)]
    names = ["" if not isinstance(each, str) else each.rpartition("/")[2] for each in part[column]]
    if label is None:
        return {"names": names, "labels": [""] * len(names)}
    every = data.frame[label].dropna().unique()
    classes = sorted(map(str, every)) if len(every) <= MANY else []
    return {"names": names, "labels": [_text(each) for each in part[label]], "classes": classes}


def _text(value: Any) -> str:
    return "missing" if pd.isna(value) else f"{value:.6g}" if isinstance(value, float) else str(value)


def label_of(data: Any, label: str | None) -> str | None:
    """The column that says the class: the named one, or the first suggested target."""
    if label is not None:
        data.column(label)
        return label
    return next((name for name, found in data.columns.items() if found.role == "suggestedTarget"), None)


def column_of(data: Any, column: str | None, type_: str, what: str) -> str:
    """The column that names recordings; ValueError where there is none of that type."""
    names = [name for name, found in data.columns.items() if found.type == type_ and found.is_media]
    if column is None and not names:
        raise ValueError(f"{data.name}: no column of {what}")
    column = column or names[0]
    if column not in names:
        raise ValueError(f'{data.name}: column "{column}" is {data.column(column).type}; expected names of {what}')
    return column


def first_rows(data: Any, rows: Any, most: int) -> list[Any]:
    """Ids of the rows that are shown: those asked for, or the first few."""
    return list(data.frame.index[:most]) if rows is None else list(rows)


def table_of(seconds: Sequence[float]) -> dict[str, np.ndarray]:
    """A row per track."""
    return {"track": np.arange(len(seconds)), "seconds": np.asarray(seconds, dtype=float)}


def verdicts(model: Any, rows: Sequence[Any]) -> dict[str, Any]:
    """Of some rows the truth and what a model says of it as labels; and whether it is right, where it names classes.

    Raises
    ------
    ValueError
        If the model has several targets.
    """
    frame = model.predictions
    if "truth" not in frame:
        raise ValueError(f"{model.name}: expected one target, not {', '.join(model.problem.targets)}")
    frame = frame.reindex(pd.Index(rows))
    pairs = list(zip(frame["truth"], frame["prediction"], strict=True))
    known = frame["split"].notna().to_numpy() & frame["prediction"].notna().to_numpy()
    labels = [verdict(*pair) if there else "not told" for pair, there in zip(pairs, known, strict=True)]
    right = np.array([float(str(a) == str(b)) for a, b in pairs])
    labelled = "lassification" in model.problem.task
    return {"labels": labels, "right": np.where(known, right, np.nan) if labelled else None}


def rows_tried(model: Any, split: str, most: int) -> list[Any]:
    """The first rows a model was tried on; ValueError where there are none."""
    return list(rows_of_split(model, split).index[:most])


def verdict(truth: Any, said: Any) -> str:
    """Truth and prediction in a few words."""
    texts = [_text(each) for each in (truth, said)]
    return f"{texts[0]}, predicted {texts[1]}" if texts[0] != texts[1] else f"{texts[0]}, predicted so"
