"""The Snowcat page: stepper, board of cards, and what is said between the page's script and the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
from bokeh.models import CustomJS, Div, Spacer

from learnviews.apps.messages import show_message, shown_in_page
from learnviews.apps.snowcat.board import Board
from learnviews.apps.snowcat.card import STEPS
from learnviews.apps.snowcat.pane import Pane
from learnviews.apps.snowcat.stepper import reachable, stepper_html
from learnviews.apps.snowcat.uploading import Uploading
from learnviews.apps.snowcat.workspace import Workspace

if TYPE_CHECKING:
    from learnviews.apps.snowcat.shelf import Shelf
    from learnviews.grammar.serve import Session

hv.extension("bokeh", logo=False)


class Explorer:
    """One page.

    The page's script and this object talk through models that nobody sees: `asked` holds [serial, pane, word,
    argument] from the page; `marks` which rows and models of the page's HTML are lit and kept; each `Pane` its HTML.

    Parameters
    ----------
    session : Session
    shelf : Shelf
        Data sets and projects of this process.
    live : bool
        Whether somebody is looking.
    """

    def __init__(self, session: Session, shelf: Shelf, live: bool = True) -> None:
        self.session, self.shelf, self.live = session, shelf, live
        self.message = Div(visible=False, sizing_mode="stretch_width")
        self.asked, self.marks, self.bookmark = (Spacer(visible=False) for _ in range(3))
        self.room = Workspace(session, shelf, self.tell)
        self.stepper = Pane("stepper", self._step)
        self.board = Board(self.room)
        self.uploading = Uploading(self.room)
        self.panes = {pane.name: pane for pane in (self.stepper, *(slot.pane for slot in self.board.slots))}
        self._serial = 0
        self._listen()
        self.room.watch(self._heard)
        session.add(
            message=self.message,
            asked=self.asked,
            marks=self.marks,
            bookmark=self.bookmark,
            pane_stepper=self.stepper.model,
            **self.board.placed(),
            **self.uploading.placed(),
            **self.room.transfers.placed(),
        )
        self._heard({"step"})
        self.board.lay()

    def _listen(self) -> None:
        self.asked.on_change("tags", lambda name, old, new: self.asked_for(*new[1:]))
        self.marks.js_on_change("tags", CustomJS(code="window.snowcat?.mark(cb_obj.tags)"))
        self.bookmark.js_on_change("tags", CustomJS(code="window.snowcat?.remember(cb_obj.tags[0])"))
        for selection in (self.room.rows, self.room.marked):
            selection.add_subscriber(self._mark)

    def tell(self, message: str = "") -> None:
        """Show a message above the cards, or take it away."""
        show_message(self.message, message)

    # -- what the page asks for

    @shown_in_page
    def asked_for(self, pane: str, word: str, argument: Any) -> None:
        """One thing that was done in the page."""
        with self.session.together():
            if word not in ("light", "keep"):
                self.tell()
            if pane == "page":
                self._words()[word](argument)
            elif pane in self.panes:
                self.panes[pane].do(word, argument)

    def _words(self) -> dict[str, Any]:
        return {
            "light": lambda told: self._selection(told[0]).light(told[1], "page"),
            "keep": lambda told: self._selection(told[0]).keep(told[1], "page", add=bool(told[2])),
            "clear": lambda _: self._clear(),
            "step": self._step_to,
            "add": self.board.add,
            "remove": self.board.remove,
            "arrange": self.board.arrange,
            "restore": self.board.restore,
            "reset": lambda _: self.board.reset(),
            "go to": self.go_to,
        }

    def _selection(self, kind: str) -> Any:
        return {"row": self.room.rows, "model": self.room.marked}[kind]

    def _clear(self) -> None:
        self.room.rows.clear("page")
        self.room.marked.clear("page")

    def _step(self, word: str, argument: Any) -> None:
        self._step_to(argument)

    def _step_to(self, step: str) -> None:
        if step not in STEPS:
            raise ValueError(f"{step}: no step; expected one of {', '.join(STEPS)}")
        why = reachable(self.room).get(step, "")
        if why:
            raise ValueError(why)
        self.room.go(step)

    # -- what the page shows

    def _heard(self, events: set[str]) -> None:
        if "marks" in events:
            self._mark()
        self.stepper.show(stepper_html(self.room))
        if events & {"step", "data", "problem", "study"}:
            self.bookmark.tags = [self.address]

    def _mark(self, **selected: Any) -> None:
        """Tell the page which of the rows and models in its HTML are lit and kept."""
        shown = np.asarray([id_ for _, card in self.board.open.values() for id_ in card.row_ids()], dtype=object)
        rows = {
            which: _plain(shown[self.room.rows.mask(shown, which)]) if len(shown) else [] for which in ("lit", "kept")
        }
        models = {which: _plain(getattr(self.room.marked, which)) for which in ("lit", "kept")}
        self._serial += 1
        counts = {"rows": len(self.room.rows.kept), "models": len(self.room.marked.kept)}
        self.marks.tags = [self._serial, {"row": rows, "model": models, "counts": counts}]

    # -- an address to come back to

    @property
    def address(self) -> str:
        """What the page shows, in words for its address: "data=...&step=..."."""
        from urllib.parse import urlencode

        told = {"data": self.room.project and self.room.project.key, "problem": self.room.problem_id}
        told |= {"study": self.room.study_name, "step": self.room.step}
        return urlencode({name: value for name, value in told.items() if value})

    def go_to(self, address: str) -> None:
        """Show what an address says."""
        from urllib.parse import parse_qsl

        told = dict(parse_qsl(str(address)))
        if told.get("data") and (self.room.project is None or self.room.project.key != told["data"]):
            self.shelf.open(told["data"], self.room, then=lambda: self._go_on(told))
        else:
            self._go_on(told)

    def _go_on(self, told: dict[str, str]) -> None:
        project = self.room.project
        if project is None:
            return
        if told.get("study") in project.studies:
            self.room.choose_study(told["study"])
        if project.problem(told.get("problem")) is not None:
            self.room.choose_problem(told["problem"])
        step = told.get("step", "data")
        if step in STEPS and not reachable(self.room).get(step):
            self.room.go(step)


def _plain(ids: Any) -> list[Any]:
    return np.asarray(ids).tolist()
