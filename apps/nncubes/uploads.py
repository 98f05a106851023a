"""A file that comes from the page in slices: the page waits for each to be written before it sends the next."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from learnviews.apps.nncubes.tables import Table, folder
from learnviews.apps.server import UPLOAD_LIMIT
from learnviews.apps.tables import ENDINGS, is_table

LIMIT = 200  # MB, unless the environment says otherwise
MB = 1_000_000
LONGEST = 120  # letters of a name


def upload_limit() -> int:
    """Bytes that a page may send; 0 forbids uploads."""
    try:
        return max(0, int(float(os.environ.get(UPLOAD_LIMIT, LIMIT)) * MB))
    except (ValueError, OverflowError):
        return LIMIT * MB


class Upload:
    """One file on its way.

    Parameters
    ----------
    name : str
        As it is called where it comes from.
    size : int
        Bytes.
    modified : float
        Milliseconds since 1970.
    limit : int
        Bytes.

    Raises
    ------
    ValueError
        If its name is not that of a table, it is empty, or larger than the limit.
    """

    def __init__(self, name: str, size: int, modified: float, limit: int) -> None:
        self.name, self.size, self.limit = _plain(name), int(size), limit
        self._check()
        self._modified = max(0, int(modified)) * 10**6
        self.path = Path(tempfile.mkdtemp(dir=folder())) / self.name
        self.path.touch()
        self.got = 0

    def _check(self) -> None:
        if not self.limit:
            raise ValueError("This server takes no uploads; start it with the file: learnviews serve FILE")
        if not is_table(self.name):
            raise ValueError(f"{self.name}: no table; expected a file that ends in {', '.join(ENDINGS)}")
        if self.size <= 0:
            raise ValueError(f"{self.name}: the file is empty; expected a table")
        if self.size > self.limit:
            raise too_large(self.name, self.size, self.limit)

    def add(self, data: str) -> int:
        """Append a slice, in base64; how many bytes are there now. ValueError if there are more than were announced."""
        try:
            more = base64.b64decode(data, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ValueError(f"{self.name}: a slice of the file came damaged; try again") from None
        if self.got + len(more) > self.limit:
            raise too_large(self.name, self.got + len(more), self.limit)
        if not more or self.got + len(more) > self.size:
            raise ValueError(f"{self.name}: the file changed while it was sent; try again")
        with self.path.open("ab") as file:
            file.write(more)
        self.got += len(more)
        return self.got

    @property
    def complete(self) -> bool:
        return self.got == self.size

    def table(self) -> Table:
        """The file, once it is complete."""
        os.utime(self.path, ns=(self._modified, self._modified))
        return Table(self.path, served=False)

    def drop(self) -> None:
        """Delete what has come."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def too_large(name: str, size: int, limit: int) -> ValueError:
    """What is said of a file over the limit."""
    return ValueError(
        f"{name}: {size / MB:,.0f} MB is over this server's limit of {limit / MB:,.0f} MB; "
        f"start it with the file instead: learnviews serve {name}"
    )


def _plain(name: Any) -> str:
    """A file name without folders or what a terminal would not show."""
    text = "".join(letter for letter in str(name).replace("\\", "/").split("/")[-1] if letter.isprintable())
    if len(text) > LONGEST:
        end = text[-12:]
        text = text[: LONGEST - 12] + end
    return text.lstrip(".") or "table"


def drop(upload: Upload | None) -> None:
    """Delete an upload, if there is one."""
    if upload is not None:
        with contextlib.suppress(OSError):
            upload.drop()
