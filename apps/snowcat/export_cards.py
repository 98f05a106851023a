"""Cards of export."""

from __future__ import annotations

CARDS: tuple = ()
