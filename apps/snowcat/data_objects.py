"""Card of objects in images: the boxes that are drawn around them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_rows import RowsCard
from learnviews.apps.snowcat.data_table import BROWSERS
from learnviews.apps.snowcat.pane import select

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace


class Objects(RowsCard):
    """Images with boxes."""

    name, title = "objects", "Objects in images"
    help = (
        "The images with a box around each object, and how many there are. Point at an image to light its row "
        "everywhere; click to keep it. What models find is shown in the step Compare."
    )
    at_first = ("data",)
    size = (5, 8)
    per = 24

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and bool(_boxes(room.data)) and bool(_images(room.data))

    def start_anew(self) -> None:
        super().start_anew()
        self._target = next(iter(_boxes(self.room.data)), "") if self.room.data is not None else ""
        self._shown: Any = None

    def finder(self) -> Any:
        return partial(BROWSERS.of(self.data).find, self.words)

    def controls(self) -> str:
        names = _boxes(self.data)
        return select("target", {name: name for name in names}, self._target, "Boxes") if len(names) > 1 else ""

    def draw(self) -> None:
        self.slot.html(f'<div class="row stay">{self._bar()}</div>')
        rows = self.data.frame.index[self.positions()].tolist()
        if not rows:
            self._shown = None
            self.slot.clear()
        elif (rows, self._target) != self._shown:
            self._shown = rows, self._target
            self.later(partial(self._element, rows), self.slot.plot, "boxes")

    def _element(self, rows: list[Any]) -> Any:
        from learnviews.grammar import ObjectBoxes

        return ObjectBoxes.from_data(self.data, None, self._target, rows, selection=self.room.rows)

    def do_target(self, told: list[Any]) -> None:
        """Boxes of another column."""
        self._target = told[-1]
        self.draw()


def _boxes(data: Any) -> list[str]:
    return [name for name, column in data.columns.items() if column.type == "boxes"]


def _images(data: Any) -> list[str]:
    return [name for name, column in data.columns.items() if column.type == "image" and column.is_media]
