"""The same answers by other means: DuckDB over rows and over counted cells, and the authors' net in PyTorch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from learnviews.kernels import cube

# -- DuckDB ----------------------------------------------------------------------------------------------------------


class DuckRows:
    """All linked views of a brush from rows: one SQL query per view, WHERE the other views' filters, GROUP BY bin.

    Parameters
    ----------
    schema : Schema
    source : str
        What stands after FROM: a Parquet file in quotes, or the name of a table.
    threads : int, optional
        DuckDB's default, all cores, if absent.
    """

    def __init__(self, schema: cube.Schema, path: Path, threads: int | None = None, in_memory: bool = False) -> None:
        self.schema, self.source = schema, f"'{path}'"
        self.connection = duckdb.connect()
        if threads:
            self.connection.execute(f"SET threads = {threads}")
        if in_memory:
            self.connection.execute(f"CREATE TABLE flights AS SELECT * FROM {self.source}")
            self.source = "flights"

    @property
    def threads(self) -> int:
        return int(self.connection.execute("SELECT current_setting('threads')").fetchone()[0])

    def views(self, query: cube.Query) -> dict[str, np.ndarray]:
        conditions = {name: where(self.schema[name], held) for name, held in query.filters.items()}
        return {each.name: self._view(each, conditions) for each in self.schema}

    def _view(self, attribute: cube.Attribute, conditions: dict[str, str]) -> np.ndarray:
        others = " AND ".join(text for name, text in conditions.items() if name != attribute.name) or "true"
        text = f"SELECT {bin_of(attribute)} AS bin, count(*) AS n FROM {self.source} WHERE {others} GROUP BY bin"
        return _filled(self.connection, text, attribute.bins)

    def cells(self, measure: str | None = None) -> dict[str, np.ndarray]:
        """The pre-aggregated table, which DuckDB counts itself."""
        return self.connection.execute(cells_query(self.schema, self.source, measure)).fetchnumpy()


class DuckCells:
    """The same from a table of counted cells: bins as small whole numbers, and how many rows."""

    def __init__(self, schema: cube.Schema, path: Path, threads: int | None = None) -> None:
        self.schema = schema
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "cells.duckdb"
        self.connection = duckdb.connect(str(self.path))
        if threads:
            self.connection.execute(f"SET threads = {threads}")
        self.connection.execute(f"CREATE TABLE cells AS {cells_query(schema, repr(str(path)))}")
        self.connection.execute("CHECKPOINT")
        self.rows = self.connection.execute("SELECT count(*) FROM cells").fetchone()[0]

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size

    def views(self, query: cube.Query) -> dict[str, np.ndarray]:
        conditions = {name: _where_cell(self.schema[name], held) for name, held in query.filters.items()}
        return {each.name: self._view(each, conditions) for each in self.schema}

    def _view(self, attribute: cube.Attribute, conditions: dict[str, str]) -> np.ndarray:
        others = " AND ".join(text for name, text in conditions.items() if name != attribute.name) or "true"
        place = f"{attribute.name}_x::INT * {attribute.shape[1]} + {attribute.name}_y" if _in_space(attribute) else None
        text = f"SELECT {place or attribute.name} AS bin, sum(n)::BIGINT AS n FROM cells WHERE {others} GROUP BY bin"
        return _filled(self.connection, text, attribute.bins)

    def close(self) -> None:
        self.connection.close()
        self.folder.cleanup()


def cells_query(schema: cube.Schema, source: str, measure: str | None = None) -> str:
    columns = []
    for each in schema:
        if _in_space(each):
            x, y = _axes(each)
            columns += [f"({x})::UTINYINT AS {each.name}_x", f"({y})::UTINYINT AS {each.name}_y"]
        else:
            columns.append(f"({bin_of(each)})::UTINYINT AS {each.name}")
    sums = f", sum({measure}::DOUBLE) AS s, sum({measure}::DOUBLE ** 2) AS s2" if measure else ""
    return f"SELECT {', '.join(columns)}, count(*) AS n{sums} FROM {source} GROUP BY ALL"


def codes_of_cells(schema: cube.Schema, cells: dict[str, np.ndarray]) -> np.ndarray:
    """Bins (d, m) of the cells that DuckDB counted."""
    codes = []
    for each in schema:
        if _in_space(each):
            x, y = (np.asarray(cells[f"{each.name}_{axis}"], np.int32) for axis in "xy")
            codes.append(x * each.shape[1] + y)
        else:
            codes.append(np.asarray(cells[each.name], np.int32))
    return np.stack(codes)


def bin_of(attribute: cube.Attribute) -> str:
    """SQL for the bin of a row."""
    column = attribute.columns[0]
    if _in_space(attribute):
        x, y = _axes(attribute)
        return f"({x}) * {attribute.shape[1]} + ({y})"
    if attribute.kind == "numeric":
        inner = attribute.edges[1:-1]
        return (
            "CASE "
            + " ".join(f"WHEN {column} < {e!r} THEN {i}" for i, e in enumerate(inner.tolist()))
            + (f" ELSE {len(inner)} END")
        )
    if attribute.kind == "integer":
        return f"{column} - {attribute.low}" if attribute.low else column
    return column  # categories are their own numbers here


def _axes(attribute: cube.Attribute) -> list[str]:
    x0, x1, y0, y1 = attribute.extent
    sides = zip(attribute.columns, ((x0, x1), (y0, y1)), attribute.shape, strict=True)
    return [
        f"least(greatest(floor(({column}::DOUBLE - {low!r}) / {(high - low) / n!r}), 0), {n - 1})::INT"
        for column, (low, high), n in sides
    ]


def where(attribute: cube.Attribute, held: object) -> str:
    """SQL for a filter on rows; the end bins are open, as the schema clamps."""
    column = attribute.columns[0]
    if isinstance(held, np.ndarray):
        return f"{column} IN ({', '.join(map(str, np.flatnonzero(held)))})"
    if attribute.kind == "integer":
        return f"{column} BETWEEN {held[0] + attribute.low} AND {held[1] - 1 + attribute.low}"
    edges = (attribute.x_edges, attribute.y_edges) if _in_space(attribute) else (attribute.edges,)
    pairs = zip(attribute.columns, edges, held[::2], held[1::2], strict=True)
    return " AND ".join(text for each in pairs for text in _between(*each)) or "true"


def _between(column: str, edges: np.ndarray, start: int, stop: int) -> Iterator[str]:
    if start > 0:
        yield f"{column} >= {float(edges[start])!r}::DOUBLE"
    if stop < len(edges) - 1:
        yield f"{column} < {float(edges[stop])!r}::DOUBLE"


def _where_cell(attribute: cube.Attribute, held: object) -> str:
    if isinstance(held, np.ndarray):
        return f"{attribute.name} IN ({', '.join(map(str, np.flatnonzero(held)))})"
    names = [f"{attribute.name}_x", f"{attribute.name}_y"] if _in_space(attribute) else [attribute.name]
    pairs = zip(names, held[::2], held[1::2], strict=True)
    return " AND ".join(f"{name} BETWEEN {start} AND {stop - 1}" for name, start, stop in pairs)


def _in_space(attribute: cube.Attribute) -> bool:
    return attribute.kind == "spatial"


def _filled(connection: duckdb.DuckDBPyConnection, text: str, bins: int) -> np.ndarray:
    found = connection.execute(text).fetchnumpy()
    out = np.zeros(bins)
    out[np.asarray(found["bin"], np.int64)] = found["n"]
    return out


# -- PyTorch ---------------------------------------------------------------------------------------------------------


class TorchAuthors(nn.Module):
    """The authors' net, trained the way they do: every bar of every view is a row, and goes through all branches.

    Takes the layers, losses and weights of an `MLP` of description "authors" (maps enter as their two marginals).
    """

    def __init__(self, net: object) -> None:
        super().__init__()
        self.sizes, self.shapes = net.sizes, [shape for shape, _ in net.shapes]
        self.read = [branch.read for branch in net.branches]
        self.layers = nn.ModuleList(
            nn.ModuleList(_linear(net, each, k) for k in _depths(each)) for each in net.branches
        )
        hidden = net.parameters["join/b"]
        self.join = nn.Linear(sum(branch.code for branch in net.branches), len(hidden))
        self.last = nn.Linear(len(hidden), 1)
        with torch.no_grad():
            joins = [net.parameters[f"join{a}"] for a in range(len(net.branches))]
            self.join.weight.copy_(torch.from_numpy(np.concatenate(joins).T.copy()))
            self.join.bias.copy_(torch.from_numpy(hidden))
            self.last.weight.copy_(torch.from_numpy(net.parameters["regressor0/W"].T.copy()))
            self.last.bias.copy_(torch.from_numpy(net.parameters["regressor0/b"]))

    def bars(self, masks: torch.Tensor) -> list[torch.Tensor]:
        """Masks (B, bins) -> inputs per attribute (B * bins, inputs): row i of view v has bin i in v's place."""
        B, bins = masks.shape
        parts, start = [], 0
        for mask, size, shape in zip(masks.split(self.sizes, 1), self.sizes, self.shapes, strict=True):
            rows = mask[:, None].repeat(1, bins, 1)
            rows[:, start : start + size] = torch.eye(size)
            rows = rows.reshape(B * bins, size)
            if len(shape) == 2:
                grid = rows.view(-1, *shape)
                rows = torch.cat([grid.amax(2), grid.amax(1)], 1)
            parts.append(rows)
            start += size
        return parts

    def forward(self, masks: torch.Tensor) -> tuple[torch.Tensor, list[tuple[torch.Tensor, torch.Tensor]]]:
        """Answers (B, bins), and (output, input) of every autoencoder."""
        codes, pairs = [], []
        for x, layers, read in zip(self.bars(masks), self.layers, self.read, strict=True):
            h = x
            for k, layer in enumerate(layers):
                h = layer(h)
                if k < len(layers) - 1:
                    h = torch.relu(h)
                if k == read - 1:
                    codes.append(h)
            pairs.append((h, x))
        return self.last(torch.relu(self.join(torch.cat(codes, 1)))).view(masks.shape), pairs

    def loss(self, masks: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        found, pairs = self(masks)
        value = 20 * functional.l1_loss(found, answers) + 0.001 * functional.mse_loss(found, answers)
        return value + sum(functional.binary_cross_entropy_with_logits(z, x) for z, x in pairs)


def _depths(branch: object) -> range:
    return range(len(branch.widths) - 1)


def _linear(net: object, branch: object, k: int) -> nn.Linear:
    W, b = (net.parameters[f"{branch.name}.{k}/{part}"] for part in "Wb")
    layer = nn.Linear(*W.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W.T.copy()))
        layer.bias.copy_(torch.from_numpy(b))
    return layer
