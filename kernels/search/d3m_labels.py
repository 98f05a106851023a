"""Several labels per row in D3M's tables: a row for each label under the same d3mIndex, here one row with a set.

D3M writes a thing that has several labels as several rows with its index (role multiIndex) and the same features. Its
metrics then take the labels of an index together; blank cells are no labels. Several rows of an index that differ in
more than their labels (instances of a bag, boxes in an image) stay rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .columns import Column

LABELS = ("", "boolean", "categorical", "integer")  # types that may be labels; "" is D3M's string


def merged(
    raw: pd.DataFrame, keys: list[Any], columns: Iterable[Column], parts: list[Any], targets: Iterable[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """The table with one row per index, and the names of the columns that now hold label sets (lists of text).

    Parameters
    ----------
    raw : DataFrame
        As written, blanks None.
    keys : list
        The index of each row, as text.
    columns : iterable of Column
        As the document describes them.
    parts : list
        The part (TRAIN, TEST, ...) of each row. Where no row of a part has a label, its labels are not known: they are
        None. Else a row without one is a row with no label.
    targets : iterable of str
        Columns that the problem beside the data wants; those of role suggestedTarget are taken, too.

    Notes
    -----
    The table comes back as it was, with no names, where no index repeats or where its rows are no labels of one thing.
    """
    described = {column.name: column for column in columns}
    several = any(column.role == "multiIndex" for column in described.values())
    codes = pd.factorize(pd.Series(keys, dtype=object), use_na_sentinel=False)[0]
    first = np.flatnonzero(~pd.Series(codes).duplicated().to_numpy())
    names = [name for name in raw if _is_label(described.get(name), name, set(targets))]
    if not several or len(first) == len(raw) or not names or not _same_beside(raw.drop(columns=names), codes, first):
        return _one_each(raw), []
    found = raw.iloc[first].reset_index(drop=True)
    for name in names:
        found[name] = pd.Series(_sets(raw[name], codes, first, parts), dtype=object)
    return found, names


def _is_label(column: Column | None, name: str, targets: set[str]) -> bool:
    if column is None or column.type not in LABELS or "boundary" in column.roles:
        return False
    return column.role == "suggestedTarget" or "suggestedTarget" in column.roles or name in targets


def _same_beside(features: pd.DataFrame, codes: np.ndarray, first: np.ndarray) -> bool:
    """Whether all rows of an index say the same."""
    return all(
        (part == part[first][codes]).all() for part in (pd.factorize(features[name])[0] for name in features.columns)
    )


def _sets(values: pd.Series, codes: np.ndarray, first: np.ndarray, parts: list[Any]) -> list[Any]:
    """The labels of each index, in their order; none for an index of a part without any label."""
    held: list[dict[str, None]] = [{} for _ in first]
    for code, value in zip(codes, values, strict=True):
        held[code].update(dict.fromkeys(labels_of(value)))
    labelled = {parts[row] for row, labels in zip(first, held, strict=True) if labels}
    return [list(labels) if parts[row] in labelled else None for row, labels in zip(first, held, strict=True)]


def labels_of(cell: Any) -> list[str]:
    """The labels of a cell: of a list those in it, of text itself, of a blank none."""
    if isinstance(cell, list):
        return [label for part in cell for label in labels_of(part)]
    return [] if cell is None or pd.isna(cell) or not str(cell).strip() else [str(cell)]


def together(truth: pd.DataFrame, keys: list[Any]) -> pd.DataFrame:
    """A file of targets by its index: each cell the list of all that is said of an index, or the only thing said."""
    groups = truth.set_axis(pd.Index(keys)).groupby(level=0, sort=False)
    found = groups.agg(lambda cells: list(dict.fromkeys(label for cell in cells for label in labels_of(cell))))
    return found.map(lambda labels: labels if len(labels) > 1 else next(iter(labels), None))


def _one_each(raw: pd.DataFrame) -> pd.DataFrame:
    """The first of several truths, where they are no labels of one thing."""
    held = [name for name in raw if any(isinstance(cell, list) for cell in raw[name])]
    return raw.assign(**{name: raw[name].map(lambda c: c[0] if isinstance(c, list) else c) for name in held})
