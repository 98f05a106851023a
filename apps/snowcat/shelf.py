"""Data sets that this server offers, and the projects made of them: one per data set, shared by all pages."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.archives import unzip
from learnviews.apps.home import home
from learnviews.apps.snowcat.project import Project
from learnviews.apps.snowcat.project_file import FILE
from learnviews.apps.snowcat.sources import Source, Summary, bundled, of_path, served
from learnviews.apps.snowcat.studies import is_study, warm_up
from learnviews.apps.uploads import PART
from learnviews.kernels.progress import Progress

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace

UPLOADS = "uploads"
OPENED = "opened"  # a file that tells by its time when a project was opened last
UNPACKED = 10  # times the limit of an upload: what may come out of an archive
LARGE = 30_000_000  # bytes of a table that is not read only to say what is in it
STALE = 86_400.0  # seconds after which a file on its way is taken for lost
PLACE = ".place"  # a file that tells where, in what came out of an archive, the data are


class Shelf:
    """Data sets and projects of this server process.

    Parameters
    ----------
    paths : sequence of str
        D3M folders, tables and folders of files from the command line; recordings and cubes are passed over.

    Attributes
    ----------
    folder : Path
        Where projects are kept, and in `uploads` the data sets that were sent.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.folder = home() / "snowcat"
        self.uploads = self.folder / UPLOADS
        self._fixed = [*served(paths), *bundled()]
        self._projects: dict[str, Project] = {}
        self._summaries: dict[str, Summary] = {}
        self._opening: weakref.WeakKeyDictionary[Workspace, str] = weakref.WeakKeyDictionary()
        self._rooms: weakref.WeakSet[Workspace] = weakref.WeakSet()
        self._watching: list[Callable[[], None]] = []
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None

    @property
    def sources(self) -> dict[str, Source]:
        """The data sets by key: those sent, those of the command line, those that come with the package."""
        return {source.key: source for source in (*self._uploaded(), *self._fixed)}

    def _uploaded(self) -> list[Source]:
        """What is in the folder of uploads, the latest first: other processes may have put it there."""
        found = []
        for folder in self.uploads.glob("*"):
            with contextlib.suppress(OSError):
                inside = [] if folder.name.startswith(".") else [p for p in folder.iterdir() if p.name != PLACE]
                if len(inside) == 1:
                    title = inside[0].name if inside[0].is_file() else folder.name
                    source = of_path(_place(folder, inside[0]), "uploaded")
                    found.append((folder.stat().st_mtime, replace(source, title=title)))
        return [source for _, source in sorted(found, key=lambda each: -each[0])]

    # -- pages

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed`, from any thread, whenever something is to be said otherwise of the data sets."""
        self._watching.append(changed)

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Call it no longer."""
        self._watching = [each for each in self._watching if each != changed]

    def tell(self) -> None:
        """Something is to be said otherwise."""
        for changed in self._watching:
            with contextlib.suppress(RuntimeError):  # its page has just been closed
                changed()

    # -- projects

    def project(self, key: str) -> Project:
        """The project of a data set, reading both where they were not read yet; raises as `search.load`."""
        source = self.source(key)
        with self._lock:
            lock = self._locks[key]
        with lock:  # two pages may want it at once; other data sets need not wait
            if key not in self._projects:
                data = source.load()
                self._projects[key] = project = Project(self.folder / key, source.title, data)
                if source.path is not None and is_study(source.path):
                    project.add_study(source.path)
                self._say(source, Summary.of(data, source))
            return self._projects[key]

    def source(self, key: str) -> Source:
        """A data set by its key; LookupError where there is none."""
        found = self.sources.get(key)
        if found is None:
            raise LookupError(
                f"{key}: no data set of this server (any more); choose one of the list, upload it again, or start the "
                "server with its path"
            )
        return found

    def open(
        self,
        key: str,
        room: Workspace,
        then: Callable[[], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Show a data set in a page, once a thread has read it.

        Parameters
        ----------
        then : callable, optional
            Called once it is shown.
        failed : callable, optional
            Gets what went wrong; by default the page is told.
        """
        self._opening[room] = key

        def work() -> Project | Exception:
            try:
                warm_up()  # while data are read and looked at, a process imports what training needs
                return self.project(key)
            except Exception as error:  # told where it was asked for, whatever it is
                return error

        def show(found: Project | Exception, version: int) -> None:
            self._opening.pop(room, None)
            if isinstance(found, Exception):
                self.tell()
                (failed or room.tell)(str(found) or type(found).__name__)
                return
            self._rooms.add(room)
            room.open(found)
            _touch(found.folder / OPENED)
            self.tell()
            if then is not None:
                then()

        room.jobs.start("open", work, show)
        self.tell()

    def opening(self, room: Workspace) -> str | None:
        """The data set that a page waits for."""
        return self._opening.get(room)

    # -- what is known of them

    def summary(self, source: Source) -> Summary | None:
        """What is in a data set; None where nobody has looked yet."""
        known = self._summaries.get(source.key) or Summary.read(self.folder / source.key, source) or source.summary
        if known is not None:
            self._summaries[source.key] = known
        return known

    def done(self, key: str) -> dict[str, Any]:
        """What was made of a data set: "studies", "problems", "chosen" (numbers) and "used" (seconds since then)."""
        folder, project = self.folder / key, self._projects.get(key)
        if project is not None:
            own = sum(entry.origin != "found" for entry in project.entries)
            found = {"studies": len(project.studies), "problems": own, "chosen": len(project.chosen)}
        else:
            stored = _stored(folder / FILE)
            own = sum(each.get("origin") != "found" for each in stored.get("problems", ()))
            studies = len(list((folder / "studies").glob("*"))) + len(stored.get("elsewhere", ()))
            found = {"studies": studies, "problems": own, "chosen": len(stored.get("chosen", ()))}
        with contextlib.suppress(OSError):
            found["used"] = max(0.0, time.time() - (folder / OPENED).stat().st_mtime)
        return found

    def look(self) -> None:
        """Have a thread find out what is in the data sets of which nobody knows; large tables are not read for it."""
        with self._lock:
            if self._looking is None or not self._looking.is_alive():
                self._looking = threading.Thread(target=self._look, daemon=True, name="looking at data sets")
                self._looking.start()

    def _look(self) -> None:
        for source in self.sources.values():
            if self.summary(source) is None and not _is_large(source.path):
                try:
                    found = Summary.of(source.load(), source)
                except Exception as error:  # to be told when somebody opens it
                    found = Summary(problem=str(error) or type(error).__name__)
                    self._summaries[source.key] = found
                    self.tell()
                    continue
                self._say(source, found)

    def _say(self, source: Source, summary: Summary) -> None:
        self._summaries[source.key] = summary
        with contextlib.suppress(OSError):
            summary.write(self.folder / source.key)
        self.tell()

    # -- data sets that are sent

    def bring(self, file: Path, limit: int, progress: Progress | None = None) -> Source:
        """Keep a data set that was sent.

        Parameters
        ----------
        file : Path
            A table or an archive, alone in its folder, which becomes part of the shelf.
        limit : int
            Bytes of an upload; out of an archive may come `UNPACKED` times as many.
        progress : Progress, optional
            While an archive is unpacked; what was cancelled leaves nothing.

        Raises
        ------
        ValueError, FileNotFoundError
            If there is no data set in it; then nothing is kept.
        CancelledError
            If it was cancelled.
        """
        folder, key = file.parent, ""
        try:
            if file.name.lower().endswith(".zip"):
                _unpack(file, limit * UNPACKED, progress)
            folder = self._named(folder, file)
            source = next(source for source in self._uploaded() if folder in (source.path or folder).parents)
            key = source.key
            self.project(key)
            if progress is not None and progress.cancelled:
                raise CancelledError
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._drop(key)
            if isinstance(error, (ValueError, OSError)):
                raise type(error)(str(error).replace(f"{folder}/", "")) from error
            raise
        self.tell()
        return source

    def _named(self, folder: Path, file: Path) -> Path:
        """Give a folder of what was sent its name, which no other has."""
        stem = file.name.split(".")[0] or "data"
        with self._lock:
            for number in itertools.count(1):
                target = self.uploads / (stem if number == 1 else f"{stem}-{number}")
                if not target.exists():
                    return folder.rename(target)
        raise AssertionError

    def forget(self, key: str) -> None:
        """Delete a data set that was sent, with what was made of it; pages that show it are left with none.

        Raises
        ------
        ValueError
            If it was not sent to this server.
        """
        source = self.source(key)
        if source.origin != "uploaded" or source.path is None:
            raise ValueError(f"{source.title}: only data sets that were uploaded can be deleted")
        inside = source.path.relative_to(self.uploads).parts[0]
        shutil.rmtree(self.uploads / inside, ignore_errors=True)
        self._drop(key)
        self.tell()

    def _drop(self, key: str) -> None:
        """Forget what was made of a data set: another one may come to have its place, and so its key."""
        with self._lock:
            project = self._projects.pop(key, None)
            self._summaries.pop(key, None)
        if project is not None:
            for room in list(self._rooms):
                if room.project is project:
                    room.session.soon(partial(_leave, room, project))
            for study in list(project.studies.values()):
                study.close()
            shutil.rmtree(project.folder, ignore_errors=True)
        if key:
            shutil.rmtree(self.folder / key, ignore_errors=True)

    def tidy(self) -> None:
        """Delete what was sent in part, long ago."""
        for folder in self.uploads.glob(f"{PART}*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > STALE:
                    shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=1)
def shelf(paths: tuple[str, ...]) -> Shelf:
    """The one shelf of this server process."""
    made = Shelf(paths)
    made.tidy()
    return made


def _unpack(archive: Path, most: int, progress: Progress | None) -> None:
    """Replace an archive by what is in it, in a folder of its name."""
    folder = archive.with_suffix("")
    folder.mkdir()
    where = unzip(archive, folder, most, progress)
    if progress is not None and progress.cancelled:
        raise CancelledError
    archive.unlink()
    (archive.parent / PLACE).write_text(where.relative_to(archive.parent).as_posix(), encoding="utf-8")


def _place(folder: Path, inside: Path) -> Path:
    """Where the data are in a folder of what was sent: the table, or a folder as far inside as there is no other."""
    try:
        return folder / (folder / PLACE).read_text(encoding="utf-8")
    except OSError:
        return inside


def _stored(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_large(path: Path | None) -> bool:
    with contextlib.suppress(OSError):
        return path is not None and path.is_file() and path.stat().st_size > LARGE
    return False


def _touch(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def _leave(room: Workspace, project: Project) -> None:
    """Show no data set any more, where this one is still shown."""
    if room.project is project:
        with room.session.together():
            room.open(None)
            room.go("data")
            room.tell(f"{project.title} was deleted")
