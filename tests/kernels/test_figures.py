"""Numbers in people's form: no exponents where zeros do, as many digits as count, the same value again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnviews.kernels.figures import _fixed, figure, figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (52812.3, "52,810"),
        (-4.202e-05, "-0.00004"),
        (1.08e6, "1,080,000"),
        (1.4e7, "14,000,000"),
        (420000, "420,000"),
        (1699.7, "1,700"),
        (121.84, "121.8"),
        (0.5, "0.5"),
        (0.50004, "0.5"),
        (0.012345, "0.01235"),
        (0.0012345, "0.00123"),
        (9.9996e-5, "0.0001"),
        (999.96, "1,000"),
        (0, "0"),
        (-0.0, "0"),
        (1e-9, "0.000000001"),
        (1.5e-12, "1.5×10⁻¹²"),
        (-2.5e100, "-2.5×10¹⁰⁰"),
        (10**20 + 1, "100,000,000,000,000,000,001"),
        (np.float32(0.1), "0.1"),
        (np.int64(1234), "1,234"),
        (None, "–"),
        (float("nan"), "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_as_people_write_them(value, text):
    assert figure(value) == text


def test_signs_digits_and_fields():
    assert figure(1700.0, 2) == figure(1699.0 + 0.7, 2) == "1,700"
    assert (figure(0.5, sign=True), figure(-0.5, sign=True), figure(0.0, sign=True)) == ("+0.5", "-0.5", "0")
    assert figure(1.08e6, 6, commas=False) == "1080000" and figure(1234567.25, 6, commas=False) == "1234570"
    assert figure(1.5e20, commas=False) == "1.5e20"


def test_years_have_no_commas_beside_each_other():
    assert figures([1970.0, 1982.0]) == ["1970", "1982"]
    assert figures([1970.0, 42_000.0]) == ["1,970", "42,000"]
    assert figures([1e-12, math.nan]) == ["1×10⁻¹²", "–"]


@given(st.floats(0.01, 999, exclude_max=True), st.integers(3, 12))
def test_the_short_way_of_common_sizes_is_the_long_way(value, digits):
    assert figure(value, digits) == _fixed(value, digits)


@settings(deadline=None)
@given(st.floats(-1e300, 1e300), st.integers(1, 12))
def test_a_field_reads_nearly_the_number_that_was_written(value, digits):
    text = figure(value, digits, commas=False)
    assert float(text) == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) if abs(value) > 0.1 else 0.5, abs=0)
    assert float(figure(value, digits).replace(",", "").split("×")[0]) * value >= 0
