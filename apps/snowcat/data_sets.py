"""The card of data sets to choose from: those that were sent, those the server was started with, those bundled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.pane import alert, button, does, quiet, text
from learnviews.apps.snowcat.quick import find_models
from learnviews.apps.snowcat.sources import Source
from learnviews.apps.uploads import MB, upload_limit

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace

GROUPS = {"uploaded": "Uploaded", "served": "Of this server", "bundled": "To try"}
WHAT_TO_DO = "Correct the file and open it again, or choose another one."
MINUTE, HOUR, DAY = 60, 3600, 86_400


class DataSets(Card):
    """Data sets to choose from."""

    name, title = "data sets", "Data sets"
    help = (
        "Choose a data set to look at; one that was worked with before comes back with its problems, studies and "
        "chosen models. Your own: drop a file anywhere on the page, or upload it here; it stays on this server until "
        "you delete it."
    )
    steps = at_first = ("data",)
    size = (3, 15)
    hears = ("data", "studies", "chosen", "problems")

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._problem, self._failed, self._deleting = "", "", ""
        room.shelf.watch(self._changed)
        room.session.doc.on_session_destroyed(lambda context: self.close())

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return True

    def _changed(self) -> None:
        self.room.session.soon(partial(self._if_open, self.slot))

    def _if_open(self, slot: Slot) -> None:
        if self.slot is slot and self._changed in self.room.shelf._watching:
            self.show()

    def show(self) -> None:
        if self.room.session.doc.session_context is not None:  # somebody is looking
            self.room.shelf.look()
        sources = self.room.shelf.sources.values()
        groups = {origin: [source for source in sources if source.origin == origin] for origin in GROUPS}
        parts = [
            f'<h3>{text(GROUPS[origin])}</h3><div class="tiles">{"".join(map(self._tile, found))}</div>'
            for origin, found in groups.items()
            if found
        ]
        self.slot.html(self._upload() + "".join(parts))

    def _upload(self) -> str:
        limit = upload_limit()
        if not limit:
            return quiet("This server takes no uploads. Start it with your data: learnviews serve FILE")
        return (
            '<p><button type="button" class="plain" data-upload>Upload…</button> '
            "<small>or drop: CSV, Parquet, a graph, or a zip of a D3M set or of a folder of images, texts, sounds or "
            f"videos, up to {limit / MB:,.0f} MB</small></p>"
        )

    def _tile(self, source: Source) -> str:
        opening = self.room.shelf.opening(self.room) == source.key
        shown = self.room.project is not None and self.room.project.key == source.key
        failed = alert(f"{self._problem}. {WHAT_TO_DO}") if self._failed == source.key else ""
        lines = "".join(f"<small>{text(line)}</small>" for line in self._lines(source, opening) if line)
        tile = (
            f'<button type="button" class="tile grow" {does("open", source.key)} aria-pressed="{str(shown).lower()}"'
            f' title="{text(source.about or source.title)}"><b>{text(source.title)}</b>{lines}</button>'
        )
        delete = (
            f'<button type="button" class="icon" {does("delete", source.key)} title="Delete this data set"'
            f' aria-label="Delete {text(source.title)}">✕</button>'
            if source.origin == "uploaded"
            else ""
        )
        find = (
            f'<button type="button" class="icon find" {does("find", source.key)} title="Find models: a quick study'
            f' of its likeliest problem" aria-label="Find models for {text(source.title)}">▶</button>'
        )
        return f'<div class="row tight">{tile}{find}{delete}</div>{self._asked(source)}{failed}'

    def _lines(self, source: Source, opening: bool) -> tuple[str, str]:
        if opening:
            return "Reading…", ""
        summary = self.room.shelf.summary(source)
        return ("" if summary is None else summary.words), _done(self.room.shelf.done(source.key))

    def _asked(self, source: Source) -> str:
        """Whether it is really to be deleted."""
        if self._deleting != source.key:
            return ""
        studies = self.room.shelf.done(source.key)["studies"]
        more = f" and its {_count(studies, 'study', 'studies')}" if studies else ""
        question = f"Delete {text(source.title)}{more} from this server?"
        buttons = button("Delete", "really delete", source.key, main=True) + button("Keep", "delete", "")
        return f'<div class="alert" role="alert">{question}<div class="row">{buttons}</div></div>'

    # -- what is done

    def do_open(self, key: str) -> None:
        """Open a data set."""
        self._problem = self._failed = self._deleting = ""
        self.room.shelf.open(key, self.room, failed=partial(self._not_opened, key))
        self.show()

    def do_find(self, key: str) -> None:
        """Open a data set and begin a quick study of its likeliest problem."""
        self._problem = self._failed = self._deleting = ""
        find_models(self.room, key, failed=partial(self._not_opened, key))
        self.show()

    def _not_opened(self, key: str, problem: str) -> None:
        self._problem, self._failed = problem.rstrip("."), key
        self.show()

    def do_delete(self, key: str) -> None:
        """Ask whether a data set is to be deleted; "" asks no more."""
        self._deleting = key
        self.show()

    def do_really_delete(self, key: str) -> None:
        """Delete a data set and what was made of it."""
        self._deleting = ""
        self.room.shelf.forget(key)

    def close(self) -> None:
        self.room.shelf.unwatch(self._changed)


def _done(known: dict[str, Any]) -> str:
    """What was done with a data set, in words."""
    said = [
        _count(known["problems"], "own problem", "own problems"),
        _count(known["studies"], "study", "studies"),
        f"{known['chosen']} chosen" if known["chosen"] else "",
        f"used {_ago(known['used'])}" if "used" in known else "",
    ]
    return " · ".join(filter(None, said))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _ago(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return "just now"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min ago"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.0f} h ago"
    return f"{seconds / DAY:.0f} days ago"
