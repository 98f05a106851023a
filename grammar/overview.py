"""Element for a whole training: one bar per recorded batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension
from holoviews.element.chart import Chart
from holoviews.element.selection import Selection1DExpr

from .dimensions import default_dimensions
from .pipeline import unrecorded

_KNOWN = {
    "max_gradient": Dimension(("max_gradient", "largest bar"), unit="nats per unit weight"),
    "loss": Dimension("loss", unit="nats"),
    "mean_lag": Dimension(("mean_lag", "mean lag"), unit="steps"),
    "correct": Dimension(("correct", "predicted right")),
    "step": Dimension(("step", "training step")),
    "position": Dimension(("position", "position in corpus")),
}


class TrainingOverview(Selection1DExpr, Chart):
    """One bar per recorded batch; the first value dimension is its height.

    Parameters
    ----------
    data : DataFrame or table of (batch, max_gradient, ...)
        A DataFrame without a column for the batch counts its index. Without `vdims`, all columns known from
        recordings are taken: max_gradient, loss, mean_lag, correct, step, position.
    bar_width : float, optional
        Width of a bar, in batches; default: the distance between neighbours.

    Raises
    ------
    ValueError
        If batches are not numbers or do not rise.
    """

    group = param.String(default="TrainingOverview", constant=True)

    kdims = param.List(
        default=[Dimension(("batch", "recorded batch"))], item_type=Dimension, bounds=(1, 1), doc="Number of the batch."
    )

    vdims = param.List(
        default=[_KNOWN["max_gradient"]], item_type=Dimension, bounds=(1, None), doc="Height, and what else is known."
    )

    bar_width = param.Number(
        default=None, bounds=(0, None), inclusive_bounds=(False, True), allow_None=True, doc="Bar width in batches."
    )

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        if isinstance(data, pd.DataFrame):
            if kdims is None and "batch" not in data.columns:
                data = data.rename_axis("batch").reset_index()
            if vdims is None and "max_gradient" in data.columns:
                vdims = [dimension for name, dimension in _KNOWN.items() if name in data.columns]
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if len(self):
            self._check()

    def _check(self) -> None:
        batch = self.dimension_values(0)
        if batch.dtype.kind not in "fiu":
            raise ValueError(f"expected {self.kdims[0].name} as numbers, got {batch.dtype} values")
        if (batch[1:] <= batch[:-1]).any():
            raise ValueError(f"expected {self.kdims[0].name} to rise from row to row, each batch once")

    def nearest(self, x: float) -> int | None:
        """Number of the batch whose bar lies nearest to x; None without any bars."""
        batch = self.dimension_values(0)
        if not len(batch) or not np.isfinite(x):
            return None
        right = int(np.clip(np.searchsorted(batch, x), 1, max(len(batch) - 1, 1)))
        near = min(right, len(batch) - 1)
        return int(batch[near - 1] if near and x - batch[near - 1] <= batch[near] - x else batch[near])

    @unrecorded
    def pick(self, *batches: int | None, **params: Any) -> TrainingOverview:
        """The bars of some batches alone, to mark them on top of all; None and unknown batches are left out."""
        batch = self.dimension_values(0)
        wanted = np.unique([b for b in batches if b is not None])
        rows = np.searchsorted(batch, wanted)
        rows = rows[np.take(batch, rows, mode="clip") == wanted] if len(batch) else rows[:0]
        table = {d.name: self.dimension_values(d)[rows] for d in self.dimensions()}
        width = self.width()
        return TrainingOverview(table, kdims=self.kdims, vdims=self.vdims, **({"bar_width": width} | params))

    def width(self) -> float:
        """Width of a bar, in batches."""
        if self.bar_width is not None:
            return self.bar_width
        batch = self.dimension_values(0)
        return float(np.diff(batch).min()) if len(batch) > 1 else 1.0
