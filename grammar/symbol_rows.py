"""Element for the text of a batch: what came, and what the net expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D
from holoviews.element.selection import Selection1DExpr

from ..kernels.arrays import as_numpy
from .dimensions import default_dimensions
from .gradients import _of_sequence
from .symbols import readable


class SymbolRows(Selection1DExpr, Dataset, Element2D):
    """Two rows of symbols: the true one of each step and, under it, the most probable prediction.

    Parameters
    ----------
    data : table of (step, symbol, predicted, correct, probability, ...)
        `correct` is boolean, `probability` (of the prediction) lies in 0..1 or is NaN. A value dimension called
        `alternatives` is shown in tooltips.

    Raises
    ------
    ValueError
        If steps are not whole numbers or a probability lies outside 0..1.
    """

    group = param.String(default="SymbolRows", constant=True)

    kdims = param.List(default=[Dimension(("step", "step in batch"))], item_type=Dimension, bounds=(1, 1), doc="Step.")

    vdims = param.List(
        default=[Dimension("symbol"), Dimension("predicted"), Dimension("correct"), Dimension("probability")],
        item_type=Dimension,
        bounds=(4, None),
        doc="True symbol, predicted symbol, whether they agree, the prediction's probability.",
    )

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if not len(self):
            return
        step, probability = self.dimension_values(0), self.dimension_values(4)
        if step.dtype.kind not in "fiu" or (step != np.floor(step)).any():
            raise ValueError(f"expected {self.kdims[0].name} as whole numbers, got {step.dtype} values")
        if probability.dtype.kind not in "fiu" or (probability < 0).any() or (probability > 1).any():
            raise ValueError(f"expected {self.vdims[3].name} from 0 to 1 (NaN where unknown)")

    @classmethod
    def from_batch(cls, batch: Any, symbols: Sequence[str] | None, sequence: int = 0, **params: Any) -> SymbolRows:
        """From a recorded batch.

        Parameters
        ----------
        batch : object with targets and predicted (T,) or (T, B) int, and if there, top and top_probability (T, n) or
            (T, B, n): the most probable symbols of each step, best first. Where `predicted` is None the second row
            stays empty, as do both at steps that `mask` (T,) or (T, B), if there, calls padding.
        symbols : list of str, or None
            The vocabulary the numbers count in; None: the numbers themselves are shown.
        sequence : int

        Raises
        ------
        ValueError
            If a number lies outside the vocabulary or there is no such sequence.
        """
        vocabulary = None if symbols is None else np.asarray([readable(symbol) for symbol in symbols], dtype=str)
        true = _of_sequence(batch.targets, 1, sequence)
        predicted = None if batch.predicted is None else _of_sequence(batch.predicted, 1, sequence)
        mask = getattr(batch, "mask", None)
        there = np.full(len(true), True) if mask is None else _of_sequence(mask, 1, sequence)
        table = {
            "step": np.arange(len(true)),
            "symbol": np.where(there, _spell(vocabulary, true), ""),
            "predicted": np.where(there, "" if predicted is None else _spell(vocabulary, predicted), ""),
            "correct": np.full(len(true), True) if predicted is None else (true == predicted) | ~there,
            "probability": np.full(len(true), np.nan),
        }
        vdims = list(cls.vdims)
        if getattr(batch, "top", None) is not None and getattr(batch, "top_probability", None) is not None:
            top, chance = (_ranked(values, sequence) for values in (batch.top, batch.top_probability))
            table["probability"] = np.clip(chance[:, 0].astype(float), 0, 1)
            table["alternatives"] = _alternatives(_spell(vocabulary, top), chance)
            vdims = [*vdims, Dimension("alternatives")]
        return cls(table, vdims=vdims, datatype=["dictionary"], **params)


def _ranked(values: Any, sequence: int) -> np.ndarray:
    """(T, n) of (T, n) or (T, B, n)."""
    values = as_numpy(values)
    return _of_sequence(np.moveaxis(values, -1, 1) if values.ndim == 3 else values, 2, sequence)


def _spell(vocabulary: np.ndarray | None, tokens: np.ndarray) -> np.ndarray:
    if vocabulary is None:
        return tokens.astype(str)
    if tokens.size and (tokens.min() < 0 or tokens.max() >= len(vocabulary)):
        raise ValueError(f"expected tokens from 0 to {len(vocabulary) - 1}, got {tokens.min()} to {tokens.max()}")
    return vocabulary[tokens]


def _alternatives(symbols: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(T,) str such as "e 61%, a 12%": one line per step."""
    pairs = zip(symbols.tolist(), np.rint(100 * chance).astype(int).tolist(), strict=True)
    return np.array([", ".join(f"{s} {p}%" for s, p in zip(*row, strict=True)) for row in pairs], dtype=str)
