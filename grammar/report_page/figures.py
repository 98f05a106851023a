"""The figures of a report: elements of the grammar as Bokeh figures, readable on screen and in print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from ...kernels.search import Model, Study

WIDE, HALF = 660, 324
"""Pixels: the text of a printed page is about 690 wide."""
SHOWN = 12
"""Models that have a figure of their own."""


def figure_of(element: Any, width: int, height: int) -> Any:
    """The Bokeh figure of an element, of a fixed size: what scales with the window does not print."""
    import holoviews as hv

    hv.Store.loaded_backends() or hv.extension("bokeh")
    state = hv.renderer("bokeh").get_plot(element).state
    state.update(sizing_mode=None, min_width=None, min_height=None, width=width, height=height)
    if state.title is not None:
        state.title.text = ""
    return state


def score_figure(models: Sequence[Model], trivial: Model, names: Sequence[str]) -> Any:
    """Scores with their intervals and the trivial predictor."""
    from .. import ScoreIntervals

    metric, split = str(models[0].problem.metric), models[0].split
    rows = [model.scored(split, (metric,)).iloc[0] for model in (*models, trivial)]
    *found, least = [[float(row[name]) for name in ("value", "low", "high")] for row in rows]
    value, low, high = zip(*found, strict=True)
    element = ScoreIntervals.from_scores(names, value, low, high, metric=metric, baseline=tuple(least))
    return figure_of(element, WIDE, 90 + 26 * len(models))


def result_figures(models: Sequence[Model], names: Sequence[str]) -> list[tuple[str, Any]]:
    """What the models say of the rows they are judged on, each with its caption; none where there is no view for it."""
    from ...kernels.search.tasks import CLASSIFICATION

    problem = models[0].problem
    if problem.task == "timeSeriesForecasting":
        return [_forecast(models[:SHOWN], target) for target in problem.targets]
    draw: Callable[[Model], list[tuple[str, Any]]] | None = None
    if problem.task in ("regression", "collaborativeFiltering"):
        reach = {target: _largest_error(models[:SHOWN], target) for target in problem.targets}
        draw = partial(_residuals, reach=reach)
    elif problem.task in CLASSIFICATION and problem.subtask != "multiLabel" and len(problem.targets) == 1:
        draw = _confusion
    if draw is None:
        return []
    return [
        (f"{name}{end}", plot) for model, name in zip(models[:SHOWN], names, strict=False) for end, plot in draw(model)
    ]


def _confusion(model: Model) -> list[tuple[str, Any]]:
    from .. import ConfusionMatrix

    element = ConfusionMatrix.from_model(model, model.split)
    wide = element.size > 8
    return [("", figure_of(element, WIDE if wide else HALF, 560 if wide else 290))]


def _residuals(model: Model, reach: dict[str, float]) -> list[tuple[str, Any]]:
    from .. import Residuals

    targets = model.problem.targets
    several = len(targets) > 1
    made = []
    for target in targets:
        values = _values(model, target)
        element = Residuals.from_values(*values, reach=reach[target])
        made.append((f", {target}" if several else "", figure_of(element, HALF, 230)))
    return made


def _values(model: Model, target: str) -> tuple[pd.Series, pd.Series]:
    frame = model.predictions
    rows = frame[frame["split"] == model.split]
    end = f"_{target}" if f"prediction_{target}" in rows else ""
    return rows[f"truth{end}"].astype(float), rows[f"prediction{end}"].astype(float)


def _largest_error(models: Sequence[Model], target: str) -> float:
    found = [(said - true).abs().max() for true, said in (_values(model, target) for model in models)]
    return float(max((each for each in found if each == each), default=0.0))


def _forecast(models: Sequence[Model], target: str) -> tuple[str, Any]:
    from .. import Forecast

    several = len(models[0].problem.targets) > 1
    element = Forecast.from_models(models, target=target, history=3.0)
    return target if several else "", figure_of(element, WIDE, 320)


def cost_figure(studies: Sequence[Study], names: Sequence[str]) -> Any:
    """How the best score came down, or up, while the studies ran."""
    from .. import CostOverTime

    if len(studies) == 1:
        return figure_of(CostOverTime.from_study(studies[0]), WIDE, 250)
    return figure_of(CostOverTime.from_studies(studies, names), WIDE, 250)


def importance_figure(frames: Sequence[pd.DataFrame], names: Sequence[str]) -> Any:
    """How much each model needs each feature."""
    from .. import ImportanceMap

    element = ImportanceMap.from_frames(dict(enumerate(frames, 1)), names)
    return figure_of(element, WIDE, 110 + 20 * len(element.features))
