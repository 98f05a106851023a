"""The views of a cube in a served page: plots made once, and patched at every move of a brush."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection
from typing import Any

import numpy as np

from .brush import Brush, Target
from .cube_answers import numbers
from .cube_bars import CubeBars
from .cube_views import Asker

REST = 200  # milliseconds without a move of the brush, after which axes and colours fit the answers


class CubeBoard:
    """A plot per attribute, all linked by one brush, in one browser session.

    A burst of moves is answered once: what is drawn is the brush as it is then. While the brush moves, axes and colours
    stay as they are, but where a bar outgrows its axis: another axis costs a browser more than all the bars.

    Parameters
    ----------
    session : grammar.serve.Session
    source : kernels.cube.Model or ExactCube
    brush : Brush, optional
    target : Target, optional
        What dragging the top of a bar, or a cell of a map, reports to.
    aggregate, intervals
        As for `cube_views`.
    options : dict of dict, optional
        HoloViews options by attribute; "" for all.
    **params
        Of the elements, such as `title` and `unit` of the answers.

    Attributes
    ----------
    plots : dict
        By attribute; `figures` are their Bokeh models.
    wanted : dict of dict
        Answers asked for: value by bin by attribute. Changing it needs a `refresh`.
    windows : dict of (start, stop)
        Bins that are in view, by attribute; all of the others. Changing it needs an `ask`.
    """

    def __init__(
        self,
        session: Any,
        source: Any,
        brush: Brush | None = None,
        target: Target | None = None,
        aggregate: Any = None,
        intervals: bool = True,
        options: dict[str, dict[str, Any]] | None = None,
        **params: Any,
    ) -> None:
        self.session, self.params = session, params
        self.brush = self._followed = Brush() if brush is None else brush
        self.target = target
        self.askers: dict[str, Asker] = {}
        self.ask(source, aggregate, intervals, show=False)
        self.wanted: dict[str, dict[int, float]] = {}
        self.windows: dict[str, tuple[int, int]] = {}
        self._waiting, self._rest = False, session.rest(self._settle, REST)
        self.plots = {name: self._plot(name, options or {}) for name in self.schema.names}
        self.brush.add_subscriber(self._brushed)

    @property
    def schema(self) -> Any:
        """The schema of what is shown."""
        return self.askers[""].schema

    @property
    def figures(self) -> dict[str, Any]:
        """Bokeh figures by attribute."""
        return {name: plot.state for name, plot in self.plots.items()}

    def ask(
        self, source: Any, aggregate: Any = None, intervals: bool = True, view: str = "", show: bool = True
    ) -> None:
        """Ask another source of the same schema, or for another aggregate; all views, or one."""
        if not view:
            self.askers.clear()
        self.askers[view] = Asker(source, aggregate, intervals)
        if show:
            for name in [view] if view else self.schema.names:
                self.plots[name].patch(self._element(name))

    def refresh(self, fit: bool = True, names: Collection[str] | None = None) -> None:
        """Show the answers to the brush, at once; on the session's own thread.

        Parameters
        ----------
        fit : bool
            Whether axes and colours are to fit them; else only where they have to.
        names : collection of str, optional
            Of the views that are to show them; all if absent.
        """
        query = self.brush.query
        for name in self.plots if names is None else names:
            plot = self.plots[name]
            ask = self.askers.get(name) or self.askers[""]
            answer, total, held = ask(query), ask.total[name], query.filters.get(name)
            attribute = self.schema[name]
            selected = None if held is None else attribute.mask(held)
            views = numbers(name, answer.views[name], (attribute.bins,))
            if len(attribute.shape) == 1:
                low, high = answer.interval[name] if answer.interval else (None, None)
                known = {"answer": views, "total": total, "low": low, "high": high, "selected": selected}
                bars = dataclasses.replace(plot.current_frame.bars, **known, wanted=self.wanted.get(name, {}))
                plot.patch_bars(bars, fit)
            else:
                ends = answer.interval[name] if answer.interval else None
                self._refresh_map(plot, attribute, views, ends, held, selected, fit)

    def _refresh_map(
        self, plot: Any, attribute: Any, answer: Any, ends: Any, held: Any, selected: Any, fit: bool
    ) -> None:
        part = slice(attribute.size)
        known = {"answer": answer[part], "selected": None if selected is None else selected[part]}
        known |= dict(zip(("low", "high"), (None, None) if ends is None else (e[part] for e in ends), strict=True))
        known |= {"box": held if isinstance(held, tuple) else None, "wanted": self.wanted.get(attribute.name, {})}
        if attribute.missing:
            known["elsewhere"] = float(answer[-1]) if np.isfinite(answer[-1]) else None
        before = plot.current_frame.cells
        plot.patch_cells(dataclasses.replace(before, **known), fit)

    def _element(self, name: str) -> Any:
        ask = self.askers.get(name) or self.askers[""]
        extra: dict[str, Any] = {"target": self.target, "wanted": self.wanted.get(name, {})}
        extra |= {"window": self.windows[name]} if name in self.windows else {}
        return ask.element(name, self.brush.query, brush=self.brush, **extra, **self.params)

    def _plot(self, name: str, options: dict[str, dict[str, Any]]) -> Any:
        element: CubeBars = self._element(name)
        chosen = options.get("", {}) | options.get(name, {})
        plot = self.session.plot(element.opts(**chosen) if chosen else element)
        plot.lift()
        return plot

    def _brushed(self, **_: Any) -> None:
        self.brush = self._followed  # whatever was shown instead
        if self._waiting:
            return
        since = time.perf_counter() - self._answered
        if since >= self._took and any(plot.hearing for plot in self.plots.values()):
            self._answer()  # at once: the browser has just told us, on the session's own thread
        else:
            self._waiting = True
            self.session.soon(self._answer)

    _answered = _took = 0.0  # when the last brush was answered, and how long that took, seconds

    def _answer(self) -> None:
        self._waiting, started = False, time.perf_counter()
        with self.session.together():
            self.refresh(fit=False)
        self._rest.start()
        self._answered = time.perf_counter()
        self._took = self._answered - started

    def _settle(self) -> None:
        with self.session.together():
            self.refresh()
