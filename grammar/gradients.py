"""Elements for itemized gradients: which loss moves which step, and how that decays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D
from holoviews.element.selection import Selection1DExpr

from ..kernels.arrays import as_numpy
from .dimensions import default_dimensions
from .pipeline import unrecorded
from .symbols import readable

KINDS = ("norm", "share")
_LABELS = {
    "norm": ("gradient norm", "nats per unit weight"),
    "share": ("signed share of |G|²", None),
}
Table = dict[str, np.ndarray]


def value_dimension(kind: str) -> Dimension:
    """The dimension `gradient` with the title and unit of its kind; ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}")
    title, unit = _LABELS[kind]
    return Dimension(("gradient", title), unit=unit)


class ItemizedGradients(Selection1DExpr, Dataset, Element2D):
    """What elements of itemized gradients share: a kind, a number of steps, and values that must fit the kind."""

    kind: Any = param.Selector(
        default="norm",
        objects=list(KINDS),
        doc="""
        "norm": norms, which do not add up to the norm of their sum. "share": signed shares of |G|², which do.""",
    )

    length = param.Integer(
        default=None,
        bounds=(1, None),
        allow_None=True,
        doc="Steps in the batch; None: as many as the table needs.",
    )

    __abstract = True

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, [value_dimension(params.get("kind", "norm")), *type(self).vdims[1:]])
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if len(self):
            self._check()

    def _check(self) -> None:
        gradient = self.dimension_values(self.vdims[0])
        if gradient.dtype.kind not in "fiu" or np.isinf(gradient).any():
            raise ValueError(f"expected {self.vdims[0].name} as finite numbers (NaN where there is none)")
        if self.kind == "norm" and (gradient < 0).any():
            raise ValueError("expected norms, which are not negative; for signed values pass kind='share'")
        for dimension in self._whole():
            values = self.dimension_values(dimension)
            if values.dtype.kind not in "fiu" or (values != np.floor(values)).any():
                raise ValueError(f"expected {dimension.name} as whole numbers, got {values.dtype} values")

    def _settle(self, **found: int) -> None:
        """Set what was found out from the data, also for what HoloViews makes of a part of it."""
        self.param.update(**found)
        pipeline = self.pipeline
        *before, made = pipeline.operations
        again = made.instance(kwargs={**made.kwargs, **found})
        self._pipeline: Any = pipeline.instance(operations=[*before, again])

    def _whole(self) -> list[Dimension]:
        """Dimensions that count something."""
        return list(self.kdims)


class GradientFlow(ItemizedGradients):
    """Itemized gradients of one batch: one bar per step, hanging from a zero line, made up of what each loss adds.

    Key dimensions are the step and the lag: lag k of step s is what the loss of step s + k adds. The first value
    dimension is the size; value dimensions called `beyond`, `loss` and `symbol` are understood too: the gradient (per
    step) of all losses that are not told apart, the loss (nats) a cell comes from, and the symbol that loss is about.

    Parameters
    ----------
    data : table of (step, lag, gradient, ...)
        A DataFrame, a dict of columns, a tuple of them, or anything else HoloViews takes.
    kind : {"norm", "share"}
    length : int, optional
        Steps in the batch. Cells whose loss lies past its end do not exist and are not drawn. Default: the last step,
        or the last loss that contributes anything, whichever is later.

    Raises
    ------
    ValueError
        If steps or lags are not whole numbers, values are infinite, or norms are negative.
    """

    group = param.String(default="GradientFlow", constant=True)

    kdims = param.List(
        default=[Dimension(("step", "step in batch")), Dimension("lag")],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Step and lag.",
    )

    vdims = param.List(
        default=[value_dimension("norm")],
        item_type=Dimension,
        bounds=(1, None),
        doc="Gradient, and what is known of it.",
    )

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        super().__init__(data, kdims=kdims, vdims=vdims, **params)
        if self.length is None and len(self):
            self._settle(length=self._needed_length())

    def _needed_length(self) -> int:
        step, lag, gradient = (self.dimension_values(i) for i in range(3))
        moved = np.nan_to_num(gradient) != 0
        return int(max(step.max(), (step + lag)[moved].max(initial=0))) + 1

    @classmethod
    def from_flow(
        cls,
        flow: Any,
        sequence: int = 0,
        kind: str = "norm",
        symbols: Sequence[str] | None = None,
        beyond: bool = True,
        **params: Any,
    ) -> GradientFlow:
        """From a flow of `kernels.rnn.itemize`, or a recorded batch.

        Parameters
        ----------
        flow : object with norm or share (T, K) or (T, K, B), and if there, beyond or share_beyond (T,) or (T, B),
            loss (T,) or (T, B), and lags (K,)
        sequence : int
            Which of the B sequences.
        kind : {"norm", "share"}
        symbols : T strings, optional
            What each step's loss is about, for tooltips.
        beyond : bool
            Whether to take along what was not told apart.

        Raises
        ------
        ValueError
            If there are no shares, no such sequence, or not one symbol per step.
        """
        dimension = value_dimension(kind)
        if getattr(flow, kind, None) is None:
            raise ValueError("this flow holds no shares; itemize with shares=True, or record them")
        values = _of_sequence(getattr(flow, kind), 2, sequence)  # (T, K)
        T, K = values.shape
        lags = getattr(flow, "lags", None)
        lags = np.arange(K) if lags is None else as_numpy(lags).astype(int)
        loss_step = np.arange(T)[:, None] + lags  # (T, K)
        step, column = np.nonzero((loss_step >= 0) & (loss_step < T))
        table: Table = {"step": step, "lag": lags[column], "gradient": values[step, column]}
        rest = getattr(flow, "beyond" if kind == "norm" else "share_beyond", None)
        if beyond and rest is not None:
            table["beyond"] = _of_sequence(rest, 1, sequence)[step]
        if getattr(flow, "loss", None) is not None:
            losses = _of_sequence(flow.loss, 1, sequence)
            if not np.isnan(losses).all():  # a recording may not know them
                table["loss"] = losses[loss_step[step, column]]
        if symbols is not None:
            table["symbol"] = _symbols(symbols, T)[loss_step[step, column]]
        vdims = [dimension, *_extra_dimensions(table, kind)]
        return cls(table, vdims=vdims, kind=kind, length=T, datatype=["dictionary"], **params)

    @unrecorded
    def horizon(self, loss_step: int | None = None, **params: Any) -> GradientHorizon:
        """What one loss adds to each step.

        Parameters
        ----------
        loss_step : int, optional
            The step of the loss; default: the one that adds most.

        Raises
        ------
        ValueError
            If the batch has no such step.
        """
        step, lag, gradient = (self.dimension_values(i) for i in range(3))
        loss = step + lag
        if loss_step is None:
            loss_step = _loudest(loss, gradient, self.length or 1)
        if not 0 <= loss_step < (self.length or 1):
            raise ValueError(f"expected a loss step from 0 to {(self.length or 1) - 1}, got {loss_step}")
        of_loss = loss == loss_step
        columns = {"step": step[of_loss], "gradient": gradient[of_loss], "lag": lag[of_loss]}
        extra = [d for d in self.vdims[1:] if d.name in ("loss", "symbol")]
        columns |= {d.name: self.dimension_values(d)[of_loss] for d in extra}
        finite = np.nan_to_num(gradient)
        span = (min(0.0, float(finite.min(initial=0))), max(0.0, float(finite.max(initial=0))))
        vdims = [self.vdims[0].clone("gradient", label=self.vdims[0].label), Dimension("lag"), *extra]
        settings = {"kind": self.kind, "length": self.length, "loss_step": int(loss_step), "span": span}
        settings["least"] = float(finite[finite > 0].min()) if (finite > 0).any() else None
        return GradientHorizon(columns, kdims=[self.kdims[0]], vdims=vdims, **(settings | params))


class GradientHorizon(ItemizedGradients):
    """What one loss adds to each step, as upright bars: how its gradient decays on the way back.

    Parameters
    ----------
    data : table of (step, gradient, lag, ...)
    loss_step : int, optional
        The step of the loss; default: as the table says.
    span : (low, high), optional
        What the value axis has to show, so that losses of one batch share a scale; default: the bars.
    kind, length
        As for `GradientFlow`.
    """

    group = param.String(default="GradientHorizon", constant=True)

    kdims = param.List(default=[Dimension(("step", "step in batch"))], item_type=Dimension, bounds=(1, 1), doc="Step.")

    vdims = param.List(
        default=[value_dimension("norm"), Dimension("lag")],
        item_type=Dimension,
        bounds=(2, None),
        doc="Gradient, lag, and more.",
    )

    loss_step = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Step of the loss.")

    span = param.NumericTuple(default=None, length=2, allow_None=True, doc="Values the axis has to show.")

    least = param.Number(default=None, allow_None=True, doc="Smallest positive value a log axis has to show.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        super().__init__(data, kdims=kdims, vdims=vdims, **params)
        if self.loss_step is None and len(self):
            self._settle(loss_step=int(self.dimension_values(0)[0] + self.dimension_values(2)[0]))
        if self.length is None and len(self):
            self._settle(length=int(max(self.dimension_values(0).max(), self.loss_step or 0)) + 1)

    def _check(self) -> None:
        super()._check()
        losses = np.unique(self.dimension_values(0) + self.dimension_values(2))
        if len(losses) > 1 or (self.loss_step is not None and losses[0] != self.loss_step):
            raise ValueError(f"expected cells of one loss, with the same step + lag; got {losses.astype(int).tolist()}")

    def _whole(self) -> list[Dimension]:
        return [self.kdims[0], self.vdims[1]]

    @classmethod
    def from_flow(
        cls,
        flow: Any,
        loss_step: int | None = None,
        sequence: int = 0,
        kind: str = "norm",
        symbols: Sequence[str] | None = None,
        **params: Any,
    ) -> GradientHorizon:
        """From a flow or a recorded batch; parameters and errors as for `GradientFlow.from_flow` and `.horizon`."""
        whole = GradientFlow.from_flow(flow, sequence, kind, symbols, beyond=False)
        return whole.horizon(loss_step, **params)


def _of_sequence(values: Any, ndim: int, sequence: int) -> np.ndarray:
    """One sequence of an array that may end in a batch dimension."""
    values = as_numpy(values)
    if values.ndim == ndim:
        values = values[..., None]
    if values.ndim != ndim + 1:
        raise ValueError(f"expected {ndim} or {ndim + 1} dimensions, got an array of shape {values.shape}")
    if not 0 <= sequence < values.shape[-1]:
        raise ValueError(f"expected a sequence from 0 to {values.shape[-1] - 1}, got {sequence}")
    return values[..., sequence]


def _symbols(symbols: Sequence[str], T: int) -> np.ndarray:
    if len(symbols) != T:
        raise ValueError(f"expected one symbol per step, {T}, got {len(symbols)}")
    return np.asarray([readable(symbol) for symbol in symbols], dtype=str)


def _extra_dimensions(table: Table, kind: str) -> list[Dimension]:
    known = {
        "beyond": Dimension(("beyond", "not told apart"), unit=_LABELS[kind][1]),
        "loss": Dimension("loss", unit="nats"),
        "symbol": Dimension("symbol"),
    }
    return [dimension for name, dimension in known.items() if name in table]


def _loudest(loss: np.ndarray, gradient: np.ndarray, length: int) -> int:
    """The loss step whose cells are largest together."""
    if not len(loss):
        return 0
    inside = (loss >= 0) & (loss < length)
    return int(np.argmax(np.bincount(loss[inside].astype(int), np.abs(np.nan_to_num(gradient[inside])), length)))
