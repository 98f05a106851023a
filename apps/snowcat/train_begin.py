"""The form in which a study is begun: how long, by how many processes, within which limits, trying what."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import asks, button, quiet, select, text
from learnviews.apps.snowcat.studies import option
from learnviews.apps.snowcat.train_words import CHOICES, family

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.apps.snowcat.workspace import Workspace

QUICK, THOROUGH = 20.0, 600.0  # seconds
UNITS = {"seconds": "seconds", "minutes": "minutes", "trials": "trials"}


def cores() -> int:
    """Processes that can compute at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Wishes:
    """What is set in the form.

    Parameters
    ----------
    amount, unit : float, str
        Seconds, minutes or finished trials.
    workers : int
    trial_seconds, trial_megabytes : float or None
        Limits of one trial; None leaves them to the study.
    """

    amount: float = 60
    unit: str = "seconds"
    workers: int = 0
    trial_seconds: float | None = None
    trial_megabytes: float | None = None

    def __post_init__(self) -> None:
        self.workers = self.workers or cores()

    def set(self, name: str, value: Any) -> None:
        """Take over what was typed; ValueError, that says what was expected, where it is no such number."""
        if name == "unit":
            if value not in UNITS:
                raise ValueError(f"unit is {value!r}; expected one of {', '.join(UNITS)}")
            self.unit = value
            return
        optional = name in ("trial_seconds", "trial_megabytes")
        if optional and str(value).strip() == "":
            setattr(self, name, None)
            return
        number = _number(NAMES[name], value)
        if name == "workers":
            number = _whole("Worker processes", number, cores())
        setattr(self, name, number)

    @property
    def run(self) -> dict[str, Any]:
        """Arguments of a run: seconds or trials."""
        if self.unit == "trials":
            return {"seconds": None, "trials": _whole("Trials", self.amount, 1_000_000)}
        return {"seconds": self.amount * (60 if self.unit == "minutes" else 1), "trials": None}

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of a study."""
        limits = {"trial_seconds": self.trial_seconds, "trial_megabytes": self.trial_megabytes}
        return {**self.run, "workers": self.workers, **limits}


NAMES = {
    "amount": "How long",
    "workers": "Worker processes",
    "trial_seconds": "Seconds per trial",
    "trial_megabytes": "Megabytes per trial",
}


def _number(what: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number < 1e9:
        raise ValueError(f"{what}: {str(value) or 'nothing'!r} was given; expected a number above 0")
    return number


def _whole(what: str, number: float, most: int) -> int:
    if int(number) != number or not 1 <= number <= most:
        raise ValueError(f"{what}: {number:g} was given; expected a whole number from 1 to {most:,}")
    return int(number)


def begin(room: Workspace, options: dict[str, Any], exclude: tuple[str, ...] = ()) -> None:
    """Begin a study of the chosen problem, in a thread as the data are written to its folder, and show it."""
    project = room.project
    entry = None if project is None else project.problem(room.problem_id)
    if project is None or entry is None:
        raise ValueError("Choose a problem first")

    def show(live: LiveStudy, version: int) -> None:
        room.choose_study(live.name)
        room.go("train")

    room.jobs.start("begin", lambda: project.begin_study(entry, exclude=exclude, **options), show)


# -- HTML


def budget_html(wishes: Wishes) -> str:
    """How long, by how many processes."""
    processes = {number: str(number) for number in range(1, cores() + 1)}
    return (
        f'<div class="row"><label>for <input type="number" id="train-amount" min="1" step="any" style="width:72px" '
        f'value="{wishes.amount:g}" {asks("set", "amount")} aria-label="How long"></label>'
        f"{select('set', UNITS, wishes.unit, 'Unit', 'unit')}"
        f"<label>by {select('workers', processes, wishes.workers, 'Worker processes')} "
        f"process{'' if wishes.workers == 1 else 'es'}</label></div>"
    )


def limits_html(wishes: Wishes, open_: bool) -> str:
    """Limits of one trial, under a fold."""
    if not open_:
        return f'<p class="fold">{button("▸ Limits of one trial", "fold", "limits")}</p>'
    box = 'type="number" min="0" step="any" style="width:80px" placeholder="usual"'
    fields = "".join(
        f'<label>{label} <input {box} id="train-{name}" value="{"" if value is None else f"{value:g}"}" '
        f"{asks('set', name)}></label>"
        for name, label, value in (
            ("trial_seconds", "seconds", wishes.trial_seconds),
            ("trial_megabytes", "megabytes", wishes.trial_megabytes),
        )
    )
    about = quiet(
        "Usual: a fifth of the time, 10 s at least, and an equal share of the memory. What takes more is stopped."
    )
    return (
        f'<p class="fold">{button("▾ Limits of one trial", "fold", "limits")}</p><div class="row">{fields}</div>{about}'
    )


def space_html(options: dict[str, tuple[str, ...]] | None, exclude: tuple[str, ...], open_: bool) -> str:
    """Check boxes for what is tried, under a fold."""
    left_out = f" ({len(exclude)} left out)" if exclude else ""
    if not open_:
        return f'<p class="fold">{button(f"▸ What is tried{left_out}", "fold", "space")}</p>'
    head = f'<p class="fold">{button(f"▾ What is tried{left_out}", "fold", "space")}</p>'
    if options is None:
        return head + quiet("Looking at the data…")
    shown = {name: values for name, values in options.items() if name in CHOICES and len(values) > 1}
    groups = "".join(_group(name, values, exclude) for name, values in shown.items())
    return f'{head}<dl class="choices">{groups}</dl>' + (button("Try everything", "try all") if exclude else "")


def _group(name: str, values: tuple[str, ...], exclude: tuple[str, ...]) -> str:
    boxes = ""
    for value in values:
        each = option(name, value)
        box = (
            f'<input type="checkbox" id="try-{text(each)}" {asks("try", each)}{"" if each in exclude else " checked"}>'
        )
        boxes += f"<label>{box} {text(family(value) if name == 'model' else value)}</label>"
    return f"<dt>{text(CHOICES[name])}</dt><dd>{boxes}</dd>"
