"""Tables of a study: its trials, and the leaderboard of its models with the trivial predictor at its place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model
    from .study_store import StudyStore

TRIALS = ("number", "status", "reason", "config", "name", "source", "fidelity", "cost", "train", "holdout")
SPENT = ("seconds", "fit_seconds", "score_seconds", "started")
RUNNING = ("number", "name", "started", "fidelity", "source")
SURE = 100  # models at the head of a whole leaderboard whose intervals are drawn: of thousands it would take minutes


def trials_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per trial, from the rows of a `StudyStore`: columns `TRIALS` and `SPENT`; config as JSON."""
    import pandas as pd

    special = {"config": "config_text"}
    columns = {name: [row.get(special.get(name, name)) for row in rows] for name in (*TRIALS, *SPENT)}
    for split in ("train", "holdout"):
        columns[split] = [row["metrics"].get(split, math.nan) for row in rows]
    frame = pd.DataFrame(columns)
    times = pd.to_datetime(pd.Series(columns["started"], dtype=float), unit="s")
    numbers = dict.fromkeys(("cost", "seconds", "fit_seconds", "score_seconds"), float)
    return frame.assign(started=times).astype(numbers)


def running_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The trials that run, from the rows of a `StudyStore`: columns `RUNNING`."""
    running = [row for row in rows if row["status"] == "running"]
    return trials_table(running)[list(RUNNING)]


class Leaderboard:
    """Ranks models by what the store knows of them; predictions are read for intervals only, and these are kept.

    Parameters
    ----------
    store : StudyStore
    metric : str
        The problem's.
    model_of : callable
        Model of a row of the store.
    baseline : callable
        Returns the model that knows nothing of the features.
    """

    def __init__(
        self,
        store: StudyStore,
        metric: str,
        model_of: Callable[[dict[str, Any]], Model],
        baseline: Callable[[], Model],
    ) -> None:
        self._store, self._metric, self._model_of, self._baseline = store, metric, model_of, baseline
        self._intervals: dict[int, tuple[float, float]] | None = None

    def table(self, rows: Sequence[dict[str, Any]], top: int | None = None) -> pd.DataFrame:
        """Models of these rows and the trivial predictor, best first; see `Study.leaderboard`."""
        import pandas as pd

        shown = rows[:top]
        intervals = self._known(shown[: SURE if top is None else top])
        lines = [*(self._line(row, intervals) for row in shown), self._trivial]
        frame = pd.DataFrame(sorted(lines, key=lambda line: (line["cost"], line["number"] is None)))
        return frame.astype({"number": "Int64"})

    def _line(self, row: dict[str, Any], intervals: dict[int, tuple[float, float]]) -> dict[str, Any]:
        split = _split(row)
        low, high = intervals.get(row["number"], (math.nan, math.nan))
        scores = {self._metric: row["metrics"].get(split, math.nan), "low": low, "high": high, "split": split}
        about = {"cost": row["cost"], "seconds": row["seconds"], "fidelity": row["fidelity"]}
        return {"number": row["number"], "name": row["name"], **scores, **about}

    def _known(self, rows: Sequence[dict[str, Any]]) -> dict[int, tuple[float, float]]:
        """Intervals of these rows at least; those that nobody drew before are drawn, and kept in the store."""
        if self._intervals is None:
            self._intervals = self._store.intervals()
        lacking = [row for row in rows if row["number"] not in self._intervals]
        if lacking:
            drawn = {row["number"]: self._drawn(row) for row in lacking}
            self._intervals.update(drawn)
            self._store.keep_intervals(drawn)
        return self._intervals

    def _drawn(self, row: dict[str, Any]) -> tuple[float, float]:
        table = self._model_of(row).scored(_split(row), (self._metric,))
        return (float(table["low"].iloc[0]), float(table["high"].iloc[0])) if len(table) else (math.nan, math.nan)

    @cached_property
    def _trivial(self) -> dict[str, Any]:
        from . import scores

        model = self._baseline()
        table = model.scored(model.split, (self._metric,))
        found = table.iloc[0].to_dict() if len(table) else {"value": math.nan, "low": math.nan, "high": math.nan}
        values = {self._metric: found["value"], "low": found["low"], "high": found["high"], "split": model.split}
        return {"number": None, "name": scores.TRIVIAL, **values, "cost": model.cost, "seconds": 0.0, "fidelity": 1.0}


def _split(row: dict[str, Any]) -> str:
    return "holdout" if "holdout" in row["metrics"] else "train"
