"""Stream: where the nodes of a graph are, as the user dragged them."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.streams import Stream


class NodePlaces(Stream):
    """Places of nodes, shared by all views of a graph: a node that is dragged in one moves in all."""

    places = param.Array(default=np.zeros((0, 2)), doc="(nodes, 2) places.")

    @property
    def hashkey(self) -> dict[str, Any]:
        """What DynamicMaps tell places apart by."""
        return {"places": hash(self.places.tobytes())}

    def move(self, node: int, x: float, y: float) -> None:
        """Put a node somewhere else.

        Raises
        ------
        ValueError
            If there is no such node, or the place is not finite.
        """
        if not (0 <= node < len(self.places) and np.isfinite([x, y]).all()):
            raise ValueError(
                f"expected a node from 0 to {len(self.places) - 1} and a finite place, got {node}: {x}, {y}"
            )
        places = self.places.copy()
        places[node] = x, y
        self.event(places=places)
