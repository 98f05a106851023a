"""Element for an attribute of space: cells of a map, coloured by what the filters leave of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D

from .brush import Brush, Target, cells_filter
from .cube_answers import answer_dimension, answers_table, check_answers, extra_dimensions, is_additive
from .cube_cells import Cells, Extent
from .outlines import easting, northing

PROJECTIONS = ("plain", "mercator")
LONGITUDES, LATITUDES = ("lon", "long", "lng", "longitude"), ("lat", "latitude")


class CubeMap(Dataset, Element2D):
    """Cells of a regular grid, one row of data each, in the order of the attribute's bins: cell = ix * ny + iy.

    The first value dimension is the answer under all other views' filters; `total`, `low`, `high` and `selected` are
    understood, too (see `CubeBars`).

    Parameters
    ----------
    data : table of (x, y, answer, ...)
        x and y are the cells' centres as drawn.
    shape : (nx, ny)
    extent : (left, right, bottom, top)
        As drawn: in the columns' units, in metres for "mercator".
    projection : {"plain", "mercator"}
    geographic : bool
        Whether x and y are places on the Earth: then outlines are drawn and a degree is as long as it looks.
    attribute : str
        Its name, in brushes.
    additive, missing, brush
        As for `CubeBars`.
    target : Target, optional
        What dragging a cell up or down, with Alt or Ctrl held, reports to; without one cells cannot be dragged.
    wanted : dict of int to float
        Answers asked for, by cell: outlined.
    box : (x0, x1, y0, y1), optional
        The view's own brush, where it is a box of cells.
    elsewhere : float, optional
        The answer of rows without a place.

    Raises
    ------
    ValueError
        If there is not one row per cell, or values are infinite.
    """

    group = param.String(default="CubeMap", constant=True)

    kdims = param.List(default=[Dimension("x"), Dimension("y")], item_type=Dimension, bounds=(2, 2), doc="Centres.")

    vdims = param.List(
        default=[answer_dimension()], item_type=Dimension, bounds=(1, None), doc="Answer, and what is known of it."
    )

    shape: Any = param.NumericTuple(default=(0, 0), length=2, doc="Cells across and up.")
    extent: Any = param.NumericTuple(default=(0.0, 1.0, 0.0, 1.0), length=4, doc="Left, right, bottom, top as drawn.")
    projection: Any = param.Selector(default="plain", objects=list(PROJECTIONS), doc="Where the grid is regular.")
    geographic = param.Boolean(default=False, doc="Whether x and y are places on the Earth.")
    attribute = param.String(default="", doc="Name of the attribute.")
    additive = param.Boolean(default=True, doc="Whether cells add up.")
    missing = param.Boolean(default=False, doc="Whether the attribute has a bin for missing places.")
    brush: Any = param.ClassSelector(class_=Brush, default=None, allow_None=True, doc="What brushing changes.")
    target: Any = param.ClassSelector(class_=Target, default=None, allow_None=True, doc="What dragging reports to.")
    wanted: Any = param.Dict(default={}, doc="Answers asked for, by cell.")
    box: Any = param.Tuple(default=None, length=4, allow_None=True, doc="The brush, where it is a box of cells.")
    elsewhere: Any = param.Number(default=None, allow_None=True, doc="The answer of rows without a place.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self._cells: Cells | None = None
        if len(self):
            check_answers(self)
            if len(self) != self.shape[0] * self.shape[1]:
                raise ValueError(f"expected a row per cell, {self.shape[0]} x {self.shape[1]}, got {len(self)}")

    @classmethod
    def from_view(
        cls,
        attribute: Any,
        answer: Any,
        total: Any = None,
        interval: Any = None,
        filter: Any = None,
        aggregate: Any = "count",
        title: str | None = None,
        unit: str | None = None,
        **params: Any,
    ) -> CubeMap:
        """The view of an attribute of space; parameters and errors as for `CubeBars.from_view`."""
        if len(attribute.shape) != 2:
            raise ValueError(f"{attribute.name} is not one of space (CubeBars shows the others)")
        table = answers_table(attribute, answer, total, interval, filter, labels=False)
        answers = table["answer"]
        table = {name: column[: attribute.size] for name, column in table.items()}
        grid = Cells(attribute.shape, drawn_extent(attribute), table["answer"])
        x, y = grid.centres()
        dimension = answer_dimension(aggregate, title, unit)
        vdims = [dimension, *extra_dimensions(table, dimension.label, dimension.unit)]
        known = {
            "shape": attribute.shape,
            "extent": grid.extent,
            "projection": attribute.projection,
            "geographic": is_geographic(attribute),
            "attribute": attribute.name,
            "additive": is_additive(aggregate),
            "missing": attribute.missing,
            "box": filter if isinstance(filter, tuple) else None,
            "elsewhere": float(answers[-1]) if attribute.missing and np.isfinite(answers[-1]) else None,
        }
        kdims = [Dimension(name, unit=attribute.unit or None) for name in attribute.columns]
        columns = {kdims[0].name: x, kdims[1].name: y, **table}
        return cls(columns, kdims=kdims, vdims=vdims, datatype=["dictionary"], **(known | params))

    @property
    def cells(self) -> Cells:
        """What is drawn."""
        if self._cells is None:
            names = {d.name for d in self.vdims}
            read = self._read
            answer = np.asarray(read(self.vdims[0].name), np.float64)
            ends = ("total", "low", "high")
            total, low, high = (np.asarray(read(n), np.float64) if n in names else None for n in ends)
            selected = np.asarray(read("selected"), bool) if "selected" in names else None
            shape = (int(self.shape[0]), int(self.shape[1]))
            known = (self.box, self.elsewhere, self.additive, self.wanted, low, high)
            self._cells = Cells(shape, self.extent, answer, total, selected, *known)
        return self._cells

    def _read(self, name: str) -> Any:
        return self.data[name] if isinstance(self.data, dict) else self.dimension_values(name)

    def filter_of(self, x: Any, y: Any) -> Any:
        """The filter that a box or a lasso means; see `brush.cells_filter`."""
        cells = self.cells
        return cells_filter(x, y, cells.shape, cells.centres(), len(cells) + self.missing)

    @property
    def degrees(self) -> Extent:
        """The extent in longitudes and latitudes."""
        if self.projection == "plain":
            return self.extent
        left, right, bottom, top = (float(end) / 6378137.0 for end in self.extent)
        south, north = (float(np.degrees(np.arctan(np.sinh(y)))) for y in (bottom, top))
        return float(np.degrees(left)), float(np.degrees(right)), south, north


def drawn_extent(attribute: Any) -> Extent:
    """Left, right, bottom, top of an attribute of space, in the coordinates in which its grid is regular."""
    x0, x1, y0, y1 = attribute.extent
    if attribute.projection == "plain":
        return x0, x1, y0, y1
    left, right = easting(np.array([x0, x1])).tolist()
    bottom, top = northing(np.array([y0, y1])).tolist()
    return left, right, bottom, top


def is_geographic(attribute: Any) -> bool:
    """Are its columns places on the Earth: by the projection, or by their names."""
    if attribute.projection == "mercator":
        return True
    x, y = (name.lower() for name in attribute.columns)
    x0, x1, y0, y1 = attribute.extent
    named = any(x.endswith(word) for word in LONGITUDES) and any(y.endswith(word) for word in LATITUDES)
    return named and max(-x0, x1) <= 360 and max(-y0, y1) <= 90
