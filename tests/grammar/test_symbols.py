import itertools

import pytest

from learnviews.grammar.palettes import lag_greens
from learnviews.grammar.symbols import readable


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("a", "a"),
        ("\n", "⏎"),
        ("\t", "⇥"),
        (" ", "␣"),
        ("\x1b", "\\x1b"),
        ("\u00a0", "\\xa0"),
        ("\u200b", "\\u200b"),
        ("ß", "ß"),
        ("if (\n", "if␣(⏎"),
        ("", ""),
    ],
)
def test_readable(symbol, shown):
    assert readable(symbol) == shown
    assert readable(shown) == shown


def test_readable_wants_text():
    with pytest.raises(TypeError, match="symbol as str, got int"):
        readable(7)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 100])
def test_greens_get_lighter(count):
    greens = lag_greens(count)
    light = [sum(w * int(g[i : i + 2], 16) for i, w in ((1, 0.299), (3, 0.587), (5, 0.114))) for g in greens]
    assert len(greens) == count
    assert greens[0] == "#00441b"
    assert all(a < b for a, b in itertools.pairwise(light))


@pytest.mark.parametrize("count", [0, -1, 2.5, True])
def test_greens_want_a_count(count):
    with pytest.raises(ValueError, match="whole number of lags"):
        lag_greens(count)
