"""Cards of the steps in which models are chosen and exported, in the order in which they are offered."""

from __future__ import annotations

from learnviews.apps.snowcat.export_card import CARDS as EXPORT
from learnviews.apps.snowcat.new_rows_card import CARDS as NEW_ROWS
from learnviews.apps.snowcat.new_rows_views import CARDS as NEW_ROWS_VIEWS
from learnviews.apps.snowcat.report_card import CARDS as REPORT
from learnviews.apps.snowcat.select_cards import CARDS as SELECT

CARDS = (*SELECT, *EXPORT, *REPORT, *NEW_ROWS, *NEW_ROWS_VIEWS)
