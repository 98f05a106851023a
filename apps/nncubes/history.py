"""Undo and redo: the queries of a session, one per gesture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from learnviews.kernels.cube import Query

MOST = 200  # steps that are kept


class History:
    """Queries in the order in which they were made.

    A drag changes one filter many times: changes of the same filter are one step until `begin` is called.

    Parameters
    ----------
    first : Query
    """

    def __init__(self, first: Query) -> None:
        self._past, self._future = [first], list[Query]()
        self._dragged: str | None = None  # the filter that the gesture under way has changed

    @property
    def now(self) -> Query:
        """The query on show."""
        return self._past[-1]

    @property
    def can_undo(self) -> bool:
        return len(self._past) > 1

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    @property
    def queries(self) -> list[Query]:
        """All that are kept."""
        return [*self._past, *self._future]

    def translate(self, function: Callable[[Query], Query]) -> None:
        """Keep every query as another one: that of other bins. Neighbours that become equal are one step."""
        past, future = (without_repeats(map(function, kept)) for kept in (self._past, self._future))
        self._past, self._future = past, future[:-1] if future[-1:] == past[-1:] else future
        self._dragged = None

    def begin(self) -> None:
        """What comes now is another gesture: a button of the mouse, or a key, went down."""
        self._dragged = None

    def add(self, query: Query, gesture: bool = True) -> None:
        """The query is another one now; `gesture`: perhaps in the middle of a drag."""
        if query == self.now:
            return
        changed = differing(self.now, query)
        name = changed[0] if gesture and len(changed) == 1 else None
        if name is not None and self._dragged == name:
            self._past[-1] = query
            if len(self._past) > 1 and self._past[-2] == query:  # back to where the drag began
                self._past.pop()
                name = None
        else:
            self._past.append(query)
        self._dragged = name
        self._future.clear()
        del self._past[:-MOST]

    def undo(self) -> Query:
        """Go one step back, if there is one; the query to show."""
        if self.can_undo:
            self._future.append(self._past.pop())
        self._dragged = None
        return self.now

    def redo(self) -> Query:
        """Take the last undo back, if there was one; the query to show."""
        if self.can_redo:
            self._past.append(self._future.pop())
        self._dragged = None
        return self.now


def without_repeats(queries: Iterable[Query]) -> list[Query]:
    """Queries in order, each only where it differs from the one before."""
    return [query for query, _ in itertools.groupby(queries)]


def differing(one: Query, other: Query) -> list[str]:
    """Names of the attributes that two queries filter differently."""
    names = dict.fromkeys([*one.filters, *other.filters])
    only = [(Query(**_one(one, name)), Query(**_one(other, name)), name) for name in names]
    return [name for a, b, name in only if a != b]


def _one(query: Query, name: str) -> dict[str, object]:
    return {name: query.filters[name]} if name in query.filters else {}
