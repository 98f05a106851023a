"""What a page's address holds: the model, the query, what is shown of it, as JSON behind the #."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from learnviews.kernels.cube import Query, Schema
from learnviews.kernels.cube.aggregates import checked


@dataclass(frozen=True)
class Bookmark:
    """A place to come back to. What is None is as the page has it; `exact` may be the views that are."""

    query: Query
    aggregate: Any = None
    exact: bool | tuple[str, ...] | None = None
    model: str | None = None

    def to_text(self) -> str:
        """JSON, as short as it gets; empty for nothing."""
        held: dict[str, Any] = {}
        if self.model is not None:
            held["model"] = self.model
        if self.query.filters:
            held["query"] = self.query.to_json()
        if self.aggregate is not None:
            held["show"] = self.aggregate
        if self.exact:
            held["exact"] = True if self.exact is True else list(self.exact)
        return json.dumps(held, separators=(",", ":"), ensure_ascii=False) if held else ""

    @classmethod
    def from_text(cls, text: str) -> Bookmark:
        """The bookmark of a text; ValueError if it is none."""
        try:
            held = json.loads(text or "{}")
        except (ValueError, RecursionError):
            raise _refused(text) from None
        if not isinstance(held, dict) or set(held) - {"model", "query", "show", "exact"}:
            raise _refused(text)
        model, exact, show = held.get("model"), held.get("exact"), held.get("show")
        if isinstance(exact, list) and exact and all(isinstance(name, str) for name in exact):
            exact = tuple(exact)
        if not isinstance(model, str | None) or not isinstance(exact, bool | tuple | None):
            raise _refused(text)
        try:
            aggregate = None if show is None else checked(show)
            return cls(Query.from_json(held.get("query", {})), aggregate, exact, model)
        except ValueError as error:
            raise ValueError(f"The address holds no query: {error}") from None


def check_query(schema: Schema, query: Query) -> Query:
    """The query, if it fits a schema; ValueError that says why it does not."""
    for name, held in query.filters.items():
        if name not in schema:
            raise ValueError(f"The model has no attribute {name!r}; there are {', '.join(schema.names)}")
        try:
            schema[name].mask(held)
        except TypeError as error:
            raise ValueError(str(error)) from None
    return query


def _refused(text: str) -> ValueError:
    return ValueError(f"The address holds no query: {text[:80]!r} is no bookmark of this page")
