"""Cards of the data's columns, series, images and rows as plots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_card import DataCard
from learnviews.apps.snowcat.pane import asks, quiet, select, text
from learnviews.grammar import ColumnHistograms, series_tracks
from learnviews.grammar.series_tracks import MOST_TRACKS, SeriesTracks
from learnviews.kernels.search.profile import KINDS

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace

ASKED = 12  # tracks between which a user may choose without a list of names growing too long to read
LABELS = ("categorical", "boolean", "integer")


class Columns(DataCard):
    """A histogram per column."""

    name, title = "columns", "Columns"
    help = (
        "A histogram for each column. Point at a bar: how its rows fall into every other column shows in orange; click to "
        "keep them. What is to be predicted has a yellow ground. Grey bars are of missing values and of all rarer labels."
    )
    at_first = ("data",)
    size = (4, 8)
    hears = ("data", "problem")

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and any(column.type in KINDS for column in room.data.columns.values())

    def show(self) -> None:
        project, data = self.room.project, self.data
        assert project is not None
        if "profile" not in project.__dict__:
            self.slot.html(quiet("Looking at the columns…"))

        def work() -> ColumnHistograms:
            return ColumnHistograms.from_data(data, profile=project.profile)

        self.later(work, self._draw)

    def _draw(self, found: ColumnHistograms) -> None:
        problem, there = self.room.problem, {column.name for column in found.columns}
        targets = [] if problem is None else [name for name in problem.targets if name in there]
        self.slot.html("")
        self.slot.plot(found.clone(selection=self.room.rows, marked=targets))


class Series(DataCard):
    """Columns of numbers over time, or the series of files."""

    name, title = "series", "Time series"
    help = (
        "Values over time, a track for each column or series. Drag across the overview below to look at a part of the time. "
        "Choose the tracks and a column of classes to colour by. Point at a line to light its rows, click to keep them."
    )
    size = (8, 9)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._of: Any = None
        self._tracks: list[str] | None = None
        self._group = self._color = ""
        self._every: list[str] = []

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        data = room.data
        if data is None:
            return False
        files = any(column.type == "timeseries" for column in data.columns.values())
        return files or (bool(data.times) and any(c.is_number for c in data.columns.values()))

    def show(self) -> None:
        if self._of is not self.data:
            self._of, self._tracks, self._group, self._color = self.data, None, "", ""
            self._group = "" if self._has_files else self._first_group()
        self.slot.html(self._bar() + quiet("Reading the series…"))
        self.later(self._work(), self._draw)

    @property
    def _has_files(self) -> bool:
        return any(column.type == "timeseries" for column in self.data.columns.values())

    def _first_group(self) -> str:
        return next((n for n, c in self.data.columns.items() if "suggestedGroupingKey" in (c.role, *c.roles)), "")

    def _work(self) -> Any:
        options = {"group": self._group or None, "color": self._color or None}
        if self._has_files:
            options.pop("group")
        return partial(SeriesTracks.from_data, self.data, selection=self.room.rows, **options)

    def _draw(self, found: SeriesTracks) -> None:
        self._every = found.every_track
        if self._tracks is not None:
            kept = [name for name in self._every if name in self._tracks]
            found = found.with_tracks(kept or self._every[:MOST_TRACKS])
        self._tracks = list(found.tracks)
        self.slot.html(self._bar())
        self.slot.plot(series_tracks(found))

    def _bar(self) -> str:
        """What is chosen: tracks, groups, colours."""
        parts = []
        if not self._has_files:
            parts.append(self._chosen("group", "One line per", self._group))
        parts.append(self._chosen("color", "Colour by", self._color))
        return f'<div class="row">{"".join(parts)}{self._tracks_bar()}</div>'

    def _chosen(self, word: str, label: str, chosen: str) -> str:
        names = [name for name, column in self.data.columns.items() if column.type in LABELS]
        none = "all rows" if word == "group" else "nothing"
        options = {"": none, **{name: name for name in names}}
        return f"<label>{label} {select(word, options, chosen, label)}</label>"

    def _tracks_bar(self) -> str:
        """A switch per track, or, of many, those shown with a list of the others."""
        shown = self._tracks or []
        if len(self._every) < 2:
            return ""
        if len(self._every) <= ASKED:
            return "".join(_switch(name, name in shown) for name in self._every)
        others = {"": f"add one of {len(self._every):,} tracks", **{n: n for n in self._every if n not in shown}}
        return "".join(_switch(name, True) for name in shown) + select("add", others, "", "Add a track")

    # -- what is done

    def do_group(self, told: list[Any]) -> None:
        """A line per value of another column."""
        self._group, self._tracks = told[-1], None
        self.show()

    def do_color(self, told: list[Any]) -> None:
        """Colour by another column."""
        self._color = told[-1]
        self.show()

    def do_track(self, told: list[Any]) -> None:
        """Show a track, or do not."""
        name, on = told
        before = self._tracks or []
        self._tracks = [*before, name] if on and name not in before else [each for each in before if each != name]
        self.show()

    def do_add(self, told: list[Any]) -> None:
        """Show one more track."""
        if told[-1]:
            self.do_track([told[-1], True])


def _switch(name: str, on: bool) -> str:
    return f'<label><input type="checkbox" {asks("track", name)}{" checked" if on else ""}> {text(name)}</label>'
