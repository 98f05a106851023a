"""Cards of the first step: which data sets there are, what is in the one that was chosen, and changes of it.

A card for another kind of data is one more class in `CARDS`: it says itself which data it fits.
"""

from __future__ import annotations

from learnviews.apps.snowcat.data_description import Description
from learnviews.apps.snowcat.data_graphs import Graphs
from learnviews.apps.snowcat.data_objects import Objects
from learnviews.apps.snowcat.data_recordings import Sounds, Videos
from learnviews.apps.snowcat.data_sets import DataSets
from learnviews.apps.snowcat.data_table import Table
from learnviews.apps.snowcat.data_texts import Texts
from learnviews.apps.snowcat.data_types import ColumnsAndTypes
from learnviews.apps.snowcat.data_views import Columns, Images, Rows, Series

CARDS = (
    DataSets,
    Columns,
    Graphs,
    Objects,
    Images,
    Sounds,
    Videos,
    Texts,
    Series,
    Table,
    Description,
    Rows,
    ColumnsAndTypes,
)
