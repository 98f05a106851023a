"""Cards about what models make of the features: which matter, and how predictions follow one of them."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.compare_card import CompareCard, called, waiting
from learnviews.apps.snowcat.pane import quiet, select

if TYPE_CHECKING:
    import pandas as pd

    from learnviews.kernels.search import Model, Problem

REPEATS, ROWS = 3, 500


class FeatureCard(CompareCard):
    """Base of cards that ask every model's pipeline, one after the other: what is there is shown, the rest follows."""

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return problem.task in ("classification", "regression", "semiSupervisedClassification", "clustering")

    def usable(self, model: Model) -> bool:
        return model.number != -1

    def asked(self, models: list[Model], function: str, *arguments: Any) -> tuple[dict[Any, pd.DataFrame], str]:
        """What is there by model number, and what to say of the rest."""
        futures = {model.number: self.found(model, function, *arguments, slow=True) for model in models}
        for future in futures.values():
            self.await_(future)
        there = {number: future for number, future in futures.items() if future.done()}
        failed = [str(future.exception()) for future in there.values() if future.exception() is not None]
        done = {number: _result(future) for number, future in there.items() if future.exception() is None}
        lacking = len(futures) - len(there)
        words = f"{len(there)} of {len(futures)} models done…" if lacking else ""
        return done, (waiting(words) if words else "") + quiet(failed[0] if failed else "")


class Importance(FeatureCard):
    """Permutation importance by model."""

    name, title = "importance", "Feature importance"
    help = (
        "How much worse each model gets when the values of a feature are dealt out anew among the rows; the features "
        "that matter most come first. Do good models lean on the same ones, and on those you would expect?"
    )
    size = (4, 9)

    def draw(self, models: list[Model]) -> None:
        from learnviews.grammar import ImportanceMap

        frames, words = self.asked(models, "importance", REPEATS, ROWS)
        self.slot.html(words)
        if frames:
            names = [called(model) for model in models if model.number in frames]
            self.slot.plot(ImportanceMap.from_frames(frames, names, selection=self.room.marked))


class Dependence(FeatureCard):
    """Partial dependence by model."""

    name, title = "partial dependence", "Partial dependence"
    help = (
        "The mean prediction of each model when every row is given the same value of a feature, value by value; "
        "below, how many rows have such values: where there are few, curves are guesses."
    )
    size = (4, 9)

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        return super().suits(problem) and problem.task != "clustering" and problem.subtask != "multiLabel"

    def __init__(self, room: Any, slot: Any) -> None:
        super().__init__(room, slot)
        self._feature: str | None = None
        self._of: str | None = None

    def draw(self, models: list[Model]) -> None:
        features = self._features(models[0])
        if not features:
            self.slot.empty("The models use no column that can be set to one value.")
            return
        if self._feature not in features:
            self._feature = features[0]
        feature = self._feature
        frames, words = self.asked(models, "dependence", feature)
        answers = list(dict.fromkeys(str(of) for frame in frames.values() for of in frame["of"]))
        if answers and self._of not in answers:
            self._of = _first(answers, self.problem.positive)
        controls = select("feature", {name: name for name in features}, feature, "Feature")
        if len(answers) > 1:
            controls += select("of", {name: f"probability of {name}" for name in answers}, self._of, "Class")
        self.slot.html(f'<div class="row">{controls}</div>{words}')
        if frames:
            self._place_curves(models, frames)

    def _place_curves(self, models: list[Model], frames: dict[Any, pd.DataFrame]) -> None:
        from learnviews.grammar import PartialDependence

        names = [called(model) for model in models if model.number in frames]
        column = models[0].data.frame[self._feature]
        told = {"of": self._of, "selection": self.room.marked}
        self.slot.plot(PartialDependence.from_frames(frames, str(self._feature), column, names, **told))

    def _features(self, model: Model) -> list[str]:
        """Those that are no files, the most important first where that is known."""
        columns = model.data.columns
        there = [name for name in self.problem.features or () if not columns[name].is_media]
        return [name for name in there if columns[name].type != "text"]

    def do_feature(self, told: list[Any]) -> None:
        """Follow another feature."""
        self._feature = told[-1]
        self.redraw()

    def do_of(self, told: list[Any]) -> None:
        """Show another class."""
        self._of = told[-1]
        self.redraw()


def _result(future: Future[pd.DataFrame]) -> pd.DataFrame:
    return future.result()


def _first(answers: list[str], positive: Any) -> str:
    return str(positive) if str(positive) in answers else answers[-1] if len(answers) == 2 else answers[0]


CARDS = (Importance, Dependence)
