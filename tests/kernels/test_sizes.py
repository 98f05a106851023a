"""Amounts of memory, said and understood."""

import pytest

from learnviews.kernels.sizes import bytes_of, in_words


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (5, 5),
        ("7", 7),
        ("12 b", 12),
        ("500 MB", 500_000_000),
        ("1.5gb", 1_500_000_000),
        ("2 GiB", 2 << 30),
        ("1 kB", 1000),
    ],
)
def test_what_is_said_is_understood(said, meant):
    assert bytes_of("limit", said) == meant


@pytest.mark.parametrize("said", ["", "much", "5 parsec", 0, -3, True, None, 2.5, "-1 GB", "0 MB", "1 i", "1 k"])
def test_what_is_no_amount_is_refused(said):
    with pytest.raises(ValueError, match="limit must be a number of bytes or a text"):
        bytes_of("limit", said)


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 12_345_678, 3 << 30, 10**13 + 1])
def test_words_are_enough(size):
    assert size <= bytes_of("limit", in_words(size).replace("bytes", "b")) <= 1.1 * size + 1
