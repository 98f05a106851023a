"""A study: the search for models of one problem, live, resumable, in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..store import FileFormatError, StoreError, WriterLock, is_locked
from . import study_files
from .search_loop import Budget, Loop, Proposals, make_pool, usual_limits
from .study_models import StudyModels
from .study_store import FILE, KIND, StudyStore
from .study_tables import Leaderboard, running_table, trials_table
from .timings import timings
from .trial import MAKER, Work, maker_module

if TYPE_CHECKING:
    import pandas as pd

    from ..progress import Progress
    from .baseline import Baseline
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
        What one trial may take before it is stopped. By default a fifth of `seconds` (10 at least), and an equal share
        of the memory.
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
        facts = {"seed": seed, "maker": maker, "options": options, "space": None if space is None else _text_of(space)}
        facts["problem"] = json.loads(problem.to_json())  # the last: a study without it is none
        folder = study_files.new_folder(Path(path))
        with contextlib.ExitStack() as undo:  # the name is free to be used again if this fails
            undo.callback(study_files.discard, folder)
            study_files.write_dataset(folder, data)
            store = StudyStore.create(folder)
            undo.callback(store.close)
            for name, value in facts.items():
                store.set_fact(name, value)
            undo.pop_all()
        self._set_up(folder, store, data, problem, client, progress)

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
        self._models = StudyModels(folder, store, data, problem, lambda: self.work)
        self._table: tuple[Any, Any] = (None, None)
        self.nice = 0  # how far its processes here let others go first: see `os.nice`

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
            lock = WriterLock(self.path / FILE, KIND)
        except BaseException:
            self._runs.release()
            raise
        self._stopping = threading.Event()
        yield from self._live(self._budget(seconds, trials), lock)

    def stop(self) -> None:
        """End the run at once, from any thread: running trials are given up; `run` tries them again."""
        self._stopping.set()

    def _budget(self, seconds: float | None, trials: int | None) -> tuple[float | None, int | None]:
        if seconds is None and trials is None:
            return self.seconds, self.trials_wanted
        return seconds, trials

    def _live(self, budget: tuple[float | None, int | None], lock: WriterLock) -> Iterator[Model]:
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        thread = threading.Thread(target=self._search, args=(*budget, arrived.put, lock), daemon=True, name="study")
        stopping = self._stopping
        thread.start()
        try:
            while (item := arrived.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stopping.set()
            thread.join()

    def _search(
        self, seconds: float | None, trials: int | None, deliver: Callable[[Any], None], lock: WriterLock
    ) -> None:
        """In a thread of its own; whatever happens, who iterates hears of the end."""
        try:
            self._one_run(seconds, trials, deliver)
        except BaseException as error:
            deliver(error)
        finally:
            lock.release()
            self._runs.release()
            deliver(_END)

    def _one_run(self, seconds: float | None, trials: int | None, deliver: Callable[[Any], None]) -> None:
        began = time.monotonic()
        deadline = math.inf if seconds is None else began + seconds - min(2.0, RESERVE * seconds)
        self._store.abandon("its process ended while it ran")
        pool = make_pool(self.client, self.workers, self.work, self.nice)
        number = self._store.begin_run(pool.workers)
        try:
            self._store.set_fact("ended", "failed")  # until it has ended well
            limits = usual_limits(self.trial_seconds, self.trial_megabytes, seconds, self.workers)
            loop = self._loop(pool, limits, deliver)
            ended = loop.run(Budget(deadline, trials), partial(self._report, began, seconds, trials))
            blended = self._models.blend(self._seed)
            if blended is not None:
                deliver(blended)
            self._store.set_fact("ended", ended)
        except BaseException:
            with contextlib.suppress(StoreError):  # what went wrong is to be told, not that this fails too
                self._store.end_run(number, time.monotonic() - began)
            raise
        self._store.end_run(number, time.monotonic() - began)

    def _loop(self, pool: Any, limits: Any, deliver: Callable[[Any], None]) -> Loop:
        try:
            pool.start()  # it imports while the portfolio is made
            proposals = Proposals(self._store, self.work, self._store.fact("space"), self._seed, self.nice)
            found = partial(self._found, deliver)
            return Loop(
                *(self._store, self.work, pool, proposals, self._portfolio(), limits, self._seed),
                *(self._name, self._models.keep, found, self._stopping),
            )
        except BaseException:
            pool.close()
            raise

    def _found(self, deliver: Callable[[Any], None], number: int, result: Any) -> None:
        row = self._store.trial(number)
        if row["kept"]:
            deliver(self._models.of(row, result.predictions))

    def _portfolio(self) -> list[dict[str, Any]]:
        if self._maker == MAKER:
            from .portfolio import portfolio
        else:
            portfolio = maker_module(self._maker).portfolio
        configs, space = list(portfolio(self.data, self.problem)), self.space
        if space is None:
            return configs
        from .smac_search import adapted

        return list(filter(None, (adapted(space, config) for config in configs)))

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
        progress.update(min(done, total - 1), lambda: f"{finished} trials, {len(self._models)} models")
        if progress.cancelled:
            self.stop()

    # -- what comes of it

    @property
    def seed(self) -> int:
        """Of splits and proposals."""
        return int(self._seed)

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
        if self._runs.locked():
            raise RuntimeError(f"{self.path}: the study runs; stop() it before its space changes")
        text = None if space is None else _text_of(space)
        lock = WriterLock(self.path / FILE, KIND)
        try:
            self._store.set_fact("space", text)
            self._store.forget_batches()
        finally:
            lock.release()

    @property
    def trials(self) -> pd.DataFrame:
        """Every trial: number, status, reason, config (JSON), name, source, fidelity, cost, the metric on the "train"
        (out-of-fold) and "holdout" rows, seconds, fit_seconds, score_seconds, started."""
        version = self._store.version()
        if self._table[0] != version:
            self._table = (version, trials_table(self._store.trials()))
        return self._table[1].copy()

    @property
    def models(self) -> list[Model]:
        """Every model, the best first (by the cost of its out-of-fold predictions)."""
        return [self._models.of(row) for row in self._models.ranked()]

    @property
    def best(self) -> Model | None:
        """The best model; None before there is one."""
        return next((self._models.of(row) for row in self._models.ranked()), None)

    def model(self, number: int) -> Model:
        """A model by its number, also an ensemble that a newer one replaced; LookupError where there is none."""
        row = next((row for row in self._store.trials() if row["number"] == number), None)
        if row is None or not row["kept"]:
            raise LookupError(f"{self.path}: no model {number}")
        return self._models.of(row)

    @cached_property
    def baseline(self) -> Baseline:
        """The predictor that knows nothing of the features, as a model with number -1: what others have to beat."""
        from .baseline import baseline

        return baseline(self.work)

    def leaderboard(self, top: int | None = None) -> pd.DataFrame:
        """Models, best first, with the trivial predictor at its place.

        Parameters
        ----------
        top : int, optional
            Only so many models, and the trivial predictor.

        Returns
        -------
        DataFrame
            Columns number, name, the metric's value, low and high of its 95% interval on the rows of `split`, cost,
            seconds, fidelity. Without `top` only the best `study_tables.SURE` models have their intervals (others nan);
            intervals are kept in the study, so that they are drawn once.
        """
        _check_numbers(top=top)
        return self._board.table(self._models.ranked(), top)

    @cached_property
    def _board(self) -> Leaderboard:
        return Leaderboard(self._store, str(self.problem.metric), self._models.of, lambda: self.baseline)

    # -- to follow a run, here or in another process

    @property
    def version(self) -> tuple[Any, ...]:
        """Another value than before if a trial or a run began or ended since, in whatever process.

        To ask costs next to nothing. Values of one Study object can be compared, those of two cannot.

        Raises
        ------
        StoreError
            If the study's folder was deleted; the message names it.
        """
        return (*self._store.version(), self.running)

    @property
    def running(self) -> bool:
        """Whether a run goes on, here or in another process; a process that was killed runs no more."""
        return self._runs.locked() or is_locked(self.path / FILE)

    @property
    def ended(self) -> str:
        """How the last run ended, in whatever process: "time", "trials", "exhausted", "stopped", "failed", or "killed"
        where its process died; "" before there was one, and while one goes on."""
        runs = self._store.runs()
        if not runs or self.running:
            return ""
        return "killed" if runs[-1]["seconds"] is None else self._store.fact("ended") or ""

    @property
    def in_progress(self) -> pd.DataFrame:
        """Trials that run now: number, name, started (UTC), fidelity, source. None where no run goes on."""
        return running_table(self._store.trials() if self.running else [])

    def timings(self) -> dict[str, float]:
        """Where the time of all runs went, in seconds and shares; see `timings.timings`."""
        return timings(self._store.trials(), self._store.runs(), self._store.batches())

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        with self._runs:
            self._store.close()


def _text_of(space: Any) -> str:
    from .smac_search import text_of

    if not hasattr(space, "to_serialized_dict"):
        raise TypeError(f"space is a {type(space).__name__}; expected a ConfigSpace.ConfigurationSpace")
    return text_of(space)


def _check_numbers(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None and not value > 0:
            raise ValueError(f"{name} is {value}; expected a number above 0")
