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

from learnviews.apps.server import UPLOAD_LIMIT

LIMIT = 200  # MB, unless the environment says otherwise
MB = 1_000_000
LONGEST = 120  # letters of a name
PART = ".part-"  # how folders of files on their way begin


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
    folder : Path
        Where a folder for it is made.
    endings : tuple of str
        Of which its name has to have one.
    what : str
        What such files are, for messages.

    Raises
    ------
    ValueError
        If its name is not one of these, it is empty, or larger than the limit.
    """

    def __init__(
        self,
        name: str,
        size: int,
        modified: float,
        limit: int,
        folder: Path,
        endings: tuple[str, ...],
        what: str = "table",
    ) -> None:
        self.name, self.size, self.limit = _plain(name, what), int(size), limit
        self._check(endings, what)
        self._modified = max(0, int(modified)) * 10**6
        folder.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=PART, dir=folder)) / self.name
        self.path.touch()
        self.got = 0

    def _check(self, endings: tuple[str, ...], what: str) -> None:
        if not self.limit:
            raise ValueError("This server takes no uploads; start it with the file: learnviews serve FILE")
        if not self.name.lower().endswith(endings):
            raise ValueError(f"{self.name}: no {what}; expected a file that ends in {', '.join(endings)}")
        if self.size <= 0:
            raise ValueError(f"{self.name}: the file is empty; expected a {what}")
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

    def finish(self) -> Path:
        """The file, once it is complete, with the time of its last change."""
        os.utime(self.path, ns=(self._modified, self._modified))
        return self.path

    def drop(self) -> None:
        """Delete what has come."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def too_large(name: str, size: int, limit: int) -> ValueError:
    """What is said of a file over the limit."""
    return ValueError(
        f"{name}: {size / MB:,.0f} MB is over this server's limit of {limit / MB:,.0f} MB; "
        f"start it with the file instead: learnviews serve {name}"
    )


def _plain(name: Any, what: str) -> str:
    """A file name without folders or what a terminal would not show."""
    text = "".join(letter for letter in str(name).replace("\\", "/").split("/")[-1] if letter.isprintable())
    if len(text) > LONGEST:
        end = text[-12:]
        text = text[: LONGEST - 12] + end
    return text.lstrip(".") or what


def drop(upload: Upload | None) -> None:
    """Delete an upload, if there is one."""
    if upload is not None:
        with contextlib.suppress(OSError):
            upload.drop()
