"""A project: one data set with its problems, studies and chosen models, shared by all pages and kept on disk."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.studies import LiveStudy
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Problem, Profile

FILE = "project.json"
MARKS = ("not sure", "yes", "no")
"""Whether a problem is meaningful, as the user says."""


@dataclass(frozen=True)
class Entry:
    """A problem of the list.

    Parameters
    ----------
    id : str
        Within the project.
    problem : Problem
    origin : str
        "found", "own" or "document".
    mark : str
        One of `MARKS`.
    """

    id: str
    problem: Problem
    origin: str = "found"
    mark: str = "not sure"


@dataclass
class Choice:
    """A model that is to be exported.

    Parameters
    ----------
    study : str
        Name of its study in the project.
    number : int
    note : str
    """

    study: str
    number: int
    note: str = ""


@dataclass
class Changes:
    """What the user changed of the data set as it was read.

    Parameters
    ----------
    types : dict
        Column to type.
    excluded : list of str
        Columns left out of everything.
    joins : list of dict
        "path", "on" (list of pairs of columns) and "columns" (list, or None for all) of each table that was joined.
    """

    types: dict[str, str] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    joins: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, raw: Dataset) -> Dataset:
        """The data set as it is used; ValueError where a change does not fit."""
        data = raw
        for join in self.joins:
            data = data.join(
                search.load(join["path"]), on=[tuple(pair) for pair in join["on"]], columns=join["columns"]
            )
        if self.types:
            data = data.with_types(self.types)
        if self.excluded:
            data = data.select([name for name in data.columns if name not in self.excluded])
        return data


class Project:
    """One data set and all that was made of it.

    Parameters
    ----------
    folder : Path
        Where it is kept: `project.json` and a folder `studies`.
    title : str
    raw : Dataset
        As it was read.

    Attributes
    ----------
    key : str
        What addresses call it.
    data : Dataset
        With the user's changes.
    entries : list of Entry
        Problems, those found by `search.discover` the most promising first.
    chosen : list of Choice
        Models to export, ranked.
    studies : dict of LiveStudy
        By name, in the order they were begun.
    """

    def __init__(self, folder: Path, title: str, raw: Dataset) -> None:
        self.folder, self.title, self.raw, self.key = folder, title, raw, folder.name
        self.changes = Changes()
        self.data = raw
        self.entries: list[Entry] = []
        self.left_out: dict[str, str] = {}
        self.looked = False  # for problems
        self.chosen: list[Choice] = []
        self.studies: dict[str, LiveStudy] = {}
        self.problem_reading = ""  # what of a stored project could not be used
        self._watching: list[Callable[[str], None]] = []
        self._lock = threading.RLock()
        self._read()

    def __repr__(self) -> str:
        return f"<Project {self.title}: {len(self.entries)} problems, {len(self.studies)} studies>"

    # -- who listens

    def watch(self, heard: Callable[[str], None]) -> None:
        """Have `heard` called, from whatever thread, with the name of an event; see `Workspace`."""
        with self._lock:
            self._watching.append(heard)

    def unwatch(self, heard: Callable[[str], None]) -> None:
        """Do not call it any more."""
        with self._lock:
            self._watching = [each for each in self._watching if each != heard]

    def tell(self, *events: str) -> None:
        """Tell all pages of changes; from any thread."""
        with self._lock:
            watching = list(self._watching)
        for heard in watching:
            for event in events:
                with contextlib.suppress(RuntimeError):  # its page has just been closed
                    heard(event)

    # -- data

    @cached_property
    def profile(self) -> Profile:
        """The data's columns in bins; takes seconds with a million rows."""
        return search.Profile(self.data)

    def change(self, changes: Changes) -> None:
        """Use the data set otherwise; nothing is changed where that cannot be done.

        Raises
        ------
        ValueError
            That names the column or table and what was expected.
        """
        data = changes.apply(self.raw)
        with self._lock:
            self.changes, self.data = changes, data
            self.__dict__.pop("profile", None)
            kept = [entry for entry in self.entries if _fits(entry.problem, data)]
            self.entries = [entry for entry in kept if entry.origin != "found"]
            self.looked = False
            self._write()
        self.tell("data", "problems")

    # -- problems

    def find_problems(self, progress: Any = None) -> None:
        """Look for problems: seconds; to be done in a thread."""
        found = search.discover(self.data, progress=progress)
        with self._lock:
            own = [entry for entry in self.entries if entry.origin != "found"]
            marks = {entry.problem.to_json(): entry.mark for entry in self.entries}
            new = [
                Entry(f"found {at}", each, "found", marks.get(each.to_json(), MARKS[0]))
                for at, each in enumerate(found)
            ]
            self.entries, self.left_out, self.looked = [*own, *new], dict(found.left_out), True
            self._write()
        self.tell("problems")

    def problem(self, id_: str | None) -> Entry | None:
        """A problem of the list by its id."""
        return next((entry for entry in self.entries if entry.id == id_), None)

    def add_problem(self, problem: Problem, origin: str = "own") -> Entry:
        """Put a problem on top of the list; ValueError where it cannot be learned from the data."""
        problem = problem.check(self.data)
        with self._lock:
            taken = {entry.id for entry in self.entries}
            number = next(at for at in range(1, len(taken) + 2) if f"{origin} {at}" not in taken)
            entry = Entry(f"{origin} {number}", problem, origin, "yes")
            self.entries = [entry, *self.entries]
            self._write()
        self.tell("problems")
        return entry

    def edit_problem(self, id_: str, problem: Problem | None = None, mark: str | None = None) -> None:
        """Change a problem, or whether it is meaningful."""
        problem = None if problem is None else problem.check(self.data)
        with self._lock:
            self.entries = [
                replace(entry, problem=problem or entry.problem, mark=mark or entry.mark) if entry.id == id_ else entry
                for entry in self.entries
            ]
            self._write()
        self.tell("problems", *(["problem"] if problem else []))

    def drop_problem(self, id_: str) -> None:
        """Take a problem off the list."""
        with self._lock:
            self.entries = [entry for entry in self.entries if entry.id != id_]
            self._write()
        self.tell("problems")

    # -- studies

    def begin_study(self, entry: Entry, **options: Any) -> LiveStudy:
        """Start a study of a problem; `options` go to `search.Study`."""
        with self._lock:
            taken = {*self.studies, *(path.name for path in self._studies_folder.glob("*"))}
            number = next(at for at in range(1, len(taken) + 2) if str(at) not in taken)
            study = LiveStudy.begin(self._studies_folder / str(number), self.data, entry.problem, entry.id, **options)
            self._add(study)
            self._write()
        self.tell("studies", "models")
        study.go_on()
        return study

    def add_study(self, path: Path) -> LiveStudy:
        """A study that was made elsewhere, such as by the command line."""
        study = LiveStudy.open(path)
        with self._lock:
            self._add(study)
        self.tell("studies", "models")
        return study

    def _add(self, study: LiveStudy) -> None:
        self.studies[study.name] = study
        study.watch(self.tell)

    def forget_study(self, name: str) -> None:
        """Take a study off the list, stopping it; its folder stays."""
        with self._lock:
            study = self.studies.pop(name, None)
            self.chosen = [choice for choice in self.chosen if choice.study != name]
            self._write()
        if study is not None:
            study.close()
        self.tell("studies", "models", "chosen")

    @property
    def _studies_folder(self) -> Path:
        return self.folder / "studies"

    # -- chosen models

    def choose(self, chosen: Iterable[Choice]) -> None:
        """The models to export, in their order."""
        with self._lock:
            self.chosen = list(chosen)
            self._write()
        self.tell("chosen")

    # -- on disk

    def _write(self) -> None:
        """All of it, whole or not at all."""
        stored = {
            "title": self.title,
            "changes": asdict(self.changes),
            "problems": [
                {**asdict(each), "problem": each.problem.to_json(), "reason": [each.problem.score, each.problem.reason]}
                for each in self.entries
            ],
            "left_out": self.left_out,
            "looked": self.looked,
            "chosen": [asdict(each) for each in self.chosen],
            "elsewhere": [str(each.path) for each in self.studies.values() if each.path.parent != self._studies_folder],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{FILE}.part"
        part.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        os.replace(part, self.folder / FILE)

    def _read(self) -> None:
        """What was stored; what of it does not fit any more is left out, and said."""
        file = self.folder / FILE
        if file.exists():
            try:
                self._take(json.loads(file.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, OSError) as error:
                self.problem_reading = f"{file}: {error}; the project starts anew"
        for path in sorted(self._studies_folder.glob("*"), key=lambda each: each.stat().st_mtime):
            with contextlib.suppress(OSError, ValueError):  # a study that was never complete
                self._add(LiveStudy.open(path))

    def _take(self, stored: dict[str, Any]) -> None:
        self.changes = Changes(**stored["changes"])
        self.data = self.changes.apply(self.raw)
        self.entries = [_entry(each) for each in stored["problems"]]
        self.left_out, self.looked = stored["left_out"], stored["looked"]
        self.chosen = [Choice(**each) for each in stored["chosen"]]
        for path in stored["elsewhere"]:
            with contextlib.suppress(OSError, ValueError):
                self._add(LiveStudy.open(Path(path)))


def _entry(stored: dict[str, Any]) -> Entry:
    problem = search.Problem.from_json(stored["problem"])
    return Entry(stored["id"], problem, stored["origin"], stored["mark"])


def _fits(problem: Problem, data: Dataset) -> bool:
    try:
        problem.check(data)
    except ValueError:
        return False
    return True
