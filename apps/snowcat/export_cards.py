"""Cards of the steps in which models are chosen and exported, in the order in which they are offered."""

from __future__ import annotations

from learnviews.apps.snowcat.select_cards import CARDS as SELECT

CARDS = (*SELECT,)
