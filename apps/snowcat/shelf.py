"""Data sets that this server offers, and the projects made of them: one per data set, shared by all pages."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.home import home
from learnviews.apps.snowcat.project import Project
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Dataset


@dataclass(frozen=True)
class Source:
    """A data set that can be opened.

    Parameters
    ----------
    key : str
        What addresses and folders call it.
    title : str
    about : str
        A line on what it holds.
    load : callable
        Reads it; takes no arguments.
    origin : str
        "bundled", "served" (named on the command line) or "uploaded".
    """

    key: str
    title: str
    about: str
    load: Callable[[], Dataset]
    origin: str = "bundled"


class Shelf:
    """Data sets and projects of this server process.

    Parameters
    ----------
    paths : sequence of str
        D3M folders, tables and folders of files from the command line; recordings and cubes are passed over.

    Attributes
    ----------
    folder : Path
        Where projects are kept.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.folder = home() / "snowcat"
        self.sources: dict[str, Source] = {source.key: source for source in (*_bundled(), *_served(paths))}
        self._projects: dict[str, Project] = {}
        self._lock = threading.Lock()

    def project(self, key: str) -> Project:
        """The project of a data set, reading both where they were not read yet; raises as `search.load`."""
        if key not in self.sources:
            raise LookupError(f"{key}: no data set of this server")
        with self._lock:
            if key not in self._projects:
                source = self.sources[key]
                self._projects[key] = Project(self.folder / key, source.title, source.load())
            return self._projects[key]

    def open(self, key: str, room: Workspace, then: Callable[[], None] | None = None) -> None:
        """Show a data set in a page, once a thread has read it."""

        def show(project: Project, version: int) -> None:
            room.open(project)
            if then is not None:
                then()

        room.jobs.start("open", lambda: self.project(key), show)


@lru_cache(maxsize=1)
def shelf(paths: tuple[str, ...]) -> Shelf:
    """The one shelf of this server process."""
    return Shelf(paths)


def key_of(path: Path) -> str:
    """What to call a file or folder in addresses: its name, and a few letters that tell it from others of that name."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', path.stem).strip('-') or 'data'}-{digest}"


def _bundled() -> list[Source]:
    import sklearn.datasets as bundled

    loads: dict[str, Any] = {
        "iris": bundled.load_iris,
        "wine": bundled.load_wine,
        "breast_cancer": bundled.load_breast_cancer,
        "diabetes": bundled.load_diabetes,
    }
    return [
        Source(name, name.replace("_", " "), "scikit-learn", lambda load=load: search.load(load(as_frame=True).frame))
        for name, load in loads.items()
    ]


def _served(paths: Sequence[str]) -> list[Source]:
    found = [Path(path) for path in paths]
    return [
        Source(key_of(path), path.name, str(path), lambda path=path: search.load(path), "served")
        for path in found
        if not path.name.endswith((".rnnbow", ".cube.npz"))
    ]
