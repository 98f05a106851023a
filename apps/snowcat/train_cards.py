"""Cards of the step in which models are trained."""

from __future__ import annotations

from learnviews.apps.snowcat.train_control import Training
from learnviews.apps.snowcat.train_leaderboard import Leaderboard
from learnviews.apps.snowcat.train_studies import Studies
from learnviews.apps.snowcat.train_trials import CostCard, SearchSpace, Trials

CARDS = (Training, Leaderboard, CostCard, Trials, SearchSpace, Studies)
