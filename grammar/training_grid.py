"""What grids of rows by recorded batches share: units, gates, layers through a whole training."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D

from .dimensions import default_dimensions

CLEAR, SAMPLE = 0.995, 500_000  # parts of the cells that colours tell apart; cells that are looked at for that
KINDS = ("norm", "share")
_VALUES = {
    "norm": Dimension(("norm", "gradient norm"), unit="nats per unit weight"),
    "part": Dimension(("part", "part of |G|²")),
}
Grid = tuple[np.ndarray, ...]


class TrainingGrid(Dataset, Element2D):
    """Rows against recorded batches; see `UnitFlow` and `GateFlow`.

    Cells hold the norm of a row's gradient and the row's part of |G|². What `aggregate_cells` leaves holds two more
    values: `at`, the batch a cell comes from, and `of`, the place of its row in the whole.
    """

    vdims = param.List(
        default=[Dimension("norm"), Dimension("part")], item_type=Dimension, bounds=(2, None), doc="Norm and part."
    )

    kind: Any = param.Selector(
        default="norm",
        objects=list(KINDS),
        doc="""
        What colours tell. "norm": norms, which do not add up. "share": signed parts of |G|², which do.""",
    )

    names: Any = param.List(default=[], doc="Name of every row, by place.")

    keys: Any = param.List(default=[], doc="What every row stands for, by place: a unit, or (strand, gate).")

    apart: Any = param.Integer(default=0, bounds=(0, None), doc="Rows at the top that are drawn high, and named.")

    chosen: Any = param.Parameter(default=None, doc="Key of the row that is framed, or None.")

    reach: Any = param.NumericTuple(
        default=None,
        length=2,
        allow_None=True,
        doc="Lowest and highest value that colours tell apart; None: as needed.",
    )

    edges: Any = param.Array(default=None, allow_None=True, doc="Places where rows begin, and where the last ends.")

    span: Any = param.Integer(default=1, bounds=(1, None), doc="Batches from one column to the next.")

    what: Any = param.String(default="", doc="Of what gradient, in words.")

    row_name = "row"

    __abstract = True

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        first, second = ("norm", "part") if params.get("kind", "norm") == "norm" else ("part", "norm")
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, [_VALUES[first], _VALUES[second]])
        if data is None or not len(data):
            data = _grid(np.zeros((0, 0)), np.zeros((0, 0)))
        super().__init__(data, kdims=kdims, vdims=vdims, **params)
        self._check()

    def _check(self) -> None:
        batch, place = self.places()
        if len(batch) > 1 and (np.diff(batch) != np.diff(batch)[0]).any():
            raise ValueError(f"expected {self.kdims[0].name} evenly spaced, as recorded batches are")
        if len(self.names) != len(self.keys):
            raise ValueError(f"expected a name per key, {len(self.keys)}, got {len(self.names)}")
        if len(place) and not 0 <= place.min() <= place.max() < max(len(self.names), 1):
            raise ValueError(f"expected {self.kdims[1].name} from 0 to {len(self.names) - 1}, got {place.max()}")
        if self.kind == "norm" and len(place) and len(batch) and np.nanmin(self.cells("norm"), initial=0) < 0:
            raise ValueError("expected norms, which are not negative; for signed parts pass kind='share'")

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) batches and (r,) places."""
        return (
            self.dimension_values(0, expanded=False),
            self.dimension_values(1, expanded=False),
        )

    def cells(self, name: Any) -> np.ndarray:
        """(r, n) of a value."""
        found = self.dimension_values(name, flat=False)
        return found if found.ndim == 2 else np.zeros((0, 0))

    def tick(self, place: int) -> str:
        """Name of a row beside it."""
        return str(self.names[place])

    def row_edges(self) -> np.ndarray:
        """(r + 1,) int: which places each row holds."""
        return np.arange(len(self.names) + 1) if self.edges is None else self.edges

    def ends(self) -> tuple[float, float]:
        """Lowest and highest value that colours tell apart: 0 is one of them, or lies between.

        Norms: of all cells. Parts: of all but a few in a thousand, or single cells would leave the others pale.
        """
        if self.reach is not None:
            return self.reach
        values = self.cells(self.vdims[0])
        low, high = float(np.nanmin(values, initial=0)), float(np.nanmax(values, initial=0))
        if self.kind == "share" and values.size:
            sample = np.abs(values.reshape(-1)[:: max(values.size // SAMPLE, 1)])
            most = float(np.nanquantile(sample, CLEAR)) or max(-low, high)
            low, high = max(low, -most), min(high, most)
        return low, high

    def cell(self, batch: float, place: int) -> tuple[int, int] | None:
        """(batch, place in the whole) of the cell drawn at a batch in a row; None outside."""
        batches, _ = self.places()
        row = int(np.searchsorted(self.row_edges(), place, "right")) - 1
        column = int(np.floor((batch + 0.5 - batches[0]) / self.span)) if len(batches) else -1
        if not (0 <= column < len(batches) and 0 <= row < len(self.row_edges()) - 1):
            return None
        if "at" not in [d.name for d in self.vdims]:
            return int(batches[column]), place
        return int(self.cells("at")[row, column]), int(self.cells("of")[row, column])


def _grid(norm: np.ndarray, part: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of a grid from (N, R) arrays."""
    batches, rows = norm.shape
    return {
        "batch": np.arange(batches),
        "place": np.arange(rows),
        "norm": np.ascontiguousarray(norm.T),
        "part": np.ascontiguousarray(part.T),
    }
