"""Cards of sounds and of videos: a page of tracks, and a player whose place shows on them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from learnviews.apps.snowcat.compare_card import called, compared
from learnviews.apps.snowcat.data_rows import RowsCard, small
from learnviews.apps.snowcat.data_table import BROWSERS
from learnviews.apps.snowcat.pane import asks, quiet, select
from learnviews.apps.snowcat.playing import MOST, Playable, playable
from learnviews.grammar.media_tracks import verdicts
from learnviews.grammar.streams import Playhead
from learnviews.kernels.search import media

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Model

LABELS = ("categorical", "boolean", "integer", "real")
LIMIT = f"{MOST >> 20} MB"


class Recordings(RowsCard):
    """Base of the cards of sounds and videos.

    A click on a track moves the playhead; the page is told, and asks for the file unless it has it already.
    """

    type_: ClassVar[str] = ""
    what: ClassVar[str] = ""
    size = (5, 8)
    hears = ("data", "compared", "step")

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self.playhead = Playhead()
        self._temporary: list[Path] = []
        self.playhead.add_subscriber(self._sought)

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and bool(_columns(room.data, cls.type_))

    def start_anew(self) -> None:
        super().start_anew()
        self._column = next(iter(_columns(self.room.data, self.type_)), "") if self.room.data is not None else ""
        self._by, self._note, self._shown = "", "", None
        self._sets = getattr(self, "_sets", 0) + 1  # of another data set the page has another player

    def finder(self) -> Any:
        return partial(BROWSERS.of(self.data).find, self.words)

    # -- what is shown

    def element(self, rows: list[Any], told: dict[str, Any]) -> Any:
        """Tracks of some rows, told what they are labelled by; made in a thread."""
        raise NotImplementedError

    def _made(self, rows: list[Any]) -> Any:
        """In a thread: tracks labelled by a column, or by what a compared model says."""
        told: dict[str, Any] = {"selection": self.room.rows, "playhead": self.playhead}
        model = self._models().get(self._by)
        told |= verdicts(model, rows) if model is not None else {"by": self._by or None}
        return self.element(rows, told)

    def _models(self) -> dict[str, Model]:
        """Compared models with one target, by what the list of labels calls them."""
        if self.room.step != "compare":
            return {}
        return {f"model {key}": model for key, model in compared(self.room).items() if len(model.problem.targets) == 1}

    def draw(self) -> None:
        """The page's tracks; the player above them stays as it is."""
        lacking = media.lacking(self.type_)
        if lacking:
            self.slot.empty(f"To see and play them, {lacking}")
            return
        if not self.count:
            self._shown = None
            self.slot.clear()
            self._write()
            return
        self._write()
        rows = self.data.frame.index[self.positions()].tolist()
        if self._by.startswith("model ") and self._by not in self._models():
            self._by = ""
        wanted = (rows, self._by, self._column, self._options())
        if wanted != self._shown:
            self._shown = wanted
            self._write()
            self.later(partial(self._made, rows), self._draw, "tracks")

    def _options(self) -> Any:
        """Further choices that change the tracks."""
        return None

    def _draw(self, found: Any) -> None:
        self.slot.plot(found)
        self._write()

    def _write(self) -> None:
        self.slot.html(
            f'<div class="row stay">{self._bar()}</div>{self._player()}'
            f'<div class="row player">{self._buttons()}{self.choices()}</div>'
            f'<p id="where-{self._called}" class="quiet at" data-still data-player-where role="status"></p>'
            f"{quiet(self._note)}"
        )

    @property
    def _called(self) -> str:
        """What the page's player is called."""
        return f"{self.slot.pane.name}-{self._sets}"

    def _player(self) -> str:
        """The page's script fills it; nothing here changes it once it is there."""
        raise NotImplementedError

    def _buttons(self) -> str:
        """Play, skip, and where one is; all done in the page."""
        keys = (("play", "▶", "Play or pause"), ("-5", "−5 s", "Back 5 seconds"), ("5", "+5 s", "On 5 seconds"))
        buttons = "".join(
            f'<button type="button" class="plain small" data-still data-player="{word}" aria-label="{called}">'
            f"{label}</button>"
            for word, label, called in keys
        )
        return f"{buttons}{small('|◂', 'before', None, 'The one before')}{small('▸|', 'after', None, 'The next one')}"

    def choices(self) -> str:
        """Which column, and which labels."""
        names, found = _columns(self.data, self.type_), ""
        if len(names) > 1:
            found += select("column", {name: name for name in names}, self._column, f"Column of {self.what}")
        divisors = [name for name, column in self.data.columns.items() if column.type in LABELS]
        suggested = [name for name in divisors if self.data.columns[name].role == "suggestedTarget"][:1]
        models = {key: called(model) for key, model in self._models().items()}
        if divisors or models:
            options = {"": suggested[0] if suggested else "no label"}
            options |= {name: name for name in divisors if name not in suggested} | models
            found += f"<label>Label {select('by', options, self._by, 'Label')}</label>"
        return found

    # -- playing

    def _sought(self, row: Any = None, at: float = 0.0) -> None:
        if row is not None and self.room.data is self._of and not self._closed:
            name = self.data.frame.at[row, self._column] if row in self.data.frame.index else None
            called = f"{row} · {name.rpartition('/')[2] if isinstance(name, str) else 'nothing named'}"
            told = {"pane": self.slot.pane.name, "row": _plain(row), "at": at, "called": called}
            self.room.transfers.cue(told)

    def do_fetch(self, told: list[Any]) -> None:
        """The page has not got the recording that it is to play, or cannot play it as it is."""
        row, anew = told
        if row not in self.data.frame.index:
            return
        name = self.data.frame.at[row, self._column]
        if not isinstance(name, str):
            return
        path = self.data.resources[str(self.data.column(self._column).refers)].folder / name
        self.later(partial(self._playable, path, bool(anew)), partial(self._send, row, path), "file")

    def _playable(self, path: Path, anew: bool) -> Playable | str:
        """In a thread: the file, or why there is none; what is written is deleted also where nobody waits for it."""
        try:
            found = playable(path, self.type_, anew)
        except (OSError, ValueError, ImportError) as error:
            return str(error)
        if found.temporary:
            self._temporary.append(found.path)
        return found

    def _clear(self, but: Path | None = None) -> None:
        gone, self._temporary = [each for each in self._temporary if each != but], []
        for each in gone:
            each.unlink(missing_ok=True)

    def close(self) -> None:
        super().close()
        self._clear()

    def _send(self, row: Any, path: Path, found: Playable | str) -> None:
        place = {"pane": self.slot.pane.name, "row": _plain(row)}
        if isinstance(found, str):
            self._note = ""
            self._write()
            self.room.transfers.refuse(place, found)
            return
        self._clear(found.path)
        self._note = found.note
        self._write()
        self.room.transfers.send(found.path, path.name, found.kind, found.temporary, place)

    def do_first(self, _: Any) -> None:
        """Play what is kept, or else the first of the page."""
        rows = self.data.frame.index[self.positions()]
        kept = rows[rows.isin(self.room.rows.kept)]
        if len(rows):
            self.playhead.seek(kept[0] if len(kept) else rows[0])

    def do_before(self, _: Any) -> None:
        """Play the one before."""
        self._step(-1)

    def do_after(self, _: Any) -> None:
        """Play the next one."""
        self._step(1)

    def _step(self, by: int) -> None:
        """To a neighbour, on another page where it is there."""
        every = self.data.frame.index if self.at is None else self.data.frame.index[self.at]
        if not len(every):
            return
        place = every.get_indexer([self.playhead.row])[0] if self.playhead.row is not None else -1
        place = int(np.clip(place + by, 0, len(every) - 1)) if place >= 0 else self.first
        if not self.first <= place < self.first + self.per:
            self.turn(place)
        self.playhead.seek(every[place])

    # -- what is done

    def do_column(self, told: list[Any]) -> None:
        """Recordings of another column."""
        self._column = told[-1]
        self.draw()

    def do_by(self, told: list[Any]) -> None:
        """Labels of another column."""
        self._by = told[-1]
        self.draw()


class Sounds(Recordings):
    """Waveforms, and a player."""

    name, title = "sounds", "Sounds"
    help = (
        "The sounds as waveforms, coloured by label; several channels one below the other. Click on one to play it "
        "from there and to keep its row; point at it to light its row everywhere. Drag and wheel move and zoom in "
        "time. Where models are compared, the label may be what one of them says: green where it is right, vermillion "
        f"where it is wrong. A sound is sent to the page when it is played, up to {LIMIT}; of longer ones the "
        "beginning."
    )
    type_, what = "audio", "sounds"
    at_first = ("data",)
    per = 20

    def start_anew(self) -> None:
        super().start_anew()
        self._common = True

    def element(self, rows: list[Any], told: dict[str, Any]) -> Any:
        from learnviews.grammar import Waveforms

        return Waveforms.from_data(self.data, self._column, rows, common=self._common, **told)

    def _options(self) -> Any:
        return self._common

    def choices(self) -> str:
        checked = " checked" if self._common else ""
        return f'{super().choices()}<label><input type="checkbox" {asks("common")}{checked}> same scale</label>'

    def _player(self) -> str:
        return f'<audio id="player-{self._called}" data-still data-plays hidden></audio>'

    def do_common(self, told: list[Any]) -> None:
        """All on one scale of time, or each as wide as the card."""
        self._common = bool(told[-1])
        self.draw()


class Videos(Recordings):
    """Strips of frames, and a player."""

    name, title = "videos", "Videos"
    help = (
        "A few frames of each video from its beginning to its end; the colour at the left is its label. Click on a "
        "frame to play from there and to keep the row; point at a strip to light its row everywhere. Where models are "
        "compared, the label may be what one of them says: green where it is right, vermillion where it is wrong. A "
        f"video is sent to the page when it is played, up to {LIMIT}; what browsers do not play, and what is larger, "
        "is written anew first, in at most 640 pixels and without sound."
    )
    type_, what = "video", "videos"
    at_first = ("data",)
    size = (5, 11)
    per = 12

    def element(self, rows: list[Any], told: dict[str, Any]) -> Any:
        from learnviews.grammar import FrameStrips

        return FrameStrips.from_data(self.data, self._column, rows, **told)

    def _player(self) -> str:
        return f'<video id="player-{self._called}" data-still data-plays playsinline controls hidden></video>'


def _columns(data: Any, type_: str) -> list[str]:
    return [name for name, column in data.columns.items() if column.type == type_ and column.is_media]


def _plain(id_: Any) -> Any:
    return id_.item() if hasattr(id_, "item") else id_
