"""The stepper: where one is in the workflow, and what has to be there before one can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from learnviews.apps.snowcat.card import STEPS
from learnviews.apps.snowcat.pane import does, text
from learnviews.apps.snowcat.problem_words import task_of

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace


def reachable(room: Workspace) -> dict[str, str]:
    """Of each step that cannot be gone to, what is to be done first; of the others ""."""
    data = "" if room.data is not None else "Choose a data set first"
    problem = data or ("" if room.problem is not None else "Choose a problem first")
    study = data or ("" if room.project is not None and room.project.studies else "Train some models first")
    wants = {"data": "", "problems": data, "specify": data, "train": problem if not room.study else data}
    return wants | {"compare": study, "select": study, "export": study}


def state(room: Workspace, step: str) -> str:
    """What was done in a step, in a few words."""
    project = room.project
    if project is None or room.data is None:
        return ""
    if step == "data":
        return f"{project.title} · {len(room.data):,} rows"
    if step == "problems":
        return f"{len(project.entries)} problems" if project.looked else ""
    if step == "specify":
        return "" if room.problem is None else ", ".join(room.problem.targets) or task_of(room.problem)
    if step == "train":
        return "" if room.study is None else room.study.shown
    if step == "compare":
        return f"{len(room.models)} models" if room.study is not None else ""
    return f"{len(project.chosen)} chosen" if step == "select" and project.chosen else ""


def stepper_html(room: Workspace) -> str:
    """A button per step, with its number, name and state."""
    wants = reachable(room)
    return "".join(
        f'<button type="button" class="step" {does("step", step)}'
        f' aria-current="{"step" if step == room.step else "false"}"'
        f'{" disabled" if wants[step] else ""} title="{text(wants[step] or state(room, step))}">'
        f"<b>{at}</b> {title}<small>{text(state(room, step))}</small></button>"
        for at, (step, title) in enumerate(STEPS.items(), 1)
    )
