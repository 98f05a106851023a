"""Trials on a Dask cluster: futures on a client, each trial in a process of its own beside its Dask worker."""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from typing import Any

from ..figures import figure
from ..workers import Limits, Outcome, Pool

GRACE = 30.0  # seconds that a task may take longer than its own limit before it counts as lost
LOOK = 0.2  # seconds between two looks at whether a task is still wanted
FRESH = 1.0  # seconds for which the number of Dask workers is taken for known: to ask is a message
UNUSED = 600.0  # seconds after which processes are ended that another study left behind


class DaskPool:
    """As `workers.Pool`, on the workers of a Dask client; at most one task per worker of the cluster.

    Parameters
    ----------
    client : distributed.Client
    workers : int
        At most so many tasks at once.
    context : object
        Sent to every Dask worker once.
    preload : sequence of str
    """

    def __init__(self, client: Any, workers: int, context: Any, preload: tuple[str, ...] = ()) -> None:
        self._client, self._most, self._preload = client, workers, preload
        self._sent, self._name, self._count = context, f"learnviews-{uuid.uuid4().hex}", 0
        self._context = self._scattered()
        self._at_work: dict[Any, tuple[Any, float, Limits]] = {}
        self._there, self._asked = 1, -math.inf

    def start(self) -> None:
        """Nothing to begin: the cluster is there."""

    @property
    def workers(self) -> int:
        """Tasks that can run side by side now: workers may come and go."""
        if time.monotonic() - self._asked > FRESH:
            self._there = len(self._client.scheduler_info(n_workers=-1)["workers"])
            self._asked = time.monotonic()
        return min(self._most, max(1, self._there))

    @property
    def free(self) -> int:
        return self.workers - len(self._at_work)

    @property
    def running(self) -> list[Any]:
        return list(self._at_work)

    def submit(self, tag: Any, function: str, arguments: tuple[Any, ...] = (), limits: Limits | None = None) -> None:
        """Start a task; see `Pool.submit`."""
        if self._context.status != "finished":  # all workers that held it are gone
            self._context = self._scattered()
        limits = limits or Limits()
        self._count += 1
        call = (self._context, function, arguments, limits, self._preload, self._name)
        future = self._client.submit(_apart, *call, key=f"{self._name}-{self._count}", pure=False)
        self._at_work[tag] = (future, time.monotonic(), limits)

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that ended; see `Pool.wait`."""
        from distributed import wait as first_of

        end = None if timeout is None else time.monotonic() + timeout
        while self._at_work:
            found = [outcome for tag in list(self._at_work) if (outcome := self._ended(tag)) is not None]
            if found or (end is not None and time.monotonic() >= end):
                return found
            left = LOOK if end is None else min(LOOK, max(0.001, end - time.monotonic()))
            futures = [future for future, _, _ in self._at_work.values()]
            with contextlib.suppress(TimeoutError):
                first_of(futures, timeout=left, return_when="FIRST_COMPLETED")
        return []

    def stop(self, tag: Any, status: str = "killed", reason: str = "stopped") -> Outcome | None:
        """Give up one task; its process ends as soon as the Dask worker hears of it."""
        if tag not in self._at_work:
            return None
        future, started, _ = self._at_work.pop(tag)
        future.cancel(force=True)
        return Outcome(tag, status, None, reason, time.monotonic() - started)

    def close(self) -> None:
        """Give up every task, and end the processes beside the Dask workers."""
        for tag in list(self._at_work):
            self.stop(tag)
        with contextlib.suppress(Exception):  # a cluster that is gone has none left
            self._client.run(_release, self._name, on_error="ignore")
        self._context.release()

    def _scattered(self) -> Any:
        try:
            return self._client.scatter(self._sent, broadcast=True, hash=False)
        except TimeoutError as error:
            raise RuntimeError(f"the Dask cluster at {self._client.scheduler.address} has no workers") from error

    def _ended(self, tag: Any) -> Outcome | None:
        future, started, limits = self._at_work[tag]
        spent = time.monotonic() - started
        if not future.done():
            lost = limits.seconds is not None and spent > limits.seconds + GRACE
            return self.stop(tag, "timeout", f"no answer within {figure(limits.seconds, 3)} s") if lost else None
        del self._at_work[tag]
        try:
            return Outcome(tag, *future.result())
        except Exception as error:  # also CancelledError of Dask: its data were lost
            return Outcome(tag, "failed", None, f"its Dask worker was lost ({type(error).__name__})", spent)


# -- on a Dask worker


def _apart(
    context: Any, function: str, arguments: tuple[Any, ...], limits: Limits, preload: tuple[str, ...], study: str
) -> tuple[str, Any, str, float]:
    """The task in a process that can be stopped: Dask has no way to end what runs in a thread of its worker."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    pool = _borrow(worker, study) or Pool(1, context, preload)
    try:
        pool.submit(0, function, arguments, limits)
        while not (found := pool.wait(LOOK)):
            if _is_given_up(worker, key):
                pool.stop(0)
                found = [Outcome(0, "killed", None, "given up")]
                break
    except BaseException:
        pool.close()
        raise
    _give_back(worker, study, pool)
    return found[0].status, found[0].value, found[0].reason, found[0].seconds


def _is_given_up(worker: Any, key: Any) -> bool:
    task = worker.state.tasks.get(key)
    return task is None or task.state == "cancelled"


def _kept(worker: Any) -> dict[str, tuple[float, list[Pool]]]:
    """Idle pools by study, and when each was last used; they live and die with the Dask worker."""
    return worker.__dict__.setdefault("learnviews_pools", {})


def _borrow(worker: Any, study: str) -> Pool | None:
    """An idle pool of this study."""
    kept, now = _kept(worker), time.monotonic()
    for other in [name for name, (used, _) in list(kept.items()) if name != study and now - used > UNUSED]:
        _release(other, worker)
    _, idle = kept.setdefault(study, (now, []))
    try:
        return idle.pop()
    except IndexError:  # a Dask worker may have several threads
        return None


def _give_back(worker: Any, study: str, pool: Pool) -> None:
    kept = _kept(worker)
    if study in kept:
        idle = kept[study][1]
        idle.append(pool)
        kept[study] = (time.monotonic(), idle)
    else:  # it was closed meanwhile
        pool.close()


def _release(study: str, dask_worker: Any) -> None:
    for pool in _kept(dask_worker).pop(study, (0.0, []))[1]:
        pool.close()
