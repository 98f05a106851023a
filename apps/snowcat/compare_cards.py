"""Cards of compare."""

from __future__ import annotations

CARDS: tuple = ()
