"""Cards about how the models of a study are set up, and what that does to their scores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.compare_card import CompareCard, called
from learnviews.apps.snowcat.pane import quiet, select, text
from learnviews.grammar.streams import unsubscribe
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.kernels.search import Model

SCORES = {"score": "on the folds", "holdout": "on the rows held out"}
PRICES = {"fit_seconds": "time to fit", "score_seconds": "time to predict", "seconds": "time of the whole trial"}


class StudyCard(CompareCard):
    """Base of cards about all models of the chosen study: drawn anew when it has found more."""

    hears = ("data", "study", "studies", "models")

    def show(self) -> None:
        live = self.room.study
        if live is None:
            self.slot.empty("Train some models first.")
        elif self._drawn != (version := (live.name, id(live), live.study.version)):
            self._drawn = version
            self.figure_later(f'<div class="row">{self.controls()}</div>', partial(self.element, live.study))

    def controls(self) -> str:
        """What can be chosen, as HTML."""
        return ""

    def element(self, study: Any) -> Any:
        """What is drawn; made in a thread."""
        raise NotImplementedError


class Configurations(StudyCard):
    """Parallel coordinates of configurations."""

    name, title = "parallel coordinates", "Parallel coordinates"
    help = (
        "A line per trial through its settings to its score: which choices lead to good models? The axes are those "
        "that tell most of the score. Drag along an axis to keep the models that pass there; the card “Models” "
        "compares those that are kept."
    )
    size = (8, 8)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._score = "score"

    def controls(self) -> str:
        return select("score", SCORES, self._score, "Score")

    def element(self, study: Any) -> Any:
        from learnviews.grammar import ParallelCoordinates

        return ParallelCoordinates.from_study(study, self._score, selection=self.room.marked)

    def do_score(self, told: list[Any]) -> None:
        """Colour by another score."""
        self._score = told[-1]
        self.redraw()


class Front(StudyCard):
    """Score against time."""

    name, title = "pareto front", "Pareto front"
    help = (
        "Score against time: models on the line are beaten by no other in both. Is the best worth what it takes? "
        "Point at a dot to find the model in other cards, click to keep it."
    )
    size = (4, 8)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._score, self._price = "score", "fit_seconds"

    def controls(self) -> str:
        return select("score", SCORES, self._score, "Score") + select("price", PRICES, self._price, "Time")

    def element(self, study: Any) -> Any:
        from learnviews.grammar import ParetoFront

        return ParetoFront.from_study(study, self._score, self._price, selection=self.room.marked)

    def do_score(self, told: list[Any]) -> None:
        """Show another score."""
        self._score = told[-1]
        self.redraw()

    def do_price(self, told: list[Any]) -> None:
        """Show another time."""
        self._price = told[-1]
        self.redraw()


class ParameterShares(StudyCard):
    """Importance of hyper-parameters."""

    name, title = "parameter importance", "Parameter importance"
    help = (
        "How much of the differences between trials each setting explains, as a forest sees it that learned the cost "
        "from the settings; with few trials believe little of it."
    )
    size = (4, 8)

    def element(self, study: Any) -> Any:
        from learnviews.grammar import ParameterImportance

        return ParameterImportance.from_study(study)


class Steps(CompareCard):
    """Steps of pipelines by models."""

    name, title = "pipeline steps", "Pipeline steps"
    help = (
        "Which model takes which steps from the columns to the prediction; the best models first. Of an ensemble the "
        "dots are as large as the weight of the members that take the step."
    )
    size = (4, 9)

    def usable(self, model: Model) -> bool:
        return model.number != -1

    def draw(self, models: list[Model]) -> None:
        self.figure_later("", partial(self._element, models))

    def _element(self, models: list[Model]) -> Any:
        from learnviews.grammar import StepMatrix

        return StepMatrix.from_models(models, selection=self.room.marked)


class Pipeline(CompareCard):
    """One model's pipeline, in words."""

    name, title = "pipeline", "Pipeline"
    help = "One model from its inputs to its prediction: every step with its settings. A kept model is shown first."
    size = (4, 9)

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._number: Any = None
        room.marked.add_subscriber(self._marked)

    def draw(self, models: list[Model]) -> None:
        from learnviews.kernels.search import diagram

        by = {model.number: model for model in models}
        if self._number not in by:
            self._number = models[0].number
        named = {str(number): called(model) for number, model in by.items()}
        said = text(diagram.text(by[self._number]))
        self.slot.html(
            f'<div class="row">{select("model", named, str(self._number), "Model")}</div><pre '
            f'class="steps">{said}</pre>'
            + quiet(f"{figure(by[self._number].seconds, 3)} s for the whole trial." if by[self._number].seconds else "")
        )

    def do_model(self, told: list[Any]) -> None:
        """Show another model."""
        self._number = next(model.number for model in self._models if str(model.number) == told[-1])
        self.redraw()

    def _marked(self, **selected: Any) -> None:
        kept = self.room.marked.kept
        if self._open and len(kept) and kept[0] != self._number and any(m.number == kept[0] for m in self._models):
            self._number = kept[0]
            self.redraw()

    def close(self) -> None:
        super().close()
        unsubscribe(self.room.marked, self._marked)


CARDS = (Configurations, Front, ParameterShares, Steps, Pipeline)
