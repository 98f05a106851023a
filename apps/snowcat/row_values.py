"""Values of one row of a data set as HTML: numbers and labels as text, images, texts and series as such."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from learnviews.apps.snowcat.pane import quiet, text
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset

LONG = 1500  # characters of a text that are shown
SIDE = 160  # pixels of an image
POINTS = 300  # of a series


def value_html(data: Dataset, name: str, id_: Any) -> str:
    """The value of a column in a row; a file that cannot be read is told of instead."""
    column, value = data.columns[name], data.frame.at[id_, name]
    if _is_missing(value):
        return '<span class="quiet">missing</span>'
    if column.is_media and column.refers in data.resources:
        try:
            return _media_html(data, name, id_, value)
        except (OSError, ValueError) as error:
            return quiet(str(error))
    if column.type == "text":
        return _text_html(str(value))
    return text(plain(value))


def plain(value: Any) -> str:
    """A value of a table as text."""
    if isinstance(value, float | np.floating):
        return figure(value, 6, commas=False)
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value)
    return str(value)


def _is_missing(value: Any) -> bool:
    return bool(np.ndim(value) == 0 and pd.isna(value))


def _media_html(data: Dataset, name: str, id_: Any, value: Any) -> str:
    column = data.columns[name]
    path = data.resources[str(column.refers)].folder / str(value)
    if column.type == "image":
        return f'<img src="{_picture(path, path.stat().st_mtime)}" alt="{text(value)}" title="{text(value)}">'
    if column.type == "text":
        return _text_html(data.read(name, [id_])[0])
    if column.type == "timeseries":
        return _series_html(data.read(name, [id_])[0])
    return text(value)


def _text_html(said: str) -> str:
    return f'<div class="said">{text(said[:LONG])}{"…" if len(said) > LONG else ""}</div>'


@lru_cache(500)
def _picture(path: Path, changed: float) -> str:
    """A small picture, as an address that holds it."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def _series_html(series: pd.DataFrame) -> str:
    """Small lines, one per column of numbers but the first, which is the time."""
    numbers = series.select_dtypes("number")
    values = numbers.iloc[:, 1:] if len(numbers.columns) > 1 else numbers
    lines = [_polyline(values[name].to_numpy(float)) for name in values.columns[:3]]
    return f'<svg viewBox="0 0 200 50" width="200" height="50" role="img">{"".join(lines)}</svg>'


def _polyline(values: np.ndarray) -> str:
    shown = values[:: max(1, len(values) // POINTS)]
    low, high = (np.nanmin(shown), np.nanmax(shown)) if np.isfinite(shown).any() else (0.0, 1.0)
    x = np.linspace(2, 198, len(shown))
    y = 48 - 46 * (shown - low) / ((high - low) or 1.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
    return f'<polyline points="{points}" fill="none" stroke="#08519c"/>'
