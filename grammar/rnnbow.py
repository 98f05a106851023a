"""RNNbow: the linked views of a recorded training, as one HoloViews object (after Cashman et al., VADL 2017)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import holoviews as hv
from holoviews.streams import MouseLeave, PointerX, Tap

from .gradients import GradientFlow, GradientHorizon
from .operations import aggregate_batches
from .overview import TrainingOverview
from .palettes import DARK_BLUE, SKY_BLUE
from .streams import BatchSelection
from .symbol_rows import SymbolRows

MANY = 2000  # batches from which on the overview is aggregated


def rnnbow(
    recording: Any,
    selection: BatchSelection | None = None,
    sequence: int = 0,
    kind: str = "norm",
    parameter: str | None = None,
    gate: str | None = None,
    **flow_options: Any,
) -> hv.Layout:
    """The linked views of a recording: symbols, gradient flow, gradient horizon and training overview in one column.

    Point at a segment of the flow to see all of its loss, in the flow and in the horizon. Point at a bar of the
    overview to preview that batch, tap it to select it.

    Parameters
    ----------
    recording : `kernels.rnn.Recording`, or an object like it
        With a length, items that hold the arrays of one batch, `overview()` and `symbols`.
    selection : BatchSelection, optional
        To drive the views from elsewhere, or watch them; one is made by default.
    sequence : int
        Which sequence of each batch to show.
    kind : {"norm", "share"}
        Norms of gradients, or signed shares of |G|².
    parameter, gate : str, optional
        Which gradient, of those the recording holds; its main parameter by default.
    **flow_options
        Options of the gradient flow, such as ``transform="log"``.

    Raises
    ------
    ValueError
        If nothing was recorded yet, the selection lies past the end, or there is no such parameter or gate.
    """
    if not len(recording):
        raise ValueError("expected a recording with at least one batch, this one is empty")
    sequences = recording[0].loss.shape[-1]
    if not 0 <= sequence < sequences:
        raise ValueError(f"expected a sequence from 0 to {sequences - 1}, got {sequence}")
    selection = BatchSelection() if selection is None else selection
    if selection.shown >= len(recording):
        raise ValueError(f"expected a selected batch from 0 to {len(recording) - 1}, got {selection.shown}")

    @lru_cache(maxsize=8)  # three views ask for the same batch
    def recorded(selected: int, previewed: int | None) -> Any:
        number = selected if previewed is None else previewed
        return recording.view(number, parameter, gate) if parameter or gate else recording[number]

    vocabulary = getattr(recording, "target_symbols", recording.symbols)

    def flow(selected: int, previewed: int | None) -> GradientFlow:
        batch = recorded(selected, previewed)
        element = GradientFlow.from_flow(batch, sequence, kind, batch_symbols(batch, vocabulary, sequence))
        return element.opts(**flow_options, clone=False) if flow_options else element

    def rows(selected: int, previewed: int | None) -> SymbolRows:
        return SymbolRows.from_batch(recorded(selected, previewed), vocabulary, sequence)

    start = flow(selection.selected, selection.previewed).horizon()

    def horizon(selected: int, previewed: int | None) -> GradientHorizon:
        whole = flow(selected, previewed)
        return whole.horizon(min(start.loss_step or 0, (whole.length or 1) - 1))

    flows, horizons, texts = (hv.DynamicMap(view, streams=[selection]) for view in (flow, horizon, rows))
    link_losses(flows, horizons)
    known = [texts] if recording[0].targets is not None else []
    return hv.Layout([*known, flows, horizons, overview(recording, selection, parameter, gate)]).cols(1)


def overview(
    recording: Any, selection: BatchSelection, parameter: str | None = None, gate: str | None = None
) -> hv.Overlay | hv.DynamicMap:
    """One bar per recorded batch, with the selected and previewed ones marked; tap to select, point to preview."""
    chosen = {"parameter": parameter, "gate": gate} if parameter or gate else {}
    bars = TrainingOverview(recording.overview(**chosen))
    shown = bars if len(bars) <= MANY else aggregate_batches(bars, dynamic=True)
    marks = hv.DynamicMap(lambda selected, previewed: marked(bars, selected, previewed), streams=[selection])
    follow_pointer(shown, bars, selection)
    return shown * marks


def follow_pointer(shown: Any, bars: TrainingOverview, selection: BatchSelection) -> None:
    """Preview the batch under the pointer, select the one tapped on: of the bars that are shown, the nearest."""

    def nearest(x: float) -> int | None:
        drawn = shown.last if isinstance(shown, hv.DynamicMap) else shown
        return (bars if drawn is None else drawn).nearest(x)

    def preview(x: float | None) -> None:
        selection.preview(None if x is None else nearest(x))

    def leave(**_: Any) -> None:
        selection.preview(None)

    def select(x: float | None, y: float | None) -> None:
        batch = None if x is None else nearest(x)
        if batch is not None:
            selection.select(batch)

    PointerX(source=shown).add_subscriber(preview)
    MouseLeave(source=shown).add_subscriber(leave)
    Tap(source=shown).add_subscriber(select)


def marked(bars: TrainingOverview, selected: int, previewed: int | None) -> hv.Overlay:
    """The selected bar in dark blue and the previewed one in a lighter blue, at least two pixels wide."""
    chosen = bars.pick(selected).opts(color=DARK_BLUE, line_color=DARK_BLUE, line_width=2, pin=True)
    passing = bars.pick(previewed).opts(color=SKY_BLUE, line_color=SKY_BLUE, line_width=2, pin=True)
    return chosen * passing


def link_losses(flow: Any, horizon: Any, rescale: str = "batch") -> Any:
    """Have the horizon show the loss that is highlighted in the flow; see `LossLink`."""
    from .links import LossLink

    return LossLink(flow, horizon, rescale=rescale)


def batch_symbols(batch: Any, vocabulary: Any, sequence: int = 0) -> list[str] | None:
    """What each step's loss is about: the true symbols of a recorded batch; None where they are not known."""
    if batch.targets is None:
        return None
    targets = batch.targets if batch.targets.ndim == 1 else batch.targets[:, sequence]
    return [str(token) if vocabulary is None else vocabulary[token] for token in targets]
