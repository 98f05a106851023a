"""Looking through rows: words, order, texts; and what is said of columns, each against a plain way to find it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels import search
from learnviews.kernels.search.browse import split_words
from learnviews.kernels.search.joins import partners

ROWS = 60


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return search.load(
        pd.DataFrame(
            {
                "size": np.where(np.arange(ROWS) % 7 == 0, np.nan, rng.normal(size=ROWS).round(2)),
                "count": rng.integers(-3, 12, ROWS),
                "kind": [None if i % 11 == 0 else f"Kind {i % 5}" for i in range(ROWS)],
                "day": pd.date_range("2024-01-30", periods=ROWS).where(np.arange(ROWS) % 13 > 0),
                "at": pd.date_range("2024-01-30 10:00:01", periods=ROWS, freq="7min"),
                "yes": rng.integers(0, 2, ROWS).astype(bool),
                "remark": [f"row {i}, Ärger (50%) [{i % 3}]" for i in range(ROWS)],
            },
            index=pd.Index(np.arange(ROWS) + 1000, name="id"),
        )
    )


@pytest.fixture(scope="module")
def browser(data):
    return search.Browser(data)


def naive_find(browser, words):
    """Row by row."""
    page = browser.page(np.arange(len(browser.data)))
    found = []
    for at, id_ in enumerate(browser.data.frame.index):
        values = [texts[at].lower() for texts in page.values() if texts[at] is not None]
        wanted = [word.lower() for word in split_words(words)]
        if all(any(word in value for value in values) or word == str(id_) for word in wanted):
            found.append(at)
    return found


def test_texts_are_written_as_one_reads_them(browser):
    page = browser.page([0, 1])
    assert page["size"] == [None, str(browser.data.frame["size"].iloc[1])]
    assert page["kind"] == [None, "Kind 1"]
    assert page["day"] == [None, "2024-01-31"]
    assert page["at"] == ["2024-01-30 10:00:01", "2024-01-30 10:07:01"]
    assert set(page["yes"]) <= {"True", "False"}
    assert list(browser.page([3], ["count"])) == ["count"]
    whole = search.load(pd.DataFrame({"n": [1.0, None, 3.0], "m": ["a", "b", "c"]}))
    assert search.Browser(whole).page([0, 1, 2])["n"] == ["1", None, "3"]


@pytest.mark.parametrize(
    "words",
    ["", " , ", "kind 1", "KIND", "0.", "2024-02", "10:07", "true", "true, kind 2", "ärger", "(50%", "[1]", "1003",
     "100", "-1", "e", "nothing of the kind", "kind 1, 2024-03, a"],
)  # fmt: skip
def test_words_are_found_as_by_looking_at_every_row(browser, words):
    assert browser.find(words).tolist() == naive_find(browser, words)


@settings(max_examples=40, deadline=None)
@given(st.text("kind 0123.-:,aäKe%", max_size=6))
def test_odd_words_are_found_too(browser, words):
    assert browser.find(words).tolist() == naive_find(browser, words)


def test_many_different_values_are_found_as_well():
    frame = pd.DataFrame({"x": np.arange(3000) / 7, "word": [f"w{i}" for i in range(3000)], "few": [*"abc"] * 1000})
    found = search.Browser(search.load(frame))
    for words in ("0.14", "w299", "b, 1.", "428."):
        assert found.find(words).tolist() == naive_find(found, words)
    assert len(found.find("a", columns=["few"])) == 1000


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("column", ["size", "count", "kind", "day", "yes", "remark"])
def test_order_is_stable_with_missing_values_last(browser, column, falling):
    values = browser.data.frame[column]
    at = np.arange(ROWS)[::-2]
    known = [i for i in at if not pd.isna(values.iloc[i])]
    key = (lambda i: str(values.iloc[i])) if values.dtype == object else (lambda i: values.iloc[i])
    wanted = sorted(known, key=key, reverse=falling)
    found = browser.order(column, at, falling).tolist()
    assert [key(i) for i in found[: len(known)]] == [key(i) for i in wanted]
    assert found[len(known) :] == [i for i in at if pd.isna(values.iloc[i])]
    ties = sorted(known, key=key) if not falling else None
    assert ties is None or found[: len(known)] == ties


def test_order_of_the_data_and_of_no_column(browser):
    assert browser.order(None, [3, 1, 2]).tolist() == [3, 1, 2]
    assert browser.order(None, [3, 1, 2], falling=True).tolist() == [2, 1, 3]
    with pytest.raises(ValueError, match="no column sizes"):
        browser.order("sizes", [1])


def test_facts_of_columns(data):
    facts = {each.name: each for each in search.describe(data)}
    assert list(facts) == list(data.columns)
    for name, found in facts.items():
        known = [value for value in data.frame[name] if not pd.isna(value)]
        assert (found.missing, found.distinct) == (ROWS - len(known), len(set(known)))
        assert found.type == data.columns[name].type
    assert facts["count"].low == data.frame["count"].min()
    assert facts["day"].high == data.frame["day"].max()
    assert facts["kind"].commonest.startswith("Kind")
    assert facts["kind"].share == pytest.approx(data.frame["kind"].value_counts().iloc[0] / data.frame["kind"].count())
    assert facts["remark"].commonest == ""  # each is there once


def test_facts_of_odd_columns():
    frame = pd.DataFrame({"none": [None, None], "sets": [["a", "b"], ["a", "b"]], "x": [np.inf, 1.0]})
    none, sets, x = search.describe(search.load(frame))
    assert (none.missing, none.distinct, none.low) == (2, 0, None)
    assert (sets.distinct, sets.share) == (1, 1.0)
    assert (x.low, x.high, x.missing) == (1.0, 1.0, 1)


def test_partners_of_a_join_are_counted():
    here = search.load(pd.DataFrame({"key": ["a", "b", "b", None], "x": [1, 2, 3, 4]}))
    there = pd.DataFrame({"key": ["b", "c"], "y": [1, 2]})
    assert partners(here, there, "key") == 2
    with pytest.raises(ValueError, match="no column other"):
        partners(here, there, ("key", "other"))
