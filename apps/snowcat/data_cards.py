"""Cards of the first step: which data sets there are, and what is in the one that was chosen."""

from __future__ import annotations

from typing import Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import does, text


class DataSets(Card):
    """Data sets to choose from."""

    name, title = "data sets", "Data sets"
    help = "Choose a data set to look at; one that was worked with before comes back with its problems, studies and chosen models."
    steps = at_first = ("data",)
    size = (3, 12)
    hears = ("data",)

    @classmethod
    def fits(cls, room: Any) -> bool:
        return True

    def show(self) -> None:
        shown = self.room.project.key if self.room.project else None
        self.slot.html(
            '<div class="tiles">'
            + "".join(
                f'<button type="button" class="tile" {does("open", source.key)} aria-pressed="{str(source.key == shown).lower()}">'
                f"<b>{text(source.title)}</b><small>{text(source.about)}</small></button>"
                for source in self.room.shelf.sources.values()
            )
            + "</div>"
        )

    def do_open(self, key: str) -> None:
        """Open a data set."""
        self.room.shelf.open(key, self.room)


CARDS = (DataSets,)
