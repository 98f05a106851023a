"""Element for which rows models dispute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.figures import figure
from .dimensions import default_dimensions
from .row_linked import RowLinked

KINDS = ("labels", "numbers")
MOST = 1500  # bars; of more rows each bar stands for several that follow each other


class Disagreement(RowLinked, Element2D):
    """Bars of how far models disagree, one per row in dispute, the most disputed first; coloured by who is right.

    Of labels: the share of models that do not say the commonest label, coloured by the share that say the truth. Of
    numbers: the standard deviation between models, coloured by their mean absolute error.

    Parameters
    ----------
    data : table of (place, low, high, rows, right, truth, most)
        Of each bar: its place in the order, least and largest disagreement, number of rows, mean share of models that
        are right (of numbers: their mean error); of a bar of one row, as text, its truth and what most models (of
        numbers: all, in the mean) say.
    kind : {"labels", "numbers"}
        What is predicted.
    ids, marks : arrays, optional
        Ids of all rows, and the bar each is in; -1 where models agree.
    disagreements : array, optional
        Of each row, for what is selected within a bar.
    selection : RowSelection, optional
        Hovering a bar lights its rows, clicking keeps them; rows lit or kept elsewhere show in their bars.

    Raises
    ------
    ValueError
        If a bar is upside down, or ids, marks and disagreements do not fit.
    """

    group = param.String(default="Disagreement", constant=True)

    kdims = param.List(
        default=[Dimension(("place", "row"))], item_type=Dimension, bounds=(1, 1), doc="Place, the most disputed first."
    )

    vdims = param.List(
        default=[
            Dimension(("low", "disagreement")),
            Dimension("high"),
            Dimension("rows"),
            Dimension("right"),
            Dimension("truth"),
            Dimension("most"),
        ],
        item_type=Dimension,
        bounds=(6, None),
        doc="Least and largest disagreement, rows, share that is right or error, truth, what most say.",
    )

    disagreements: Any = param.Array(default=np.zeros(0), doc="Disagreement of each row.")
    kind: Any = param.Selector(default="labels", objects=list(KINDS), doc="What is predicted.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self.disagreements) != len(self.ids):
            raise ValueError(f"expected a disagreement per row id, {len(self.ids)}, got {len(self.disagreements)}")
        if (self.dimension_values(1) > self.dimension_values(2)).any():
            raise ValueError(f"expected {self.vdims[0].name} <= {self.vdims[1].name} in every bar")

    @property
    def disputed(self) -> int:
        """Number of rows that models dispute."""
        return int((self.marks >= 0).sum())

    @classmethod
    def from_table(cls, table: pd.DataFrame, most: int = MOST, **params: Any) -> Disagreement:
        """From a table as `kernels.search.agreement` returns it.

        Parameters
        ----------
        table : DataFrame
            By row id. Of labels: truth, most, agree, right; of numbers: truth, mean, spread, error.
        most : int
            Most bars.

        Raises
        ------
        ValueError
            If a column is missing.
        """
        if most < 1:
            raise ValueError(f"most = {most}; expected at least one bar")
        kind = "numbers" if "spread" in table else "labels"
        wanted = ("truth", "mean", "spread", "error") if kind == "numbers" else ("truth", "most", "agree", "right")
        missing = [name for name in wanted if name not in table]
        if missing:
            raise ValueError(f"a table of agreement lacks column {missing[0]!r}; expected {', '.join(wanted)}")
        truth, said = table["truth"].to_numpy(), table[wanted[1]].to_numpy()
        far, right = (table[name].to_numpy(dtype=float, na_value=np.nan) for name in wanted[2:])
        far = far if kind == "numbers" else 1 - far
        worst = -right if kind == "numbers" else right
        order = np.lexsort((worst, -np.nan_to_num(far)))
        truth, said, far, right = truth[order], said[order], far[order], right[order]
        count = int((far > 1e-12).sum())  # those in dispute come first
        marks = np.full(len(far), -1, np.int64)
        marks[:count] = np.arange(count) * min(most, count) // max(count, 1)
        bars = _bars(marks[:count], far[:count], right[:count], truth[:count], said[:count])
        known_as = {"ids": pd.Index(table.index, dtype=object).to_numpy()[order], "marks": marks, "kind": kind}
        known_as["disagreements"] = np.nan_to_num(far)
        return cls(bars, datatype=["dictionary"], **(known_as | params))

    @classmethod
    def from_models(
        cls, models: Sequence[Any], split: str | None = None, most: int = MOST, **params: Any
    ) -> Disagreement:
        """Of `kernels.search.Model`s of one problem, on the rows of `split` that all of them predicted.

        Parameters
        ----------
        split : {"holdout", "train"}, optional
            By default the holdout, or where a model has none the out-of-fold predictions.
        most : int
            Most bars.
        """
        from ..kernels.search import agreement

        none = pd.DataFrame({name: [] for name in ("truth", "most", "agree", "right")})
        return cls.from_table(agreement(models, split) if len(models) else none, most, **params)


def _bars(
    marks: np.ndarray, far: np.ndarray, right: np.ndarray, truth: np.ndarray, said: np.ndarray
) -> dict[str, np.ndarray]:
    """A row per bar."""
    starts = np.flatnonzero(np.diff(marks, prepend=-1))
    counts = np.diff(np.append(starts, len(marks)))
    if not len(starts):
        numbers = {name: np.zeros(0) for name in ("place", "low", "high", "rows", "right")}
        return numbers | {name: np.zeros(0, dtype=object) for name in ("truth", "most")}
    alone = counts == 1
    return {
        "place": starts + (counts - 1) / 2,
        "low": np.minimum.reduceat(far, starts),
        "high": np.maximum.reduceat(far, starts),
        "rows": counts,
        "right": np.add.reduceat(right, starts) / counts,
        "truth": _texts(truth[starts], alone),
        "most": _texts(said[starts], alone),
    }


def _texts(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """As text; nothing where it would not speak of the whole bar."""
    said = [figure(value) if isinstance(value, float) else str(value) for value in values]
    return np.array([text if one else "" for text, one in zip(said, there, strict=True)], dtype=object)
