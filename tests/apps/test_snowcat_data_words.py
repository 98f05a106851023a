"""What the cards of the data say: documents and words in them, facts of columns, what a change of the data costs."""

import gc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from snowcat_data import texts

from learnviews.apps.snowcat.data_card import Once
from learnviews.apps.snowcat.data_cards import CARDS
from learnviews.apps.snowcat.data_description import columns_table, head, values
from learnviews.apps.snowcat.data_joins import joins_html
from learnviews.apps.snowcat.data_sets import _ago, _done
from learnviews.apps.snowcat.data_table import _line
from learnviews.apps.snowcat.data_texts import SHORT, Documents, beginning, highlighted
from learnviews.apps.snowcat.data_types import _lost
from learnviews.apps.snowcat.data_views import KEYS, Series
from learnviews.apps.snowcat.project_parts import Entry
from learnviews.kernels import search


@pytest.fixture
def letters(tmp_path):
    return search.load(texts(tmp_path / "letters"))


def sales(*keys):
    rows = [(day, *key, 100.0 + n) for key in keys for n, day in enumerate(pd.date_range("2024-01-01", periods=20))]
    return pd.DataFrame(rows, columns=["day", "shop", "goods", "sales"])


def test_the_series_of_a_table_are_told_apart_as_a_forecast_would():
    one = sales(("a", "tea")).drop(columns=["shop", "goods"])
    shops = sales(("a", "tea"), ("b", "tea"), ("c", "tea"))
    assert KEYS.of(search.load(one)) == () and KEYS.of(search.load(shops)) == ("shop",)
    both = search.load(sales(*((shop, goods) for shop in "abc" for goods in ("tea", "mate"))))
    assert KEYS.of(both) == ("shop", "goods")
    mixed = shops.assign(shop="a")  # times repeat, and nothing tells why
    assert KEYS.of(search.load(mixed)) is None and KEYS.of(search.load(one[["sales"]])) is None


def test_the_card_of_series_opens_where_rows_are_series():
    def opens(frame, task=None):
        problem = task and SimpleNamespace(task=task)
        room = SimpleNamespace(data=search.load(frame), problem=problem)
        return Series.fits(room) and Series.opens(room)

    shops = sales(("a", "tea"), ("b", "tea"))
    assert opens(shops) and opens(shops.assign(shop="a"), "timeSeriesForecasting")
    assert not opens(shops.assign(shop="a")) and not opens(shops[["shop", "sales"]])


def test_documents_are_read_once_and_searched(letters):
    documents = Documents(letters)
    assert documents.known("text") is None
    found = documents.find("text", "TEAM, number 3")
    assert [letters.frame["label"].iloc[at] for at in found] == ["sport"]
    wanted = [at for at, each in enumerate(letters.read("text")) if "oven" in each.lower()]
    assert documents.find("text", " oven ,").tolist() == wanted
    assert len(documents.find("text", "")) == len(letters)
    assert documents.known("text") is documents.of("text")


def test_words_stand_out_and_nothing_else_of_a_document_counts_as_html():
    assert highlighted("Some <b> some", ["SOME"]) == "<mark>Some</mark> &lt;b&gt; <mark>some</mark>"
    assert highlighted("a<b>", ["<b>"]) == "a<mark>&lt;b&gt;</mark>"
    assert highlighted("a.c abc", ["a.c", "a"]) == "<mark>a.c</mark> <mark>a</mark>bc"
    assert highlighted("x < y", []) == "x &lt; y"


def test_a_long_document_begins_before_the_first_word():
    document = "first " + "word " * 300 + "needle " + "word " * 300
    assert beginning(document, []).startswith("first")
    assert beginning(document, []).endswith("…")
    assert "needle" in beginning(document, ["needle"])
    assert beginning(document, ["NEEDLE"]).startswith("…")
    assert beginning(document, ["first", "needle"]).startswith("first")
    assert beginning(document, ["absent"]).startswith("first")
    assert len(beginning(document, ["needle"])) <= SHORT + 2
    assert beginning("short", ["short"]) == "short"


def test_facts_are_written_for_readers():
    frame = pd.DataFrame(
        {
            "year": [1999, 2005, 2005],
            "when": pd.to_datetime(["2024-01-01", "2024-02-01", None]),
            "<b>": ["x" * 50, "x" * 50, "y"],
            "one": [2.5, 2.5, 2.5],
        }
    )
    data = search.load(frame)
    year, when, label, one = search.describe(data)
    assert values(year) == "1999 to 2005"  # no commas in years
    assert values(when) == "2024-01-01 to 2024-02-01"
    assert values(label) == "x" * 29 + "… (67%)"
    assert values(one) == "2.5"
    (large,) = search.describe(search.load(pd.DataFrame({"x": [121.84, 52812.3]})))
    assert values(large) == "121.8 to 52,810"
    assert "<b>x" not in columns_table([year, when, label, one]).replace("<td>&lt;b&gt;", "")
    assert "when from 2024-01-01 to 2024-02-01" in head(data, [year, when, label, one])


def test_long_numbers_are_rounded_where_they_can_be_pointed_at():
    line = _line([True, True, False], 3, ("0.12573022109339", "12345678901234", "<i>"))
    assert 'title="0.12573022109339">0.1257302<' in line
    assert ">12345678901234<" in line
    assert "&lt;i&gt;" in line
    assert line.startswith('<tr data-row="3">')


def test_what_was_done_with_a_data_set():
    assert _done({"problems": 0, "studies": 0, "chosen": 0}) == ""
    assert _done({"problems": 1, "studies": 2, "chosen": 3, "used": 7300}) == (
        "1 own problem · 2 studies · 3 chosen · used 2 h ago"
    )
    assert [_ago(seconds) for seconds in (5, 300, 200_000)] == ["just now", "5 min ago", "2 days ago"]


def test_own_problems_that_are_dropped_are_named_and_found_ones_counted():
    own = Entry("own-1", search.Problem(target="size", task="regression"), "own", "yes")
    found = Entry("found-1", search.Problem(target="kind", task="classification"))
    assert _lost([own, found], [own, found]) == ""
    assert "1 problem" in _lost([own, found], [own])
    told = _lost([own, found], [])
    assert "size" in told
    assert "kind" not in told


def test_joins_say_what_they_added():
    data = search.load(pd.DataFrame({"key": ["a", "b"], "x": [1, 2]}))
    joined = data.join(pd.DataFrame({"key": ["a"], "y": [1]}), "key")
    html = joins_html([{"path": "/some/other.csv", "on": [["key", "key"]], "columns": ["y"]}], joined)
    assert "<b>other.csv</b> joined by key: 1 column<" in html
    assert "no row for 1 of 2 rows" in html
    assert joins_html([], joined) == ""


def test_what_is_made_once_of_a_data_set_goes_with_it():
    made = []
    once = Once(lambda data: made.append(len(data)) or len(data))
    data = search.load(pd.DataFrame({"x": np.arange(3)}))
    assert once.known(data) is None
    assert once.of(data) == once.of(data) == once.known(data) == 3
    assert made == [3]
    del data
    gc.collect()
    assert len(once._made) == 0


def test_cards_have_names_of_their_own_and_help():
    assert len({card.name for card in CARDS}) == len(CARDS)
    assert all(card.title and card.help and card.steps for card in CARDS)
