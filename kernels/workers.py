"""Worker processes that can really be stopped: each runs one task at a time, within limits of time and memory."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Any

from .figures import figure
from .nursery import Nursery, NurseryGoneError, new_nursery
from .worker_process import MEGABYTE, reason_of

LOOK = 0.05  # seconds between two looks at memory and clock
KEPT = 256  # megabytes that a worker may still hold after a task; one that holds more is replaced


@dataclass(frozen=True)
class Limits:
    """What one task may take; None: no limit. Megabytes are what it adds to a worker at rest."""

    seconds: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a task ended: status "ok", "failed", "timeout", "memory" or "killed"; `value` is what it returned."""

    tag: Any
    status: str
    value: Any = None
    reason: str = ""
    seconds: float = 0.0


@dataclass
class _Worker:
    pid: int
    line: connection.Connection
    nursery: Nursery
    rest: int = 0  # resident bytes before the first task
    tag: Any = None
    busy: bool = False
    limits: Limits = field(default_factory=Limits)
    started: float = 0.0


class Pool:
    """`workers` processes, each for one task at a time, each with one thread for linear algebra.

    Parameters
    ----------
    workers : int
    context : object, optional
        Pickled once; every task finds it as its first argument.
    preload : sequence of str
        Modules that are imported once, before the first worker is forked.
    nice : int
        How far its processes let others go first: see `os.nice`.
    """

    def __init__(self, workers: int = 1, context: Any = None, preload: Sequence[str] = (), nice: int = 0) -> None:
        self.workers = workers
        self._context, self._preload, self._nice = context, tuple(preload), nice
        self._nursery: Nursery | None = None
        self._at_work: list[_Worker] = []
        self._closed, self._lock = False, threading.Lock()  # to close may be another thread's wish

    def start(self) -> None:
        """Begin to import, without waiting for it."""
        self._open()

    def _open(self, gone: Nursery | None = None) -> Nursery:
        """The nursery, or a new one in the place of one that is gone."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if gone is not None and self._nursery is gone:
                gone.close()
                self._nursery = None
            if self._nursery is None:
                self._nursery = new_nursery(self._context, self._preload, self._nice)
            return self._nursery

    def __enter__(self) -> Pool:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """Tasks that could start at once."""
        return self.workers - sum(worker.busy for worker in self._at_work)

    @property
    def running(self) -> list[Any]:
        """Tags of the tasks that run."""
        return [worker.tag for worker in self._at_work if worker.busy]

    def submit(self, tag: Any, function: str, arguments: tuple[Any, ...] = (), limits: Limits | None = None) -> None:
        """Start a task: `function` is "module:name" and is called with the context and the arguments.

        Raises
        ------
        RuntimeError
            If no worker is free, or none can be started.
        """
        if self.free <= 0:
            raise RuntimeError("no worker is free")
        worker = self._idle() or self._new()
        limits = limits or Limits()
        worker.tag, worker.busy, worker.limits, worker.started = tag, True, limits, time.monotonic()
        with contextlib.suppress(ConnectionError):  # it has just died: `wait` will find it so
            worker.line.send((function, arguments, limits.megabytes))

    def wait(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes of tasks that ended, as soon as there is one; [] after `timeout` seconds or when nothing runs."""
        end = None if timeout is None else time.monotonic() + timeout
        while any(worker.busy for worker in self._at_work):
            found = self._ended() + self._stopped()
            if found or (end is not None and time.monotonic() >= end):
                return found
            lines = [worker.line for worker in self._at_work if worker.busy]
            left = LOOK if end is None else min(LOOK, max(0.0, end - time.monotonic()))
            connection.wait(lines, left)
        return []

    def stop(self, tag: Any, status: str = "killed", reason: str = "stopped") -> Outcome | None:
        """Terminate the worker of one task, at once; None if it does not run."""
        for worker in self._at_work:
            if worker.busy and worker.tag == tag:
                return self._end(worker, status, reason)
        return None

    def close(self) -> None:
        """Terminate every process, at once and for good; twice does no harm."""
        with self._lock:
            self._closed = True
            nursery, self._nursery = self._nursery, None
        for worker in self._at_work:
            worker.line.close()
        self._at_work.clear()
        if nursery is not None:
            nursery.close()

    def _idle(self) -> _Worker | None:
        """A worker without a task; those that died meanwhile are let go."""
        for worker in [worker for worker in self._at_work if not worker.busy]:
            if not worker.line.poll():
                return worker
            self._end(worker, "", "")
        return None

    def _new(self) -> _Worker:
        nursery = self._open()
        try:
            pid, line = nursery.fork()
        except NurseryGoneError:  # killed, perhaps for want of memory; of two in a row the second is reported
            nursery = self._open(nursery)
            pid, line = nursery.fork()
        worker = _Worker(pid, line, nursery, _resident(pid))
        self._at_work.append(worker)
        return worker

    def _ended(self) -> list[Outcome]:
        return [self._result(worker) for worker in list(self._at_work) if worker.busy and worker.line.poll()]

    def _result(self, worker: _Worker) -> Outcome:
        try:
            status, value, reason = worker.line.recv()
        except (EOFError, OSError):
            return self._end(worker, "failed", None)
        except Exception as error:  # of a class that this process does not have
            status, value, reason = "failed", None, f"its result cannot be read: {reason_of(error)}"
        outcome = Outcome(worker.tag, status, value, reason, time.monotonic() - worker.started)
        worker.busy = False
        if status == "memory" or _resident(worker.pid) - worker.rest > KEPT * MEGABYTE:  # it may never give it back
            self._end(worker, status, reason)
        return outcome

    def _stopped(self) -> list[Outcome]:
        """Ends tasks that are past their limits."""
        found = []
        for worker in [worker for worker in self._at_work if worker.busy]:
            limits, spent = worker.limits, time.monotonic() - worker.started
            if limits.seconds is not None and spent > limits.seconds:
                found.append(self._end(worker, "timeout", f"took longer than {figure(limits.seconds, 3)} s"))
            elif limits.megabytes is not None and _resident(worker.pid) - worker.rest > limits.megabytes * MEGABYTE:
                found.append(self._end(worker, "memory", f"took more than {limits.megabytes:.0f} MB of memory"))
        return found

    def _end(self, worker: _Worker, status: str, reason: str | None) -> Outcome:
        self._at_work.remove(worker)
        worker.line.close()
        died = worker.nursery.end(worker.pid)
        return Outcome(worker.tag, status, None, died if reason is None else reason, time.monotonic() - worker.started)


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds, without the files it maps; 0 where /proc does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        _, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0
