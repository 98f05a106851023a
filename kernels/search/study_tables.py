"""Tables of a study: its trials, and the leaderboard of its models with the trivial predictor at its place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .trial import Work, cost_of, judged

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model

TRIALS = ("number", "status", "reason", "config", "name", "source", "fidelity", "cost", "train", "holdout")
SPENT = ("seconds", "fit_seconds", "score_seconds", "started")


def trials_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per trial, from the rows of a `StudyStore`: columns `TRIALS` and `SPENT`; config as JSON."""
    import pandas as pd

    return pd.DataFrame([_trial(row) for row in rows], columns=[*TRIALS, *SPENT])


def _trial(row: Mapping[str, Any]) -> dict[str, Any]:
    import pandas as pd

    values = {split: row["metrics"].get(split, math.nan) for split in ("train", "holdout")}
    cost = math.nan if row["cost"] is None else row["cost"]
    started = pd.Timestamp(row["started"], unit="s")
    return {**row, **values, "cost": cost, "config": json.dumps(row["config"]), "started": started}


class Leaderboard:
    """Ranks models; what it once computed of a model it keeps.

    Parameters
    ----------
    work : Work
        Data, problem and plan of the study.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows: dict[int, dict[str, Any]] = {}

    def table(self, models: Sequence[Model]) -> pd.DataFrame:
        """Models and the trivial predictor, best first; see `Study.leaderboard`."""
        import pandas as pd

        rows = [*map(self._row, models), self._trivial]
        frame = pd.DataFrame(sorted(rows, key=lambda row: (row["cost"], row["number"] is None)))
        return frame.astype({"number": "Int64"})

    def _row(self, model: Model) -> dict[str, Any]:
        if model.number not in self._rows:
            about = {"cost": model.cost, "seconds": model.seconds, "fidelity": model.fidelity}
            scores = self._scores(model.predictions)
            self._rows[model.number] = {"number": model.number, "name": model.name, **scores, **about}
        return self._rows[model.number]

    @cached_property
    def _trivial(self) -> dict[str, Any]:
        from . import scores

        work = self._work
        predictions = scores.trivial(work.data, work.problem, work.plan)
        train = predictions[predictions["split"] == "train"]
        cost = cost_of(work.problem, judged(work, train if len(train) else predictions))
        about = {"cost": math.inf if cost is None else cost, "seconds": 0.0, "fidelity": 1.0}
        return {"number": None, "name": "trivial", **self._scores(predictions), **about}

    def _scores(self, predictions: pd.DataFrame) -> dict[str, Any]:
        from . import scores

        problem = self._work.problem
        metric = str(problem.metric)
        split = "holdout" if (predictions["split"] == "holdout").any() else "train"
        table = scores.table(problem, predictions, split, (metric,), self._work.data)
        found = table.iloc[0].to_dict() if len(table) else {"value": math.nan, "low": math.nan, "high": math.nan}
        return {metric: found["value"], "low": found["low"], "high": found["high"], "split": split}
