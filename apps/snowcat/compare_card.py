"""What the cards that compare models have in common: which models they are about, and the work done for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.compare_findings import aside, findings
from learnviews.apps.snowcat.pane import quiet, text
from learnviews.grammar.streams import unsubscribe
from learnviews.kernels.search.tasks import CLUSTERING

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Model, Problem

EVENTS = ("data", "study", "studies", "models", "compared")
TOLD = (OSError, ValueError, LookupError, TypeError)
"""Errors whose message is for the user; others are logged, too."""


class CompareCard(Card):
    """Base of the cards about the models that are compared: drawn anew when these change, not whenever one arrives.

    Subclasses draw with `draw(models)`, and say with `suits(problem)` for which problems there is something to draw.
    """

    steps = ("compare",)
    hears = EVENTS
    least: ClassVar[int] = 1
    """Models without which there is nothing to show."""

    def __init__(self, room: Workspace, slot: Any) -> None:
        super().__init__(room, slot)
        self._drawn: Any = None
        self._open = True
        self._busy: dict[str, Any] = {}  # by kind of work that goes on: what is to be done next
        self._models: list[Model] = []
        self._above: str | None = None  # what is above a figure that is being made
        self._waiting: set[Future[Any]] = set()

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        problem = None if room.study is None else room.study.problem
        return problem is not None and cls.suits(problem)

    @classmethod
    def suits(cls, problem: Problem) -> bool:
        """Whether there is something to show of models of this problem."""
        return True

    @property
    def problem(self) -> Problem:
        """Of the chosen study."""
        assert self.room.study is not None
        return self.room.study.problem

    def show(self) -> None:
        models = compared(self.room)
        usable = [model for model in models.values() if self.usable(model)]
        if len(usable) < self.least:
            self._drawn = None
            self.slot.empty(self._lacking(bool(models)))
        elif self._drawn != (drawn := [(key, id(study_of(self.room, key))) for key in models]):
            self._drawn, self._models = drawn, usable
            self.draw(usable)

    def _lacking(self, some: bool) -> str:
        if self.least > 1 and some:
            return f"Choose at least {self.least} models in the card “Models”."
        return "None of the compared models has this." if some else "Choose models in the card “Models”."

    def usable(self, model: Model) -> bool:
        """Whether there is something to show of a model."""
        return True

    def draw(self, models: list[Model]) -> None:
        """Draw the compared models."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the same models anew: something else of the card changed."""
        self._drawn = None
        self.show()

    def later(
        self, work: Callable[[], Any], show: Callable[[Any], None], kind: str = "", between: bool = False
    ) -> None:
        """Have a thread do the work, then show what came of it; what goes wrong is told in the card.

        Of works of one `kind` one goes on at a time, and after it the latest only; what came of others before that is
        shown where `between` says so.
        """
        kind = f"{self.name} {kind}"
        if kind in self._busy:
            self._busy[kind] = work, show, between
            return
        self._busy[kind] = None
        self.room.jobs.start(kind, partial(_tried, work), partial(self._worked, kind, show, between))

    def figure_later(self, head: str, work: Callable[[], Any], show: Callable[[Any], Any] | None = None) -> None:
        """HTML, and below it a figure that a thread makes; as long as there is none it says so."""
        self._above = head
        self.slot.html(head if self.slot.drawn else head + waiting("Drawing…"))
        self.later(work, show or self.slot.plot)

    def _worked(self, kind: str, show: Any, between: bool, done: tuple[Any, Exception | None], version: int) -> None:
        after = self._busy.pop(kind, None)
        if not self._open:
            return
        if after is not None:
            self.later(after[0], after[1], kind.removeprefix(f"{self.name} "), after[2])
        if after is None or between:
            self._place(done, show)

    def _place(self, done: tuple[Any, Exception | None], show: Callable[[Any], None]) -> None:
        found, error = done
        with self.room.session.together():
            try:
                if error is not None:
                    raise error
                show(found)
                if self._above is not None:
                    self.slot.html(self._above)
            except Exception as problem:
                self._drawn = self._above = None
                self.slot.problem(str(problem) or type(problem).__name__)
                if not isinstance(problem, TOLD):
                    raise

    def found(self, model: Model, function: str, *arguments: Any, slow: bool = False) -> Future[Any]:
        """What a function of `kernels.search.aside` says of a model, for all pages: there, or found out by and by."""
        live, number = self._place_of(model)
        return aside(slow).task(live.study, number, function, *arguments)

    def ready(self, model: Model) -> Future[bool]:
        """Whether a model's pipeline is there, for all pages; it is read, or fitted, by and by."""
        live, number = self._place_of(model)
        whole = live.model(number) or model  # of models of other studies cards have copies
        return findings().ask(live.study, (number, "pipeline"), lambda: whole.pipeline is not None)

    def _place_of(self, model: Model) -> tuple[LiveStudy, int]:
        """Study of a compared model, and its number there."""
        key = key_of_compared(self.room, model)
        return study_of(self.room, key), int(key.rpartition("/")[2])

    def await_(self, future: Future[Any]) -> None:
        """Draw the card anew once this is there."""
        if not (future.done() or future in self._waiting):
            self._waiting.add(future)
            future.add_done_callback(lambda done: self.room.session.soon(partial(self._came, done)))

    def _came(self, future: Future[Any]) -> None:
        self._waiting.discard(future)
        if self._open and self._drawn is not None:
            with self.room.session.together():
                self.redraw()

    def close(self) -> None:
        self._open = False
        for kind in self._busy:
            self.room.jobs.cancel(kind)


class RowsCard(CompareCard):
    """Base of cards about some rows: hears, too, which rows are lit and kept."""

    def __init__(self, room: Workspace, slot: Any) -> None:
        super().__init__(room, slot)
        self._selected: Any = None
        room.rows.add_subscriber(self._heard)

    def _heard(self, **selected: Any) -> None:
        if self._open and (chosen := self.chosen()) is not self._selected:
            self._selected = chosen
            if self._drawn is not None and self.room.study is not None:  # else another data set is being opened
                self.draw(self._models)

    def chosen(self) -> Any:
        """The rows the card is about; while this is the same object it is not drawn anew."""
        return self.room.rows.kept

    def close(self) -> None:
        super().close()
        unsubscribe(self.room.rows, self._heard)


# -- which models


def compared(room: Workspace) -> dict[str, Model]:
    """The models that are compared, by their keys: those that predict the same as the chosen study's."""
    if room.study is None:
        return {}
    problem = room.study.problem
    found = {key: room.model(key) for key in room.compared}
    return {key: model for key, model in found.items() if model is not None and alike(model.problem, problem)}


def study_of(room: Workspace, key: str) -> LiveStudy:
    """The study of a model's key."""
    assert room.project is not None
    return room.project.studies[key.rpartition("/")[0]]


def key_of_compared(room: Workspace, model: Model) -> str:
    """Key of a compared model: one of another study than the chosen one has it for a number."""
    return model.number if isinstance(model.number, str) else f"{room.study_name}/{model.number}"


def called(model: Model) -> str:
    """A model with its number, as there may be several of a name."""
    return f"trivial: {model.name}" if model.number == -1 else f"{model.number}: {model.name}"


def name_cell(model: Model) -> str:
    """A model's name in a table, on one line."""
    return f'<td class="called" title="{text(called(model))}">{text(called(model))}</td>'


def split_of(models: list[Model]) -> str:
    """The rows on which the models can be compared."""
    return "holdout" if all(model.split == "holdout" for model in models) else "train"


def said_of_rows(models: list[Model]) -> str:
    """On which rows the models are compared, in words."""
    if models and models[0].problem.task in CLUSTERING:
        return "all rows"
    return "the rows held out" if split_of(models) == "holdout" else "the training rows, each predicted out of fold"


def waiting(words: str = "Working…") -> str:
    """A remark while a thread works."""
    return quiet(words)


def alike(one: Problem, other: Problem) -> bool:
    """Whether models of both can be compared: they predict the same."""
    return one.task == other.task and one.targets == other.targets and one.subtask == other.subtask


def _tried(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:
        return None, error
