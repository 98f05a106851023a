"""A slot: one place of the page for a card, with HTML above and a plot below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import Spacer

from learnviews.apps.snowcat.pane import Pane, alert, quiet
from learnviews.grammar.patch import patch

if TYPE_CHECKING:
    from learnviews.grammar.serve import Session


class Slot:
    """Where a card is drawn.

    Parameters
    ----------
    session : Session
    number : int
    do : callable
        Gets the slot's number, and the word and argument of what is done in its HTML.
    """

    def __init__(self, session: Session, number: int, do: Callable[[int, str, Any], None]) -> None:
        self.session, self.number = session, number
        self.pane = Pane(f"slot{number}", lambda word, argument: do(number, word, argument))
        self.root = column(Spacer(), sizing_mode="stretch_both", visible=False)
        self._plots: list[Any] = []
        self._elements: list[Any] = []

    def placed(self) -> dict[str, Any]:
        """Names of the roots in the page, and the models."""
        return {f"pane_slot{self.number}": self.pane.model, f"figure{self.number}": self.root}

    @property
    def drawn(self) -> bool:
        """Whether a plot is there."""
        return bool(self._plots)

    def html(self, text: str) -> None:
        """What is above the plot, or all of the card."""
        self.pane.show(text)

    def plot(self, element: Any) -> Any:
        """Show a HoloViews object: in the plot that is there where it is of the same kind, else in a new one.

        Returns
        -------
        The HoloViews plot; its `.state` is the Bokeh model.
        """
        return self.plots([element])[0]

    def plots(self, elements: Sequence[Any], across: int | None = None) -> list[Any]:
        """Show several, `across` of them side by side; each is patched where there was one of its type at its place."""
        if self._patched(elements):
            self._elements = list(elements)
            return self._plots
        self._drop()
        self._plots = [self.session.plot(each) for each in elements]
        for plot in self._plots:
            _fill(plot.state)
        self._elements = list(elements)
        states = [plot.state for plot in self._plots]
        self._place(states if len(states) == 1 else [_side_by_side(states, across)])
        return self._plots

    def models(self, *models: Any) -> None:
        """Show Bokeh models, one below the other, such as a table."""
        self._drop()
        self._place(list(models))

    def clear(self) -> None:
        """Show no plot."""
        self._drop()
        self._place([])

    def problem(self, message: str) -> None:
        """Show, instead of a plot, what went wrong."""
        self.clear()
        self.html(alert(message))

    def empty(self, message: str) -> None:
        """Show, instead of a plot, what there would be to do first."""
        self.clear()
        self.html(quiet(message))

    def _patched(self, elements: Sequence[Any]) -> bool:
        if not self._plots or len(elements) != len(self._elements):
            return False
        if not all(hasattr(plot, "patch") for plot in self._plots):
            return False
        if any(type(new) is not type(old) for new, old in zip(elements, self._elements, strict=True)):
            return False
        for plot, element in zip(self._plots, elements, strict=True):
            patch(plot, element)
        return True

    def _place(self, models: list[Any]) -> None:
        self.root.children = models or [Spacer()]
        self.root.visible = bool(models)

    def _drop(self) -> None:
        for plot in self._plots:
            with suppress(KeyError, ValueError):  # HoloViews may have let go of it already
                plot.cleanup()
        self._plots, self._elements = [], []


def _fill(figure: Any) -> None:
    """Have a figure take the place there is, whatever height its element asks for."""
    if hasattr(figure, "min_border"):
        figure.update(height=None, min_height=140, sizing_mode="stretch_both")


def _side_by_side(states: list[Any], across: int | None) -> Any:
    from bokeh.models import GridBox

    across = across or (min(len(states), 3) if len(states) != 4 else 2)
    places = [(state, at // across, at % across) for at, state in enumerate(states)]
    return GridBox(children=places, sizing_mode="stretch_both", spacing=4)
