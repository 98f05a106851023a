"""The loop of a study: jobs to workers, results to the store, proposals of SMAC asked for before they are needed."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import os
import queue
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..nursery import keep_spare
from ..store import StoreError
from ..worker_process import reason_of
from ..workers import Limits, Outcome, Pool
from . import fidelity
from .fidelity import Done, Job
from .trial import MAKER, TrialResult, Work, folds_at, maker_module, preloaded

if TYPE_CHECKING:
    from .study_store import StudyStore

TICK = 0.1  # seconds between two looks at the clock and at stop()
KEPT = 10  # fitted pipelines are kept of trials among so many best; others are fitted again when they are needed
CLOSING = 0.15  # last share of a run's time, in which what looked good in cheap trials becomes models
MEMORY = 0.6  # share of the machine's memory that all trials together may take
OVER = "the study's time was up"
STOPPED = "the study was stopped"


@dataclass
class Budget:
    """How long one run may take: until `deadline` (time.monotonic), or `trials` finished ones in all."""

    deadline: float = math.inf
    trials: int | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - time.monotonic()

    @property
    def closing(self) -> bool:
        """Whether the end is near."""
        return self.left < CLOSING * (self.deadline - self.began)


class Proposals:
    """Batches of proposals: asked for while trials run, made in a process of their own, kept in the store.

    What a batch contains follows from the trials that had finished when it was asked for, and nothing else. The first
    one is drawn by chance: SMAC is imported while its trials run.
    """

    def __init__(self, store: StudyStore, work: Work, space: str | None, seed: int, nice: int = 0) -> None:
        self._store, self._seed = store, seed
        self._pool = Pool(1, (work.data, work.problem, work.maker, space, seed), nice=nice)
        self._unanswered = next((batch for batch in store.batches() if batch["configs"] is None), None)
        self._answers: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._wanted, self._again = 0, False
        self._asked: tuple[int, tuple[Any, ...]]
        self.exhausted = False

    @property
    def coming(self) -> bool:
        """Whether a batch was asked for and not taken yet."""
        return self._wanted > 0

    def ask(self, finished: list[Done], wanted: int) -> None:
        """Ask for a batch unless one is on its way."""
        if self.exhausted or self.coming:
            return
        asked, self._unanswered = self._unanswered, None
        if asked is None:
            number = self._store.ask(len(finished), wanted, self._seed)
            asked = {"number": number, "told": len(finished), "wanted": wanted}
        self._wanted, self._again = asked["wanted"], False
        told = [(dict(config), cost) for config, cost in fidelity.told(finished[: asked["told"]])]
        self._asked = asked["number"], (told, asked["wanted"], self._seed + asked["number"], asked["number"] > 1)
        self._ask()

    def _ask(self) -> None:
        before = self._thread
        self._thread = threading.Thread(target=self._make, args=(before, *self._asked), daemon=True)
        self._thread.start()

    def take(self, timeout: float) -> bool:
        """Whether a batch arrived within `timeout` seconds; it is in the store then."""
        try:
            outcome = self._answers.get(timeout=timeout) if timeout > 0 else self._answers.get_nowait()
        except queue.Empty:
            return False
        if outcome.status != "ok" and not self._again:  # its process may have been killed, for want of memory
            self._again = True
            self._ask()
            return False
        if outcome.status != "ok":
            raise RuntimeError(f"no proposals could be made, twice: {outcome.reason}")
        self._store.answer(outcome.tag, outcome.value, outcome.seconds)
        self.exhausted = len(outcome.value) < self._wanted
        self._wanted = 0
        return True

    def close(self) -> None:
        self._pool.close()
        if self._thread is not None:
            self._thread.join()

    def _make(self, before: threading.Thread | None, number: int, arguments: tuple[Any, ...]) -> None:
        """In a thread: to start a process takes longer than the loop may wait."""
        if before is not None:
            before.join()
        try:
            self._pool.submit(number, f"{__name__}:propose", arguments)
            self._answers.put(self._pool.wait()[0])
            if not arguments[-1]:
                self._pool.submit(0, f"{__name__}:warm")
                self._pool.wait()
        except Exception as error:  # also of a pool that is closed meanwhile
            self._answers.put(Outcome(number, "failed", None, reason_of(error)))


def propose(context: Any, told: list[Any], wanted: int, seed: int, surrogate: bool) -> list[dict[str, Any]]:
    """In the proposer's process: see `smac_search.propose`; a maker may have a `propose` of its own."""
    from . import smac_search

    logging.getLogger("smac").setLevel(logging.ERROR)  # it warns of what is meant to be so

    data, problem, maker, text, space_seed = context
    space = space_for(data, problem, maker, text, space_seed)
    own = _own(maker, "propose")
    if own is not None:
        return own(space, told, wanted, seed)
    if not surrogate:
        return smac_search.at_random(space, [smac_search.key(config) for config, _ in told], wanted, seed)
    return smac_search.propose(space, told, wanted, seed)


def warm(context: Any) -> None:
    """In the proposer's process: import SMAC before it is needed."""
    if _own(context[2], "propose") is None:
        importlib.import_module("smac")


def _own(maker: str, name: str) -> Any:
    """What a maker does in its own way (`propose`, `rungs`); None for what it leaves to the study."""
    return None if maker == MAKER else getattr(maker_module(maker), name, None)


def space_for(data: Any, problem: Any, maker: str, space: str | None, seed: int) -> Any:
    """The ConfigurationSpace of a study: its own, or the one that fits the problem."""
    from . import smac_search

    if space is not None:
        return smac_search.space_of(space)
    if maker != MAKER:
        return maker_module(maker).space(data, problem, seed)
    from .space import space as fitting

    return fitting(data, problem, seed)


class Loop:
    """One run of a study, to its budget's end.

    Parameters
    ----------
    store : StudyStore
    work : Work
    pool : Pool or DaskPool
        For the trials; closed at the end.
    proposals : Proposals
    portfolio : list of dict
        What is tried first.
    limits : Limits
        Of one trial.
    seed : int
    name : callable
        Words for a configuration.
    keep, found : callable taking number and TrialResult
        Called for every finished trial, before and after it is in the store.
    stopping : threading.Event
    """

    def __init__(
        self,
        store: StudyStore,
        work: Work,
        pool: Any,
        proposals: Proposals,
        portfolio: list[dict[str, Any]],
        limits: Limits,
        seed: int,
        name: Callable[[Any], str],
        keep: Callable[[int, TrialResult], None],
        found: Callable[[int, TrialResult], None],
        stopping: threading.Event,
    ) -> None:
        self._store, self._work, self._pool, self._proposals = store, work, pool, proposals
        self._portfolio, self._limits, self._seed, self._name = portfolio, limits, seed, name
        self._keep, self._found, self._stopping = keep, found, stopping
        self._levels = levels_of(work)
        self._growth = growth_of(work, self._levels)
        self._trials: dict[int, Done] = {}
        self._finished: list[Done] = []
        self._queue: list[Job] = []
        self._costs: list[float] = []
        self._recall()

    def run(self, budget: Budget, report: Callable[[int], None] = lambda finished: None) -> str:
        """Why it ended: "time", "trials", "stopped" or "exhausted"."""
        try:
            return self._run(budget, report)
        finally:
            with contextlib.ExitStack() as last:  # each of them, whatever the others do
                last.callback(self._pool.close)
                last.callback(self._proposals.close)
                last.callback(self._give_up)

    def _run(self, budget: Budget, report: Callable[[int], None]) -> str:
        steady = budget.trials is not None and self._pool.workers == 1
        while True:
            report(len(self._finished))
            if self._stopping.is_set():
                return "stopped"
            if time.monotonic() >= budget.deadline:
                return "time"
            if budget.trials is not None and len(self._finished) >= budget.trials:
                return "trials"
            idle = self._fill(budget, steady)
            if idle and not self._pool.running:
                if not self._proposals.coming:
                    return "exhausted"
                self._proposals.take(TICK)
                self._requeue()
                continue
            left = min(TICK, max(0.0, budget.deadline - time.monotonic()))
            for outcome in self._pool.wait(left / 2 if idle and self._proposals.coming else left):
                self._end(outcome)

    # -- what runs next

    def _fill(self, budget: Budget, steady: bool) -> bool:
        """Give every free worker a job; whether one is left without."""
        while self._pool.free > 0:
            if budget.trials is not None and len(self._finished) + len(self._pool.running) >= budget.trials:
                return False
            job = self._next(budget, steady)
            if job is None:
                return True
            self._start(job)
        return False

    def _next(self, budget: Budget, steady: bool) -> Job | None:
        few = 4 + min(len(self._trials) // 8, 12)
        if len(self._queue) <= few:
            self._proposals.ask(self._finished, few * 2)
        if not self._queue and self._proposals.coming:
            # With one worker and a number of trials nothing may depend on how fast the proposals come.
            arrived = self._proposals.take(TICK if steady else 0)
            if arrived:
                self._requeue()
            elif steady:
                return None
        trials, left = list(self._trials.values()), budget.left
        fits = lambda trial: trial.seconds * self._growth[trial.fidelity] < left  # noqa: E731
        return fidelity.next_job(trials, self._queue, self._levels, fits, budget.closing)

    def _start(self, job: Job) -> None:
        seed = seed_of(self._seed, job.key)
        number = self._store.begin(job.config, job.key, self._name(job.config), job.source, job.fidelity, seed)
        self._trials[number] = Done(job.key, job.config, job.fidelity, None, job.source, finished=False)
        self._queue = [waiting for waiting in self._queue if waiting.key != job.key]
        keep = sorted(self._costs)[KEPT - 1] if len(self._costs) >= KEPT else math.inf
        arguments = (dict(job.config), seed, job.fidelity, job.fidelity >= 1, keep)
        self._pool.submit(number, "learnviews.kernels.search.trial:carry_out", arguments, self._limits)

    # -- what came of it

    def _end(self, outcome: Outcome) -> None:
        number, result = outcome.tag, outcome.value
        if outcome.status != "ok":
            result = TrialResult(outcome.status, outcome.reason)
        before = self._trials[number]
        full = before.fidelity >= 1 and result.status == "ok"
        if full:
            self._keep(number, result)
        spent = {"seconds": outcome.seconds, "fit_seconds": result.fit_seconds, "score_seconds": result.score_seconds}
        told = {"cost": result.cost, "metrics": result.metrics, "fold_scores": list(result.fold_scores)}
        self._store.finish(number, result.status, result.reason, **told, **spent, kept=int(full))
        self._note(number, replace(before, cost=result.cost, finished=True, seconds=outcome.seconds))
        self._found(number, result)

    def _note(self, number: int, done: Done) -> None:
        self._trials[number] = done
        self._finished.append(done)
        if done.cost is not None and done.fidelity >= 1:
            self._costs.append(done.cost)

    def _give_up(self) -> None:
        reason = STOPPED if self._stopping.is_set() else OVER
        for number in self._pool.running:
            outcome = self._pool.stop(number, "killed", reason)
            with contextlib.suppress(StoreError):  # the next run finds it as one that was left running
                self._store.finish(number, "killed", reason, seconds=outcome.seconds if outcome else None)
            del self._trials[number]

    # -- what is known from before

    def _recall(self) -> None:
        """Trials and proposals of earlier runs; killed trials are tried again."""
        rows = [row for row in self._store.trials() if row["finished"] is not None and row["source"] != "ensemble"]
        for row in sorted(rows, key=lambda row: row["finished"]):
            spent = row["seconds"] or 0.0
            done = Done(row["key"], row["config"], row["fidelity"], row["cost"], row["source"], seconds=spent)
            self._note(row["number"], done)
        self._requeue()

    def _requeue(self) -> None:
        """Everything that was proposed and not yet tried, in its order."""
        jobs = [Job(config, self._levels[0], "portfolio") for config in self._portfolio]
        for batch in self._store.batches():
            jobs += [Job(config, self._levels[0], "search") for config in batch["configs"] or ()]
        tried = {done.key for done in self._trials.values()}
        self._queue = list({job.key: job for job in reversed(jobs) if job.key not in tried}.values())[::-1]


def levels_of(work: Work) -> tuple[float, ...]:
    """The fidelities that suit a study's data, or those of its maker."""
    columns = len(work.problem.features or ()) or len(work.data.columns)
    rungs = _own(work.maker, "rungs") or fidelity.rungs
    return rungs(len(work.plan.train_rows), columns, len(work.plan.folds))


def growth_of(work: Work, levels: tuple[float, ...]) -> dict[float, float]:
    """Level -> how many times as long the full effort takes: by the rows that are fitted to, all fits together."""
    rows = {level: sum(len(fit) for fit, _ in folds_at(work, level)) for level in levels}
    last = len(work.plan.train_rows) if len(work.plan.holdout_rows) else 0
    return {level: (rows[1.0] + last) / max(rows[level], 1) for level in levels}


def seed_of(seed: int, name: str) -> int:
    """A trial's own seed: of the study and the configuration, not of the order in which trials happen to run."""
    return zlib.crc32(f"{seed} {name}".encode()) & 0x7FFFFFFF


def usual_limits(seconds: float | None, megabytes: float | None, budget: float | None, workers: int) -> Limits:
    """What one trial may take where the user did not say: a fifth of the time, its share of the memory."""
    if seconds is None:
        seconds = 300.0 if budget is None else max(10.0, budget / 5)
    if megabytes is None:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
        megabytes = max(512.0, MEMORY * whole / max(workers, 1))
    return Limits(seconds, megabytes)


def make_pool(client: Any, workers: int, work: Work, nice: int = 0) -> Any:
    """Workers for the trials: processes here, or those of a Dask client."""
    if client is None:
        return Pool(workers, work, preloaded(work.maker), nice)
    from .dask_workers import DaskPool

    return DaskPool(client, workers, work, preloaded(work.maker))


def prepare(nice: int = 0) -> None:
    """Have a process import what trials need: those of the next study with this `nice` start sooner."""
    keep_spare(preloaded(MAKER), nice)
