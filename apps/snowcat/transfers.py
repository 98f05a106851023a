"""Files between the server and one page, in slices: a page under plain `bokeh serve` has no other way to load one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh.models import CustomJS, Spacer

if TYPE_CHECKING:
    from learnviews.grammar.serve import Session

SLICE = 3 << 20
"""Bytes that are sent at a time: 4 MB as text, well within what a connection takes."""


class Transfers:
    """What one page loads.

    The page's script and this object talk through models that nobody sees: `transfer_asked` holds [serial, word,
    argument] from the page; `transfer_told` [serial, word, argument] to it. A file is offered with "offer", and the
    page asks for a "part" after the other; in the end it holds the file, and saves it under its name, or plays it.

    `heard` tells a page how much of a file that it sends to a card has come.
    """

    def __init__(self, session: Session) -> None:
        self._asked, self._told = Spacer(visible=False), Spacer(visible=False)
        self._told.js_on_change("tags", CustomJS(code="window.transfers?.hear(cb_obj.tags)"))
        self._asked.on_change("tags", lambda name, old, new: self._do(*new[1:]))
        self._offered: dict[int, Path] = {}
        self._temporary: set[Path] = set()
        self._serial = 0
        session.doc.on_session_destroyed(self._over)

    def placed(self) -> dict[str, Any]:
        """Names of the roots in the page, and the models."""
        return {"transfer_asked": self._asked, "transfer_told": self._told}

    def send(
        self,
        path: Path,
        name: str,
        kind: str = "application/octet-stream",
        temporary: bool = False,
        place: dict[str, Any] | None = None,
    ) -> None:
        """Have the page save a file, or play it.

        Parameters
        ----------
        path : Path
        name : str
            What the page calls it.
        kind : str
            Its media type.
        temporary : bool
            Delete it as soon as the page has it, or is gone.
        place : dict, optional
            "pane" whose player plays it, and "row" that it is of; by default it is saved.

        Raises
        ------
        OSError
            If it is not there.
        """
        size = path.stat().st_size
        self._offered[self._serial + 1] = path
        if temporary:
            self._temporary.add(path)
        self._tell("offer", {"id": self._serial + 1, "name": name, "size": size, "kind": kind, "place": place})

    def cue(self, told: dict[str, Any]) -> None:
        """Have the player of a "pane" play the recording of a "row" from "at" seconds on, "called" so."""
        self._tell("cue", told)

    def refuse(self, place: dict[str, Any], why: str) -> None:
        """There is nothing to play in a "pane" for a "row"."""
        self._tell("refused", [place, why])

    def heard(self, id_: Any, got: int) -> None:
        """So many bytes of a file that the page sends are here; fewer than none: no more are wanted."""
        self._tell("heard", [id_, got])

    def _tell(self, word: str, argument: Any) -> None:
        self._serial += 1
        self._told.tags = [self._serial, word, argument]

    def _do(self, word: str, argument: Any) -> None:
        id_ = argument[0]
        if word == "end":
            self._drop(self._offered.pop(id_, None))
            self._tell("", None)  # or the last slice would stay in memory
            return
        path = self._offered.get(id_)
        try:
            if path is None:
                raise FileNotFoundError("it is not offered any more")
            self._tell("part", [id_, argument[1], _slice(path, int(argument[1]))])
        except OSError as error:
            self._drop(self._offered.pop(id_, None))
            self._tell("failed", [id_, error.strerror or str(error)])

    def _drop(self, path: Path | None) -> None:
        if path in self._temporary:
            self._temporary.discard(path)
            path.unlink(missing_ok=True)

    def _over(self, context: Any) -> None:
        for path in list(self._temporary):
            self._drop(path)


def _slice(path: Path, at: int) -> str:
    with path.open("rb") as file:
        file.seek(at)
        return base64.b64encode(file.read(SLICE)).decode("ascii")
