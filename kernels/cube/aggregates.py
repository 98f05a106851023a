"""Aggregates, and the additive parts that a net learns for each: a mean is no sum, but a quotient of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Aggregate = str | tuple[str, str]  # "count" or (kind, measure)

KINDS = ("sum", "mean", "var")


@dataclass(frozen=True)
class Part:
    """One additive quantity. `kind`: count, present, sum, centred (sum of x - centre), scatter (of its square)."""

    kind: str
    measure: str = ""
    centre: float = 0.0

    @property
    def signed(self) -> bool:
        return self.kind in ("sum", "centred")

    def of(self, answer: Callable[[Aggregate], np.ndarray]) -> np.ndarray:
        """Exact answers, from those of an exact cube."""
        if self.kind == "count":
            return answer("count")
        if self.kind in ("present", "sum"):
            return answer((self.kind, self.measure))
        present, total = answer(("present", self.measure)), answer(("sum", self.measure))
        if self.kind == "centred":
            return total - self.centre * present
        squares = answer(("squares", self.measure))
        return np.maximum(squares - 2 * self.centre * total + self.centre**2 * present, 0)


def checked(aggregate: Any) -> Aggregate:
    """`aggregate` as it is written here; ValueError if it is none."""
    if aggregate == "count":
        return "count"
    if (
        isinstance(aggregate, list | tuple)
        and len(aggregate) == 2
        and aggregate[0] in KINDS
        and isinstance(aggregate[1], str)
    ):
        return (aggregate[0], aggregate[1])
    raise ValueError(
        f"aggregate {aggregate!r}; expected 'count' or one of {KINDS} with a measure, as ('mean', 'delay')"
    )


def several(aggregates: Any) -> tuple[Aggregate, ...]:
    """One aggregate or a list of them."""
    many = aggregates if isinstance(aggregates, list) else [aggregates]
    if not many:
        raise ValueError("no aggregate; expected at least one")
    return tuple(dict.fromkeys(checked(each) for each in many))


def parts(aggregate: Aggregate, centre: float = 0.0) -> tuple[Part, ...]:
    """The parts an aggregate is made of; `centre` is about the measure's mean, for a well-conditioned quotient."""
    if isinstance(aggregate, str):
        return (Part("count"),)
    kind, measure = aggregate
    if kind == "sum":
        return (Part("sum", measure),)
    both = (Part("present", measure), Part("centred", measure, centre))
    return both if kind == "mean" else (*both, Part("scatter", measure, centre))


def combine(aggregate: Aggregate, found: Mapping[Part, Any], centre: float = 0.0) -> Any:
    """The aggregate from its parts' values; mean and variance of no rows are nan, negative counts 0."""
    values = [found[part] for part in parts(aggregate, centre)]
    if aggregate == "count":
        return np.maximum(values[0], 0)
    if len(values) == 1:
        return values[0]
    present = np.where(values[0] > SMALLEST, np.maximum(values[0], FEW), np.nan)
    mean = values[1] / present
    return centre + mean if len(values) == 2 else np.maximum(values[2] / present - mean**2, 0)


SMALLEST = 1e-3  # rows: below, a net's count says that there is none
FEW = 0.5  # rows: quotients take no fewer, so that those of next to nothing are near the overall mean, not noise


def label(aggregate: Aggregate) -> str:
    """In words: "count", "mean of delay"."""
    return aggregate if isinstance(aggregate, str) else f"{aggregate[0]} of {aggregate[1]}"


def centres(measures: Sequence[str], answer: Callable[[Aggregate], float]) -> dict[str, float]:
    """Mean of each measure over all rows; 0 where there is none."""
    found = {measure: answer(("mean", measure)) for measure in measures}
    return {measure: float(value) if np.isfinite(value) else 0.0 for measure, value in found.items()}
