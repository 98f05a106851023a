"""Cards about where models disagree, and whether they err on the same rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.compare_card import CompareCard, called, said_of_rows, split_of
from learnviews.apps.snowcat.pane import quiet
from learnviews.kernels.search.tasks import DETECTION

if TYPE_CHECKING:
    from learnviews.kernels.search import Model, Problem


class Disputes(CompareCard):
    """Rows that the models dispute."""

    name, title = "disagreement", "Disagreement"
    help = (
        "The rows that the compared models dispute, the most disputed first; the colour tells how many are right, or "
        "how far they are off. Rows that all get wrong alike are not here: see the result views. Point and click as "
        "everywhere."
    )
    size = (4, 8)
    least = 2

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return bool(problem.targets) and problem.task != DETECTION

    def draw(self, models: list[Model]) -> None:
        self.figure_later(quiet(f"On {said_of_rows(models)}."), partial(self._element, models))

    def _element(self, models: list[Model]) -> Any:
        from learnviews.grammar import Disagreement

        return Disagreement.from_models(models, split_of(models), selection=self.room.rows)


class Correlation(CompareCard):
    """Correlation of errors."""

    name, title = "error correlation", "Error correlation"
    help = (
        "Do models err on the same rows? Near 1 they do, and one of them is as good as both; near 0 or below they "
        "make up for each other, and an ensemble of them gains. Point at a cell to find its models in other cards, "
        "click to keep them."
    )
    size = (4, 9)
    least = 2

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return bool(problem.targets) and problem.task != DETECTION

    def draw(self, models: list[Model]) -> None:
        self.figure_later(quiet(f"On {said_of_rows(models)}."), partial(self._element, models))

    def _element(self, models: list[Model]) -> Any:
        from learnviews.grammar import ErrorCorrelation
        from learnviews.kernels.search import error_correlation

        names = [called(model) for model in models]
        found = error_correlation(models, split_of(models))
        return ErrorCorrelation.from_matrix(found, names, selection=self.room.marked)


CARDS = (Disputes, Correlation)
