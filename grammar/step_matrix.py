"""Element for what models are made of: a column per model, a row per choice of a pipeline's step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_linked import RowLinked
from .trial_scores import model_scores

TOP = 40  # models


class StepMatrix(RowLinked, Element2D):
    """Models, best first, against the steps of their pipelines; a dot where a model has a step.

    Parameters
    ----------
    data : table of (model, step, share)
        A row per cell: number of the column, number of the row, and how much of the model goes through the step: 1, 0,
        or in an ensemble the weight of the members that do.
    steps : list of (str, str)
        Kind and name of each row; rows of one kind follow each other.
    names : list of str
        Of the models, by column.
    scores : array
        Of the models, by column; nan where there is none.
    larger : bool
        Whether larger scores are better.
    left_out : int
        Models that are not shown.
    ids, marks : arrays, optional
        Number of the model of each cell, and the cell.
    selection : RowSelection, optional
        Of models.

    Raises
    ------
    ValueError
        If cells are not within `steps` and `names`.
    """

    group = param.String(default="StepMatrix", constant=True)

    kdims = param.List(
        default=[Dimension("model"), Dimension("step")],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Column of the model, row of the step.",
    )

    vdims = param.List(default=[Dimension("share")], item_type=Dimension, bounds=(1, None), doc="Share of the model.")

    steps: Any = param.List(default=[], doc="Kind and name of each row.")
    names: Any = param.List(default=[], doc="Names of the models.")
    scores: Any = param.Array(default=np.zeros(0), doc="Scores of the models.")
    larger: Any = param.Boolean(default=True, doc="Whether larger scores are better.")
    scored: Any = param.String(default="score", doc="What the scores are.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="Models that are not shown.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self.scores) != len(self.names):
            raise ValueError(f"expected a score per model, {len(self.names)}, got {len(self.scores)}")
        for at, most in ((0, len(self.names)), (1, len(self.steps))):
            places = self.dimension_values(at)
            if len(places) and not (places.dtype.kind in "iu" and places.min() >= 0 and places.max() < most):
                raise ValueError(f"expected {self.kdims[at].name} as whole numbers from 0 to {most - 1}")

    @classmethod
    def from_matrix(
        cls,
        matrix: pd.DataFrame,
        scores: Any = None,
        names: Sequence[str] | None = None,
        larger: bool = True,
        top: int = TOP,
        **params: Any,
    ) -> StepMatrix:
        """From a table of models by steps, as `kernels.search.diagram.step_matrix` makes one.

        Parameters
        ----------
        matrix : DataFrame
            Index: the models' numbers. Columns: (kind, name) of steps. Values: truth values, or shares from 0 to 1.
        scores : (models,) numbers, optional
            By these the models are ordered, the best first; without them they stay as they are.
        names : (models,) str, optional
            By default their numbers.
        larger : bool
            Whether larger scores are better.
        top : int
            Most models to show.

        Raises
        ------
        ValueError
            If there is not one score and one name per model, or `top` is below 1.
        """
        if top < 1:
            raise ValueError(f"top = {top}; expected at least one model")
        count = len(matrix)
        given = np.full(count, np.nan) if scores is None else np.asarray(scores, float)
        called = [str(each) for each in (matrix.index if names is None else names)]
        if not len(given) == len(called) == count:
            raise ValueError(f"expected a score and a name per model, {count}, got {len(given)} and {len(called)}")
        order = np.argsort(-given if larger else given, kind="stable")[:top]  # nan comes last
        matrix = matrix.iloc[order]
        matrix = matrix.loc[:, (matrix.to_numpy(float) > 0).any(axis=0)] if count else matrix
        column, row = (each.ravel() for each in np.indices(matrix.shape))
        numbers = pd.Index(list(matrix.index), dtype=object).to_numpy()
        known = {
            "steps": [each if isinstance(each, tuple) else ("", str(each)) for each in matrix.columns],
            "names": [called[at] for at in order],
            "scores": given[order],
            "larger": larger,
            "left_out": count - len(order),
            "ids": numbers[column] if len(column) else np.zeros(0, dtype=object),
            "marks": np.arange(len(column)),
        }
        data = {"model": column, "step": row, "share": matrix.to_numpy(float).ravel()}
        return cls(data, datatype=["dictionary"], **(known | params))

    @classmethod
    def from_models(cls, models: Sequence[Any], score: str = "score", top: int = TOP, **params: Any) -> StepMatrix:
        """Of `kernels.search.Model`s: a row per choice of a step (which scaler, which encoder), the models last.

        Parameters
        ----------
        score : {"score", "holdout", "cost"}
            "holdout" reads the predictions of every model.
        top : int
            Most models to show.
        """
        from ..kernels.search.step_choices import step_choices

        scored = model_scores(models, score)
        order = np.argsort(-scored.values if scored.larger else scored.values, kind="stable")
        shown = [models[at] for at in order[: max(top, 0)]]  # of thousands only these are taken apart
        more = {"scored": scored.label, "left_out": len(models) - len(shown)}
        found, names = scored.values[order[: len(shown)]], [model.name for model in shown]
        return cls.from_matrix(step_choices(shown), found, names, scored.larger, top, **(more | params))
