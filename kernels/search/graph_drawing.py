"""Where a graph's nodes and edges are drawn, computed once: kept with the graph, and in a folder where one is given."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..progress import Progress
    from .graphs import Graph

VERSION = 1  # of the layout and the bundling: files of others are made anew


def places_of(graph: Graph, folder: Path | None = None, progress: Progress | None = None) -> np.ndarray:
    """(nodes, 2) places of a graph's nodes; see `graph_layout.layout`.

    Parameters
    ----------
    graph : Graph
    folder : Path, optional
        Where they are looked for, and kept. One that cannot be written to does no harm.
    progress : Progress, optional

    Raises
    ------
    CancelledError
        If `progress` was cancelled.
    """
    from .graph_layout import layout

    network = graph.network()

    def make() -> np.ndarray:
        size = len(network)
        return _kept(graph, "places", folder, (size, 2), lambda: layout(size, network.ends, 0, progress))

    return network.memo("places", make)


def paths_of(graph: Graph, folder: Path | None = None, progress: Progress | None = None) -> np.ndarray:
    """(edges, samples, 2) paths of a graph's edges, bundled; see `bundling.bundled`."""
    from .bundling import SAMPLES, bundled

    network = graph.network()

    def make() -> np.ndarray:
        shape = len(network.ends), SAMPLES, 2
        places = places_of(graph, folder, progress)
        return _kept(graph, "paths", folder, shape, lambda: bundled(places, network.ends, SAMPLES, progress=progress))

    return network.memo("paths", make)


def known_paths(graph: Graph) -> np.ndarray | None:
    """Bundled paths, where they were made already."""
    return graph.network()._memo.get("paths")


def _kept(graph: Graph, what: str, folder: Path | None, shape: tuple[int, ...], make: Callable[[], Any]) -> np.ndarray:
    if folder is None:
        return make()
    path = folder / f"{_name(graph)}-{what}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = stored[what]
        if found.shape == shape and np.isfinite(found).all():
            return found
    found = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        with part.open("wb") as target:
            np.savez(target, **{what: found})
        os.replace(part, path)
    return found


def _name(graph: Graph) -> str:
    """What tells drawings of one graph from those of others: its edges."""
    network = graph.network()
    told = hashlib.sha256(f"{VERSION} {len(network)}".encode())
    told.update(network.ends.tobytes())
    return told.hexdigest()[:20]
