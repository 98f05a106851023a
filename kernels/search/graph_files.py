"""Graph files: GML, GraphML and lists of edges, read by networkx; what is wrong in one is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import table_files
from .graphs import SOURCE, TARGET, WEIGHT, Graph, made, node_text
from .values import listed

GRAPHS = (".gml", ".graphml", ".edgelist", ".edges")
PAIRS = (
    ("source", "target"),
    ("src", "dst"),
    ("from", "to"),
    ("node1", "node2"),
    ("node_1", "node_2"),
    ("source_id", "target_id"),
    ("source_nodeid", "target_nodeid"),
)
"""Names, in any case, of two columns that make a table a list of edges."""
D3M_INDEX = "d3mIndex"
BESIDE = ("weight", "value", "type", "label", "relation", "edgeindex", "edge", "id", "directed", "time", "timestamp")
"""Names of further columns that such a table may have."""


def is_graph(path: str | Path) -> bool:
    """Whether a file's name is that of a graph."""
    return str(path).lower().endswith(GRAPHS)


def read_graph(path: Path, name: str | None = None, kind: str = "") -> Graph:
    """The graph in a file: .gml, .graphml, or a list of edges (.edgelist, .edges: a line per edge).

    `kind`: ".gml" or ".graphml" where that is known, and the file is called otherwise.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        If it cannot be read; the message names file and line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    readers = {".gml": _read_gml, ".graphml": _read_graphml}
    reader = readers.get(kind or path.suffix.lower(), _read_lines)
    return reader(path, name or path.stem)


def to_graph(source: Any, name: str | None = None) -> Graph:
    """A graph from a path, a graph of networkx, or one of ours."""
    if isinstance(source, Graph):
        return replace(source, name=name) if name else source
    if isinstance(source, (str, Path)):
        return read_graph(Path(source).expanduser(), name)
    if not hasattr(source, "edges") or not hasattr(source, "is_directed"):
        raise TypeError(f"a graph cannot be made of {type(source).__name__}; expected a path or a graph of networkx")
    return _of_networkx(source, name or str(source.name or "graph"), Path(name or "graph"), [])


def _networkx() -> Any:
    try:
        import networkx
    except ImportError:
        raise ImportError("graphs need networkx: pip install networkx") from None
    return networkx


# -- GML


def _read_gml(path: Path, name: str) -> Graph:
    nx = _networkx()
    text, notes = table_files.read_text(path)
    if not text.strip():
        raise ValueError(f"{path}: cannot be read as GML (it is empty)")
    try:
        found = _parsed(nx, text)
    except Exception as error:  # networkx complains in many ways
        raise ValueError(f"{path}: cannot be read as GML ({_told(error, text)})") from error
    return _of_networkx(found, name, path, notes)


def _parsed(nx: Any, text: str) -> Any:
    lines = _with_values(text).split("\n")
    try:
        return nx.parse_gml(lines, label=None)
    except nx.NetworkXError as error:
        if not re.search(r"edge #\d+ .* is duplicated", str(error)):
            raise
    several = re.sub(r"(?m)^(\s*graph\s*\[)", r"\1\n multigraph 1", "\n".join(lines), count=1)
    return nx.parse_gml(several.split("\n"), label=None)


def _with_values(text: str) -> str:
    """Words for no number, which some programs write without quotes, as networkx takes them."""
    return re.sub(r"(?m)^(\s*\w+\s+)(nan|NaN|inf|-inf)\s*$", lambda m: m[1] + m[2].upper(), text)


def _told(error: Exception, text: str) -> str:
    """What networkx says, and the line where it can be found."""
    said = " ".join(str(error).split()) or type(error).__name__
    doubled = re.match(r"node id (\S+) is duplicated", said)
    if doubled:
        places = [m.start() for m in re.finditer(rf"\bid\s+{re.escape(doubled[1])}(?![\w.])", text)]
        if len(places) > 1:
            return f"{said}: line {text.count(chr(10), 0, places[1]) + 1}"
    unknown = re.match(r"edge #(\d+) has undefined (source|target) (\S+)", said)
    if unknown:
        edges = [m.start() for m in re.finditer(r"(?m)\bedge\s*\[", text)]
        at = int(unknown[1])
        if at < len(edges):
            return f"{said}, which is no node's id: line {text.count(chr(10), 0, edges[at]) + 1}"
    return said


# -- GraphML


def _read_graphml(path: Path, name: str) -> Graph:
    import io
    from xml.etree import ElementTree

    nx = _networkx()
    raw = path.read_bytes()
    try:
        _check_graphml(ElementTree.fromstring(raw))
        found = nx.read_graphml(io.BytesIO(raw), node_type=str)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ValueError(f"{path}: cannot be read as GraphML (line {line}, column {column}: {error})") from error
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: cannot be read as GraphML ({said})") from error
    return _of_networkx(found, name, path, [])


def _check_graphml(root: Any) -> None:
    """Complain of what networkx takes without a word: nodes that are there twice, edges of nodes that are not."""
    graphs = [each for each in root.iter() if each.tag.rpartition("}")[2] == "graph"]
    if not graphs:
        raise ValueError("it has no <graph>")
    parts: dict[str, list[Any]] = {"node": [], "edge": []}
    for each in graphs[0]:
        parts.setdefault(each.tag.rpartition("}")[2], []).append(each)
    ids = [each.get("id") for each in parts["node"]]
    twice = pd.Series(ids, dtype=object)
    if twice.duplicated().any():
        raise ValueError(f"node {twice[twice.duplicated()].iloc[0]!r} is there twice")
    known = set(ids)
    for number, edge in enumerate(parts["edge"], 1):
        for end in ("source", "target"):
            if edge.get(end) not in known:
                raise ValueError(f"edge {number} has the {end} {edge.get(end)!r}, which is no node's id")


def _of_networkx(found: Any, name: str, path: Path, notes: Sequence[str]) -> Graph:
    ids = list(found)
    nodes = _table([found.nodes[each] for each in ids])
    place = {each: at for at, each in enumerate(ids)}
    pairs, about = [], []
    for u, v, data in found.edges(data=True):
        pairs.append((place[u], place[v]))
        about.append({key: value for key, value in data.items() if key not in (SOURCE, TARGET)})
    edges = _table(about).assign(**_ends(pairs))
    return made(name, ids, nodes, edges, found.is_directed(), notes, str(path))


def _ends(pairs: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return {SOURCE: table[:, 0], TARGET: table[:, 1]}


def _table(records: Sequence[dict[Any, Any]]) -> pd.DataFrame:
    """Attributes as columns, None where one is not there; what is no plain value as text."""
    names = dict.fromkeys(str(key) for record in records for key in record)
    plain = (str, int, float, bool, type(None))
    cells: dict[str, list[Any]] = {name: [None] * len(records) for name in names}
    for at, record in enumerate(records):
        for key, value in record.items():
            cells[str(key)][at] = value if isinstance(value, plain) else str(value)
    frame = pd.DataFrame(index=range(len(records)))
    return frame.assign(**{name: pd.Series(values, dtype=object).infer_objects() for name, values in cells.items()})


# -- lists of edges


def _read_lines(path: Path, name: str) -> Graph:
    """A line per edge: two ids, and perhaps a weight or networkx's {"key": value}; # and % begin a comment."""
    nx = _networkx()
    text, notes = table_files.read_text(path)
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.split(r"[#%]", line, maxsplit=1)[0].strip()
        if not plain:
            continue
        parts = _parts(plain)
        if len(parts) < 2:
            raise ValueError(f"{path}, line {number}: {plain[:40]!r} names one node; expected an edge: two ids")
        lines.append("\t".join(parts))
    if not lines:
        raise ValueError(f"{path}: a graph without edges; expected a line per edge: two ids, and perhaps a weight")
    if len(lines) > 1 and _is_heading(lines):
        lines = lines[1:]
    third = [line.split("\t")[2:] for line in lines]
    data: Any = bool(third[0]) and third[0][0].startswith("{")
    if not data:
        data = [(WEIGHT, float)] if all(len(each) == 1 and _is_number(each[0]) for each in third) else False
    try:
        kind = nx.MultiGraph if len({tuple(sorted(line.split("\t")[:2])) for line in lines}) < len(lines) else nx.Graph
        found = nx.parse_edgelist(lines, delimiter="\t", comments=None, create_using=kind, data=data)
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as a list of edges ({error})") from error
    return _of_networkx(found, name, path, notes)


def _parts(line: str) -> list[str]:
    head, brace, tail = line.partition("{")
    mark = next((mark for mark in ("\t", ",", ";") if mark in head), None)
    parts = [part.strip().strip('"') for part in head.split(mark) if part.strip()]
    return parts + ([brace + tail] if brace else [])


def _is_number(text: str) -> bool:
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


def _is_heading(lines: Sequence[str]) -> bool:
    first = tuple(part.lower() for part in lines[0].split("\t")[:2])
    return first in PAIRS


def pair_columns(frame: pd.DataFrame) -> tuple[str, str] | None:
    """The two columns that make a table a list of edges, by their names; None where it is an ordinary table.

    Besides them it may have what `BESIDE` names, and some node must be in both: a table with a column "target" to
    predict has none.
    """
    lower = {str(name).strip().lower(): str(name) for name in frame.columns}
    for one, other in PAIRS:
        if one in lower and other in lower and set(lower) <= {one, other, *BESIDE}:
            u, v = (set(map(node_text, frame[lower[each]].dropna())) for each in (one, other))
            if len(u & v) >= min(len(u), len(v)) / 4:
                return lower[one], lower[other]
    return None


def graph_of_table(
    frame: pd.DataFrame,
    pair: Sequence[str],
    name: str,
    where: str,
    directed: bool = False,
    nodes: Iterable[Any] = (),
    notes: Iterable[str] = (),
) -> Graph:
    """The graph whose edges are a table's rows.

    Parameters
    ----------
    pair : (str, str)
        Columns of source and target.
    nodes : iterable
        Ids that are nodes even without an edge.

    Raises
    ------
    ValueError
        If there is no such column, or an end is missing; the message names the row.
    """
    absent = [each for each in pair if each not in frame]
    if len(pair) != 2 or absent:
        raise ValueError(
            f"{where}: no columns {listed(absent) or pair} for the ends of edges; it has {listed(map(str, frame))}"
        )
    for column in pair:
        gaps = frame[column].isna().to_numpy() | np.array([not node_text(v) for v in frame[column]], dtype=bool)
        if gaps.any():
            raise ValueError(f'{where}, column "{column}", row {int(np.argmax(gaps))}: an edge without this end')
    ends = pd.concat([pd.Series([node_text(v) for v in frame[column]], dtype=object) for column in pair])
    given = pd.Series([node_text(value) for value in nodes], dtype=object).drop_duplicates()
    fresh = pd.unique(ends[~ends.isin(set(given))])
    ids = [*given, *fresh]
    places = pd.Index(ids, dtype=object).get_indexer(ends).reshape(2, -1)
    if not directed and set(map(str, frame.columns)) - set(pair) <= {"edgeIndex", D3M_INDEX}:
        both = pd.DataFrame(np.sort(places.T, axis=1)).duplicated().to_numpy()
        if both.any():  # nothing else is said of an edge: to name it again, or the other way round, says nothing
            notes = (*notes, f"{name}: {both.sum():,} edges are listed again: each counts once")
            frame, places = frame[~both], places[:, ~both]
    left_out = [*pair, *(each for each in ("edgeIndex", D3M_INDEX) if each in frame)]
    rest = frame.drop(columns=left_out).reset_index(drop=True)
    rest = rest.rename(columns={n: f"{n} " for n in rest if n in (SOURCE, TARGET)})
    for column in rest:
        if str(column).lower() in (WEIGHT, "value"):
            numbers = pd.to_numeric(rest[column], errors="coerce")
            if numbers.notna().all():
                rest = rest.assign(**{str(column): numbers}).rename(columns={column: WEIGHT})
                break
    edges = rest.assign(**{SOURCE: places[0], TARGET: places[1]})
    return made(name, ids, pd.DataFrame(index=range(len(ids))), edges, directed, notes, where)
