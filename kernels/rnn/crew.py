"""Who does the tiles: this process, its threads, worker processes, or a Dask client's. The outcome is the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

from ..progress import Progress
from ..worker_process import resolve
from ..workers import Pool

LOOK = 0.1  # seconds between two looks at whether to stop
TRIES = 3  # of a tile whose worker dies
PRELOAD = ("learnviews.kernels.rnn.tiles",)


class Crew:
    """Does pieces of work, a few at a time.

    Parameters
    ----------
    context : object
        First argument of every piece; sent once.
    most : int
        Pieces that may be under way at the same time.
    workers : int or None
        Processes; 1: the work is done here. None: in threads of this process.
    client : distributed.Client or None
    """

    def __init__(self, context: Any, most: int, workers: int | None, client: Any) -> None:
        self._context, self._most, self._client = context, most, client
        processes = 0 if client is not None or workers is None else min(workers, most)
        self._pool = Pool(processes, context, PRELOAD) if processes > 1 else None
        self._threads: ThreadPoolExecutor | None = None
        if client is None and workers is None and most > 1:
            self._threads = ThreadPoolExecutor(most, thread_name_prefix="learnviews-tiles")

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.close()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)  # what runs is waited for

    def run(
        self, function: str, tags: Iterable[int], arguments: Callable[[int], tuple[Any, ...]], progress: Progress
    ) -> Iterator[tuple[int, Any]]:
        """(tag, what `function` ("module:name") gave for it), as they end.

        A piece starts only when the first one that has not ended is less than `2 * most` pieces before it: whoever
        puts them in order keeps few.

        Raises
        ------
        CancelledError
            As soon as `progress` is cancelled.
        RuntimeError
            If the worker of one piece died three times.
        """
        if self._client is not None:
            ways: Any = _on_client(self._client, self._context, self._most)
        elif self._pool is not None:
            ways = contextlib.nullcontext(_InPool(self._pool))
        elif self._threads is not None:
            ways = contextlib.nullcontext(_InThreads(self._context, self._threads, self._most))
        else:
            ways = contextlib.nullcontext(_Here(self._context))
        with ways as way:
            yield from _all(way, function, list(tags), arguments, progress, self._most)


def _all(way: Any, function: str, todo: list[int], arguments: Any, progress: Progress, most: int) -> Iterator[Any]:
    window = 2 * most
    todo.reverse()
    under_way: dict[int, int] = {}  # tries so far
    again: list[int] = []
    while todo or under_way or again:
        if progress.cancelled:
            for tag in under_way:
                way.stop(tag)
            raise CancelledError("itemizing was cancelled")
        while (todo or again) and way.free > 0 and len(under_way) - len(again) < most:
            if again:
                tag = again.pop()
            elif under_way and todo[-1] - min(under_way) >= window:
                break
            else:
                tag = todo.pop()
                under_way[tag] = 0
            under_way[tag] += 1
            way.submit(tag, function, arguments(tag))
        for tag, value, lost in way.wait():
            if not lost:
                del under_way[tag]
                yield tag, value
            elif under_way[tag] < TRIES:
                again.append(tag)
            else:
                raise RuntimeError(f"a worker died {TRIES} times over the same tile: {lost}")


def in_order(results: Iterator[tuple[int, Any]], first: int = 0) -> Iterator[Any]:
    """The same results by ascending tag, without gaps from `first` on."""
    waiting: dict[int, Any] = {}
    for tag, value in results:
        waiting[tag] = value
        while first in waiting:
            yield waiting.pop(first)
            first += 1


class _Here:
    free = 1

    def __init__(self, context: Any) -> None:
        self._context = context
        self._call: Any = None

    def submit(self, tag: int, function: str, arguments: tuple[Any, ...]) -> None:
        self._call = tag, function, arguments

    def wait(self) -> list[tuple[int, Any, str]]:
        (tag, function, arguments), self._call = self._call, None
        return [(tag, resolve(function)(self._context, *arguments), "")]

    def stop(self, tag: int) -> None:
        """Nothing runs while this is called."""


class _InThreads:
    """Compiled loops and products let other threads go on meanwhile."""

    def __init__(self, context: Any, threads: ThreadPoolExecutor, most: int) -> None:
        self._context, self._threads, self._most = context, threads, most
        self._at_work: dict[Future[Any], int] = {}

    @property
    def free(self) -> int:
        return self._most - len(self._at_work)

    def submit(self, tag: int, function: str, arguments: tuple[Any, ...]) -> None:
        self._at_work[self._threads.submit(resolve(function), self._context, *arguments)] = tag

    def wait(self) -> list[tuple[int, Any, str]]:
        ended, _ = wait_for(self._at_work, timeout=LOOK, return_when=FIRST_COMPLETED)
        return [(self._at_work.pop(future), future.result(), "") for future in ended]

    def stop(self, tag: int) -> None:
        """A thread cannot be stopped: its tile is waited for."""


class _InPool:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def free(self) -> int:
        return self._pool.free

    def submit(self, tag: int, function: str, arguments: tuple[Any, ...]) -> None:
        self._pool.submit(tag, function, arguments)

    def wait(self) -> list[tuple[int, Any, str]]:
        found = self._pool.wait(LOOK)
        return [(one.tag, one.value, "" if one.status == "ok" else one.reason or one.status) for one in found]

    def stop(self, tag: int) -> None:
        self._pool.stop(tag)


@contextlib.contextmanager
def _on_client(client: Any, context: Any, most: int) -> Iterator[_OnClient]:
    way = _OnClient(client, context, most)
    try:
        yield way
    finally:
        way.close()


class _OnClient:
    """Futures of a Dask client. What dies there Dask does again; a context that is lost is sent again."""

    def __init__(self, client: Any, context: Any, most: int) -> None:
        self._client, self._sent, self._most = client, context, most
        self._context = self._scattered()
        self._at_work: dict[int, Any] = {}

    @property
    def free(self) -> int:
        return self._most - len(self._at_work)

    def submit(self, tag: int, function: str, arguments: tuple[Any, ...]) -> None:
        if self._context.status != "finished":  # all workers that held it are gone
            self._context = self._scattered()
        self._at_work[tag] = self._client.submit(_called, function, self._context, arguments, pure=False)

    def wait(self) -> list[tuple[int, Any, str]]:
        from distributed import wait as first_of

        with contextlib.suppress(TimeoutError):
            first_of(list(self._at_work.values()), timeout=LOOK, return_when="FIRST_COMPLETED")
        ended = [tag for tag, future in self._at_work.items() if future.done()]
        return [self._ended(tag, self._at_work.pop(tag)) for tag in ended]

    def stop(self, tag: int) -> None:
        self._at_work.pop(tag).cancel(force=True)

    def close(self) -> None:
        for tag in list(self._at_work):
            self.stop(tag)
        self._context.release()

    def _ended(self, tag: int, future: Any) -> tuple[int, Any, str]:
        try:
            return tag, future.result(), ""
        except Exception as error:  # KilledWorker, CancelledError of Dask: worker or data were lost
            return tag, None, f"{type(error).__name__}: {error}"

    def _scattered(self) -> Any:
        try:
            return self._client.scatter(self._sent, broadcast=True, hash=False)
        except TimeoutError as error:
            raise RuntimeError(f"the Dask cluster at {self._client.scheduler.address} has no workers") from error


def _called(function: str, context: Any, arguments: tuple[Any, ...]) -> Any:
    return resolve(function)(context, *arguments)
