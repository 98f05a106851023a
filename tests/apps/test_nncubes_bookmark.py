"""What the address of the page holds."""

import numpy as np
import pytest
from cube_small import SCHEMA

from learnviews.apps.nncubes.bookmark import Bookmark, check_query
from learnviews.kernels.cube import Query

LASSO = np.zeros(36, bool)
LASSO[[3, 4, 9, 10]] = True


@pytest.mark.parametrize(
    "mark",
    [
        Bookmark(Query()),
        Bookmark(Query(month=(2, 5), kind={"a", "c"}, place=(0, 3, 2, 4))),
        Bookmark(Query(place=LASSO), ("mean", "delay"), True, "näme & more"),
    ],
)
def test_there_and_back(mark):
    assert Bookmark.from_text(mark.to_text()) == Bookmark(
        mark.query, mark.aggregate, True if mark.exact else None, mark.model
    )


def test_views_that_are_exact():
    mark = Bookmark(Query(), exact=("hour", "month"))
    assert mark.to_text() == '{"exact":["hour","month"]}'
    assert Bookmark.from_text(mark.to_text()) == mark
    assert Bookmark.from_text('{"exact":true}').exact is True  # of all of them


def test_nothing_needs_no_address():
    assert Bookmark(Query(), exact=False).to_text() == ""
    assert Bookmark.from_text("") == Bookmark(Query())


@pytest.mark.parametrize(
    "text",
    [
        "top",
        "[1]",
        '{"query":3}',
        '{"query":{"month":{"range":[1]}}}',
        '{"other":1}',
        '{"model":3}',
        '{"exact":"yes"}',
        '{"exact":[1]}',
        '{"exact":[]}',
        '{"show":["median","x"]}',
        "[" * 3000,
    ],
)
def test_what_is_no_bookmark_is_refused(text):
    with pytest.raises(ValueError, match="address holds no query"):
        Bookmark.from_text(text)


def test_queries_of_other_models_are_refused():
    assert check_query(SCHEMA, Query(month=(0, 3))) == Query(month=(0, 3))
    with pytest.raises(ValueError, match="no attribute 'colour'; there are month"):
        check_query(SCHEMA, Query(colour=(0, 3)))
    with pytest.raises(ValueError, match="leaves the bins"):
        check_query(SCHEMA, Query(month=(0, 30)))
    with pytest.raises(ValueError, match="no range"):
        check_query(SCHEMA, Query(place=(0, 3)))


@pytest.mark.parametrize("text", ['{"query":{"hour":null}}', '{"query":[]}', '{"query":{"hour":[1,2]}}'])
def test_what_is_wrong_is_said_without_python(text):
    with pytest.raises(ValueError, match="expected a filter by attribute") as raised:
        Bookmark.from_text(text)
    assert "object" not in str(raised.value) and "NoneType" not in str(raised.value)
