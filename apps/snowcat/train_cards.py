"""Cards of train."""

from __future__ import annotations

CARDS: tuple = ()
