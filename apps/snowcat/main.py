"""One session of the Snowcat app; runs anew for every page that is opened."""

import sys

from learnviews.apps.pages import page_template
from learnviews.apps.snowcat.explorer import Explorer
from learnviews.apps.snowcat.shelf import shelf
from learnviews.grammar.serve import Session

session = Session("Snowcat · LearnViews", template=page_template("snowcat"))
Explorer(session, shelf(tuple(sys.argv[1:])))
