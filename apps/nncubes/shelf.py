"""The models an app was started with, and the exact cube where the rows are at hand."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from learnviews.apps.home import home
from learnviews.apps.nncubes.first import ENDING
from learnviews.apps.nncubes.tables import NAME as TABLE
from learnviews.apps.nncubes.tables import Table, Tables
from learnviews.kernels import cube


class Shelf:
    """Models by name, read once per server process and shared by its sessions, and the tables they are made of.

    Parameters
    ----------
    paths : sequence of str
        Model files, folders that hold some, and tables; others are passed over. Without any: the models that
        `learnviews` made.

    Attributes
    ----------
    tables : Tables
        Those that are at hand.
    folder : Path
        Where models that are learned in a page are put.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        mine = [Path(path) for path in paths if path.endswith(ENDING) or Path(path).is_dir()]
        named = any(path.endswith(ENDING) for path in paths) or any(any(p.glob(f"*{ENDING}")) for p in mine)
        self.tables = Tables(paths)
        self.paths = mine if named or self.tables.served else [home() / "cubes"]
        self.folder = (home() / "cubes").resolve()  # where models are put
        self._learned: list[Path] = []  # while this server runs
        self._models: dict[Path, tuple[os.stat_result, cube.Model]] = {}
        self._about: dict[Path, tuple[os.stat_result, Any]] = {}
        self._lock = threading.Lock()
        self._exact: dict[int, Future[None]] = {}
        self._watching: list[Callable[[], None]] = []

    def names(self) -> dict[str, str]:
        """Path of every model, and of every table without one, and what to call it: its file name, with its folder
        where two are alike."""
        files: list[Path] = []
        for path in self.paths:
            files += [path] if path.name.endswith(ENDING) else sorted(path.glob(f"*{ENDING}"))
        models = {table: self.model_of(table) for table in self.tables.served}
        more = [*(model for model in models.values() if model), *self._learned]
        files = list(dict.fromkeys([*files, *(file for file in more if file.exists())]))
        stems = [file.name.removesuffix(ENDING) for file in files]
        called = {
            str(file): stem if stems.count(stem) == 1 else f"{file.parent.name}/{stem}"
            for file, stem in zip(files, stems, strict=True)
        }
        return called | {str(table.path): f"{table.name} …" for table, model in models.items() if model is None}

    def model(self, path: str) -> cube.Model:
        """The model of a file, with its exact cube where that can be had; raises as `cube.load`."""
        file = Path(path)
        with self._lock:
            known = self._models.get(file)
            if known is not None and file.exists() and _unchanged(known[0], file.stat()):
                return known[1]
            model = cube.load(file)
            model.exact = exact_of(model)
            self._models[file] = file.stat(), model
            return model

    # -- tables

    def table_of(self, model: cube.Model) -> Any:
        """The rows that a model was learned from, as `ExactCube.build` takes them; None where they are not at hand."""
        frame = flights_of(model)
        if frame is not None:
            return frame
        table = self.tables.of(model.about.get(TABLE))
        ready = None if table is None else self.tables.ready(table)
        return None if ready is None else str(ready)

    def model_of(self, table: Table) -> Path | None:
        """The latest model that was learned from a table as it is now."""
        try:
            about = table.about()
        except FileNotFoundError:
            return None
        folders = [self.folder, *(path for path in self.paths if path.is_dir())]
        files = {*self._learned, *(file for path in folders for file in path.glob(f"*{ENDING}"))}
        found = [file for file in files if file.exists() and self._learned_from(file) == about]
        return max(found, key=lambda file: file.stat().st_mtime_ns, default=None)

    def _learned_from(self, file: Path) -> Any:
        """What a model says of its table; a file that is no model says nothing."""
        held = file.stat()
        known = self._about.get(file)
        if known is None or not _unchanged(known[0], held):
            try:
                about = cube.load(file).about.get(TABLE)
            except (ValueError, OSError):
                about = None
            known = self._about[file] = held, about
        return known[1]

    def keep(self, made: Path, stem: str) -> Path:
        """Give a model that was just learned a name, which no other has, and tell all pages."""
        stem = re.sub(r"[^\w .-]+", "-", stem).strip(" .-") or "table"
        for number in itertools.count(1):
            target = made.with_name(f"{stem}{f'-{number}' if number > 1 else ''}{ENDING}")
            try:
                os.link(made, target)  # fails where there is one: two trainings may end at once
            except FileExistsError:
                continue
            made.unlink()
            self._learned.append(target)
            self.tell()
            return target
        raise AssertionError

    def make_exact(self, model: cube.Model, then: Callable[[str], None]) -> bool:
        """Have the exact cube of a model built by a thread, where its rows are at hand.

        Parameters
        ----------
        model : Model
        then : callable
            Called by the thread when it is there, with what went wrong, or nothing.

        Returns
        -------
        bool
            Whether it is being built.
        """
        table = self.tables.of(model.about.get(TABLE))
        if model.exact is not None or table is None:
            return False
        with self._lock:
            future = self._exact.get(id(model))
            if future is None:
                future = self._exact[id(model)] = builders().submit(self._build_exact, model, table)
        future.add_done_callback(lambda done: then(str(done.exception() or "")))
        return True

    def _build_exact(self, model: cube.Model, table: Table) -> None:
        try:
            measures = sorted({each[1] for each in model.aggregates if isinstance(each, tuple)})
            exact = cube.ExactCube.build(self.tables.rows(table), model.schema, measures)
            exact.views()  # what the first answer has to make ready
            model.exact = exact
        finally:
            with self._lock:
                del self._exact[id(model)]

    # -- pages

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed`, from any thread, whenever there is another model."""
        self._watching.append(changed)

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Call it no longer."""
        self._watching = [each for each in self._watching if each is not changed]

    def tell(self) -> None:
        """There is another model."""
        for changed in self._watching:
            changed()


@lru_cache(1)
def builders() -> ThreadPoolExecutor:
    """The thread of this server process that builds exact cubes; made when first needed, after a fork."""
    return ThreadPoolExecutor(1, "exact")


def exact_of(model: cube.Model) -> cube.ExactCube | None:
    """The exact cube of the rows that a model was fitted to, if these are the embedded flights."""
    frame = flights_of(model)
    measures = tuple(sorted({each[1] for each in model.aggregates if isinstance(each, tuple)}))
    return _flights_cube(measures) if frame is not None and all(name in frame for name in measures) else None


def flights_of(model: cube.Model) -> Any:
    """The embedded flights, if they are what a model was fitted to."""
    try:
        frame, schema = _flights()
    except ModuleNotFoundError:
        return None
    return frame if model.schema == schema and model.about.get("rows") == len(frame) else None


@lru_cache(1)
def _flights() -> tuple[Any, cube.Schema]:
    """Read once: no page changes them."""
    return cube.flights()


@lru_cache(4)
def _flights_cube(measures: tuple[str, ...]) -> cube.ExactCube:
    frame, schema = _flights()
    exact = cube.ExactCube.build(frame, schema, measures, threads=1)  # no threads before the server forks
    exact.views()  # what the first answer has to make ready
    return exact


def _unchanged(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_ino, one.st_mtime_ns, one.st_size) == (other.st_ino, other.st_mtime_ns, other.st_size)


def measure_attribute(schema: cube.Schema, measure: str) -> Any:
    """The attribute made of a measure's column, if there is one: it knows title and unit."""
    return next((each for each in schema if each.columns == (measure,)), None)


def aggregate_words(schema: cube.Schema, aggregate: Any) -> tuple[str, str]:
    """Title and unit of an aggregate: ("mean departure delay", "min")."""
    if aggregate == "count":
        return "rows", ""
    kind, measure = aggregate
    attribute = measure_attribute(schema, measure)
    title, unit = (attribute.title, attribute.unit) if attribute else (measure, "")
    words = {"sum": "total", "mean": "mean", "var": "variance of"}
    return f"{words[kind]} {title}", f"{unit}²" if kind == "var" and unit else unit
