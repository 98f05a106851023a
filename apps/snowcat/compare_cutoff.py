"""Card for the probability from which on a row counts as positive."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.compare_card import CompareCard, called, name_cell, split_of
from learnviews.apps.snowcat.pane import model_mark, select
from learnviews.kernels.figures import figure
from learnviews.kernels.search.cutoff import Cut, cut, positive_class, positives
from learnviews.kernels.search.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from learnviews.kernels.search import Model, Problem

KINDS = {"gains": "share of positives found", "lift": "lift"}


class CutOff(CompareCard):
    """Counts at a cut-off, and the lift curve."""

    name, title = "cut-off", "Cut-off"
    help = (
        "Drag the slider: rows of at least this probability are taken for positive. The table counts what that does "
        "to each model; the curves show how many positives are found when the most probable rows are taken first, a "
        "dot where the cut-off is."
    )
    size = (5, 11)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        from learnviews.grammar import Cutoff

        self._cutoff, self._kind, self._positive = Cutoff(), "gains", None
        self._known: dict[Any, tuple[np.ndarray, np.ndarray]] = {}

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in CLASSIFICATION and problem.subtask != "multiLabel" and len(problem.targets) == 1

    def usable(self, model: Model) -> bool:
        return any(str(name).startswith("p_") for name in model.predictions)

    def draw(self, models: list[Model]) -> None:
        labels = [str(name)[2:] for name in models[0].predictions if str(name).startswith("p_")]
        if self._positive not in labels:
            self._positive = _positive(models[0], labels)
        self._labels = labels
        self.later(partial(self._made, list(models), self._positive, self._kind), self._came_curves)

    def _made(self, models: list[Model], positive: str, kind: str) -> Any:
        from learnviews.grammar import LiftCurve

        split = split_of(models)
        known = {model.number: positives(model, split, positive) for model in models}
        names = [called(model) for model in models]
        told = {"cutoff": self._cutoff, "selection": self.room.marked, "kind": kind, "names": names}
        return known, LiftCurve.from_models(models, split, positive, **told)

    def _came_curves(self, made: Any) -> None:
        self._known, element = made
        self._write()
        self.slot.plot(element)

    def _write(self) -> None:
        value = self._cutoff.value
        lines = "".join(
            _line(model, cut(*self._known[model.number], value))
            for model in self._models
            if model.number in self._known
        )
        controls = select(
            "positive", {name: f"positive: {name}" for name in self._labels}, self._positive, "Positive class"
        )
        controls += select("kind", KINDS, self._kind, "Curve")
        self.slot.html(
            f'<div class="row">{controls}</div>'
            '<div class="row"><label class="grow row">cut-off <input class="grow" type="range" min="0" max="1" '
            'step="0.01" '
            f'value="{value:g}" data-type="cut" aria-label="Cut-off"></label><b>{value:.2f}</b></div>'
            '<table class="wide"><thead><tr><th>model</th><th class="n" title="rows taken that are positive">hits</th>'
            '<th class="n" title="rows taken that are not positive">false</th>'
            '<th class="n" title="positive rows not taken">missed</th><th class="n">precision</th><th '
            'class="n">recall</th>'
            f'<th class="n">F1</th></tr></thead><tbody>{lines}</tbody></table>'
        )

    def do_cut(self, value: Any) -> None:
        """Cut elsewhere."""
        self._cutoff.cut(float(value))
        if self._known:
            self._write()

    def do_kind(self, told: list[Any]) -> None:
        """Draw the other curve."""
        self._kind = told[-1]
        self.redraw()

    def do_positive(self, told: list[Any]) -> None:
        """Take another class for the positive one."""
        self._positive = told[-1]
        self.redraw()


def _positive(model: Model, labels: list[str]) -> str:
    try:
        return positive_class(model)
    except ValueError:  # of several classes none is the positive one
        return labels[0]


def _line(model: Model, at: Cut) -> str:
    shares = "".join(f'<td class="n">{figure(each, 3)}</td>' for each in (at.precision, at.recall, at.f1))
    counts = "".join(f'<td class="n">{each:,}</td>' for each in (at.hits, at.false_alarms, at.misses))
    return f"<tr {model_mark(model.number)}>{name_cell(model)}{counts}{shares}</tr>"


CARDS = (CutOff,)
