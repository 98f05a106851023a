"""Cards with what each compared model says of the rows, side by side on one scale."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from bokeh.models import CustomJS

from learnviews.apps.snowcat.compare_card import CompareCard, called, said_of_rows, split_of
from learnviews.apps.snowcat.pane import button, quiet, select
from learnviews.kernels.search.tasks import CLASSIFICATION, CLUSTERING, DETECTION

if TYPE_CHECKING:
    from learnviews.kernels.search import Model, Problem

PAGE = 6  # models at a time
ROW = 4  # of them side by side
ORDERS = {
    "truth": "by the truth",
    "prediction": "by the prediction",
    "residual": "from under to over",
    "size": "largest errors first",
    "row": "in the data's order",
}


# A title no longer than its figure is wide, with the study at its end if it says one; the card “Models” has all of it.
FIT = """
const [name] = title.tags, most = Math.max(12, Math.floor(figure.inner_width / 6.7))
const end = / \\([^()]*\\)$/.exec(name)?.[0] ?? ""
const cut = end.length < most / 2 ? name.slice(0, most - end.length - 1) + "…" + end : name.slice(0, most - 1) + "…"
title.text = name.length <= most ? name : cut
"""


class ResultViews(CompareCard):
    """Base of cards with a figure per model, `PAGE` of them at a time."""

    size = (12, 8)
    at_first = ("compare",)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._page = 0

    def draw(self, models: list[Model]) -> None:
        pages = -(-len(models) // PAGE)
        self._page = min(self._page, pages - 1)
        page = models[self._page * PAGE : (self._page + 1) * PAGE]
        split = split_of(models)
        head = f"{self.controls(models)}{self._turning(pages)}{quiet(f'On {said_of_rows(models)}.')}"
        self.figure_later(f'<div class="row">{head}</div>', partial(self.elements, page, models, split), self.place)

    def _turning(self, pages: int) -> str:
        if pages < 2:
            return ""
        there = (
            button("‹", "turn", -1, disabled=self._page == 0),
            button("›", "turn", 1, disabled=self._page == pages - 1),
        )
        return f"{there[0]} {self._page + 1} of {pages} {there[1]}"

    def do_turn(self, by: int) -> None:
        """Show the models of another page."""
        self._page = max(0, self._page + int(by))
        self.redraw()

    def controls(self, models: list[Model]) -> str:
        """What can be chosen, as HTML."""
        return ""

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        """A figure per model of the page; made in a thread."""
        raise NotImplementedError

    def place(self, elements: list[Any]) -> list[Any]:
        """Show the figures."""
        plots = self.slot.plots(elements, len(elements) if len(elements) <= ROW else -(-len(elements) // 2))
        for plot, element in zip(plots, elements, strict=True):
            title = plot.state.title
            if title is None:
                continue
            if not title.tags:  # a new figure
                fit = CustomJS(args={"figure": plot.state, "title": title}, code=FIT)
                plot.state.js_on_change("inner_width", fit)
                title.js_on_change("tags", fit)
            title.update(text=element.label, text_font_size="12px", tags=[element.label])
        return plots


class ConfusionMatrices(ResultViews):
    """A confusion matrix per model."""

    name, title = "confusion matrices", "Confusion matrices"
    help = (
        "Of each true class (row), which share each model takes for which class; one colour scale for all. Point at "
        "a cell to light its rows in all models and in the data, click to keep them. A bar at the foot of a cell "
        "shows the part of it that is lit (orange) or kept (black)."
    )

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in CLASSIFICATION and problem.subtask != "multiLabel" and len(problem.targets) == 1

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar import ConfusionMatrix

        return [
            ConfusionMatrix.from_model(model, split, label=called(model), selection=self.room.rows) for model in page
        ]


class ResidualBars(ResultViews):
    """Residuals per model."""

    name, title = "residuals", "Residuals"
    help = (
        "How far each model is off, a bar per row: prediction less truth, all models on one scale, dashed the mean "
        "absolute error. Choose the order; where all models err on the same rows, the rows are hard. Point at a bar "
        "to light its row in all models and in the data, click to keep it."
    )

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._order, self._target = "truth", None

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in ("regression", "timeSeriesForecasting", "collaborativeFiltering")

    def controls(self, models: list[Model]) -> str:
        targets = self.problem.targets
        if self._target not in targets:
            self._target = targets[0]
        which = select("target", {name: name for name in targets}, self._target, "Target") if len(targets) > 1 else ""
        return select("order", ORDERS, self._order, "Order of the rows") + which

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar import Residuals

        most = max(np.abs(self._errors(model, split)).max(initial=0) for model in models)
        told = {"order": self._order, "selection": self.room.rows, "reach": float(most)}
        return [Residuals.from_values(*self._values(model, split), label=called(model), **told) for model in page]

    def _values(self, model: Model, split: str) -> tuple[Any, Any]:
        frame = model.predictions
        rows = frame[frame["split"] == split]
        end = f"_{self._target}" if f"prediction_{self._target}" in rows else ""
        return rows[f"truth{end}"], rows[f"prediction{end}"]

    def _errors(self, model: Model, split: str) -> np.ndarray:
        truth, said = (np.asarray(each, dtype=float) for each in self._values(model, split))
        return (said - truth)[np.isfinite(said - truth)]

    def do_order(self, told: list[Any]) -> None:
        """Order the rows otherwise."""
        self._order = told[-1]
        self.redraw()

    def do_target(self, told: list[Any]) -> None:
        """Show another target."""
        self._target = told[-1]
        self.redraw()


class RowMaps(ResultViews):
    """A map of the rows per model, coloured by what it says."""

    name, title = "row maps", "Maps of the rows"
    help = (
        "The rows laid out by their features, those alike near each other; coloured by what each model says, its "
        "error or the truth, on one scale for all models: where in the data does it err, or which clusters does it "
        "see? Point at a dot to light its row in all models and in the data, click to keep it."
    )
    at_first = ()
    colors: ClassVar[dict[str, str]] = {"error": "its error", "prediction": "the prediction", "truth": "the truth"}

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._color: str | None = None

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return (
            problem.task not in (*CLUSTERING, DETECTION)
            and len(problem.targets) == 1
            and problem.subtask != "multiLabel"
        )

    def controls(self, models: list[Model]) -> str:
        if self._color not in self.colors:
            self._color = next(iter(self.colors))
        return select("color", self.colors, self._color, "Colour")

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar import RowMap

        told = {"color": self._color, "split": split, "among": models, "selection": self.room.rows}
        return RowMap.from_models(page, names=[called(model) for model in page], **told)

    def do_color(self, told: list[Any]) -> None:
        """Colour by something else."""
        self._color = told[-1]
        self.redraw()


class Clusters(RowMaps):
    """A map of the rows per clustering."""

    name, title = "clusters", "Clusters"
    at_first = ("compare",)
    colors: ClassVar[dict[str, str]] = {"prediction": "the cluster"}

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task == "clustering"

    def controls(self, models: list[Model]) -> str:
        self._color = "prediction"
        return ""


class Forecasts(CompareCard):
    """What the models foretell, over the series."""

    name, title = "forecasts", "Forecasts"
    help = (
        "The series, and dashed what each model foretells; where the held-out time begins is marked. Point at a "
        "moment to light its rows in all cards, click to keep them; drag to move in time, wheel to zoom."
    )
    at_first = ("compare",)
    size = (12, 8)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._series: str | None = None
        self._target: str | None = None
        self._history = "3"

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task == "timeSeriesForecasting"

    def draw(self, models: list[Model]) -> None:
        problem, targets = self.problem, self.problem.targets
        if self._target not in targets:
            self._target = targets[0]
        names = _series(models[0]) if problem.groups else []
        if self._series not in names:
            self._series = names[0] if names else None
        parts = {
            "1": "once as much before it",
            "3": "three times as much",
            "10": "ten times as much",
            "": "the whole past",
        }
        controls = select("history", parts, self._history, "How much of the past")
        if names:
            controls += select("series", {name: name for name in names}, self._series, "Series")
        if len(targets) > 1:
            controls += select("target", {name: name for name in targets}, self._target, "Target")
        self.figure_later(f'<div class="row">{controls}</div>', partial(self._element, models))

    def _element(self, models: list[Model]) -> Any:
        from learnviews.grammar import Forecast

        told = {"selection": self.room.rows, "model_selection": self.room.marked, "target": self._target}
        told["names"] = [called(model) for model in models]
        history = float(self._history) if self._history else None
        return Forecast.from_models(models, series=self._series, history=history, **told)

    def do_history(self, told: list[Any]) -> None:
        """Show more or less of the past."""
        self._history = told[-1]
        self.redraw()

    def do_series(self, told: list[Any]) -> None:
        """Show another series."""
        self._series = told[-1]
        self.redraw()

    def do_target(self, told: list[Any]) -> None:
        """Show another target."""
        self._target = told[-1]
        self.redraw()


def _series(model: Model) -> list[str]:
    frame = model.data.frame
    return sorted(set(frame[list(model.problem.groups)].astype(str).agg(", ".join, axis=1)))


CARDS = (ConfusionMatrices, Forecasts, ResidualBars, Clusters, RowMaps)
