"""Files that take a while to be made, for a project: made once whoever looks, also when the page that asked is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from learnviews.kernels.progress import Progress

if TYPE_CHECKING:
    from learnviews.apps.snowcat.project import Project

EVENT = "made"
"""What all pages of a project hear when something is made, or goes on."""
EXPORTS = "exports"
_all: WeakKeyDictionary[Project, dict[str, Making]] = WeakKeyDictionary()


class Making:
    """One kind of file of a project.

    Parameters
    ----------
    project : Project

    Attributes
    ----------
    made : Path or None
        The file that was made last, by this process.
    notes : list of str
        What is to be said of it.
    problem : str
        Why nothing was made.
    """

    def __init__(self, project: Project) -> None:
        self._tell = partial(project.tell, EVENT)
        self.made: Path | None = None
        self.notes: list[str] = []
        self.problem = ""
        self._progress: Progress | None = None

    @classmethod
    def of(cls, project: Project, kind: str) -> Making:
        """The one of a project and kind, for all pages."""
        known = _all.setdefault(project, {})
        return known.setdefault(kind, cls(project))

    @property
    def progress(self) -> Progress | None:
        """Of what is made now."""
        return self._progress

    def start(self, work: Callable[[Progress, list[str]], Path]) -> None:
        """Have a thread do the work, which gets a progress and a list for notes; nothing happens where one does."""
        if self._progress is not None:
            return
        self._progress = progress = Progress(lambda _: self._tell(), interval=0.2)
        self.made, self.problem, self.notes = None, "", []
        threading.Thread(target=self._work, args=(work, progress), daemon=True, name="making files").start()
        self._tell()

    def cancel(self) -> None:
        """Stop; nothing is left of it."""
        if self._progress is not None:
            self._progress.cancel()
            self._progress.text = "stopping"
            self._tell()

    def _work(self, work: Callable[[Progress, list[str]], Path], progress: Progress) -> None:
        notes: list[str] = []
        try:
            made = work(progress, notes)
            self.made = made
        except CancelledError:
            pass
        except Exception as error:  # whatever it is, the pages are to hear of it
            self.problem = str(error) or type(error).__name__
        finally:
            self.notes, self._progress = notes, None
            self._tell()


def new_name(folder: Path, ending: str) -> str:
    """A name that tells the time, of which there is none in a folder yet; seconds are enough for one user."""
    name = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    number, found = 2, name
    while (folder / found).exists() or (folder / f"{found}{ending}").exists():
        found, number = f"{name}-{number}", number + 1
    return found
