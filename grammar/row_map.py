"""Element for all rows of a data set as dots in the plane: rows that are alike lie near each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.figures import figure
from ..kernels.search.label_order import by_value
from .dimensions import default_dimensions
from .pipeline import unrecorded
from .row_index import IndexedRows, id_array

MANY = 20_000  # rows: more are drawn as an image
COLORS = ("prediction", "truth", "error")


class RowMap(IndexedRows, Element2D):
    """A dot per row, coloured by its class, cluster, error or value.

    Parameters
    ----------
    data : table of (x, y, value)
        Places of the rows, and what they are coloured by: numbers of labels (-1: none), or values.
    ids, marks : arrays
        Ids of the rows; each is its own mark.
    labels : list of str
        What the numbers stand for; empty where dots are coloured by values.
    by : str
        What the colour tells.
    span : (number, number), optional
        Values whose colours are the lightest and the darkest; by default all but the outermost hundredths.
    titles : (str, str)
        Of the axes.
    selection : RowSelection, optional
        Pointing near a dot lights its row, clicking keeps it; rows lit or kept elsewhere show as dots on top.

    Raises
    ------
    ValueError
        If a number of a label is beyond them, or there is not an id per row.
    """

    group = param.String(default="RowMap", constant=True)

    kdims = param.List(
        default=[Dimension("x"), Dimension("y")], item_type=Dimension, bounds=(2, 2), doc="Places of the rows."
    )

    vdims = param.List(default=[Dimension("value")], item_type=Dimension, bounds=(1, None), doc="What is coloured by.")

    labels: Any = param.List(default=[], doc="Names of the numbers; empty: values.")
    by: Any = param.String(default="", doc="What the colour tells.")
    span: Any = param.NumericTuple(default=None, length=2, allow_None=True, doc="Values at the ends of the colours.")
    titles: Any = param.Tuple(default=("x", "y"), length=2, doc="Of the axes.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self) != len(self.ids):
            raise ValueError(f"expected an id per row, {len(self)}, got {len(self.ids)}")
        value = self.dimension_values(2)
        if self.labels and len(value) and not (value.min() >= -1 and value.max() < len(self.labels)):
            raise ValueError(f"expected numbers of labels from -1 to {len(self.labels) - 1}")

    @classmethod
    def from_points(
        cls,
        points: Any,
        values: Any = None,
        ids: Any = None,
        by: str = "",
        labels: Sequence[str] | None = None,
        **params: Any,
    ) -> RowMap:
        """Of places in the plane.

        Parameters
        ----------
        points : (rows, 2) array
        values : sequence, optional
            A label or a number per row; missing ones are grey.
        ids : sequence, optional
            By default the index of `values` where it has one, else positions.
        by : str
            What the values are.
        labels : sequence of str, optional
            Of maps side by side, that a label has one colour in all of them; by default those of the values.

        Raises
        ------
        ValueError
            If places are not two finite numbers each, values or ids are not as many, or a value is none of `labels`.
        """
        points = np.asarray(points, dtype=float).reshape(-1, 2) if not len(points) else np.asarray(points, float)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"expected two finite numbers per row, got {points.shape}")
        own = values.index if isinstance(values, pd.Series) else np.arange(len(points))
        ids = id_array(own if ids is None else ids)
        if len(ids) != len(points) or (values is not None and len(values) != len(points)):
            told = len(points) if values is None else len(values)
            raise ValueError(f"expected a value and an id per row, {len(points)}, got {told} and {len(ids)}")
        value, labels = (np.full(len(points), -1), []) if values is None else _coded(pd.Series(values), labels)
        table = {"x": points[:, 0], "y": points[:, 1], "value": value}
        known = {"ids": ids, "marks": np.arange(len(ids)), "labels": labels or ([] if values is not None else ["rows"])}
        if values is None:
            table["value"] = np.zeros(len(points), np.int64)
        return cls(table, datatype=["dictionary"], **({**known, "by": by} | params))

    @classmethod
    def from_data(
        cls, data: Any, color: str | None = None, columns: Sequence[str] | None = None, **params: Any
    ) -> RowMap:
        """Of a data set, laid out by `kernels.search.projection`.

        Parameters
        ----------
        data : Dataset, DataFrame, or whatever `kernels.search.load` takes
        color : str, optional
            Column to colour by, which then does not say where rows lie; by default a suggested target.
        columns : sequence of str, optional
            That say where rows lie.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        from ..kernels.search.data import load
        from ..kernels.search.projection import project

        data = load(data)
        if color is None:
            color = next((name for name, found in data.columns.items() if found.role == "suggestedTarget"), None)
        values = None if color is None else _values(data, color)
        names = [name for name in data.columns if name != color] if columns is None else list(columns)
        found = project(data, names)
        known = {"ids": data.frame.index, "by": color or "", "titles": _titles(found)}
        return cls.from_points(found.points, values, **(known | params))

    @classmethod
    def from_model(cls, model: Any, color: str | None = None, split: str | None = None, **params: Any) -> RowMap:
        """Of the rows a `kernels.search.Model` has predictions for, laid out by its features.

        Parameters
        ----------
        color : {"prediction", "truth", "error"}, optional
            By default the error; of a clustering the cluster.
        split : {"train", "holdout"}, optional
            By default all rows.

        Raises
        ------
        ValueError
            If there is no such colour or split.
        """
        from ..kernels.search.projection import project

        by, values = _shown(model, color, split)
        found = project(model.data, model.problem.features)
        at = model.data.frame.index.get_indexer(values.index)
        known = {"ids": values.index, "by": by, "titles": _titles(found), "label": model.name}
        return cls.from_points(found.points[at], values, **(known | params))

    @classmethod
    def from_models(
        cls,
        models: Sequence[Any],
        color: str | None = None,
        split: str | None = None,
        among: Sequence[Any] | None = None,
        names: Sequence[str] | None = None,
        **params: Any,
    ) -> list[RowMap]:
        """A map per `kernels.search.Model`, all with the same colours for the same labels or values.

        Parameters
        ----------
        color, split
            As for `from_model`.
        among : sequence of models, optional
            Those the colours have to do for, where more are to come; by default the models themselves.
        names : sequence of str, optional
            Of the maps; by default the models'.
        """
        every = [_shown(model, color, split) for model in (models if among is None else among)]
        shared = _shared([values for _, values in every])
        labels = [model.name for model in models] if names is None else names
        return [
            cls.from_model(model, color, split, **(shared | {"label": label} | params))
            for model, label in zip(models, labels, strict=True)
        ]

    @property
    def ends(self) -> tuple[float, float]:
        """Values at the ends of the colours."""
        return ends_of(self.dimension_values(2)) if self.span is None else self.span

    @cached_property
    def points(self) -> np.ndarray:
        """(rows, 2) places."""
        return np.column_stack([self.dimension_values(i).astype(float) for i in range(2)])

    @unrecorded
    def rows_of(self, marks: Iterable[int]) -> np.ndarray:
        """Ids of some dots."""
        return self.ids[np.fromiter(marks, np.int64)]

    def nearest(self, x: float, y: float, reach: tuple[float, float]) -> int | None:
        """The dot nearest to a place, by distances in units of `reach`; None where none is within it."""
        order, places = self._by_x
        start, end = np.searchsorted(places, [x - reach[0], x + reach[0]])
        near = order[start:end]
        if not len(near):
            return None
        far = (((self.points[near] - (x, y)) / reach) ** 2).sum(axis=1)
        return int(near[far.argmin()]) if far.min() <= 1 else None

    @cached_property
    def _by_x(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the rows from left to right, and where they are across."""
        order = np.argsort(self.points[:, 0], kind="stable")
        return order, self.points[order, 0]

    def told(self, mark: int) -> str:
        """What the colour of a dot says, as text."""
        value = self.dimension_values(2)[mark]
        if self.labels:
            return self.labels[int(value)] if value >= 0 else "none"
        return "none" if np.isnan(value) else figure(value, 6)


def ends_of(value: np.ndarray) -> tuple[float, float]:
    """Of numbers all but the outermost hundredths."""
    known = value[np.isfinite(value)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (0.0, 1.0)
    return float(low), float(high)


def _coded(values: pd.Series, labels: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Numbers of labels, and the labels in the order of their values; or plain numbers, and no labels."""
    if labels is not None:
        number = {label: at for at, label in enumerate(labels)}
        unknown = [each for each in values.dropna().unique() if str(each) not in number]
        if unknown:
            raise ValueError(f"{unknown[0]!r}: expected one of {', '.join(labels)}")
        return values.map(lambda one: number[str(one)], na_action="ignore").fillna(-1).to_numpy(np.int64), list(labels)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        plain = values.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(plain), plain, np.nan), []
    codes, names = pd.factorize(values)
    try:
        order = sorted(range(len(names)), key=lambda at: names[at])
    except TypeError:  # labels of several types
        order = sorted(range(len(names)), key=lambda at: str(names[at]))
    order = by_value(order, key=lambda at: names[at])
    place = np.full(len(names) + 1, -1, np.int64)
    place[order] = np.arange(len(order))
    return place[codes], [str(names[at]) for at in order] or ["none"]


def _shared(every: Sequence[pd.Series]) -> dict[str, Any]:
    """Labels, or ends of the values, that do for all of them."""
    coded = [_coded(values) for values in every]
    labelled = [bool(labels) for _, labels in coded]
    if not coded or any(labelled) != all(labelled):
        return {}
    if all(labelled):
        found = {label for values in every for label in values.dropna().map(str)}
        return {"labels": by_value(sorted(found)) or ["none"]}
    return {"span": ends_of(np.concatenate([values for values, _ in coded]))}


def _values(data: Any, color: str) -> pd.Series:
    column, values = data.column(color), data.frame[color]
    if column.type == "dateTime":
        from ..kernels.search.cleaning import seconds

        return pd.Series(seconds(values) / (365.2425 * 86400) + 1970, values.index)  # years
    return values if column.type in ("integer", "real") else values.map(str, na_action="ignore")


def _shown(model: Any, color: str | None, split: str | None) -> tuple[str, pd.Series]:
    """What is told of a model's rows of a split."""
    from ..kernels.search.tasks import CLUSTERING

    frame = model.predictions if split is None else model.predictions[model.predictions["split"] == split]
    if not len(frame):
        raise ValueError(f"{model.name}: no rows of split {split!r}")
    return _answers(model, frame, color or ("prediction" if model.problem.task in CLUSTERING else "error"))


def _answers(model: Any, frame: pd.DataFrame, color: str) -> tuple[str, pd.Series]:
    """What is told of a model's rows, and its name."""
    from ..kernels.search.tasks import CLASSIFICATION, CLUSTERING

    if color not in COLORS or (color != "prediction" and "truth" not in frame):
        there = [name for name in COLORS if name == "prediction" or "truth" in frame]
        raise ValueError(f"{model.name}: cannot be coloured by {color!r}; expected one of {', '.join(there)}")
    if model.problem.task in CLUSTERING and color == "prediction":
        return "cluster", frame["prediction"].map(lambda one: f"cluster {one}", na_action="ignore")
    labelled = model.problem.task in CLASSIFICATION
    if color != "error":
        return color, frame[color].map(str, na_action="ignore") if labelled else frame[color]
    there = frame["truth"].notna() & frame["prediction"].notna()
    if labelled:
        right = frame["truth"].astype(object) == frame["prediction"].astype(object)
        return "verdict", pd.Series(np.where(right, "right", "wrong"), frame.index, dtype=object).where(there)
    return "size of the error", (frame["prediction"].astype(float) - frame["truth"].astype(float)).abs()


def _titles(found: Any) -> tuple[str, str]:
    """Of the axes: how much of the variation each direction tells, and which columns it follows."""
    first, second = (
        f"{share:.0%} of the variation" + (f": {', '.join(map(_short, names[:2]))}" if names else "")
        for share, names in zip(found.explained, found.strongest, strict=True)
    )
    return first, second


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"
