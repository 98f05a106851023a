"""A card: one view of the workspace, with a title, a help text and a place on the board."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace

STEPS = {
    "data": "Data",
    "problems": "Problems",
    "specify": "Specify",
    "train": "Train",
    "compare": "Compare",
    "select": "Select",
    "export": "Export",
}
"""The workflow: names of its steps, and what to call them."""


class Card:
    """Base of all cards: subclasses say what they show, `cards.CARDS` lists them.

    Parameters
    ----------
    room : Workspace
        What the page is about: data, problem, studies, models, selections.
    slot : Slot
        Where on the page it is drawn: `slot.html(text)`, `slot.plot(element)`, `slot.models(...)`.

    Attributes
    ----------
    name, title, help : str
        Of the kind of card. `name` is what boards remember.
    steps : tuple of str
        Steps in which it is offered.
    at_first : tuple of str
        Steps in which it is there from the beginning.
    size : (int, int)
        Columns (of 12) and rows (of at least 36 pixels) it takes, unless the user says otherwise.
    hears : tuple of str
        Events of the workspace after which `show` is called; see `Workspace`.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    help: ClassVar[str] = ""
    steps: ClassVar[tuple[str, ...]] = ()
    at_first: ClassVar[tuple[str, ...]] = ()
    size: ClassVar[tuple[int, int]] = (4, 8)
    hears: ClassVar[tuple[str, ...]] = ("data",)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        self.room, self.slot = room, slot

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        """Whether there is something to show with this data set and problem; else the card is not offered."""
        return room.data is not None

    @classmethod
    def opens(cls, room: Workspace) -> bool:
        """Whether a card that is there at first says enough of this data set and problem; else it is only offered."""
        return True

    def show(self) -> None:
        """Draw the card as things are now; called first when it is added, then after each event of `hears`."""
        raise NotImplementedError

    def do(self, word: str, argument: Any) -> None:
        """Something was done in the card's HTML: calls the method `do_<word>`."""
        method = getattr(self, f"do_{word.replace(' ', '_')}", None)
        if method is None:
            raise ValueError(f"{self.title}: nothing known of {word!r}")
        method(argument)

    def row_ids(self) -> Iterable[Any]:
        """Ids of the rows that the card's HTML shows, with `data-row`: these are told when they are lit."""
        return np.zeros(0, dtype=object)

    def close(self) -> None:
        """The card is taken away: let go of what goes on."""
