"""How much memory `itemize` takes beside its result, from the sizes of net and batch.

An upper bound that follows the arrays of `unroll.py`, `target.py`, `lags.py` and `sides.py`: what a forward pass leaves
behind, the errors of all losses, what is measured with, and the chains that are under way. It grows with T*B*H, not
with the lags; below the last layer of a bidirectional net it also holds the tiles of losses that go side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .lags import BLOCK_BYTES
from .net import RecurrentNet
from .sides import SUM_BYTES, TILE_BYTES
from .target import Target

SPARE = 1.1, 1 << 18  # of objects that are not worth a formula, and of what NumPy and Numba keep: a factor and bytes


@dataclass(frozen=True)
class Batch:
    """What a tile is made of, apart from its size."""

    floats: bool  # whether inputs are floats
    numbers: bool  # whether targets are
    end: bool  # one loss per sequence


def working_bytes(
    net: RecurrentNet, batch: Batch, target: Target, T: int, B: int, K: int, shares: bool, drops: bool = False
) -> int:
    """Bytes that itemizing B sequences of T steps takes at its peak, without result, with the batch."""
    n, H, s = T * B, net.hidden, net.dtype.itemsize
    row = n * H * s  # one number per hidden unit and step
    cell, D = net.cell, net.directions
    inputs = n * (net.inputs * s if batch.floats else 8)
    scores = (B if batch.end else n) * net.outputs * s
    targets = scores if batch.numbers else n * 8
    # The batch as it was given, numbers perhaps in float64, and in the net's dtype; its states.
    given = (1 + 8 // s) * (inputs + targets) + 2 * n * s + 2 * len(net.strands) * B * H * s * cell.states
    below = (n * net.embedding * s if net.embedding else 0) + (D - 1) * inputs
    deeper = (net.layers - 1) * (D - 1) * 4 * row + (D - 1) * 2 * row  # both directions joined, and turned
    strand = (1 + cell.coefs + (cell.states - 1)) * row
    kept = given + below + deeper + len(net.strands) * strand + scores + n * s
    forward = cell.gates * row + (D - 1) * 2 * row + 2 * scores * batch.numbers
    own = D * row
    errors = len(net.strands) * (cell.states + cell.blocks) * row
    across = (cell.gates + 2 * D) * row if net.layers > 1 else 0  # errors on their way to the layer below
    backward = own + max(scores + D * row, errors + across)
    measured = (0 if cell.blocks == 1 else cell.states * row) * (1 if target.unit is None else 2)
    rows = n * (8 + 8 + 4 + 8)  # places, norms, powers and chains
    if shares:
        measured += cell.states * row
    passing = measured + rows + _passing(net, batch, target, T, B, K, row)
    if drops:  # chains that wait to be taken up again, and again where they are joined; what is checked per step
        passing += 2 * (net.layers - target.index // net.directions) * (cell.blocks + 2) * row + 12 * 8 * n
    preparing = measured + max(2 * row, (cell.gates + 2 * cell.blocks) * row if shares else 0)
    turned = 3 * max(math.prod(shape) for shape in net.shapes().values()) * s  # copies of one weight matrix
    peak = turned + kept + max(forward, backward, own + cell.states * row + max(passing, preparing))
    return int(peak * SPARE[0]) + SPARE[1]


def _passing(net: RecurrentNet, batch: Batch, target: Target, T: int, B: int, K: int, row: int) -> int:
    """Of the chains that are followed."""
    cell, s = net.cell, net.dtype.itemsize
    layers = net.layers - target.index // net.directions
    if batch.end:
        strands = layers * net.directions
        return (strands * (cell.states + cell.blocks) + 3 * cell.states + 2 * net.directions) * row
    width = layers * (cell.blocks + cell.states + 1) * net.hidden * s
    if net.bidirectional and target.index < len(net.strands) - 2:
        together = min(max(TILE_BYTES // (2 * (cell.blocks + cell.states + 2) * row), 1), T)  # as `sides.py` has it
        sums = K * row * cell.states
        tile = together * (layers * 2 * (cell.blocks + cell.states) + 7) * row
        return tile + (sums if sums <= SUM_BYTES else row * cell.states)
    return min(max(BLOCK_BYTES, 64 * width), T * B * width) + row // max(net.hidden, 1) * 4
