"""Element for how far a model's predictions are off, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_linked import RowLinked, row_ids, rows_of_split

ORDERS = ("truth", "prediction", "residual", "size", "row")
MOST = 1500  # bars; of more rows each bar stands for several that follow each other


class Residuals(RowLinked, Element2D):
    """Bars of prediction - truth, one per row; of many rows one per few rows, from their least to their largest.

    Parameters
    ----------
    data : table of (place, low, high, rows, truth, prediction)
        Of each bar: its place in the order, least and largest residual, number of rows, and their mean truth and
        prediction. A bar of one row has its residual as both.
    ids, marks : arrays, optional
        Ids of the rows, and the bar each is in.
    residuals : array, optional
        Of each row, for what is selected within a bar.
    order : str
        What the bars are ordered by.
    reach : float, optional
        Largest residual, up or down, that the axis has room for: the same for several models puts them on one scale.
    selection : RowSelection, optional
        Hovering a bar lights its rows, clicking keeps them; rows lit or kept elsewhere show in their bars.

    Raises
    ------
    ValueError
        If a bar is upside down, or ids, marks and residuals do not fit.
    """

    group = param.String(default="Residuals", constant=True)

    kdims = param.List(
        default=[Dimension(("place", "row"))], item_type=Dimension, bounds=(1, 1), doc="Place in the order."
    )

    vdims = param.List(
        default=[
            Dimension(("low", "prediction - truth")),
            Dimension("high"),
            Dimension("rows"),
            Dimension("truth"),
            Dimension("prediction"),
        ],
        item_type=Dimension,
        bounds=(5, None),
        doc="Least and largest residual, rows, mean truth, mean prediction.",
    )

    residuals: Any = param.Array(default=np.zeros(0), doc="Prediction - truth of each row.")
    order: Any = param.Selector(default="truth", objects=list(ORDERS), doc="What the bars are ordered by.")
    reach: Any = param.Number(default=0.0, bounds=(0, None), doc="Least that the axis has room for, up and down.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self.residuals) != len(self.ids):
            raise ValueError(f"expected a residual per row id, {len(self.ids)}, got {len(self.residuals)}")
        low, high = self.dimension_values(1), self.dimension_values(2)
        if (low > high).any():
            raise ValueError(f"expected {self.vdims[0].name} <= {self.vdims[1].name} in every bar")

    @property
    def mean_error(self) -> float:
        """Mean absolute error of all rows; nan without rows."""
        return float(np.abs(self.residuals).mean()) if len(self.residuals) else float("nan")

    @classmethod
    def from_values(
        cls, truth: Any, prediction: Any, ids: Any = None, order: str = "truth", most: int = MOST, **params: Any
    ) -> Residuals:
        """From the true and the predicted value of each row.

        Parameters
        ----------
        truth, prediction : arrays of numbers
            Rows where either is missing or infinite are left out.
        ids : sequence, optional
            Of the rows; by default the index of `truth` where it has one, else positions.
        order : {"truth", "prediction", "residual", "size", "row"}
            "size": the largest errors first; the others rise.
        most : int
            Most bars.

        Raises
        ------
        ValueError
            If there is not one prediction and one id per row, or no such order.
        """
        if order not in ORDERS:
            raise ValueError(f"no order {order!r}; expected one of {', '.join(ORDERS)}")
        if most < 1:
            raise ValueError(f"most = {most}; expected at least one bar")
        ids = row_ids(ids, truth, prediction)
        true, said = (np.asarray(each, dtype=float) for each in (truth, prediction))
        known = np.isfinite(true) & np.isfinite(said)
        true, said, ids = true[known], said[known], ids[known]
        by = {"truth": true, "prediction": said, "residual": said - true, "size": -np.abs(said - true)}
        at = np.argsort(by[order], kind="stable") if order in by else np.arange(len(true))
        true, said, ids = true[at], said[at], ids[at]
        marks = np.arange(len(true)) * min(most, len(true)) // max(len(true), 1)
        known_as = {"ids": ids, "marks": marks, "residuals": said - true, "order": order}
        return cls(_bars(true, said, marks), datatype=["dictionary"], **(known_as | params))

    @classmethod
    def from_model(cls, model: Any, split: str = "holdout", target: str | None = None, **params: Any) -> Residuals:
        """Of a `kernels.search.Model` that predicts numbers, on the rows of one split ("train": out of fold).

        Parameters
        ----------
        target : str, optional
            Of several targets.

        Raises
        ------
        ValueError
            If the model does not predict numbers, has no such target, or there are no rows of that split.
        """
        if model.problem.task not in ("regression", "timeSeriesForecasting", "collaborativeFiltering"):
            raise ValueError(f"{model.name}: residuals need numbers, not {model.problem.task}")
        frame, end = model.predictions, "" if target is None else f"_{target}"
        if f"prediction{end}" not in frame and target == next(iter(model.problem.targets), None):
            end = ""
        if f"prediction{end}" not in frame:
            raise ValueError(f"{model.name}: name one of its targets, {', '.join(model.problem.targets)}")
        rows = rows_of_split(model, split)
        return cls.from_values(rows[f"truth{end}"], rows[f"prediction{end}"], **{"label": model.name, **params})


def _bars(true: np.ndarray, said: np.ndarray, marks: np.ndarray) -> dict[str, np.ndarray]:
    """A row per bar."""
    starts = np.flatnonzero(np.diff(marks, prepend=-1))
    counts = np.diff(np.append(starts, len(marks)))
    if not len(starts):
        return {name: np.zeros(0) for name in ("place", "low", "high", "rows", "truth", "prediction")}
    off = said - true
    return {
        "place": starts + (counts - 1) / 2,
        "low": np.minimum.reduceat(off, starts),
        "high": np.maximum.reduceat(off, starts),
        "rows": counts,
        "truth": np.add.reduceat(true, starts) / counts,
        "prediction": np.add.reduceat(said, starts) / counts,
    }
