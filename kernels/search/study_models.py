"""Models of a study: what is kept of its trials in the folder and in memory, and the ensemble of the best."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import study_files
from .search_loop import KEPT
from .trial import TrialResult, Work, cost_of, judged, refitted

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .model import Model
    from .problem import Problem
    from .study_store import StudyStore


class StudyModels:
    """Models by the number of their trial.

    Parameters
    ----------
    folder : Path
        Of the study.
    store : StudyStore
    data : Dataset
    problem : Problem
    work : callable
        Returns the Work of the study; called when something is to be judged or fitted.
    """

    def __init__(
        self, folder: Path, store: StudyStore, data: Dataset, problem: Problem, work: Callable[[], Work]
    ) -> None:
        self._folder, self._store, self._data, self._problem, self._work = (
            folder / study_files.PREDICTIONS,
            store,
            data,
            problem,
            work,
        )
        self._made: dict[int, Model] = {}
        self._fitted: dict[int, tuple[float, bytes]] = {}  # cost, pickled pipeline
        self._ranked: tuple[Any, list[dict[str, Any]]] = (None, [])

    def __len__(self) -> int:
        """Models that were asked for, or found, since this object was made."""
        return len(self._made)

    def ranked(self) -> list[dict[str, Any]]:
        """Rows of the store that have a model, best first; of the ensembles the newest only."""
        version = self._store.version()
        if self._ranked[0] != version:
            self._ranked = (version, self._rank())
        return self._ranked[1]

    def _rank(self) -> list[dict[str, Any]]:
        rows = [row for row in self._store.trials() if row["status"] == "ok" and row["kept"]]
        newest = max((row["number"] for row in rows if row["source"] == "ensemble"), default=None)
        rows = [row for row in rows if row["source"] != "ensemble" or row["number"] == newest]
        return sorted(rows, key=lambda row: (row["cost"], row["number"]))

    def keep(self, number: int, result: TrialResult) -> None:
        """Put the predictions of a finished trial into the folder, and its pipeline aside if it is a good one."""
        assert result.predictions is not None
        study_files.write_frame(self._file(number), result.predictions)
        if result.pipeline is not None:
            self._fitted[number] = (float(result.cost or 0), result.pipeline)
            for worst in sorted(self._fitted, key=self._fitted.__getitem__)[KEPT:]:
                del self._fitted[worst]

    def numbered(self, number: int, predictions: pd.DataFrame | None = None) -> Model:
        """The model of a trial."""
        return self.of(self._store.trial(number), predictions)

    def of(self, row: dict[str, Any], predictions: pd.DataFrame | None = None) -> Model:
        """The model of a row of the store; its predictions are read when they are looked at."""
        number = row["number"]
        if number not in self._made:
            from .model import Model

            read = partial(self._predictions, number) if predictions is None else predictions
            told = {name: row[name] for name in ("number", "seed", "cost", "seconds", "fidelity", "name")}
            told["members"] = self._members(row)
            pipeline = partial(self._pipeline, number)
            made = Model(self._data, self._problem, row["config"], read, pipeline, **told)
            self._made.setdefault(number, made)
        return self._made[number]

    def _predictions(self, number: int) -> pd.DataFrame:
        return study_files.read_frame(self._file(number))[0]

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.parquet"

    def _members(self, row: dict[str, Any]) -> list[tuple[Model, float]]:
        """Models and weights of an ensemble."""
        if row["source"] != "ensemble":
            return []
        numbers, weights = row["config"]["members"], row["config"]["weights"]
        return [(self.numbered(number), weight) for number, weight in zip(numbers, weights, strict=True)]

    def _pipeline(self, number: int) -> Any:
        """The fitted pipeline of a trial: as it came from its worker, or fitted again, with the same seed and rows.

        Nothing fitted lies in the folder: reading pickles would be to run code from a file, and skops takes seconds to
        import. `export` writes skops files.
        """
        row = self._store.trial(number)
        if row["source"] == "ensemble":
            from .ensemble import Ensemble

            members = [self.numbered(member).pipeline for member in row["config"]["members"]]
            return Ensemble(members, row["config"]["weights"])
        if number in self._fitted:
            return pickle.loads(self._fitted[number][1])
        return refitted(self._work(), row["config"], row["seed"])

    # -- the ensemble

    def blend(self, seed: int) -> Model | None:
        """The ensemble of the best, in the store; None where there is none, or the same as before."""
        from . import ensemble

        rows = ensemble.candidates([row for row in self.ranked() if row["source"] != "ensemble"])
        models = [self.of(row) for row in rows]
        began = time.monotonic()
        found = ensemble.combine(self._problem, [model.predictions for model in models], self._cost)
        if found is None:
            return None
        weights, predictions = found
        chosen = [(model.number, float(weight)) for model, weight in zip(models, weights, strict=True) if weight > 0]
        numbers, shares = zip(*chosen, strict=True)
        config = {"model": ensemble.NAME, "members": list(numbers), "weights": list(shares)}
        if config in self._ensembles():
            return None
        number = self._add(config, predictions, f"ensemble of {len(chosen)} models", seed, began)
        return self.numbered(number, predictions)

    def _ensembles(self) -> list[dict[str, Any]]:
        """What the newest ensemble that was finished consists of, if there is one."""
        rows = [row for row in self._store.trials() if row["source"] == "ensemble" and row["status"] == "ok"]
        return [row["config"] for row in rows[-1:]]

    def _add(self, config: dict[str, Any], predictions: pd.DataFrame, name: str, seed: int, began: float) -> int:
        from .smac_search import key

        parts = {split: predictions[predictions["split"] == split] for split in ("train", "holdout")}
        metrics = {split: judged(self._work(), rows) for split, rows in parts.items() if len(rows)}
        cost = self._cost(parts["train"])
        number = self._store.begin(config, key(config), name, "ensemble", 1.0, seed)
        self.keep(number, TrialResult("ok", "", cost, (), predictions, metrics))
        self._store.finish(number, "ok", cost=cost, metrics=metrics, seconds=time.monotonic() - began, kept=1)
        return number

    def _cost(self, frame: pd.DataFrame) -> float:
        cost = cost_of(self._problem, judged(self._work(), frame))
        return math.inf if cost is None else cost
