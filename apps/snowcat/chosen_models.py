"""The set of models worth keeping: who is in it, in which order, with which note; kept by the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from learnviews.apps.snowcat.project_parts import Choice
from learnviews.apps.snowcat.train_words import question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from learnviews.apps.snowcat.project import Project
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Model, Problem

MOST = 50
"""Models of a set: more are no choice."""


@dataclass(frozen=True)
class Picked:
    """A chosen model.

    Parameters
    ----------
    choice : Choice
    live : LiveStudy or None
        Its study; None where that is not there any more.
    model : Model or None
    """

    choice: Choice
    live: LiveStudy | None
    model: Model | None

    @property
    def key(self) -> str:
        """What the model is called across studies; see `workspace.key_of`."""
        return key(self.choice)

    @property
    def problem(self) -> Problem | None:
        """What it predicts."""
        return None if self.live is None else self.live.problem


def key(choice: Choice) -> str:
    """What a chosen model is called across studies."""
    return f"{choice.study}/{choice.number}"


def picked(project: Project | None) -> list[Picked]:
    """The chosen models, ranked; also those that are gone."""
    found = []
    for choice in [] if project is None else list(project.chosen):
        live = project.studies.get(choice.study)
        found.append(Picked(choice, live, None if live is None else live.model(choice.number)))
    return found


def add(project: Project, keys: Iterable[str]) -> None:
    """Choose these models, too, below the others; ValueError where these would be too many."""
    there = {key(choice) for choice in project.chosen}
    new = [each for each in dict.fromkeys(keys) if each not in there and not each.endswith("/-1")]
    if len(there) + len(new) > MOST:
        raise ValueError(f"{MOST} models at most can be chosen: remove some first")
    if new:
        project.choose([*project.chosen, *(_choice(each) for each in new)])


def drop(project: Project, which: str) -> None:
    """Choose a model no longer."""
    project.choose([choice for choice in project.chosen if key(choice) != which])


def move(project: Project, which: str, place: int) -> None:
    """Give a chosen model another rank, from 0."""
    moved = [choice for choice in project.chosen if key(choice) == which]
    others = [choice for choice in project.chosen if key(choice) != which]
    place = max(0, min(len(others), place))
    project.choose([*others[:place], *moved, *others[place:]])


def note(project: Project, which: str, words: str) -> None:
    """Write a note to a chosen model."""
    words = words.strip()
    project.choose([replace(each, note=words) if key(each) == which else each for each in project.chosen])


def sort(project: Project, ranks: dict[str, float]) -> None:
    """Rank by what is minimized; those without it come last."""
    project.choose(sorted(project.chosen, key=lambda choice: ranks.get(key(choice), float("inf"))))


def kept_keys(room: Workspace) -> list[str]:
    """Keys of the models that are kept in this page's views."""
    ids = [each if isinstance(each, str) else f"{room.study_name}/{int(each)}" for each in room.marked.kept]
    return [each for each in ids if "/" in each and not each.endswith("/-1")]


def mark_of(room: Workspace, which: str) -> int | str:
    """The number under which a page's views know a model: of the chosen study's its own, of others the key."""
    study, _, number = which.rpartition("/")
    return int(number) if study == room.study_name else which


def by_problem(found: list[Picked]) -> dict[str, list[Picked]]:
    """Chosen models that are there by what they predict, in words."""
    groups: dict[str, list[Picked]] = {}
    for each in found:
        if each.model is not None and each.live is not None:
            groups.setdefault(question(each.live.problem), []).append(each)
    return groups


def _choice(which: str) -> Choice:
    study, _, number = which.rpartition("/")
    return Choice(study, int(number))
