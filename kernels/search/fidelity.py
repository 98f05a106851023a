"""What to try next: cheap trials for all, the full effort for the best of them (asynchronous successive halving)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def rungs(rows: int, columns: int, folds: int) -> tuple[float, ...]:
    """Fidelities of a data set of this size, rising to 1.

    Few values: every trial is thorough, there is little to save. Else a third of the folds, of the rows and of the
    trees, and a ninth where there are very many.
    """
    size = rows * max(columns, 1)
    if size <= SMALL or folds < 2:
        return (1.0,)
    return (1 / REDUCTION, 1.0) if size <= MIDDLE else (1 / REDUCTION**2, 1 / REDUCTION, 1.0)


def next_job(done: Sequence[Done], queue: Iterable[Job], levels: Sequence[float]) -> Job | None:
    """The best configuration that has earned more effort, else the first of `queue`; None if there is neither.

    Depends on nothing but its arguments. The first trial of all gets the full effort: there is a model at once.
    """
    promoted = _promoted(done, levels)
    if promoted is not None:
        return promoted
    first = next(iter(queue), None)
    if first is None:
        return _leftover(done, levels)
    return Job(first.config, 1.0 if not done else first.fidelity, first.source)


def _promoted(done: Sequence[Done], levels: Sequence[float]) -> Job | None:
    for level, above in reversed(list(pairwise(levels))):
        ranked = _ranked([trial for trial in done if trial.fidelity == level])
        started = {trial.key for trial in done if trial.fidelity >= above}
        for trial in ranked[: len(ranked) // REDUCTION]:
            if trial.key not in started:
                return Job(trial.config, above, trial.source)
    return None


def _leftover(done: Sequence[Done], levels: Sequence[float]) -> Job | None:
    """Nothing is left to try: what was only tried cheaply, best first, gets the full effort after all."""
    ranked = _ranked([trial for trial in done if trial.fidelity < 1])
    started = {trial.key for trial in done if trial.fidelity >= 1}
    return next((Job(trial.config, 1.0, trial.source) for trial in ranked if trial.key not in started), None)


def _ranked(done: Sequence[Done]) -> list[Done]:
    """Finished trials, best first; ties in their order."""
    there = [trial for trial in done if trial.finished and trial.cost is not None]
    return sorted(there, key=lambda trial: (trial.cost, trial.fidelity))


def told(done: Sequence[Done]) -> list[tuple[Mapping[str, Any], float | None]]:
    """Configuration and cost for the surrogate: of every configuration its most thorough finished trial."""
    best: dict[str, Done] = {}
    for trial in done:
        if trial.finished and (trial.key not in best or trial.fidelity >= best[trial.key].fidelity):
            best[trial.key] = trial
    return [(trial.config, trial.cost) for trial in best.values()]
