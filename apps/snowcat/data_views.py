"""Cards of the data's columns, series, images and rows as plots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_card import DataCard, Once
from learnviews.apps.snowcat.pane import asks, quiet, select, text
from learnviews.grammar import ColumnHistograms, series_tracks
from learnviews.grammar.series_tracks import MOST_TRACKS, SeriesTracks, channels
from learnviews.kernels.search.legality import group_column, time_column
from learnviews.kernels.search.profile import KINDS

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Dataset

ASKED = 12  # tracks between which a user may choose without a list of names growing too long to read
BY = {"value": "one per channel", "series": "one per series", "both": "one per series and channel"}
LABELS = ("categorical", "boolean", "integer")


class Columns(DataCard):
    """A histogram per column."""

    name, title = "columns", "Columns"
    help = (
        "A histogram for each column. Point at a bar: how its rows fall into every other column shows in orange; "
        "click to keep them. What is to be predicted has a yellow ground. Grey bars are of missing values and of all "
        "rarer labels together; one with a break across it would be higher than there is room for."
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
        self.is_new()
        if "profile" not in project.__dict__:
            self.slot.html(quiet("Looking at the columns…"))

        def work() -> ColumnHistograms:
            return ColumnHistograms.from_data(data, profile=project.profile)

        self.later(work, self._draw)

    def _draw(self, found: ColumnHistograms) -> None:
        problem, there = self.room.problem, {column.name for column in found.bins}
        targets = [] if problem is None else [name for name in problem.targets if name in there]
        self.slot.html("")
        self.slot.plot(found.clone(selection=self.room.rows, marked=targets))


class Series(DataCard):
    """Columns of numbers over time, or the series of files."""

    name, title = "series", "Time series"
    help = (
        "Values over time, a track for each column, series or channel. Drag across the overview below to look at a "
        "part of the time. Choose the tracks and a column of classes to colour by. Point at a line to light its rows, "
        "click to keep them."
    )
    at_first = ("data",)
    size = (9, 7)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._tracks: list[str] | None = None
        self._group: tuple[str, ...] = ()
        self._color = self._by = ""
        self._channels: list[str] = []
        self._every: list[str] = []

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        data = room.data
        if data is None:
            return False
        files = any(column.type == "timeseries" for column in data.columns.values())
        return files or (bool(data.times) and any(c.is_number for c in data.columns.values()))

    @classmethod
    def opens(cls, room: Workspace) -> bool:
        data, problem = room.data, room.problem
        if data is None:
            return False
        files = any(column.type == "timeseries" for column in data.columns.values())
        forecast = problem is not None and problem.task == "timeSeriesForecasting"
        return files or forecast or KEYS.of(data) is not None

    def show(self) -> None:
        if self.is_new():
            self._tracks, self._color, self._by, self._channels = None, "", "", []
            self._group = () if self._has_files else self._first_group()
        self.slot.html(self._bar() + quiet("Reading the series…"))
        self.later(self._work(), self._draw)

    @property
    def _has_files(self) -> bool:
        return any(column.type == "timeseries" for column in self.data.columns.values())

    def _first_group(self) -> tuple[str, ...]:
        """What tells the series apart: as the problem has it, else as a forecast would."""
        problem = self.room.problem
        return problem.groups if problem is not None and problem.groups else KEYS.of(self.data) or ()

    def _work(self) -> Any:
        options = {"group": self._group or None, "color": self._color or None}
        if self._has_files:
            options.pop("group")
        return partial(self._made, self.data, self._by, options)

    def _made(self, data: Any, by: str, options: dict[str, Any]) -> tuple[SeriesTracks, list[str]]:
        """In a thread: the tracks, and of files the channels; several of them have a track each at first."""
        found = channels(data, _of_type(data, "timeseries")[0]) if self._has_files else []
        by = by or ("value" if len(found) > 1 else "")
        return SeriesTracks.from_data(data, selection=self.room.rows, by=by or None, **options), found

    def _draw(self, made: tuple[SeriesTracks, list[str]]) -> None:
        found, self._channels = made
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
            parts.append(self._chosen("group", "One line per", ", ".join(self._group)))
        if len(self._channels) > 1:
            parts.append(f"<label>Tracks {select('by', BY, self._by or 'value', 'Tracks')}</label>")
        parts.append(self._chosen("color", "Colour by", self._color))
        return f'<div class="row">{"".join(parts)}{self._tracks_bar()}</div>'

    def _chosen(self, word: str, label: str, chosen: str) -> str:
        names = [name for name, column in self.data.columns.items() if column.type in LABELS]
        none = "all rows" if word == "group" else "nothing"
        if word == "group":
            several = dict.fromkeys(", ".join(each) for each in (self._first_group(), self._group))
            names += [name for name in several if name not in ("", *names)]
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
        first = self._first_group()
        self._group = first if told[-1] == ", ".join(first) else (told[-1],) if told[-1] else ()
        self._tracks = None
        self.show()

    def do_color(self, told: list[Any]) -> None:
        """Colour by another column."""
        self._color = told[-1]
        self.show()

    def do_by(self, told: list[Any]) -> None:
        """A track per channel, per series, or per channel of each series."""
        self._by, self._tracks = told[-1], None
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


def _series_keys(data: Dataset) -> tuple[str, ...] | None:
    """The columns that tell the series of a table apart, none where it is one; None where rows are no series."""
    time = time_column(data)
    if time is None or not any(column.is_number for column in data.columns.values()):
        return None
    keys = group_column(data, [], time)
    if keys is None:
        return () if data.frame[time].is_unique else None
    return (keys,) if isinstance(keys, str) else keys


KEYS = Once(_series_keys)


def _switch(name: str, on: bool) -> str:
    return f'<label><input type="checkbox" {asks("track", name)}{" checked" if on else ""}> {text(name)}</label>'


class Images(DataCard):
    """Thumbnails, bin by bin."""

    name, title = "images", "Images"
    help = (
        "The images in bins: the classes, or ranges of values, of what is to be predicted or of another column. "
        "Point at one to see it larger and to light its row everywhere; click to keep it. “50 more” adds images to a "
        "bin."
    )
    at_first = ("data",)
    size = (5, 8)
    hears = ("data", "problem")

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._by = self._column = ""
        self._mosaic: Any = None

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and bool(_of_type(room.data, "image"))

    def show(self) -> None:
        data = self.data
        if self.is_new():
            self._mosaic, self._by = None, ""
            self._column = _of_type(data, "image")[0]
        by = self._by or self._target()
        self.slot.html(self._bar() + quiet("Reading the images…"))
        self.later(partial(_mosaic, data, self._column, by, self.room.rows), self._draw)

    def _target(self) -> str | None:
        """What is to be predicted, where that can be divided into bins."""
        problem = self.room.problem
        names = [] if problem is None else [name for name in problem.targets if name in self._divisors()]
        return names[0] if names else None

    def _suggested(self) -> bool:
        return any(column.role == "suggestedTarget" for column in self.data.columns.values())

    def _divisors(self) -> list[str]:
        return [name for name, column in self.data.columns.items() if column.type in KINDS]

    def _draw(self, found: Any) -> None:
        self._mosaic = found
        self.slot.html(self._bar())
        self.slot.plot(found)

    def _bar(self) -> str:
        parts = []
        names = _of_type(self.data, "image")
        if len(names) > 1:
            parts.append(select("column", {name: name for name in names}, self._column, "Column of images"))
        if self._divisors():
            options = {"": "target" if self._target() or self._suggested() else "nothing"}
            options |= {name: name for name in self._divisors()}
            parts.append(f"<label>Bins by {select('by', options, self._by, 'Bins by')}</label>")
        more = self._more()
        if more:
            parts.append(select("more", {"": "50 more of…", **more}, "", "More images of a bin"))
        return f'<div class="row">{"".join(parts)}</div>'

    def _more(self) -> dict[str, str]:
        """Bins of which not all images are shown."""
        if self._mosaic is None or self._mosaic.album is None:
            return {}
        members, counts = self._mosaic.album.members, self._mosaic.counts
        return {
            name: f"{name} ({counts.get(name, 0):,} of {len(at):,})"
            for name, at in members.items()
            if counts.get(name, 0) < len(at)
        }

    # -- what is done

    def do_column(self, told: list[Any]) -> None:
        """Images of another column."""
        self._column = told[-1]
        self.show()

    def do_by(self, told: list[Any]) -> None:
        """Bins of another column."""
        self._by = told[-1]
        self.show()

    def do_more(self, told: list[Any]) -> None:
        """More images of a bin."""
        if told[-1] and self._mosaic is not None:
            mosaic, name = self._mosaic, told[-1]
            self.later(lambda: _with_tiles(mosaic.more(name)), self._draw)


class Rows(DataCard):
    """All rows in the plane."""

    name, title = "row map", "Row map"
    help = (
        "Every row as a dot: rows that are alike lie near each other. The axes say which columns they follow most. "
        "Point near a dot to light its row everywhere, click to keep it; rows lit or kept elsewhere show on top."
    )
    size = (5, 8)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._color = ""

    def show(self) -> None:
        if self.is_new():
            self._color = ""
        self.slot.html(self._bar() + quiet("Laying out the rows…"))
        data, color, rows = self.data, self._color or None, self.room.rows

        def work() -> Any:
            from learnviews.grammar import RowMap

            return RowMap.from_data(data, color, selection=rows)

        self.later(work, self._draw)

    def _draw(self, found: Any) -> None:
        self.slot.html(self._bar())
        self.slot.plot(found)

    def _bar(self) -> str:
        names = [name for name, column in self.data.columns.items() if column.type in KINDS]
        suggested = [name for name in names if self.data.columns[name].role == "suggestedTarget"]
        options = {"": suggested[0] if suggested else "nothing", **{n: n for n in names if n not in suggested[:1]}}
        return f'<div class="row"><label>Colour by {select("color", options, self._color, "Colour by")}</label></div>'

    def do_color(self, told: list[Any]) -> None:
        """Colour by another column, which then does not say where rows lie."""
        self._color = told[-1]
        self.show()


def _of_type(data: Any, type_: str) -> list[str]:
    return [name for name, column in data.columns.items() if column.type == type_ and column.is_media]


def _mosaic(data: Any, column: str, by: str | None, rows: Any) -> Any:
    from learnviews.grammar import ImageMosaic

    return _with_tiles(ImageMosaic.from_data(data, column, by, selection=rows))


def _with_tiles(mosaic: Any) -> Any:
    """The same, its files read: not on the thread that all pages wait for."""
    _ = mosaic.tiles
    return mosaic
