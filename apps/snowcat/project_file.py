"""A project's file: written whole or not at all, together with what other processes wrote to it meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = "project.json"
VERSION = 1


class ProjectFile:
    """`project.json` in a project's folder.

    Parameters
    ----------
    folder : Path
        Made when first written to.

    Attributes
    ----------
    damaged : str
        What was wrong with a file that could not be used, and where it is now; "" where nothing was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        self.damaged = ""
        self._base: dict[str, Any] = {}  # what was read or written last: others may have changed it since
        self._seen: tuple[int, ...] | None = None

    def read(self) -> dict[str, Any] | None:
        """What is stored; None where nothing is, or nothing that can be used: such a file is put aside."""
        with self._locked():
            return self._read()

    def changed(self) -> bool:
        """Whether another process wrote to it since this one looked."""
        return self._stamp() not in (None, self._seen)

    def gone(self) -> bool:
        """Whether somebody deleted it."""
        return self._seen is not None and self._stamp() is None

    def write(self, mine: dict[str, Any]) -> dict[str, Any]:
        """Store a project; what another process stored meanwhile is merged with it.

        Returns
        -------
        What is stored now.

        Raises
        ------
        OSError
            If it cannot be written; what was there is there still.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            mine = json.loads(json.dumps({"version": VERSION, **mine}))  # tuples are lists from here on
            if self.changed():
                base = self._base
                theirs = self._read()
                mine = mine if theirs is None else merged(base, mine, theirs)
            part = self.path.with_name(f"{FILE}.part")
            part.write_text(json.dumps(mine, indent=1), encoding="utf-8")
            os.replace(part, self.path)
            self._base, self._seen = mine, self._stamp()
        return mine

    def _read(self) -> dict[str, Any] | None:
        stamp = self._stamp()
        if stamp is None:
            return None
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or found.get("version") != VERSION:
                version = found.get("version") if isinstance(found, dict) else None
                raise ValueError(f"version {version} of a project; this LearnViews reads version {VERSION}")
        except ValueError as error:
            self.put_aside(str(error))
            return None
        self._base, self._seen = found, stamp
        return found

    def put_aside(self, why: str) -> None:
        """Keep a file that cannot be used under another name."""
        names = (f"{FILE}.damaged{f'-{number}' if number else ''}" for number in range(1000))
        aside = next(path for name in names if not (path := self.folder / name).exists())
        self._base, self._seen = {}, None
        try:
            os.replace(self.path, aside)
            self.damaged = f"{self.path} cannot be read ({why}): it is kept as {aside.name}; the project begins anew"
        except OSError as error:
            self.damaged = f"{self.path} cannot be read ({why}), nor put aside ({error}); the project begins anew"

    def _stamp(self) -> tuple[int, ...] | None:
        """Of the file as it is: any write changes it."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else reads or writes meanwhile; where no lock can be had, the folder cannot be written to anyway."""
        try:
            handle = os.open(self.folder / f"{FILE}-lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


# -- two who wrote at once


def merged(base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """What two made of `base`: each part as the one has it who changed it, lists of both entry by entry."""
    found = {}
    for part in dict.fromkeys((*mine, *theirs)):
        was, here, there = base.get(part), mine.get(part), theirs.get(part)
        if here in (was, there):
            found[part] = there
        elif there == was or part not in _JOINED:
            found[part] = here
        else:
            found[part] = _JOINED[part](was, here, there)
    return found


def _entries(was: Any, here: list[Any], there: list[Any], first: bool = True) -> list[Any]:
    """Entries of both: new ones of the other process above or below; deleted is what one of them deleted, unless the
    other changed it."""
    old, ours, others = ({_key(each): each for each in some or []} for some in (was, here, there))
    kept = []
    for key, each in ours.items():
        if key in others:
            kept.append(others[key] if each == old.get(key) else each)
        elif key not in old or each != old[key]:
            kept.append(each)
    changed = [each for key, each in others.items() if key not in ours and (key not in old or each != old[key])]
    return [*changed, *kept] if first else [*kept, *changed]


def _key(entry: dict[str, Any]) -> Any:
    return entry["id"] if "id" in entry else (entry["study"], entry["number"])


def _names(was: Any, here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """Of both; gone is what one of them took away."""
    gone = {name for name in was or {} if name not in here or name not in there}
    return {name: each for name, each in {**there, **here}.items() if name not in gone}


_JOINED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "problems": _entries,
    "chosen": lambda was, here, there: _entries(was, here, there, first=False),
    "studies": _names,
    "dropped": lambda was, here, there: sorted({*here, *there}),
}
