"""Data sets that can be opened: where each comes from, how it is read, and a few words on what it holds."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from learnviews.apps.home import home
from learnviews.apps.snowcat.studies import data_of, is_study
from learnviews.apps.snowcat.train_words import counted
from learnviews.apps.tables import is_table
from learnviews.kernels import search
from learnviews.kernels.search.graph_files import GRAPHS

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq", ".zip", *GRAPHS)
"""Of files that can be uploaded."""
OTHERS = (".rnnbow", ".cube.npz")  # files of the other apps
SUMMARY = "about.json"
KINDS = {
    "integer": "numbers",
    "real": "numbers",
    "categorical": "labels",
    "boolean": "labels",
    "dateTime": "dates",
    "text": "texts",
    "image": "images",
    "timeseries": "series",
    "graph": "graphs",
    "audio": "sounds",
    "video": "videos",
    "boxes": "columns of boxes",
}
"""Type of a column -> what a page calls its values."""
ONE = {each: each[:-1] for each in KINDS.values()}
ONE |= {"others": "other", "series": "series", "columns of boxes": "column of boxes"}


@dataclass(frozen=True)
class Source:
    """A data set that can be opened.

    Parameters
    ----------
    key : str
        What addresses and folders call it.
    title : str
    about : str
        Where it is from.
    load : callable
        Reads it; takes no arguments.
    origin : str
        "bundled", "served" (named on the command line) or "uploaded".
    path : Path, optional
        Its file or folder.
    summary : Summary, optional
        What is known of it before it is read.
    """

    key: str
    title: str
    about: str
    load: Callable[[], Dataset]
    origin: str = "bundled"
    path: Path | None = None
    summary: Summary | None = None


@dataclass
class Summary:
    """A few words on a data set, kept beside its project so that it need not be read again to say them.

    Parameters
    ----------
    rows, columns : int
    kinds : dict
        Of "numbers", "labels", "images", ... how many columns.
    task : str
        What it is meant for, such as "classification of species"; "" where nothing says so.
    stamp : list of int
        Size and time of the last change of its file.
    problem : str
        Why it could not be read.
    """

    rows: int = 0
    columns: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    task: str = ""
    stamp: list[int] = field(default_factory=list)
    problem: str = ""

    @classmethod
    def of(cls, data: Dataset, source: Source) -> Summary:
        """Of a data set that was read."""
        kinds = Counter(KINDS.get(column.type, "others") for column in data.columns.values())
        kinds |= {"graphs": len(data.graphs)} if data.graphs else {}
        return cls(len(data), len(data.columns), dict(kinds), suggested(data), stamp(source.path))

    @classmethod
    def read(cls, folder: Path, source: Source) -> Summary | None:
        """What was stored, unless the data set has changed since."""
        try:
            found = cls(**json.loads((folder / SUMMARY).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.stamp == stamp(source.path) else None

    def write(self, folder: Path) -> None:
        """Store it."""
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{SUMMARY}.part"
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(part, folder / SUMMARY)

    @property
    def words(self) -> str:
        """In one line."""
        if self.problem:
            return "cannot be read"
        some = [each for each in self.kinds.items() if each[0] != "graphs"]
        kinds = ", ".join(f"{count} {kind if count > 1 else ONE.get(kind, kind)}" for kind, count in some)
        columns = counted(self.columns, "column") + (f" ({kinds})" if kinds else "")
        graphs = self.kinds.get("graphs", 0)
        told = f"{graphs} graph{'s' if graphs > 1 else ''}" if graphs else ""
        return " · ".join(filter(None, (f"{self.rows:,} rows", columns, told, self.task)))


def stamp(path: Path | None) -> list[int]:
    """Size and time of the last change of a file or folder; nothing where there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        found = None
    return [] if found is None else [found.st_size, found.st_mtime_ns]


def suggested(data: Dataset) -> str:
    """What a data set is meant for, as its problem document or the roles of its columns say."""
    try:
        if data.path is not None and data.path.is_dir():
            problem = search.Problem.from_d3m(data.path)
            return _of(_title(str(problem.task or "prediction")), problem.targets)
    except (ValueError, OSError):
        pass
    named = [name for name, column in data.columns.items() if column.role == "suggestedTarget"]
    if not named:
        return ""
    try:
        task = search.Problem(named[0]).check(data).task
    except ValueError:
        return ""
    return _of(_title(str(task)), named[:1])


def _of(task: str, targets: Iterable[str]) -> str:
    """A task and what it is of, where it is of something."""
    named = ", ".join(targets)
    return f"{task} of {named}" if named else task


def _title(task: str) -> str:
    return search.TASKS[task].title if task in search.TASKS else task


def key_of(path: Path) -> str:
    """What to call a file or folder in addresses: its name, and a few letters that tell it from others of that name."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', path.stem).strip('-') or 'data'}-{digest}"


def bundled() -> list[Source]:
    """The data sets that come with the library."""
    return [
        Source(
            each.name,
            each.title,
            each.about,
            partial(search.load_bundled, each.name, home() / "bundled" / each.name),
            summary=Summary(each.rows, each.columns, task=_of(_title(each.task), each.targets)),
        )
        for each in search.bundled()
    ]


def served(paths: Sequence[str]) -> list[Source]:
    """Data sets of the command line; files of other apps, and folders of such, are passed over."""
    found = [Path(path) for path in paths if is_data(Path(path))]
    return [of_path(path, "served") for path in dict.fromkeys(found)]


def of_path(path: Path, origin: str) -> Source:
    """The source of a file or folder."""
    about = str(path) if origin == "served" else ""
    if is_study(path):
        return Source(key_of(path), f"{path.name} (study)", about, partial(data_of, path), origin, path)
    return Source(key_of(path), path.name, about, partial(search.load, path), origin, path)


def is_data(path: Path) -> bool:
    """Whether a path of the command line is for this app."""
    if path.name.endswith(OTHERS):
        return False
    if not path.is_dir() or is_table(path):
        return True
    return not any(file.name.endswith(OTHERS) for file in path.iterdir())
