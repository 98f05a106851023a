"""One row with other values: what several models say of it before and after, and which values make sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..figures import figure
from . import values as read
from .legality import nearest
from .model import Model, features_of, input_columns, predicted, probabilities

if TYPE_CHECKING:
    from .columns import Column
    from .data import Dataset

MOST_LABELS = 100


@dataclass(frozen=True)
class Editable:
    """An input of a model that can be changed.

    Attributes
    ----------
    name, type : str
        Of the column.
    low, high : number or Timestamp, optional
        Ends of its values; of integers, reals and dates.
    step : float, optional
        Of a slider: 1 for integers, a round hundredth of the range for reals.
    labels : tuple
        Of categories and booleans, the most frequent first, at most `MOST_LABELS`.
    typical : Any
        The median, or the most frequent value; None where there is no value.
    gaps : bool
        Whether a value is missing in some row.
    why_not : str
        Why it cannot be changed; "" where it can.
    """

    name: str
    type: str
    low: Any = None
    high: Any = None
    step: float | None = None
    labels: tuple[Any, ...] = ()
    typical: Any = None
    gaps: bool = False
    why_not: str = ""


def editable(model: Model) -> list[Editable]:
    """The inputs of a model, in the order of its problem, with their ranges or labels in the data it comes from."""
    data = getattr(model, "source", model).data
    return [_editable(data, name) for name in input_columns(model.problem)]


def _editable(data: Dataset, name: str) -> Editable:
    column, known = data.columns[name], data.frame[name].dropna()
    gaps = len(known) < len(data)
    if column.is_media:
        return Editable(name, column.type, gaps=gaps, why_not="its values are files: choose another row")
    if not len(known):
        return Editable(name, column.type, gaps=gaps)
    if column.type in ("integer", "real"):
        return _numbers(column, known.astype(float), gaps)
    if column.type == "dateTime":
        return Editable(name, column.type, known.min(), known.max(), typical=known.median(), gaps=gaps)
    counts = known.value_counts()
    labels = () if column.type == "text" else tuple(counts.index[:MOST_LABELS])
    return Editable(name, column.type, labels=labels, typical=counts.index[0], gaps=gaps)


def _numbers(column: Column, known: pd.Series, gaps: bool) -> Editable:
    low, high, middle = float(known.min()), float(known.max()), float(known.median())
    if column.type == "integer":
        return Editable(column.name, column.type, int(low), int(high), 1.0, typical=round(middle), gaps=gaps)
    step = 10.0 ** np.floor(np.log10((high - low) / 100)) if high > low else None
    return Editable(column.name, column.type, low, high, step, typical=middle, gaps=gaps)


def what_if(models: Model | Sequence[Model], row: Any, changes: Mapping[str, Any]) -> pd.DataFrame:
    """What models say of a row as it is, and with other values.

    Parameters
    ----------
    models : Model or list of Model
    row : row id, or mapping of column to value
        A row of the models' data, or one made up: of this, columns that are not named are missing.
    changes : mapping
        Column to value. Text is read as the column's type; None and "" mean that the value is missing.

    Returns
    -------
    DataFrame
        Lines per model: number, name, of, before, after. `of` is "prediction" (of several targets
        prediction_<target>), and p_<class> where the model has probabilities. `attrs`: "row" (its values before),
        "changed" (values after, as read), "truth" (by target, where it is known), "notes" (labels that no model saw,
        numbers beyond those seen).

    Raises
    ------
    ValueError
        If there is no such row or column, or a value does not fit its column; the message names both.
    """
    listed = [models] if isinstance(models, Model) else list(models)
    if not listed:
        raise ValueError("no models: expected at least one")
    _check_names(listed, changes)
    lines = []
    for model in listed:
        before = _row_of(model, row)
        used = {name: value for name, value in changes.items() if name in input_columns(model.problem)}
        after = _with(model.data, before, used)
        lines += _lines(model, before, after)
    found = pd.DataFrame(lines, columns=["number", "name", "of", "before", "after"])
    found.attrs.update(_about(listed, row, changes))
    return found


def _check_names(models: Sequence[Model], changes: Mapping[str, Any]) -> None:
    used = list(dict.fromkeys(name for model in models for name in input_columns(model.problem)))
    for name in changes:
        if any(name in model.problem.targets for model in models):
            raise ValueError(f"{name!r} is the target: change a feature ({read.listed(used)})")
        if name not in used:
            raise ValueError(f"no model uses a feature {name!r}: {nearest(name, used)}")


def _row_of(model: Model, row: Any) -> pd.DataFrame:
    """A data set's row as it is, or one made up, as a frame with one row."""
    data = model.data
    if isinstance(row, Mapping):
        empty = data.frame.iloc[:1].set_axis(pd.Index(["new"], name=data.frame.index.name))
        unknown = [name for name in row if name not in data.columns]
        if unknown:
            raise ValueError(f"{data.name} has no column {unknown[0]!r}: {nearest(unknown[0], data.columns)}")
        return _with(data, empty, {name: row.get(name) for name in data.columns})
    if row not in data.frame.index:
        raise ValueError(f"{data.name}: no row {row}")
    return data.frame.loc[[row]]


def _with(data: Dataset, frame: pd.DataFrame, changes: Mapping[str, Any]) -> pd.DataFrame:
    """The one row of `frame` with other values, each in the form of its column."""
    return frame.assign(**{name: _fit(data, frame, name, value) for name, value in changes.items()})


def _fit(data: Dataset, frame: pd.DataFrame, name: str, value: Any) -> pd.Series:
    column, dtype = data.columns[name], data.frame[name].dtype
    gone = value is None or value == "" or (np.ndim(value) == 0 and pd.isna(value))
    raw = pd.Series([None if gone else value], frame.index, dtype=object, name=name)
    found, _ = read.convert(raw, column.type, data.name)
    if not gone and column.type in ("integer", "real", "boolean", "dateTime") and found.isna().all():
        raise ValueError(f'{data.name}, column "{name}": "{value}" is no {column.type}; expected one, or nothing')
    return found if found.isna().any() else found.astype(dtype)


def _lines(model: Model, before: pd.DataFrame, after: pd.DataFrame) -> list[tuple[Any, ...]]:
    one, other = (_said(model, frame) for frame in (before, after))
    return [(model.number, model.name, of, one[of], other[of]) for of in one]


def _said(model: Model, frame: pd.DataFrame) -> dict[str, Any]:
    from dataclasses import replace

    inputs = features_of(replace(model.data, frame=frame, splits=None), model.problem, model.data)
    pipeline = model.pipeline
    probable = hasattr(pipeline, "predict_proba") and getattr(pipeline, "classes_", None) is not None
    try:
        chances = probabilities(pipeline, inputs) if probable else None
        said = predicted(pipeline, model.problem, inputs, chances)
    except ValueError as error:
        raise ValueError(f"{model.name}: cannot predict such a row: {error}") from error
    several = said.add_prefix("prediction_") if isinstance(said, pd.DataFrame) else said.to_frame("prediction")
    return {**several.iloc[0].to_dict(), **({} if chances is None else chances.iloc[0].to_dict())}


def _about(models: Sequence[Model], row: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    first = models[0]
    before = _row_of(first, row)
    known = {name: value for name, value in changes.items() if name in first.data.columns}
    after = _with(first.data, before, known)
    targets = [name for name in first.problem.targets if before[name].notna().all()]
    notes = [
        note for each in editable(first) if each.name in changes and (note := _note(each, after[each.name].iloc[0]))
    ]
    return {
        "row": before.iloc[0].to_dict(),
        "changed": {name: after[name].iloc[0] for name in known},
        "truth": {name: before[name].iloc[0] for name in targets},
        "notes": notes,
    }


def _note(about: Editable, value: Any) -> str:
    """What a user should know of a value that is unlike those the models saw."""
    if pd.isna(value):
        return "" if about.gaps else f"{about.name} is never missing in the data"
    if about.low is not None and not about.low <= value <= about.high:
        low, high = (str(end) if about.type == "dateTime" else figure(end, 6) for end in (about.low, about.high))
        return f"{about.name} {value} is beyond {low} to {high}, the values in the data"
    if about.labels and len(about.labels) < MOST_LABELS and value not in about.labels:
        return f"no row has {about.name} {value!r}"
    return ""
