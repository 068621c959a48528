"""The worked examples of the rules, with their very numbers, through the engine's own functions.

A price of 100 is 1,000,000 ticks of 0.0001 here, on paper and on the exchange.
"""

from decimal import Decimal

import numpy as np
import pytest
from tests.builders import a_position, a_set_key, an_account, an_instrument, some_exits
from tests.market import START_MS, candles_of, mirrored

from engine.health import Health, component_health
from engine.indications.filters import market_change_factor
from engine.indications.signals import IndicationState, indicate
from engine.indications.slots import Slot
from engine.indications.steps import StepState, walk_steps
from engine.ledger import Position
from engine.levels import exit_due, fixed_stop, fixed_target, trailed
from engine.market import Candles, Ints, Kind
from engine.risk import Exposure
from engine.settings import Settings, with_values
from engine.sizing import Size, sized
from engine.trade import TradePlan, TradeState, plan_trade
from engine.values import CloseReason, Exits, IndicationType, Side

HUNDRED = 1_000_000
FINE = an_instrument(price_tick=Decimal("0.0001"))
BOTH = pytest.mark.parametrize("side", Side)
FREE_OF_SLIPPAGE = {"slippagePercent": "0", "takerFeePercent": "0.055"}
MOVES_ALONE = {
    "tradeMode": "main",
    "marketActivityEnabled": False,
    "activeEnabled": False,
    "directionEnabled": False,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
    "stepRelationMaxRatio": "2",
    "gridTakeProfits": ["8"],
    "gridStopLosses": ["0.5"],
    "gridRanges": [4],
    "trailingEnabled": False,
}


def settings_of(**values: object) -> Settings:
    return with_values(Settings(), MOVES_ALONE | values)


def ticks(price: str) -> int:
    return FINE.to_ticks(Decimal(price))


def on(side: Side, price: str) -> int:
    """A price told for a long, in ticks; of a short it lies as far on the other side of 100."""
    return HUNDRED + side.sign * (ticks(price) - HUNDRED)


def seconds(side: Side, closes: list[int], *, start_ms: int = START_MS) -> Candles:
    candles = candles_of(closes, start_ms=start_ms)
    return candles if side is Side.LONG else mirrored(candles, HUNDRED)


def opened_at_100(side: Side, settings: Settings) -> tuple[TradeState, TradePlan]:
    """A state whose Sets of one side opened at 100, by as many quick steps as their range."""
    (steps,) = settings.grid_ranges
    path = [HUNDRED - 1000 * steps - 100] * 6 + [HUNDRED]
    fresh = TradeState.fresh([FINE], settings)
    state, plan = plan_trade(fresh, seconds(side, path), settings)
    assert plan.openings["entry"].tolist() == [HUNDRED] * len(state.positions) != []
    return state, plan


def next_close(
    state: TradeState, side: Side, price: str, settings: Settings
) -> tuple[TradeState, TradePlan]:
    """One second later, at `price` as told for a long."""
    candle = seconds(side, [ticks(price)], start_ms=state.last_close_ms)
    return plan_trade(state, candle, settings)


def mirrored_tick(side: Side, price: Ints) -> int:
    return side.sign * int(price[0])


@BOTH
@pytest.mark.parametrize(
    ("stop", "target"), [(("99.6", "100.4"), ("100.8", "99.2"))], ids=["entry at 100"]
)
def test_exit_prices_are_a_target_of_8_costs_and_a_stop_of_half_the_target(
    side: Side, stop: tuple[str, str], target: tuple[str, str]
) -> None:
    state, _ = opened_at_100(side, settings_of())
    (exits,) = state.grid.exits
    held = holding(side, exits)
    short = side is Side.SHORT

    assert (exits.take_profit_pct, exits.stop_loss_pct) == (Decimal("0.8"), Decimal("0.4"))
    assert mirrored_tick(side, state.positions.target) == ticks(target[short])
    assert mirrored_tick(side, state.positions.stop) == ticks(stop[short])
    assert fixed_target(held, FINE, Settings()) == Decimal(target[short])
    assert fixed_stop(held, FINE, Settings()) == Decimal(stop[short])


@BOTH
@pytest.mark.parametrize(
    ("close", "reason", "result"),
    [("100.8", CloseReason.TAKE_PROFIT, 690), ("99.6", CloseReason.STOP_LOSS, -510)],
)
def test_a_result_is_6_9_costs_at_the_target_and_minus_5_1_at_the_stop_net_of_0_11_fees(
    side: Side, close: str, reason: CloseReason, result: int
) -> None:
    settings = settings_of(**FREE_OF_SLIPPAGE)
    state, _ = opened_at_100(side, settings)

    _, plan = next_close(state, side, close, settings)

    assert plan.close_reasons == {reason: 1}
    assert plan.closings["exit"].tolist() == [on(side, close)]
    assert plan.closings["result"].tolist() == [result]


TRAILING = settings_of(
    gridRanges=[6],
    gridTakeProfits=["12"],
    trailingEnabled=True,
    trailingStartValues=["0.6"],
    trailingStopValues=["0.2"],
)


def trailing_closes(state: TradeState, side: Side, price: str) -> list[int]:
    """Exits by trailing stop of a next candle at `price`."""
    _, plan = next_close(state, side, price, TRAILING)
    assert set(plan.close_reasons) <= {CloseReason.TRAILING_STOP}
    exits: list[int] = plan.closings["exit"].tolist()
    return exits


@BOTH
def test_trailing_0_6_0_2_arms_at_100_6_and_ends_at_100_79_after_a_best_of_101(side: Side) -> None:
    state, _ = opened_at_100(side, TRAILING)
    state, _ = next_close(state, side, "100.5", TRAILING)
    assert trailing_closes(state, side, "100.2") == []  # not armed

    state, _ = next_close(state, side, "100.6", TRAILING)
    assert trailing_closes(state, side, "100.3989" if side is Side.LONG else "100.4013") == []
    stop = "100.3988" if side is Side.LONG else "100.4012"  # 0.2 % of 99.4 is less than of 100.6
    assert trailing_closes(state, side, stop) == [on(side, stop)]

    state, _ = next_close(state, side, "101.0", TRAILING)
    assert trailing_closes(state, side, "100.7981" if side is Side.LONG else "100.8021") == []
    stop = "100.798" if side is Side.LONG else "100.802"
    assert trailing_closes(state, side, stop) == [on(side, stop)]
    assert trailing_closes(state, side, "100.79") == [on(side, "100.79")]


def holding(side: Side, exits: Exits) -> Position:
    """An exchange position entered at 100, with its fixed exits."""
    held = a_position(side, key=a_set_key(side, exits=exits))
    stop, target = fixed_stop(held, FINE, Settings()), fixed_target(held, FINE, Settings())
    return a_position(side, key=held.key, stop_price=stop, target_price=target)


@BOTH
def test_the_exchange_position_trails_along_the_same_path(side: Side) -> None:
    position = holding(side, some_exits("8", "0.4", ("0.6", "0.2")))
    short = side is Side.SHORT
    stops = []

    for price in ("100.5", "100.6", "101.0"):
        position = trailed(position, FINE.to_price(on(side, price)), FINE, Settings())
        stops.append((position.trail_armed, position.stop_price))

    assert stops == [
        (False, Decimal("100.4000") if short else Decimal("99.6000")),
        (True, Decimal("99.5988") if short else Decimal("100.3988")),
        (True, Decimal("99.1980") if short else Decimal("100.7980")),
    ]
    above = FINE.to_price(on(side, "100.8021" if short else "100.7981"))
    assert exit_due(position, above, FINE, Settings()) is None
    below = FINE.to_price(on(side, "100.79"))
    assert exit_due(position, below, FINE, Settings()) is CloseReason.TRAILING_STOP


@BOTH
def test_market_change_5_asks_0_07224_percent_in_10_s_in_signal_direction(side: Side) -> None:
    assert market_change_factor(5) == Decimal("0.7224")

    assert not passes_market_change(side, ticks_moved=7223)
    assert passes_market_change(side, ticks_moved=7224)
    assert not passes_market_change(side, ticks_moved=-7224)


def passes_market_change(side: Side, *, ticks_moved: int) -> bool:
    """A leg of 10 s from 100, at a tick of 0.00001, which moves in its last second."""
    start = 10_000_000
    candles = candles_of([start] * 10 + [start + side.sign * ticks_moved])
    settings = settings_of(
        activeEnabled=True, activeWindowSeconds=10, marketChangeRange=5, drawdownRatio="0.5"
    )
    slot = Slot(indication=IndicationType.ACTIVE, parameter=1, side=side)
    _, signals, _ = indicate(IndicationState.fresh(1, 1), candles, (slot,), settings)
    return len(signals) == 1


@pytest.mark.parametrize(
    ("prices", "steps"),
    [
        (
            ("100", "100.05", "100.10", "100.21", "100.09"),
            [(2, 1, "100.1"), (3, 1, "100.2001"), (4, -1, "100.0999")],
        ),
        (
            ("100", "99.95", "99.90", "99.79", "99.91"),
            [(2, -1, "99.9"), (3, -1, "99.8001"), (4, 1, "99.8999")],
        ),
    ],
    ids=["up", "down"],
)
def test_cost_steps_move_the_anchor_by_a_tenth_of_a_percent_of_itself(
    prices: tuple[str, ...], steps: list[tuple[int, int, str]]
) -> None:
    candles = candles_of([ticks(price) for price in prices])

    prices_of = (candles.close, candles.high, candles.low, candles.kind != Kind.GAP)
    _, walk = walk_steps(StepState.fresh(1), candles.close_ms, *prices_of, Settings())

    sign, anchor = walk.log.sign[walk.index].tolist(), walk.log.anchor[walk.index].tolist()
    found = list(zip(walk.bar.tolist(), sign, anchor, strict=True))
    assert found == [(0, 0, HUNDRED), *((bar, way, ticks(price)) for bar, way, price in steps)]


def test_5000_over_50_positions_at_25000_are_0_004_and_a_margin_of_10() -> None:
    size = sized(
        instrument=an_instrument(quantity_step=Decimal("0.001")),
        price=Decimal(25_000),
        size_ratio=Decimal(1),
        leverage=10,
        account=an_account("5000"),
        exposure=Exposure(),
        settings=with_values(Settings(), {"positions_average": 50}),
    )

    assert isinstance(size, Size)
    assert size.quantity == Decimal("0.004")
    assert (size.notional, size.margin) == (Decimal(100), Decimal(10))


LIMIT = settings_of(
    directionEnabled=True,
    moveEnabled=False,
    gridRanges=[5],
    gridTakeProfits=["8", "10"],
    trailingEnabled=True,
    trailingStartValues=["0.6"],
    trailingStopValues=["0.2"],
    **FREE_OF_SLIPPAGE,
)
RUN = [101] * 5
TURN = [*[0] * 4, -115]


def legs_of(*moves: int) -> list[int]:
    """Closes from 100, a second apart, in moves of thousandths of a percent."""
    closes: list[int] = (HUNDRED + np.cumsum([0] * 6 + list(moves)) * 10).tolist()
    return closes


@BOTH
def test_the_second_identical_signal_is_rejected_but_not_another_side_target_or_trailing(
    side: Side,
) -> None:
    """Down a run and back: a long. Up a run and back: a short. Down and back: a long again."""
    down, up = [-move for move in RUN + TURN], RUN + TURN
    quiet = [0] * 10
    candles = seconds(side, legs_of(*down, *quiet, *up, *quiet, *down))

    state, plan = plan_trade(TradeState.fresh([FINE], LIMIT), candles, LIMIT)

    identical = int((plan.signals["sign"] == side.sign).sum())
    assert identical >= 2
    assert plan.counts["closed"] == plan.counts["shadow_closed"] == 0
    opened = {
        (key.side, key.exits.text)
        for key in (state.set_key("BTCUSDT", int(k)) for k in plan.openings["set"])
    }
    assert opened == {
        (each, exits)
        for each in Side
        for exits in ("0.8|0.4|0/0", "0.8|0.4|0.6/0.2", "1|0.5|0/0", "1|0.5|0.6/0.2")
    }
    assert not plan.openings["shadow"].any()
    assert len(plan.openings) == len(opened)
    assert plan.counts["blocked"] == 4 * (len(plan.signals) - 2)  # all but the first of each side


def tenths(side: Side, closes: list[int]) -> Candles:
    """Closes a tenth of a second apart."""
    candles = candles_of(closes, span_ms=100)
    return candles if side is Side.LONG else mirrored(candles, HUNDRED)


def jump(closes: list[int]) -> list[int]:
    """The same and a jump of a bit over four steps, which is a Move over 4."""
    return [*closes, closes[-1] + 4_500]


@BOTH
@pytest.mark.parametrize(("after_tenths", "opens"), [(199, False), (200, True)])
def test_a_set_closed_at_t_is_rejected_at_19_9_s_and_accepted_at_20_s(
    side: Side, after_tenths: int, opens: bool
) -> None:
    settings = settings_of(validationTimeout=1)
    path = jump([HUNDRED - 4_500] * 35)
    path += [*[HUNDRED] * 10, HUNDRED + 8_000]  # its target, where it closes
    closed = len(path) - 1
    path += [path[-1]] * (after_tenths - 1)
    candles = tenths(side, jump(path))

    _, plan = plan_trade(TradeState.fresh([FINE], settings), candles, settings)

    signalled = plan.signals["bar"].tolist()
    assert closed + after_tenths in signalled
    assert plan.closings["bar"].tolist() == [closed]
    assert (closed + after_tenths in plan.openings["bar"].tolist()) is opens


@BOTH
@pytest.mark.parametrize(("after_tenths", "accepted"), [(149, False), (150, True)])
def test_an_indication_validated_at_t_is_accepted_next_at_t_plus_15_s(
    side: Side, after_tenths: int, accepted: bool
) -> None:
    first = jump([HUNDRED] * 35)
    validated = len(first) - 1
    candles = tenths(side, jump(first + [first[-1]] * (after_tenths - 1)))

    _, plan = plan_trade(TradeState.fresh([FINE], settings_of()), candles, settings_of())

    kinds = {list(IndicationType)[kind] for kind in plan.signals["indication"].tolist()}
    assert kinds == {IndicationType.MOVE}
    assert plan.signals["bar"].tolist() == [validated] + [validated + after_tenths] * accepted
    assert plan.counts["refused_validation"] == (not accepted)


@pytest.mark.parametrize(
    ("cycle_s", "succeeded", "health"),
    [
        (16, 100, Health.UNHEALTHY),
        (11, 100, Health.DEGRADED),
        (10, 100, Health.HEALTHY),
        (1, 94, Health.DEGRADED),
        (1, 79, Health.UNHEALTHY),
        (1, 95, Health.HEALTHY),
    ],
)
def test_indications_with_a_cycle_of_16_s_or_79_percent_success_are_unhealthy(
    cycle_s: int, succeeded: int, health: Health
) -> None:
    threshold_ms = Settings().indications_cycle_s * 1000

    found = component_health(
        cycle_ms=cycle_s * 1000,
        threshold_ms=threshold_ms,
        succeeded=succeeded,
        failed=100 - succeeded,
    )

    assert (threshold_ms, found) == (5_000, health)
