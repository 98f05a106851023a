"""The three linked views of one batch: symbols, gradient flow, gradient horizon."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import holoviews as hv
import numpy as np

import learnviews as lv
from learnviews.apps.rnnbow.scale import Span
from learnviews.grammar.rnnbow import batch_symbols
from learnviews.grammar.serve import Session
from learnviews.grammar.stacking import default_floor, length

LOG_DECADES = 5  # of a log axis that is the same for all batches
NATS, ANY = "nats per unit weight", "loss per unit weight"


def per_unit_of_loss(element: Any, nats: bool) -> Any:
    """The element, its gradients in nats only where losses are known to be: a foreign one may be a squared error."""
    wrong = {d.name: ANY for d in element.vdims if d.unit == NATS}
    return element if nats or not wrong else element.redim.unit(**wrong)


class BatchViews:
    """Plots of one batch, drawn once for a choice of options and then patched from batch to batch.

    Parameters
    ----------
    session : Session
    vocabularies : pair of lists of str, or None
        The symbols of inputs, and of targets and predictions; None: not known.
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
        vocabularies: tuple[list[str] | None, list[str] | None],
        heights: dict[str, int],
        kind: str,
        transform: str,
        beyond: bool,
        sequence: int,
        span: Span | None,
    ) -> None:
        self.session, self.vocabularies, self.heights = session, vocabularies, heights
        self.kind, self.transform, self.beyond, self.sequence, self.span = kind, transform, beyond, sequence, span
        self._plots: list[Any] = []

    def elements(self, batch: Any) -> list[Any]:
        """The elements of a batch: symbols where they are known, flow and horizon."""
        flow = self.flow(batch)
        return [*self._rows(batch), flow, flow.horizon()]

    def flow(self, batch: Any, gradients: Any = None) -> lv.GradientFlow:
        """The stacked bars of a batch; with `gradients`, those of what was itemized of it later."""
        names = batch_symbols(batch, self.vocabularies[1], self.sequence)
        flow = lv.GradientFlow.from_flow(gradients or batch, self.sequence, self.kind, names, self.beyond)
        return per_unit_of_loss(flow, not np.isnan(batch.loss).all())

    def draw(self, batch: Any) -> Any:
        """The Bokeh model of all of them."""
        *rows, flow, horizon = self.elements(batch)
        low = {"logy": self.transform == "log" and self.kind == "norm"}
        if self.span is not None:
            least, most = self.span.cells
            low["ylim"] = (most * 10.0**-LOG_DECADES, most * 1.5) if low["logy"] else (least * 1.08, most * 1.08)
        rows = [each.opts(height=self.heights["rows"], yticks=self._row_names(batch)) for each in rows]
        free = 0 if rows else self.heights["rows"]
        flow = flow.opts(height=self.heights["flow"] + free, xlabel="", **self.flow_options())
        horizon = horizon.opts(height=self.heights["horizon"], **low)
        lv.LossLink(flow, horizon, rescale="batch" if self.span is None else "fixed")
        layout = hv.Layout([*rows, flow, horizon]).cols(1).opts(toolbar="right", merge_tools=True)
        plot = self.session.plot(layout)
        plot.state.toolbar.logo = None
        self._plots = [subplot for place in plot.subplots.values() for subplot in place.subplots.values()]
        return plot.state

    def flow_options(self) -> dict[str, Any]:
        """Options of the flow's plot."""
        settings: dict[str, Any] = {"transform": self.transform, "show_beyond": self.beyond}
        return settings if self.span is None else settings | self._fixed(self.span.bars)

    def with_own_scale(self) -> BatchViews:
        """The same, each batch on a scale of its own."""
        chosen = (self.kind, self.transform, self.beyond, self.sequence)
        return BatchViews(self.session, self.vocabularies, self.heights, *chosen, None)

    def fits(self, batch: Any) -> bool:
        """Whether a batch can be shown in the plots that were drawn."""
        return len(self._plots) == len(self._rows(batch)) + 2

    def _rows(self, batch: Any) -> list[lv.SymbolRows]:
        """Of a foreign training the targets may not be known; then the inputs are better than nothing."""
        if batch.targets is not None:
            return [lv.SymbolRows.from_batch(batch, self.vocabularies[1], self.sequence)]
        if batch.inputs is None:
            return []
        inputs = SimpleNamespace(targets=batch.inputs, predicted=None, mask=batch.mask)
        return [lv.SymbolRows.from_batch(inputs, self.vocabularies[0], self.sequence)]

    def _row_names(self, batch: Any) -> list[tuple[int, str]]:
        if batch.targets is None:
            return [(1, "input")]
        return [(1, "true")] if batch.predicted is None else [(1, "true"), (0, "predicted")]

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
