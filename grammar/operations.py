"""Operations: from one element to a smaller one."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.operation import Operation
from holoviews.streams import PlotSize, RangeX

from .overview import TrainingOverview


class aggregate_batches(Operation):  # noqa: N801 - operations of HoloViews are called like functions
    """Reduce an overview of very many batches to what a screen can show: the loudest batch of every pixel column.

    Called with `dynamic=True` it follows zooming and panning. Batches that are shown are never invented or averaged:
    every bar of the result is one recorded batch, with all its values, and can be selected.
    """

    width = param.Integer(default=1000, bounds=(1, None), doc="Most bars to return; follows the plot's width.")

    x_range = param.Tuple(default=None, length=2, allow_None=True, doc="Batches in view; None: all.")

    scale = param.Number(default=1.0, bounds=(0, None), inclusive_bounds=(False, True), doc="Part of `width` to use.")

    height = param.Integer(default=None, allow_None=True, doc="Not used; the plot's size comes with it.")

    streams = param.List(default=[RangeX, PlotSize], doc="What it follows when dynamic.")

    def _process(self, element: TrainingOverview, key: Any = None) -> TrainingOverview:
        batch = element.dimension_values(0)
        first, last = _in_view(batch, self.p.x_range)
        columns = max(1, int(self.p.width * self.p.scale))
        if last - first <= columns:
            rows = np.arange(first, last)
            width = element.width()
        else:
            low, high = float(batch[first]), float(batch[last - 1])
            rows = first + loudest(batch[first:last], element.dimension_values(1)[first:last], columns)
            width = max(element.width(), (high - low) / columns)
        table = {d.name: element.dimension_values(d)[rows] for d in element.dimensions()}
        return element.clone(table, bar_width=width, datatype=["dictionary"])


def _in_view(batch: np.ndarray, x_range: tuple[Any, Any] | None) -> tuple[int, int]:
    """First and past-the-last row in view, one neighbour on each side included so that no bar is cut off."""
    if x_range is None or any(x is None or not np.isfinite(x) for x in x_range):
        return 0, len(batch)
    first, last = np.searchsorted(batch, x_range[0], "left"), np.searchsorted(batch, x_range[1], "right")
    return max(int(first) - 1, 0), min(int(last) + 1, len(batch))


def loudest(batch: np.ndarray, value: np.ndarray, columns: int) -> np.ndarray:
    """Row of the largest value in each of `columns` equally wide columns, empty columns left out.

    Parameters
    ----------
    batch : (N,), rising
    value : (N,); NaN never counts as largest
    columns : int

    Returns
    -------
    (at most `columns`,) int, rising
    """
    import datashader as ds  # takes seconds to import, hence here
    import pandas as pd

    # One row of pixels: all that varies is the column.
    frame = pd.DataFrame({"batch": batch, "row": np.zeros(len(batch)), "value": value}, copy=False)
    canvas = ds.Canvas(
        plot_width=columns, plot_height=1, x_range=(float(batch[0]), float(batch[-1])), y_range=(-0.5, 0.5)
    )
    found = canvas.points(frame, "batch", "row", agg=ds.where(ds.max("value"))).values.ravel()
    return found[found >= 0].astype(np.int64)
