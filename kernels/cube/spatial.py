"""Space: a regular grid over two columns, plain or in the Web Mercator projection."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .attributes import NO_BIN, Attribute
from .binning import EdgeTable, edge_table, join_axes
from .columns import Coded, Plain, decode
from .numeric import overlap, regular_edges, short_numbers

PROJECTIONS = ("plain", "mercator")
LATITUDE = 89.9  # Web Mercator has no poles


class Spatial(Attribute):
    """Cells of a grid; cell = ix * ny + iy ("x major"), y upward. Half-open cells, the last of each axis closed.

    Parameters
    ----------
    name : str
    x, y : str
        The columns.
    extent : (x0, x1, y0, y1)
        In the columns' units; degrees for "mercator".
    shape : (nx, ny)
    projection : "plain" or "mercator"
        Where the grid is regular: in the columns' own units, or after projecting longitude and latitude.
    clamp : bool
        Put places outside the extent into the cells at its border.
    missing : bool
        Keep a last bin for rows where x or y is missing.
    title, unit : str, optional

    Attributes
    ----------
    x_edges, y_edges : (nx + 1,), (ny + 1,) arrays
        In the columns' units.
    """

    kind = "spatial"
    extent: tuple[float, float, float, float]
    projection: str
    clamp: bool
    x_edges: np.ndarray
    y_edges: np.ndarray

    def __init__(
        self,
        name: str,
        x: str,
        y: str,
        *,
        extent: Sequence[float],
        shape: Sequence[int],
        projection: str = "plain",
        clamp: bool = False,
        missing: bool = False,
        title: str | None = None,
        unit: str = "",
    ) -> None:
        if projection not in PROJECTIONS:
            raise ValueError(f"{name}: projection {projection!r}; expected one of {', '.join(PROJECTIONS)}")
        x0, x1, y0, y1 = _check_extent(name, extent, projection)
        nx, ny = _check_shape(name, shape)
        self._set(name, (x, y), (nx, ny), missing, title, unit)
        if projection == "mercator":
            low, high = _project(np.array([y0, y1]))
            y_edges = _unproject(regular_edges(low, high, ny))
        else:
            y_edges = regular_edges(y0, y1, ny)
        y_edges[[0, -1]] = y0, y1
        self._keep(extent=(x0, x1, y0, y1), projection=projection, clamp=bool(clamp))
        self._keep(x_edges=_frozen(regular_edges(x0, x1, nx)), y_edges=_frozen(y_edges))
        self._keep(_x_grid=edge_table(self.x_edges), _y_grid=edge_table(self.y_edges))

    _x_grid: EdgeTable
    _y_grid: EdgeTable

    def _labels(self) -> list[str]:
        columns = [" to ".join(pair) for pair in itertools.pairwise(short_numbers(self.x_edges))]
        rows = [" to ".join(pair) for pair in itertools.pairwise(short_numbers(self.y_edges))]
        return [f"{column}, {row}" for column in columns for row in rows]

    def _write(self, columns: list[Plain | Coded], out: np.ndarray) -> None:
        x, y = (decode(column, name) for column, name in zip(columns, self.columns, strict=True))
        for column, name in ((x, self.columns[0]), (y, self.columns[1])):
            if column.values.dtype.kind == "M":
                raise TypeError(f"{self.name}: column {name!r} holds {column.values.dtype}; expected numbers")
        row = np.empty(len(out), np.int32)
        for column, grid, codes in ((x, self._x_grid, out), (y, self._y_grid, row)):
            grid.bin(_numbers(column.values), self.clamp, NO_BIN, codes)
            if column.nulls is not None:
                codes[column.nulls] = NO_BIN
        join_axes(out, row, self.shape[1], self._missing, out)

    def _bin_of(self, value: Any) -> int:
        if isinstance(value, str):
            return self._index_of_label(value)
        try:
            x, y = value
            return int(self.codes(np.array([x], np.float64), np.array([y], np.float64))[0])
        except (TypeError, ValueError):
            return -1

    def _between(self, values: tuple) -> tuple[int, ...]:
        if len(values) != 2 or not all(isinstance(pair, (tuple, list)) for pair in values):
            raise TypeError(f"{self.name}: {values!r} is no extent; expected ((x0, x1), (y0, y1))")
        (x0, x1), (y0, y1) = (self._ends(tuple(pair)) for pair in values)
        box = (*overlap(self.x_edges, x0, x1, self.clamp), *overlap(self.y_edges, y0, y1, self.clamp))
        return box if box[0] < box[1] and box[2] < box[3] else (0, 0, 0, 0)

    def _own_json(self) -> dict[str, Any]:
        x, y = self.columns
        grid = {"extent": list(self.extent), "shape": list(self.shape), "projection": self.projection}
        return {"x": x, "y": y, **grid, "clamp": self.clamp}


def _project(latitude: np.ndarray) -> np.ndarray:
    """Web Mercator's y over the Earth's radius, for degrees."""
    return np.arcsinh(np.tan(np.radians(latitude)))


def _unproject(y: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan(np.sinh(y)))


def _check_extent(name: str, extent: Sequence[float], projection: str) -> tuple[float, float, float, float]:
    try:
        x0, x1, y0, y1 = (float(value) for value in extent)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: extent {extent!r}; expected (x0, x1, y0, y1)") from None
    if not (np.isfinite([x0, x1, y0, y1]).all() and x0 < x1 and y0 < y1):
        raise ValueError(f"{name}: extent {extent!r}; expected finite x0 < x1 and y0 < y1")
    if projection == "mercator" and max(-y0, y1) > LATITUDE:
        raise ValueError(f"{name}: extent {extent!r}; mercator needs latitudes within +-{LATITUDE} degrees")
    return x0, x1, y0, y1


def _check_shape(name: str, shape: Sequence[int]) -> tuple[int, int]:
    try:
        nx, ny = (int(n) for n in shape)
        if nx != shape[0] or ny != shape[1] or nx < 1 or ny < 1:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"{name}: shape {shape!r}; expected two whole numbers (nx, ny), at least 1") from None
    return nx, ny


def _numbers(values: np.ndarray) -> np.ndarray:
    return values.view(np.uint8) if values.dtype == bool else values


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
