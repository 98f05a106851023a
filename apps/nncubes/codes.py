"""The query as code, as the page shows it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from learnviews.apps.nncubes.first import ENDING
from learnviews.apps.nncubes.snippets import pandas, sql
from learnviews.kernels.cube import Model, Query

FLIGHTS = "from learnviews.kernels import cube\nflights, schema = cube.flights()"


def code_html(model: Model, query: Query, aggregate: Any, path: str) -> str:
    """Two blocks of code, each with a button that copies it."""
    table = "flights" if model.exact is not None else Path(path).name.removesuffix(ENDING).replace("-", "_")
    table = table if table.isidentifier() else "rows"
    origin = FLIGHTS if model.exact is not None else f"# {table}: a DataFrame of the rows"
    blocks = {
        "SQL": sql(model.schema, query, aggregate, table),
        "pandas": pandas(model.schema, query, aggregate, table, origin),
    }
    shown = [
        f'<div>{name} <button type="button" data-copy>Copy</button><pre>{escape(text)}</pre></div>'
        for name, text in blocks.items()
    ]
    return f'<div class="code">{"".join(shown)}</div>'
