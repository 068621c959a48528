from decimal import Decimal

import pytest

from console import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("96412.50", "96\u202f412.50"),
        ("0.00010", "0.00010"),
        ("-1234", "\u22121\u202f234"),
        ("1E+3", "1\u202f000"),
        ("0.333333333333", "0.33333333"),
    ],
)
def test_a_price_keeps_the_digits_it_came_with(value: str, text: str) -> None:
    assert figures.price(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("1.239", "+1.24"), ("-0.5", "\u22120.50"), ("-0.001", "0.00")]
)
def test_gains_and_losses_carry_their_sign_but_nothing_does_not(value: str, text: str) -> None:
    assert figures.signed(Decimal(value)) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5, "0.0 s"), (940, "0.9 s"), (59_900, "59 s"), (61_000, "1 min 01 s"),
        (3_600_000, "1 h 00 min"), (90_000_000, "1 d 01 h"),
    ],
)  # fmt: skip
def test_an_age_is_told_in_the_units_that_matter(ms: int, text: str) -> None:
    assert figures.age(ms) == text


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    dashes = {
        figures.price(None), figures.signed(None), figures.age(None), figures.count(None),
        figures.milliseconds(None),
    }  # fmt: skip

    assert dashes == {figures.UNKNOWN}


def test_prices_side_by_side_have_as_many_digits() -> None:
    assert figures.places([Decimal("637.8"), None, Decimal("637.95"), Decimal("1E+2")]) == 2
    assert figures.price(Decimal("637.8"), 2) == "637.80"
    assert figures.places([]) == 0
