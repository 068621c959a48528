from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.indicating import (
    ALL_ON,
    EVERY,
    TYPES,
    both_sides,
    every_setting,
    indicated,
    types_of,
)
from tests.market import candles_of, mirrored, walked, with_gaps, without_rows

from engine.errors import InvalidCandleError
from engine.indications.filters import market_change_factor
from engine.indications.signals import IndicationState, indicate
from engine.market import Candles
from engine.sets import make_grid
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side

ENTRY = 1_000_000
LENIENT = {
    "tradeMode": "main",
    "marketActivityEnabled": False,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
    "gridRanges": [3, 5],
    "activeThresholds": ["0.5", "1.0"],
}


def signals_of(candles: Candles, **values: object) -> tuple[np.ndarray, Mapping[str, int]]:
    settings = with_values(Settings(), LENIENT | values)
    slots = make_grid(settings).slots
    state = IndicationState.fresh(len(candles.symbols), len(slots))
    _, signals, refused = indicate(state, candles, slots, settings)
    return signals, refused


def found(
    candles: Candles, indication: IndicationType, **values: object
) -> list[tuple[int, int, int]]:
    """(bar, parameter, sign) of all signals of one type."""
    signals, _ = signals_of(candles, **values)
    kind = list(IndicationType).index(indication)
    chosen = signals[signals["indication"] == kind]
    return list(
        zip(
            chosen["bar"].tolist(),
            chosen["parameter"].tolist(),
            chosen["sign"].tolist(),
            strict=True,
        )
    )


def facing(path: list[int], side: Side) -> Candles:
    """A path up, or the same path down."""
    candles = candles_of(path)
    return candles if side is Side.LONG else mirrored(candles, ENTRY)


def climb(*moves: int) -> list[int]:
    """Closes a second apart from 100.0000, in moves of thousandths of a percent of the entry."""
    return [ENTRY, *(ENTRY + np.cumsum(moves) * 10).tolist()]


QUIET = [0, 1, 0, -1, 0]


@pytest.mark.parametrize("side", Side)
def test_move_goes_on_with_n_quick_steps_one_way(side: Side) -> None:
    path = climb(*QUIET, 101, 101, 110)

    assert found(facing(path, side), IndicationType.MOVE) == [(8, 3, side.sign)]


@pytest.mark.parametrize("side", Side)
def test_move_is_refused_when_its_steps_took_too_long(side: Side) -> None:
    path = climb(*QUIET, 101, *[0] * 70, 101, 110)

    assert found(facing(path, side), IndicationType.MOVE) == []


@pytest.mark.parametrize("side", Side)
def test_direction_turns_with_the_first_opposite_step_after_a_run(side: Side) -> None:
    path = climb(*QUIET, -101, -101, -110, 0, 1, 0, 0, 115)

    assert found(facing(path, side), IndicationType.DIRECTION) == [(13, 3, side.sign)]


@pytest.mark.parametrize("side", Side)
def test_direction_waits_for_more_opposite_steps_when_asked(side: Side) -> None:
    path = climb(*QUIET, -101, -101, -110, 0, 1, 0, 0, 115, 120)

    later = found(facing(path, side), IndicationType.DIRECTION, directionConfirmRatio="0.65")

    assert later == [(14, 3, side.sign)]


@pytest.mark.parametrize("side", Side)
def test_direction_needs_a_long_enough_run(side: Side) -> None:
    path = climb(*QUIET, -101, -110, 0, 1, 0, 0, 115)

    assert found(facing(path, side), IndicationType.DIRECTION) == []


@pytest.mark.parametrize("side", Side)
def test_active_fires_when_the_window_moved_past_the_threshold(side: Side) -> None:
    path = climb(*[0] * 60, 100, 150, 260)

    fired = found(facing(path, side), IndicationType.ACTIVE, moveEnabled=False)

    assert fired == [(63, 50, side.sign)]


@pytest.mark.parametrize("side", Side)
def test_active_needs_a_known_price_at_the_start_of_its_window(side: Side) -> None:
    path = climb(*[0] * 50, 100, 150, 260)

    assert found(facing(path, side), IndicationType.ACTIVE) == []


@pytest.mark.parametrize("side", Side)
def test_a_key_rests_for_its_validation_time_and_not_longer(side: Side) -> None:
    path = climb(*[0] * 60, *([110] * 40))

    bars = [bar for bar, n, _ in found(facing(path, side), IndicationType.MOVE) if n == 3]

    assert np.diff(bars).tolist() == [15] * (len(bars) - 1)
    assert len(bars) >= 3


def test_the_validation_time_of_one_side_does_not_hold_the_other() -> None:
    path = climb(*[0] * 10, 101, 101, 130, -110, -110, -150)

    assert found(candles_of(path), IndicationType.MOVE) == [(13, 3, 1), (16, 3, -1)]


@pytest.mark.parametrize("side", Side)
def test_too_deep_a_drawdown_refuses_a_signal(side: Side) -> None:
    candles = facing(climb(*QUIET, 101, 101, 110), side)
    wick = candles.high.copy() if side is Side.LONG else candles.low.copy()
    wick[7] += side.sign * 4_500  # best 0.655 %, now 0.312 %: more than half given back
    name = "high" if side is Side.LONG else "low"

    changed: dict[str, Any] = {name: wick}
    signals, refused = signals_of(replace(candles, **changed))

    assert len(signals) == 0
    assert refused["refused_drawdown"] == 1


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("ratio", "count"), [("1.5", 1), ("2.0", 0)])
def test_the_last_part_must_be_faster_than_the_whole(side: Side, ratio: str, count: int) -> None:
    # 15 samples, 0.312 % in all: 0.0208 % each; the last 3: 0.0367 % each, 1.76 times as fast
    path = climb(*[0] * 4, 101, *[0] * 4, 101, *[0] * 4, 110)

    assert len(found(facing(path, side), IndicationType.MOVE, lastPartRatioFactor=ratio)) == count


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("index", "count"), [(4, 1), (5, 0)])
def test_market_change_is_the_mean_change_in_ten_seconds(
    side: Side, index: int, count: int
) -> None:
    # a leg of 46 s and 0.31 %: 0.0674 % in 10 s; index 4 asks 0.0567 %, index 5 asks 0.0722 %
    path = climb(*[0] * 3, 101, *[0] * 20, 101, *[0] * 20, 108)

    assert len(found(facing(path, side), IndicationType.MOVE, marketChangeRange=index)) == count


def test_market_change_index_5_asks_0_7224_position_costs() -> None:
    assert str(market_change_factor(5)) == "0.7224"


def test_a_gap_decides_nothing() -> None:
    path = candles_of(climb(*[0] * 60, 100, 150, 260))
    gaps = np.zeros((len(path), 1), np.bool_)
    gaps[-1] = True

    signals, _ = signals_of(with_gaps(path, gaps))

    assert len(signals) == 0


def test_a_window_with_missing_candles_decides_nothing() -> None:
    path = candles_of(climb(*[0] * 61, 100, 150, 260))

    signals, _ = signals_of(without_rows(path, [30]), moveEnabled=False)

    assert len(signals) == 0


def test_minutes_are_samples_too_and_three_are_the_fewest() -> None:
    seconds = candles_of(climb(*[0] * 5, 120, 150, 380))
    minutes = replace(seconds, span_ms=60_000, close_ms=seconds.close_ms * 60)

    signals, _ = signals_of(minutes)

    assert set(signals["samples"].tolist()) == {3}
    assert {(50, 1)} <= set(
        zip(signals["parameter"].tolist(), signals["sign"].tolist(), strict=True)
    )


def test_candles_out_of_order_are_refused() -> None:
    settings = Settings()
    slots = make_grid(settings).slots
    candles = candles_of([100, 101])
    state, _, _ = indicate(IndicationState.fresh(1, len(slots)), candles, slots, settings)

    with pytest.raises(InvalidCandleError, match="must be later than"):
        indicate(state, candles, slots, settings)


@pytest.mark.parametrize("indication", TYPES)
def test_a_disabled_indication_is_silent(indication: IndicationType) -> None:
    candles = walked(2, length=700, volatility=1e-3)
    first, *rest = indication.split("_")
    key = "".join([first, *(word.title() for word in rest), "Enabled"])

    _, signals, _ = indicated(candles, EVERY, every_setting())
    _, fewer, _ = indicated(candles, EVERY, every_setting(**{key: False}))

    assert types_of(signals) == set(TYPES)
    assert types_of(fewer) == set(TYPES) - {indication}


def test_the_types_of_the_five_presets_signal_whatever_is_switched_on() -> None:
    candles = walked(2, length=700, volatility=1e-3)
    off = dict.fromkeys(ALL_ON, False)

    _, signals, _ = indicated(candles, EVERY, every_setting(gridProfile="preset", **off))

    assert types_of(signals) == set(TYPES)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("rest", "accepted"), [(14, False), (15, True)])
def test_the_validation_time_holds_over_a_restart_from_the_arrays(
    side: Side, rest: int, accepted: bool
) -> None:
    slots = both_sides(IndicationType.MOVE, (3,))
    settings = with_values(Settings(), LENIENT)
    path = facing(climb(*QUIET, 101, 101, 110, *[0] * (rest - 1), 101), side)
    state, first, _ = indicate(IndicationState.fresh(1, 2), path.rows(0, 9), slots, settings)

    woken = IndicationState.of_arrays(state.arrays(), state.span_ms)
    _, second, counts = indicate(woken, path.rows(9, len(path)), slots, settings)

    assert len(first) == 1
    assert len(second) == accepted
    assert counts["refused_validation"] == (not accepted)


def test_every_signal_records_what_it_was_decided_on() -> None:
    candles = walked(2, length=500, volatility=3e-3)

    signals, _ = signals_of(candles)

    assert len(signals) > 50
    for signal in signals[:50]:
        bar, sign = int(signal["bar"]), int(signal["sign"])
        past = candles.close[bar - int(signal["samples"]), 0]
        assert signal["price"] == candles.close[bar, 0]
        assert signal["change"] == sign * (candles.close[bar, 0] - past)
        begun = int(np.searchsorted(candles.close_ms, signal["start_ms"], side="right"))
        begun = min(begun, bar)
        leg = slice(begun, bar + 1)
        extreme = candles.high[leg, 0].max() if sign > 0 else candles.low[leg, 0].min()
        assert signal["best"] == extreme
