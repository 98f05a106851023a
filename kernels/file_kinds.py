"""Names of tables' files, what files look like that are no tables, and what tables in files must not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SEPARATORS = ",;\t|"  # of the values of a CSV file
SIGNATURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel file",
    b"\x1f\x8b": "compressed by gzip: name it .csv.gz",
    b"PAR1": "a Parquet file: name it .parquet",
    b"SQLite format 3": "a SQLite database",
}


def check_names(names: Iterable[str], table: str) -> None:
    """Complain about columns of one name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{table}: columns named twice: {', '.join(twice)}; expected different names")


def check_file(path: Path, endings: tuple[str, ...]) -> None:
    """Complain about a table's file that is not there, empty, or of another name than `endings` allow."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.stat().st_size:
        raise ValueError(f"{path}: the file is empty; expected a table")
    if not str(path).lower().endswith(endings):
        raise ValueError(f"{path}: no table; expected a file that ends in {', '.join(endings)}")


def stem(path: str | Path, endings: tuple[str, ...]) -> str:
    """A file's name without the longest of `endings` that it has."""
    name = Path(path).name
    length = max((len(ending) for ending in endings if name.lower().endswith(ending)), default=0)
    return name[: len(name) - length]
