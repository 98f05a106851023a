"""The card of texts: a list of documents, searched while one types."""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.data_card import Once
from learnviews.apps.snowcat.data_rows import RowsCard
from learnviews.apps.snowcat.pane import does, quiet, row_mark, select, text
from learnviews.kernels.search.browse import split_words

if TYPE_CHECKING:
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Dataset

SHORT, AROUND = 320, 60  # letters of a document in the list, and before the first word that was found
WHOLE = 20_000  # letters of one that is shown whole


class Documents:
    """The texts of a data set by column, read once.

    Parameters
    ----------
    data : Dataset
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self._read: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def of(self, column: str) -> list[str]:
        """Of each row its text, "" where there is none; seconds where these are thousands of files."""
        with self._lock:
            if column not in self._read:
                self._read[column] = [each or "" for each in self.data.read(column)]
            return self._read[column]

    def known(self, column: str) -> list[str] | None:
        """The same, where it was read already."""
        return self._read.get(column)

    def find(self, column: str, words: str) -> np.ndarray:
        """Positions of the rows whose text holds every one of some words, apart by commas; case does not count."""
        wanted = [word.lower() for word in split_words(words)]
        lower = (each.lower() for each in self.of(column))
        return np.flatnonzero([all(word in each for word in wanted) for each in lower])


DOCUMENTS = Once(Documents)


class Texts(RowsCard):
    """Documents, one below the other."""

    name, title = "texts", "Texts"
    help = (
        "The documents, one below the other. Type words, apart by commas: those that hold all of them are left, and "
        "the words stand out. “Whole” shows all of a document. Point at one to light its row everywhere; click to "
        "keep it."
    )
    at_first = ("data",)
    size = (5, 8)
    per = 20

    @classmethod
    def fits(cls, room: Workspace) -> bool:
        return room.data is not None and bool(_columns(room.data))

    def start_anew(self) -> None:
        super().start_anew()
        self._column = _columns(self.data)[0] if self.room.data is not None and _columns(self.data) else ""
        self._whole: set[int] = set()

    def show(self) -> None:
        data = self.data
        if self.is_new():
            self.start_anew()
        documents = DOCUMENTS.of(data)
        if documents.known(self._column) is None:
            self.slot.html(quiet("Reading the texts…"))
            self.later(partial(documents.of, self._column), lambda _: self.draw(), "read")
        else:
            self.draw()

    def finder(self) -> Any:
        return partial(DOCUMENTS.of(self.data).find, self._column, self.words)

    def draw(self) -> None:
        if DOCUMENTS.of(self.data).known(self._column) is not None:
            super().draw()

    # -- what is done

    def do_column(self, told: list[Any]) -> None:
        """Texts of another column."""
        self._column, self.at, self.first = told[-1], None, 0
        self.show()
        self.look()

    def do_whole(self, position: int) -> None:
        """Show all of a document, or the beginning only."""
        self._whole ^= {int(position)}
        self.draw()

    # -- what it looks like

    def controls(self) -> str:
        names = _columns(self.data)
        return select("column", {name: name for name in names}, self._column, "Column") if len(names) > 1 else ""

    def body(self, at: np.ndarray) -> str:
        documents = DOCUMENTS.of(self.data).of(self._column)
        return "".join(self._document(int(position), documents[position]) for position in at)

    def _document(self, position: int, document: str) -> str:
        id_, words = self.data.frame.index[position], split_words(self.words)
        whole = position in self._whole
        shown = document[:WHOLE] if whole else beginning(document, words)
        more = ""
        if len(document) > len(shown) or whole:
            label = "Less" if whole else "Whole"
            more = f' <button type="button" class="plain small" {does("whole", position)}>{label}</button>'
        cut = "…" if len(document) > WHOLE and whole else ""
        body = highlighted(shown, words) if document else quiet("no text")
        return f'<article class="document" {row_mark(id_)}><b>{self._head(id_)}</b>{more}<p>{body}{cut}</p></article>'

    def _head(self, id_: Any) -> str:
        """A row's id and labels."""
        named = [name for name, column in self.data.columns.items() if column.role == "suggestedTarget"]
        labels = [str(self.data.frame.at[id_, name]) for name in named]
        return text(" · ".join([str(id_), *labels]))


def _columns(data: Dataset) -> list[str]:
    """Columns of texts, in the table or in files."""
    return [name for name, column in data.columns.items() if column.type == "text"]


def beginning(document: str, words: list[str]) -> str:
    """A part of a document: its beginning, or from a little before the first of some words."""
    places = [place for word in words if (place := document.lower().find(word.lower())) >= 0]
    start = max(0, min(places, default=0) - AROUND)
    start = start if start + SHORT > AROUND and min(places, default=0) > SHORT - AROUND else 0
    return ("…" if start else "") + document[start : start + SHORT] + ("…" if start + SHORT < len(document) else "")


def highlighted(document: str, words: list[str]) -> str:
    """A document as HTML in which words stand out."""
    if not words:
        return text(document)
    pattern = re.compile("(" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")", re.IGNORECASE)
    parts = pattern.split(document)
    return "".join(f"<mark>{text(part)}</mark>" if at % 2 else text(part) for at, part in enumerate(parts))
