"""Cards of the step in which models are compared, in the order in which they are offered."""

from __future__ import annotations

from learnviews.apps.snowcat.compare_cutoff import CARDS as CUTOFF
from learnviews.apps.snowcat.compare_errors import CARDS as ERRORS
from learnviews.apps.snowcat.compare_features import CARDS as FEATURES
from learnviews.apps.snowcat.compare_graphs import CARDS as GRAPHS
from learnviews.apps.snowcat.compare_instance import CARDS as INSTANCE
from learnviews.apps.snowcat.compare_models import CARDS as MODELS
from learnviews.apps.snowcat.compare_objects import CARDS as OBJECTS
from learnviews.apps.snowcat.compare_ratings import CARDS as RATINGS
from learnviews.apps.snowcat.compare_results import CARDS as RESULTS
from learnviews.apps.snowcat.compare_settings import CARDS as SETTINGS
from learnviews.apps.snowcat.compare_slice import CARDS as SLICE
from learnviews.apps.snowcat.compare_what_if import CARDS as WHAT_IF

MODELS_FIRST, ALL_SCORES = MODELS[:-1], MODELS[-1:]
VIEWS = (*OBJECTS, *RATINGS, *RESULTS, *GRAPHS)
CARDS = (*MODELS_FIRST, *INSTANCE, *VIEWS, *SLICE, *ALL_SCORES, *ERRORS, *WHAT_IF, *FEATURES, *CUTOFF, *SETTINGS)
