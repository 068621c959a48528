"""Order names as numbers of 63 bits, and back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.names import OrderNames
from adapters.numbered import as_number, name_behind, number_of
from adapters.venues.naming import Naming, meant_by, told_as
from engine.ledger import Order, OrderType, Purpose
from engine.orders import connection_mark, is_of_another, order_name, parsed, position_id
from engine.values import Side

MARK = connection_mark("c1")
FOREIGN = (
    0,
    1513834754585190400,  # what the venue itself calls an order
    7 * 10**17,  # a digit short
    7 * 10**19,  # a digit long
    76 * 10**17,  # there are six purposes
)


def a_name(purpose: Purpose, attempt: int = 0, *, connection: str = "c1", bar: int = 60_000) -> str:
    return order_name(position_id(connection, "BTCUSDT-move-3-LONG", bar), purpose, attempt)


def an_order(name: str, *, exchange_order_id: str = "") -> Order:
    return Order(
        client_order_id=name,
        position_id="p",
        purpose=Purpose.ENTRY,
        attempt=0,
        symbol="BTCUSDT",
        side=Side.LONG,
        order_type=OrderType.MARKET,
        quantity=Decimal(1),
        exchange_order_id=exchange_order_id,
    )


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_number_has_63_bits_begins_with_a_seven_and_tells_the_purpose(purpose: Purpose) -> None:
    number = number_of(a_name(purpose))

    assert str(number)[:2] == f"7{list(Purpose).index(purpose)}"
    assert len(str(number)) == 19
    assert number < 2**63


def test_names_of_one_connection_have_numbers_of_their_own() -> None:
    names = [
        a_name(purpose, attempt, bar=bar)
        for bar in range(0, 1_700_000, 1000)
        for purpose in Purpose
        for attempt in (0, 1)
    ]

    assert len({number_of(name) for name in names}) == len(names) > 20_000


@pytest.mark.parametrize("mark", ["", MARK])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_name_made_for_a_number_has_that_number(purpose: Purpose, mark: str) -> None:
    for bar in range(0, 500_000, 1000):
        number = number_of(a_name(purpose, 3, bar=bar))

        made = name_behind(number, mark)

        assert made is not None
        name = parsed(made)
        assert name is not None
        assert (name.purpose, name.attempt) == (purpose, 0)
        assert number_of(made) == number


def test_a_made_name_is_of_the_connection_whose_mark_the_number_has_and_of_no_other() -> None:
    number = number_of(a_name(Purpose.STOP))

    own, others, unknown = (name_behind(number, mark) for mark in (MARK, connection_mark("c2"), ""))

    assert own is not None
    assert others is not None
    assert not is_of_another(own, "c1")
    assert is_of_another(others, "c1")
    assert is_of_another(others, "c2")
    assert unknown == others


def test_what_follows_on_a_made_name_has_numbers_of_its_own() -> None:
    made = name_behind(number_of(a_name(Purpose.ENTRY)), MARK)
    assert made is not None
    name = parsed(made)
    assert name is not None

    stops = [order_name(name.position_id, Purpose.STOP, attempt) for attempt in range(1, 50)]

    assert len({number_of(stop) % 10**12 for stop in (made, *stops)}) == 50


@pytest.mark.parametrize("number", FOREIGN)
def test_a_number_of_somebody_else_has_no_name(number: int) -> None:
    assert name_behind(number, MARK) is None
    assert OrderNames().numbered(number) is None


@pytest.mark.parametrize("told", ["", "web", "7.1", "-7", "x-1"])
def test_what_is_no_number_is_none(told: str) -> None:
    assert as_number(told) is None


def test_a_name_that_is_not_ours_has_no_number() -> None:
    with pytest.raises(ValueError, match="must be a name of ours, was 'web'"):
        number_of("web")


def test_a_remembered_number_has_its_name_and_a_forgotten_one_a_made_name() -> None:
    name = a_name(Purpose.STOP, 17)
    names, told = OrderNames(), told_as(name, Naming.NUMBER)
    names.mark = MARK

    forgotten = meant_by(told, Naming.NUMBER, names)
    names.recall(an_order(name))

    assert meant_by(told, Naming.NUMBER, names) == name
    assert forgotten == name_behind(int(told), MARK)
    assert told_as(forgotten, Naming.NUMBER) == told


def test_what_is_listed_again_and_again_outlives_what_was_sent_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.names._KEPT", 3)
    names, stop = OrderNames(), a_name(Purpose.STOP)
    names.recall(an_order(stop))

    for bar in range(60_000, 70_000, 1000):
        names.recall(an_order(a_name(Purpose.ENTRY, bar=bar)))
        assert names.numbered(number_of(stop)) == stop

    assert names.numbered(number_of(a_name(Purpose.ENTRY))) != a_name(Purpose.ENTRY)


@pytest.mark.parametrize("told", ["", "web", "1513834754585190400"])
def test_what_others_call_their_orders_stays(told: str) -> None:
    assert meant_by(told, Naming.NUMBER, OrderNames()) == told
    assert told_as(told, Naming.NUMBER) == told


def test_what_the_venue_called_an_order_is_remembered_too() -> None:
    names, order = OrderNames(), an_order(a_name(Purpose.ENTRY))

    names.recall(order)
    unknown = names.given("")
    names.recall(replace(order, exchange_order_id="1513"))
    names.recall(replace(order, client_order_id="web", exchange_order_id="1514"))
    found = names.given("1513")

    assert unknown is None
    assert found is not None
    assert (found.client_order_id, found.side) == (order.client_order_id, Side.LONG)
    assert names.given("1514") is None
