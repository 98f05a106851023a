"""What models answer, brought into the form metrics compute on: label codes, label tables, probabilities, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

SEPARATOR = ";"
"""Between the labels of a row where these stand in one text."""


def label_text(value: Any) -> str:
    """A label as text: 1, 1.0 and "1" are the same label.

    Examples
    --------
    >>> label_text(1.0), label_text(True), label_text("Ada")
    ('1', 'True', 'Ada')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def is_true(value: Any) -> bool:
    """Whether a truth value, however it is written, says that a row has the label."""
    return label_text(value) in ("True", "1")


def label_codes(columns: Sequence[Any]) -> tuple[list[np.ndarray], list[str]]:
    """Each column as codes into one sorted list of labels; -1 where a label is missing."""
    parts = []
    for column in columns:
        codes, values = pd.factorize(pd.Series(column, dtype=None if hasattr(column, "dtype") else object))
        parts.append((codes, [label_text(value) for value in values]))
    names = sorted({name for _, values in parts for name in values})
    place = {name: code for code, name in enumerate(names)}
    lookups = [np.array([*(place[name] for name in values), -1], dtype=np.int64) for _, values in parts]
    return [lookup[codes] for lookup, (codes, _) in zip(lookups, parts, strict=True)], names


def label_set(value: Any) -> frozenset[str] | None:
    """The labels of one row: a set, list or tuple, or a text "a;b". None where missing; "" is no label at all."""
    if isinstance(value, set | frozenset | list | tuple | np.ndarray):
        return frozenset(label_text(part) for part in value)
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return frozenset(part.strip() for part in label_text(value).split(SEPARATOR) if part.strip())


def indicators(table: Any) -> tuple[np.ndarray, list[str]]:
    """Rows with several labels as a table of 0 and 1 (nan where a row is missing), and its labels, sorted."""
    if isinstance(table, pd.DataFrame) and len(table.columns) == 1 and not _is_truth_values(table.iloc[:, 0]):
        table = table.iloc[:, 0]
    if isinstance(table, pd.DataFrame):
        names = sorted(str(name) for name in table.columns)
        by_name = {str(name): _zero_one(table[name]) for name in table.columns}
        return np.stack([by_name[name] for name in names], axis=1), names
    if isinstance(table, np.ndarray) and table.ndim == 2:
        return table.astype(float), [f"{column:06d}" for column in range(table.shape[1])]
    sets = [label_set(value) for value in table]
    names = sorted({name for one in sets if one is not None for name in one})
    cells = [[np.nan if one is None else float(name in one) for name in names] for one in sets]
    return np.array(cells, dtype=float).reshape(len(sets), len(names)), names


def _is_truth_values(column: pd.Series) -> bool:
    return set(map(label_text, column.dropna().unique())) <= {"0", "1", "True", "False"}


def _zero_one(column: pd.Series) -> np.ndarray:
    words = {"True": 1.0, "1": 1.0, "False": 0.0, "0": 0.0}
    texts = column.map(label_text, na_action="ignore")
    values = [np.nan if pd.isna(text) else words.get(text) for text in texts]
    if None in values:
        odd = texts.iloc[values.index(None)]
        raise ValueError(f"column {column.name!r} has {odd!r}; a table of several labels holds True, False, 1 or 0")
    return np.array(values, dtype=float)


def probability_table(prediction: Any, positive: Any = None) -> tuple[list[str] | None, np.ndarray]:
    """Class names (None where there is one nameless column) and the (rows, classes) table of their probabilities."""
    if isinstance(prediction, pd.DataFrame):
        names = [label_text(name).removeprefix("p_") for name in prediction.columns]
        return names, prediction.to_numpy(dtype=float)
    table = np.asarray(prediction, dtype=float)
    if table.ndim == 2 and table.shape[1] > 1:
        raise ValueError("probabilities of several classes need their names: give a DataFrame with a column per class")
    return None, table.reshape(len(table), 1)


def values_table(values: Any) -> np.ndarray:
    """Numbers as (rows, targets), nan where missing."""
    frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(np.asarray(values, dtype=object))
    try:
        return np.stack([np.asarray(pd.to_numeric(frame[name]), float) for name in frame.columns], axis=1)
    except (ValueError, TypeError) as error:
        raise ValueError(f"values to be compared as numbers are none: {error}") from None


def silhouette_space(features: Any, levels: int = 20) -> np.ndarray:
    """Features as points in which distances mean something: numbers standardized, the commonest labels as 0 / 1."""
    if not isinstance(features, pd.DataFrame):
        return np.asarray(features, dtype=float)
    columns = [part for name in features.columns for part in _coordinates(features[name], levels)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(features), 1))


def _coordinates(column: pd.Series, levels: int) -> Iterable[np.ndarray]:
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.astype("int64").where(column.notna())
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        texts = column.map(label_text, na_action="ignore")
        return [(texts == name).to_numpy(float) for name in texts.value_counts().index[:levels]]
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    if np.isnan(numbers).all():
        return []
    numbers = np.where(np.isnan(numbers), np.nanmedian(numbers), numbers)
    return [(numbers - numbers.mean()) / (numbers.std() or 1.0)]
