"""The studies of a project: begun here, made elsewhere, and found again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.project_parts import Choice, Entry
from learnviews.apps.snowcat.studies import LiveStudy

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Problem


class ProjectStudies:
    """What a `Project` knows of its studies.

    Attributes
    ----------
    studies : dict of LiveStudy
        By name, in the order they were begun.
    """

    folder: Path
    title: str
    data: Dataset
    entries: list[Entry]
    chosen: list[Choice]
    problem: Callable[[str | None], Entry | None]
    alike: Callable[[Problem], Entry | None]
    tell: Callable[..., None]
    _write: Callable[[], None]
    _lock: threading.RLock
    _watching: list[Callable[[str], None]]

    def __init__(self) -> None:
        self.studies: dict[str, LiveStudy] = {}
        self._kept_studies: dict[str, dict[str, Any]] = {}  # what is stored of studies, also of those not there now
        self._making: set[Path] = set()  # folders of studies that are not complete yet

    def begin_study(self, entry: Entry, **options: Any) -> LiveStudy:
        """Start a study of a problem; `options` go to `search.Study`."""
        folder = self._new_folder()
        try:
            study = LiveStudy.begin(folder, self.data, entry.problem, entry.id, **options)
            with self._lock:
                self._add(study)
                self._write()
        except BaseException:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise
        finally:
            self._making.discard(folder)
        self.tell("studies", "models")
        study.go_on()
        return study

    def _new_folder(self) -> Path:
        """An empty one, under the next free number: no other process takes it."""
        self._studies_folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            for number in count(1):
                folder = self._studies_folder / str(number)
                if folder.name not in self.studies and not folder.exists():
                    with contextlib.suppress(FileExistsError):
                        folder.mkdir()
                        self._making.add(folder)
                        return folder
        raise AssertionError("numbers do not end")

    def add_study(self, path: Path) -> LiveStudy:
        """A study that was made elsewhere, such as by the command line.

        Raises
        ------
        OSError, ValueError
            If there is none, or it is of other data than these.
        """
        path = Path(path).resolve()
        for known in self.studies.values():
            if known.path.resolve() == path:
                return known
        study = LiveStudy.open(path)
        try:
            self._check_data(study)
        except ValueError:
            study.close()
            raise
        with self._lock:
            self._add(study)
            self._write()
        self.tell("studies", "models", "problems")
        return study

    def _check_data(self, study: LiveStudy) -> None:
        there = study.study.data
        missing = [name for name in study.problem.targets if name not in self.data.columns]
        if missing:
            raise ValueError(f"{study.path}: a study of other data: {self.title} has no column {missing[0]!r}")
        known = there.frame.index.isin(self.data.frame.index)
        if not known.all():
            row = there.frame.index[~known][0]
            raise ValueError(f"{study.path}: a study of other data: {self.title} has no row {row}")

    def _add(self, study: LiveStudy) -> None:
        """Under a name of its own, and with a problem of the list."""
        number, name = 2, study.name
        while study.name in self.studies:
            study.name, number = f"{name}~{number}", number + 1
        if self.problem(study.problem_id) is None:
            stored = self._kept_studies.get(study.name, {}).get("problem")
            like = self.problem(stored) or self.alike(study.problem)
            if like is None:
                like = Entry(f"study-{study.name}", study.problem, "study", "yes")
                self.entries = [like, *(each for each in self.entries if each.id != like.id)]
            study.problem_id = like.id
        self.studies[study.name] = study
        self._kept_studies[study.name] = self._stored_study(study)
        study.watch(self.tell, lambda: bool(self._watching))

    def _stored_study(self, study: LiveStudy) -> dict[str, Any]:
        path = None if study.path.parent == self._studies_folder else str(study.path)
        return {"problem": study.problem_id, "path": path}

    def forget_study(self, name: str) -> None:
        """Take a study off the list, stopping it; its folder stays."""
        with self._lock:
            study = self.studies.pop(name, None)
            kept = self._kept_studies.get(name)
            if kept is not None and kept["path"] is None:
                kept["forgotten"] = True  # or its folder would bring it back
            else:
                self._kept_studies.pop(name, None)
            self.chosen = [choice for choice in self.chosen if choice.study != name]
            self._write()
        if study is not None:
            study.close()
        self.tell("studies", "models", "chosen")

    @property
    def _studies_folder(self) -> Path:
        return self.folder / "studies"

    def _open_studies(self) -> bool:
        """Add those that are not in the list yet: of this folder, and of others where they were before."""
        with self._lock:
            known = dict(self._kept_studies)
            there = {*(study.path for study in self.studies.values()), *self._making}
        own = sorted((each for each in self._studies_folder.glob("*") if each.is_dir()), key=_age)
        named = [(path.name, path) for path in own if not known.get(path.name, {}).get("forgotten")]
        named += [(name, Path(kept["path"])) for name, kept in known.items() if kept["path"]]
        new = []
        for name, path in named:
            if path not in there and any(path.glob("*")):
                with contextlib.suppress(OSError, ValueError):  # one that was never complete, or is not there now
                    new.append(LiveStudy.open(path, name))
        with self._lock:
            for study in new:
                if study.path not in {*(each.path for each in self.studies.values()), *self._making}:
                    self._add(study)
        return bool(new)


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_ctime
    return 0.0
