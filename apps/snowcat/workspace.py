"""What one page is about: its data set, problem, models and what is selected; changes are told to who asked for it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.jobs import Jobs
from learnviews.apps.snowcat.transfers import Transfers
from learnviews.grammar.streams import RowSelection

if TYPE_CHECKING:
    from learnviews.apps.snowcat.problem_draft import Draft
    from learnviews.apps.snowcat.project import Project
    from learnviews.apps.snowcat.shelf import Shelf
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.grammar.serve import Session
    from learnviews.kernels.search import Dataset, Model, Problem

EVENTS = ("data", "problems", "problem", "studies", "study", "models", "compared", "chosen", "step")
PAUSE = 250  # milliseconds between two tellings of the same event: a study may bring many models a second
COMPARED = 4  # best models that are compared unless the user says otherwise


class PageSelection(RowSelection):
    """A selection of whose changes all views of a page are told in one message."""

    @classmethod
    def of(cls, session: Session) -> PageSelection:
        """Of the views in a session's page."""
        made = cls()
        made.session = session
        return made

    def event(self, **kwargs: Any) -> None:
        """Stream's own; what it changes in the page is sent at once."""
        with self.session.together():
            super().event(**kwargs)


class Workspace:
    """State of one page.

    Events, told to who watches:

    * ``data``: another data set, or its types, columns or joins changed.
    * ``problems``: the list of problems changed. ``problem``: another one was chosen or it was edited.
    * ``studies``: a study was added, ended, paused, failed... ``study``: another one was chosen.
    * ``models``: a study has new models. ``compared``: other models are compared.
    * ``chosen``: the set of models to be exported changed. ``step``: another step.

    Attributes
    ----------
    shelf : Shelf
        The data sets of this server.
    project : Project or None
        What is known of the data set across pages and restarts: shared by all pages that show it.
    problem_id, study_name : str or None
        What is chosen in this page.
    rows, marked : RowSelection
        Rows of the data, and numbers of models, that are lit and kept. A model of another study than the chosen one
        has its key (`key_of`) for a number.
    compared : list of str
        Keys of the models that are compared; `comparing` gives the models.
    """

    def __init__(self, session: Session, shelf: Shelf, tell: Callable[[str], None]) -> None:
        self.session, self.shelf, self.tell = session, shelf, tell
        self.jobs, self.transfers = Jobs(session, tell), Transfers(session)
        self.rows, self.marked = PageSelection.of(session), PageSelection.of(session)
        self.project: Project | None = None
        self.step = "data"
        self.problem_id: str | None = None
        self.study_name: str | None = None
        self.draft: Draft | None = None  # the problem that is being phrased; see `problem_draft`
        self._compared: list[str] | None = None
        self._watching: list[Callable[[set[str]], None]] = []
        self._waiting: set[str] = set()
        self._rest: Any = None
        session.doc.on_session_destroyed(self._over)

    # -- events

    def watch(self, heard: Callable[[set[str]], None]) -> None:
        """Have `heard` called, on the session's thread, with the names of what changed."""
        self._watching.append(heard)

    def unwatch(self, heard: Callable[[set[str]], None]) -> None:
        """Do not call it any more."""
        self._watching = [each for each in self._watching if each != heard]

    def changed(self, *events: str) -> None:
        """Tell of changes at once; only on the session's own thread."""
        with self.session.together():
            for heard in list(self._watching):
                heard(set(events))

    def _heard(self, event: str) -> None:
        """From any thread: something changed in the project."""
        self.session.soon(partial(self._gather, event))

    def _gather(self, event: str) -> None:
        """What other threads tell comes in bursts: pages hear of it a few times a second."""
        self._waiting.add(event)
        if self._rest is None:
            self._rest = self.session.doc.add_timeout_callback(self._flush, PAUSE)

    def _flush(self) -> None:
        self._rest = None
        events, self._waiting = self._waiting, set()
        if "note" in events and self.project is not None:
            self.tell(self.project.note)
        self.changed(*events)

    # -- what the page is about

    @property
    def data(self) -> Dataset | None:
        """The data set as it is used: with the user's types, columns and joins."""
        return None if self.project is None else self.project.data

    @property
    def problem(self) -> Problem | None:
        """The chosen problem."""
        entry = None if self.project is None else self.project.problem(self.problem_id)
        return None if entry is None else entry.problem

    @property
    def study(self) -> LiveStudy | None:
        """The chosen study."""
        return None if self.project is None or self.study_name is None else self.project.studies.get(self.study_name)

    def open(self, project: Project | None) -> None:
        """Show another data set."""
        if self.project is not None:
            self.project.unwatch(self._heard)
        self.project = project
        self.problem_id = self.study_name = self._compared = self.draft = None
        self.rows.clear()
        self.marked.clear()
        if project is not None:
            project.watch(self._heard)
            self.study_name = next(reversed(project.studies), None)
            if self.study_name is not None:
                self.problem_id = project.studies[self.study_name].problem_id
            if project.note:
                self.tell(project.note)
        self.changed(*EVENTS[:-1])

    def choose_problem(self, id_: str | None) -> None:
        """Work on another problem."""
        if id_ != self.problem_id:
            self.problem_id = id_
            self.changed("problem")

    def choose_study(self, name: str | None) -> None:
        """Look at another study, and so at its problem."""
        if name != self.study_name:
            self.study_name, self._compared = name, None
            if self.study is not None:
                self.problem_id = self.study.problem_id
            self.marked.clear()
            self.changed("study", "problem", "models", "compared")

    def go(self, step: str) -> None:
        """Go to a step of the workflow."""
        if step != self.step:
            self.step = step
            if self.project is not None:  # another process may have written to it
                self.jobs.start("refresh", self.project.refresh, lambda found, version: None)
            self.changed("step")

    # -- models

    @property
    def models(self) -> list[Model]:
        """The models of the chosen study, the best first."""
        return [] if self.study is None else self.study.models

    @property
    def compared(self) -> list[str]:
        """Keys of the models that are compared: the user's, or else the best few and the trivial one."""
        if self._compared is not None:
            return self._compared
        if self.study is None:
            return []
        return [key_of(self.study.name, model) for model in self.study.models[:COMPARED]]

    def compare(self, keys: list[str]) -> None:
        """Compare these models."""
        self._compared = list(keys)
        self.changed("compared")

    @property
    def comparing(self) -> list[Model]:
        """The models that are compared, in their order, of one or several studies of the same data."""
        return [model for key in self.compared if (model := self.model(key)) is not None]

    def model(self, key: str) -> Model | None:
        """A model by its key; one of another study than the chosen one has the key for a number, and says whose it
        is."""
        name, _, number = key.rpartition("/")
        study = None if self.project is None else self.project.studies.get(name)
        model = None if study is None else study.model(int(number))
        return model if model is None or name == self.study_name else _of_another(model, key, study)

    def _over(self, context: Any) -> None:
        if self.project is not None:
            self.project.unwatch(self._heard)


def _of_another(model: Model, key: str, study: Any) -> Model:
    """The model under a number that no model of the chosen study has."""
    same = copy(model)
    same.number, same.name = key, f"{model.name} ({study.title})"
    return same


def key_of(study: str, model: Model) -> str:
    """What a model is called across studies: "<study>/<number>"."""
    return f"{study}/{model.number}"
