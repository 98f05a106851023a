"""One click from a data set to models: its likeliest problem, searched for a short while."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from learnviews.apps.snowcat.train_begin import QUICK, cores
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.apps.snowcat.project import Project
    from learnviews.apps.snowcat.project_parts import Entry
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Dataset, Problem


def find_models(room: Workspace, key: str, failed: Callable[[str], None] | None = None) -> None:
    """Show a data set, begin a study of its likeliest problem, and go where models arrive.

    Parameters
    ----------
    failed : callable, optional
        Gets what went wrong when the data set was read; by default the page is told.
    """
    room.shelf.open(key, room, then=partial(_begin, room), failed=failed)


def _begin(room: Workspace) -> None:
    project = room.project
    if project is None:
        return
    room.tell("Looking for what could be learned here…")
    room.jobs.start("quick", partial(_study, project), partial(_show, room, project))


def _study(project: Project) -> LiveStudy:
    entry = likeliest(project)
    running = [each for each in project.studies.values() if each.problem_id == entry.id and each.state == "running"]
    return running[0] if running else project.begin_study(entry, seconds=QUICK, workers=cores())


def _show(room: Workspace, project: Project, study: LiveStudy, version: int) -> None:
    room.tell()
    if room.project is project:  # else the user has gone elsewhere meanwhile; the study goes on
        room.choose_study(study.name)
        room.go("train")


def likeliest(project: Project) -> Entry:
    """The problem to begin with: one that the user calls meaningful, else the one that the data set is meant for, else
    the most promising; takes seconds.

    Raises
    ------
    ValueError
        If nothing can be learned from the data.
    """
    meaningful = next((entry for entry in project.entries if entry.mark == "yes"), None)
    if meaningful is not None:
        return meaningful
    meant = own_problem(project.data)
    if meant is not None:
        return project.alike(meant) or project.add_problem(meant, "document")
    if not project.looked:
        project.find_problems()
    if not project.entries:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(project.left_out.items())[:3])
        raise ValueError(f"{project.title}: no problem is legal for its columns ({why}); change their types first")
    return project.entries[0]


def own_problem(data: Dataset) -> Problem | None:
    """What a data set is meant for: by the problem document it came with, else by the column that it names as its
    target; None where it says nothing that can be learned."""
    named = [name for name, column in data.columns.items() if "suggestedTarget" in (column.role, *column.roles)]
    tries = [lambda: search.Problem.from_d3m(data.path), lambda: search.Problem(named or None)]
    for attempt, there in zip(tries, (data.path is not None and data.path.is_dir(), bool(named)), strict=True):
        try:
            if there:
                return attempt().check(data)
        except (ValueError, OSError):  # it does not fit the data as it is used now
            continue
    return None
