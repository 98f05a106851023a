"""Choosing which gradient is shown: layer, direction, parameter and gate, of those that a recording has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.layouts import row
from bokeh.models import Div, Select

from learnviews.grammar.strand_words import gate_words, kind_of, layer_and_direction, parameter_words, strand_of

WHOLE = "all gates"
WORDS = {
    "weight_hh": "weight_hh · state",
    "weight_ih": "weight_ih · input",
    "bias_hh": "bias_hh",
    "bias_ih": "bias_ih",
}
WIDTHS = {"layer": 56, "direction": 112, "parameter": 152, "gate": 140}
View = tuple[str, str | None]


class Choosers:
    """Widgets for what a recording's gradients are of; where there is no choice there is no widget.

    Parameters
    ----------
    changed : callable
        Called without arguments after the user chose something.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._views: list[str] = []  # parameters by their full names
        self._strands: list[str] = []
        self._cell, self._main = "", ""
        self._setting = False
        self.layer, self.direction, self.parameter, self.gate = (
            Select(width=WIDTHS[name], margin=0) for name in ("layer", "direction", "parameter", "gate")
        )
        self.groups = {
            name: row(
                Div(text=name.capitalize(), margin=(6, 6, 0, 0), styles={"color": "#4c5f69"}), getattr(self, name)
            )
            for name in WIDTHS
        }
        for name in WIDTHS:
            getattr(self, name).on_change("value", lambda attr, old, new: self._choose())

    def placed(self) -> dict[str, Any]:
        """Name of the root in the page, and the widget with its title."""
        return {f"choose_{name}": group for name, group in self.groups.items()}

    def enable(self, enabled: bool) -> None:
        """Allow or forbid choosing."""
        for name in WIDTHS:
            getattr(self, name).disabled = not enabled

    def fit(self, recording: Any, keep: bool = False) -> None:
        """Offer what a recording has. Its main parameter is chosen, or what was before if that is to be kept."""
        before = self.chosen() if self._views and keep else None
        self._views, self._strands = list(recording.parameters), list(recording.strands)
        self._cell, self._main = recording.settings["cell"], recording.settings["parameter"]
        known = [layer_and_direction(strand_of(name)) for name in self._views]
        layers = sorted({str(layer) for layer, _ in known}, key=int)
        directions = [each for each in ("forward", "backward") if each in {d for _, d in known}]
        self._setting = True
        self.layer.options, self.direction.options = layers, directions
        self.gate.options = [
            ("", WHOLE),
            *((gate, f"{gate} · {gate_words(gate, self._cell)}") for gate in self._gates(recording)),
        ]
        self._show(before if before is not None and self._has(before) else (self._main, None))
        self._setting = False

    def chosen(self) -> View:
        """Parameter by its full name, and gate or None for all of them."""
        strand = f"l{int(self.layer.value) - 1}" + ("_reverse" if self.direction.value == "backward" else "")
        return f"{self.parameter.value}_{strand}", self.gate.value or None

    def choose(self, parameter: str, gate: str | None) -> None:
        """Choose from elsewhere: as if the user had."""
        if (parameter, gate) == self.chosen() or not self._has((parameter, gate)):
            return
        self._setting = True
        self._show((parameter, gate))
        self._setting = False
        self._changed()

    def words(self, unit: int | None = None) -> str:
        """What is chosen, in words."""
        parameter, gate = self.chosen()
        return parameter_words(parameter, self._strands, gate, self._cell, unit)

    def rows(self) -> list[tuple[str, str | None]]:
        """Strand and gate of every row that the chosen kind of parameter divides into."""
        kind = kind_of(self.chosen()[0])
        strands = [strand_of(name) for name in self._views if kind_of(name) == kind]
        strands.sort(key=self._strands.index)
        gates = [value for value, _ in self.gate.options if value] or [None]
        return [(strand, gate) for strand in strands for gate in gates]

    def _gates(self, recording: Any) -> list[str]:
        return list(recording.gates) if len(self._views) > 1 else []

    def _has(self, view: View) -> bool:
        return view[0] in self._views and (view[1] or "") in [value for value, _ in self.gate.options]

    def _show(self, view: View) -> None:
        parameter, gate = view
        layer, direction = layer_and_direction(strand_of(parameter))
        self.layer.value, self.direction.value = str(layer), direction
        self._offer_kinds(strand_of(parameter))
        self.parameter.value, self.gate.value = kind_of(parameter), gate or ""
        for name, group in self.groups.items():
            group.visible = len(getattr(self, name).options) > 1

    def _offer_kinds(self, strand: str) -> None:
        kinds = [kind_of(name) for name in self._views if strand_of(name) == strand]
        options = [(kind, words) for kind, words in WORDS.items() if kind in kinds]
        if self.parameter.options != options:
            self.parameter.options = options

    def _choose(self) -> None:
        if self._setting:
            return
        parameter, gate = self.chosen()
        if parameter not in self._views:  # not every strand need have every kind
            strand = strand_of(parameter)
            parameter = next((name for name in self._views if strand_of(name) == strand), self._main)
            self._setting = True
            self._show((parameter, gate))
            self._setting = False
        self._changed()
