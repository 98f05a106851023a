"""Files that a data set's values name: images, texts, series, sounds, videos; folders of them as data sets."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import spans, table_files
from .clips import MISSING as NO_VIDEO
from .clips import read_clip
from .columns import MEDIA, Column, typed
from .data import Dataset, Resource
from .sounds import MISSING as NO_SOUND
from .sounds import read_sound
from .values import listed

SUFFIXES = {
    "image": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"),
    "text": (".txt", ".text", ".md"),
    "timeseries": (".csv", ".tsv"),
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".aif", ".aiff"),
    "video": (".mp4", ".avi", ".mov", ".mkv", ".webm"),
}
SPLITS = {"train": "train", "training": "train", "test": "holdout", "testing": "holdout", "holdout": "holdout"}
PACKAGES = {"audio": ("soundfile", NO_SOUND), "video": ("av", NO_VIDEO)}  # that kinds of files need, and what to say
LABEL = "label"
HIDDEN = (".", "__MACOSX")
MOST_ENTRIES = 200_000  # below a folder that is one data set; more is a disk


def read(data: Dataset, column: str, rows: Iterable[Any] | None = None) -> list[Any]:
    """What a column's values name; see `Dataset.read`."""
    found = data.column(column)
    values = data.frame[column] if rows is None else data.take(rows).frame[column]
    if found.type == "text" and found.refers is None:
        return list(values)
    if not found.is_media:
        raise ValueError(f'{data.name}: column "{column}" is {found.type}; expected one of {", ".join(SUFFIXES)}')
    resource = data.resources[str(found.refers)]
    return [None if value is None else _read(resource, found, value, name) for name, value in values.items()]


NAMED = {"image": "images", "video": "videos", "audio": "sounds"}


def named_files(data: Dataset, column: str, kind: str, rows: Iterable[Any] | None = None) -> list[Path | None]:
    """Files that a column of images, videos or sounds names; None where it names none.

    Raises
    ------
    ValueError
        If there is no such column or row, or it does not name files of this kind.
    """
    about = data.column(column)
    if about.type != kind or not about.is_media:
        raise ValueError(f'{data.name}: column "{column}" is {about.type}; expected names of {NAMED[kind]}')
    cells = data.frame[column] if rows is None else data.take(rows).frame[column]
    folder = data.resources[str(about.refers)].folder
    return [folder / name if isinstance(name, str) else None for name in cells]


def _read(resource: Resource, column: Column, value: str, row: Any) -> Any:
    path = resource.folder / value
    readers: dict[str, Callable[[Path], Any]] = {
        "image": read_image,
        "text": read_document,
        "audio": read_sound,
        "video": read_clip,
        "timeseries": lambda file: read_series(file, resource.columns),
    }
    if column.type not in readers:
        raise ValueError(f'column "{column.name}": {column.type} cannot be read yet; expected {", ".join(readers)}')
    try:
        return readers[column.type](path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file ({_place(column, row)})") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"{error} ({_place(column, row)})") from error


def _place(column: Column, row: Any) -> str:
    return f'column "{column.name}", row {row}'


def read_image(path: Path, least: int = 0) -> np.ndarray:
    """An image as (height, width), or (height, width, channels) where it has colours; upright, as its camera was held.

    Parameters
    ----------
    path : path
    least : int
        Above 0: a JPEG may be decoded at a smaller scale, with at least so many pixels along each side.

    Raises
    ------
    ImportError
        If Pillow, which scikit-image brings along, is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError('images need scikit-image: pip install "learnviews[media]"') from None
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        # From memory: a file given by name stays open if it is no image.
        with Image.open(io.BytesIO(path.read_bytes())) as found:
            if least:
                found.draft(None, (least, least))
            return np.asarray(_plain(ImageOps.exif_transpose(found)))
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as an image ({type(error).__name__})") from error


def _plain(image: Any) -> Any:
    """An image whose values are brightnesses, not places in a palette, inks or single bits."""
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    return image.convert(
        {"1": "L", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}.get(image.mode, image.mode)
    )


def read_document(path: Path) -> str:
    """A file's text."""
    return table_files.read_text(path)[0]


def read_series(path: Path, described: Iterable[Column] = ()) -> pd.DataFrame:
    """A series: a CSV file's columns, typed as described or as found out."""
    if not path.is_file():
        raise FileNotFoundError(path)
    frame, _ = table_files.read_csv(path)
    declared = {column.name: column.type for column in described if column.type and column.name in frame}
    return typed(frame, written=True, declared=declared, where=str(path))[0]


def check_files(data: Dataset) -> Dataset:
    """Complain about files that are named but not there.

    Raises
    ------
    FileNotFoundError
        The message names file, column and row of the first, and how many more there are.
    """
    for column in data.columns.values():
        if column.is_media and column.type != "graph":
            _check_column(data, column)
    return data


def _check_column(data: Dataset, column: Column) -> None:
    folder = data.resources[str(column.refers)].folder
    named = data.frame[column.name].dropna()
    missing = [(row, value) for row, value in named.items() if not spans.split(folder / value)[0].is_file()]
    if missing:
        row, value = missing[0]
        more = f"; {len(missing) - 1:,} more are missing" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{folder / value}: no such file ({_place(column, row)}{more})")


def lacking(kind: str) -> str:
    """What to say where the package that files of a kind need is not installed; "" where nothing is missing."""
    package, words = PACKAGES.get(kind, ("", ""))
    return words if package and importlib.util.find_spec(package) is None else ""


def stamps(data: Dataset) -> list[tuple[str, int, int]]:
    """Name, size and time of the last change of every file that a data set's values name; -1 where it is not there."""
    found = []
    for column in data.columns.values():
        if column.is_media and column.refers in data.resources:
            folder = data.resources[column.refers].folder
            found += [_stamp(folder, value) for value in sorted(data.frame[column.name].dropna().astype(str).unique())]
    return found


def _stamp(folder: Path, name: str) -> tuple[str, int, int]:
    try:
        about = spans.split(folder / name)[0].stat()
    except OSError:
        return name, -1, -1
    return name, about.st_size, about.st_mtime_ns


def resources_of(data: Dataset, types: Mapping[str, str], among: Iterable[str] | None = None) -> Dataset:
    """The data set with a resource for each column that names files, as the user says or as they are found.

    Files lie beside the table. Columns without a type of the user's are looked at: those whose values all end as such
    files do, and whose first file is there. So are those of type "text", which else hold the texts themselves.
    `among`: no other columns are looked at.
    """
    from .annotations import annotated

    kinds = {name: kind for name, kind in types.items() if kind in MEDIA and kind != "text"}
    folder = _beside(data)
    if data.path is not None:
        within = data.columns if among is None else among
        looked = [name for name in within if types.get(name, "text") == "text" and _is_written(data.columns[name])]
        kinds |= {name: _named_kind(data.frame[name], folder) for name in looked}
    resources = {
        name: Resource(name, kind, folder) for name, kind in kinds.items() if kind and data.columns[name].refers is None
    }
    if not resources:
        return annotated(data, types)
    columns = {name: _naming(column, resources.get(name)) for name, column in data.columns.items()}
    return annotated(check_files(replace(data, columns=columns, resources={**data.resources, **resources})), types)


def _beside(data: Dataset) -> Path:
    """Where files that a data set's values name are, if nothing says where."""
    if data.path is None:
        return Path().resolve()
    return (data.path if data.path.is_dir() else data.path.parent).resolve()


def _is_written(column: Column) -> bool:
    return column.type in ("categorical", "text") and column.refers is None


def _naming(column: Column, resource: Resource | None) -> Column:
    if resource is None:
        return column
    why = column.why or f"names of files in {resource.path.name}"
    return replace(column, type=resource.kind, refers=resource.name, refers_to="item", why=why)


def _named_kind(values: pd.Series, folder: Path) -> str:
    """The kind of files that values name; empty if they name none."""
    present = values.dropna()
    ending = Path(str(present.iloc[0])).suffix.lower() if len(present) else ""
    kind = next((kind for kind, known in SUFFIXES.items() if ending in known), "")
    if not kind or not (folder / str(present.iloc[0])).is_file():
        return ""
    return kind if present.str.lower().str.endswith(SUFFIXES[kind]).all() else ""


def load_media(folder: Path, types: Mapping[str, str] | None = None) -> Dataset:
    """A folder of images, texts, series, sounds or videos as a data set: a column names the files.

    The column "label" holds the sub-folder. Folders "train" and "test" above the labels become the split.

    Raises
    ------
    ValueError
        If there are no such files in it, or of several kinds.
    """
    files = sorted(_files_below(folder))
    kind = _kind(folder, files)
    files = [file for file in files if file.suffix.lower() in SUFFIXES[kind]]
    split = [SPLITS.get(file.parts[0].lower()) if len(file.parts) > 1 else None for file in files]
    divided = set(split) == {"train", "holdout"}
    labels = ["/".join(file.parent.parts[divided:]) or None for file in files]
    frame = pd.DataFrame({kind: [file.as_posix() for file in files]}, dtype=object)
    columns = {kind: Column(kind, kind, refers=kind, why=f"files in {folder.name}", refers_to="item")}
    if any(labels):
        frame[LABEL] = pd.Series(labels, dtype=object)
        columns[LABEL] = Column(LABEL, "categorical", "suggestedTarget", why="the sub-folder")
    frame.index.name = "row"
    splits = pd.Series(split, frame.index, dtype=object) if divided else None
    data = Dataset(folder.name, frame, columns, folder, {kind: Resource(kind, kind, folder)}, splits)
    return data.with_types(types) if types else data


def _files_below(folder: Path) -> list[Path]:
    """Files that nobody hid, relative to the folder; links to folders are not followed."""
    found: list[Path] = []
    entries = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        entries += len(folders) + len(names)
        if entries > MOST_ENTRIES:
            raise ValueError(
                f"{folder}: more than {MOST_ENTRIES:,} files and folders below it; expected the folder of one data set"
            )
        here = Path(place)
        kept = [here / name for name in names if not name.startswith(HIDDEN)]
        found += [path.relative_to(folder) for path in kept if os.path.isfile(path)]  # False where it may not be seen
    return found


def _kind(folder: Path, files: list[Path]) -> str:
    """What kind of files a folder holds most."""
    counts = {kind: sum(file.suffix.lower() in known for file in files) for kind, known in SUFFIXES.items()}
    if any(len(file.parts) == 1 and file.suffix.lower() in SUFFIXES["timeseries"] for file in files):
        counts["timeseries"] = 0  # tables rather than series: no sub-folder labels them
    below = [file.parent.as_posix() for file in files if file.name == "datasetDoc.json"]
    if below:
        raise ValueError(f"{folder}: D3M data sets in {listed(below, 4)}; expected the folder of one")
    kind = max(counts, key=lambda name: counts[name])
    if not counts[kind]:
        ends = listed(sorted({file.suffix for file in files}), 6)
        raise ValueError(
            f"{folder}: no data set: neither a datasetDoc.json (D3M) nor images, texts, series, sounds or videos"
            + (f"; it holds files that end in {ends}" if files else "; it is empty")
        )
    return kind
