"""Data sets: a table with one row per thing to learn from, typed columns, and the files that its values name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..file_kinds import check_names
from . import columns as column_types
from . import table_files
from .columns import Column
from .values import listed

if TYPE_CHECKING:
    from .graphs import Graph
    from .joins import Joined

ROW_ID = "row"
OWN_LABELS = 0.95
"""Share of rows with another label each from which on a column names the rows."""
FEW_ROWS = 20  # of so many every row may well have a label of its own, and the labels may come again
GLANCE = 1000  # rows that show of most columns that they are neither
D3M_INDEX = "d3mIndex"


@dataclass(frozen=True)
class Resource:
    """Files beside a data set's table: a folder of media, a graph, another table.

    Parameters
    ----------
    name : str
    kind : str
        "table", "image", "text", "timeseries", "graph", "audio" or "video".
    path : Path
        The folder of a collection, or the file.
    formats : tuple of str
        As D3M names them, for example "image/png".
    columns : tuple of Column
        Of a table, of an edge list, or of the files of a collection of series.
    """

    name: str
    kind: str
    path: Path
    formats: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.path.parent if self.path.is_file() else self.path


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table with one row per thing to learn from.

    Parameters
    ----------
    name : str
    frame : DataFrame
        Its index holds the row ids, each once. How values are kept by type: see `values`.
    columns : dict
        `Column` by name, in the frame's order.
    path : Path, optional
        Where it was read from.
    resources : dict
        `Resource` by name.
    splits : Series, optional
        "train" or "holdout" by row id, where the data came with a split.
    notes : tuple of str
        What a user should know of how it was read.
    joined : tuple of Joined
        Tables whose columns were added, so that later rows can be given theirs.
    graphs : dict
        `Graph` by name; columns that name its nodes refer to it, to "node".
    """

    name: str
    frame: pd.DataFrame
    columns: dict[str, Column]
    path: Path | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    splits: pd.Series | None = None
    notes: tuple[str, ...] = ()
    joined: tuple[Joined, ...] = ()
    graphs: dict[str, Graph] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{column.name}: {column.type}" for column in list(self.columns.values())[:8])
        return f"Dataset({self.name}: {len(self):,} rows, {len(self.columns)} columns ({kinds}))"

    @cached_property
    def filled(self) -> frozenset[str]:
        """Columns with a value in some row."""
        return frozenset(self.frame.columns[self.frame.notna().any().to_numpy()])

    @cached_property
    def idle(self) -> dict[str, str]:
        """Columns that tell one row nothing of another, and why: constants, and labels that are each row's own."""
        found = {name: _why_idle(self, column) for name, column in self.columns.items() if name in self.filled}
        return {name: why for name, why in found.items() if why}

    @cached_property
    def _distinct(self) -> dict[str, int]:
        return {}

    def distinct(self, name: str) -> int:
        """How many different values a column has; counted once."""
        if name not in self._distinct:
            self._distinct[name] = int(self.frame[name].nunique())
        return self._distinct[name]

    @cached_property
    def _labels(self) -> dict[str, pd.Series]:
        return {}

    def labels(self, name: str) -> pd.Series:
        """Rows of each label of a column, as text (1 and 1.0 are one), the commonest first; counted once."""
        from .answers import label_text

        if name not in self._labels:
            counts = self.frame[name].value_counts()
            texts = pd.Index([label_text(value) for value in counts.index], dtype=object)
            self._labels[name] = counts.groupby(texts).sum().sort_values(ascending=False, kind="stable")
        return self._labels[name]

    @cached_property
    def times(self) -> tuple[str, ...]:
        """Columns of dates, or marked as the time."""
        columns = self.columns.items()
        return tuple(name for name, found in columns if found.type == "dateTime" or found.role == "timeIndicator")

    def column(self, name: str) -> Column:
        """A column by name.

        Raises
        ------
        ValueError
            If there is none; the message lists those there are.
        """
        column_types.check_known([name], self.frame, self.name)
        return self.columns[name]

    def take(self, rows: Iterable[Any]) -> Dataset:
        """The data set with these rows (ids) only, in this order."""
        wanted = pd.Index(list(rows), name=self.frame.index.name)
        unknown = wanted[~wanted.isin(self.frame.index)]
        if len(unknown):
            raise ValueError(f"{self.name}: no row {listed(map(str, unknown))}")
        if not wanted.is_unique:
            raise ValueError(f"{self.name}: row {wanted[wanted.duplicated()][0]} is wanted twice")
        splits = None if self.splits is None else self.splits.loc[wanted]
        return replace(self, frame=self.frame.loc[wanted], splits=splits)

    def select(self, columns: Iterable[str]) -> Dataset:
        """The data set with these columns only, in this order."""
        wanted = list(columns)
        column_types.check_known(wanted, self.frame, self.name)
        check_names(wanted, self.name)
        return replace(self, frame=self.frame[wanted], columns={name: self.columns[name] for name in wanted})

    def with_types(self, types: Mapping[str, str]) -> Dataset:
        """The data set with other types for some columns.

        Raises
        ------
        ValueError
            If a value does not fit; the message names column and row.
        """
        from .media import resources_of

        found, changed = column_types.typed(self.frame[list(types)] if types else self.frame[[]], dict(types))
        columns = {
            name: replace(column, type=changed[name].type, why=changed[name].why) if name in changed else column
            for name, column in self.columns.items()
        }
        frame = self.frame.assign(**{str(name): found[name] for name in found})
        return resources_of(replace(self, frame=frame, columns=columns), types, types)

    def with_roles(self, roles: Mapping[str, str]) -> Dataset:
        """The data set with other roles for some columns; a column with role "index" becomes the row ids."""
        column_types.check_known(roles, self.frame, self.name)
        columns = {
            name: replace(column, role=roles[name], roles=(roles[name],)) if name in roles else column
            for name, column in self.columns.items()
        }
        found = replace(self, columns=columns)
        index = [name for name, role in roles.items() if role == "index"]
        if len(index) > 1:
            raise ValueError(f"{self.name}: several columns with role index: {', '.join(index)}; expected one")
        return found._indexed(index[0]) if index else found

    def _indexed(self, name: str) -> Dataset:
        ids = self.frame[name]
        check_ids(pd.Index(ids, name=name), self.name)
        frame = self.frame.drop(columns=name).set_axis(pd.Index(ids, name=name))
        splits = None if self.splits is None else self.splits.set_axis(frame.index)
        columns = {key: column for key, column in self.columns.items() if key != name}
        return replace(self, frame=frame, columns=columns, splits=splits)

    def join(self, other: Any, on: Any, columns: Iterable[str] | None = None) -> Dataset:
        """The data set with columns of another table added, found by key; see `joins.join`."""
        from .joins import join

        return join(self, other, on, columns)

    def with_graph(self, graph: Any, columns: Iterable[str] | str, name: str | None = None) -> Dataset:
        """The data set with a graph whose nodes some of its columns name.

        Parameters
        ----------
        graph : Graph, path, or graph of networkx
        columns : str or list of str
            One column: each row is about a node. Two: about a pair of them.
        name : str, optional
            What to call the graph.

        Raises
        ------
        ValueError, FileNotFoundError
            If there is no such column, or the file cannot be read; see `graph_data.attached` for how nodes are found.
        """
        from .graph_data import attached
        from .graph_files import to_graph

        wanted = [columns] if isinstance(columns, str) else list(columns)
        return attached(self, to_graph(graph, name), wanted)

    def table(self, name: str) -> Dataset:
        """Another table of the same data set, by the name of its resource."""
        resource = self.resources.get(name)
        if resource is None or resource.kind != "table":
            tables = [key for key, found in self.resources.items() if found.kind == "table"]
            raise ValueError(f'{self.name}: no table "{name}"; it has {listed(tables) or "none"}')
        from .d3m import resource_table

        return resource_table(resource)

    def read(self, column: str, rows: Iterable[Any] | None = None) -> list[Any]:
        """What a column's values name: an array per image, text, a DataFrame per series, a `sounds.Sound`, a
        `clips.Clip`; None where nothing is named.

        Raises
        ------
        ValueError, FileNotFoundError
            If a file cannot be read; the message names file, column and row.
        """
        from .media import read

        return read(self, column, rows)

    def fingerprint(self) -> str:
        """A number, in hexadecimal, of values, types, roles and split: the same for the same data in another run.

        Files that values name count by their sizes and times of change, not by what is in them.
        """
        from .media import stamps

        made = hashlib.sha256()
        described = [(column.name, column.type, column.role, column.refers) for column in self.columns.values()]
        made.update(json.dumps(described).encode())
        for values in (self.frame.index.to_series(), *(self.frame[name] for name in self.frame)):
            made.update(pd.util.hash_pandas_object(_hashable(values), index=False).to_numpy().tobytes())
        if self.splits is not None:
            made.update(np.array(self.splits == "train").tobytes())
        for graph in self.graphs.values():
            made.update(graph.fingerprint().encode())
        made.update(json.dumps(stamps(self)).encode() if any(c.is_media for c in self.columns.values()) else b"")
        return made.hexdigest()


def _hashable(values: pd.Series) -> pd.Series:
    """Objects as text, told apart from what is missing and from text that looks the same."""
    if values.dtype != object:
        return values
    return pd.Series([f"{type(value).__name__} {value}" for value in values], dtype=object)


def load(
    source: Any,
    name: str | None = None,
    types: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    edges: tuple[str, str] | bool | None = None,
    directed: bool = False,
) -> Dataset:
    """A data set from whatever holds one.

    Parameters
    ----------
    source : path, DataFrame or Dataset
        A D3M folder (or a part of it, see `d3m`), a CSV or Parquet file (or the folder of one), a folder of images,
        texts, series, sounds or videos (their sub-folders are the labels, see `media`), or a DataFrame, whose index is
        kept as row ids. Values of a table that name such files beside it are read as such. A graph (GML, GraphML, a
        list of edges, or one of networkx) has a row per node; so has a table whose columns are called as those of a
        list of edges are (see `graph_files.pair_columns`).
    name : str, optional
        What to call it.
    types, roles : dict, optional
        By column, instead of what is found out.
    edges : (str, str), optional
        Columns of a table with the ends of edges: the table is the list of edges of a graph. False: it is none, however
        its columns are called.
    directed : bool
        Whether such a list is of a directed graph.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        If it cannot be read; the message names file, column and row.
    """
    if isinstance(edges, bool) or edges is None:
        found = _load(source, dict(types or {}), edges is None)
    else:
        found = _of_edges(source, edges, directed, types)
    if roles:
        found = found.with_roles(roles)
    return replace(found, name=name) if name else found


def _load(source: Any, types: dict[str, str], guess: bool = True) -> Dataset:
    if isinstance(source, Dataset):
        return source.with_types(types) if types else source
    if isinstance(source, pd.DataFrame):
        return from_frame(source, types)
    if _is_graph(source):
        from .graph_data import of_graph
        from .graph_files import to_graph

        return of_graph(to_graph(source), Path(source) if isinstance(source, (str, Path)) else None, types)
    if not isinstance(source, (str, Path)):
        raise TypeError(f"a data set cannot be read from {type(source).__name__}; expected a path or a DataFrame")
    path = Path(source).expanduser()
    if path.is_dir() or path.name in ("datasetDoc.json", "problemDoc.json"):
        return _load_folder(path, types)
    frame, written, notes = table_files.read_table(path)
    if guess and (pair := _pair_columns(frame, types)):
        return _of_edges(path, pair, False, types)
    return from_frame(frame, types, table_files.stem(path), path, written, notes)


def _is_graph(source: Any) -> bool:
    """A graph's file, one of ours, or one of networkx, which is not imported to find out."""
    from .graph_files import is_graph
    from .graphs import Graph

    if isinstance(source, (str, Path)):
        return is_graph(source) and not Path(source).expanduser().is_dir()
    return isinstance(source, Graph) or (hasattr(source, "is_multigraph") and hasattr(source, "adjacency"))


def _pair_columns(frame: pd.DataFrame, types: Mapping[str, str]) -> tuple[str, str] | None:
    """The ends of edges, where a table is a list of edges and nobody says what its columns are."""
    from .graph_files import pair_columns

    return None if types or len(frame.columns) < 2 else pair_columns(frame)


def _of_edges(source: Any, pair: tuple[str, str], directed: bool, types: Mapping[str, str] | None) -> Dataset:
    from .graph_data import of_graph
    from .graph_files import graph_of_table

    path = None if isinstance(source, pd.DataFrame) else Path(source).expanduser()
    frame, _, notes = (source, False, []) if path is None else table_files.read_table(path)
    name = "graph" if path is None else table_files.stem(path)
    graph = graph_of_table(frame, pair, name, str(path or "the table"), directed, (), notes)
    return of_graph(graph, path, dict(types or {}))


def _load_folder(path: Path, types: dict[str, str]) -> Dataset:
    from . import d3m, media

    if d3m.is_d3m(path):
        return d3m.load_d3m(path, types)
    tables = sorted(file for file in path.iterdir() if file.is_file() and table_files.is_table(file))
    if len(tables) == 1:
        return _load(tables[0], types)
    graphs = sorted(file for file in path.iterdir() if file.is_file() and _is_graph(file))
    if len(graphs) == 1 and not tables:
        return _load(graphs[0], types)
    if tables:
        raise ValueError(f"{path}: several tables: {listed(file.name for file in tables)}; expected the name of one")
    graphs = sorted(file for file in path.iterdir() if file.is_file() and _is_graph(file))
    if len(graphs) == 1:
        return _load(graphs[0], types)
    if graphs:
        raise ValueError(f"{path}: several graphs: {listed(file.name for file in graphs)}; expected the name of one")
    return media.load_media(path, types)


def from_frame(
    frame: pd.DataFrame,
    types: Mapping[str, str] | None = None,
    name: str = "table",
    path: Path | None = None,
    written: bool = False,
    notes: Iterable[str] = (),
) -> Dataset:
    """A data set from a table of raw values; `written`: as text, as in a CSV file."""
    from .media import resources_of

    where = str(path or name)
    raw = with_ids(named(frame, where), where)
    if not len(raw.columns):
        raise ValueError(f"{where}: no columns")
    if not len(raw):
        raise ValueError(f"{where}: no rows")
    found, columns = column_types.typed(raw, dict(types or {}), written, where=where)
    roles = column_types.guess_roles(found, columns)
    columns = {key: replace(column, role=roles.get(key, column.role)) for key, column in columns.items()}
    data = Dataset(name, found, columns, path=path, notes=tuple(notes))
    return resources_of(data, types or {})


def named(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table whose columns have texts for names, each its own."""
    if frame.columns.nlevels > 1:
        names = [" ".join(str(part) for part in parts if str(part)) for parts in frame.columns]
    else:
        names = ["" if name is None or name != name else str(name) for name in frame.columns]
    names = [name if name.strip() else f"column {place}" for place, name in enumerate(names, 1)]
    check_names(names, where)
    return frame.set_axis(names, axis="columns")


def with_ids(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """A table whose index holds the row ids: D3M's where it has them, else the index it has."""
    if D3M_INDEX in frame and frame.index.name != D3M_INDEX:
        ids = pd.Index(_ids(frame[D3M_INDEX]), name=D3M_INDEX)
        if ids.is_unique and not ids.hasnans:
            return frame.drop(columns=D3M_INDEX).set_axis(ids)
    if frame.index.nlevels > 1:
        frame = named(frame.reset_index(), where)
    check_ids(frame.index, where)
    return frame.rename_axis(index=frame.index.name or ROW_ID)


def _ids(values: pd.Series) -> list[Any]:
    """Row ids as integers where they are such, else as they are."""
    found = [None if pd.isna(value) else value for value in values]
    try:
        return [value if value is None else int(value) for value in found]
    except (ValueError, TypeError):
        return found


def check_ids(ids: pd.Index, where: str) -> None:
    """Complain about row ids that are missing or not unique."""
    if ids.hasnans:
        raise ValueError(f"{where}: a row without an id in {ids.name or 'the index'}")
    if not ids.is_unique:
        twice = ids[ids.duplicated()][0]
        raise ValueError(f"{where}: two rows have the id {twice}; expected different ones (reset_index makes some)")


def _why_idle(data: Dataset, column: Column) -> str:
    values = data.frame[column.name]
    if len(values) < 2:
        return ""
    if values.iloc[:GLANCE].nunique(dropna=False) == 1 and data.distinct(column.name) == 1:
        return "the same in every row" if values.notna().all() else ""
    if column.type != "categorical" or column.refers is not None or len(values) <= FEW_ROWS:
        return ""
    if values.iloc[:GLANCE].nunique() < 0.9 * min(GLANCE, len(values)):
        return ""
    return "another label in every row" if data.distinct(column.name) >= OWN_LABELS * len(values) else ""
