"""The form in which a study is begun: how long, by how many processes, within which limits, trying what."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import asks, button, quiet, select, text
from learnviews.apps.snowcat.studies import option
from learnviews.apps.snowcat.train_words import CHOICES, family
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.apps.snowcat.workspace import Workspace

QUICK, THOROUGH = 20.0, 600.0  # seconds
MOST = 1_000_000  # seconds, minutes or megabytes
UNITS = {"seconds": "seconds", "minutes": "minutes", "trials": "trials"}


def cores() -> int:
    """Processes that can compute at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Wishes:
    """What is set in the form, as it was typed: what is wrong with it is said when it is used, too.

    Parameters
    ----------
    amount, unit : str
        Seconds, minutes or finished trials.
    workers : str
        Processes.
    trial_seconds, trial_megabytes : str
        Limits of one trial; "" leaves them to the study.
    """

    amount: str = "60"
    unit: str = "seconds"
    workers: str = field(default_factory=lambda: str(cores()))
    trial_seconds: str = ""
    trial_megabytes: str = ""

    def set(self, name: str, value: Any) -> None:
        """Take over what was typed; ValueError, that says what was expected, where it will not do."""
        setattr(self, name, str(value).strip())
        _ = self.options

    @property
    def run(self) -> dict[str, Any]:
        """Arguments of a run: seconds or trials."""
        if self.unit not in UNITS:
            raise ValueError(f"unit is {self.unit!r}; expected one of {', '.join(UNITS)}")
        amount = _number("amount", self.amount)
        if self.unit == "trials":
            return {"seconds": None, "trials": _whole("Trials", amount, 1_000_000)}
        return {"seconds": amount * (60 if self.unit == "minutes" else 1), "trials": None}

    @property
    def processes(self) -> int:
        """How many."""
        return _whole(NAMES["workers"], _number("workers", self.workers), cores())

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of a study."""
        limits = ("trial_seconds", "trial_megabytes")
        given = {name: _number(name, typed) if (typed := getattr(self, name)) else None for name in limits}
        return {**self.run, "workers": self.processes, **given}


NAMES = {
    "amount": "How long",
    "workers": "Worker processes",
    "trial_seconds": "Seconds per trial",
    "trial_megabytes": "Megabytes per trial",
}


def _number(name: str, typed: str) -> float:
    try:
        number = float(typed)
    except ValueError:
        number = float("nan")
    if not 0 < number <= MOST:
        raise ValueError(f"{NAMES[name]}: {typed or 'nothing'} was given; expected a number above 0, {MOST:,} at most")
    return number


def _whole(what: str, number: float, most: int) -> int:
    if int(number) != number or not 1 <= number <= most:
        raise ValueError(f"{what}: {figure(number)} was given; expected a whole number from 1 to {most:,}")
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
    processes = {str(number): str(number) for number in range(1, cores() + 1)}
    return (
        f'<label>for <input type="number" id="train-amount" min="1" step="any" '
        f'value="{text(wishes.amount)}" {asks("set", "amount")} aria-label="How long"></label>'
        f"{select('set', UNITS, wishes.unit, 'Unit', 'unit')}"
        f"<label>by {select('set', processes, wishes.workers, 'Worker processes', 'workers')} "
        f"process{'' if wishes.workers == '1' else 'es'}</label>"
    )


def limits_html(wishes: Wishes, open_: bool) -> str:
    """Limits of one trial, under a fold."""
    if not open_:
        return f'<p class="fold">{button("▸ Limits of one trial", "fold", "limits")}</p>'
    box = 'type="number" min="0" step="any" placeholder="usual"'
    fields = "".join(
        f'<label>{label} <input {box} id="train-{name}" value="{text(value)}" {asks("set", name)}></label>'
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
