"""Text to learn from: files, folders and patterns, as tokens over a fixed sorted vocabulary."""

from __future__ import annotations

import codecs
import glob
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Corpus:
    """A text and its tokens.

    Parameters
    ----------
    text : str
        At least two different symbols.
    symbols : sequence of str, optional
        The vocabulary; the sorted set of the text's characters if absent. Fixed from here on.
    name : str
        What to call it in titles.

    Attributes
    ----------
    tokens : (n,) array of unsigned int
        Index of every character in `symbols`.
    sources, skipped : list of str
        Files that were read, and files in a folder or pattern that were left out because they are no text.

    Raises
    ------
    ValueError
        If the text is empty, has one symbol only, or a symbol that the given vocabulary lacks.
    """

    def __init__(self, text: str, symbols: Sequence[str] | None = None, name: str = "text") -> None:
        if not text:
            raise ValueError(f"corpus {name!r} is empty: expected text")
        self.text, self.name = text, name
        self.symbols = sorted(set(text)) if symbols is None else list(symbols)
        if len(self.symbols) < 2:
            raise ValueError(
                f"corpus {name!r} has one symbol only ({''.join(self.symbols)!r}): there is nothing to predict in it"
            )
        self._index = {symbol: i for i, symbol in enumerate(self.symbols)}
        self.tokens = self.encode(text)
        self.sources: list[str] = []
        self.skipped: list[str] = []

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        return f"Corpus({self.name!r}, {len(self):,} characters, {len(self.symbols)} symbols)"

    def encode(self, text: str) -> np.ndarray:
        """Tokens of a text; ValueError names a character that is not in the vocabulary."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        unique, inverse = np.unique(points, return_inverse=True)
        unknown = [chr(point) for point in unique if chr(point) not in self._index]
        if unknown:
            raise ValueError(f"corpus {self.name!r}: characters not in its vocabulary: {unknown[:10]}")
        tokens = np.array([self._index[chr(point)] for point in unique], np.uint32)[inverse]
        return tokens.astype(np.min_scalar_type(len(self.symbols) - 1))

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of some tokens."""
        return "".join(self.symbols[int(token)] for token in np.ravel(np.asarray(tokens)))

    @classmethod
    def read(cls, *paths: str | Path, encoding: str | None = None, name: str | None = None) -> Corpus:
        """A corpus from files, folders (every file below that is not hidden) and glob patterns, joined in sorted order.

        Parameters
        ----------
        encoding : str, optional
            Of files without a byte order mark; UTF-8 if absent.

        Raises
        ------
        FileNotFoundError
            If a path does not exist or a pattern matches nothing.
        ValueError
            If a file named outright is binary or does not decode. In folders and patterns such files are left out
            and listed in `skipped`.
        """
        if encoding is not None:
            _check_encoding(encoding)
        texts, sources, skipped = [], [], []
        for file, named in _files(paths):
            try:
                texts.append(read_text(file, encoding))
                sources.append(str(file))
            except ValueError:
                if named:
                    raise
                skipped.append(str(file))
        if not sources:
            raise ValueError(f"no text file among {', '.join(map(str, paths))} ({len(skipped)} left out as no text)")
        corpus = cls("".join(texts), name=name or _title(paths))
        corpus.sources, corpus.skipped = sources, skipped
        return corpus

    @classmethod
    def embedded(cls) -> Corpus:
        """Real C code that is there anyway: NumPy's headers, and CPython's where they are installed."""
        folders, name = [Path(np.get_include())], "C headers of NumPy"
        python = Path(sysconfig.get_path("include"))
        if (python / "Python.h").is_file():
            folders.append(python)
            name += " and CPython"
        return cls.read(*(f"{glob.escape(str(folder))}/**/*.h" for folder in folders), name=name)


def read_text(path: Path, encoding: str | None = None) -> str:
    """The text of one file; ValueError says where it stops being text."""
    data = path.read_bytes()
    mark = next((name for bom, name in BOMS if data.startswith(bom)), None)
    used = mark or encoding or "utf-8"
    _check_encoding(used)
    if not mark and encoding is None and b"\0" in data:
        raise ValueError(f"{path}: a binary file (it holds NUL bytes); expected text")
    try:
        return data.decode(used)
    except UnicodeDecodeError as error:
        place = error.start + len(data) - len(error.object)  # a byte order mark is not counted in error.start
        raise ValueError(
            f"{path}: not {used} (byte {place} is 0x{error.object[error.start]:02x}); "
            'name its encoding, for example encoding="latin-1"'
        ) from error


def _check_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise ValueError(f"encoding {encoding!r} is not known to Python") from error


def _files(paths: Sequence[str | Path]) -> list[tuple[Path, bool]]:
    """Every file once, in order, with whether it was named outright."""
    if not paths:
        raise ValueError("no corpus given: expected files, folders or patterns")
    found: dict[Path, tuple[Path, bool]] = {}
    for given in paths:
        path = Path(given).expanduser()
        if path.is_file():
            found[path.resolve()] = (path, True)
            continue
        pattern = f"{glob.escape(str(path))}/**/*" if path.is_dir() else str(path)
        matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))
        files = [match for match in matches if match.is_file()]
        if not files:
            kind = "an empty folder" if path.is_dir() else "no such file, folder or match"
            raise FileNotFoundError(f"{given}: {kind}; expected text to learn from")
        for file in files:
            found.setdefault(file.resolve(), (file, False))
    return list(found.values())


def _title(paths: Sequence[str | Path]) -> str:
    first = Path(paths[0]).name or Path(paths[0]).resolve().name or "corpus"
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"
