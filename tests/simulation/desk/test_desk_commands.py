"""What an operator commands of positions: other exits, and closing what gains."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_wish, on, some_exits
from tests.desk_world import DeskWorld, with_settings

from engine.events import OrderUpdate
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.orders import remaining
from engine.records import AS_CONFIGURED, Consumed, ExitChange
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
EXITS = some_exits("0.8", "0.4")


def opened(side: Side, **changes: object) -> DeskWorld:
    """A world with one position entered at 100: stop at 99.6, target at 100.8 of its side."""
    world = DeskWorld(**changes)  # type: ignore[arg-type]
    world.open(a_wish(side, exits=EXITS))
    world.run(5)
    return world


def change(
    world: DeskWorld,
    stop: Decimal | None = None,
    target: Decimal | None = None,
    *,
    looser: bool = False,
) -> Consumed:
    """Ask for other exits of the only position; what became of it."""
    position = world.only_position()
    asked = world.command("change_exits", position.position_id)
    exits = ExitChange(stop_price=stop, target_price=target, allow_looser=looser)
    world.store.commands[asked.command_id] = replace(asked, exits=exits)
    world.run(6)
    return world.store.consumed[asked.command_id]


def resting(world: DeskWorld, purpose: Purpose) -> list[tuple[Decimal | None, Decimal]]:
    """Trigger and quantity of what the venue holds."""
    live = [order for order in world.orders(purpose) if order.state.is_working]
    return [(order.trigger_price, remaining(order)) for order in live]


@BOTH
def test_another_stop_and_target_replace_the_venue_s_orders_without_a_bare_moment(
    side: Side,
) -> None:
    world = opened(side, answer_delay_ms=400)
    world.longest_bare_ms = 0
    stop, target = on(side, "99.8"), on(side, "101.5")

    told = change(world, stop, target)

    position = world.only_position()
    assert (told.outcome, told.reason) == ("done", "")
    assert Decimal(told.numbers["former_stop"]) == on(side, "99.6")
    assert (position.stop_price, position.target_price) == (stop, target)
    assert resting(world, Purpose.STOP) == [(stop, position.quantity)]
    assert resting(world, Purpose.TARGET) == [(target, position.quantity)]
    assert world.longest_bare_ms == 0
    assert world.drift() == []


@BOTH
def test_while_the_venue_refuses_the_new_stop_the_old_one_stays(side: Side) -> None:
    world = opened(side)
    world.longest_bare_ms = 0

    def refused(order: Order) -> OrderUpdate:
        return OrderUpdate(
            client_order_id=order.client_order_id,
            state=OrderState.REJECTED,
            reason="-1001 busy",
            at_ms=world.clock.now_ms(),
        )

    world.venue.script += [refused, refused]
    change(world, on(side, "99.8"))
    meanwhile = resting(world, Purpose.STOP)
    world.run(20)

    quantity = world.only_position().quantity
    assert meanwhile == [(on(side, "99.6"), quantity)]
    assert resting(world, Purpose.STOP) == [(on(side, "99.8"), quantity)]
    assert world.longest_bare_ms == 0


@BOTH
def test_the_chosen_stop_ends_the_position_and_so_does_the_chosen_target(side: Side) -> None:
    for price, reason in (("99.79", CloseReason.STOP_LOSS), ("100.3", CloseReason.TAKE_PROFIT)):
        world = opened(side)
        change(world, on(side, "99.8"), on(side, "100.3"))
        world.price(str(on(side, price)))
        world.run(10)

        ended = world.only_position()
        assert (ended.status, ended.close_reason) == (PositionStatus.CLOSED, reason)
        assert world.drift() == []


@BOTH
@pytest.mark.parametrize(
    ("stop", "target", "code"),
    [
        ("100.1", None, "stop_beyond_price"),
        ("100", None, "stop_beyond_price"),
        (None, "99.9", "target_beyond_price"),
        (None, "100", "target_beyond_price"),
        ("99.9", "99.8", "target_beyond_stop"),
        ("99.5", None, "stop_looser"),
        ("-1", None, "price_not_positive"),
    ],
)
def test_exits_on_the_wrong_side_or_too_loose_are_refused_and_nothing_moves(
    side: Side, stop: str | None, target: str | None, code: str
) -> None:
    world = opened(side)
    before = world.only_position(), resting(world, Purpose.STOP), resting(world, Purpose.TARGET)
    at = [
        None if text is None else Decimal(-1) if text == "-1" else on(side, text)
        for text in (stop, target)
    ]

    told = change(world, *at)

    assert (told.outcome, told.reason) == ("refused", code)
    after = world.only_position(), resting(world, Purpose.STOP), resting(world, Purpose.TARGET)
    assert after == before


@BOTH
def test_a_looser_stop_is_taken_only_where_that_is_said_and_told_as_one(side: Side) -> None:
    world = opened(side)

    told = change(world, on(side, "99.2"), looser=True)

    assert (told.outcome, told.reason) == ("done", "looser_stop")
    assert resting(world, Purpose.STOP)[0][0] == on(side, "99.2")


@BOTH
def test_no_stop_may_lie_where_the_position_would_be_liquidated_first(side: Side) -> None:
    world = opened(side)
    leverage = world.only_position().leverage
    beyond = Decimal(100) - Decimal(100) / leverage

    told = change(world, on(side, str(beyond)), looser=True)

    assert (told.outcome, told.reason) == ("refused", "stop_beyond_liquidation")


@BOTH
def test_a_choice_given_up_brings_the_configured_exits_back(side: Side) -> None:
    world = opened(side)
    change(world, on(side, "99.8"), on(side, "101.5"))

    told = change(world, AS_CONFIGURED, AS_CONFIGURED)

    position = world.only_position()
    assert told.outcome == "done"
    assert (position.chosen_stop, position.chosen_target) == (None, None)
    assert (position.stop_price, position.target_price) == (on(side, "99.6"), on(side, "100.8"))
    assert resting(world, Purpose.STOP)[0][0] == on(side, "99.6")


@BOTH
def test_a_trailing_stop_is_not_loosened_by_an_operator_and_follows_on_from_his(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side, exits=some_exits("3", "0.4", ("0.6", "0.2"))))
    world.price(str(on(side, "101")))
    world.run(3)
    trailing = world.only_position().stop_price

    refused = change(world, on(side, "100.1"))
    tighter = change(world, on(side, "100.9"))
    world.price(str(on(side, "102")))
    world.run(3)

    assert (refused.outcome, refused.reason) == ("refused", "trailing_is_tighter")
    assert tighter.outcome == "done"
    followed = world.only_position()
    assert trailing is not None and followed.stop_price is not None
    assert (followed.stop_price - on(side, "100.9")) * side.sign > 0
    assert resting(world, Purpose.STOP)[0][0] == on(side, "100.9")


def test_a_position_that_is_closing_takes_no_other_exits() -> None:
    world = opened(Side.LONG)
    world.command("close_position", world.only_position().position_id)
    world.run(1)

    assert change(world, on(Side.LONG, "99.8")).reason in ("not_open", "unknown_position")


def test_a_change_waits_a_while_for_a_fresh_price_and_is_refused_without() -> None:
    world = opened(Side.LONG)
    world.quote_age_ms = 60_000
    asked = world.command("change_exits", world.only_position().position_id)
    exits = ExitChange(stop_price=Decimal("99.8"))
    world.store.commands[asked.command_id] = replace(asked, exits=exits)

    world.run(10)
    waiting = asked.command_id in world.store.consumed
    world.run(30)

    assert not waiting
    assert world.store.consumed[asked.command_id].reason == "price_stale"


def test_chosen_exits_outlive_the_worker() -> None:
    world = opened(Side.SHORT)
    change(world, on(Side.SHORT, "99.8"))

    world.start()
    world.run(8)

    assert world.only_position().stop_price == on(Side.SHORT, "99.8")
    assert resting(world, Purpose.STOP)[0][0] == on(Side.SHORT, "99.8")
    assert world.drift() == []


def gaining_and_losing() -> tuple[DeskWorld, Position, Position]:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"), settings=with_settings())
    wide = some_exits("9", "5")
    gains = world.open(a_wish(Side.LONG, exits=wide))
    wish = a_wish(Side.LONG, exits=wide)
    key = replace(wish.key, symbol="ETHUSDT")
    loses = world.open(replace(wish, key=key))
    world.price("101")
    return world, gains, loses


@pytest.mark.parametrize(("other", "closed"), [("99.5", 1), ("100.1", 1), ("100.2", 2)])
def test_only_what_gains_after_all_fees_is_closed(other: str, closed: int) -> None:
    world, gains, loses = gaining_and_losing()
    world.price(other, "ETHUSDT")

    asked = world.command("close_profitable")
    world.run(8)

    told = world.store.consumed[asked.command_id]
    assert (told.outcome, told.numbers) == ("done", {"closed": str(closed), "held": "2"})
    assert world.store.positions[gains.position_id].close_reason is CloseReason.MANUAL
    still = world.store.positions[loses.position_id].status is PositionStatus.OPEN
    assert still is (closed == 1)


def test_what_has_no_fresh_price_is_not_known_to_gain() -> None:
    world, _, _ = gaining_and_losing()
    world.quote_age_ms = 60_000

    asked = world.command("close_profitable")
    world.run(40)

    assert world.store.consumed[asked.command_id].numbers == {"closed": "0", "held": "2"}


def test_an_answer_names_what_was_commanded() -> None:
    world = opened(Side.LONG)
    asked = world.command("close_position", world.only_position().position_id)
    world.run(2)

    told = world.store.consumed[asked.command_id]
    assert (told.kind, told.position_id) == ("close_position", asked.position_id)
    assert told.created_at_ms == asked.created_at_ms
