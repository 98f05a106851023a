"""What is wanted of a query's answers, how far answers are from it, and the gradient of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import as_numpy
from .aggregates import FEW, Aggregate, combine
from .aggregates import parts as parts_of
from .query import Query

if TYPE_CHECKING:
    from .model import Model

ALL = "all"
SMALL = 0.01  # of the mean answer of a measure's view: misses are relative to no less


@dataclass(frozen=True)
class Target:
    """One wanted answer: `value` of a bin of a view, of a whole view (ALL), or the total (None)."""

    key: tuple[str, Any]
    places: slice | None  # among all bins; None: the total
    value: np.ndarray  # (k,)
    least: float = 1.0  # misses are relative to the wanted size, but to no less than this: one row, for counts


def read_targets(model: Model, wanted: Mapping[Any, Any], aggregate: Aggregate = "count") -> list[Target]:
    """The wanted answers, checked.

    Raises
    ------
    ValueError, LookupError
        Naming the key and what was expected.
    """
    if not isinstance(wanted, Mapping) or not wanted:
        raise ValueError("wanted must be a dict such as {('hour', 8): 1200.0} with at least one entry")
    return [_target(model, key, value, aggregate) for key, value in wanted.items()]


def _target(model: Model, key: Any, value: Any, aggregate: Aggregate) -> Target:
    if not isinstance(key, tuple) or len(key) != 2:
        raise ValueError(f"wanted: {key!r} is no key; expected (view, bin), (view, None) for the total, (view, 'all')")
    view, place = key
    attribute, part = model.schema[view], model.schema.slices[view]
    try:
        values = np.atleast_1d(np.asarray(value, np.float64))
    except (TypeError, ValueError) as error:
        raise ValueError(f"wanted[{key!r}] must be a number (or an array of them), got {value!r}") from error
    if not np.isfinite(values).all():
        raise ValueError(f"wanted[{key!r}] must be finite, got {value!r}")
    if place is None:
        places, expected = None, 1
    elif isinstance(place, str) and place == ALL:
        places, expected = part, attribute.bins
    else:
        k = _bin(attribute, key, place)
        places, expected = slice(part.start + k, part.start + k + 1), 1
    if values.shape != (expected,):
        raise ValueError(f"wanted[{key!r}] must hold {expected} number{'s' * (expected > 1)}, got shape {values.shape}")
    return Target((view, place), places, values, _least(model, part, aggregate))


def _least(model: Model, part: slice, aggregate: Aggregate) -> float:
    """One row; for measures, whose units can be any, a share of the view's mean answer."""
    if aggregate == "count":
        return 1.0
    answers = np.abs(np.nan_to_num(model.query_many(Query(), aggregate)[0, part]))
    return SMALL * float(answers.mean()) or 1.0


def _bin(attribute: Any, key: Any, place: Any) -> int:
    if isinstance(place, str):
        labels = attribute.labels()
        if place not in labels:
            raise LookupError(f"wanted: {key!r}: {attribute.name!r} has no bin {place!r}; there are {_few(labels)}")
        return labels.index(place)
    if isinstance(place, bool) or not isinstance(place, int | np.integer) or not 0 <= place < attribute.bins:
        raise LookupError(f"wanted: {key!r}: bins of {attribute.name!r} are 0 to {attribute.bins - 1}, or their labels")
    return int(place)


def _few(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")


def miss(target: Target, found: np.ndarray) -> np.ndarray:
    """How far answers (n, k) are from the target's (k,): sum |found - wanted| / max(sum |wanted|, least); (n,)."""
    off = np.abs(np.where(np.isfinite(found), found, np.inf) - target.value).sum(1)
    return off / max(float(np.abs(target.value).sum()), target.least)


class Answers:
    """Answers of a model to soft or hard masks, with gradients: one forward pass per net for all targets."""

    def __init__(self, model: Model, targets: list[Target], aggregate: Aggregate) -> None:
        self.model, self.targets, self.aggregate = model, targets, aggregate
        self.centre = model._centre(aggregate)
        self.parts = parts_of(aggregate, self.centre)
        self.bars = any(target.places is not None for target in targets)
        self.total = any(target.places is None for target in targets)

    def found(self, masks: np.ndarray) -> list[np.ndarray]:
        """Answers (n, k) per target."""
        out = []
        if self.bars:
            answers = self.model.query_many(masks, self.aggregate)
        if self.total:
            totals = self.model.totals_many(masks, self.aggregate)
        for target in self.targets:
            out.append(totals[:, None] if target.places is None else answers[:, target.places])
        return out

    def pull(self, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Summed smooth misses (n,) of soft masks (n, bins), and their gradient (n, bins)."""
        traces = {part: self._trace(self.model.nets[part], masks) for part in self.parts}
        loss, gradient = np.zeros(len(masks)), np.zeros(masks.shape)
        bars = {part: np.zeros(masks.shape) for part in self.parts}
        for target in self.targets:
            raw = {part: self._raw(target, *traces[part]) for part in self.parts}
            found = np.nan_to_num(combine(self.aggregate, raw, self.centre))
            scale = (np.abs(target.value) + np.abs(found)).sum(1, keepdims=True) + target.least
            off = (found - target.value) / scale
            squares = (off * off).sum(1, keepdims=True)
            loss += squares[:, 0]
            d_found = 2 * (off - squares * np.sign(found)) / scale
            for part, d in _through(self.aggregate, self.parts, raw, d_found).items():
                if target.places is None:
                    gradient += self._pull_total(part, *traces[part], d[:, 0])
                else:
                    bars[part][:, target.places] += d
        if self.bars:
            for part in self.parts:
                gradient += self._pull_bars(part, traces[part][2], bars[part])
        return loss, gradient

    def _trace(self, net: Any, masks: np.ndarray) -> tuple[Any, np.ndarray, Any]:
        answers, trace = net.forward(net.compress(masks))
        return net, answers, trace

    def _raw(self, target: Target, net: Any, answers: Any, trace: Any) -> np.ndarray:
        if target.places is None:
            return as_numpy(net.totals(trace)).astype(np.float64)[:, None]
        return net.expand(answers)[:, target.places]

    def _pull_total(self, part: Any, net: Any, answers: Any, trace: Any, d: np.ndarray) -> np.ndarray:
        return net.expand(net.totals_masks_gradient(trace, answers, d.astype(answers.dtype)))

    def _pull_bars(self, part: Any, trace: Any, d: np.ndarray) -> np.ndarray:
        net = self.model.nets[part]
        return net.expand(net.masks_gradient(trace, net.compress(d)))


def _through(aggregate: Aggregate, parts: tuple, raw: dict, d: np.ndarray) -> dict[Any, np.ndarray]:
    """Gradient of every part from that of the aggregate: of counts and sums it is the same, of quotients not."""
    if len(parts) == 1:
        return {parts[0]: d}
    present = np.maximum(raw[parts[0]], FEW)
    mean, counted = raw[parts[1]] / present, raw[parts[0]] > FEW
    if len(parts) == 2:
        return {parts[0]: -d * mean / present * counted, parts[1]: d / present}
    square = raw[parts[2]] / present
    return {
        parts[0]: d * (2 * mean**2 - square) / present * counted,
        parts[1]: -2 * d * mean / present,
        parts[2]: d / present,
    }
