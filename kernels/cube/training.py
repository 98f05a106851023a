"""Training a surrogate on queries and their answers: phases, held-out queries, early stopping, cancel."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..arrays import array_namespace
from ..optimizers import DivergedError, Optimizer, optimizer
from ..progress import Progress

CHECKS = 25  # looks at the held-out queries per run
BALANCE = 0.3  # bins of large answers count less, to this power
WIDEST, NARROWEST = 20.0, 0.01  # times a bin's mean answer: errors that count as their square, first and last
SOFT = 0.67  # share of the steps in which they get there


@dataclass(frozen=True)
class Phase:
    """So many steps of one optimizer.

    Parameters
    ----------
    steps : int
    optimizer : str
        "adam", "sgd" or "adagrad".
    settings : dict
        Of the optimizer, `rate` among them.
    cosine : bool
        Lower the rate to 0 along half a cosine.
    """

    steps: int
    optimizer: str = "adam"
    settings: dict[str, float] = field(default_factory=lambda: {"rate": 0.1, "beta2": 0.99})
    cosine: bool = True

    def begin(self) -> Optimizer:
        return optimizer(self.optimizer, **self.settings)

    def rate(self, step: int) -> float:
        """The learning rate at step 0, 1, ... of this phase."""
        full = self.settings["rate"]
        return full * 0.5 * (1 + math.cos(math.pi * step / self.steps)) if self.cosine else full


@dataclass
class History:
    """What a training did: (step, held-out error) pairs, steps taken, seconds, and whether it was cut short."""

    errors: list[tuple[int, float]] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    stopped: str = ""


def relative_error(found: Any, answers: Any) -> float:
    """RAE = sum |p - y| / sum |y - mean(y)| over all that is given, nan left out; 0/0 is 0, other n/0 inf."""
    xp = array_namespace(answers)
    known = ~xp.isnan(answers)
    if not bool(known.all()):
        found, answers = found[known], answers[known]
    if answers.size == 0:
        return float("nan")
    miss = float(xp.abs(found - answers).sum(dtype=xp.float64))
    spread = float(xp.abs(answers - answers.mean(dtype=xp.float64)).sum(dtype=xp.float64))
    return miss / spread if spread else (0.0 if miss == 0 else math.inf)


@np.errstate(over="ignore", invalid="ignore")  # what diverges is seen and said
def train(
    net: Any,
    training: tuple[Any, Any],
    held: tuple[Any, Any],
    phases: list[Phase],
    batch: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
    patience: float = 0.4,
    enough: float = 0.0,
    soft: bool = True,
) -> History:
    """Train `net` in place; at the end it has the parameters that did best on the held-out queries, be it the first.

    Parameters
    ----------
    net : ProductNet or MLP
    training, held : (masks, answers)
        As ``net.compress`` gives them, (n, m) each.
    phases : list of Phase
    batch : int
        Queries per step.
    patience : float
        Stop when the held-out error has not improved for this share of all steps.
    enough : float
        Stop as soon as the held-out error is at most this.
    soft : bool
        Begin with squared errors (see `Emphasis`); not where training goes on.
    progress : Progress, optional
        Counts steps; when cancelled, training ends with the best parameters so far.

    Raises
    ------
    DivergedError
        When the loss is no longer finite. The net keeps the best parameters up to there.
    """
    masks, answers = training
    history, progress = History(), progress or Progress()
    total = sum(phase.steps for phase in phases)
    every, weight = max(1, total // CHECKS), _weight(answers)
    best, kept, last = held_error(net, *held), _copy(net.parameters), 0
    history.errors.append((0, best))
    emphasis = Emphasis(answers, weight, soft) if getattr(net, "balanced", False) else None
    progress.start(total)
    try:
        for phase in phases:
            method = phase.begin()
            for step, chosen in zip(range(phase.steps), _batches(len(masks), batch, rng), strict=False):
                method.rate = phase.rate(step)
                more = emphasis.at(history.steps / total) if emphasis else (weight,)
                value, gradients = net.loss(masks[chosen], answers[chosen], *more)
                if not math.isfinite(value):
                    raise DivergedError(f"training diverged at step {history.steps}: the loss is {value}")
                method.step(net.parameters, gradients)
                history.steps += 1
                if history.steps % every == 0 or history.steps == total or progress.cancelled:
                    error = held_error(net, *held)
                    if not math.isfinite(error) and len(held[1]):
                        raise DivergedError(f"training diverged at step {history.steps}: the held-out error is {error}")
                    history.errors.append((history.steps, error))
                    if not error >= best:
                        best, kept, last = error, _copy(net.parameters), history.steps
                history.stopped = _why(progress, best, enough, history.steps - last, patience * total)
                progress.update(history.steps, partial(_words, best))
                if history.stopped:
                    return history
        return history
    finally:
        for name, array in kept.items():
            net.parameters[name][...] = array
        history.seconds = progress.elapsed


def held_error(net: Any, masks: Any, answers: Any, chunk: int = 1024) -> float:
    """RAE of the net on held-out queries (compressed masks and answers); bins that are not kept answer 0 rightly."""
    xp = array_namespace(answers)
    absent = len(answers) * (len(net.keep) - masks.shape[1])
    miss = 0.0
    chunk = getattr(net, "chunk", chunk)
    for start in range(0, len(masks), chunk):
        found, _ = net.forward(masks[start : start + chunk])
        miss += float(xp.abs(found - answers[start : start + chunk]).sum(dtype=xp.float64))
    mean = float(answers.sum(dtype=xp.float64)) / max(1, answers.size + absent)
    spread = float(xp.abs(answers - mean).sum(dtype=xp.float64)) + absent * abs(mean)
    return miss / spread if spread else (0.0 if miss == 0 else miss)


class Emphasis:
    """What keeps rare bins alive: absolute errors alone ask for medians, which are 0 where most answers are.

    Bins of small answers weigh more than their size, and errors within a width count as their square, which asks for
    means. The width shrinks to nearly nothing, so that absolute errors decide in the end.
    """

    def __init__(self, answers: Any, weight: float, soft: bool) -> None:
        xp = array_namespace(answers)
        self.typical = xp.abs(answers).mean(0) + xp.asarray(1e-9, answers.dtype)  # (m,)
        balance = (self.typical.mean() / self.typical) ** BALANCE
        balance *= self.typical.sum() / (self.typical * balance).sum()
        self.weight, self.soft = (weight * balance).astype(answers.dtype), soft

    def at(self, share: float) -> tuple[Any, Any]:
        """Weights and widths (m,) when this share of the steps is done."""
        if not self.soft:
            return self.weight, None
        shrunk = WIDEST * (NARROWEST / WIDEST) ** min(1.0, share / SOFT)
        return self.weight, self.typical * self.typical.dtype.type(shrunk)


def _weight(answers: Any) -> float:
    """Makes the loss 1 for a net that answers 0, whatever the counts' size."""
    size = float(abs(answers).sum(dtype=np.float64)) / max(1, len(answers))
    return 1 / size if size else 1.0


def _batches(n: int, batch: int, rng: np.random.Generator) -> Any:
    """Index arrays without end: every query once per epoch, in a new order each time."""
    size = min(batch, n)
    while True:
        order = rng.permutation(n)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def _words(best: float) -> str:
    return f"held-out error {best:.4f}" if best < math.inf else ""


def _copy(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: array.copy() for name, array in parameters.items()}


def _why(progress: Progress, best: float, enough: float, since: int, patience: float) -> str:
    if progress.cancelled:
        return "cancelled"
    if best <= enough:
        return "good enough"
    return "no further improvement" if since > patience else ""
