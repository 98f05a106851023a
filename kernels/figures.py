"""Numbers as people write them: 52,810 and -0.00004, where programmers see 5.281e+04 and -4.202e-05."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

NONE = "–"
LARGEST, LEAST = 1e15, 1e-9  # beyond them zeros tell less than a power of ten
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(value: Any, digits: int = 4, sign: bool = False, commas: bool = True) -> str:
    """A number as text.

    Parameters
    ----------
    value : number or None
    digits : int
        That count. Whole numbers have all of theirs; of those near 0 there are fewer, down to one, so that no more than
        `digits` + 1 follow the point.
    sign : bool
        "+" in front of numbers above 0.
    commas : bool
        Between thousands. Without them a field of a form, or a program, can read it.

    Returns
    -------
    str
        "–" where there is no number.
    """
    if value is None or value != value:
        return NONE
    plus = "+" if sign and value > 0 else ""
    if isinstance(value, int):
        text = f"{value:,}"
    elif digits >= 3 and 0.01 <= abs(value) < 999:  # most are of this size, and plots write many
        text = f"{value:.{digits}g}"
    elif math.isinf(value):
        text = "∞" if value > 0 else "-∞"
    elif value and not LEAST <= abs(value) < LARGEST:
        text = _power(float(value), digits, commas)
    else:
        text = _fixed(float(value), digits)
    return plus + (text if commas else text.replace(",", ""))


def figures(values: Iterable[float], digits: int = 4) -> list[str]:
    """Numbers of one column as text; with commas only if one of them has five digits: else they may be years."""
    found = list(values)
    commas = any(math.isfinite(value) and abs(value) >= 10_000 for value in found)
    return [figure(value, digits, commas=commas or not LEAST <= abs(value) < LARGEST) for value in found]


def _fixed(value: float, digits: int) -> str:
    if value.is_integer():
        return f"{value:,.0f}".replace("-0", "0") if not value else f"{value:,.0f}"
    exponent = math.floor(math.log10(abs(value)))
    decimals = digits - 1 - exponent  # below 0: tens and hundreds are rounded, too
    if exponent < 0:
        decimals = max(min(decimals, digits + 1), -exponent)
    rounded = round(value, decimals)
    text = f"{rounded:,.{max(0, decimals)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _power(value: float, digits: int, commas: bool) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    if not commas:
        return f"{mantissa}e{int(exponent)}"
    return f"{mantissa}×10{str(int(exponent)).translate(_RAISED)}"
