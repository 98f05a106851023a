"""A study: the search for models of one problem, live, resumable, in a folder of its own."""

from __future__ import annotations

import json
import math
import pickle
import queue
import threading
import time
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..store import FileFormatError, WriterLock
from . import study_files
from .search_loop import KEPT, Budget, Loop, Proposals, make_pool, usual_limits
from .study_store import FILE, KIND, StudyStore
from .trial import MAKER, TrialResult, Work, cost_of, judged, maker_module, refitted

if TYPE_CHECKING:
    import pandas as pd

    from ..progress import Progress
    from .data import Dataset
    from .model import Model
    from .problem import Problem
    from .splits import Plan

SECONDS = 60.0  # of a run, where neither a time nor a number of trials is asked for
RESERVE = 0.03  # share of a run's time for the ensemble at its end
_END = object()


class Study:
    """The search for models of a problem.

    Parameters
    ----------
    data : Dataset, or whatever `load` takes
    problem : Problem
    path : path
        Folder of the study, to be made; it must not exist, or be empty.
    seconds : float, optional
        Of every `run`. 60 where `trials` is not given either.
    trials : int, optional
        Finished trials in all. With one worker: same seed, same bits.
    workers : int
        Processes, or workers of `client`.
    client : distributed.Client, optional
        Trials run on its cluster.
    rng : seed or Generator
    trial_seconds, trial_megabytes : float, optional
        What one trial may take before it is stopped. By default a sixth of `seconds`, and an equal share of the memory.
    progress : Progress, optional
        Reported to while it runs; cancelling it stops the run.
    space : ConfigurationSpace, optional
        By default `space(data, problem)`.
    maker : str
        Module with `build` and `describe`: where the pipelines come from.

    Raises
    ------
    FileExistsError
        If there is something in `path` already; `Study.open` goes on with a study.
    ValueError
        If the problem cannot be learned from the data.
    """

    def __init__(
        self,
        data: Any,
        problem: Problem,
        path: str | Path,
        seconds: float | None = None,
        trials: int | None = None,
        workers: int = 1,
        client: Any = None,
        rng: Any = 0,
        trial_seconds: float | None = None,
        trial_megabytes: float | None = None,
        progress: Progress | None = None,
        space: Any = None,
        maker: str = MAKER,
    ) -> None:
        from .data import load

        _check_numbers(
            seconds=seconds,
            trials=trials,
            workers=workers,
            trial_seconds=trial_seconds,
            trial_megabytes=trial_megabytes,
        )
        data = load(data)
        problem = problem.check(data)
        seed = int(rng) if isinstance(rng, int | np.integer) else int(np.random.default_rng(rng).integers(2**31))
        options = {
            "seconds": SECONDS if seconds is None and trials is None else seconds,
            "trials": trials,
            "workers": workers,
            "trial_seconds": trial_seconds,
            "trial_megabytes": trial_megabytes,
        }
        folder = _new_folder(Path(path))
        study_files.write_dataset(folder, data)
        store = StudyStore.create(folder)
        store.set_fact("seed", seed)
        store.set_fact("maker", maker)
        store.set_fact("options", options)
        store.set_fact("problem", json.loads(problem.to_json()))  # the last: a study without it is none
        self._set_up(folder, store, data, problem, client, progress)
        if space is not None:
            self.space = space

    @classmethod
    def open(cls, path: str | Path, client: Any = None, progress: Progress | None = None) -> Study:
        """A study that was made before, by whatever process; `run` goes on with it.

        Raises
        ------
        FileNotFoundError, FileFormatError
            If there is none, or its files are damaged; the message names the file.
        """
        from .problem import Problem

        folder = Path(path)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such study (a folder with {FILE})")
        store = StudyStore.open(folder)
        try:
            stored = store.fact("problem")
            if stored is None:
                raise FileFormatError(f"{store.path}: a study that was never complete; make it anew")
            study = cls.__new__(cls)
            problem = Problem.from_json(json.dumps(stored))
            study._set_up(folder, store, study_files.read_dataset(folder), problem, client, progress)
        except BaseException:
            store.close()
            raise
        return study

    def _set_up(
        self, folder: Path, store: StudyStore, data: Dataset, problem: Problem, client: Any, progress: Progress | None
    ) -> None:
        self.path, self.data, self.problem, self.client, self.progress = folder, data, problem, client, progress
        self._store, self._seed, self._maker = store, store.fact("seed"), store.fact("maker")
        options = store.fact("options")
        self.seconds, self.trials_wanted, self.workers = options["seconds"], options["trials"], options["workers"]
        self.trial_seconds, self.trial_megabytes = options["trial_seconds"], options["trial_megabytes"]
        self._stopping, self._runs = threading.Event(), threading.Lock()
        self._made: dict[int, Model] = {}
        self._fitted: dict[
            int, tuple[float, bytes]
        ] = {}  # cost, pickled pipeline: of the best, while this object lives
        self._rows: dict[int, dict[str, Any]] = {}
        self.ended = ""

    def __repr__(self) -> str:
        return f"<Study {self.path}: {self.problem.sentence()}; {len(self._store.trials())} trials>"

    # -- to run it

    def run(self, seconds: float | None = None, trials: int | None = None) -> Iterator[Model]:
        """Search, and yield every model as soon as it is there; the ensemble of the best comes last.

        Goes on from where an earlier run ended, stopped or was killed. The search does not wait for who iterates; to
        leave the loop is to stop it.

        Parameters
        ----------
        seconds, trials : optional
            Instead of the study's own `seconds` (of this run) and `trials_wanted` (in all).

        Raises
        ------
        RuntimeError
            If it runs already.
        StoreError
            If another process runs it, or its folder cannot be written to.
        """
        _check_numbers(seconds=seconds, trials=trials)
        if not self._runs.acquire(blocking=False):
            raise RuntimeError(f"{self.path}: this study runs already; stop() it first")
        try:
            self._stopping.clear()
            lock = WriterLock(self.path / FILE, KIND)
            try:
                yield from self._live(self._budget(seconds, trials))
            finally:
                lock.release()
        finally:
            self._runs.release()

    def stop(self) -> None:
        """End the run at once, from any thread: running trials are given up; `run` tries them again."""
        self._stopping.set()

    def _budget(self, seconds: float | None, trials: int | None) -> tuple[float | None, int | None]:
        if seconds is None and trials is None:
            return self.seconds, self.trials_wanted
        return seconds, trials

    def _live(self, budget: tuple[float | None, int | None]) -> Iterator[Model]:
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        thread = threading.Thread(target=self._search, args=(*budget, arrived.put), daemon=True, name="study")
        thread.start()
        try:
            while (item := arrived.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._stopping.set()
            thread.join()

    def _search(self, seconds: float | None, trials: int | None, deliver: Any) -> None:
        began = time.monotonic()
        deadline = math.inf if seconds is None else began + seconds - min(2.0, RESERVE * seconds)
        number = self._store.begin_run(self.workers)
        try:
            self._store.abandon("its process ended while it ran")
            limits = usual_limits(self.trial_seconds, self.trial_megabytes, seconds, self.workers)
            loop = self._loop(limits, deliver)
            self.ended = loop.run(Budget(deadline, trials), partial(self._report, began, seconds, trials))
            self._blend(deliver)
        except BaseException as error:
            deliver(error)
        finally:
            self._store.end_run(number, time.monotonic() - began)
            deliver(_END)

    def _loop(self, limits: Any, deliver: Any) -> Loop:
        pool = make_pool(self.client, self.workers, self.work)
        try:
            pool.start()  # it imports while the portfolio is made
            proposals = Proposals(self._store, self.work, self._store.fact("space"), self._seed)
            found = partial(self._found, deliver)
            return Loop(
                *(self._store, self.work, pool, proposals, self._portfolio(), limits, self._seed),
                *(self._name, self._keep, found, self._stopping),
            )
        except BaseException:
            pool.close()
            raise

    def _portfolio(self) -> list[dict[str, Any]]:
        if self._maker == MAKER:
            from .portfolio import portfolio
        else:
            portfolio = maker_module(self._maker).portfolio
        configs, space = list(portfolio(self.data, self.problem)), self.space
        if space is None:
            return configs
        from .smac_search import legal

        return [config for config in configs if legal(space, config) is not None]

    def _name(self, config: Any) -> str:
        return maker_module(self._maker).describe(config, self.problem.task)

    def _report(self, began: float, seconds: float | None, trials: int | None, finished: int) -> None:
        progress = self.progress
        if progress is None:
            return
        total, done = (
            (trials, finished) if trials is not None else (math.ceil(seconds or 0), int(time.monotonic() - began))
        )
        if progress.total != total:
            progress.start(total)
        progress.update(min(done, total - 1), lambda: f"{finished} trials, {len(self._made)} models")
        if progress.cancelled:
            self.stop()

    # -- what comes of it

    @cached_property
    def plan(self) -> Plan:
        """Which rows are fitted to and which judged on."""
        from .splits import plan

        return plan(self.data, self.problem, self._seed)

    @cached_property
    def work(self) -> Work:
        """What all trials have in common."""
        return Work(self.data, self.problem, self.plan, self._maker)

    @property
    def space(self) -> Any:
        """The ConfigurationSpace that the user gave it; None where it is the usual one of the problem.

        Setting it changes what the next run tries: proposals that were not tried yet are forgotten, trials are kept.
        """
        from .smac_search import space_of

        stored = self._store.fact("space")
        return None if stored is None else space_of(stored)

    @space.setter
    def space(self, space: Any) -> None:
        from .smac_search import text_of

        if self._runs.locked():
            raise RuntimeError(f"{self.path}: the study runs; stop() it before its space changes")
        self._store.set_fact("space", None if space is None else text_of(space))
        self._store.forget_batches()

    @property
    def trials(self) -> pd.DataFrame:
        """Every trial: number, status, reason, config (JSON), name, source, fidelity, cost, the metric on the "train"
        (out-of-fold) and "holdout" rows, seconds, fit_seconds, score_seconds, started."""
        import pandas as pd

        rows = [self._line(row) for row in self._store.trials()]
        columns = ["number", "status", "reason", "config", "name", "source", "fidelity", "cost", "train", "holdout"]
        return pd.DataFrame(rows, columns=[*columns, "seconds", "fit_seconds", "score_seconds", "started"])

    def _line(self, row: dict[str, Any]) -> dict[str, Any]:
        import pandas as pd

        values = {split: row["metrics"].get(split, math.nan) for split in ("train", "holdout")}
        cost = math.nan if row["cost"] is None else row["cost"]
        started = pd.Timestamp(row["started"], unit="s")
        return {**row, **values, "cost": cost, "config": json.dumps(row["config"]), "started": started}

    @property
    def models(self) -> list[Model]:
        """Every model, the best first (by the cost of its out-of-fold predictions)."""
        rows = [row for row in self._store.trials() if row["status"] == "ok" and row["kept"]]
        newest = max((row["number"] for row in rows if row["source"] == "ensemble"), default=None)
        rows = [row for row in rows if row["source"] != "ensemble" or row["number"] == newest]
        return [self._model(row) for row in sorted(rows, key=lambda row: (row["cost"], row["number"]))]

    @property
    def best(self) -> Model | None:
        """The best model; None before there is one."""
        return next(iter(self.models), None)

    def leaderboard(self) -> pd.DataFrame:
        """Models, best first, with the trivial predictor at its place.

        Columns number, name, the metric's value, low and high of its 95% interval on the rows of `split`, cost,
        seconds, fidelity.
        """
        import pandas as pd

        rows = [self._ranked(model) for model in self.models]
        rows.append(self._trivial)
        frame = pd.DataFrame(sorted(rows, key=lambda row: (row["cost"], row["name"] == "trivial")))
        return frame.astype({"number": "Int64"})

    def timings(self) -> dict[str, float]:
        """Seconds of all runs: wall clock, of all workers (`available`), in trials, fitting, scoring, proposals.

        Proposals overlap with trials. `overhead` is the share of `available` that no trial used.
        """
        rows, runs = [row for row in self._store.trials() if row["source"] != "ensemble"], self._store.runs()
        runs = [run for run in runs if run["seconds"] is not None]
        total = {name: sum(row[name] or 0 for row in rows) for name in ("seconds", "fit_seconds", "score_seconds")}
        available = sum(run["seconds"] * run["workers"] for run in runs)
        return {
            "wall": sum(run["seconds"] for run in runs),
            "available": available,
            "trials": total["seconds"],
            "fit": total["fit_seconds"],
            "score": total["score_seconds"],
            "proposals": sum(batch["seconds"] or 0 for batch in self._store.batches()),
            "overhead": 1 - total["seconds"] / available if available else math.nan,
        }

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        with self._runs:
            self._store.close()

    # -- models and their files

    def _keep(self, number: int, result: TrialResult) -> None:
        assert result.predictions is not None
        study_files.write_frame(self._file(number), result.predictions)
        if result.pipeline is not None:
            self._fitted[number] = (float(result.cost or 0), result.pipeline)
            for worst in sorted(self._fitted, key=self._fitted.__getitem__)[KEPT:]:
                del self._fitted[worst]

    def _found(self, deliver: Any, number: int, result: TrialResult) -> None:
        row = self._store.trial(number)
        if row["kept"]:
            deliver(self._model(row, result.predictions))

    def _file(self, number: int) -> Path:
        return self.path / "predictions" / f"{number}.parquet"

    def _model(self, row: dict[str, Any], predictions: pd.DataFrame | None = None) -> Model:
        from .model import Model

        number = row["number"]
        if number not in self._made:
            if predictions is None:
                predictions = study_files.read_frame(self._file(number))[0]
            told = {name: row[name] for name in ("number", "seed", "cost", "seconds", "fidelity", "name")}
            pipeline = partial(self._pipeline, number)
            told["members"] = self._members(row)
            self._made.setdefault(number, Model(self.data, self.problem, row["config"], predictions, pipeline, **told))
        return self._made[number]

    def _members(self, row: dict[str, Any]) -> list[tuple[Model, float]]:
        """Models and weights of an ensemble."""
        if row["source"] != "ensemble":
            return []
        numbers, weights = row["config"]["members"], row["config"]["weights"]
        return [(self._model(self._store.trial(each)), weight) for each, weight in zip(numbers, weights, strict=True)]

    def _pipeline(self, number: int) -> Any:
        """The fitted pipeline of a trial: as it came from its worker, or fitted again, with the same seed and rows.

        Nothing fitted lies in the folder: reading pickles would be to run code from a file, and skops takes seconds to
        import. `export` writes skops files.
        """
        row = self._store.trial(number)
        if row["source"] == "ensemble":
            from .ensemble import Ensemble

            members = [self._model(self._store.trial(member)).pipeline for member in row["config"]["members"]]
            return Ensemble(members, row["config"]["weights"])
        if number in self._fitted:
            return pickle.loads(self._fitted[number][1])
        return refitted(self.work, row["config"], row["seed"])

    def _blend(self, deliver: Any) -> None:
        """The ensemble of the best, if it is better than they are."""
        from . import ensemble

        models = [model for model in self.models if model.config.get("model") != ensemble.NAME][: ensemble.MOST]
        found = ensemble.combine(self.problem, [model.predictions for model in models], self._cost)
        if found is None:
            return
        weights, predictions = found
        chosen = [(model, float(weight)) for model, weight in zip(models, weights, strict=True) if weight > 0]
        config = {"model": ensemble.NAME, "members": [m.number for m, _ in chosen], "weights": [w for _, w in chosen]}
        self._add_ensemble(config, predictions, f"ensemble of {len(chosen)} models", deliver)

    def _add_ensemble(self, config: dict[str, Any], predictions: pd.DataFrame, name: str, deliver: Any) -> None:
        from .smac_search import key

        began = time.monotonic()
        parts = {split: predictions[predictions["split"] == split] for split in ("train", "holdout")}
        metrics = {split: judged(self.work, rows) for split, rows in parts.items() if len(rows)}
        last = max(
            (m for m in self._store.trials() if m["source"] == "ensemble"), key=lambda m: m["number"], default=None
        )
        if last is not None and last["config"] == config:
            return
        number = self._store.begin(config, key(config), name, "ensemble", 1.0, self._seed)
        result = TrialResult("ok", "", self._cost(parts["train"]), (), predictions, metrics)
        self._keep(number, result)
        spent = time.monotonic() - began
        self._store.finish(number, "ok", cost=result.cost, metrics=metrics, seconds=spent, kept=1)
        self._found(deliver, number, result)

    def _cost(self, frame: pd.DataFrame) -> float:
        cost = cost_of(self.problem, judged(self.work, frame))
        return math.inf if cost is None else cost

    def _ranked(self, model: Model) -> dict[str, Any]:
        number = model.number
        if number not in self._rows:
            about = {"cost": model.cost, "seconds": model.seconds, "fidelity": model.fidelity}
            self._rows[number] = {"number": number, "name": model.name, **self._scores(model.predictions), **about}
        return self._rows[number]

    @cached_property
    def _trivial(self) -> dict[str, Any]:
        from . import scores

        predictions = scores.trivial(self.data, self.problem, self.plan)
        train = predictions[predictions["split"] == "train"]
        cost = self._cost(train if len(train) else predictions)
        return {
            "number": None,
            "name": "trivial",
            **self._scores(predictions),
            "cost": cost,
            "seconds": 0.0,
            "fidelity": 1.0,
        }

    def _scores(self, predictions: pd.DataFrame) -> dict[str, Any]:
        from . import scores

        metric = str(self.problem.metric)
        split = "holdout" if (predictions["split"] == "holdout").any() else "train"
        table = scores.table(self.problem, predictions, split, (metric,), self.data)
        found = table.iloc[0].to_dict() if len(table) else {"value": math.nan, "low": math.nan, "high": math.nan}
        return {metric: found["value"], "low": found["low"], "high": found["high"], "split": split}


def _new_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder}: exists already; choose another name, or go on with it: Study.open({str(folder)!r})"
        )
    if not folder.resolve().parent.is_dir():
        raise FileNotFoundError(f"{folder.parent}: no such folder to put the study in")
    for part in (folder, folder / "predictions"):
        part.mkdir(exist_ok=True)
    return folder


def _check_numbers(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None and not value > 0:
            raise ValueError(f"{name} is {value}; expected a number above 0")
