"""Cards of problem."""

from __future__ import annotations

CARDS: tuple = ()
