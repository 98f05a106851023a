"""Cards of problems: which there are, how one is phrased, and what it is about."""

from __future__ import annotations

from learnviews.apps.snowcat.problem_dialog import ProblemDialog
from learnviews.apps.snowcat.problem_list import Problems
from learnviews.apps.snowcat.problem_summary import ProblemSummary
from learnviews.apps.snowcat.problem_target import Target

CARDS = (Problems, ProblemDialog, Target, ProblemSummary)
