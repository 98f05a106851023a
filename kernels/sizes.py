"""Amounts of memory in words and numbers."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def bytes_of(name: str, value: Any) -> int:
    """Bytes from a number or a text such as "500 MB" or "2 GiB"; ValueError names the argument."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
        return int(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)\s*", value.lower()) if isinstance(value, str) else None
    if match and match[2] in (*UNITS, "b") and float(match[1]) > 0:
        return int(float(match[1]) * UNITS.get(match[2], 1))
    raise ValueError(f'{name} must be a number of bytes or a text such as "500 MB" or "2 GiB", got {value!r}')


def in_words(size: float) -> str:
    """ "12.3 MB", never less than it is."""
    for unit in ("TB", "GB", "MB", "kB"):
        factor = UNITS[unit.lower()]
        if size >= factor:
            return f"{math.ceil(size / factor * 10) / 10:g} {unit}"
    return f"{math.ceil(size)} bytes"
