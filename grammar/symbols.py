"""Symbols of a text made readable: what a page cannot show gets a sign that it can."""

from __future__ import annotations

import unicodedata

_SIGNS = {"\n": "⏎", "\t": "⇥", " ": "␣"}
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}  # Unicode categories that draw nothing of their own


def readable(symbol: str) -> str:
    """The symbol as it can be shown in a cell.

    Newline, tab and space become ⏎, ⇥ and ␣; any other character that draws nothing becomes its escape, such as
    ``\\x1b``. Longer symbols (words, byte pairs) are treated character by character.

    Raises
    ------
    TypeError
        If `symbol` is not a string.
    """
    if not isinstance(symbol, str):
        raise TypeError(f"expected a symbol as str, got {type(symbol).__name__}")
    return "".join(_sign(character) for character in symbol)


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.category(character) in _INVISIBLE:
        return character.encode("unicode_escape").decode("ascii")
    return character
