"""Where the layer above hooks in what draws stand-alone pages: kernels know no drawing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

cube_writer: Callable[[Any, Path, str | None], Path] | None = None


def write_cube_page(model: Any, path: str | Path, title: str | None) -> Path:
    """Write the page of a cube's model; RuntimeError where nothing draws it."""
    if cube_writer is None:
        raise RuntimeError("pages are drawn by the package learnviews: import learnviews, not its kernels alone")
    return cube_writer(model, Path(path), title)
