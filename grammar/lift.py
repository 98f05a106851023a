"""Element for how many positives come first, and the stream that says where rows are cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D
from holoviews.streams import Stream

from .dimensions import default_dimensions
from .row_linked import RowLinked, names_of

KINDS = ("gains", "lift")


class Cutoff(Stream):
    """The probability from which on a row counts as positive."""

    value = param.Number(default=0.5, bounds=(0, 1), doc="Rows of at least this probability are taken.")

    def cut(self, value: float) -> None:
        """Cut here; says nothing where nothing changes."""
        if value != self.value:
            self.event(value=value)


class LiftCurve(RowLinked, Element2D):
    """A line per model: the share of positives found, or the lift, over the share of rows taken.

    Rows are taken in the order of their probability of the positive class, the largest first.

    Parameters
    ----------
    data : table of (taken, found, lift, cutoff, line)
        Points of all lines, line by line: share of the rows taken, share of the positives among them, the second over
        the first, the probability down to which rows are taken, and the number of the line.
    names : list of str
        Of the models, one per line.
    kind : {"gains", "lift"}
        Which of the two is drawn.
    positive : str
        The class that counts as positive.
    cutoff : Cutoff, optional
        Where this stream says rows are cut off is marked on every line.
    ids, marks : arrays, optional
        Numbers of the models, and the line of each.
    selection : RowSelection, optional
        Of model numbers: hovering lights a line, clicking keeps it.

    Raises
    ------
    ValueError
        If lines are not whole numbers within `names`, or ids and marks do not fit.
    """

    group = param.String(default="LiftCurve", constant=True)

    kdims = param.List(
        default=[Dimension(("taken", "share of rows taken"))], item_type=Dimension, bounds=(1, 1), doc="0 to 1."
    )

    vdims = param.List(
        default=[Dimension(("found", "share found")), Dimension("lift"), Dimension("cutoff"), Dimension("line")],
        item_type=Dimension,
        bounds=(4, None),
        doc="Share of the positives, lift, cut-off, number of the line.",
    )

    names: Any = param.List(default=[], item_type=str, doc="Names of the models.")
    kind: Any = param.Selector(default="gains", objects=list(KINDS), doc="What is drawn.")
    positive: Any = param.String(default="", doc="The positive class.")
    cutoff: Any = param.ClassSelector(class_=Cutoff, default=None, allow_None=True, doc="Where rows are cut off.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        line = self.dimension_values(4)
        if len(line) and not (line.dtype.kind in "iu" and line.min() >= 0 and line.max() < len(self.names)):
            raise ValueError(f"expected {self.vdims[3].name} as whole numbers from 0 to {len(self.names) - 1}")
        self.check_rows(len(self.names))

    def points(self, line: int) -> np.ndarray:
        """(3, points) of a line: rows taken, what is drawn over them, and the cut-off."""
        mine = self.dimension_values(4) == line
        over = 2 if self.kind == "lift" else 1
        return np.stack([self.dimension_values(at)[mine] for at in (0, over, 3)])

    def at_cutoff(self, value: float) -> np.ndarray:
        """(2, lines) where the rows of at least this probability end on each line; nan where a line is empty."""
        found = np.full((2, len(self.names)), np.nan)
        for line in range(len(self.names)):
            taken, over, cutoffs = self.points(line)
            reached = np.flatnonzero(cutoffs >= value)
            if len(reached):
                found[:, line] = taken[reached[-1]], over[reached[-1]]
        return found

    @classmethod
    def from_values(cls, truth: Any, chances: Mapping[str, Any], numbers: Any = None, **params: Any) -> LiftCurve:
        """From which rows are positive, and the probabilities that models give them.

        Parameters
        ----------
        truth : (rows,) bool
            Which rows are of the positive class.
        chances : mapping
            Of a model's name its (rows,) probabilities; rows without one do not count.
        numbers : sequence, optional
            Of the models, which link them to other views; by default positions.

        Raises
        ------
        ValueError
            If there is not one probability per row.
        """
        from ..kernels.search.cutoff import gains

        return cls._of_curves({name: gains(truth, each) for name, each in chances.items()}, numbers, **params)

    @classmethod
    def from_models(
        cls, models: Sequence[Any], split: str | None = None, positive: Any = None, **params: Any
    ) -> LiftCurve:
        """Of `kernels.search.Model`s that give probabilities.

        Parameters
        ----------
        split : str, optional
            "holdout", or "train" (out of fold); by default that of each model's scores.
        positive : label, optional
            By default the problem's positive class. Of more than two classes it has to be named.

        Raises
        ------
        ValueError
            If a model gives no probabilities, there is no such class, or none is the positive one.
        """
        from ..kernels.search.cutoff import lift, positive_class

        if not len(models):
            return cls._of_curves({}, None, **params)
        named = zip(names_of(models), models, strict=True)
        curves = {name: lift(model, split, positive) for name, model in named}
        known_as = {"positive": positive_class(models[0], positive)}
        return cls._of_curves(curves, [model.number for model in models], **(known_as | params))

    @classmethod
    def _of_curves(cls, curves: Mapping[str, pd.DataFrame], numbers: Any, **params: Any) -> LiftCurve:
        names = [str(name) for name in curves]
        ids = np.asarray(list(range(len(names)) if numbers is None else numbers), dtype=object)
        if len(ids) != len(names):
            raise ValueError(f"expected a number per model, {len(names)}, got {len(ids)}")
        wanted = ["taken", "found", "lift", "cutoff", "line"]
        parts = [each.assign(line=at) for at, each in enumerate(curves.values())]
        table = pd.concat(parts)[wanted] if parts else pd.DataFrame({name: np.zeros(0) for name in wanted})
        columns = {name: table[name].to_numpy() for name in wanted}
        known_as = {"names": names, "ids": ids, "marks": np.arange(len(names))}
        return cls(columns, datatype=["dictionary"], **(known_as | params))
