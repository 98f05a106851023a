"""A project: one data set with its problems, studies and chosen models, shared by all pages and kept on disk."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.project_file import ProjectFile
from learnviews.apps.snowcat.project_parts import MARKS, Changes, Choice, Entry, found_id, identity
from learnviews.apps.snowcat.project_studies import ProjectStudies
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Problem, Profile

__all__ = ["MARKS", "Changes", "Choice", "Entry", "Project"]


class Project(ProjectStudies):
    """One data set and all that was made of it.

    What is done is written at once, and merged with what another process wrote. Where nothing can be written, the
    project lives as long as the server, and `note` says so.

    Parameters
    ----------
    folder : Path
        Where it is kept: `project.json` and a folder `studies`. Where there is a project of other data under this
        name, the folder beside it that ends in "~2" (~3, ...) is taken.
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
    left_out : dict
        Column to the reason why it is no target.
    looked : bool
        Whether problems were looked for in the data as it is.
    looking : search.Progress or None
        Of the search for problems that goes on.
    chosen : list of Choice
        Models to export, ranked.
    studies : dict of LiveStudy
        By name, in the order they were begun.
    note : str
        What users should know of how it is kept; the event "note" says that there is another one.
    """

    def __init__(self, folder: Path, title: str, raw: Dataset) -> None:
        super().__init__()
        self.title, self.raw, self.key = title, raw, folder.name
        self.changes = Changes()
        self.data = raw
        self.entries: list[Entry] = []
        self.left_out: dict[str, str] = {}
        self.looked, self.looking, self.not_found = False, None, ""
        self.chosen: list[Choice] = []
        self.note = ""
        self._dropped: set[str] = set()  # problems that were found and deleted
        self._watching: list[Callable[[str], None]] = []
        self._lock = threading.RLock()
        self._identity = identity(raw)
        self._read(folder)

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

    def _say(self, note: str) -> None:
        if note and note != self.note:
            self.note = note
            self.tell("note")

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
            self._use(changes, data)
            self.entries = [fitting for entry in self.entries if (fitting := _fitted(entry, data)) is not None]
            self.looked, self.not_found = False, ""
            self._write()
        self.tell("data", "problems")

    def _use(self, changes: Changes, data: Dataset) -> None:
        self.changes, self.data = changes, data
        self.__dict__.pop("profile", None)
        if self.looking is not None:
            self.looking.cancel()

    # -- problems

    def look_for_problems(self, again: bool = False) -> None:
        """Have a thread look for problems, unless one does; every page hears "problems" as it goes on.

        Parameters
        ----------
        again : bool
            Look even where that was done, and bring back what was deleted.
        """
        with self._lock:
            if self.looking is not None or (not again and (self.looked or self.not_found)):
                return
            self.looking, self.not_found = search.Progress(lambda _: self.tell("problems")), ""
            if again:
                self._dropped.clear()
            work = partial(self._look, self.looking)
        threading.Thread(target=work, daemon=True, name=f"problems of {self.key}").start()
        self.tell("problems")

    def _look(self, progress: search.Progress) -> None:
        try:
            self.find_problems(progress)
        except Exception as error:  # whatever it is, the pages are to hear of it
            self.not_found = str(error) or type(error).__name__
        finally:
            with self._lock:
                self.looking = None
            self.tell("problems")

    def find_problems(self, progress: search.Progress | None = None) -> None:
        """Look for problems: seconds; to be done in a thread. Their ids are those of the last time."""
        data = self.data
        found = search.discover(data, progress=progress)
        with self._lock:
            if data is not self.data:
                return  # it was changed meanwhile: what was found says nothing
            known = {entry.id: entry for entry in self.entries}
            own = [entry for entry in self.entries if entry.origin != "found"]
            new = [Entry(found_id(each), each) for each in found]
            new = [replace(each, mark=known[each.id].mark) if each.id in known else each for each in new]
            self.entries = [*own, *(each for each in new if each.id not in self._dropped)]
            self.left_out, self.looked = dict(found.left_out), True
            self._write()
        self.tell("problems")

    def problem(self, id_: str | None) -> Entry | None:
        """A problem of the list by its id."""
        return next((entry for entry in self.entries if entry.id == id_), None)

    def alike(self, problem: Problem) -> Entry | None:
        """The problem of the list that says the same."""
        return next((entry for entry in self.entries if entry.problem == problem), None)

    def add_problem(self, problem: Problem, origin: str = "own") -> Entry:
        """Put a problem on top of the list; ValueError where it cannot be learned from the data."""
        problem = problem.check(self.data)
        with self._lock:
            entry = Entry(f"{origin}-{uuid.uuid4().hex[:8]}", problem, origin, "yes")
            self.entries = [entry, *self.entries]
            self._write()
        self.tell("problems")
        return entry

    def edit_problem(self, id_: str, problem: Problem | None = None, mark: str | None = None) -> None:
        """Change a problem, or whether it is meaningful.

        Raises
        ------
        ValueError
            If it cannot be learned from the data, or there is no such mark.
        """
        if mark is not None and mark not in MARKS:
            raise ValueError(f"{mark!r} says not whether a problem is meaningful; expected {', '.join(MARKS)}")
        problem = None if problem is None else problem.check(self.data)
        with self._lock:
            self.entries = [
                replace(entry, problem=problem or entry.problem, mark=mark or entry.mark) if entry.id == id_ else entry
                for entry in self.entries
            ]
            self._write()
        self.tell("problems", *(["problem"] if problem else []))

    def drop_problem(self, id_: str) -> tuple[int, Entry] | None:
        """Take a problem off the list.

        Returns
        -------
        Its place and the problem, for `restore_problem`; None where there was none.
        """
        with self._lock:
            place = next((at for at, entry in enumerate(self.entries) if entry.id == id_), None)
            if place is None:
                return None
            entry = self.entries[place]
            self.entries = [each for each in self.entries if each.id != id_]
            self._dropped |= {id_} if entry.origin == "found" else set()
            self._write()
        self.tell("problems", "problem")
        return place, entry

    def restore_problem(self, place: int, entry: Entry) -> None:
        """Put a problem back that was taken off the list."""
        with self._lock:
            if self.problem(entry.id) is None:
                self.entries = [*self.entries[:place], entry, *self.entries[place:]]
            self._dropped.discard(entry.id)
            self._write()
        self.tell("problems", "problem")

    # -- chosen models

    def choose(self, chosen: Iterable[Choice]) -> None:
        """The models to export, in their order."""
        with self._lock:
            self.chosen = list(chosen)
            self._write()
        self.tell("chosen")

    # -- on disk

    def refresh(self) -> None:
        """See what other processes did: to the project's file, and which studies they made. Milliseconds where nothing
        changed; else a study or two are opened."""
        with self._lock:
            if self._file.gone():
                self._say(f"{self.folder} was deleted: what is in this page is stored again with the next change")
            elif self._file.changed():
                self._write()
        if self._open_studies():
            self.tell("studies", "models", "problems")

    def _stored(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "data": self._identity,
            "changes": self.changes.stored(),
            "problems": [each.stored() for each in self.entries],
            "dropped": sorted(self._dropped),
            "left_out": self.left_out,
            "looked": self.looked,
            "chosen": [each.stored() for each in self.chosen],
            "studies": self._kept_studies,
        }

    def _write(self) -> None:
        """Store it; what another process stored meanwhile becomes part of it."""
        try:
            told = self._stored()
            stored = self._file.write(told)
        except OSError as error:
            why = error.strerror or error
            return self._say(f"{self.folder} cannot be written to ({why}): what you do is lost when the server stops")
        if stored["problems"] != told["problems"] or any(stored[part] != told[part] for part in told):
            self._take(stored)
            self._say("another server works on the same project: its changes are in this page now, too")
            self.tell("problems", "problem", "chosen")
        self._say(self._file.damaged)

    def _read(self, folder: Path) -> None:
        """What was stored; what of it does not fit any more is left out, and said."""
        number, self.folder = 1, folder
        while True:
            self._file = ProjectFile(self.folder)
            stored = self._file.read()
            if stored is None or stored.get("data") == self._identity:
                break
            number += 1
            self.folder = folder.with_name(f"{folder.name}~{number}")
        if stored is not None:
            try:
                self._take(stored)
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                self._file.put_aside(str(error) or type(error).__name__)
        elif number > 1:
            self._say(
                f"the data are not those of the project in {folder}: that one is left alone, and another one begun"
            )
        self._say(self._file.damaged)
        self._open_studies()

    def _take(self, stored: dict[str, Any]) -> None:
        """Become what is stored, or stay as it is where that cannot be."""
        changes, data = self._changed(Changes(**stored["changes"]))
        other = data is not self.data
        entries = [Entry.of(each) for each in stored["problems"]]
        chosen = [Choice(**each) for each in stored["chosen"]]
        if other:
            self._use(changes, data)
            self.tell("data")
        self.entries, self.chosen, self._dropped = entries, chosen, set(stored["dropped"])
        self.left_out, self.looked = dict(stored["left_out"]), bool(stored["looked"])
        self._kept_studies = {name: dict(each) for name, each in stored["studies"].items()}

    def _changed(self, changes: Changes) -> tuple[Changes, Dataset]:
        """The data set with stored changes; without them where they cannot be made, as when a joined table is gone."""
        try:
            return changes, self.data if changes == self.changes else changes.apply(self.raw)
        except (OSError, ValueError) as error:
            self._say(f"{self.title} is shown as it was read; what was changed of it cannot be done again: {error}")
            return Changes(), self.raw


def _fitted(entry: Entry, data: Dataset) -> Entry | None:
    """The problem as changed data have it: without columns that are gone; None where it cannot be learned any more."""
    problem = entry.problem
    left = {name: _left(getattr(problem, name), data) for name in ("features", "known")}
    try:
        return replace(entry, problem=replace(problem, **left).check(data))
    except ValueError:
        return None


def _left(names: tuple[str, ...] | None, data: Dataset) -> tuple[str, ...] | None:
    return None if names is None else tuple(name for name in names if name in data.columns)
