"""Categories: one bin per distinct value, and perhaps one for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .attributes import OUTSIDE, Attribute
from .binning import look_up

SPAN = 1 << 16  # whole numbers this close together are looked up in a table


class Categorical(Attribute):
    """Distinct texts, whole numbers or booleans, a bin each.

    Parameters
    ----------
    name : str
    categories : sequence of str, int or bool
        In the order of the bins.
    other : bool
        Keep a bin, after the categories, for values that are none of them; without it they are outside.
    missing : bool
        Keep a last bin for missing values.
    column : str, optional
        The column's name, if not `name`.
    title, unit : str, optional
    """

    kind = "categorical"
    ordered = False
    categories: tuple[Any, ...]
    other: bool

    def __init__(
        self,
        name: str,
        categories: Sequence[Any],
        *,
        other: bool = False,
        missing: bool = False,
        column: str | None = None,
        title: str | None = None,
        unit: str = "",
    ) -> None:
        if isinstance(categories, str):
            raise TypeError(f"{name}: {categories!r} is one text; expected a list of categories")
        values = tuple(c.item() if isinstance(c, np.generic) else c for c in categories)
        self._set(name, (column or name,), (len(values) + bool(other),), missing, title, unit)
        _check_categories(name, values)
        texts = [str(value) for value in values]
        texts += [_free("other", texts)] * bool(other) + [_free("missing", texts)] * bool(missing)
        self._keep(categories=values, other=bool(other), _texts=texts, _index={v: i for i, v in enumerate(values)})

    _texts: list[str]
    _index: dict[Any, int]

    def labels(self) -> list[str]:
        return list(self._texts)

    def _table(self, values: list[Any]) -> np.ndarray:
        """Bins of distinct values; what cannot be hashed, or is nan, is no category."""
        return np.array([self._place(value) for value in values], np.int32)

    def _place(self, value: Any) -> int:
        if value is None or value != value:
            return self._missing
        return self._index.get(value, self._else)

    @property
    def _else(self) -> int:
        return len(self.categories) if self.other else OUTSIDE

    def _bin(self, values: np.ndarray, out: np.ndarray) -> None:
        if values.dtype.kind == "M":
            raise self._refuse(values, "text, whole numbers or booleans (see Temporal for dates)")
        values = values.view(np.uint8) if values.dtype == bool else values
        if values.dtype.kind in "iu" and len(values):
            low, high = int(values.min()), int(values.max())
            if high - low < min(SPAN, max(len(values), 256)):
                return look_up(values if low == 0 else values - low, self._table(list(range(low, high + 1))), out)
        return self._factorize(values, out)

    def _factorize(self, values: np.ndarray, out: np.ndarray) -> None:
        import pandas as pd

        indices, distinct = pd.factorize(values)  # nan: -1
        look_up(indices, np.append(self._table(distinct.tolist()), np.int32(self._missing)), out)

    def _bin_of(self, value: Any) -> int:
        try:
            place = self._index.get(value, OUTSIDE)
        except TypeError:
            return OUTSIDE
        return self._index_of_label(value) if place < 0 and isinstance(value, str) else place

    def _between(self, values: tuple) -> tuple[int, ...]:
        raise TypeError(f"{self.name}: {values!r} is a range, but categories have no order; give a set of values")

    def _own_json(self) -> dict[str, Any]:
        return {"categories": list(self.categories), "other": self.other, "column": self.columns[0]}


def _check_categories(name: str, values: tuple[Any, ...]) -> None:
    for value in values:
        if not isinstance(value, (str, int)):
            raise TypeError(f"{name}: category {value!r}; expected text, whole numbers or booleans")
    seen: set[Any] = set()
    for value in values:
        if value in seen or str(value) in seen:
            raise ValueError(
                f"{name}: category {value!r} is there twice, or looks like another; expected distinct ones"
            )
        seen |= {value, str(value)}


def _free(label: str, taken: list[str]) -> str:
    """The label, in brackets where a category is called that."""
    return _free(f"({label})", taken) if label in taken else label
