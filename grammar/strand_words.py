"""Parameters, layers, directions and gates of recurrent nets in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

GATES = {
    "gru": {"r": "reset", "z": "update", "n": "candidate"},
    "lstm": {"i": "input", "f": "forget", "g": "cell candidate", "o": "output"},
}
BRIEF = {"candidate": "new", "cell candidate": "cell"}
Row = tuple[str, str | None]


def strand_of(parameter: str) -> str:
    """The strand of a parameter: "l1_reverse" of "weight_hh_l1_reverse"."""
    return parameter[parameter.rindex("_l") + 1 :]


def kind_of(parameter: str) -> str:
    """A parameter without its strand: "weight_hh"."""
    return parameter[: parameter.rindex("_l")]


def layer_and_direction(strand: str) -> tuple[int, str]:
    """Layer, counted from 1, and "forward" or "backward"."""
    match = re.fullmatch(r"l(\d+)(_reverse)?", strand)
    if match is None:
        raise ValueError(f'expected a strand such as "l0" or "l1_reverse", got {strand!r}')
    return int(match[1]) + 1, "backward" if match[2] else "forward"


def gate_words(gate: str, cell: str = "") -> str:
    """The name of a gate: "forget gate" of "f" in an LSTM; the candidates of GRU and LSTM are no gates."""
    name = GATES.get(cell, {}).get(gate, gate)
    return name if name.endswith("candidate") else f"{name} gate"


def parameter_words(
    parameter: str, strands: Sequence[str], gate: str | None = None, cell: str = "", unit: int | None = None
) -> str:
    """Which gradient is shown: "weight_hh, layer 2 of 2, backward, forget gate, unit 17".

    What a net has one of only is not mentioned.
    """
    layer, direction = layer_and_direction(strand_of(parameter))
    known = [layer_and_direction(strand) for strand in strands]
    layers = max((each for each, _ in known), default=1)
    words = [kind_of(parameter)]
    words += [f"layer {layer} of {layers}"] if layers > 1 else []
    words += [direction] if len({each for _, each in known}) > 1 else []
    words += [gate_words(gate, cell)] if gate is not None else []
    words += [f"unit {unit}"] if unit is not None else []
    return ", ".join(words)


def row_words(rows: Sequence[Row], cell: str = "", brief: bool = False) -> list[str]:
    """Names of rows (strand, gate), of what tells them apart: "layer 2, backward, forget gate", or "2 ← forget".

    Where there is little room candidates are called "new" in a GRU and "cell" in an LSTM, as PyTorch does.
    """
    found = [(*layer_and_direction(strand), gate) for strand, gate in rows]
    layers, directions = ({each[at] for each in found} for at in (0, 1))
    words = []
    for layer, direction, gate in found:
        parts = [str(layer) if gate and brief else f"layer {layer}"] if len(layers) > 1 else []
        arrow = "←" if direction == "backward" else "→"
        parts += [arrow if brief else direction] if len(directions) > 1 else []
        name = GATES.get(cell, {}).get(gate or "", gate)
        if name is not None:
            short = BRIEF.get(name, name) if parts or " " in name else name
            parts += [short if brief else gate_words(gate or "", cell)]
        words.append((" " if brief else ", ").join(parts) or "all")
    return words
