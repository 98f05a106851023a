"""Trials on a Dask cluster: futures on a client, each trial in a process of its own beside its Dask worker."""

from __future__ import annotations

import time
from typing import Any

from .workers import Limits, Outcome, Pool

GRACE = 30.0  # seconds that a task may take longer than its own limit before it counts as lost


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
        self._context = client.scatter(context, broadcast=True, hash=False)
        self._at_work: dict[Any, tuple[Any, float, Limits]] = {}
        self._count = 0

    def start(self) -> None:
        """Nothing to begin: the cluster is there."""

    @property
    def workers(self) -> int:
        """Tasks that can run side by side now: workers may come and go."""
        return min(self._most, max(1, len(self._client.scheduler_info(n_workers=-1)["workers"])))

    @property
    def free(self) -> int:
        return self.workers - len(self._at_work)

    @property
    def running(self) -> list[Any]:
        return list(self._at_work)

    def submit(self, tag: Any, function: str, arguments: tuple[Any, ...] = (), limits: Limits | None = None) -> None:
        """Start a task; see `Pool.submit`."""
        limits = limits or Limits()
        self._count += 1
        call = (self._context, function, arguments, limits, self._preload)
        future = self._client.submit(_apart, *call, key=f"learnviews-{id(self):x}-{self._count}", pure=False)
        self._at_work[tag] = (future, time.monotonic(), limits)

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that ended; see `Pool.wait`."""
        from distributed import wait as first_of

        end = None if timeout is None else time.monotonic() + timeout
        while self._at_work:
            found = [outcome for tag in list(self._at_work) if (outcome := self._ended(tag)) is not None]
            if found or (end is not None and time.monotonic() >= end):
                return found
            left = 0.2 if end is None else min(0.2, max(0.001, end - time.monotonic()))
            try:
                first_of(
                    [future for future, _, _ in self._at_work.values()], timeout=left, return_when="FIRST_COMPLETED"
                )
            except TimeoutError:
                continue
        return []

    def stop(self, tag: Any, status: str = "killed", reason: str = "stopped") -> Outcome | None:
        """Give up one task; its process ends as soon as the Dask worker hears of it."""
        if tag not in self._at_work:
            return None
        future, started, _ = self._at_work.pop(tag)
        future.cancel(force=True)
        return Outcome(tag, status, None, reason, time.monotonic() - started)

    def close(self) -> None:
        for tag in list(self._at_work):
            self.stop(tag)
        self._context.release()

    def _ended(self, tag: Any) -> Outcome | None:
        future, started, limits = self._at_work[tag]
        spent = time.monotonic() - started
        if not future.done():
            lost = limits.seconds is not None and spent > limits.seconds + GRACE
            return self.stop(tag, "timeout", f"no answer within {limits.seconds:.3g} s") if lost else None
        del self._at_work[tag]
        if future.status == "finished":
            status, value, reason, seconds = future.result()
            return Outcome(tag, status, value, reason, seconds)
        error = future.exception() if future.status == "error" else None
        return Outcome(tag, "failed", None, f"its Dask worker was lost ({type(error).__name__})", spent)


def _apart(
    context: Any, function: str, arguments: tuple[Any, ...], limits: Limits, preload: tuple[str, ...]
) -> tuple[str, Any, str, float]:
    """On a Dask worker: the task in a process that can be stopped, even if the Dask worker is told to give it up."""
    from distributed import get_worker

    pool = _pool_of(get_worker(), context, preload)
    pool.submit(0, function, arguments, limits)
    outcome = pool.wait()[0]
    return outcome.status, outcome.value, outcome.reason, outcome.seconds


def _pool_of(worker: Any, context: Any, preload: tuple[str, ...]) -> Pool:
    """The Dask worker's own pool for this study; it lives and dies with the Dask worker."""
    kept = getattr(worker, "learnviews_pool", None)
    if kept is not None and kept[0] is context and kept[1].free:
        return kept[1]
    if kept is not None and kept[0] is not context:
        kept[1].close()
    pool = Pool(1, context, preload)
    worker.learnviews_pool = (context, pool)
    return pool
