"""Element for how the gradient divides over gates, layers and directions through a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import param
from holoviews.core import Dimension

from .strand_words import row_words
from .training_grid import TrainingGrid, _grid


class GateFlow(TrainingGrid):
    """Gates of all layers and directions against recorded batches; a row is a gate of a strand.

    Made by `from_parts`. Colour tells the norm of the gate's rows of a parameter's gradient, or their signed part of
    |G|², G the gradient of all rows together.

    Parameters
    ----------
    data : grid of (batch, place, norm, part)
    kind : {"norm", "share"}
    keys, names : lists
        (strand, gate) of each place, gate None in a cell without gates, and its name.
    chosen : (str, str or None), optional
        Key of the row that is framed.

    Raises
    ------
    ValueError
        If batches are not evenly spaced, a norm is negative, or names and places do not fit.
    """

    group = param.String(default="GateFlow", constant=True)

    kdims = param.List(
        default=[Dimension(("batch", "recorded batch")), Dimension(("place", "gate"))],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Batch, and place from the top.",
    )

    ticks: Any = param.List(default=[], doc="Short names of the rows, by place; without them the names.")

    row_name = "row"

    @classmethod
    def from_parts(
        cls, parts: Mapping[tuple[str, str | None], tuple[Any, Any]], kind: str = "norm", cell: str = "", **params: Any
    ) -> GateFlow:
        """From what moves each gate.

        Parameters
        ----------
        parts : mapping
            By (strand, gate), such as ("l1_reverse", "f") or ("l0", None): norm (N,) and signed share (N,) of each
            recorded batch. Gates are disjoint rows of a gradient, so squares of norms and shares add up.
        kind : {"norm", "share"}
        cell : str
            "gru" or "lstm", whose gates have names.

        Raises
        ------
        ValueError
            If the arrays are not of one length, or `kind` is unknown.
        """
        from ..kernels.rnn.cues import part_of_whole

        lengths = sorted({len(values) for pair in parts.values() for values in pair})
        if len(lengths) > 1:
            raise ValueError(f"expected norms and shares of one length, got {lengths}")
        count = lengths[0] if lengths else 0
        norm, share = (
            np.array([pair[at] for pair in parts.values()], float).reshape(len(parts), count).T for at in (0, 1)
        )
        keys = list(parts)
        known = {"keys": keys, "names": row_words(keys, cell), "ticks": row_words(keys, cell, brief=True)}
        known["apart"] = len(keys)
        return cls(_grid(norm, part_of_whole(share)), kind=kind, **(known | params))

    def tick(self, place: int) -> str:
        """Name of a row beside it."""
        return str(self.ticks[place] if self.ticks else self.names[place])

    def caption(self) -> str:
        """What is shown, in words."""
        return "gates" if any(gate for _, gate in self.keys) else "layers and directions"
