"""Objects drawn in images: columns of boxes, and tables that hold a row per box as tables with a row per image.

A cell of type "boxes" is text: "x_min,y_min,x_max,y_max" in pixels per box, joined by ";". Boxes of eight numbers are
the vertices of a rectangle, as D3M writes them (of another quadrangle, the upright one around it is taken). "" is an
image without objects; None one of which it is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import boxes
from .data import D3M_INDEX, ROW_ID
from .tasks import DETECTION

if TYPE_CHECKING:
    from .data import Dataset
    from .problem import Problem

TYPE = "boxes"
TASK = DETECTION
FEWEST = 4
"""Images with an object that are needed to learn and to judge."""

_NUMBER = r"\s*[+-]?[0-9]+(\.[0-9]*)?\s*"
_BOX = rf"{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{4}})?"
_CELL = re.compile(rf"{_BOX}(;{_BOX})*;?")


def annotated(data: Dataset, types: Mapping[str, str]) -> Dataset:
    """The data set with its columns of boxes as such, and one row per image; as it is where it has none.

    A column holds boxes where the user says so, or where there is a column of images and all its values look like it.
    Of rows of one image the first one's id and other values are kept. An image without a box has no object, if others
    of its side of the split have some; else it is not known.

    Raises
    ------
    ValueError
        If a cell of a column that is said to hold boxes is none; the message names column and row.
    """
    images = [name for name, column in data.columns.items() if column.type == "image" and column.is_media]
    found = [
        name
        for name in data.columns
        if types.get(name, TYPE) == TYPE and (name in types or (images and _is_boxes(data, name)))
    ]
    found = [name for name in found if name not in images]
    if not found:
        return data
    frame = data.frame.assign(**{name: _plain(data, name) for name in found})
    columns = {
        name: replace(column, type=TYPE, why="boxes in images") if name in found else column
        for name, column in data.columns.items()
    }
    data = replace(data, frame=frame, columns=columns)
    return _known(_one_each(data, images[0], found) if images else data, found)


def _is_boxes(data: Dataset, name: str) -> bool:
    column, values = data.columns[name], data.frame[name]
    if column.type == TYPE:
        return True
    if column.refers or column.type not in ("categorical", "text", "other") or values.dtype != object:
        return False
    there = [value for value in values if isinstance(value, str) and value.strip()]
    if not there or not all(map(_CELL.fullmatch, there)):
        return False
    try:
        return all(len(_drawn(value)) for value in there)
    except ValueError:  # numbers, but no boxes
        return False


def _plain(data: Dataset, name: str) -> pd.Series:
    """Each cell in the one form."""
    cells = [_cell(data, name, row, value) for row, value in data.frame[name].items()]
    return pd.Series(cells, data.frame.index, dtype=object)


def _cell(data: Dataset, name: str, row: Any, value: Any) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    try:
        return boxes.written(_drawn(value))
    except ValueError as error:
        raise ValueError(f'{data.path or data.name}, column "{name}", row {row}: {error}') from None


def _drawn(value: Any) -> np.ndarray:
    """(boxes, 4) of a cell; of any other quadrangle than an upright rectangle the smallest one around it."""
    parts = [part for part in value.split(boxes.BETWEEN) if part.strip()] if isinstance(value, str) else list(value)
    found = np.array([boxes.corners(_around(part)) for part in parts]).reshape(-1, 4)
    wrong = (found[:, 2:] < found[:, :2]).any(axis=1) | ~np.isfinite(found).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"box {parts[int(wrong.argmax())]!r}: expected x_min,y_min,x_max,y_max, the smaller ones first"
        )
    return found


def _around(part: Any) -> Any:
    numbers = np.array(part.split(",") if isinstance(part, str) else part, dtype=object)
    if len(numbers) != 8:
        return part
    x, y = numbers[::2].astype(float), numbers[1::2].astype(float)
    return x.min(), y.min(), x.max(), y.max()


def _one_each(data: Dataset, image: str, found: list[str]) -> Dataset:
    """One row per image, with the boxes of all its rows."""
    names = data.frame[image]
    if not names.dropna().duplicated().any():
        return data
    alone = pd.Series(np.arange(len(names)), names.index).astype(str) + " has no image"
    codes = pd.factorize(names.where(names.notna(), alone))[0]
    first = np.flatnonzero(~pd.Series(codes).duplicated().to_numpy())
    frame = data.frame.iloc[first].copy()
    for name in found:
        held: list[list[str]] = [[] for _ in first]
        for code, cell in zip(codes, data.frame[name], strict=True):
            held[code] += [cell] if cell else []
        blank = data.frame[name].isna().groupby(codes).all()
        frame[name] = pd.Series(
            [None if blank[code] else ";".join(cells) for code, cells in enumerate(held)], frame.index, dtype=object
        )
    notes = (*data.notes, f"{len(names):,} rows are {len(first):,} images with boxes in {', '.join(found)}")
    splits = None if data.splits is None else data.splits.iloc[first]
    merged = replace(data, frame=frame, splits=splits, notes=notes)
    return _by_index(merged) if D3M_INDEX in frame else merged


def _by_index(data: Dataset) -> Dataset:
    """With D3M's index as row ids, if it is one now."""
    ids = data.frame[D3M_INDEX]
    if data.frame.index.name != ROW_ID or not ids.is_unique or ids.isna().any():
        return data
    index = pd.Index(ids, name=D3M_INDEX)
    splits = None if data.splits is None else data.splits.set_axis(index)
    columns = {name: column for name, column in data.columns.items() if name != D3M_INDEX}
    return replace(data, frame=data.frame.drop(columns=D3M_INDEX).set_axis(index), splits=splits, columns=columns)


def _known(data: Dataset, found: list[str]) -> Dataset:
    """Blank cells as images without objects, on the sides of the split that have boxes at all."""
    sides = np.full(len(data.frame), "all") if data.splits is None else data.splits.to_numpy()
    frame = data.frame.copy()
    for name in found:
        cells = frame[name].to_numpy()
        drawn = {side for side, cell in zip(sides, cells, strict=True) if cell is not None}
        told = ["" if cell is None and side in drawn else cell for side, cell in zip(sides, cells, strict=True)]
        frame[name] = pd.Series(told, frame.index, dtype=object)
    return replace(data, frame=frame)


def check(problem: Problem, data: Dataset) -> Problem:
    """A problem of object detection with its image as the one feature; any other as it is.

    Raises
    ------
    ValueError
        If there is no column of images, or too few boxes.
    """
    if problem.task != TASK or any(data.columns[name].type != TYPE for name in problem.targets):
        return problem  # what is wrong with a target that holds no boxes is said elsewhere
    wanted = problem.features or tuple(data.columns)
    images = [name for name in wanted if data.columns[name].type == "image"]
    if not images:
        raise ValueError(f"object detection looks into images: {data.name} has no column of them among the features")
    for name in problem.targets:
        there = int((data.frame[name].fillna("") != "").sum())
        if there < FEWEST:
            raise ValueError(f"target {name!r} has boxes in {there} images; at least {FEWEST} are needed")
    return problem.with_(features=tuple(images[:1]), score=problem.score, reason=problem.reason)
