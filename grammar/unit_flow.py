"""Element for single hidden units through a training: which of them the gradient moves, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.core import Dimension

from .training_grid import TrainingGrid, _grid

APART = 8  # units that are drawn high, and named
CUES = {"share": "largest share", "norm": "largest norm", "change": "most changed over training"}


class UnitFlow(TrainingGrid):
    """Hidden units against recorded batches; those most worth a look come first, drawn high and named.

    Made by `from_units`. Colour tells the norm of the unit's rows of a parameter's gradient, or their signed part of
    |G|². Long trainings and many units are drawn through `aggregate_cells`, where every cell is one unit in one batch.

    Parameters
    ----------
    data : grid of (batch, place, norm, part)
        Place 0 is the top row.
    kind : {"norm", "share"}
    keys, names : lists
        Number and name of the unit at each place.
    scores : (places,) array
        What the units were ordered by.
    by : {"share", "norm", "change"}
        What that is; see `kernels.rnn.cues.cue`.
    apart : int
        How many at the top are drawn high and named.
    chosen : int, optional
        Number of the unit that is framed.

    Raises
    ------
    ValueError
        If batches are not evenly spaced, a norm is negative, or names and places do not fit.
    """

    group = param.String(default="UnitFlow", constant=True)

    kdims = param.List(
        default=[Dimension(("batch", "recorded batch")), Dimension(("place", "hidden unit"))],
        item_type=Dimension,
        bounds=(2, 2),
        doc="Batch, and place from the top.",
    )

    scores: Any = param.Array(default=np.zeros(0), doc="What the units were ordered by, by place.")

    by: Any = param.Selector(default="share", objects=list(CUES), doc="What the units are ordered by.")

    row_name = "unit"

    @classmethod
    def from_units(
        cls, norm: Any, share: Any, by: str = "share", kind: str = "norm", apart: int = APART, **params: Any
    ) -> UnitFlow:
        """From what a recording tells of its units: `UnitFlow.from_units(*recording.units("weight_hh_l0"))`.

        Parameters
        ----------
        norm, share : (N, H)
            Per recorded batch and unit: norm of the unit's rows of the gradient, and their signed share of |G|².
        by : {"share", "norm", "change"}
            Units with the largest share, the largest norm, or whose part of the whole changed most, come first; see
            `kernels.rnn.cues.cue`.
        kind : {"norm", "share"}
        apart : int
            How many at the top are drawn high and named.

        Raises
        ------
        ValueError
            If the arrays are not of one shape, or `by` or `kind` is unknown.
        """
        from ..kernels.rnn.cues import cue, in_order, part_of_whole

        score = cue(norm, share, by)
        order = in_order(score)
        norm, share = np.asarray(norm), np.asarray(share)
        known = {
            "keys": order.tolist(),
            "names": [str(unit) for unit in order],
            "scores": score[order],
            "by": by,
            "apart": min(apart, len(order)),
        }
        grid = _grid(norm[:, order], part_of_whole(share)[:, order].astype(np.float32))
        return cls(grid, kind=kind, **(known | params))

    def tick(self, place: int) -> str:
        """Name of a row beside it."""
        return f"unit {self.names[place]}"

    def caption(self) -> str:
        """What is shown, in words."""
        return f"hidden units, {CUES[self.by]} first"
