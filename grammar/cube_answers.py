"""What the elements of a cube's views share: the dimension of answers, and checks of what comes in."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from holoviews.core import Dimension

EXTRA = ("total", "low", "high", "selected", "label")
_WORDS = {"sum": "total", "mean": "mean", "var": "variance of", "squares": "squares of"}


def answer_dimension(aggregate: Any = "count", title: str | None = None, unit: str | None = None) -> Dimension:
    """The dimension `answer`: "count", "total delay", "mean delay"; `title` says it better."""
    if title is None:
        title = "count" if isinstance(aggregate, str) else f"{_WORDS.get(aggregate[0], aggregate[0])} {aggregate[1]}"
    return Dimension(("answer", title), unit=unit or None)


def is_additive(aggregate: Any) -> bool:
    """Do the bars of a view add up, so that shares of a total mean something."""
    return aggregate in (None, "count") or aggregate[0] == "sum"


def numbers(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Answers as float64 (no copy if they are); ValueError unless they have that shape and are finite or nan."""
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} of shape {array.shape}; expected {shape}, one per bin")
    if np.isinf(array).any():
        raise ValueError(f"{name}: expected finite numbers (NaN where there is no answer)")
    return array


def answers_table(
    attribute: Any, answer: Any, total: Any, interval: Any, held: Any, labels: bool = True
) -> dict[str, np.ndarray]:
    """Columns of an attribute's bins; only those that are known.

    Parameters
    ----------
    attribute : kernels.cube.Attribute
    answer, total : (bins,)
    interval : pair of (bins,); infinite ends are left out
    held : filter, or None
    labels : bool
        Whether to bring every bin's label along.
    """
    shape = (attribute.bins,)
    table = {"answer": numbers("answer", answer, shape)}
    if total is not None:
        table["total"] = numbers("total", total, shape)
    if interval is not None:
        low, high = (np.asarray(end, np.float64) for end in interval)
        table["low"] = numbers("low", np.where(np.isfinite(low), low, np.nan), shape)
        table["high"] = numbers("high", np.where(np.isfinite(high), high, np.nan), shape)
    if held is not None:
        table["selected"] = attribute.mask(held)
    if labels:
        table["label"] = labels_of(attribute)
    return table


@functools.lru_cache(256)
def labels_of(attribute: Any) -> np.ndarray:
    """Labels of an attribute's bins (bins,): views ask for them at every answer."""
    labels = np.array(attribute.labels(), dtype=object)
    labels.flags.writeable = False
    return labels


def extra_dimensions(columns: Any, title: str, unit: str | None) -> list[Dimension]:
    """Dimensions of the further columns that are there."""
    words = {"total": f"{title}, unfiltered", "low": "low end", "high": "high end"}
    numeric = ("total", "low", "high")
    return [
        Dimension((name, words.get(name, name)), unit=unit if name in numeric else None)
        for name in EXTRA
        if name in columns
    ]


def check_answers(element: Any) -> None:
    """ValueError unless the first value dimension, and those of its kind, are numbers or nan."""
    for dimension in element.vdims:
        if dimension.name in ("answer", "total", "low", "high") or dimension is element.vdims[0]:
            values = np.asarray(element._read(dimension.name))
            if values.dtype.kind not in "fiu" or (values.dtype.kind == "f" and np.isinf(values).any()):
                raise ValueError(f"expected {dimension.name} as finite numbers (NaN where there is no answer)")
