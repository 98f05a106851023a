"""Rows that no model has seen, as prediction frames of models: for the same tables and views as the holdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .model import Model, features_of, input_columns, prediction_frame, read_rows

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset

SPLIT = "new"


class NewRows(Model):
    """A model with its predictions of new rows in the place of those it was judged by.

    Attributes
    ----------
    source : Model
        As the study has it.
    data : Dataset
        The new rows.
    predictions : DataFrame
        A prediction frame whose split is "new"; truth is missing where the table does not hold the target.
    """

    def __init__(self, source: Model, data: Dataset, predictions: pd.DataFrame) -> None:
        told = {name: getattr(source, name) for name in ("number", "seed", "cost", "seconds", "fidelity", "name")}
        pipeline = source.pipeline
        super().__init__(data, source.problem, source.config, predictions, pipeline, members=source.members, **told)
        self.source = source

    @property
    def split(self) -> str:
        """ "new": its scores speak of these rows."""
        return SPLIT

    @property
    def training_rows(self) -> pd.Index:
        return self.source.training_rows

    def describe(self) -> str:
        return self.source.describe()

    def steps(self) -> list[Any]:
        return self.source.steps()


def predict_new(models: Model | Sequence[Model], rows: Any) -> list[NewRows]:
    """Predictions of several models for a new table, with truth and scores where it holds the target.

    Parameters
    ----------
    models : Model or list of Model
    rows : DataFrame, Dataset, or whatever `load` takes
        Read with the types the models were trained with. Where its rows have no ids of their own (an unnamed index, a
        CSV file), and some number is also one of the models' rows, they are counted on from the last of these. Columns
        that were joined to the rows of the training are joined to these, too, where they are not there.

    Returns
    -------
    list of NewRows
        In the order of the models, all of one `data`.

    Raises
    ------
    ValueError
        If columns are missing, or a value does not fit its column; the message names them.
    """
    listed = [models] if isinstance(models, Model) else list(models)
    if not listed:
        raise ValueError("no models: expected at least one")
    data = _numbered(_table(listed, rows), listed)
    for model in listed:
        _check_columns(model, data)
    return [_of(model, data) for model in listed]


def _of(model: Model, data: Dataset) -> NewRows:
    inputs = features_of(data, model.problem, model.data)
    truths = data.frame[[name for name in model.problem.targets if name in data.frame]]
    try:
        frame = prediction_frame(model.pipeline, model.problem, inputs, truths, SPLIT)
    except ValueError as error:
        raise ValueError(f"{model.name}: cannot predict {data.name}: {error}") from error
    return NewRows(model, data, frame)


def _table(models: Sequence[Model], rows: Any) -> Dataset:
    """The new rows, every column that a model knows with the type it has there."""
    from .joins import key_types, typed_like

    types: dict[str, str] = {}
    for model in models:
        wanted = (*input_columns(model.problem), *model.problem.targets)
        types |= {name: model.data.columns[name].type for name in wanted if name not in types}
    types |= {
        name: kind for model in models for name, kind in key_types(model.data.joined).items() if name not in types
    }
    for model in models:
        rows = read_rows(rows, types, model.data.joined, input_columns(model.problem))
    return typed_like(rows, types)


def _check_columns(model: Model, data: Dataset) -> None:
    from .joins import origins

    wanted = input_columns(model.problem)
    missing = [name for name in wanted if name not in data.frame]
    if missing:
        lacks = f"lacks column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
        came = origins(missing, model.data.joined)
        raise ValueError(f"{data.name}: {lacks}; {model.name} needs {', '.join(wanted)}{came}")


def _numbered(data: Dataset, models: Sequence[Model]) -> Dataset:
    """With ids that are not those of other rows by chance: a row of one view must not light up another one."""
    import pandas as pd

    from .data import ROW_ID

    ids, known = data.frame.index, models[0].data.frame.index
    if ids.name != ROW_ID or not ids.isin(known).any():
        return data
    if pd.api.types.is_integer_dtype(known.dtype):
        first = int(known.max()) + 1
        fresh = pd.RangeIndex(first, first + len(ids), name=ROW_ID)
    else:
        fresh = pd.Index([f"new {each}" for each in ids], name=ROW_ID)
    splits = None if data.splits is None else data.splits.set_axis(fresh)
    return replace(data, frame=data.frame.set_axis(fresh), splits=splits)
