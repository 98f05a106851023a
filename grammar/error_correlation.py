"""Element for which models err in the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .pipeline import unrecorded
from .row_linked import RowLinked


class ErrorCorrelation(RowLinked, Element2D):
    """A cell per pair of models: how far their errors rise and fall together, from -1 to 1.

    Models whose errors are little correlated complement each other.

    Parameters
    ----------
    data : table of (x, y, correlation)
        Places of the two models; missing where a model's error is the same in every row.
    names : list of str
        Of the models, in their order.
    ids, marks : arrays, optional
        Numbers of the models, and the place of each.
    selection : RowSelection, optional
        Of model numbers: hovering a cell lights both its models, clicking keeps them.

    Raises
    ------
    ValueError
        If places are not whole numbers within `names`, a correlation is not within -1 and 1, or ids and marks do not
        fit.
    """

    group = param.String(default="ErrorCorrelation", constant=True)

    kdims = param.List(
        default=[Dimension(("x", "model")), Dimension(("y", "other model"))],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Places of the two models.",
    )

    vdims = param.List(
        default=[Dimension(("correlation", "correlation of errors"))],
        item_type=Dimension,
        bounds=(1, None),
        doc="Pearson's.",
    )

    names: Any = param.List(default=[], item_type=str, doc="Names of the models.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        for dimension in self.kdims:
            values = self.dimension_values(dimension)
            if len(values) and not (values.dtype.kind in "iu" and values.min() >= 0 and values.max() < self.size):
                raise ValueError(f"expected {dimension.name} as whole numbers from 0 to {self.size - 1}")
        if (np.abs(self.dimension_values(2)) > 1 + 1e-9).any():
            raise ValueError(f"expected {self.vdims[0].name} from -1 to 1")
        self.check_rows(self.size)

    @property
    def size(self) -> int:
        """Number of models."""
        return len(self.names)

    @unrecorded
    def rows_of(self, marks: Iterable[int]) -> np.ndarray:
        """Numbers of the models of some cells."""
        cells = np.asarray(list(marks), dtype=np.int64)
        places = np.concatenate([self.dimension_values(at)[cells] for at in (0, 1)]) if len(cells) else cells
        return super().rows_of(places.tolist())

    @classmethod
    def from_matrix(
        cls, correlation: Any, names: Sequence[str] | None = None, numbers: Any = None, **params: Any
    ) -> ErrorCorrelation:
        """From a square table.

        Parameters
        ----------
        correlation : (models, models) array or DataFrame
            As `kernels.search.error_correlation` returns it.
        names : sequence of str, optional
            Of the models; by default "model" and their numbers.
        numbers : sequence, optional
            Of the models, which link them to other views; by default the table's columns, or places.

        Raises
        ------
        ValueError
            If the table is not square, or there is not one name and number per model.
        """
        table = np.asarray(correlation, dtype=float)
        if table.ndim != 2 or table.shape[0] != table.shape[1]:
            raise ValueError(f"expected a square table of correlations, got shape {table.shape}")
        known = list(getattr(correlation, "columns", range(len(table))))
        names = [f"model {each}" for each in known] if names is None else list(names)
        ids = known if numbers is None else list(numbers)
        if not len(names) == len(ids) == len(table):
            raise ValueError(f"expected a name and a number per model, {len(table)}, got {len(names)} and {len(ids)}")
        y, x = np.divmod(np.arange(table.size), max(len(table), 1))
        cells = {"x": x, "y": y, "correlation": table.ravel()}
        known_as = {"names": [str(name) for name in names], "ids": np.asarray(ids, dtype=object)}
        return cls(cells, datatype=["dictionary"], **(known_as | {"marks": np.arange(len(table))} | params))

    @classmethod
    def from_models(cls, models: Sequence[Any], split: str | None = None, **params: Any) -> ErrorCorrelation:
        """Of `kernels.search.Model`s of one problem, on the rows of `split` that all of them predicted."""
        from ..kernels.search import error_correlation

        if not len(models):
            return cls.from_matrix(np.zeros((0, 0)), **params)
        return cls.from_matrix(error_correlation(models, split), [model.name for model in models], **params)

    @classmethod
    def from_study(cls, study: Any, top: int = 15, **params: Any) -> ErrorCorrelation:
        """Of the best models of a `kernels.search.Study`."""
        return cls.from_models(study.models[:top], **params)
