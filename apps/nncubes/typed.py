"""Numbers that people type: with thousands' commas, with k for thousands, with a unit behind."""

from __future__ import annotations

import math
import re

LETTERS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
NUMBER = re.compile(r"([+-]?)((?:\d{1,3}(?:[, _]\d{3})+|\d+)(?:\.\d*)?|\.\d+)(e[+-]?\d{1,3})? ?([kmb]?)", re.ASCII)
LONGEST = 40  # characters that an error repeats


def typed_number(text: str, unit: str = "", least: float = -math.inf) -> float:
    """The number of a text such as "12,000", "12k", "-3.5" or "1.2e4"; a unit may follow.

    Raises
    ------
    ValueError
        Saying what is expected, where it is no number, or less than `least`.
    """
    plain = text.replace("−", "-").replace("\N{NO-BREAK SPACE}", " ").strip()
    bare = plain.removesuffix(unit).rstrip().lower() if unit else plain.lower()
    found = NUMBER.fullmatch(bare)
    sign, digits, power, letter = found.groups() if found else ("", "inf", "", "")
    value = float(sign + re.sub("[, _]", "", digits) + (power or "")) * LETTERS[letter]
    if not math.isfinite(value):
        shown = plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"
        raise ValueError(f"{shown!r} is no number: type one such as 12,000 or 12k or -3.5")
    if value < least:
        raise ValueError(f"{plain} cannot be: the least there can be is {least:g}")
    return value
