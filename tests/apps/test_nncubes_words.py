"""What the page says: filters, changes, answers, the model's card."""

import math

import numpy as np
import pytest
from cube_small import GAPS, SCHEMA, measures, model

from learnviews.apps.nncubes.card import card, facts
from learnviews.apps.nncubes.first import ENDING
from learnviews.apps.nncubes.readout import Total, describe, number, percent, total_of
from learnviews.apps.nncubes.shelf import Shelf, aggregate_words
from learnviews.apps.nncubes.suggestions import is_hit, surprise_list, wanted_list
from learnviews.apps.nncubes.wording import change_words, filter_words, sentence
from learnviews.kernels import cube
from learnviews.kernels.cube import Query

DELAY = cube.Numeric("delay", [-40, -5, 0, 12, 1300], title="departure delay", unit="min")
LETTERS = cube.Categorical("carrier", list("abcdefghijklmnop"))


@pytest.mark.parametrize(
    ("attribute", "held", "words"),
    [
        (DELAY, (0, 2), "departure delay is below 0 min"),
        (DELAY, (2, 4), "departure delay is 0 min or more"),
        (DELAY, (1, 3), "departure delay is -5 to 12 min"),
        (DELAY, (0, 4), "departure delay is anything"),
        (LETTERS, {"a"}, "carrier is a"),
        (LETTERS, {"c", "a"}, "carrier is a or c"),
        (LETTERS, set("abcdefghijklmno"), "carrier is any but p"),
        (LETTERS, set("abcdefghijklmn"), "carrier is any but o or p"),
        (LETTERS, set("abcdefgh"), "carrier is one of 8 of 16"),
        (LETTERS, set(), "carrier is nothing"),
        (SCHEMA["month"], (2, 5), "month is 3 to 5"),
        (SCHEMA["place"], (0, 3, 0, 6), "place in x 0 to 0.5"),
        (SCHEMA["place"], (0, 6, 3, 6), "place in y 0.5 to 1"),
        (SCHEMA["place"], (0, 6, 0, 6), "place is anywhere"),
        (SCHEMA["place"], np.arange(36) < 4, "place in 4 of 36 cells"),
        (GAPS["kind"], {"a", "missing"}, "kind is a or missing"),
    ],
)
def test_filters_in_words(attribute, held, words):
    assert filter_words(attribute, held) == words


def test_queries_in_words():
    assert sentence(SCHEMA, Query()) == "Everything."
    assert sentence(SCHEMA, Query(month=(2, 5), kind={"a"})) == "Where month is 3 to 5; kind is a."


def test_changes_in_words():
    base = Query(month=(0, 3), kind={"a"})
    assert change_words(SCHEMA, base, Query(month=(0, 3), hour=(0, 6))) == "any kind (now a); hour is 0 to 5"
    assert change_words(SCHEMA, base, base.replace(month=(0, 6))) == "month is 1 to 6 (now 1 to 3)"
    assert change_words(SCHEMA, base, base) == "the present filters"


def test_numbers_for_people():
    assert [number(v) for v in (12345.6, 0, -0.2, 3.14159, math.nan, 250.4)] == [
        "12,346",
        "0",
        "-0.2",
        "3.14",
        "no answer",
        "250",
    ]
    assert [percent(v) for v in (1, 0.38, 0.034, 0.00001, 0)] == ["100%", "38%", "3.4%", "under 0.1%", "0.0%"]


def test_readout_of_a_model_and_of_its_exact_cube():
    query = Query(month=(2, 5))
    found = total_of(model(), query, "count", exact=False)
    assert found.low < found.value < found.high
    assert found.rows == found.value
    assert 0 < found.share < 1
    truth = total_of(model(), query, "count", exact=True)
    assert truth.low is None
    assert truth.value == model().exact.total(query)
    mean = total_of(measures(), query, ("mean", "delay"), exact=False)
    assert mean.low < mean.value < mean.high
    assert mean.rows == pytest.approx(truth.value, rel=0.05)


@pytest.mark.parametrize("aggregate", ["count", ("sum", "delay"), ("mean", "delay")])
def test_intervals_of_totals_cover_what_they_are_made_for(aggregate):
    known = measures()
    covered = []
    for query in cube.random_queries(SCHEMA, 200, np.random.default_rng(7)):
        truth = known.exact.total(query, aggregate)
        if math.isfinite(truth):
            found = total_of(known, query, aggregate, exact=False)
            covered.append(found.low is not None and found.low <= truth <= found.high)
    assert np.mean(covered) >= 0.9


def test_readout_is_escaped_and_says_who_answers():
    text = describe("Where <b> is it.", Total(12.0, 10.0, 14.0, 12.0, 0.5), ("rows", ""), "model")
    assert "&lt;b&gt; is it." in text
    assert "<span>12</span></b> rows" in text
    assert "10 to 14" in text
    assert "50% of all" in text
    text = describe("x", Total(math.nan, None, None, 0.0, 0.0), ("mean delay", "min"), "exact", preview=True)
    assert "preview" in text
    assert "no answer" in text
    assert "interval" not in text


def test_card_tells_sizes_and_errors():
    shown = dict(facts(model()))
    assert shown["rows"] == "40,000"
    assert "exact cube, dense" in shown
    assert "exact cube, sparse" in shown
    text = card(model(), "count")
    error = model().error
    for value in (error.overall, error.independence, error.views["hour"], error.independence_views["hour"]):
        assert f"{100 * value:.1f}%" in text


def test_aggregates_in_words():
    schema = cube.Schema(DELAY)
    assert aggregate_words(schema, "count") == ("rows", "")
    assert aggregate_words(schema, ("mean", "delay")) == ("mean departure delay", "min")
    assert aggregate_words(SCHEMA, ("var", "x y")) == ("variance of x y", "")


def test_lists_of_suggestions():
    base, wanted = Query(month=(0, 6)), {("hour", 8): 900.0}
    found = model().invert(wanted, base, exact=False)
    assert is_hit(found[0], wanted)
    text = wanted_list(SCHEMA, base, wanted, found, 3, ("rows", ""))
    assert text.count("data-item=") == len(found)
    assert 'data-item="wanted:3:0"' in text
    assert "Wanted rows:" in text
    assert "hour 8 <b>900</b>" in text
    beyond = model().invert({("hour", 8): 1e6}, base, exact=False)
    text = wanted_list(SCHEMA, base, {("hour", 8): 1e6}, beyond, 4, ("rows", ""))
    assert "Out of reach" in text
    assert "nearest" in text
    assert "No query was found" in wanted_list(SCHEMA, base, wanted, [], 5, ("rows", ""))
    assert surprise_list(model().suggest(3), 1, False).count("data-item=") == 3
    assert "Nothing here" in surprise_list([], 1, True)


def test_shelf_takes_what_is_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))
    path = model().save(tmp_path / f"small{ENDING}")
    assert Shelf([str(path), str(tmp_path / "x.rnnbow")]).names() == {str(path): "small"}
    assert Shelf([str(tmp_path)]).names() == {str(path): "small"}
    assert Shelf([str(tmp_path / "x.rnnbow")]).names() == {}
    shelf = Shelf([str(path)])
    assert shelf.model(str(path)) is shelf.model(str(path))
    assert shelf.model(str(path)).exact is None
    with pytest.raises(FileNotFoundError):
        shelf.model(str(tmp_path / f"gone{ENDING}"))
