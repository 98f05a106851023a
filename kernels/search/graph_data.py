"""Data sets with graphs: whose columns name nodes, rows that are nodes, and pairs of nodes to predict links of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .columns import Column, typed
from .graphs import SOURCE, TARGET, USED, Graph, absent, keyed, node_text
from .values import listed

if TYPE_CHECKING:
    from .data import Dataset

NODE = "node"  # what a column that names nodes refers to
LINK = "link"  # the target of `links`


def node_columns(data: Dataset) -> dict[str, str]:
    """Columns that name nodes, and the graph of each."""
    return {
        name: str(column.refers)
        for name, column in data.columns.items()
        if column.refers_to == NODE and column.refers in data.graphs
    }


def of_graph(graph: Graph, path: Path | None = None, types: dict[str, str] | None = None) -> Dataset:
    """A data set with a row per node: the id in a column "node", attributes in the others.

    The id is the "label" of a file where each node has its own, as names are better to read than numbers.
    """
    from .data import Dataset

    graph = keyed(graph, graph.nodes.get("label", graph.ids))
    name = NODE if NODE not in graph.nodes else "node id"
    ids, about = typed(pd.DataFrame({name: pd.Series(graph.ids, dtype=object)}), written=True)
    frame, columns = typed(graph.nodes.reset_index(drop=True), types or {}, where=str(path or graph.name))
    frame = pd.concat([ids, frame], axis=1).rename_axis(index="row")
    key = replace(about[name], role="key", refers=graph.name, refers_to=NODE, why=f"nodes of {graph.name}")
    data = Dataset(graph.name, frame, {name: key, **columns}, path, notes=graph.notes)
    return attached(data, graph, [name])


def attached(data: Dataset, graph: Graph, columns: Sequence[str], complete: bool = False) -> Dataset:
    """The data set with a graph, and columns that name its nodes.

    A value names the node whose id is the same as text: 1, 1.0 and "1" are one node. Of a file that has several sorts
    of ids those are taken that most values name (see `graphs.keyed`). Nodes that the graph does not have become nodes
    without edges, and a note says so (not where it is `complete`: a list of edges has no others).

    Where each row is a node of its own, the table's columns become attributes of the nodes, those that are suggested
    targets left out: so that the neighbours of a row can be looked at. Where two columns name nodes of one graph, the
    edges between the nodes of a row are marked as `asked`.
    """
    unknown = [name for name in columns if name not in data.columns]
    if unknown:
        raise ValueError(f"{data.name}: no column {listed(unknown)}; it has {listed(data.columns)}")
    values = [value for name in columns for value in data.frame[name]]
    notes = list(graph.notes)
    graph = keyed(graph, values)
    rows_are_nodes = len(columns) == 1 and _own(data.frame[columns[0]])
    if rows_are_nodes:
        graph = _counted_alike(graph, data.frame[columns[0]], columns[0], notes)
    graph = _with_nodes(data, graph, columns, complete, notes)
    graph = _without_truth(data, graph, columns if rows_are_nodes else [], notes)
    if rows_are_nodes:
        graph = _with_columns(data, graph, columns[0])
    about = {
        name: replace(column, refers=graph.name, refers_to=NODE) if name in columns else column
        for name, column in data.columns.items()
    }
    graph = replace(graph, asked=_asked(data.frame, graph, columns), notes=())
    kept = [note for note in notes if note not in data.notes]
    return replace(data, columns=about, graphs={**data.graphs, graph.name: graph}, notes=(*data.notes, *kept))


def _own(values: pd.Series) -> bool:
    texts = [node_text(value) for value in values if not absent(value)]
    return len(texts) == len(values) == len(set(texts))


def _counted_alike(graph: Graph, values: pd.Series, column: str, notes: list[str]) -> Graph:
    """The graph with the numbers that the table gives its nodes, where one side counts from 0 and the other from 1.

    That is so where nodes of the graph have no row, and all have one as soon as every number is one more, or less.
    """
    theirs = {node_text(value) for value in values}
    if set(graph.ids) <= theirs or not all(_is_count(text) for text in (*theirs, *graph.ids)):
        return graph
    numbers, rows = [int(text) for text in graph.ids], {int(text) for text in theirs}
    for step in (-1, 1):
        moved = [number + step for number in numbers]
        if set(moved) <= rows and {min(moved), max(moved)} == {min(rows), max(rows)}:
            first = min(numbers)
            notes.append(
                f"{graph.name} counts nodes from {first}, column {column} from {first + step}: node {first} is taken "
                f"for the row of {first + step}, as node {max(numbers) if step < 0 else first} would have no row"
            )
            texts = pd.Index([str(number) for number in moved], dtype=object, name="node")
            return replace(graph, nodes=graph.nodes.set_axis(texts))
    return graph


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _with_nodes(data: Dataset, graph: Graph, columns: Sequence[str], complete: bool, notes: list[str]) -> Graph:
    """The graph with the nodes that rows name and it does not have."""
    known, fresh = set(graph.ids), {}
    for name in columns:
        gaps = data.frame[name].isna()
        if gaps.any():
            notes.append(
                f'column "{name}": {gaps.sum():,} rows name no node, the first is row {gaps[gaps].index[0]}: taken for '
                "nodes without edges"
            )
        new = [
            (row, node_text(v)) for row, v in data.frame[name].items() if not absent(v) and node_text(v) not in known
        ]
        if new and not complete:
            notes.append(
                f'column "{name}": {len(new):,} rows name nodes that {graph.name} does not have, the first is '
                f'"{new[0][1]}" in row {new[0][0]}: taken for nodes without edges'
            )
        fresh.update(dict.fromkeys(text for _, text in new))
    if not fresh:
        return graph
    ids = pd.Index([*graph.ids, *fresh], dtype=object, name="node")
    nodes = {name: [*graph.nodes[name], *([None] * len(fresh))] for name in graph.nodes}
    frame = pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in nodes.items()}, index=range(len(ids)))
    frame = typed(frame, {n: t for n, t in graph.types.items() if t != "other"}, where=graph.name)[0]
    return replace(graph, nodes=frame.set_axis(ids), types={n: graph.types[n] for n in frame})


def _without_truth(data: Dataset, graph: Graph, columns: Sequence[str], notes: list[str]) -> Graph:
    """The graph without attributes that are what is to be predicted: D3M's graphs hold all rows' truth at times."""
    wanted = [name for name, column in data.columns.items() if "suggestedTarget" in (column.role, *column.roles)]
    out = [name for name in graph.nodes if name in wanted]
    if columns:
        places = graph.places(data.frame[columns[0]])
        for target in wanted:
            out += [n for n in graph.nodes if n not in out and _same(data.frame[target], graph.nodes[n], places)]
    if not out:
        return graph
    notes.append(f"{graph.name}: attribute {listed(out)} of its nodes is the target itself: left out")
    kept = [name for name in graph.nodes if name not in out]
    return replace(graph, nodes=graph.nodes[kept], types={name: graph.types[name] for name in kept})


def _same(target: pd.Series, attribute: pd.Series, places: np.ndarray) -> bool:
    """Whether an attribute says of every row what the target says, in the same words or in others."""
    known = target.notna().to_numpy() & (places >= 0)
    classes = target[known].nunique()
    if not 2 <= classes <= known.sum() / 3:
        return False
    told = attribute.iloc[places[known]]
    if told.isna().any() or told.nunique() != classes:
        return False
    pairs = set(zip(map(node_text, target[known]), map(node_text, told), strict=True))
    return len(pairs) == classes


def _with_columns(data: Dataset, graph: Graph, key: str) -> Graph:
    """The graph with a table's columns as attributes of its nodes."""
    from .legality import usable_features

    targets = [name for name, column in data.columns.items() if "suggestedTarget" in (column.role, *column.roles)]
    names = [n for n in usable_features(data, [key, *targets]) if data.columns[n].type in USED]
    if not names:
        return graph
    texts = pd.Index([node_text(value) for value in data.frame[key]], dtype=object)
    given = data.frame[names].set_axis(texts).reindex(graph.nodes.index)
    for name in set(names).intersection(graph.nodes):  # nodes without a row keep what the graph says of them
        given[name] = given[name].where(graph.nodes.index.isin(texts), graph.nodes[name])
    rest = [name for name in graph.nodes if name not in names]
    types = {n: graph.types[n] for n in rest} | {n: data.columns[n].type for n in names}
    return replace(graph, nodes=pd.concat([graph.nodes[rest], given], axis=1), types=types)


def _asked(frame: pd.DataFrame, graph: Graph, columns: Sequence[str]) -> np.ndarray | None:
    """Edges between the nodes of some row, either way round where the graph is not directed."""
    if len(columns) != 2:
        return None
    u, v = (graph.places(frame[name]) for name in columns)
    s, t = graph.edges[SOURCE].to_numpy(), graph.edges[TARGET].to_numpy()
    size = len(graph.nodes)
    wanted = u * size + v
    if not graph.directed:
        wanted = np.concatenate([wanted, v * size + u])
    return np.isin(s * size + t, wanted)


# -- from D3M's documents


def with_d3m_graphs(data: Dataset, learning: str) -> Dataset:
    """A D3M data set with its graphs, and the columns that name their nodes."""
    found = [each for each in data.resources.values() if each.kind == "graph" and not each.path.is_dir()]
    for resource in found:
        graph, listing = _d3m_graph(data, resource, learning)
        columns = [name for name, column in data.columns.items() if column.refers == resource.name]
        if listing is not None:
            columns += [n for n, c in data.columns.items() if (c.refers, c.refers_to) == listing]
        columns = columns or _named_so(data, resource, len(found))
        if columns:
            data = attached(data, graph, columns, complete=bool(resource.columns))
        else:
            data = replace(data, graphs={**data.graphs, graph.name: graph}, notes=(*data.notes, *graph.notes))
    return data


def _d3m_graph(data: Dataset, resource: Any, learning: str) -> tuple[Graph, tuple[str, str] | None]:
    """The graph of a resource; and of a list of edges the table and column that list its nodes, if it is another one
    than what is to be learned."""
    from . import table_files
    from .graph_files import graph_of_table, pair_columns, read_graph

    if not resource.columns and resource.path.suffix.lower() not in (".csv", ".tsv"):
        kind = next((f".{end}" for end in ("graphml", "gml") if any(end in f for f in resource.formats)), "")
        return read_graph(resource.path, resource.name, kind), None
    frame, notes = table_files.read_csv(resource.path)
    ends = [*filter(None, (_end(resource.columns, "source"), _end(resource.columns, "target")))]
    if len(ends) != 2:
        ends = [column.name for column in resource.columns if column.refers][:2]
    pair = ends if len(ends) == 2 else list(map(str, pair_columns(frame) or frame.columns[-2:]))
    directed = any(role.lower().startswith("directed") for column in resource.columns for role in column.roles)
    about = next((column for column in resource.columns if column.name == pair[0]), None)
    if about is None or about.refers in (None, learning) or about.refers not in data.resources:
        return graph_of_table(frame, pair, resource.name, str(resource.path), directed, (), notes), None
    table, key = data.table(str(about.refers)), str(about.refers_to)
    key = next((n for at, n in enumerate(table.columns) if key in (n, str(at))), key)
    where = str(resource.path)
    graph = graph_of_table(frame, pair, resource.name, where, directed, table.frame[key], notes)
    names = [n for n in table.columns if n != key and table.columns[n].type in USED and n != "d3mIndex"]
    texts = pd.Index([node_text(value) for value in table.frame[key]], dtype=object)
    if texts.is_unique and names:
        given = table.frame[names].set_axis(texts).reindex(graph.nodes.index)
        graph = graph.with_attributes(given, {n: table.columns[n].type for n in names})
    return graph, (str(about.refers), key)


def _end(columns: Iterable[Column], which: str) -> str | None:
    """The column with the role of an edge's source or target."""
    named = (c.name for c in columns if any(r.lower().endswith(f"edge{which}") for r in (c.role, *c.roles)))
    return next(named, None)


def _named_so(data: Dataset, resource: Any, graphs: int) -> list[str]:
    """Columns that name nodes by their own names, where a document does not say it: G1.nodeID, nodeID."""
    able = [n for n, c in data.columns.items() if n.lower().endswith("nodeid") and c.refers is None]
    own = [n for n in able if n.lower().startswith(f"{resource.path.stem.lower()}.")]
    return own or (able if graphs == 1 else [])


# -- pairs of nodes


def links(
    data: Dataset,
    rng: Any = 0,
    graph: str | None = None,
    share: float = 0.5,
    most: int = 4000,
    holdout: float = 0.3,
    sides: str = "bipartite",
) -> Dataset:
    """A data set of pairs of nodes, half of them edges of a graph and half not, to learn to predict links on.

    The sampled edges are taken out of what features look at; those of the pairs that a model learns from come back.

    Parameters
    ----------
    data : Dataset
        With a graph.
    rng : seed or Generator
        Same seed, same pairs.
    graph : str, optional
        Which one, where there are several.
    share : float
        Of the edges that become pairs: those that are left are what tells of them.
    most : int
        At most so many edges become pairs.
    holdout : float
        Share of the pairs that are kept aside.
    sides : str
        Attribute of nodes that says on which of two sides they are, where there is one of this name ("bipartite" is
        networkx's): pairs without an edge are then drawn between the sides.

    Returns
    -------
    Dataset
        Columns "node", "other" and "link" ("1" or "0"), in random order. Loops and parallel edges count once. The pairs
        that are no edges are drawn evenly from all there are.
    """
    from .data import Dataset

    rng = np.random.default_rng(rng)
    found = the_graph(data, graph)
    pairs = _different(found)
    wanted = min(round(share * len(pairs)), most)
    if wanted < 4:
        raise ValueError(
            f"{found.name}: {len(pairs)} edges are too few to hold some out; at least {4 / share:.0f} needed"
        )
    chosen = pairs[np.sort(rng.choice(len(pairs), wanted, replace=False))]
    others = _no_edges(found, pairs, wanted, rng, sides)
    both, truth = np.concatenate([chosen, others]), np.repeat(["1", "0"], [len(chosen), len(others)])
    order = rng.permutation(len(both))
    names = np.array(found.ids, dtype=object)
    frame = pd.DataFrame({"node": names[both[order, 0]], "other": names[both[order, 1]]})
    frame, columns = typed(frame, written=True)
    frame[LINK] = pd.Series(truth[order], dtype=object)
    columns[LINK] = Column(LINK, "categorical", "suggestedTarget", why="1: an edge of the graph; 0: none")
    frame = frame.rename_axis(index="row")
    splits = pd.Series(np.where(_kept_aside(truth[order], holdout, rng), "holdout", "train"), frame.index, dtype=object)
    note = f"{len(chosen):,} edges of {found.name} and {len(others):,} pairs that are none, drawn at random"
    made = Dataset(f"{data.name}: links", frame, columns, data.path, dict(data.resources), splits, (note,))
    columns["node"], columns["other"] = (replace(columns[n], role="key") for n in ("node", "other"))
    return attached(replace(made, columns=columns), found, ["node", "other"])


def the_graph(data: Dataset, name: str | None = None) -> Graph:
    """A data set's graph by name, or the only one.

    Raises
    ------
    ValueError
        If there is none of this name, or none or several and no name.
    """
    if name is not None and name in data.graphs:
        return data.graphs[name]
    if name is None and len(data.graphs) == 1:
        return next(iter(data.graphs.values()))
    has = f"it has {listed(data.graphs)}" if data.graphs else "it has none"
    raise ValueError(f"{data.name}: no graph {name!r}; {has}" if name else f"{data.name}: which graph? {has}")


def _different(graph: Graph) -> np.ndarray:
    """(pairs, 2) the edges, loops left out, each once."""
    pairs = graph.edges[[SOURCE, TARGET]].to_numpy(np.int64)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.unique(pairs if graph.directed else np.sort(pairs, axis=1), axis=0)


def _no_edges(graph: Graph, pairs: np.ndarray, wanted: int, rng: np.random.Generator, sides: str) -> np.ndarray:
    """(at most `wanted`, 2) different pairs that are no edges."""
    size = len(graph.nodes)
    side = graph.nodes[sides].map(node_text).to_numpy() if sides in graph.nodes else None
    taken: set[int] = set((pairs @ [size, 1]).tolist())
    found: list[tuple[int, int]] = []
    for _ in range(200):
        if len(found) >= wanted:
            break
        tried = rng.integers(size, size=(4 * wanted, 2))
        if not graph.directed:
            tried = np.sort(tried, axis=1)
        able = tried[:, 0] != tried[:, 1]
        if side is not None:
            able &= side[tried[:, 0]] != side[tried[:, 1]]
        for u, v in tried[able].tolist():
            if u * size + v not in taken and len(found) < wanted:
                taken.add(u * size + v)
                found.append((u, v))
    if len(found) < 4:
        raise ValueError(
            f"{graph.name}: nearly all nodes are linked: there are no pairs without an edge to compare with"
        )
    return np.array(found, dtype=np.int64)


def _kept_aside(truth: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    held = np.zeros(len(truth), dtype=bool)
    for label in ("0", "1"):
        rows = rng.permutation(np.flatnonzero(truth == label))
        held[rows[: max(1, round(share * len(rows)))]] = True
    return held
