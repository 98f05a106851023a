"""What the cards that compare models are made of, without a browser."""

import threading

import numpy as np
import pandas as pd
import pytest

from learnviews.apps.snowcat.compare_findings import Findings
from learnviews.apps.snowcat.compare_instance import said_html
from learnviews.apps.snowcat.compare_models import _column
from learnviews.apps.snowcat.compare_slice import _verdict
from learnviews.apps.snowcat.compare_what_if import answer_html, input_html
from learnviews.apps.snowcat.row_values import LONG, plain, value_html
from learnviews.kernels import search
from learnviews.kernels.search.what_if import Editable


class Owner:
    """Something that findings belong to."""


def scores(value, low, high):
    return pd.DataFrame({"value": [value], "low": [low], "high": [high]}, index=["accuracy"])


def test_what_is_not_told_apart_from_the_best_is_marked_like_it():
    tables = {
        1: scores(0.90, 0.85, 0.95),
        2: scores(0.88, 0.83, 0.91),
        3: scores(0.70, 0.65, 0.75),
        None: scores(0.5, 0.4, 0.6),
    }
    cells = _column("accuracy", tables)
    assert [number for number, cell in cells.items() if "<b>" in cell] == [1, 2]
    assert "0.65 to 0.75" in cells[3]


def test_smaller_errors_are_better_and_lacking_scores_are_dashes():
    tables = {1: scores(2.0, 1.5, 2.5), 2: scores(9.0, 8.0, 9.5), 3: scores(1.0, 0.1, 1.0).drop("accuracy")}
    tables = {at: table.rename(index={"accuracy": "meanAbsoluteError"}) for at, table in tables.items()}
    cells = _column("meanAbsoluteError", tables)
    assert "<b>" in cells[1] and "<b>" not in cells[2] and "–" in cells[3]


@pytest.mark.parametrize(
    ("there", "rest", "metric", "words"),
    [
        ((0.2, 0.3), (0.5, 0.6), "accuracy", "worse here"),
        ((0.7, 0.8), (0.5, 0.6), "accuracy", "better here"),
        ((0.7, 0.8), (0.5, 0.6), "meanAbsoluteError", "worse here"),
        ((0.4, 0.8), (0.5, 0.6), "accuracy", "no clear difference"),
        ((np.nan, np.nan), (0.5, 0.6), "accuracy", ""),
    ],
)
def test_intervals_that_overlap_are_no_difference(there, rest, metric, words):
    one, other = ({"low": low, "high": high} for low, high in (there, rest))
    said = _verdict(one, other, metric)
    assert words in said and bool(words) == bool(said)


def test_what_is_looked_for_twice_is_computed_once_and_forgotten_with_its_study():
    findings, owner, begun = Findings(2), Owner(), threading.Event()
    calls = []

    def work():
        begun.wait(5)
        calls.append(1)
        return 7

    one, other = findings.ask(owner, "what", work), findings.ask(owner, "what", work)
    assert one is other and not one.done()
    begun.set()
    assert one.result(5) == 7 and calls == [1]
    assert findings.ask(owner, "else", lambda: 8).result(5) == 8
    del owner
    assert len(findings._known) == 0


def test_inputs_follow_types_and_ranges():
    assert 'type="range" min="0" max="9" step="1.0" value="3"' in input_html(Editable("n", "integer", 0, 9, 1.0), 3, 0)
    assert 'value="9"' in input_html(Editable("n", "integer", 0, 9, 1.0), "50", 0)  # the slider ends there
    wide = input_html(Editable("n", "real", -0.00004, 1234567.5), 1.08e6, 0)
    assert 'min="-0.00004" max="1234567.5"' in wide and wide.count('value="1080000"') == 2
    labels = input_html(Editable("k", "categorical", labels=('a"b', "<c>"), gaps=True), "<c>", 1)
    assert "<c>" not in labels and "&lt;c&gt;" in labels and "missing" in labels
    assert 'type="text"' in input_html(Editable("words", "text"), None, 2)


def test_an_answer_before_and_after():
    lines = pd.DataFrame(
        {"of": ["prediction", "p_yes", "p_no"], "before": ["yes", 0.8, 0.2], "after": ["no", 0.3, 0.7]}, dtype=object
    )
    said = answer_html(lines)
    assert "yes → <b>no</b>" in said and "80% → 30%" in said
    same = pd.DataFrame({"of": ["prediction"], "before": [2.5], "after": [2.5]}, dtype=object)
    assert answer_html(same) == "<div><b>2.5</b></div>"


def test_values_of_a_row():
    frame = pd.DataFrame({"n": [1.5, None], "note": ["a <b> word. " * 300, "short one, with words in it"]})
    data = search.load(frame, types={"note": "text"})
    assert value_html(data, "n", 0) == "1.5" and "missing" in value_html(data, "n", 1)
    assert plain(1.08e6) == "1080000" and plain(-4.2e-5) == "-0.000042"  # fields of a form read them
    said = value_html(data, "note", 0)
    assert "<b>" not in said and len(said) < 2 * LONG and "…" in said


class Said:
    """A model, as far as the card of one row needs it."""

    def __init__(self, number, predictions, task="classification"):
        self.number, self.name, self.predictions = number, f"model {number}", predictions
        self.problem = search.Problem("y", task)


def test_what_models_say_of_a_row():
    table = {"truth": ["a", "b"], "prediction": ["a", "a"], "p_a": [0.9, 0.6], "p_b": [0.1, 0.4], "split": "holdout"}
    model = Said(3, pd.DataFrame(table))
    assert "✓ <b>a</b>" in said_html([model], 0) and "✗ <b>a</b>" in said_html([model], 1)
    assert "b 40%" in said_html([model], 1) and "held out" in said_html([model], 1)
    numbers = {"truth": [1.0], "prediction": [1.5], "split": "train"}
    assert "+0.5 off" in said_html([Said(4, pd.DataFrame(numbers), "regression")], 0)
