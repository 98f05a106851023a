"""Default dimensions of an element: used where the data has columns of their names."""

from __future__ import annotations

from typing import Any

import pandas as pd
from holoviews import Dimension


def default_dimensions(data: Any, given: Any, defaults: list[Dimension]) -> Any:
    """Dimensions to construct an element with.

    HoloViews names dimensions after a table's columns and so loses their titles and units; where the columns carry the
    names of the defaults, the defaults are used.
    """
    if given is not None:
        return given
    columns = data if isinstance(data, dict) else data.columns if isinstance(data, pd.DataFrame) else None
    if columns is not None and not all(dimension.name in columns for dimension in defaults):
        return None
    return list(defaults)
