"""Element for which classes a model takes for which others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_linked import RowLinked, row_ids, rows_of_split


class ConfusionMatrix(RowLinked, Element2D):
    """A cell per true class and predicted class: how many rows, and which share of the true class.

    Parameters
    ----------
    data : table of (prediction, truth, count, share, of predicted)
        Numbers of classes; rows in the cell; their share of all rows of the true class, and of all rows predicted so.
    classes : list of str
        Names of the classes, in their order.
    ids, marks : arrays, optional
        Ids of the rows, and the cell (row of the table) each is in.
    selection : RowSelection, optional
        Hovering a cell lights its rows, clicking keeps them; rows lit or kept elsewhere show in their cells.

    Raises
    ------
    ValueError
        If classes are not whole numbers within `classes`, or ids and marks do not fit.
    """

    group = param.String(default="ConfusionMatrix", constant=True)

    kdims = param.List(
        default=[Dimension("prediction"), Dimension("truth")],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Predicted and true class, as numbers.",
    )

    vdims = param.List(
        default=[Dimension(("count", "rows")), Dimension("share"), Dimension("of_predicted")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Rows, share of the true class, share of the predicted class.",
    )

    classes: Any = param.List(default=[], doc="Names of the classes.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        for dimension in self.kdims:
            values = self.dimension_values(dimension)
            if len(values) and not (values.dtype.kind in "iu" and values.min() >= 0 and values.max() < self.size):
                raise ValueError(f"expected {dimension.name} as whole numbers from 0 to {self.size - 1}")
        self.check_rows(len(self))

    @property
    def size(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @classmethod
    def from_labels(
        cls, truth: Any, prediction: Any, classes: Sequence[Any] | None = None, ids: Any = None, **params: Any
    ) -> ConfusionMatrix:
        """From the true and the predicted label of each row.

        Parameters
        ----------
        truth, prediction : sequences of labels
            Rows where either is missing are left out.
        classes : sequence of labels, optional
            Their order; by default all that occur, sorted. Others that occur come after them.
        ids : sequence, optional
            Of the rows; by default the index of `truth` where it has one, else positions.

        Raises
        ------
        ValueError
            If there is not one prediction and one id per row.
        """
        ids = row_ids(ids, truth, prediction)
        true, said = (pd.Series(list(each), dtype=object) for each in (truth, prediction))
        known = true.notna() & said.notna()
        order = _order(pd.concat([true[known], said[known]]), classes)
        place = {label: at for at, label in enumerate(order)}
        cells = np.full(len(true), -1, np.int64)
        cells[known.to_numpy()] = [
            place[t] * len(order) + place[p] for t, p in zip(true[known], said[known], strict=True)
        ]
        table = _table(np.bincount(cells[cells >= 0], minlength=len(order) ** 2).reshape(len(order), len(order)))
        known_as = {"classes": [str(label) for label in order], "ids": ids, "marks": cells}
        return cls(table, datatype=["dictionary"], **(known_as | params))

    @classmethod
    def from_model(cls, model: Any, split: str = "holdout", **params: Any) -> ConfusionMatrix:
        """Of a `kernels.search.Model` that predicts labels, on the rows of one split ("train": out of fold).

        Raises
        ------
        ValueError
            If the model does not predict one label per row, or there are no rows of that split.
        """
        from ..kernels.search.tasks import CLASSIFICATION

        frame = model.predictions
        if not {"truth", "prediction"} <= set(frame.columns) or model.problem.task not in CLASSIFICATION:
            raise ValueError(f"{model.name}: a confusion matrix needs one label per row, not {model.problem.task}")
        rows = rows_of_split(model, split)
        classes = _order(pd.concat([frame["truth"], frame["prediction"]]).dropna(), None)  # one order for all splits
        return cls.from_labels(rows["truth"], rows["prediction"], classes, **{"label": model.name, **params})


def _order(seen: pd.Series, classes: Sequence[Any] | None) -> list[Any]:
    labels = list(dict.fromkeys(seen))
    try:
        labels = sorted(labels)
    except TypeError:  # labels of several types
        labels = sorted(labels, key=lambda label: (type(label).__name__, str(label)))
    first = list(dict.fromkeys(classes)) if classes is not None else []
    return [*first, *(label for label in labels if label not in first)]


def _table(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Of counts (truth, prediction), a row per cell."""
    size = len(counts)
    truth, prediction = np.divmod(np.arange(size * size), max(size, 1))
    with np.errstate(invalid="ignore"):
        share, of_predicted = counts / counts.sum(axis=1, keepdims=True), counts / counts.sum(axis=0, keepdims=True)
    return {
        "prediction": prediction,
        "truth": truth,
        "count": counts.ravel(),
        "share": share.ravel(),  # nan: no row of this class
        "of_predicted": of_predicted.ravel(),
    }
