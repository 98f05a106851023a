"""D3M data sets: folders with a datasetDoc.json (schema 3.x and 4.x), their TRAIN / TEST / SCORE parts and splits.

Understood are a data set's own folder, a TRAIN, TEST or SCORE folder, and the folder above them. Where the whole data
set and its dataSplits.csv are there they are read; else the parts are put together, with the truth of SCORE, or of its
targets.csv.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import d3m_labels, table_files
from .columns import Column, typed
from .d3m_doc import DOC, read_doc, read_resources
from .data import D3M_INDEX, Dataset, Resource, check_ids, named
from .graph_data import NODE, with_d3m_graphs
from .media import check_files, resources_of
from .spans import with_spans
from .values import label, listed

PROBLEM_DOC, SPLITS = "problemDoc.json", "dataSplits.csv"
LEARNING = "learningData"
PARTS = ("TRAIN", "TEST", "SCORE")
COLLECTED = ("image", "text", "timeseries", "audio", "video", "graph")


def is_d3m(path: Path) -> bool:
    """Whether there is a D3M data set at a path."""
    return path.name in (DOC, PROBLEM_DOC) or (path / DOC).is_file() or bool(_whole(path) or _parts(path))


def load_d3m(path: Path, types: dict[str, str] | None = None) -> Dataset:
    """A data set from a D3M folder, or from its datasetDoc.json.

    Raises
    ------
    FileNotFoundError, ValueError
        If something is missing, or the schema's version is unknown; the message names file, column and row.
    """
    if path.name == PROBLEM_DOC:
        raise ValueError(f"{path}: a problem, not a data set; Problem.from_d3m reads it")
    folder = path.parent if path.name == DOC else path
    if not (folder / DOC).is_file():
        return _load_parts(folder, types or {})
    is_part = re.search(rf"(^|_)({'|'.join(PARTS)})$", folder.name)
    return _build([folder], [_targets(folder)], folder, types or {}, None if is_part else _splits_beside(folder))


def _load_parts(folder: Path, types: dict[str, str]) -> Dataset:
    whole, parts = _whole(folder), _parts(folder)
    if whole is not None:
        splits = _splits_beside(whole)
        if splits is None:
            splits = _splits_of_parts(parts)
        truth = _targets(parts["SCORE"]) if "SCORE" in parts else None
        return _build([whole], [truth], folder, types, splits)
    if "TRAIN" not in parts or len(parts) == 1:
        found = next(parts[part] for part in ("TRAIN", "SCORE", "TEST") if part in parts)
        return _build([found], [_targets(found)], folder, types, None)
    held = parts.get("SCORE", parts.get("TEST", Path()))
    truth = _targets(held)
    if truth is None and not _has_labels(held):
        data = _build([parts["TRAIN"]], [None], folder, types, None)
        return replace(data, notes=(*data.notes, f"{held}: rows without truth: left out"))
    return _build([parts["TRAIN"], held], [None, truth], folder, types, _splits_of_parts(parts))


def _whole(folder: Path) -> Path | None:
    """The folder of a whole data set below a folder."""
    found = [path for path in _folders(folder) if path.name.endswith("_dataset") or path.name == "dataset"]
    found = [path for path in found if (path / DOC).is_file()]
    if len(found) > 1:
        raise ValueError(
            f"{folder}: several data sets: {listed(path.name for path in found)}; expected the folder of one"
        )
    return found[0] if found else None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _parts(folder: Path) -> dict[str, Path]:
    """The folders of data sets of TRAIN, TEST and SCORE below a folder, or in it if it is one of them."""
    found: dict[str, Path] = {}
    for part in PARTS:
        inside = [folder / f"dataset_{part}", *_folders(folder / part)]
        docs = [path for path in inside if path.name.startswith("dataset") and (path / DOC).is_file()]
        if docs:
            found[part] = docs[0]
    return found


def _targets(folder: Path) -> Path | None:
    """The file with the truth for a part whose labels are blank."""
    file = folder.parent / "targets.csv"
    return file if file.is_file() else None


def _has_labels(folder: Path) -> bool:
    """Whether a part's targets, or if none are suggested all its columns, are more than blanks."""
    learning, _ = _learning_resource(folder)
    frame, _ = _learning_table(folder)
    targets = [column.name for column in learning.columns if column.role == "suggestedTarget"]
    return bool(frame[targets or list(frame.columns)].notna().any().all())


def find_problem(path: str | Path) -> Path | None:
    """The problemDoc.json that belongs to a D3M folder or data set, if there is one."""
    folder = Path(path).expanduser()
    folder = folder.parent if folder.is_file() else folder
    above = folder.parent if (folder / DOC).is_file() else folder
    own = _own_problem(folder) if (folder / DOC).is_file() else []
    names = [folder, *own, *_problem_folders(above), *_problem_folders(above / "TRAIN")]
    return next((name / PROBLEM_DOC for name in names if (name / PROBLEM_DOC).is_file()), None)


def _problem_folders(folder: Path) -> list[Path]:
    found = [path for path in _folders(folder) if path.name.endswith("_problem") or path.name.startswith("problem")]
    return sorted(found, key=lambda path: (not path.name.endswith(("_problem", "problem")), "TRAIN" not in path.name))


def _own_problem(folder: Path) -> list[Path]:
    """The folders where the problem of a whole data set may be: not those of other sets beside it."""
    beside = [path for path in _folders(folder.parent) if path.name.endswith("_problem")]
    sets = [path for path in _folders(folder.parent) if path.name.endswith("_dataset")]
    named_so = [folder.parent / f"{folder.name.removesuffix('_dataset')}_problem", folder.parent / "problem"]
    return named_so + (beside if len(beside) == len(sets) == 1 else [])


def _splits_beside(folder: Path) -> pd.Series | None:
    """The split of a whole data set, from the problem beside it."""
    candidates = _own_problem(folder)
    file = next((path / SPLITS for path in candidates if (path / SPLITS).is_file()), None)
    return None if file is None else read_splits(file)


def read_splits(file: Path) -> pd.Series:
    """A dataSplits.csv as "train" or "holdout" by row id; of several repeats or folds the first that holds rows out.

    Raises
    ------
    ValueError
        If it does not say which row is what; the message names file and row.
    """
    frame, _ = table_files.read_csv(file)
    absent = [name for name in (D3M_INDEX, "type") if name not in frame]
    if absent:
        raise ValueError(f"{file}: no column {', '.join(absent)}; it has {listed(frame.columns)}")
    kinds = {"TRAIN": "train", "TEST": "holdout", "SCORE": "holdout"}
    found = pd.Series([kinds.get(str(kind).strip().upper()) for kind in frame["type"]], dtype=object)
    if found.isna().any():
        place = int(np.argmax(found.isna()))
        raise ValueError(f'{file}, column "type", row {place}: "{frame["type"][place]}"; expected TRAIN or TEST')
    names = [name for name in ("repeat", "fold") if name in frame]
    ids = pd.Index(_keys(frame[D3M_INDEX]))
    if not names or ids.is_unique:
        return found.set_axis(ids)
    groups = frame[names].fillna("0").groupby(names, sort=False).indices
    holding = (rows for rows in groups.values() if (found.iloc[rows] == "holdout").any())
    places = next(holding, next(iter(groups.values())))
    return found.iloc[places].set_axis(ids[places])


def _splits_of_parts(parts: dict[str, Path]) -> pd.Series | None:
    """The split that TRAIN and SCORE (or TEST) make."""
    ids = {part: _keys(_learning_table(folder)[0][D3M_INDEX]) for part, folder in parts.items()}
    held = ids.get("SCORE", ids.get("TEST", []))
    found = {**dict.fromkeys(ids.get("TRAIN", []), "train"), **dict.fromkeys(held, "holdout")}
    return pd.Series(found, dtype=object) if found else None


def _keys(values: Iterable[Any]) -> list[Any]:
    """Row ids as texts that compare: 1, 1.0 and "1" are the same."""
    return [None if value is None else label(value).strip() for value in values]  # type: ignore[union-attr]


def _learning_resource(folder: Path) -> tuple[Resource, list[tuple[Resource, dict[str, Any]]]]:
    everything = read_resources(folder)
    tables = [found for found, _ in everything if found.kind == "table"]
    named_so = [found for found in tables if found.name == LEARNING or table_files.stem(found.path) == LEARNING]
    if not named_so:
        raise ValueError(f"{folder / DOC}: no table {LEARNING}; it has {listed(found.name for found, _ in everything)}")
    return named_so[0], everything


def _learning_table(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """The raw table of what is to be learned."""
    resource, _ = _learning_resource(folder)
    frame, notes = table_files.read_csv(resource.path)
    _check_columns(frame, resource)
    if D3M_INDEX not in frame:
        raise ValueError(f"{resource.path}: no column {D3M_INDEX}; it has {listed(frame.columns)}")
    return frame, notes


def _check_columns(frame: pd.DataFrame, resource: Resource) -> None:
    absent = [column.name for column in resource.columns if column.name not in frame]
    if absent:
        raise ValueError(
            f"{resource.path}: no column {listed(absent)}, which {DOC} describes; it has {listed(frame.columns)}"
        )


def _build(
    folders: list[Path], targets: list[Path | None], path: Path, types: dict[str, str], splits: pd.Series | None
) -> Dataset:
    """A data set from the folders of its parts."""
    read = [_learning_table(folder) for folder in folders]
    filled = [_with_truth(frame, file) for (frame, _), file in zip(read, targets, strict=True)]
    if len(folders) > 1:
        filled = [_from_above(frame, folder, path) for frame, folder in zip(filled, folders, strict=True)]
    raw = pd.concat(filled, ignore_index=True)
    notes = tuple(note for _, found in read for note in found)
    learning, everything = _learning_resource(folders[0])
    if not len(raw):
        raise ValueError(f"{learning.path}: no rows")
    raw, sets, said = _with_sets(raw, learning, path, splits)
    notes = (*notes, *said)
    raw, keys = _indexed(raw, learning)
    resources = {found.name: found for found, _ in everything if found.name != learning.name}
    if len(folders) > 1:
        resources |= {found.name: replace(found, path=path) for found in resources.values() if _is_collection(found)}
    described = _described(learning, everything, resources)
    described |= {name: replace(described[name], type="") for name in sets}
    frame, columns = _typed(raw, described, types, str(learning.path))
    data = Dataset(_name(folders[0]) or path.name, frame, columns, path, resources, None, notes)
    data = _joined(resources_of(_divided(data, keys, splits), types, types))
    return check_files(with_spans(with_d3m_graphs(data, learning.name)))


def _with_sets(
    raw: pd.DataFrame, learning: Resource, path: Path, splits: pd.Series | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The raw table with the labels of each index in one row, which columns hold them, and what to say of it."""
    keys = _keys(raw[D3M_INDEX])
    sides = [""] * len(keys) if splits is None else list(splits[~splits.index.duplicated()].reindex(keys))
    found, sets = d3m_labels.merged(raw, keys, learning.columns, sides, _wanted(path))
    if not sets:
        return found, [], []
    return found, sets, [f"{len(raw):,} rows are {len(found):,} things with sets of labels in {listed(sets)}"]


def _wanted(path: Path) -> tuple[str, ...]:
    """The targets of the problem beside a data set, if there is one that can be read."""
    from .problem_doc import read

    file = find_problem(path)
    try:
        return () if file is None else read(file).targets
    except ValueError:
        return ()


def _name(folder: Path) -> str:
    """What a data set calls itself, without the part of it."""
    return re.sub(r"(_dataset)?(_(TRAIN|TEST|SCORE))?$", "", str(read_doc(folder / DOC)["about"].get("datasetID", "")))


def _with_truth(frame: pd.DataFrame, file: Path | None) -> pd.DataFrame:
    """A raw table with blank labels filled in from a file of targets."""
    if file is None:
        return frame
    truth, _ = table_files.read_csv(file)
    if D3M_INDEX not in truth:
        raise ValueError(f"{file}: no column {D3M_INDEX}; it has {listed(truth.columns)}")
    truth = d3m_labels.together(truth, _keys(truth[D3M_INDEX]))
    frame = frame.copy()
    for name in frame.columns.intersection(truth.columns).drop(D3M_INDEX):
        known = truth[name].reindex(_keys(frame[D3M_INDEX])).to_numpy()
        frame[name] = np.where(frame[name].isna(), known, frame[name].to_numpy(dtype=object))
    return frame.astype(object).where(frame.notna(), None)


def _indexed(raw: pd.DataFrame, learning: Resource) -> tuple[pd.DataFrame, list[Any]]:
    """The table by row id; and each row's D3M index as text. Where that stands for several rows it stays a column."""
    keys = _keys(raw[D3M_INDEX])
    several = any(column.name == D3M_INDEX and column.role == "multiIndex" for column in learning.columns)
    if several and len(set(keys)) < len(keys):
        return raw.rename_axis(index="row"), keys
    ids: list[Any] = [int(key) if key is not None and re.fullmatch(r"-?[0-9]{1,18}", key) else key for key in keys]
    index = pd.Index(ids, name=D3M_INDEX)
    check_ids(index, str(learning.path))
    return raw.drop(columns=D3M_INDEX).set_axis(index), keys


def _is_collection(resource: Resource) -> bool:
    """Whether a resource is a folder of files that values name."""
    return resource.kind in COLLECTED and not resource.path.is_file()


def _from_above(frame: pd.DataFrame, folder: Path, above: Path) -> pd.DataFrame:
    """A part's raw table with names of files as seen from the folder above: each part has files of its own."""
    learning, everything = _learning_resource(folder)
    places = {found.name: found.path.relative_to(above) for found, _ in everything if _is_collection(found)}
    frame = frame.copy()
    for column in learning.columns:
        if column.refers in places and column.refers_to == "item":
            names = [name and (places[str(column.refers)] / name).as_posix() for name in frame[column.name]]
            frame[column.name] = pd.Series(names, frame.index, dtype=object)
    return frame


def _described(
    learning: Resource, everything: list[tuple[Resource, dict[str, Any]]], resources: dict[str, Resource]
) -> dict[str, Column]:
    """The learning data's columns, those that name files or nodes with what they name."""
    found = {column.name: column for column in learning.columns}
    for name, column in found.items():
        if column.refers is None or column.refers == learning.name:
            continue
        resource = resources.get(column.refers)
        if resource is None:
            raise ValueError(
                f'{learning.path}, column "{name}": refers to resource "{column.refers}", unknown to {DOC}'
            )
        if resource.kind == "graph" and column.refers_to != "item":
            found[name] = replace(column, refers_to=NODE)  # by whichever of its attributes it is called
        elif resource.kind in COLLECTED and column.refers_to == "item":
            found[name] = replace(column, type=resource.kind)
        elif resource.kind == "table" and str(column.refers_to).isdigit():
            named_so = dict(enumerate(described.name for described in resource.columns))
            found[name] = replace(column, refers_to=named_so.get(int(str(column.refers_to)), column.refers_to))
    for resource, _ in everything:
        if resource.kind == "graph":  # an edge list says which column holds its nodes, not the other way round
            nodes = {str(column.refers_to) for column in resource.columns if column.refers == learning.name}
            for name in nodes & found.keys():
                found[name] = replace(found[name], refers=resource.name, refers_to="node")
    return found


def _typed(
    raw: pd.DataFrame, described: dict[str, Column], types: dict[str, str], where: str
) -> tuple[pd.DataFrame, dict[str, Column]]:
    """A raw table in the form of the described types; their roles and references kept."""
    declared = {name: column.type for name, column in described.items() if column.type and name in raw}
    frame, columns = typed(named(raw, where), types, written=True, declared=declared, where=where)
    for name, column in columns.items():
        said = described.get(name)
        if said is not None:
            columns[name] = replace(
                column, role=said.role, roles=said.roles, refers=said.refers, refers_to=said.refers_to
            )
    return frame, columns


def _divided(data: Dataset, keys: list[Any], splits: pd.Series | None) -> Dataset:
    """The data set with its split, where that has two sides."""
    if splits is None:
        return data
    sides = splits[~splits.index.duplicated()].reindex(keys)
    unknown = sides.isna().to_numpy()
    found = pd.Series(np.where(unknown, "train", sides.to_numpy()), data.frame.index, dtype=object)
    if found.nunique() < 2:
        return data
    note = [f"{unknown.sum():,} rows are in no split: used for training"] if unknown.any() else []
    return replace(data, splits=found, notes=(*data.notes, *note))


def resource_table(resource: Resource) -> Dataset:
    """A table beside the learning data."""
    frame, notes = table_files.read_csv(resource.path)
    _check_columns(frame, resource)
    described = {column.name: column for column in resource.columns}
    found, columns = _typed(frame.rename_axis(index="row"), described, {}, str(resource.path))
    return Dataset(resource.name, found, columns, resource.path, notes=tuple(notes))


def _joined(data: Dataset) -> Dataset:
    """The data set with the columns of the tables that its keys refer to, where each key stands for one row there."""
    for column in list(data.columns.values()):
        resource = data.resources.get(str(column.refers))
        if resource is None or resource.kind != "table" or column.refers_to in (None, "item"):
            continue
        try:
            data = data.join(resource.name, on=(column.name, str(column.refers_to)))
        except ValueError as error:
            data = replace(data, notes=(*data.notes, f"not joined: {error}"))
    return data
