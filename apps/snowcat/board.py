"""The board of a step: which cards are on it, where and how large; the page moves and sizes them, this remembers."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from bokeh.models import CustomJS, Spacer

from learnviews.apps.snowcat.card import STEPS, Card
from learnviews.apps.snowcat.cards import CARDS
from learnviews.apps.snowcat.slot import Slot

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace

SLOTS = 20
"""Most cards at a time."""
COLUMNS, LEAST_ROWS, MOST_ROWS = 12, 3, 40


@dataclass
class Placed:
    """A card's place on a board: its kind's name, columns and rows it takes, and whether a user added it."""

    name: str
    width: int
    height: int
    added: bool = False


class Board:
    """The cards of a page.

    Parameters
    ----------
    room : Workspace

    Attributes
    ----------
    layouts : dict
        Of each step that was visited, its cards in their order.
    """

    def __init__(self, room: Workspace) -> None:
        self.room = room
        self.slots = [Slot(room.session, number, self._do) for number in range(SLOTS)]
        self.layouts: dict[str, list[Placed]] = {}
        self.open: dict[str, tuple[Slot, Card]] = {}  # by the kind's name
        self.model = Spacer(visible=False)
        self.model.js_on_change("tags", CustomJS(code="window.snowcat?.lay(cb_obj.tags)"))
        self._serial = 0
        room.watch(self._heard)

    def placed(self) -> dict[str, Any]:
        """Names of the roots in the page, and the models."""
        found = {"board": self.model}
        for slot in self.slots:
            found |= slot.placed()
        return found

    # -- which cards there are

    @property
    def layout(self) -> list[Placed]:
        """Cards of the present step."""
        step = self.room.step
        if step not in self.layouts:
            self.layouts[step] = _at_first(step)
        return self.layouts[step]

    def offered(self) -> dict[str, type[Card]]:
        """Kinds that can be added: of this step, fitting the data and problem, and not there."""
        there = {each.name for each in self.layout if self._is_shown(each)}
        step = self.room.step
        return {
            name: card
            for name, card in CARDS.items()
            if name not in there and step in card.steps and card.fits(self.room)
        }

    def add(self, name: str) -> None:
        """Put a card on the board, first of all."""
        if name not in self.offered():
            raise ValueError(f"{name}: no card that fits this step, data set and problem")
        others = [each for each in self.layout if each.name != name]
        self.layouts[self.room.step] = [Placed(name, *CARDS[name].size, added=True), *others]
        self.lay()

    def remove(self, name: str) -> None:
        """Take a card off the board."""
        self.layouts[self.room.step] = [each for each in self.layout if each.name != name]
        self.lay()

    def arrange(self, places: list[list[Any]]) -> None:
        """The page's user moved or sized cards: [name, width, height] in their order."""
        there = {each.name: each for each in self.layout}
        told = [_placed(*place[:3], added=there[place[0]].added) for place in places if place[0] in there]
        seen = {each.name for each in told}
        self.layouts[self.room.step] = [*told, *(each for name, each in there.items() if name not in seen)]
        self._tell()

    def reset(self) -> None:
        """The step's cards as they were at first."""
        self.layouts.pop(self.room.step, None)
        self.lay()

    def restore(self, boards: dict[str, Any]) -> None:
        """Steps' cards as the user arranged them once: [name, width, height, whether added] in their order."""
        for step, places in boards.items():
            if step in STEPS:
                known = {name: place for name, *place in places if name in CARDS}
                self.layouts[step] = [_placed(name, *place) for name, place in known.items()]
        self.lay()

    def lay(self) -> None:
        """Make the open cards those of the step that fit; what stays is not drawn anew."""
        fitting = [each.name for each in self.layout if self._is_shown(each)]
        for name in [name for name in self.open if name not in fitting]:
            self._close(name)
        new = [name for name in fitting if name not in self.open and self._free() is not None and self._open(name)]
        self._tell()
        for name in new:
            self._show(name)

    def _is_shown(self, placed: Placed) -> bool:
        card = CARDS[placed.name]
        return card.fits(self.room) and (placed.added or card.opens(self.room))

    def _open(self, name: str) -> bool:
        slot = self._free()
        if slot is None:
            return False
        self.open[name] = slot, CARDS[name](self.room, slot)
        return True

    def _free(self) -> Slot | None:
        taken = {slot.number for slot, _ in self.open.values()}
        return next((slot for slot in self.slots if slot.number not in taken), None)

    def _close(self, name: str) -> None:
        slot, card = self.open.pop(name)
        card.close()
        slot.clear()
        slot.html("")

    def _tell(self) -> None:
        """Have the page lay out the open cards."""
        self._serial += 1
        cards = [
            {
                "name": each.name,
                "slot": self.open[each.name][0].number,
                "title": CARDS[each.name].title,
                "help": CARDS[each.name].help,
                "width": each.width,
                "height": each.height,
            }
            for each in self.layout
            if each.name in self.open
        ]
        offered = [{"name": name, "title": card.title, "help": card.help} for name, card in self.offered().items()]
        step, layout = self.room.step, self.layout
        own = None if layout == _at_first(step) else [list(astuple(each)) for each in layout]
        self.model.tags = [self._serial, {"step": step, "cards": cards, "offered": offered, "own": own}]

    # -- what cards hear

    def _heard(self, events: set[str]) -> None:
        """The workspace changed: other cards may fit, and those that care draw themselves anew."""
        before = set(self.open)
        if events & {"step", "data", "problem", "study", "studies"}:
            self.lay()
        for name in [name for name in self.open if name in before]:
            if events & set(CARDS[name].hears):
                self._show(name)

    def _show(self, name: str) -> None:
        slot, card = self.open[name]
        try:
            card.show()
        except Exception as error:  # one card's trouble is not that of the others
            slot.problem(str(error) or type(error).__name__)
            if not isinstance(error, (OSError, ValueError, LookupError, TypeError)):
                raise

    def _do(self, number: int, word: str, argument: Any) -> None:
        for slot, card in list(self.open.values()):
            if slot.number == number:
                card.do(word, argument)


def _at_first(step: str) -> list[Placed]:
    return [Placed(card.name, *card.size) for card in CARDS.values() if step in card.at_first]


def _placed(name: str, width: Any, height: Any, added: Any = False) -> Placed:
    return Placed(name, _within(width, 2, COLUMNS), _within(height, LEAST_ROWS, MOST_ROWS), bool(added))


def _within(value: Any, least: int, most: int) -> int:
    return max(least, min(most, int(value)))
