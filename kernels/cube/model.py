"""A surrogate of a cube: nets, what they were measured to be worth, and every question one can put to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import as_numpy
from .aggregates import Aggregate, Part, checked, combine, label, parts
from .calibration import Calibration
from .errors import Error
from .product import ProductNet, brush
from .query import Query
from .schema import Schema

if TYPE_CHECKING:
    from .exact import ExactCube
    from .invert import Suggestion

CHUNK = 1024  # queries answered at a time


class Model:
    """Answers for every brush, from nets instead of rows.

    Made by `fit` and `load`, not by hand.

    Attributes
    ----------
    schema : Schema
    aggregates : tuple
        What it answers; the first is meant where none is named.
    nets : dict of Part to net
        One net per additive part.
    errors : dict of Error
        By aggregate, on held-out queries.
    calibrations : dict of Calibration
    about : dict
        Rows, sizes in bytes, seconds, seed, ... of the training: what `report` shows.
    exact : ExactCube or None
        The cube it was fitted to, while at hand. Files do not hold it.
    """

    def __init__(
        self,
        schema: Schema,
        aggregates: tuple[Aggregate, ...],
        nets: Mapping[Part, Any],
        independent: Mapping[Part, ProductNet],
        errors: Mapping[Aggregate, Error],
        calibrations: Mapping[Aggregate, Calibration],
        about: dict[str, Any],
        centres: Mapping[str, float] | None = None,
    ) -> None:
        self.schema, self.aggregates = schema, aggregates
        self.nets, self.independent = dict(nets), dict(independent)
        self.errors, self.calibrations = dict(errors), dict(calibrations)
        self.about, self.centres = about, dict(centres or {})
        self.exact: ExactCube | None = None
        self._ready: dict[Part, tuple[np.ndarray, ...]] = {}

    def __repr__(self) -> str:
        names = ", ".join(label(each) for each in self.aggregates)
        return f"Model({names} by {', '.join(self.schema.names)}: {self.nbytes:,} bytes, {self.error})"

    # -- what it is

    @property
    def error(self) -> Error:
        """Of the first aggregate."""
        return self.errors[self.aggregates[0]]

    @property
    def net(self) -> Any:
        """Of the first part of the first aggregate."""
        return self.nets[self.parts(self.aggregates[0])[0]]

    @property
    def floats(self) -> int:
        """Numbers needed to answer."""
        return sum(net.floats for net in self._different())

    @property
    def nbytes(self) -> int:
        """Bytes of the nets in a file, before compression."""
        return sum(array.nbytes for net in self._different() for array in net.arrays().values())

    @property
    def additive(self) -> bool:
        """Do the bars of a view add up, for counts and sums: not where negative counts are cut off."""
        return all(net.kind == "product" and net.signed <= part.signed for part, net in self.nets.items())

    def report(self) -> str:
        """Sizes, errors and training in a table of text."""
        from .report import report

        return report(self)

    # -- answers

    def parts(self, aggregate: Aggregate) -> tuple[Part, ...]:
        """The additive parts of one of this model's aggregates."""
        return parts(aggregate, self._centre(aggregate))

    def aggregate(self, aggregate: Any = None) -> Aggregate:
        """`aggregate` as this model writes it, its first where None; LookupError if it does not answer it."""
        found = self.aggregates[0] if aggregate is None else checked(aggregate)
        if found not in self.aggregates:
            raise LookupError(
                f"no aggregate {label(found)!r}; the model answers {', '.join(map(label, self.aggregates))}"
            )
        return found

    def views(self, query: Query | None = None, aggregate: Any = None) -> dict[str, np.ndarray]:
        """All views of one query: (bins,) float64 by name. A view ignores the query's filter on itself."""
        return self.schema.split(self.answer(self._mask(query), aggregate))

    def answer(self, mask: np.ndarray, aggregate: Any = None) -> np.ndarray:
        """The answers (bins,) to one mask (bins,) over all bins, boolean or soft."""
        aggregate, mask = self.aggregate(aggregate), np.asarray(mask)
        if mask.shape != (self.schema.bins,):
            raise ValueError(f"a mask of shape {mask.shape}; expected ({self.schema.bins},), all bins in order")
        found = {part: self._one(part, mask)[0] for part in self.parts(aggregate)}
        return combine(aggregate, found, self._centre(aggregate))

    def total(self, query: Query | None = None, aggregate: Any = None) -> float:
        """The aggregate under all filters."""
        return float(self.totals_many(self._mask(query), aggregate)[0])

    def query_many(self, queries: Any, aggregate: Any = None) -> np.ndarray:
        """Answers (n, bins) of all views, in the schema's order, to whatever `Schema.masks` takes."""
        aggregate, masks = self.aggregate(aggregate), self.schema.masks(queries)
        found = {part: answers(self.nets[part], masks) for part in self.parts(aggregate)}
        return combine(aggregate, found, self._centre(aggregate))

    def totals_many(self, queries: Any, aggregate: Any = None) -> np.ndarray:
        """The aggregate (n,) under all filters of each query."""
        aggregate, masks = self.aggregate(aggregate), self.schema.masks(queries)
        found = {part: totals(self.nets[part], masks) for part in self.parts(aggregate)}
        return combine(aggregate, found, self._centre(aggregate))

    def independence(self, queries: Any, aggregate: Any = None) -> np.ndarray:
        """What independent attributes would answer: (n, bins)."""
        aggregate, masks = self.aggregate(aggregate), self.schema.masks(queries)
        return independent_answers(self.independent, masks, aggregate, self._centre(aggregate))

    def interval(self, query: Query | None = None, aggregate: Any = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Lower and upper ends per bin by view, made to cover 90% of the answers (of those that are not 0)."""
        low, high = self.interval_many(self._mask(query), aggregate)
        return {name: (low[0, part], high[0, part]) for name, part in self.schema.slices.items()}

    def interval_many(self, queries: Any, aggregate: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends (n, bins) of all views."""
        aggregate, masks = self.aggregate(aggregate), self.schema.masks(queries)
        predicted = self.query_many(masks, aggregate)
        size = self.size_of(masks, predicted, aggregate)
        floor = -np.inf if isinstance(aggregate, tuple) and aggregate[0] != "var" else 0.0
        ends = [
            self.calibrations[aggregate].interval(v, predicted[:, part], size[:, part], floor)
            for v, part in enumerate(self.schema.slices.values())
        ]
        low, high = (np.concatenate(each, axis=1) for each in zip(*ends, strict=True))
        return low, high

    def size_of(self, masks: np.ndarray, predicted: np.ndarray, aggregate: Aggregate) -> np.ndarray:
        """What tells groups of answers apart: their size, for means and variances the number of rows behind them."""
        if isinstance(aggregate, tuple) and aggregate[0] != "sum":
            return answers(self.nets[self.parts(aggregate)[0]], masks)
        return np.abs(predicted)

    # -- questions

    def invert(
        self, wanted: Mapping[tuple[str, Any], Any], base: Query | None = None, **options: Any
    ) -> list[Suggestion]:
        """Queries whose answers are as wanted; see `learnviews.kernels.cube.invert.invert`."""
        from .invert import invert

        return invert(self, wanted, base, **options)

    def suggest(self, n: int = 5, **options: Any) -> list[Any]:
        """Queries whose answers are surprising; see `learnviews.kernels.cube.suggest.suggest`."""
        from .suggest import suggest

        return suggest(self, n, **options)

    def project(self, attribute: str, selections: Any = None, **options: Any) -> np.ndarray:
        """Positions (n, 2) of selections of an attribute; see `learnviews.kernels.cube.project.project`."""
        from .project import project

        return project(self, attribute, selections, **options)

    def update(self, source: Any, **options: Any) -> Model:
        """A model of grown data that begins with these weights; see `learnviews.kernels.cube.fit.update`."""
        from .fit import update

        return update(self, source, **options)

    # -- files

    def save(self, path: str | Path) -> Path:
        """Write one `.npz` file, without pickle; the file appears whole or not at all."""
        from .modelfile import save

        return save(self, Path(path))

    def to_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write one HTML file with linked views, brushes, inversion and the map of queries: no server, no network.

        Parameters
        ----------
        path : str or Path
            The file appears whole or not at all.
        title : str, optional
            Of the page.

        Raises
        ------
        ValueError
            If the model is no product net (signed or not), or answers something other than counts, sums and means.
        StoreError
            If the file cannot be written; an earlier one is kept.
        """
        from ..pages import write_cube_page

        return write_cube_page(self, path, title)

    # -- inside

    def _centre(self, aggregate: Aggregate) -> float:
        return 0.0 if isinstance(aggregate, str) else self.centres.get(aggregate[1], 0.0)

    def _different(self) -> list[Any]:
        """The nets; parts that are the same share one."""
        return list({id(net): net for net in self.nets.values()}.values())

    def _mask(self, query: Any) -> np.ndarray:
        if query is None or isinstance(query, Query):
            return self.schema.mask(query or Query())
        masks = self.schema.masks(query)
        if len(masks) != 1:
            raise ValueError(f"{len(masks)} queries; expected one (query_many and totals_many answer many)")
        return masks[0]

    def _one(self, part: Part, mask: np.ndarray) -> tuple[np.ndarray, float]:
        """Answers and total of one part to one mask (bins,)."""
        net = self.nets[part]
        if net.kind != "product":
            return answers(net, mask[None])[0], 0.0
        if part not in self._ready:
            factors = np.ascontiguousarray(as_numpy(net.factors()), np.float64)
            self._ready[part] = factors, np.flatnonzero(net.keep)
        factors, kept = self._ready[part]
        out = np.zeros(len(net.keep))
        total = brush(factors, net.offsets, kept, mask, out)
        return out, total


def answers(net: Any, masks: np.ndarray) -> np.ndarray:
    """Raw answers (n, bins) of a net, chunk by chunk."""
    net.check(masks)
    chunk = getattr(net, "chunk", CHUNK)
    out = np.empty(masks.shape)
    for start in range(0, len(masks), chunk):
        some = slice(start, start + chunk)
        out[some] = net.expand(net.forward(net.compress(masks[some]))[0])
    return out


def totals(net: Any, masks: np.ndarray) -> np.ndarray:
    """Raw totals (n,) of a net, chunk by chunk."""
    net.check(masks)
    chunk = getattr(net, "chunk", CHUNK)
    out = np.empty(len(masks))
    for start in range(0, len(masks), chunk):
        _, trace = net.forward(net.compress(masks[start : start + chunk]))
        out[start : start + chunk] = as_numpy(net.totals(trace))
    return out


def independent_answers(
    nets: Mapping[Part, ProductNet], masks: np.ndarray, aggregate: Aggregate, centre: float = 0.0
) -> np.ndarray:
    """Independence's answers; of a measure: independent of all attributes, so its mean everywhere."""
    return combine(aggregate, {part: answers(nets[part], masks) for part in parts(aggregate, centre)}, centre)
