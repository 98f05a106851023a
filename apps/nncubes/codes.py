"""The query as code, as the page shows it."""

from __future__ import annotations

import keyword
import re
from html import escape
from pathlib import Path
from typing import Any

from learnviews.apps.nncubes.first import ENDING
from learnviews.apps.nncubes.snippets import pandas, sql
from learnviews.apps.tables import is_csv, stem
from learnviews.kernels.cube import Model, Query, Schema

FLIGHTS = "from learnviews.kernels import cube\nflights, schema = cube.flights()"


def code_html(model: Model, query: Query, aggregate: Any, path: str, source: dict[str, Any] | None = None) -> str:
    """Two blocks of code, each with a button that copies it; `source` says of which file the model was made."""
    if source is not None:
        table = _identifier(stem(source["name"]))
        origin = reading(model.schema, table, source)
    else:
        table = "flights" if model.exact is not None else _identifier(Path(path).name.removesuffix(ENDING))
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


def reading(schema: Schema, table: str, source: dict[str, Any]) -> str:
    """pandas code that reads the file a model was made of."""
    path = source["path"] or source["name"]
    if not is_csv(path):
        return f"import pandas as pd\n{table} = pd.read_parquet({path!r})"
    dates = list(dict.fromkeys(each.columns[0] for each in schema if each.kind == "temporal"))
    parsed = f", parse_dates={dates!r}" if dates else ""
    return f"import pandas as pd\n{table} = pd.read_csv({path!r}{parsed})"


def _identifier(name: str) -> str:
    """A name for a table: the file's, where that can be one."""
    plain = re.sub(r"\W+", "_", name)
    return plain if plain.isidentifier() and not keyword.iskeyword(plain) else "rows"
