"""Snowcat: from a data set to problems, to models, to comparing, choosing and exporting them."""
