import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import candles_of, mirrored, walked, with_gaps, without_rows

from engine.indications.gate import needed_units
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side

START = 10_000_000
NEEDED = 1_000  # ticks a second: a tenth of the position cost of a tenth of a percent
SLOTS = both_sides(IndicationType.ACTIVE, (50,))


def awake(candles: Candles, **values: object) -> bool:
    state, _, _ = indicated(candles, SLOTS, with_values(Settings(), values))
    return bool(state.awake[0])


def swings(*sizes: int) -> list[int]:
    """Closes that go up and down in turn by these ticks."""
    signs = np.where(np.arange(len(sizes)) % 2, -1, 1)
    closes: list[int] = [START, *(START + np.cumsum(signs * np.array(sizes))).tolist()]
    return closes


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("size", "wakes"), [(NEEDED, True), (NEEDED - 1, False)])
def test_a_mean_change_of_a_tenth_of_the_position_cost_a_second_wakes_a_symbol(
    side: Side, size: int, wakes: bool
) -> None:
    path = candles_of(swings(*[size] * 10))

    assert awake(path if side is Side.LONG else mirrored(path, START)) is wakes


def test_it_stays_awake_down_to_seven_tenths_of_that_and_then_sleeps_until_it_is_reached() -> None:
    loud = [NEEDED] * 10

    assert awake(candles_of(swings(*loud, *[701] * 10)))
    assert not awake(candles_of(swings(*loud, *[699] * 10)))
    assert not awake(candles_of(swings(*loud, *[699] * 10, *[999] * 10)))
    assert awake(candles_of(swings(*loud, *[699] * 10, *[1_001] * 10)))
    assert not awake(candles_of(swings(*loud, *[799] * 10)), marketActivityDeactivation="0.8")


def test_ten_known_seconds_are_needed_first() -> None:
    assert not awake(candles_of(swings(*[5 * NEEDED] * 9)))
    assert awake(candles_of(swings(*[5 * NEEDED] * 5)), marketActivityCalculationRange=5)


def test_a_missing_candle_in_the_window_puts_a_symbol_to_sleep() -> None:
    loud = candles_of(swings(*[NEEDED] * 30))

    assert not awake(without_rows(loud, [25]))
    assert awake(without_rows(loud, [15]))


@pytest.mark.parametrize(("share", "wakes"), [("0.01", True), ("0.011", False)])
def test_the_changes_must_deviate_as_much_as_is_asked(share: str, wakes: bool) -> None:
    # ten changes of 0.01 % up and down: their deviation is 0.01 % of the start
    assert awake(candles_of(swings(*[1_000] * 10)), marketActivityMinVolatility=share) is wakes


def test_an_even_climb_has_no_deviation() -> None:
    climb = candles_of([START + 2_000 * second for second in range(11)])

    assert awake(climb)
    assert not awake(climb, marketActivityMinVolatility="0.001")


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("change", "wakes"), [("0.2", True), ("0.21", False)])
def test_the_price_must_get_as_far_as_is_asked(side: Side, change: str, wakes: bool) -> None:
    path = candles_of([START + 2_000 * second for second in range(11)])
    path = path if side is Side.LONG else mirrored(path, START)

    assert awake(path, marketActivityMinPriceChange=change) is wakes


def test_for_a_minute_the_change_needed_grows_with_the_root_of_the_time() -> None:
    assert needed_units(1_000, Settings()) == 10_000  # 0.01 %
    assert needed_units(60_000, Settings()) == 77_459
    assert needed_units(100, Settings()) == 3_162


@pytest.mark.parametrize("side", Side)
def test_a_signal_in_a_sleeping_market_is_refused_and_counted(side: Side) -> None:
    path = candles_of([START] * 60 + [START + 9_000 * second for second in range(8)])
    path = path if side is Side.LONG else mirrored(path, START)
    rules = {"lastPartRatioFactor": "1.0"}

    _, signals, counts = indicated(path, SLOTS, with_values(Settings(), rules))
    off = rules | {"marketActivityPositionCostRatio": 20}
    _, silent, refused = indicated(path, SLOTS, with_values(Settings(), off))

    assert signals["sign"].tolist() == [side.sign]
    assert len(silent) == 0
    assert (counts["refused_inactive"], refused["refused_inactive"]) == (0, 2)


def test_each_symbol_wakes_for_itself_and_a_gap_is_no_change() -> None:
    quiet, loud = [START] * 31, swings(*[NEEDED] * 30)
    both = candles_of(list(zip(quiet, loud, strict=True)), symbols=("AUSDT", "BUSDT"))
    state, _, _ = indicated(both, SLOTS, Settings())
    gaps = np.zeros((31, 2), np.bool_)
    gaps[20:, 1] = True
    asleep, _, _ = indicated(with_gaps(both, gaps), SLOTS, Settings())

    assert state.awake.tolist() == [False, True]
    assert asleep.awake.tolist() == [False, False]


def test_the_gate_is_the_same_candle_by_candle() -> None:
    rules = with_values(Settings(), {"marketActivityPositionCostRatio": 20})
    candles = walked(3, length=90, symbols=("AUSDT", "BUSDT"), span_ms=1000, volatility=1.2e-3)
    state, signals, counts = indicated(candles, SLOTS, rules)
    live, ticks, sums = indicated(candles, SLOTS, rules, range(1, 90))

    assert counts["refused_inactive"] > 0
    assert len(signals) > 0
    assert (ticks.tolist(), sums) == (signals.tolist(), counts)
    assert live.awake.tolist() == state.awake.tolist()
