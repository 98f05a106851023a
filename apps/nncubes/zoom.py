"""Zooming into views: the rows, where they are at hand, answer in finer bins than the model has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.jobs import Jobs
from learnviews.apps.nncubes.history import differing
from learnviews.apps.nncubes.shelf import Shelf
from learnviews.grammar.cube_cells import MANY as RASTER
from learnviews.grammar.cube_cells import rasterize
from learnviews.kernels.cube import ExactCube, Model, Query, Schema
from learnviews.kernels.cube.nesting import children, translate_query
from learnviews.kernels.cube.refine import refined, refined_grid, values_within

if TYPE_CHECKING:
    from learnviews.apps.nncubes.boards import Boards
    from learnviews.apps.nncubes.explorer import Explorer

REST = 250  # milliseconds without a turn of the wheel
KEPT = 4  # finer cubes of a process
FEW, ENOUGH = 10, 20  # cells across the visible part of a map: too few, and what is aimed at
MOST_CELLS = 1 << 19
READING = "Reading finer bins…"
NO_ROWS = "Enlarged only: finer bins need the rows, and the model came without them."
NOTHING_FINER = "Enlarged only: there are no finer bins of {}."
NEEDED = "Finer cells stay: a brush, or an undo, needs them."
COVERED = "Brushes now cover whole bins of the model."


@dataclass(frozen=True)
class Rows:
    """Exact answers in finer bins, standing where a model stands."""

    schema: Schema
    exact: ExactCube
    aggregates: tuple[Any, ...]
    errors: dict[Any, Any]
    about: dict[str, Any]
    zoomed: bool = True


class Zoom:
    """What one session has zoomed into.

    The session's history holds queries in the bins on show, and is carried along when these change. All others speak
    of queries in the model's bins: `fine` and `coarse` turn one into the other.

    Parameters
    ----------
    page : Explorer

    Attributes
    ----------
    rows : Rows or None
        What answers instead of the model.
    windows : dict of (start, stop)
        Bins in view, by attribute.
    """

    def __init__(self, page: Explorer) -> None:
        self.page = page
        self.rows: Rows | None = None
        self.windows: dict[str, tuple[int, int]] = {}
        self._jobs = Jobs(page.session, self._failed)
        self._turning: Any = None
        self._reading = False
        self._note = ""
        self._seen, self._latest = Query(), ""  # the query, and what of it was brushed last
        page.controls.zoom.on_click(self.into)
        page.controls.unzoom.on_click(self.out)

    @property
    def schema(self) -> Schema | None:
        """The schema of the bins on show."""
        return self.rows.schema if self.rows is not None else self.page.model and self.page.model.schema

    def fine(self, query: Query) -> Query:
        """A query in the model's bins as one in those on show."""
        model, rows = self.page.model, self.rows
        return query if model is None or rows is None else translate_query(query, model.schema, rows.schema)[0]

    def coarse(self, query: Query) -> Query:
        """A query in the bins on show as one in the model's: the smallest that holds it."""
        model, rows = self.page.model, self.rows
        return query if model is None or rows is None else translate_query(query, rows.schema, model.schema)[0]

    def is_finer(self, view: str) -> bool:
        """Whether a view has finer bins than the model."""
        model, schema = self.page.model, self.schema
        return model is not None and schema is not None and model.schema[view] != schema[view]

    # -- into a brushed range, and out

    def into(self) -> None:
        """Zoom into the range that was brushed last."""
        name, schema = self.brushed(), self.schema
        if name is None or schema is None:
            return
        start, stop = _range(schema[name], self.page.history.now.filters[name])
        self._read(name, partial(_finer, self.page.shelf, self.page.model, schema, name, start, stop), (start, stop))

    def brushed(self) -> str | None:
        """The attribute that `into` would zoom into: the last one whose brush leaves bins out of sight."""
        schema, filters = self.schema, self.page.history.now.filters
        order = sorted(filters, key=lambda name: name != self._latest) if schema is not None else []
        for name in order:
            span = _range(schema[name], filters[name]) if len(schema[name].shape) == 1 else None
            if span is not None and span != self.windows.get(name):
                return name
        return None

    def out(self) -> None:
        """Back to the model's bins, all in view."""
        self._stop()
        model = self.page.model
        if model is None:
            return
        exact = self._carry(model.schema)
        self._enter(None, {}, "" if exact else COVERED)
        if self.page.boards is not None:
            for name in _maps(model.schema):
                _show_whole(self.page.boards.board.plots[name])

    def forget(self) -> None:
        """Another model is opened."""
        self._stop()
        self.rows, self.windows = None, {}
        self.follow()

    def follow(self) -> None:
        """Bring the buttons, and the note beside them, up to date."""
        before, self._seen = self._seen, self.page.history.now
        self._latest = next(reversed(differing(before, self._seen)), self._latest)
        controls = self.page.controls
        name, schema = self.brushed(), self.schema
        controls.zoom.visible = name is not None and not self._reading
        if name is not None and schema is not None:
            controls.zoom.label = f"Zoom into {schema[name].title}"
        controls.unzoom.visible = self.rows is not None or bool(self.windows)
        note, self._note = self._note, ""  # set once at a time: of two in a row a page may keep the first
        controls.zoom_note.text = READING if self._reading else note

    # -- the wheel over a map

    def watch(self, boards: Boards) -> None:
        """Follow what is in view of the maps, which were drawn anew."""
        for name in _maps(boards.model.schema):
            plot = boards.board.plots[name]
            for axis in ("x_range", "y_range"):
                for end in ("start", "end"):
                    plot.handles[axis].on_change(end, partial(self._turned, name))
        if self.windows:
            boards.zoom(boards.model, self.windows, self.page.exact_views)

    def _turned(self, name: str, attr: str, old: Any, new: Any) -> None:
        doc = self.page.session.doc
        if self._turning is not None:
            doc.remove_timeout_callback(self._turning)
        self._turning = doc.add_timeout_callback(partial(self._rebin, name), REST)

    def _rebin(self, name: str) -> None:
        """Read finer cells where few are in view; go back to coarser ones where that loses no brush."""
        self._turning = None
        page, schema = self.page, self.schema
        if page.model is None or schema is None or page.boards is None:
            return
        grid = page.model.schema[name]
        now = schema[name].shape[0] // grid.shape[0]
        factor = _factor(grid.shape, now, _in_view(page.boards.board.plots[name]))
        if factor == now:
            return
        wanted = schema.replace(name, refined_grid(grid, factor))
        if factor < now and not all(exact for _, exact in self._carried(wanted)):
            self._note = NEEDED
            return self.follow()
        if factor == 1 and wanted == page.model.schema:
            self._carry(wanted)
            self._enter(None, self.windows)
        else:
            self._read(name, partial(_rows, page.shelf, page.model, wanted), None)

    # -- reading

    def _read(self, name: str, work: Any, span: tuple[int, int] | None) -> None:
        self._reading = True
        self.follow()
        self._jobs.start("zoom", work, partial(self._read_in, name, span))

    def _read_in(self, name: str, span: tuple[int, int] | None, found: Rows | str, version: int) -> None:
        """The rows in finer bins are there, or there are none."""
        self._reading = False
        before, windows = self.schema, dict(self.windows)
        if before is None:
            return
        after = before if isinstance(found, str) else found.schema
        if span is not None:
            windows[name] = children(before[name], after[name], *span)
        if not isinstance(found, str):
            self._carry(after)
            self._enter(found, windows)
        else:
            self._enter(self.rows, windows, found)

    def _enter(self, rows: Rows | None, windows: dict[str, tuple[int, int]], note: str = "") -> None:
        """Show other bins; the history is in them already."""
        page = self.page
        changed = rows is not self.rows
        self.rows, self.windows, self._note = rows, windows, note
        page.controls.source.disabled = rows is not None or page.model is None or page.model.exact is None
        if changed:
            page.advice.drop_wanted()
        page.rebin()

    def _stop(self) -> None:
        self._jobs.cancel("zoom")
        self._reading = False

    def _failed(self, message: str) -> None:
        self._reading = False
        self.follow()
        self.page.tell(message)

    # -- queries

    def _carried(self, schema: Schema) -> list[tuple[Query, bool]]:
        before = self.schema
        return [] if before is None else [translate_query(q, before, schema) for q in self.page.history.queries]

    def _carry(self, schema: Schema) -> bool:
        """Carry the history over to other bins; whether the query on show takes the same rows."""
        before = self.schema
        if before is None:
            return True
        exact = translate_query(self.page.history.now, before, schema)[1]
        self.page.history.translate(lambda query: translate_query(query, before, schema)[0])
        return exact


def _finer(shelf: Shelf, model: Model, schema: Schema, name: str, start: int, stop: int) -> Rows | str:
    """The rows in finer bins of a range of an attribute, or why there are none."""
    attribute = schema[name]
    other = getattr(attribute, "other", False) and stop == attribute.size
    if not (attribute.kind == "numeric" or other or (attribute.kind == "temporal" and attribute.part is None)):
        return NOTHING_FINER.format(attribute.title)
    table = shelf.table_of(model)
    if table is None:
        return NO_ROWS
    values = None if attribute.kind == "temporal" else values_within(table, attribute, start, stop)
    finer = refined(attribute, start, stop, values=values)
    if finer == attribute:
        return NOTHING_FINER.format(attribute.title)
    return _rows(shelf, model, schema.replace(name, finer))


def _rows(shelf: Shelf, model: Model, schema: Schema) -> Rows | str:
    """The rows in the bins of a schema, or why there are none."""
    return NO_ROWS if shelf.table_of(model) is None else _binned(shelf, model, schema)


@lru_cache(KEPT)
def _binned(shelf: Shelf, model: Model, schema: Schema) -> Rows:
    """The rows in the bins of a schema, once for all sessions."""
    table = shelf.table_of(model)
    measures = sorted({each[1] for each in model.aggregates if isinstance(each, tuple)})
    exact = ExactCube.build(table, schema, measures, threads=1)
    exact.views()  # what the first answer has to make ready
    if any(len(each.shape) == 2 and each.size > RASTER for each in schema):
        rasterize(np.zeros((2, 2), np.float32), (0, 1, 0, 1), (0, 1, 0, 1), 2, 2)  # compiles, here and not in the page
    return Rows(schema, exact, model.aggregates, model.errors, model.about)


def _range(attribute: Any, held: Any) -> tuple[int, int] | None:
    """The range of bins that holds all that are taken; None where that is all of them, or none."""
    places = np.flatnonzero(attribute.mask(held)[: attribute.size])
    if not len(places) or (places[0] == 0 and places[-1] == attribute.size - 1):
        return None
    return int(places[0]), int(places[-1]) + 1


def _maps(schema: Schema) -> list[str]:
    return [each.name for each in schema if len(each.shape) == 2]


def _in_view(plot: Any) -> tuple[float, float]:
    """Shares of a map's extent that are in view, across and up."""
    left, right, bottom, top = plot.current_frame.extent
    x, y = plot.handles["x_range"], plot.handles["y_range"]
    shares = abs(x.end - x.start) / (right - left), abs(y.end - y.start) / (top - bottom)
    return min(1.0, shares[0]), min(1.0, shares[1])


def _factor(shape: tuple[int, ...], now: int, shares: tuple[float, float]) -> int:
    """How many times as many cells as the model has a map should have, by what is in view."""
    across = max(n * share for n, share in zip(shape, shares, strict=True))
    if min(shares) >= 1:  # as the page begins
        return 1
    factor = now
    if factor * across < FEW:
        while factor * across < ENOUGH and 4 * factor**2 * shape[0] * shape[1] <= MOST_CELLS:
            factor *= 2
    while factor > 1 and factor * across >= 2 * ENOUGH:
        factor //= 2
    return factor


def _show_whole(plot: Any) -> None:
    """As the map's own button "reset" does."""
    for axis in ("x_range", "y_range"):
        held = plot.handles[axis]
        if held.reset_start is not None and held.reset_end is not None:
            held.update(start=held.reset_start, end=held.reset_end)
