"""Operations: from one element to a smaller one."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.operation import Operation
from holoviews.streams import PlotSize, RangeX

from .overview import TrainingOverview
from .training_grid import TrainingGrid


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


class aggregate_cells(Operation):  # noqa: N801
    """Reduce a `UnitFlow` or `GateFlow` to what a screen can show: of every block of cells the one of largest size.

    Called with `dynamic=True` it follows zooming and panning. Cells are never averaged: each of the result is one row
    in one recorded batch, which its values `of` and `at` name. Rows that are drawn high (`apart`) stay by themselves.
    """

    width = param.Integer(default=1000, bounds=(1, None), doc="Most columns to return; follows the plot's width.")

    height = param.Integer(default=200, bounds=(1, None), doc="Pixels for rows; follows the plot's height.")

    x_range = param.Tuple(default=None, length=2, allow_None=True, doc="Batches in view; None: all.")

    scale = param.Number(default=1.0, bounds=(0, None), inclusive_bounds=(False, True), doc="Part of `width` to use.")

    streams = param.List(default=[RangeX, PlotSize], doc="What it follows when dynamic.")

    def _process(self, element: TrainingGrid, key: Any = None) -> TrainingGrid:
        from ..kernels.peaks import peaks  # compiled

        batch, place = element.places()
        if not (len(batch) and len(place)):
            return element
        first, last = _in_view(batch, self.p.x_range)
        span = -(-(last - first) // max(1, int(self.p.width * self.p.scale)))
        first = first // span * span  # columns stay as they are while one pans
        columns = np.append(np.arange(first, max(last, first + 1), span), max(last, first + 1))
        rows = _row_edges(len(place), element.apart, max(self.p.height // 2, 1))
        row, column = peaks(element.cells(element.vdims[0]), rows, columns)
        table = {"batch": batch[columns[:-1]], "place": place[rows[:-1]]}
        table |= {d.name: element.cells(d)[row, column] for d in element.vdims[:2]}
        table |= {"at": batch[column], "of": place[row]}
        vdims = [*element.vdims[:2], *(d for d in ("at", "of"))]
        found = {"edges": rows, "span": int(span), "reach": element.ends()}
        return element.clone(table, vdims=vdims, datatype=["grid"], **found)


def _row_edges(count: int, apart: int, most: int) -> np.ndarray:
    """Edges of rows: those apart one by one, the rest in at most `most` groups."""
    apart = min(apart, count)
    rest = np.linspace(apart, count, min(count - apart, most) + 1).round().astype(int)
    return np.concatenate([np.arange(apart), rest])


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
