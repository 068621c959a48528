"""Trades of a stream count once, and a lost one shows."""

import pytest

from adapters.sequence import Numbers
from adapters.venues import Trade

START_MS = 1_700_000_000_000


def numbered(number: int, after_ms: int, *, first: int = 0, symbol: str = "BTCUSDT") -> Trade:
    at_ms = START_MS + after_ms
    return Trade(symbol, at_ms, "100", "1", number, first or number, number)


def torn(numbers: Numbers, seconds: int = 4) -> list[int]:
    """Seconds after the start at whose close something is missing."""
    closes = range(START_MS + 1000, START_MS + 1000 * seconds + 1, 1000)
    return [(each - START_MS) // 1000 for each in closes if numbers.torn_at(each)]


def taken(*trades: Trade) -> tuple[Numbers, list[bool]]:
    numbers = Numbers()
    return numbers, [numbers.take(each) for each in trades]


def test_trades_in_a_row_are_all_news_and_tear_nothing() -> None:
    numbers, news = taken(numbered(1, 0), numbered(2, 0), numbered(3, 1_500))

    assert news == [True, True, True]
    assert torn(numbers) == []


def test_a_jump_of_the_numbers_tears_every_second_between_the_two_trades() -> None:
    numbers, news = taken(numbered(1, 100), numbered(3, 2_100))

    assert news == [True, True]
    assert torn(numbers) == [1, 2, 3]
    assert numbers.jumps == 1


def test_a_trade_that_comes_twice_counts_once() -> None:
    numbers, news = taken(numbered(1, 0), numbered(1, 0), numbered(2, 10))

    assert news == [True, False, True]
    assert (numbers.repeated, numbers.jumps) == (1, 0)


def test_two_trades_that_change_places_tear_their_second() -> None:
    numbers, news = taken(numbered(1, 0), numbered(3, 20), numbered(2, 10), numbered(4, 1_500))

    assert news == [True, True, False, True]
    assert torn(numbers) == [1]


def test_an_aggregate_that_stands_for_several_numbers_leaves_no_hole() -> None:
    numbers, _ = taken(numbered(10, 0), numbered(14, 10, first=11))

    assert torn(numbers) == []


def test_aggregates_counted_in_a_row_leave_no_hole_either() -> None:
    before, after = numbered(10, 0), numbered(11, 10)
    numbers, _ = taken(before._replace(last_id=50), after._replace(first_id=60, last_id=70))

    assert torn(numbers) == []


def test_symbols_are_numbered_by_themselves() -> None:
    numbers, _ = taken(numbered(1, 0), numbered(7, 5, symbol="ETHUSDT"), numbered(2, 10))

    assert torn(numbers) == []


def test_after_a_break_the_numbers_go_on_from_anywhere() -> None:
    numbers, _ = taken(numbered(1, 0))
    numbers.forget(["BTCUSDT"])

    assert numbers.take(numbered(9, 10))
    assert torn(numbers) == []


def test_a_venue_that_counts_anew_is_followed_and_its_second_torn() -> None:
    numbers, news = taken(numbered(900, 0), numbered(1, 10), numbered(2, 20))

    assert news == [True, True, True]
    assert torn(numbers) == [1]


@pytest.mark.parametrize("number", [5, 3, 9])
def test_without_numbers_nothing_is_known(number: int) -> None:
    unnumbered = [Trade("BTCUSDT", START_MS, "100", "1", each) for each in (5, number)]
    numbers, news = taken(*unnumbered)

    assert news == [True, True]
    assert torn(numbers) == []


def test_a_very_long_hole_is_remembered_for_minutes_only() -> None:
    numbers, _ = taken(numbered(1, 0), numbered(3, 10_000_000))

    assert len(torn(numbers, seconds=10_000)) <= 121
