"""What every store must do for the position loop."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.contracts.conftest import Kept
from tests.samples import (
    START_MS,
    a_fill,
    a_key,
    a_position,
    a_tick,
    a_wish,
    an_order,
    position_ticks,
)

from engine.errors import CorruptStateError, LeaseLostError, ShortKeyTakenError
from engine.ledger import OrderState, PositionStatus
from engine.records import Consumed, Facts
from engine.values import Loop, Side

OPENING, OPEN, CLOSED = PositionStatus.OPENING, PositionStatus.OPEN, PositionStatus.CLOSED


def test_an_empty_store_holds_nothing(kept: Kept) -> None:
    held = kept.store.held("c1")

    assert (held.orders, held.positions, held.closed) == ((), (), ())
    assert (held.fill_ids, held.last_fill_ms) == (frozenset(), 0)


@pytest.mark.parametrize("side", Side)
def test_facts_are_held_as_they_were_written(kept: Kept, side: Side) -> None:
    lease = kept.take(Loop.POSITION)
    position = a_position(key=a_key(side=side))
    order = replace(an_order(), side=side)
    fill = replace(a_fill(), side=side, order_side=side.entry)

    kept.store.write_facts(lease, Facts(orders=(order,), positions=(position,), fills=(fill,)))

    held = kept.store.held("c1")
    assert (held.orders, held.positions, held.closed) == ((order,), (position,), ())
    assert (held.fill_ids, held.last_fill_ms) == (frozenset({fill.key}), START_MS)


def test_ended_orders_are_held_with_their_open_or_lately_closed_position(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    filled = replace(an_order("entry"), state=OrderState.FILLED)
    ended = replace(an_order("ended", position_id="p2"), state=OrderState.EXPIRED)
    foreign = replace(an_order("old", position_id="p0"), state=OrderState.CANCELLED)
    positions = (a_position(status=OPEN), a_position("p2", status=CLOSED, closed_at_ms=START_MS))
    kept.store.write_facts(lease, Facts(orders=(filled, ended, foreign), positions=positions))

    assert set(kept.store.held("c1").orders) == {filled, ended}


def test_unfinished_orders_are_held_whatever_became_of_their_position(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    unknown = replace(an_order(position_id="gone"), state=OrderState.UNKNOWN)

    kept.store.write_facts(lease, Facts(orders=(unknown,)))

    assert kept.store.held("c1").orders == (unknown,)


def test_the_latest_closed_positions_are_held_for_their_cooldown(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    lately = a_position("p1", status=CLOSED, closed_at_ms=START_MS - 20_000)
    long_ago = a_position("p2", status=CLOSED, closed_at_ms=START_MS - 86_400_000)

    kept.store.write_facts(lease, Facts(positions=(lately, long_ago)))

    held = kept.store.held("c1")
    assert (held.positions, held.closed[0]) == ((), lately)


def test_an_execution_written_twice_is_one(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)

    for _ in range(2):
        kept.store.write_facts(lease, Facts(orders=(an_order(),), fills=(a_fill(), a_fill())))

    assert kept.store.held("c1").fill_ids == {a_fill().key}


@pytest.mark.parametrize("side", Side)
def test_a_short_key_is_held_by_one_open_position(kept: Kept, side: Side) -> None:
    lease = kept.take(Loop.POSITION)
    first = a_position("p1", key=a_key(side=side, parameter=5))
    second = a_position("p2", key=a_key(side=side, parameter=8))
    other = a_position("p3", key=a_key(side=side.opposite))
    kept.store.write_facts(lease, Facts(positions=(first,)))

    with pytest.raises(ShortKeyTakenError) as taken:
        kept.store.write_facts(
            lease,
            Facts(positions=(second, other), orders=(an_order("o2", position_id="p2"),)),
        )

    assert taken.value.short_keys == (first.key.short_text,)
    held = kept.store.held("c1")
    assert {position.position_id for position in held.positions} == {"p1", "p3"}
    assert held.orders == ()


@pytest.mark.parametrize("side", Side)
def test_a_closed_position_frees_its_short_key_even_for_the_same_write(
    kept: Kept, side: Side
) -> None:
    lease = kept.take(Loop.POSITION)
    key = a_key(side=side)
    kept.store.write_facts(lease, Facts(positions=(a_position("p1", key=key),)))

    closed = a_position("p1", key=key, status=CLOSED, closed_at_ms=START_MS)
    successor = a_position("p2", key=key)
    kept.store.write_facts(lease, Facts(positions=(successor, closed)))

    assert kept.store.held("c1").positions == (successor,)


@pytest.mark.parametrize("side", Side)
def test_a_position_reopened_by_a_late_fill_closes_though_another_holds_its_key(
    kept: Kept, side: Side
) -> None:
    lease = kept.take(Loop.POSITION)
    key = a_key(side=side)
    first = a_position("p1", key=key)
    closed = replace(first, status=CLOSED, closed_at_ms=START_MS)
    successor = a_position("p2", key=key)
    for position in (first, closed, successor, replace(first, status=PositionStatus.CLOSING)):
        kept.store.write_facts(lease, Facts(positions=(position,)))

    kept.store.write_facts(lease, Facts(positions=(closed,)))

    held = kept.store.held("c1")
    assert (held.positions, held.closed) == ((successor,), (closed,))
    with pytest.raises(ShortKeyTakenError):
        kept.store.write_facts(lease, Facts(positions=(a_position("p3", key=key),)))


def test_an_order_ends_once(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    filled = replace(an_order(), state=OrderState.FILLED)
    kept.store.write_facts(lease, Facts(orders=(filled,)))
    kept.store.write_facts(lease, Facts(orders=(replace(filled, reason="seen again"),)))

    with pytest.raises(CorruptStateError, match="o1"):
        kept.store.write_facts(lease, Facts(orders=(replace(filled, state=OrderState.OPEN),)))


def test_an_opening_may_be_written_again_but_not_over_what_came_of_it(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(lease, Facts(positions=(a_position(),)))
    kept.store.write_facts(lease, Facts(positions=(a_position(),)))
    kept.store.write_facts(lease, Facts(positions=(a_position(status=OPEN),)))

    with pytest.raises(CorruptStateError, match="p1"):
        kept.store.write_facts(lease, Facts(positions=(a_position(),)))

    assert kept.store.held("c1").positions[0].status is OPEN


def test_an_intent_never_overwrites_an_order_that_was_claimed(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    order = replace(an_order(), submitting_at_ms=START_MS + 1)
    kept.store.write_facts(lease, Facts(orders=(an_order(),)))
    assert kept.store.claim(lease, order)

    with pytest.raises(CorruptStateError, match="o1"):
        kept.store.write_facts(lease, Facts(orders=(an_order(),)))

    assert kept.store.held("c1").orders[0].state is OrderState.SUBMITTING


def test_an_order_is_claimed_once_with_the_time_its_window_counts_from(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(lease, Facts(orders=(an_order(),)))
    order = replace(an_order(), submitting_at_ms=START_MS + 7)

    assert kept.store.claim(lease, order)
    assert not kept.store.claim(lease, order)

    (held,) = kept.store.held("c1").orders
    assert (held.state, held.submitting_at_ms) == (OrderState.SUBMITTING, START_MS + 7)


def test_an_order_nobody_stored_cannot_be_claimed(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)

    assert not kept.store.claim(lease, an_order())
    assert kept.store.held("c1").orders == ()


def test_a_lease_moved_between_facts_and_claim_claims_nothing(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(lease, Facts(orders=(an_order(),)))
    kept.take(Loop.POSITION, "another")

    with pytest.raises(LeaseLostError):
        kept.store.claim(lease, an_order())

    assert kept.store.held("c1").orders[0].state is OrderState.NEW


def test_a_lease_moved_between_claim_and_send_leaves_an_order_only_to_look_up(
    kept: Kept,
) -> None:
    first = kept.take(Loop.POSITION, "first")
    kept.store.write_facts(first, Facts(orders=(an_order(),)))
    assert kept.store.claim(first, an_order())

    second = kept.take(Loop.POSITION, "second")

    (order,) = kept.store.held("c1").orders
    assert order.state is OrderState.SUBMITTING
    assert not kept.store.claim(second, order)


def test_a_consumed_wish_no_longer_waits(kept: Kept) -> None:
    trade, lease = kept.take(Loop.TRADE), kept.take(Loop.POSITION)
    done, waiting = a_wish(a_key("BTCUSDT")), a_wish(a_key("ETHUSDT"))
    kept.store.write_tick(trade, a_tick(), [done, waiting])

    consumed = Consumed(command_id=done.wish_id, outcome="refused", reason="stale")
    kept.store.write_facts(lease, Facts(consumed=(consumed,)))
    kept.store.write_facts(lease, Facts(consumed=(consumed,)))

    assert [command.wish for command in kept.store.pending("c1")] == [waiting]


def test_more_commands_than_one_transaction_takes_are_all_consumed(kept: Kept) -> None:
    wishes = tuple(replace(a_wish(), entry_close_ms=START_MS + number) for number in range(120))
    trade = kept.take(Loop.TRADE)
    kept.store.write_tick(trade, a_tick(), wishes[:60])
    kept.store.write_tick(trade, a_tick(START_MS + 1000), wishes[60:])
    stale = tuple(
        Consumed(command_id=wish.wish_id, outcome="refused", reason="wish_stale") for wish in wishes
    )

    kept.store.write_facts(kept.take(Loop.POSITION), Facts(consumed=stale))

    assert kept.store.pending("c1") == ()


def test_a_position_that_cannot_open_leaves_its_wish_waiting(kept: Kept) -> None:
    trade, lease = kept.take(Loop.TRADE), kept.take(Loop.POSITION)
    key = a_key()
    kept.store.write_facts(lease, Facts(positions=(a_position("p0", key=key),)))
    wish = a_wish(key)
    kept.store.write_tick(trade, a_tick(), [wish])

    consumed = Consumed(command_id=wish.wish_id, outcome="done")
    with pytest.raises(ShortKeyTakenError):
        kept.store.write_facts(
            lease, Facts(positions=(a_position("p1", key=key),), consumed=(consumed,))
        )

    assert len(kept.store.pending("c1")) == 1


def test_an_unseen_wish_keeps_the_position_loop_awake(kept: Kept) -> None:
    trade, lease = kept.take(Loop.TRADE), kept.take(Loop.POSITION)
    seen = kept.leases.read("c1", Loop.POSITION).wish_seq
    kept.store.write_tick(trade, a_tick(), [a_wish()])

    assert not kept.leases.go_idle(lease, seen_seq=seen)
    assert kept.leases.read("c1", Loop.POSITION).phase == "live"

    seen = kept.leases.read("c1", Loop.POSITION).wish_seq
    assert kept.leases.go_idle(lease, seen_seq=seen)


def test_more_executions_than_one_transaction_takes_are_all_written(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    fills = tuple(a_fill(f"t{number}") for number in range(150))

    kept.store.write_facts(
        lease, Facts(orders=(an_order(),), positions=(a_position(),), fills=fills)
    )

    held = kept.store.held("c1")
    assert held.fill_ids == {fill.key for fill in fills}
    assert held.positions == (a_position(),)


def test_a_run_of_position_ticks_extends_the_lease_and_moves_its_slot(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.clock.advance(3_000)

    longer = kept.store.write_position_ticks(lease, position_ticks())

    row = kept.leases.read("c1", Loop.POSITION)
    assert row.last_slot_ms == START_MS + 600
    assert row.expires_at_ms == longer.sent_at_ms + longer.lease_ms == START_MS + 18_000


def test_a_run_without_ticks_only_extends_the_lease(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    lease = kept.store.write_position_ticks(lease, position_ticks())
    kept.clock.advance(3_000)

    kept.store.write_position_ticks(lease, replace(position_ticks(), ticks=()))

    row = kept.leases.read("c1", Loop.POSITION)
    assert (row.last_slot_ms, row.expires_at_ms) == (START_MS + 600, START_MS + 18_000)


@pytest.mark.parametrize("price", [None, Decimal("66012.10")])
def test_the_exits_an_operator_chose_are_held_with_the_position(
    kept: Kept, price: Decimal | None
) -> None:
    chosen = replace(a_position(status=PositionStatus.OPEN), chosen_stop=price, chosen_target=price)
    kept.store.write_facts(kept.take(Loop.POSITION), Facts(positions=(chosen,)))

    assert kept.store.held("c1").positions == (chosen,)
