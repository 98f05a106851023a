"""Numbers as people write them: decimal commas, groups of thousands, percent signs, signs of a currency."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from .values import REAL, UNKNOWN, all_match

SIGN = r"\s*[+-]?"
END = r"([eE][+-]?[0-9]+)?\s*"
COMMA = re.compile(SIGN + r"[0-9]+(,[0-9]+)?" + END)
GROUPED = re.compile(SIGN + r"([1-9][0-9]{0,2}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?\s*")
GROUPED_COMMA = re.compile(SIGN + r"([1-9][0-9]{0,2}([. '\u00a0\u202f][0-9]{3})+|[0-9]+)(,[0-9]+)?\s*")
PERCENT = re.compile(r"\s*[+-]?[0-9.,]+\s*%\s*")
AMOUNT = r"[0-9][0-9.,]*"
MONEY = re.compile(rf"\s*[+-]?([$€£¥]\s*[+-]?{AMOUNT}|{AMOUNT}\s*[$€£¥])\s*")
SIGNS = re.compile(r"[%$€£¥]")
MARK = re.compile(r"[,%$€£¥]")


def as_plain(values: np.ndarray, commas: bool) -> tuple[np.ndarray, str]:
    """A column's texts with its numbers as computers write them, and what was done; as they are if nothing fits all.

    Parameters
    ----------
    values : (rows,) object array
        Text, or None.
    commas : bool
        The file separates values by semicolons, so that a comma in a number is most likely a decimal one.

    Returns
    -------
    (rows,) object array and str
        The str is empty where nothing was done.
    """
    present = _present(values)
    if not any(map(MARK.search, present)):
        return values, ""
    found, told = values, []
    for what, pattern in (("percent", PERCENT), ("amounts of money", MONEY)):
        if all_match(pattern, present) and len({_sign(value) for value in present}) == 1:
            found, told = _each(found, lambda value: SIGNS.sub("", value).strip()), [what]
            present = _present(found)
    rewrite, how = _rewrite(present, commas)
    if how:
        return _each(found, rewrite), ", ".join([*told, how])
    return (found, told[0]) if told and all_match(REAL, present) else (values, "")


def _present(values: np.ndarray) -> list[str]:
    return [value for value in values if value is not None and value not in UNKNOWN]


def _sign(value: str) -> str:
    return next(iter(SIGNS.findall(value)))


def _rewrite(present: list[str], commas: bool) -> tuple[Callable[[str], str], str]:
    """How to write these numbers plainly, and what that is called; "" where they are plain, or no numbers."""
    if any("," in value for value in present):
        if all_match(GROUPED, present) and not (commas and all_match(COMMA, present)):
            return lambda value: value.replace(",", ""), "commas between thousands"
        if all_match(COMMA, present):
            return lambda value: value.replace(",", "."), "decimal commas"
        if all_match(GROUPED_COMMA, present):
            return lambda value: re.sub(r"[. '\u00a0\u202f]", "", value.strip()).replace(",", "."), "decimal commas"
    return str, ""


def _each(values: np.ndarray, rewrite: Callable[[str], str]) -> np.ndarray:
    return np.array([value if value is None or value in UNKNOWN else rewrite(value) for value in values], dtype=object)
