"""What is refused is refused in a user's words: with what was given, and with what would do."""

import pandas as pd
import pytest

from learnviews.apps.snowcat.train_begin import Wishes
from learnviews.apps.snowcat.train_trials import plainly
from learnviews.kernels import search


@pytest.mark.parametrize("typed", ["1e9", "0", "-3", "", "nan", "long"])
def test_a_time_that_will_not_do_says_which_would(typed):
    given = typed or "nothing"
    with pytest.raises(ValueError, match=f"How long: {given} was given; expected a number above 0, 1,000,000 at most"):
        Wishes().set("amount", typed)
    assert Wishes(amount="1e6").options["seconds"] == 1e6


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ValueError: Input X contains NaN. (validation.py:186)", "Input X contains NaN."),
        ("LinAlgError: no line (of two: a) (linalg.py:7)", "no line (of two: a)"),
        ("took longer than 3 s", "took longer than 3 s"),
        ("ValueError: (x.py:1)", "(x.py:1)"),
        ("KeyError", "KeyError"),
        ("", ""),
    ],
)
def test_reasons_of_failed_trials_are_told_without_the_code(reason, words):
    assert plainly(reason) == words


def test_values_are_named_as_tables_show_them():
    data = search.load(pd.DataFrame({"Alter": [1.0, 79.0, None], "size": [0.5, 1, 1]}))
    with pytest.raises(
        ValueError, match='column "Alter", row 1: "79" is no boolean; expected true or false, yes or no'
    ):
        data.with_types({"Alter": "boolean"})
    with pytest.raises(ValueError, match='column "size", row 0: "0'):
        data.with_types({"size": "boolean"})
