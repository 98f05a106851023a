"""Predictions of new rows by the chosen models: made once per page, shown by several cards."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from learnviews.apps.snowcat.chosen_models import by_problem, picked
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.apps.snowcat.chosen_models import Picked
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Drift, Model

EVENT = "new rows"
FOLDER = "new-rows"
ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")
_all: WeakKeyDictionary[Workspace, NewTable] = WeakKeyDictionary()


@dataclass
class Answers:
    """What the chosen models of one problem say of a table.

    Parameters
    ----------
    question : str
        The problem, in words.
    models : list of NewRows
        Ranked.
    names : list of str
    marks : list of int or str
        Numbers under which the page's views know the models.
    lost : list of str
        Why others say nothing.
    """

    question: str
    models: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class NewTable:
    """The table of new rows that a page looks at.

    Attributes
    ----------
    path : Path or None
    answers : dict of Answers
        By problem in words; of the models that are chosen.
    question : str
        The problem that is looked at.
    busy : bool
        Whether a thread predicts.
    problem : str
        Why nothing is predicted.
    """

    def __init__(self, room: Workspace) -> None:
        self.room = room
        self.clear()

    @classmethod
    def of(cls, room: Workspace) -> NewTable:
        """The one of a page."""
        found = _all.setdefault(room, cls(room))
        if found._project is not room.project:
            found.clear()
        return found

    def clear(self) -> None:
        """Look at no table."""
        self.path: Path | None = None
        self.answers: dict[str, Answers] = {}
        self.question, self.busy, self.problem = "", False, ""
        self._project = self.room.project
        self._asked: Any = None

    @property
    def folder(self) -> Path:
        """Where tables that were sent are kept."""
        return self.room.project.folder / FOLDER

    @property
    def shown(self) -> Answers | None:
        """What is said of the problem that is looked at."""
        return self.answers.get(self.question)

    def tables(self) -> dict[str, str]:
        """Tables that can be predicted, by path: those sent, then the files that the server was started with."""
        found = {str(path): path.name for path in sorted(self.folder.glob("*")) if path.name.endswith(ENDINGS)}
        for source in self.room.shelf.sources.values():
            if source.path is not None and source.key != self.room.project.key:
                found[str(source.path)] = source.title
        twice = {name for name in found.values() if list(found.values()).count(name) > 1}
        return {
            path: f"{name} (sent)" if name in twice and Path(path).parent == self.folder else name
            for path, name in found.items()
        }

    def keep(self, file: Path) -> Path:
        """Keep a file that was sent, in the place of one of the same name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = file.replace(self.folder / file.name)
        shutil.rmtree(file.parent, ignore_errors=True)
        return kept

    def delete(self, path: Path) -> None:
        """Delete a table that was sent."""
        if path.parent == self.folder:
            path.unlink(missing_ok=True)
        self.clear()
        self.room.changed(EVENT)

    # -- predictions

    def look_at(self, path: Path) -> None:
        """Predict the rows of a table."""
        self.path, self._asked = path, None
        self.predict()

    def predict(self) -> None:
        """Predict, unless that was done for the same table and models; pages hear of its end."""
        found = [each for each in picked(self.room.project) if each.model is not None]
        asked = self.path, tuple(each.key for each in found)
        if self.path is None or not found or asked == self._asked:
            return
        self._asked, self.busy, self.problem = asked, True, ""
        marks = self.room.study_name
        self.room.jobs.start(EVENT, partial(_tried, partial(answers, found, self.path, marks)), self._came)
        self.room.changed(EVENT)

    def _came(self, told: tuple[Any, str], version: int) -> None:
        found, self.problem = told
        self.answers, self.busy = found or {}, False
        if self.question not in self.answers:
            self.question = next(
                (name for name, each in self.answers.items() if each.models), next(iter(self.answers), "")
            )
        self.room.changed(EVENT)

    def choose(self, question: str) -> None:
        """Look at another problem."""
        self.question = question
        self.room.changed(EVENT)


def answers(found: list[Picked], path: Path, study: str | None) -> dict[str, Answers]:
    """What chosen models say of a table, by problem.

    Raises
    ------
    ValueError, OSError
        If the table cannot be read, or no model can predict it; the message says why.
    """
    made = {}
    for question, group in by_problem(found).items():
        made[question] = each = Answers(question)
        predicted = _predicted([one.model for one in group], path, each.lost)
        for one, model in zip(group, predicted, strict=True):
            if model is not None:
                own = one.choice.study == study
                each.models.append(model)
                each.names.append(f"{one.model.number}: {one.model.name}" if own else f"{one.key}: {one.model.name}")
                each.marks.append(one.model.number if own else one.key)
    if not any(each.models for each in made.values()):
        raise ValueError("; ".join(dict.fromkeys(why for each in made.values() for why in each.lost)) or "no model")
    return made


def _predicted(models: list[Model], path: Path, lost: list[str]) -> list[Any]:
    """All at once where that can be done; else one by one, so that one that lacks a column does not stop the others."""
    with contextlib.suppress(ValueError, LookupError):
        return list(search.predict_new(models, path))
    found: list[Any] = []
    for model in models:
        try:
            found += search.predict_new([model], path)
        except (ValueError, LookupError) as error:
            found.append(None)
            lost.append(str(error))
    if not any(found) and lost:
        del lost[1:]  # they look at the same columns: to say it once is enough
    return found


def drifted(each: Answers) -> list[Drift]:
    """How the new rows differ from those of the training: what the models look at, and the target if known."""
    from learnviews.kernels.search.model import input_columns

    first = each.models[0]
    before, after, problem = first.source.data, first.data, first.problem
    known = [name for name in problem.targets if name in after.frame and after.frame[name].notna().any()]
    wanted = dict.fromkeys([*(name for model in each.models for name in input_columns(model.problem)), *known])
    columns = [name for name in wanted if name in before.columns and name in after.columns and name != problem.time]
    return search.drift(before.take(first.training_rows), after, columns)


def _tried(work: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return work(), ""
    except Exception as error:  # whatever it is, it is said in the card
        return None, str(error) or type(error).__name__
