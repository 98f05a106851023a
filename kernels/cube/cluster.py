"""Parts of a table as tasks on a Dask cluster. Dask is not imported: the client that is handed in does it all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .tables import Part, RowGroup, Source, delayed_partitions, groups, open_frame

TASK_ROWS = 1 << 20  # row groups make tasks of at least so many rows; fixed, so that sums are the same on any cluster


def submit(client: Any, table: Any, columns: Sequence[str], function: Callable[..., Any], *about: Any) -> list[Any]:
    """Futures of function(source, *about) for parts of the table, in order.

    Parameters
    ----------
    client : dask.distributed.Client
    table : Dask DataFrame, or path or list of paths of Parquet files
        The workers must see the paths.

    Raises
    ------
    TypeError
        For other tables or clients.
    """
    if not (hasattr(client, "submit") and hasattr(client, "compute")):
        raise TypeError(f"client is a {type(client).__name__}; expected a dask.distributed.Client")
    if hasattr(table, "to_delayed"):
        frames = client.compute(delayed_partitions(table, columns))
        return [client.submit(_with_frame, function, frame, columns, *about, pure=False) for frame in frames]
    if not isinstance(table, (str, Path, list, tuple)):
        raise TypeError(f"client= takes paths of Parquet files or a Dask DataFrame, not {type(table).__name__}")
    joined = _joined(groups(table, columns))
    return [client.submit(_with_groups, function, some, *about, pure=False) for some in joined]


def _with_frame(function: Callable[..., Any], frame: Any, columns: Sequence[str], *about: Any) -> Any:
    return function(open_frame(frame, columns), *about)


def _with_groups(function: Callable[..., Any], some: list[RowGroup], *about: Any) -> Any:
    return function(Source([Part(group.blocks) for group in some]), *about)


def _joined(found: Iterable[RowGroup]) -> Iterator[list[RowGroup]]:
    joined: list[RowGroup] = []
    for group in found:
        joined.append(group)
        if sum(one.rows for one in joined) >= TASK_ROWS:
            yield joined
            joined = []
    if joined:
        yield joined
