"""Element for what models lean on: a column per model, a row per feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_linked import RowLinked

TOP = 30  # features


class ImportanceMap(RowLinked, Element2D):
    """How much worse each model gets without each feature; the features that matter most overall come first.

    Parameters
    ----------
    data : table of (model, feature, share, importance, low, high)
        A row per cell: numbers of column and row; its share of all the model leans on (from 0 to 1); the loss of the
        metric when the feature's values are dealt out anew, with its least and greatest.
    features : list of str
        Names of the rows.
    names : list of str
        Of the models, by column.
    overall : array
        Of each feature, the mean share over the models.
    metric : str
        What the importances are losses of.
    left_out : int
        Features that are not shown.
    ids, marks : arrays, optional
        Number of the model of each cell, and the cell.
    selection : RowSelection, optional
        Of models.

    Raises
    ------
    ValueError
        If cells are not within `features` and `names`, or there is not one overall share per feature.
    """

    group = param.String(default="ImportanceMap", constant=True)

    kdims = param.List(
        default=[Dimension("model"), Dimension("feature")],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Column of the model, row of the feature.",
    )

    vdims = param.List(
        default=[Dimension(name) for name in ("share", "importance", "low", "high")],
        item_type=Dimension,
        bounds=(4, None),
        doc="Share of the model, loss of the metric, its least and its greatest.",
    )

    features: Any = param.List(default=[], doc="Names of the features.")
    names: Any = param.List(default=[], doc="Names of the models.")
    overall: Any = param.Array(default=np.zeros(0), doc="Mean share of each feature.")
    metric: Any = param.String(default="", doc="What the importances are losses of.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="Features that are not shown.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self.overall) != len(self.features):
            raise ValueError(f"expected an overall share per feature, {len(self.features)}, got {len(self.overall)}")
        for at, most in ((0, len(self.names)), (1, len(self.features))):
            places = self.dimension_values(at)
            if len(places) and not (places.dtype.kind in "iu" and places.min() >= 0 and places.max() < most):
                raise ValueError(f"expected {self.kdims[at].name} as whole numbers from 0 to {most - 1}")

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[Any, pd.DataFrame],
        names: Sequence[str] | None = None,
        top: int = TOP,
        **params: Any,
    ) -> ImportanceMap:
        """From importances that were computed before.

        Parameters
        ----------
        frames : mapping
            By the models' numbers, in the order of the columns, what `kernels.search.permutation_importance` returns:
            index feature, columns importance, low and high.
        names : sequence of str, optional
            Of the models; by default their numbers.
        top : int
            Most features to show.

        Raises
        ------
        ValueError
            If there is not one name per model, a frame has no column importance, or `top` is below 1.
        """
        if top < 1:
            raise ValueError(f"top = {top}; expected at least one feature")
        called = [str(each) for each in (frames if names is None else names)]
        if len(called) != len(frames):
            raise ValueError(f"expected a name per model, {len(frames)}, got {len(called)}")
        for number, frame in frames.items():
            if "importance" not in frame:
                raise ValueError(f"model {number}: expected a column importance, got {', '.join(map(str, frame))}")
        every = list(dict.fromkeys(feature for frame in frames.values() for feature in frame.index))
        tables = [frame.reindex(every).reindex(columns=["importance", "low", "high"]) for frame in frames.values()]
        cells = np.array([table.to_numpy(float) for table in tables]).reshape(len(frames), len(every), 3)
        helps = np.maximum(np.nan_to_num(cells[:, :, 0]), 0)  # (models, features)
        whole = helps.sum(axis=1, keepdims=True)
        shares = np.divide(helps, whole, out=np.zeros_like(helps), where=whole > 0)
        overall = shares.mean(axis=0) if len(frames) else np.zeros(len(every))
        order = np.argsort(-overall, kind="stable")[:top]
        column, row = (each.ravel() for each in np.indices((len(frames), len(order))))
        ids = pd.Index(list(frames), dtype=object).to_numpy()
        data = {"model": column, "feature": row, "share": shares[:, order].ravel()}
        data |= {name: cells[:, order, at].ravel() for at, name in enumerate(("importance", "low", "high"))}
        known = {
            "features": [str(every[at]) for at in order],
            "names": called,
            "overall": overall[order],
            "metric": next((str(frame.attrs.get("metric", "")) for frame in frames.values()), ""),
            "left_out": len(every) - len(order),
            "ids": ids[column] if len(column) else np.zeros(0, dtype=object),
            "marks": np.arange(len(column)),
        }
        return cls(data, datatype=["dictionary"], **(known | params))

    @classmethod
    def from_models(
        cls, models: Sequence[Any], repeats: int = 3, rows: int = 500, top: int = TOP, **params: Any
    ) -> ImportanceMap:
        """Of `kernels.search.Model`s, best first; their pipelines predict features times `repeats` times: seconds.

        Parameters
        ----------
        repeats, rows : int
            As for `kernels.search.permutation_importance`.
        """
        from ..kernels.search import permutation_importance

        frames = {model.number: permutation_importance(model, repeats=repeats, rows=rows) for model in models}
        return cls.from_frames(frames, [model.name for model in models], top, **params)
