import re
from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW_MS, a_position, a_set_key

from engine.errors import CorruptStateError
from engine.events import OrderUpdate
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import (
    MAX_ATTEMPT,
    advanced,
    client_order_id,
    intent,
    is_ours,
    order_name,
    parsed,
    position_id,
)
from engine.values import OrderSide, Side

QUANTITY = Decimal(10)


def an_order(state: OrderState = OrderState.SUBMITTING, filled: int = 0) -> Order:
    made = intent(a_position(), Purpose.ENTRY, attempt=0, quantity=QUANTITY, now_ms=NOW_MS)
    return replace(made, state=state, filled_quantity=Decimal(filled))


def an_update(state: OrderState, filled: int = 0) -> OrderUpdate:
    return OrderUpdate(
        client_order_id="x", state=state, filled_quantity=Decimal(filled), at_ms=NOW_MS + 1
    )


@given(
    st.text(max_size=40),
    st.text(max_size=80),
    st.integers(0, 2**45),
    st.sampled_from(Purpose),
    st.integers(0, MAX_ATTEMPT),
)
def test_a_client_order_id_is_fit_for_every_venue_and_tells_what_it_is(
    connection: str, key: str, close_ms: int, purpose: Purpose, attempt: int
) -> None:
    name = client_order_id(connection, key, close_ms, purpose, attempt)

    assert re.fullmatch(r"cts[a-z0-9]{29}", name)
    said = parsed(name)
    assert said is not None
    assert (said.purpose, said.attempt) == (purpose, attempt)
    assert said.position_id == position_id(connection, key, close_ms)


def test_whoever_plans_the_same_names_it_alike_and_anything_else_differently() -> None:
    key = a_set_key().text
    name = client_order_id("one", key, NOW_MS, Purpose.STOP, 0)

    assert name == client_order_id("one", key, NOW_MS, Purpose.STOP, 0)
    others = {
        client_order_id("two", key, NOW_MS, Purpose.STOP, 0),
        client_order_id("one", a_set_key(Side.SHORT).text, NOW_MS, Purpose.STOP, 0),
        client_order_id("one", key, NOW_MS + 1000, Purpose.STOP, 0),
        client_order_id("one", key, NOW_MS, Purpose.TARGET, 0),
        client_order_id("one", key, NOW_MS, Purpose.STOP, 1),
    }
    assert len(others | {name}) == 6


@pytest.mark.parametrize(
    "name", ["", "cts", "web_123", "autoclose-1", "cts" + "x" * 29, "ctsE" * 8]
)
def test_other_peoples_orders_are_not_ours(name: str) -> None:
    assert not is_ours(name)


def test_attempts_outside_the_range_are_refused() -> None:
    with pytest.raises(CorruptStateError, match="attempt must be between 0 and 46655"):
        order_name("a" * 25, Purpose.STOP, MAX_ATTEMPT + 1)


@pytest.mark.parametrize(
    ("purpose", "side", "order_side", "order_type"),
    [
        (Purpose.ENTRY, Side.LONG, OrderSide.BUY, OrderType.MARKET),
        (Purpose.ENTRY, Side.SHORT, OrderSide.SELL, OrderType.MARKET),
        (Purpose.STOP, Side.LONG, OrderSide.SELL, OrderType.STOP_MARKET),
        (Purpose.STOP, Side.SHORT, OrderSide.BUY, OrderType.STOP_MARKET),
        (Purpose.TARGET, Side.LONG, OrderSide.SELL, OrderType.TAKE_PROFIT_MARKET),
        (Purpose.CLOSE, Side.SHORT, OrderSide.BUY, OrderType.MARKET),
    ],
)
def test_only_entries_add_and_only_stops_and_targets_wait(
    purpose: Purpose, side: Side, order_side: OrderSide, order_type: OrderType
) -> None:
    made = intent(a_position(side), purpose, attempt=0, quantity=QUANTITY, now_ms=NOW_MS)

    assert (made.order_side, made.order_type) == (order_side, order_type)
    assert made.reduce_only is (purpose is not Purpose.ENTRY)


def test_updates_in_any_order_and_any_number_end_the_same() -> None:
    updates = [
        an_update(OrderState.OPEN),
        an_update(OrderState.PARTIALLY_FILLED, 4),
        an_update(OrderState.PARTIALLY_FILLED, 7),
        an_update(OrderState.FILLED, 10),
    ]
    ends = set()
    for sequence in permutations([*updates, updates[1]]):
        order = an_order()
        for update in sequence:
            order = advanced(order, update)
        ends.add((order.state, order.filled_quantity))

    assert ends == {(OrderState.FILLED, QUANTITY)}


@pytest.mark.parametrize(
    "terminal",
    [OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED],
)
@pytest.mark.parametrize("late", list(OrderState))
def test_a_terminal_state_never_reverts(terminal: OrderState, late: OrderState) -> None:
    after = advanced(an_order(terminal, filled=3), an_update(late, 2))

    assert after.state is terminal
    assert after.filled_quantity == 3


def test_a_late_fill_of_a_cancelled_order_still_counts() -> None:
    after = advanced(an_order(OrderState.CANCELLED), an_update(OrderState.PARTIALLY_FILLED, 6))

    assert after.state is OrderState.CANCELLED
    assert after.filled_quantity == 6


def test_an_unknown_order_is_resolved_by_any_answer_but_never_made_unknown_again() -> None:
    found = advanced(an_order(OrderState.UNKNOWN), an_update(OrderState.OPEN))

    assert found.state is OrderState.OPEN
    assert advanced(found, an_update(OrderState.UNKNOWN)) is found


def test_an_update_that_teaches_nothing_changes_nothing() -> None:
    order = an_order(OrderState.PARTIALLY_FILLED, filled=5)

    assert advanced(order, an_update(OrderState.OPEN, 4)) is order
