"""The models an app was started with, and the exact cube where the rows are at hand."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from learnviews.apps.home import home
from learnviews.apps.nncubes.first import ENDING
from learnviews.kernels import cube


class Shelf:
    """Models by name, read once per server process and shared by its sessions.

    Parameters
    ----------
    paths : sequence of str
        Model files, or folders that hold some; others are passed over. Without any: those that `learnviews` made.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        mine = [Path(path) for path in paths if path.endswith(ENDING) or Path(path).is_dir()]
        named = any(path.endswith(ENDING) for path in paths) or any(any(p.glob(f"*{ENDING}")) for p in mine)
        self.paths = mine if named else [home() / "cubes"]
        self._models: dict[Path, tuple[os.stat_result, cube.Model]] = {}
        self._lock = threading.Lock()

    def names(self) -> dict[str, str]:
        """Path of every model, and what to call it: its file name, with the folder where two are alike."""
        files: list[Path] = []
        for path in self.paths:
            files += [path] if path.name.endswith(ENDING) else sorted(path.glob(f"*{ENDING}"))
        stems = [file.name.removesuffix(ENDING) for file in files]
        return {
            str(file): stem if stems.count(stem) == 1 else f"{file.parent.name}/{stem}"
            for file, stem in zip(files, stems, strict=True)
        }

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


def exact_of(model: cube.Model) -> cube.ExactCube | None:
    """The exact cube of the rows that a model was fitted to, if these are the embedded flights."""
    try:
        frame, schema = cube.flights()
    except ModuleNotFoundError:
        return None
    if model.schema != schema or model.about.get("rows") != len(frame):
        return None
    measures = tuple(sorted({each[1] for each in model.aggregates if isinstance(each, tuple)}))
    return _flights_cube(measures) if all(name in frame for name in measures) else None


@lru_cache(4)
def _flights_cube(measures: tuple[str, ...]) -> cube.ExactCube:
    frame, schema = cube.flights()
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
