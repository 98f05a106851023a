"""Element for one attribute of a cube: a bar per bin, what the filters leave of it, and what is brushed."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D
from holoviews.element.selection import Selection1DExpr

from .brush import Brush, Target, filter_of
from .cube_answers import EXTRA, answer_dimension, answers_table, check_answers, extra_dimensions, is_additive
from .cube_columns import Bars
from .dimensions import default_dimensions

KINDS = ("histogram", "categories", "calendar")


class CubeBars(Selection1DExpr, Dataset, Element2D):
    """One attribute's answers as bars, side by side in the order of its bins.

    The first value dimension is the answer under all other views' filters. Value dimensions called `total` (without
    any filter), `low` and `high` (ends of an interval), `selected` (whether the view's own brush takes the bin) and
    `label` are understood, too.

    Parameters
    ----------
    data : table of (position, answer, ...)
        Positions count bins, from 0.
    kind : {"histogram", "categories", "calendar"}
        Bars of a histogram touch, and labels stand at their edges; else there are gaps, and labels under the bars.
    attribute : str
        Its name, in brushes and targets.
    ordered : bool
        Whether ranges mean something.
    additive : bool
        Whether bars add up, as counts do and means do not.
    missing : bool
        Whether the last bin is that of missing values.
    edges : list of str, optional
        Labels of the n + 1 edges of a histogram.
    brush : Brush, optional
        What brushing this view changes; without one it cannot be brushed.
    target : Target, optional
        What dragging a bar's top reports to; without one bars cannot be dragged.
    wanted : dict of int to float
        Answers asked for, by bin: drawn as ghosts.
    window : (start, stop), optional
        Bins that are in view; default: all.

    Raises
    ------
    ValueError
        If positions are not whole numbers from 0 on, or values are infinite.
    """

    group = param.String(default="CubeBars", constant=True)

    kdims = param.List(default=[Dimension("position")], item_type=Dimension, bounds=(1, 1), doc="Number of the bin.")

    vdims = param.List(
        default=[answer_dimension()], item_type=Dimension, bounds=(1, None), doc="Answer, and what is known of it."
    )

    kind: Any = param.Selector(default="histogram", objects=list(KINDS), doc="What the bars look like.")
    attribute = param.String(default="", doc="Name of the attribute.")
    ordered = param.Boolean(default=True, doc="Whether ranges of bins mean something.")
    additive = param.Boolean(default=True, doc="Whether bars add up.")
    missing = param.Boolean(default=False, doc="Whether the last bin holds missing values.")
    edges: Any = param.List(default=None, allow_None=True, doc="Labels of a histogram's edges.")
    brush: Any = param.ClassSelector(class_=Brush, default=None, allow_None=True, doc="What brushing changes.")
    target: Any = param.ClassSelector(class_=Target, default=None, allow_None=True, doc="What dragging reports to.")
    wanted: Any = param.Dict(default={}, doc="Answers asked for, by bin.")
    window: Any = param.Tuple(default=None, length=2, allow_None=True, doc="Bins [start, stop) in view; None: all.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self._bars: Bars | None = None
        if len(self):
            check_answers(self)
            position = np.asarray(self._read(self.kdims[0].name))
            if position.dtype.kind not in "fiu" or (position != np.floor(position)).any() or (position < 0).any():
                raise ValueError(f"expected {self.kdims[0].name} as whole numbers from 0 on, the numbers of bins")

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
    ) -> CubeBars:
        """The view of one attribute, as `views` of a model or an exact cube answers it.

        Parameters
        ----------
        attribute : kernels.cube.Attribute
            Not one of space: see `CubeMap`.
        answer : (bins,)
        total : (bins,), optional
            The answers without any filter.
        interval : pair of (bins,), optional
            Low and high ends.
        filter : optional
            The view's own brush, as a query holds it.
        aggregate : "count" or (kind, measure)
        title, unit : str, optional
            Of the answers' axis; default: the aggregate's name.
        **params
            Such as `brush` and `target`.

        Raises
        ------
        ValueError
            If lengths differ from the attribute's bins, values are infinite, or the attribute is one of space.
        """
        if len(attribute.shape) != 1:
            raise ValueError(f"{attribute.name} is one of space; expected one in a row (CubeMap shows space)")
        table = answers_table(attribute, answer, total, interval, filter)
        table["position"] = np.arange(attribute.bins)
        dimension = answer_dimension(aggregate, title, unit)
        vdims = [dimension, *extra_dimensions(table, dimension.label, dimension.unit)]
        kdims = [Dimension(("position", attribute.title), unit=attribute.unit or None)]
        known = {"attribute": attribute.name, "ordered": attribute.ordered, "missing": attribute.missing}
        known |= {"kind": kind_of(attribute), "edges": edge_labels(attribute), "additive": is_additive(aggregate)}
        return cls(table, kdims=kdims, vdims=vdims, datatype=["dictionary"], **(known | params))

    @property
    def bars(self) -> Bars:
        """What is drawn."""
        if self._bars is None:
            read = self._read
            columns = {name: read(name) for name in EXTRA if any(d.name == name for d in self.vdims)}
            for name in ("total", "low", "high"):
                if name in columns:
                    columns[name] = np.asarray(columns[name], np.float64)
            if "selected" in columns:
                columns["selected"] = np.asarray(columns["selected"], bool)
            at, answer = (np.asarray(read(d.name), np.float64) for d in (self.kdims[0], self.vdims[0]))
            look = {"kind": self.kind, "missing": self.missing, "edges": self.edges, "wanted": self.wanted}
            look |= {"additive": self.additive, "window": self.window}
            self._bars = Bars(at, answer, **columns, **look)
        return self._bars

    def _read(self, name: str) -> Any:
        """A column; HoloViews' own way takes a tenth of a millisecond."""
        return self.data[name] if isinstance(self.data, dict) else self.dimension_values(name)

    def filter_of(self, bins: Any) -> Any:
        """The filter that a brush over these bins means."""
        return filter_of(bins, len(self), self.ordered, self.bars.label, self.missing)


def kind_of(attribute: Any) -> str:
    """How an attribute's bars are drawn."""
    if not attribute.ordered:
        return "categories"
    if getattr(attribute, "part", None) is not None or attribute.kind == "integer":
        return "calendar"
    return "histogram"


@functools.lru_cache(256)
def edge_labels(attribute: Any) -> list[str] | None:
    """Labels of a histogram's edges, where the attribute has edges."""
    if kind_of(attribute) != "histogram":
        return None
    if hasattr(attribute, "edges"):
        from ..kernels.cube.numeric import short_numbers

        return [text.replace("inf", "∞") for text in short_numbers(attribute.edges)]
    labels = attribute.labels()[: attribute.size]
    return [*labels, ""]
