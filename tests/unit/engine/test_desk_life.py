import pytest
from tests.builders import NOW_MS, a_wish
from tests.desk_world import DeskWorld

from engine.values import CloseReason, OrderState, PositionStatus, Purpose, Side

BOTH = pytest.mark.parametrize("side", list(Side))


def adverse(side: Side, percent: str) -> str:
    return str(100 - side.sign * float(percent))


@BOTH
def test_a_wish_becomes_a_filled_position_with_stop_and_target_on_the_venue(side: Side) -> None:
    world = DeskWorld()

    position = world.open(a_wish(side, entry_close_ms=NOW_MS))
    world.run(3)

    (stop,), (target,) = world.orders(Purpose.STOP), world.orders(Purpose.TARGET)
    assert stop.state is target.state is OrderState.OPEN
    assert (
        stop.quantity
        == target.quantity
        == position.quantity
        == world.venue.quantity("BTCUSDT", side)
    )
    assert float(str(stop.trigger_price)) == pytest.approx(100 - side.sign * 0.4)
    assert float(str(target.trigger_price)) == pytest.approx(100 + side.sign * 0.8)
    assert world.drift() == []
    assert world.venue.leverages == {"BTCUSDT": 10}


@BOTH
@pytest.mark.parametrize(
    ("move", "reason"),
    [("0.5", CloseReason.STOP_LOSS), ("-0.9", CloseReason.TAKE_PROFIT)],
)
def test_the_venues_own_order_closes_and_its_sibling_is_cancelled(
    side: Side, move: str, reason: CloseReason
) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)

    world.price(adverse(side, move))
    world.run(4)

    assert world.only_position().status is PositionStatus.CLOSED
    assert world.only_position().close_reason is reason
    assert world.orders(Purpose.CLOSE) == []
    assert world.drift() == []
    world.run_until(lambda: world.plan.idle)
