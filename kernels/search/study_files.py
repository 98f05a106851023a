"""Files of a study's folder: tables as Parquet with every value as it was, and its data set; whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store import FileFormatError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset
    from .graphs import Graph
    from .joins import Joined

CHANGED = "files that its rows name were changed, or are gone, since the study began: its scores are of the old ones"
_TABLE = b"learnviews"
_ASKED = "asked of it"
PREDICTIONS = "predictions"  # folder of a Parquet file per model


def new_folder(folder: Path) -> Path:
    """The folder of a new study, made; FileExistsError where something is in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{folder}: exists already; choose another name, or go on with it: Study.open({str(folder)!r})"
        )
    if not folder.resolve().parent.is_dir():
        raise FileNotFoundError(f"{folder.parent}: no such folder to put the study in")
    for part in (folder, folder / PREDICTIONS):
        part.mkdir(exist_ok=True)
    return folder


def discard(folder: Path) -> None:
    """Take away what was begun of a study."""
    shutil.rmtree(folder / PREDICTIONS, ignore_errors=True)
    for part in folder.iterdir():
        with contextlib.suppress(OSError):
            part.unlink()


def write_bytes(path: Path, content: bytes) -> Path:
    """A file that appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"{path}: could not be written: {error.strerror or error}") from error
    return path


def write_frame(path: Path, frame: pd.DataFrame, about: dict[str, Any] | None = None) -> Path:
    """A DataFrame as Parquet; objects (text, truth values with gaps, huge integers) as JSON, told apart on reading."""
    import io

    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [frame.index.to_series(), *(frame.iloc[:, at] for at in range(frame.shape[1]))]
    arrays, kinds = zip(*map(_array, columns), strict=True)
    names = [json.dumps(_name(name)) for name in (frame.index.name, *frame.columns)]
    texts = isinstance(frame.columns.dtype, pd.StringDtype)
    head = {"kinds": kinds, "names": names, "columns": "str" if texts else "object", "about": about or {}}
    table = pa.table(list(arrays), names=[str(at) for at in range(len(arrays))])
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_TABLE: json.dumps(head).encode()}), buffer, compression="zstd")
    return write_bytes(path, buffer.getvalue())


def read_frame(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What `write_frame` wrote.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If there is no such file, or it is another one or damaged; the message names it.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    if not path.exists():
        raise FileNotFoundError(f"{path}: no such table of a study")
    try:
        table = pq.read_table(path)
        head = json.loads(table.schema.metadata[_TABLE])
        names = [json.loads(name) for name in head["names"]]
        found = [_series(column, kind) for column, kind in zip(table.columns, head["kinds"], strict=True)]
        index = pd.Index(found[0], name=names[0])
        frame = (
            pd.concat([part.set_axis(index) for part in found[1:]], axis=1) if found[1:] else pd.DataFrame(index=index)
        )
    except Exception as error:  # Arrow, JSON and pandas complain in many ways
        raise FileFormatError(f"{path}: no table of a study, or a damaged one ({error})") from error
    return frame.set_axis(pd.Index(names[1:], dtype=head.get("columns", "object")), axis=1), head["about"]


def write_dataset(folder: Path, data: Dataset) -> None:
    """The data set, so that a study opens without its source; files that its values name stay where they are."""
    _write(folder / "data.parquet", data, graphs=write_graphs(folder, data.graphs))
    write_joined(folder, data.joined)


def write_joined(folder: Path, joined: Sequence[Joined]) -> list[str]:
    """Tables that were joined to a data set, for the rows that come later; names of the files."""
    names = []
    for number, each in enumerate(joined, 1):
        how = {"keys": each.keys, "columns": each.columns, "types": each.types}
        names.append(_write(folder / f"joined-{number}.parquet", each.table, join=how).name)
    return names


def read_joined(folder: Path) -> tuple[Joined, ...]:
    """What `write_joined` wrote."""
    from .joins import Joined

    found, number = [], 1
    while (path := folder / f"joined-{number}.parquet").is_file():
        table, about = _read(path)
        how = about["join"]
        found.append(Joined(table, tuple((here, there) for here, there in how["keys"]), how["columns"], how["types"]))
        number += 1
    return tuple(found)


def _write(path: Path, data: Dataset, **more: Any) -> Path:
    from dataclasses import asdict

    about = {
        "name": data.name,
        "path": None if data.path is None else str(Path(data.path).resolve()),
        "columns": [asdict(column) for column in data.columns.values()],
        "resources": [_resource(resource) for resource in data.resources.values()],
        "splits": None if data.splits is None else list(data.splits),
        "notes": list(getattr(data, "notes", ())),
        "fingerprint": data.fingerprint(),
        **more,
    }
    return write_frame(path, data.frame, about)


def read_dataset(folder: Path) -> Dataset:
    """The data set that `write_dataset` wrote."""
    return replace(_read(folder / "data.parquet")[0], joined=read_joined(folder))


def _read(path: Path) -> tuple[Dataset, dict[str, Any]]:
    import pandas as pd

    from .data import Dataset

    frame, about = read_frame(path)
    columns = [_column(described) for described in about["columns"]]
    splits = None if about["splits"] is None else pd.Series(about["splits"], index=frame.index, dtype=object)
    source = None if about["path"] is None else Path(about["path"])
    resources = {found.name: found for found in map(_resource_of, about["resources"])}
    by_name = {column.name: column for column in columns}
    graphs = read_graphs(path.parent, about.get("graphs", []))
    data = Dataset(about["name"], frame, by_name, source, resources, splits, tuple(about["notes"]), graphs=graphs)
    if any(column.is_media for column in columns) and data.fingerprint() != about["fingerprint"]:
        data = replace(data, notes=(*data.notes, CHANGED))
    return data, about


def write_graphs(folder: Path, graphs: dict[str, Graph]) -> list[dict[str, Any]]:
    """Nodes and edges of each graph as tables of a folder, and what `read_graphs` needs to know of them."""
    found = []
    for number, graph in enumerate(graphs.values()):
        asked = [False] * len(graph.edges) if graph.asked is None else list(map(bool, graph.asked))
        write_frame(folder / f"graph-{number}-nodes.parquet", graph.nodes)
        write_frame(folder / f"graph-{number}-edges.parquet", graph.edges.assign(**{_ASKED: asked}))
        told = {"name": graph.name, "directed": graph.directed, "types": graph.types, "notes": list(graph.notes)}
        found.append({**told, "asked": graph.asked is not None})
    return found


def read_graphs(folder: Path, about: list[dict[str, Any]]) -> dict[str, Graph]:
    """What `write_graphs` wrote."""
    from .graphs import Graph

    found = {}
    for number, told in enumerate(about):
        nodes = read_frame(folder / f"graph-{number}-nodes.parquet")[0]
        edges = read_frame(folder / f"graph-{number}-edges.parquet")[0]
        asked = edges.pop(_ASKED).to_numpy(bool)
        name = told["name"]
        found[name] = Graph(
            *(name, nodes.set_axis(nodes.index.astype(object)), edges.reset_index(drop=True), told["directed"]),
            *(told["types"], asked if told["asked"] else None, tuple(told["notes"])),
        )
    return found


def _column(described: dict[str, Any]) -> Any:
    from .columns import Column

    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in described.items()
    }
    return Column(**given)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _resource(resource: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(resource), "path": str(Path(resource.path).resolve())}


def _resource_of(described: dict[str, Any]) -> Any:
    from .data import Resource

    columns = tuple(map(_column, described.get("columns", ())))
    formats = tuple(described.get("formats", ()))
    return Resource(described["name"], described["kind"], Path(described["path"]), formats, columns)


def _name(name: Any) -> Any:
    return name.item() if hasattr(name, "item") else name


def _array(column: pd.Series) -> tuple[Any, str]:
    """Arrow array of a column, and how to get the column back."""
    import pandas as pd
    import pyarrow as pa

    if column.dtype.kind in "biufM" and getattr(column.dtype, "tz", None) is None and hasattr(column.dtype, "str"):
        return pa.array(column.to_numpy()), column.dtype.str
    if isinstance(column.dtype, pd.StringDtype):
        return pa.array(list(column.astype(object).where(column.notna(), None)), pa.string()), "text"
    return pa.array([json.dumps(_plain(value)) for value in column], pa.string()), "json"


def _series(column: Any, kind: str) -> pd.Series:
    import numpy as np
    import pandas as pd

    if kind == "text":
        return pd.Series(column.to_pylist(), dtype="str")
    if kind == "json":
        values = pd.Series(index=range(len(column)), dtype=object)
        values[:] = [json.loads(text) for text in column.to_pylist()]
        return values
    return pd.Series(np.asarray(column.to_numpy(), dtype=kind))


def _plain(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, set | frozenset):
        return sorted(value)
    if value is pd.NA or value is pd.NaT:
        return None
    if hasattr(value, "item"):
        return value.item()
    return value if isinstance(value, str | int | float | bool | list | type(None)) else str(value)
