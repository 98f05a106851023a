"""What was found out of models: once per process, in threads, kept as long as the study is open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

MOST = 5000  # findings of one study that are remembered


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


@lru_cache(2)
def findings(slow: bool = False) -> Findings:
    """Of this process; made when first needed, after a fork. What is slow does not keep the rest waiting."""
    return Findings(1 if slow else 2)
