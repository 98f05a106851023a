"""Work that a session has threads do: by kind, of which only the latest is shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

from learnviews.grammar.serve import Session


@lru_cache(1)
def workers() -> ThreadPoolExecutor:
    """Threads of this server process in which queries are looked for; made when first needed, after a fork."""
    return ThreadPoolExecutor(2, "advice")


class Jobs:
    """What one session is waiting for.

    Parameters
    ----------
    session : Session
    tell : callable
        Gets what went wrong, in words, on the session's own thread.
    """

    def __init__(self, session: Session, tell: Callable[[str], None]) -> None:
        self.session, self.tell = session, tell
        self._version = 0
        self._asked: dict[str, int] = {}
        session.doc.on_session_destroyed(self._over)

    def start(self, kind: str, work: Callable[[], Any], show: Callable[[Any, int], None]) -> None:
        """Have a thread do the work, then `show` its result and number; what comes too late is not shown."""
        self._version += 1
        self._asked[kind] = version = self._version
        future = workers().submit(work)
        future.add_done_callback(partial(self._tell_session, kind, version, show))

    def cancel(self, kind: str) -> None:
        """Nothing of a kind is waited for any more."""
        self._asked.pop(kind, None)

    def _over(self, context: Any) -> None:
        self._asked.clear()

    def _tell_session(self, kind: str, version: int, show: Callable[[Any, int], None], future: Future[Any]) -> None:
        if self._asked.get(kind) == version:  # else the session is over, or wants something else by now
            self.session.soon(partial(self._done, kind, version, future, show))

    def _done(self, kind: str, version: int, future: Future[Any], show: Callable[[Any, int], None]) -> None:
        if self._asked.get(kind) != version:
            return
        error = future.exception()
        if error is not None:
            self.tell(str(error) or type(error).__name__)
        else:
            show(future.result(), version)
