"""The ladder on paper: steps down, the average, the stop beyond; both sides."""

import pytest
from tests.unit.engine.strategies.living import Bar, Position, flat, settings_of

from engine.pseudo import STEPS
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", Side)
LADDER: dict[str, object] = {"dcaEnabled": True, "dcaOnly": True}
TRAILING: dict[str, object] = {
    **LADDER,
    "trailingEnabled": True,
    "trailingOnly": True,
    "trailingStartValues": ["0.3"],
    "trailingStopValues": ["0.1"],
}
FREE: dict[str, object] = {"slippagePercent": "0", "takerFeePercent": "0", "minViableExits": False}


def ladder(side: Side, bars: list[Bar | None], span_ms: int = 60_000, **values: object) -> Position:
    return Position(side, bars, settings_of(**LADDER, **FREE, **values), span_ms=span_ms)


@BOTH
def test_steps_at_99_5_and_99_average_99_7_and_then_99_3889_at_a_total_of_4_5(side: Side) -> None:
    one = ladder(side, [flat(99.5)])
    two = ladder(side, [flat(99.5), flat(99.0)])

    assert one.average == pytest.approx(99.7, abs=1e-4)
    assert two.average == pytest.approx(99.3889, abs=1e-4)
    assert [int(each.now.adjust[0, STEPS]) for each in (one, two)] == [1, 2]
    assert 1 + sum(two.rules.volumes.tolist()) / 10_000 == 4.5  # the next step would pass 5


@BOTH
def test_the_stop_lies_beyond_the_last_admitted_step(side: Side) -> None:
    held = ladder(side, [(99.2, 99.2, 98.81, 98.9)])
    ended = ladder(side, [(99.2, 99.2, 98.8, 98.9)])

    assert held.stop == 98.8
    assert held.end is None
    assert ended.end == (0, CloseReason.STOP_LOSS, 98.8)


@BOTH
def test_steps_and_stop_in_one_candle_are_filled_on_the_way_and_lose_their_parts(
    side: Side,
) -> None:
    crash = ladder(side, [(100, 100, 98, 98)])

    assert crash.end == (0, CloseReason.STOP_LOSS, 98.8)
    lost = sum(
        volume * side.sign * ((100 - side.sign * 1.2) / (100 - side.sign * down) - 1) * 100
        for volume, down in ((1, 0), (1.5, 0.5), (2, 1.0))
    )
    assert crash.net_pct == pytest.approx(lost, abs=1e-6)


@BOTH
def test_a_candle_that_opens_beyond_the_stop_takes_no_step(side: Side) -> None:
    gapped = ladder(side, [(98, 99.7, 97, 99)])

    assert gapped.end == (0, CloseReason.STOP_LOSS, 98.0)
    assert gapped.now.adjust[0, STEPS] == 0
    assert gapped.net_pct == pytest.approx(-2)


@BOTH
def test_a_step_that_the_market_jumped_over_is_filled_at_the_open(side: Side) -> None:
    jumped = ladder(side, [(99.3, 99.4, 99.2, 99.3)])

    assert jumped.average == pytest.approx((100 + 1.5 * 99.3) / 2.5, abs=1e-4)


@BOTH
@pytest.mark.parametrize(
    ("mode", "target"),
    [("average", 99.7 * 1.008), ("first_entry", 100.8), ("breakeven_plus", 99.7 * 1.001)],
)
def test_after_a_step_the_target_is_measured_as_the_mode_says(
    side: Side, mode: str, target: float
) -> None:
    stepped = ladder(side, [flat(99.5)], dcaTakeProfitMode=mode)

    around = target if side is Side.LONG else 200 - (200 - 99.7) * (2 - target / 99.7)
    if mode == "first_entry":
        around = target
    assert stepped.target == pytest.approx(around, abs=1.1e-4)


@BOTH
def test_the_candle_of_a_step_reaches_no_target_but_the_next_one_does(side: Side) -> None:
    wild: Bar = (100, 101, 99.4, 101)

    assert ladder(side, [wild]).end is None
    end = ladder(side, [wild, wild]).end
    assert end is not None
    assert (end[0], end[1]) == (1, CloseReason.TAKE_PROFIT)


@BOTH
def test_the_next_step_waits_30_s_after_the_last(side: Side) -> None:
    falling: list[Bar | None] = [flat(99.5), *[flat(98.9)] * 31]

    early = ladder(side, falling[:30], span_ms=1000)
    late = ladder(side, falling[:31], span_ms=1000)

    assert (early.now.adjust[0, STEPS], late.now.adjust[0, STEPS]) == (1, 2)
    assert late.average == pytest.approx((100 + 1.5 * 99.5 + 2 * 98.9) / 4.5, abs=1e-4)


@BOTH
def test_the_stop_is_watched_while_a_step_waits(side: Side) -> None:
    falling: list[Bar | None] = [flat(99.5), flat(98.9), flat(98.7)]

    assert ladder(side, falling, span_ms=1000).end == (2, CloseReason.STOP_LOSS, 98.7)


@BOTH
def test_a_gap_takes_no_step_and_ends_nothing(side: Side) -> None:
    assert ladder(side, [None, None]).now.adjust[0, STEPS] == 0


@BOTH
def test_trailing_arms_from_the_average_entry_after_a_step(side: Side) -> None:
    # The average is 99.7: 0.3 % from there is less than the entry.
    path: list[Bar | None] = [flat(99.5), flat(100.05), flat(99.8)]

    stepped = Position(side, path, settings_of(**TRAILING), span_ms=60_000)
    plain = Position(side, [flat(99.6), *path[1:]], settings_of(**TRAILING), span_ms=60_000)

    assert stepped.end is not None
    assert stepped.end[:2] == (2, CloseReason.TRAILING_STOP)
    assert plain.end is None


@BOTH
def test_a_candle_shorter_than_the_rest_has_room_for_one_step(side: Side) -> None:
    falling: list[Bar | None] = [(100, 100, 99, 99)]

    assert ladder(side, falling, span_ms=1000).now.adjust[0, STEPS] == 1
    assert ladder(side, falling, span_ms=60_000).now.adjust[0, STEPS] == 2


@BOTH
def test_a_best_price_of_before_the_step_arms_nothing(side: Side) -> None:
    path: list[Bar | None] = [flat(100.25), flat(99.5), flat(99.6)]

    assert Position(side, path, settings_of(**TRAILING), span_ms=60_000).end is None
