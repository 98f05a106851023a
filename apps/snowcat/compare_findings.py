"""What was found out of models: once per process, kept as long as the study is open; what takes long is found out by
processes of their own, as threads of the server would keep its pages waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any
from weakref import WeakKeyDictionary

from learnviews.kernels.search.trial import MAKER, preloaded
from learnviews.kernels.workers import Pool

MOST = 5000  # findings of one study that are remembered
TASKS = "learnviews.kernels.search.aside"
NICE = 5  # pages go first, and these before the trials of a search


class Findings:
    """Results of work on studies, by the study and a key.

    Parameters
    ----------
    threads : int
        That work at a time.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "findings")
        self._known: WeakKeyDictionary[Any, dict[Hashable, Future[Any]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def ask(self, study: Any, key: Hashable, work: Callable[[], Any]) -> Future[Any]:
        """The result of `work`, which is begun unless it was before.

        Parameters
        ----------
        study : object
            Its findings are forgotten when it is.
        key : hashable
            What is looked for.
        work : callable
            Takes no arguments.
        """
        with self._lock:
            known = self._known.setdefault(study, {})
            if key not in known:
                for oldest in list(known)[: max(0, len(known) - MOST + 1)]:
                    del known[oldest]
                known[key] = self._pool.submit(work)
            return known[key]


class Aside(Findings):
    """Findings of a process of its own, one after the other, in the order in which they are asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self._process = Pool(1, preload=(*preloaded(MAKER), TASKS), nice=NICE)

    def start(self) -> None:
        """Begin to import, without waiting for it."""
        self._process.start()

    def task(self, study: Any, number: int, function: str, *arguments: Any) -> Future[Any]:
        """What a function of `kernels.search.aside` says of a model of a study; -1 is the trivial one."""
        path = str(study.path)
        return self.ask(study, (number, function, *arguments), partial(self._do, function, path, number, *arguments))

    def _do(self, function: str, *arguments: Any) -> Any:
        self._process.submit(function, f"{TASKS}:{function}", arguments)
        outcome = self._process.wait()[0]
        if outcome.status != "ok":
            raise ValueError(outcome.reason)
        return outcome.value


@lru_cache(1)
def findings() -> Findings:
    """Of threads of this process; made when first needed, after a fork."""
    return Findings(1)


@lru_cache(2)
def aside(slow: bool = False) -> Aside:
    """Of other processes; what is slow does not keep the rest waiting."""
    return Aside()
