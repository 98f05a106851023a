"""All kinds of cards, in the order in which they are offered."""

from __future__ import annotations

from learnviews.apps.snowcat.card import Card
from learnviews.apps.snowcat.compare_cards import CARDS as COMPARE
from learnviews.apps.snowcat.data_cards import CARDS as DATA
from learnviews.apps.snowcat.export_cards import CARDS as EXPORT
from learnviews.apps.snowcat.problem_cards import CARDS as PROBLEMS
from learnviews.apps.snowcat.train_cards import CARDS as TRAIN

CARDS: dict[str, type[Card]] = {card.name: card for card in (*DATA, *PROBLEMS, *TRAIN, *COMPARE, *EXPORT)}
