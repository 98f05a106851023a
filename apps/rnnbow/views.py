"""The three linked views of one batch: symbols, gradient flow, gradient horizon."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

import learnviews as lv
from learnviews.apps.rnnbow.scale import Span
from learnviews.grammar.rnnbow import batch_symbols
from learnviews.grammar.serve import Session
from learnviews.grammar.stacking import default_floor, length

LOG_DECADES = 5  # of a log axis that is the same for all batches


class BatchViews:
    """Plots of one batch, drawn once for a choice of options and then patched from batch to batch.

    Parameters
    ----------
    session : Session
    symbols : list of str
    heights : dict
        Pixels of "rows", "flow" and "horizon".
    kind, transform, beyond, sequence
        As for `GradientFlow.from_flow`, and whether the rest is drawn.
    span : Span or None
        Scale for all batches; None: each its own.
    """

    def __init__(
        self,
        session: Session,
        symbols: list[str],
        heights: dict[str, int],
        kind: str,
        transform: str,
        beyond: bool,
        sequence: int,
        span: Span | None,
    ) -> None:
        self.session, self.symbols, self.heights = session, symbols, heights
        self.kind, self.transform, self.beyond, self.sequence, self.span = kind, transform, beyond, sequence, span
        self._plots: list[Any] = []

    def elements(self, batch: Any) -> tuple[lv.SymbolRows, lv.GradientFlow, lv.GradientHorizon]:
        """The three elements of a batch."""
        names = batch_symbols(batch, self.symbols, self.sequence)
        flow = lv.GradientFlow.from_flow(batch, self.sequence, self.kind, names, self.beyond)
        return lv.SymbolRows.from_batch(batch, self.symbols, self.sequence), flow, flow.horizon()

    def draw(self, batch: Any) -> Any:
        """The Bokeh model of all three."""
        rows, flow, horizon = self.elements(batch)
        settings: dict[str, Any] = {"transform": self.transform, "show_beyond": self.beyond}
        low = {"logy": self.transform == "log" and self.kind == "norm"}
        if self.span is not None:
            settings |= self._fixed(self.span.bars)
            least, most = self.span.cells
            low["ylim"] = (most * 10.0**-LOG_DECADES, most * 1.5) if low["logy"] else (least * 1.08, most * 1.08)
        rows = rows.opts(height=self.heights["rows"])
        flow = flow.opts(height=self.heights["flow"], xlabel="", **settings)
        horizon = horizon.opts(height=self.heights["horizon"], **low)
        lv.LossLink(flow, horizon, rescale="batch" if self.span is None else "fixed")
        layout = hv.Layout([rows, flow, horizon]).cols(1).opts(toolbar="right", merge_tools=True)
        plot = self.session.plot(layout)
        plot.state.toolbar.logo = None
        self._plots = [subplot for place in plot.subplots.values() for subplot in place.subplots.values()]
        return plot.state

    def show(self, batch: Any) -> None:
        """Put another batch into the plots."""
        for plot, element in zip(self._plots, self.elements(batch), strict=True):
            lv.patch(plot, element)

    def _fixed(self, bars: tuple[float, float]) -> dict[str, Any]:
        """Options of the flow for one scale."""
        ends = np.array(bars)
        floor = default_floor(float(np.abs(ends).max()))
        low, high = length(ends, self.transform, floor) * 1.05
        return {"ylim": (float(low), float(high) or 1.0), **({"floor": floor} if self.transform == "log" else {})}
