"""Cards of ratings: what each model predicts, how far it is off, and for whom."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnviews.apps.snowcat.compare_card import called
from learnviews.apps.snowcat.compare_results import ResultViews
from learnviews.apps.snowcat.pane import select
from learnviews.kernels.search import Model, Problem
from learnviews.kernels.search.tasks import RATING

OF = {"prediction": "predicted, beside the truth", "error": "errors", "truth": "the truth"}


class RatingHistograms(ResultViews):
    """Histograms of predictions and of errors, a figure per model."""

    name, title = "rating histograms", "Ratings and errors"
    help = (
        "How often each model predicts which rating, with the truth as an outline, or how far it is off: all models on "
        "one scale. A model that always says the mean is one high bar. Point at a bar to light its rows in all models "
        "and in the data, click to keep them; the part of each bar that is lit is orange, kept black."
    )

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._of, self._target = "prediction", None

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task == RATING

    def controls(self, models: list[Model]) -> str:
        targets = self.problem.targets
        if self._target not in targets:
            self._target = targets[0]
        which = select("target", {name: name for name in targets}, self._target, "Target") if len(targets) > 1 else ""
        return select("of", OF, self._of, "What is counted") + which

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar.value_histogram import SAID, ValueHistogram, shared_edges

        of, target = self._of, self._target
        page = page[:1] if of == "truth" else page  # the same for all
        edges = shared_edges(models, of if of != "truth" else "prediction", split, target)
        told = {"edges": edges, "target": target, "selection": self.room.rows}
        if of != "error":
            told["what"] = f"{target}, {SAID[of]}" if of == "prediction" else str(target)
        made = [
            ValueHistogram.from_model(model, of, split, label="the truth" if of == "truth" else called(model), **told)
            for model in page
        ]
        most = max(int(each.dimension_values(2).max(initial=0)) for each in made)
        return [each.clone(most=most) for each in made]

    def do_of(self, told: list[Any]) -> None:
        """Count something else."""
        self._of = told[-1] if told[-1] in OF else "prediction"
        self.redraw()

    def do_target(self, told: list[Any]) -> None:
        """Show another target."""
        self._target = told[-1]
        self.redraw()


class ValueHistograms(RatingHistograms):
    """The same of any numbers."""

    name, title = "value histograms", "Predictions and errors"
    help = RatingHistograms.help.replace("rating, with", "value, with")
    at_first = ()

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in ("regression", "timeSeriesForecasting")


class ErrorsByKey(ResultViews):
    """Errors of users and of items by how much is known of them."""

    name, title = "errors by key", "Errors by user and item"
    help = (
        "A dot for each user, or each item: how far a model is off on its held-out ratings, by how many of its ratings "
        "there were to learn from (on a logarithmic scale); larger dots are of more held-out ratings, the line shows "
        "the mean. Point at a dot to light all of its rows, click to keep them."
    )

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._key: str | None = None

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task == RATING and bool(problem.keys)

    def controls(self, models: list[Model]) -> str:
        keys = self.problem.keys
        if self._key not in keys:
            self._key = keys[0]
        return select("key", {name: name for name in keys}, self._key, "Whose errors")

    def elements(self, page: list[Model], models: list[Model], split: str) -> list[Any]:
        from learnviews.grammar import KeyErrors

        told = {"selection": self.room.rows}
        made = [KeyErrors.from_model(model, self._key, split, label=called(model), **told) for model in page]
        most = max(float(np.max(each.dimension_values(1), initial=0)) for each in made)
        return [each.clone(most=most) for each in made]

    def do_key(self, told: list[Any]) -> None:
        """Of users, or of items."""
        self._key = told[-1]
        self.redraw()


CARDS = (RatingHistograms, ErrorsByKey, ValueHistograms)
