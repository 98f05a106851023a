"""Element for how models' mean predictions follow one feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.search.label_order import by_value
from ..kernels.search.telling import is_number
from .dimensions import default_dimensions
from .row_linked import RowLinked

BINS = 40
CATEGORIES = 30


class PartialDependence(RowLinked, Element2D):
    """A curve per model: its mean prediction when every row is given the same value of a feature, value by value.

    Parameters
    ----------
    data : table of (curve, number, name)
        Number of the curve, number and name of its model.
    curves : list of DataFrame
        By curve: value (a number, or the place of a category), mean, low and high (the middle 80% of rows).
    feature : str
    of : str
        What is predicted: a target, or the class whose probability it is.
    categories : list of str
        Of a feature that is no number, else empty.
    edges, counts : arrays
        Histogram of the feature in the data; of categories only counts.
    ids, marks : arrays, optional
        Number of each model, and its curve.
    selection : RowSelection, optional
        Of models.

    Raises
    ------
    ValueError
        If there is not one table per curve.
    """

    group = param.String(default="PartialDependence", constant=True)

    kdims = param.List(default=[Dimension("curve")], item_type=Dimension, bounds=(1, 1), doc="Number of the curve.")

    vdims = param.List(
        default=[Dimension("number"), Dimension("name")],
        item_type=Dimension,
        bounds=(2, None),
        doc="Number and name of the model.",
    )

    curves: Any = param.List(default=[], item_type=pd.DataFrame, doc="Of each model.")
    feature: Any = param.String(default="feature", doc="Name of the feature.")
    of: Any = param.String(default="prediction", doc="What is predicted.")
    categories: Any = param.List(default=[], doc="Of a feature that is no number.")
    edges: Any = param.Array(default=np.zeros(0), doc="Of the histogram's bins.")
    counts: Any = param.Array(default=np.zeros(0), doc="Rows in each bin, or with each category.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self.curves) != len(self):
            raise ValueError(f"expected a table per curve, {len(self)}, got {len(self.curves)}")

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[Any, pd.DataFrame],
        feature: str,
        column: Any = None,
        names: Sequence[str] | None = None,
        of: str | None = None,
        **params: Any,
    ) -> PartialDependence:
        """From curves that were computed before.

        Parameters
        ----------
        frames : mapping
            By the models' numbers, best first, what `kernels.search.partial_dependence` returns: columns value, of,
            mean, low, high.
        feature : str
            Name of the feature.
        column : sequence, optional
            The feature's values in the data, for the histogram.
        names : sequence of str, optional
            Of the models; by default their numbers.
        of : str, optional
            Of several classes or targets the one to show; by default the first.

        Raises
        ------
        ValueError
            If there is not one name per model, or a frame has no rows of `of`.
        """
        called = [str(each) for each in (frames if names is None else names)]
        if len(called) != len(frames):
            raise ValueError(f"expected a name per model, {len(frames)}, got {len(called)}")
        there = list(dict.fromkeys(str(each) for frame in frames.values() for each in frame["of"]))
        of = (there[0] if there else "prediction") if of is None else str(of)
        if there and of not in there:
            raise ValueError(f"of = {of!r}: no such class or target; there are {', '.join(there)}")
        mine = [frame[frame["of"].astype(str) == of] for frame in frames.values()]
        values = pd.concat([frame["value"].astype(object) for frame in mine]) if mine else pd.Series([], dtype=object)
        given = None if column is None else pd.Series(column).dropna()
        categories = [] if is_number(values) or not len(values) else _categories(values, given)
        known = {
            "curves": [_curve(frame, categories) for frame in mine],
            "feature": feature,
            "of": of,
            "categories": categories,
            "ids": pd.Index(list(frames), dtype=object).to_numpy(),
            "marks": np.arange(len(frames)),
            **_histogram(given, categories),
        }
        data = {"curve": np.arange(len(frames)), "number": list(frames), "name": called}
        return cls(pd.DataFrame(data), **(known | params))

    @classmethod
    def from_models(
        cls,
        models: Sequence[Any],
        feature: str,
        of: str | None = None,
        points: int = 20,
        rows: int = 200,
        **params: Any,
    ) -> PartialDependence:
        """Of `kernels.search.Model`s of one problem, best first; their pipelines predict `points` times: seconds.

        Parameters
        ----------
        of : str, optional
            Of several classes or targets the one to show; by default the problem's positive class, else the first.
        points, rows : int
            As for `kernels.search.partial_dependence`.

        Raises
        ------
        ValueError
            If a model does not use the feature.
        """
        from ..kernels.search import partial_dependence

        frames = {m.number: partial_dependence(m, feature=feature, points=points, rows=rows) for m in models}
        if of is None and models and models[0].problem.positive is not None:
            of = str(models[0].problem.positive)
        column = models[0].data.frame[feature] if models else None
        return cls.from_frames(frames, feature, column, [model.name for model in models], of, **params)


def _categories(values: pd.Series, column: pd.Series | None) -> list[str]:
    """The most frequent ones and first, as far as they are known; what is a number in the order of the numbers."""
    asked = [str(each) for each in dict.fromkeys(values)]
    if column is None:
        return by_value(asked[:CATEGORIES])
    rank = {label: at for at, label in enumerate(column.map(str).value_counts().index)}
    return by_value(sorted(asked, key=lambda label: rank.get(label, len(rank)))[:CATEGORIES])


def _curve(frame: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    """By rising value, or place of the category."""
    parts = frame[["value", "mean", "low", "high"]]
    if categories:
        place = {label: at for at, label in enumerate(categories)}
        parts = parts.assign(value=parts["value"].map(str).map(place)).dropna(subset=["value"])
    return parts.astype(float).sort_values("value", kind="stable").reset_index(drop=True)


def _histogram(column: pd.Series | None, categories: list[str]) -> dict[str, np.ndarray]:
    if column is None or not len(column):
        return {"edges": np.zeros(0), "counts": np.zeros(0)}
    if categories:
        found = column.map(str).value_counts()
        return {"edges": np.zeros(0), "counts": found.reindex(categories, fill_value=0).to_numpy(float)}
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
    counts, edges = np.histogram(numbers[np.isfinite(numbers)], bins=BINS)
    return {"edges": edges, "counts": counts.astype(float)}
