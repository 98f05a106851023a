"""About how much room a text takes, where only the browser could measure it: rather too much than too little."""

from __future__ import annotations

import unicodedata

NARROW, WIDE = set("ijltfrI.,:;'|!()[]/- "), set("mwMW@%…—")


def wide(text: str, size: float = 11) -> float:
    """Pixels across of a text in a sans serif font of so many pixels."""
    return size * sum(_em(letter) for letter in text)


def cut(text: str, room: float, size: float = 11) -> str:
    """As much of a text as there is room for, at least a letter; an ellipsis tells that there is more."""
    if wide(text, size) <= room:
        return text
    kept = text[:-1]
    while len(kept) > 1 and wide(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _em(letter: str) -> float:
    """Width of a letter as a share of the font's size."""
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in NARROW:
        return 0.4
    if letter in WIDE:
        return 0.97
    return 0.7 if letter.isupper() else 0.62
