"""Printed numbers become whole ticks, as Decimal would have it, only faster."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import an_instrument

from adapters.printed import Unit

UNITS = st.sampled_from(["0.1", "0.01", "0.00001", "1", "10", "0.5", "0.25", "0.0005", "1E+2"])


@given(UNITS, st.decimals(min_value=0, max_value=10**9, places=8, allow_nan=False))
def test_a_number_is_the_nearest_multiple_whatever_is_printed(unit: str, number: Decimal) -> None:
    printed = f"{number:f}"
    wanted = an_instrument("BTCUSDT", price_tick=Decimal(unit)).to_ticks(number)

    assert Unit(Decimal(unit)).read(printed) == wanted


@pytest.mark.parametrize(
    ("unit", "printed", "wanted"),
    [("0.5", "0.3", 1), ("0.5", "0.2", 0), ("0.25", "0.13", 1), ("10", "16", 2)],
)
def test_what_lies_between_two_multiples_goes_to_the_nearer(
    unit: str, printed: str, wanted: int
) -> None:
    assert Unit(Decimal(unit)).read(printed) == wanted


@given(UNITS, st.integers(0, 10**9))
def test_a_multiple_is_itself_with_or_without_zeros_behind(unit: str, count: int) -> None:
    reader = Unit(Decimal(unit))
    number = f"{Decimal(unit) * count:f}"
    longer = number + ("000" if "." in number else ".000")

    assert (reader.read(number), reader.read(longer)) == (count, count)


@pytest.mark.parametrize(
    "printed", ["NaN", "Infinity", "-Infinity", "-1", "-0.1", "", "x", "\u00b2", "1.2.3"]
)
def test_what_is_no_finite_number_of_zero_or_more_is_nothing(printed: str) -> None:
    reader = Unit(Decimal("0.1"))

    assert reader.read(printed) is None
    assert reader.read(printed) is None  # remembered, too


@pytest.mark.parametrize("printed", ["1e2", "\u0661\u0660\u0660", "+100"])
def test_unusual_ways_to_print_are_read_as_decimal_reads_them(printed: str) -> None:
    assert Unit(Decimal("0.1")).read(printed) == 1_000


def test_many_different_numbers_are_not_kept_for_ever() -> None:
    reader = Unit(Decimal(1))
    for number in range(10_000):
        assert reader.read(str(number)) == number

    assert len(reader._known) <= 4_096
