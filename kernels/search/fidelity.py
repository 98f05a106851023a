"""What to try next: cheap trials for all, the full effort for the best of them (asynchronous successive halving)."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from .smac_search import key

REDUCTION = 3  # one in so many goes on to the next rung
SMALL, MIDDLE = 2_000, 200_000  # training values (rows x columns): below, full effort is as cheap as any


@dataclass(frozen=True)
class Job:
    """A configuration to try, how thoroughly, and where it comes from ("portfolio", "search", ...)."""

    config: Mapping[str, Any]
    fidelity: float
    source: str

    @property
    def key(self) -> str:
        return key(self.config)


@dataclass(frozen=True)
class Done:
    """A trial as the ladder sees it: cost None where it failed; `finished` False while it runs."""

    key: str
    config: Mapping[str, Any]
    fidelity: float
    cost: float | None
    source: str
    finished: bool = True
    seconds: float = 0.0


def rungs(rows: int, columns: int, folds: int) -> tuple[float, ...]:
    """Fidelities of a data set of this size, rising to 1.

    Few values: every trial is thorough, there is little to save. Else a third of the folds, of the rows and of the
    trees, and a ninth where there are very many.
    """
    size = rows * max(columns, 1)
    if size <= SMALL or folds < 2:
        return (1.0,)
    return (1 / REDUCTION, 1.0) if size <= MIDDLE else (1 / REDUCTION**2, 1 / REDUCTION, 1.0)


def next_job(
    done: Sequence[Done],
    queue: Iterable[Job],
    levels: Sequence[float],
    fits: Callable[[Done], bool] = lambda trial: True,
    closing: bool = False,
) -> Job | None:
    """The best configuration that has earned more effort, else the first of `queue`; None if there is neither.

    Depends on nothing but its arguments. The first trial of all gets the full effort: there is a model at once.

    Parameters
    ----------
    done : sequence of Done
    queue : iterable of Job
        Configurations that were not tried yet.
    levels : sequence of float
        From `rungs`.
    fits : callable
        Whether the full effort for a configuration that was tried cheaply is worth beginning in the time that is left.
    closing : bool
        The end is near: what is only tried cheaply now would not become a model any more.
    """
    promoted = _promoted(done, levels, fits)
    if promoted is None and closing:
        promoted = _leftover(done, fits)
    if promoted is not None:
        return promoted
    first = next(iter(queue), None)
    if first is None:
        return _leftover(done, fits)
    return Job(first.config, 1.0 if not done else first.fidelity, first.source)


def _promoted(done: Sequence[Done], levels: Sequence[float], fits: Callable[[Done], bool]) -> Job | None:
    for level, above in reversed(list(pairwise(levels))):
        ranked = _ranked([trial for trial in done if trial.fidelity == level])
        started = {trial.key for trial in done if trial.fidelity >= above}
        for trial in ranked[: len(ranked) // REDUCTION]:
            if trial.key not in started and fits(trial):
                return Job(trial.config, above, trial.source)
    return None


def _leftover(done: Sequence[Done], fits: Callable[[Done], bool]) -> Job | None:
    """Nothing is left to try: what was only tried cheaply, best first, gets the full effort after all."""
    ranked = _ranked([trial for trial in done if trial.fidelity < 1])
    started = {trial.key for trial in done if trial.fidelity >= 1}
    return next(
        (Job(trial.config, 1.0, trial.source) for trial in ranked if trial.key not in started and fits(trial)), None
    )


def _ranked(done: Sequence[Done]) -> list[Done]:
    """Finished trials, best first; ties in their order."""
    there = [trial for trial in done if trial.finished and trial.cost is not None]
    return sorted(there, key=lambda trial: (trial.cost, trial.fidelity))


def told(done: Sequence[Done]) -> list[tuple[Mapping[str, Any], float | None]]:
    """Configuration and cost for the surrogate: of every configuration its most thorough finished trial.

    A cheap trial sees fewer rows and other folds: its cost is moved by as much as full ones typically differ.
    """
    best: dict[str, Done] = {}
    shifts = _shifts(done)
    for trial in done:
        if trial.finished and (trial.key not in best or trial.fidelity >= best[trial.key].fidelity):
            best[trial.key] = trial
    moved = [_moved(trial, shifts.get(trial.fidelity, 0.0)) for trial in best.values()]
    return [(trial.config, trial.cost) for trial in moved]


def _moved(trial: Done, shift: float) -> Done:
    return trial if trial.cost is None else replace(trial, cost=trial.cost + shift)


def _shifts(done: Sequence[Done]) -> dict[float, float]:
    """Fidelity -> median of full cost - cheap cost, over the configurations that have both."""
    full = {
        trial.key: trial.cost for trial in done if trial.finished and trial.fidelity >= 1 and trial.cost is not None
    }
    found: dict[float, list[float]] = {}
    for trial in done:
        if trial.finished and trial.fidelity < 1 and trial.cost is not None and trial.key in full:
            found.setdefault(trial.fidelity, []).append(full[trial.key] - trial.cost)
    return {level: statistics.median(differences) for level, differences in found.items()}
