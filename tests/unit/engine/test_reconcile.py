"""Our books against one snapshot: each case of the comparison."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import NOW_MS, a_position

from engine.events import Snapshot, VenueOrder, VenuePosition
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.orders import intent, order_name
from engine.reconcile import (
    Corrections,
    Mismatch,
    arrival_settled_ms,
    compared,
    expected_quantity,
    is_absence_proven,
)
from engine.settings import Settings
from engine.values import Side

BOTH = pytest.mark.parametrize("side", list(Side))
LATER_MS = NOW_MS + 10_000


def an_order(
    position: Position, purpose: Purpose = Purpose.STOP, state: OrderState = OrderState.OPEN
) -> Order:
    made = intent(
        position,
        purpose,
        attempt=0,
        quantity=Decimal(1),
        now_ms=NOW_MS,
        trigger_price=Decimal(90) if purpose is Purpose.STOP else None,
    )
    return replace(made, state=state, submitting_at_ms=NOW_MS)


def listed(order: Order, name: str | None = None, *, reduces: bool = True) -> VenueOrder:
    return VenueOrder(
        client_order_id=name or order.client_order_id,
        exchange_order_id="77",
        symbol=order.symbol,
        side=order.side,
        is_conditional=order.order_type.is_conditional,
        reduces=reduces,
        quantity=order.quantity,
        filled_quantity=Decimal(0),
        trigger_price=order.trigger_price,
    )


def compare(
    position: Position,
    orders: list[Order],
    on_venue: list[VenueOrder],
    *,
    quantity: str = "1",
    asked_ms: int = LATER_MS,
) -> Corrections:
    held = VenuePosition(
        symbol="BTCUSDT",
        side=position.key.side,
        quantity=Decimal(quantity),
        entry_price=Decimal(100),
    )
    is_closed = position.status is PositionStatus.CLOSED
    named = {position.position_id: position}
    return compared(
        {order.client_order_id: order for order in orders},
        {} if is_closed else named,
        named if is_closed else {},
        Snapshot(
            positions=(held,) if held.quantity else (),
            orders=tuple(on_venue),
            asked_ms=asked_ms,
            at_ms=asked_ms + 50,
        ),
        Settings(),
    )


@BOTH
def test_books_that_agree_need_no_correction(side: Side) -> None:
    position = a_position(side)
    stop = an_order(position)

    found = compare(position, [stop], [listed(stop)])

    assert replace(found, listed=()) == Corrections()


@BOTH
@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.SUBMITTING])
def test_an_order_of_unclear_fate_that_is_listed_is_open(side: Side, state: OrderState) -> None:
    stop = an_order(a_position(side), state=state)

    (update,) = compare(a_position(side), [stop], [listed(stop)]).listed

    assert (update.state, update.exchange_order_id) == (OrderState.OPEN, "77")


@BOTH
def test_a_working_order_that_is_not_listed_is_doubted_once_it_had_time_to_show(
    side: Side,
) -> None:
    stop = an_order(a_position(side))

    assert compare(a_position(side), [stop], []).absent == (stop.client_order_id,)
    assert compare(a_position(side), [stop], [], asked_ms=NOW_MS + 1000).absent == ()


@BOTH
def test_an_order_under_our_name_is_adopted_onto_its_position(side: Side) -> None:
    position = a_position(side)
    name = order_name(position.position_id, Purpose.STOP, 7)

    (adopted,) = compare(position, [], [listed(an_order(position), name)]).adopted

    assert (adopted.client_order_id, adopted.attempt) == (name, 7)
    assert (adopted.purpose, adopted.state) == (Purpose.STOP, OrderState.OPEN)
    assert adopted.trigger_price == 90


@BOTH
def test_reducing_orders_of_no_position_and_ended_ones_still_listed_are_orphans(
    side: Side,
) -> None:
    position = a_position(side)
    ended = an_order(position, state=OrderState.CANCELLED)
    nobody = order_name("z" * 25, Purpose.TARGET, 0)

    found = compare(position, [ended], [listed(ended), listed(ended, nobody)])

    assert {order.client_order_id for order in found.orphans} == {ended.client_order_id, nobody}


@BOTH
def test_an_order_that_opens_is_left_alone_when_nobody_knows_its_position(side: Side) -> None:
    order = an_order(a_position(side), Purpose.ENTRY)
    name = order_name("z" * 25, Purpose.ENTRY, 0)

    found = compare(a_position(side), [], [listed(order, name, reduces=False)])

    assert (found.strangers, found.orphans) == ((name,), ())


@BOTH
def test_orders_of_others_are_not_seen_at_all(side: Side) -> None:
    stop = an_order(a_position(side))

    assert compare(a_position(side), [], [listed(stop, "web_1")]) == Corrections()


@BOTH
@pytest.mark.parametrize("venue", ["0", "0.4", "3"])
def test_a_quantity_that_differs_is_a_mismatch(side: Side, venue: str) -> None:
    position = a_position(side)

    found = compare(position, [], [], quantity=venue)

    expected = Mismatch(symbol="BTCUSDT", side=side, ours=Decimal(1), venue=Decimal(venue))
    assert found.mismatches == (expected,)


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"state": OrderState.UNKNOWN},
        {"state": OrderState.SUBMITTING},
        {"state": OrderState.PARTIALLY_FILLED},
        {"filled_quantity": Decimal(1)},
        {
            "state": OrderState.FILLED,
            "filled_quantity": Decimal(1),
            "booked_quantity": Decimal(1),
            "updated_at_ms": LATER_MS,
        },
    ],
)
def test_quantities_on_the_move_are_not_compared(side: Side, change: dict[str, object]) -> None:
    position = a_position(side)
    order = replace(an_order(position), **change)  # type: ignore[arg-type]

    assert compare(position, [order], [], quantity="0").mismatches == ()


@BOTH
def test_shares_of_one_symbol_and_side_are_compared_together(side: Side) -> None:
    one = a_position(side)
    two = a_position(side, position_id="b" * 25, quantity=Decimal(2))
    held = VenuePosition(symbol="BTCUSDT", side=side, quantity=Decimal(3), entry_price=Decimal(100))
    snapshot = Snapshot(positions=(held,), orders=(), asked_ms=LATER_MS, at_ms=LATER_MS)

    found = compared({}, {"a": one, "b": two}, {}, snapshot, Settings())

    assert found.mismatches == ()


@pytest.mark.parametrize(
    ("times", "snapshot_ms", "fills_ms", "proven"),
    [
        ((10, 20, 30), 10, 10, True),
        ((9, 10, 20), 10, 10, False),
        ((10, 20), 10, 10, False),
        ((10, 20, 30), 9, 10, False),
        ((10, 20, 30), 10, 9, False),
        ((), 10, 10, False),
    ],
)
def test_absence_needs_spaced_answers_a_snapshot_and_the_fills_after_the_last_moment(
    times: tuple[int, ...], snapshot_ms: int, fills_ms: int, proven: bool
) -> None:
    result = is_absence_proven(
        not_found_ms=times, settled_ms=10, snapshot_ms=snapshot_ms, fills_ms=fills_ms, needed=3
    )

    assert result is proven


def test_the_last_moment_of_an_arrival_adds_window_validity_visibility_and_skew() -> None:
    assert arrival_settled_ms(an_order(a_position()), Settings()) == NOW_MS + 4800


@BOTH
def test_protection_covers_what_is_left_after_exits_not_booked_yet(side: Side) -> None:
    position = a_position(side)
    stop = replace(an_order(position), filled_quantity=Decimal("0.3"))
    booked = replace(stop, booked_quantity=Decimal("0.3"))

    assert expected_quantity(position, [stop]) == Decimal("0.7")
    assert expected_quantity(position, [booked]) == 1
