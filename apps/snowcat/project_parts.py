"""What a project is made of: problems, chosen models, and changes of the data; each can be written as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset, Problem

MARKS = ("not sure", "yes", "no")
"""Whether a problem is meaningful, as the user says."""


@dataclass(frozen=True)
class Entry:
    """A problem of the list.

    Parameters
    ----------
    id : str
        Within the project.
    problem : Problem
    origin : str
        "found", "own", "document" or "study".
    mark : str
        One of `MARKS`.
    """

    id: str
    problem: Problem
    origin: str = "found"
    mark: str = "not sure"

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"id": self.id, "problem": json.loads(self.problem.to_json()), "origin": self.origin, "mark": self.mark}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Entry:
        """What `stored` made; ValueError, KeyError where it did not."""
        problem = search.Problem.from_json(json.dumps(stored["problem"]))
        return cls(stored["id"], problem, stored["origin"], stored["mark"])


def found_id(problem: Problem) -> str:
    """What to call a problem that was found: the same whenever it is found again, also in changed data.

    A data set has one problem at most of a target and task; features and scores may differ from time to time.
    """
    told = json.dumps([problem.task, *problem.targets])
    return f"found-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


@dataclass
class Choice:
    """A model that is to be exported.

    Parameters
    ----------
    study : str
        Name of its study in the project.
    number : int
    note : str
    """

    study: str
    number: int
    note: str = ""

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


@dataclass
class Changes:
    """What the user changed of the data set as it was read.

    Parameters
    ----------
    types : dict
        Column to type.
    excluded : list of str
        Columns left out of everything.
    joins : list of dict
        "path", "on" (list of pairs of columns) and "columns" (list, or None for all) of each table that was joined.
    """

    types: dict[str, str] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    joins: list[dict[str, Any]] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    def apply(self, raw: Dataset) -> Dataset:
        """The data set as it is used; ValueError where a change does not fit."""
        data = raw
        for join in self.joins:
            data = data.join(
                search.load(join["path"]), on=[tuple(pair) for pair in join["on"]], columns=join["columns"]
            )
        if self.types:
            data = data.with_types(self.types)
        if self.excluded:
            data = data.select([name for name in data.columns if name not in self.excluded])
        return data


HASHED = 1_000_000  # values of a data set that its identity is made of, at most


def identity(data: Dataset) -> str:
    """What tells a data set from others: a number of its values, of a large one of evenly spaced rows."""
    every = -(-len(data) * max(1, len(data.columns)) // HASHED)
    rows = replace(data, frame=data.frame.iloc[::every])
    return f"{len(data)}-{rows.fingerprint()[:16]}"
