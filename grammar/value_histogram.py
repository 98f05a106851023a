"""Element for what a model predicts, or how far it is off: a histogram whose bars are sets of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_index import id_array
from .row_linked import RowLinked, rows_of_split

BINS = 30
SAID = {"prediction": "predicted", "error": "prediction - truth", "truth": "truth"}


class ValueHistogram(RowLinked, Element2D):
    """Bars of rows by a value of theirs; beside them, if wanted, the outline of another histogram with the same bins.

    Parameters
    ----------
    data : table of (low, high, rows)
        Ends of each bin, and rows in it.
    ids, marks : arrays, optional
        Ids of the rows, and the bar each is in.
    reference : (bins,) array, optional
        Rows of the outline, such as those of the truth.
    what : str
        What the axis is called.
    most : int, optional
        Rows of a bar that the axis has room for at least: the same for several models puts them on one scale.
    selection : RowSelection, optional
        Pointing at a bar lights its rows, clicking keeps them; rows lit or kept elsewhere show as parts of the bars.

    Raises
    ------
    ValueError
        If bins do not follow each other, or the reference, ids or marks do not fit.
    """

    group = param.String(default="ValueHistogram", constant=True)

    kdims = param.List(default=[Dimension("low"), Dimension("high")], item_type=Dimension, bounds=(2, 2), doc="Ends.")

    vdims = param.List(default=[Dimension("rows")], item_type=Dimension, bounds=(1, None), doc="Rows in the bin.")

    reference: Any = param.Array(default=None, allow_None=True, doc="Rows of the outline, per bin.")
    what: Any = param.String(default="value", doc="What the axis is called.")
    compared: Any = param.String(default="truth", doc="What the outline is called.")
    most: Any = param.Integer(default=0, bounds=(0, None), doc="Rows the axis has room for at least.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        low, high = self.dimension_values(0), self.dimension_values(1)
        if (low >= high).any() or (low[1:] < high[:-1]).any():
            raise ValueError("expected bins that follow each other, each with low < high")
        if self.reference is not None and len(self.reference) != len(self):
            raise ValueError(f"expected a reference per bin, {len(self)}, got {len(self.reference)}")

    @classmethod
    def from_values(
        cls, values: Any, ids: Any = None, edges: Any = None, reference: Any = None, bins: int = BINS, **params: Any
    ) -> ValueHistogram:
        """Of a value per row.

        Parameters
        ----------
        values : array of numbers
            Rows where it is missing or infinite are left out; values beyond the edges count to the first or last bin.
        ids : sequence, optional
            Of the rows; by default the index of `values` where it has one, else positions.
        edges : (bins + 1,) array, optional
            By default `edges_of([values], bins)`.
        reference : array of numbers, optional
            Other values whose histogram is the outline.

        Raises
        ------
        ValueError
            If there is not an id per value, or edges do not rise.
        """
        if ids is None:
            ids = values.index if isinstance(values, pd.Series) else np.arange(len(values))
        plain, ids = np.asarray(values, dtype=float), id_array(ids)
        if len(plain) != len(ids):
            raise ValueError(f"expected an id per value, {len(plain)}, got {len(ids)}")
        known = np.isfinite(plain)
        plain, ids = plain[known], ids[known]
        edges = edges_of([plain], bins) if edges is None else np.asarray(edges, dtype=float)
        if len(edges) < 2 or (np.diff(edges) <= 0).any():
            raise ValueError("expected at least two edges, rising")
        marks = binned(plain, edges)
        table = {"low": edges[:-1], "high": edges[1:], "rows": np.bincount(marks, minlength=len(edges) - 1)}
        if reference is not None:
            other = np.asarray(reference, dtype=float)
            reference = np.bincount(binned(other[np.isfinite(other)], edges), minlength=len(edges) - 1)
        told = {"ids": ids, "marks": marks, "reference": reference}
        return cls(table, datatype=["dictionary"], **(told | params))

    @classmethod
    def from_model(
        cls,
        model: Any,
        of: str = "prediction",
        split: str = "holdout",
        edges: Any = None,
        target: str | None = None,
        **params: Any,
    ) -> ValueHistogram:
        """Of what a `kernels.search.Model` predicts, how far it is off, or the truth, on the rows of one split.

        Beside predictions stands the truth.

        Parameters
        ----------
        of : {"prediction", "error", "truth"}
        edges : array, optional
            The same for several models; see `shared_edges`.
        target : str, optional
            Of several targets.

        Raises
        ------
        ValueError
            If the model does not predict numbers, or there are no rows of that split.
        """
        if of not in SAID:
            raise ValueError(f"of = {of!r}; expected one of {', '.join(SAID)}")
        values, truth = values_of(model, of, split, target)
        told = {"label": model.name, "what": SAID[of], "reference": truth if of == "prediction" else None}
        return cls.from_values(values, edges=edges, **(told | params))


def values_of(model: Any, of: str, split: str, target: str | None = None) -> tuple[pd.Series, pd.Series]:
    """Values of each row of a split, and their truth; ValueError where the model predicts no numbers."""
    rows = rows_of_split(model, split)
    end = f"_{target}" if f"prediction_{target}" in rows else ""
    if f"prediction{end}" not in rows or "lassification" in model.problem.task:
        raise ValueError(f"{model.name}: a histogram needs one number per row, not {model.problem.task}")
    truth, said = (pd.to_numeric(rows[f"{name}{end}"], errors="coerce") for name in ("truth", "prediction"))
    return {"prediction": said, "truth": truth, "error": said - truth}[of], truth


def shared_edges(
    models: Iterable[Any], of: str = "prediction", split: str = "holdout", target: str | None = None, bins: int = BINS
) -> np.ndarray:
    """Edges that serve several models: predictions have those of the truth as well, errors lie around 0."""
    found = [values_of(model, of, split, target) for model in models]
    values = [each for each, _ in found] + ([found[0][1]] if of == "prediction" and found else [])
    return edges_of(values, bins, centred=of == "error")


def edges_of(values: Iterable[Any], bins: int = BINS, centred: bool = False) -> np.ndarray:
    """Even edges over all values but the outermost 0.5% on both sides, where these lie far out.

    centred : 0 is the middle of a bin.
    """
    plain = np.concatenate([np.zeros(0), *(np.asarray(each, dtype=float) for each in values)])
    plain = plain[np.isfinite(plain)]
    if not len(plain):
        return np.array([0.0, 1.0])
    low, high = plain.min(), plain.max()
    inner = np.quantile(plain, [0.005, 0.995])
    reach = inner[1] - inner[0]
    low, high = (max(low, inner[0] - 0.25 * reach), min(high, inner[1] + 0.25 * reach)) if reach > 0 else (low, high)
    if centred:
        most = max(abs(low), abs(high)) or 0.5
        odd = bins | 1
        return np.linspace(-most, most, odd + 1)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def binned(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number of the bin of each value; the last one holds its upper end, and those beyond count to the outermost."""
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2).astype(np.int64)
