"""A trend proves a preset, its evaluation passes wishes on; when the trend ends it rests again."""

import numpy as np
import pytest
from tests.market import candles_of
from tests.unit.engine.trading import lenient, planned

from engine.market import Candles
from engine.preset_evaluation import evaluate_presets
from engine.promotion import Stage
from engine.trade import plan_trade
from engine.values import IndicationType, Side

SETTINGS = lenient(
    tradeMode="preset",
    presetTimeframe="5",
    presetMinBars=20,
    validationTimeout=1,
    positionCooldown=1,
    presetTakeProfits=["4"],
    presetStopLosses=["0.9"],
    trailingEnabled=False,
    emaShort=[5, 9],
)
START = 1_000_000


def trend(side: Side, seconds: int) -> Candles:
    rates = np.where(np.arange(seconds) % 7 == 6, 0.9997, 1.0004)
    path = np.cumprod(rates if side is Side.LONG else 1 / rates)
    return candles_of(np.rint(START * path).astype(np.int64).tolist())


def chop(after: Candles, side: Side, seconds: int) -> Candles:
    """It goes a little on with the trend and then a stop's width back, again and again."""
    last, wave = int(after.close[-1, 0]), np.arange(seconds) % 120
    shape = np.where(wave < 60, wave, 60 - 2.5 * (wave - 60)) * 6e-5
    path = last * (1 + side.sign * shape)
    start_ms = int(after.close_ms[-1])
    return candles_of(np.rint(path).astype(np.int64).tolist(), start_ms=start_ms)


@pytest.mark.parametrize("side", Side)
def test_a_preset_is_proven_traded_and_rests_when_its_market_has_gone(side: Side) -> None:
    up = trend(side, 6000)
    state, plan = planned(up, SETTINGS)

    proven = evaluate_presets(state, SETTINGS, state.last_close_ms)

    assert state.history.stage.max() == Stage.EXCHANGE
    assert {wish.key.indication for wish in plan.wishes} == {IndicationType.PRESET}
    assert {wish.key.side for wish in plan.wishes} == {side}
    newest = [wish for wish in plan.wishes if wish.entry_close_ms >= state.last_close_ms - 60_000]
    passed = proven.passed_on(newest)
    assert len(passed) == SETTINGS.preset_wishes_per_symbol
    assert proven.counts == {"presets_trading": 2, "presets_resting": 0}

    state, later = plan_trade(state, chop(up, side, 6000), SETTINGS)

    gone = evaluate_presets(state, SETTINGS, state.last_close_ms)
    print(*gone.reasons().items(), sep="\n")
    assert gone.counts == {"presets_trading": 0, "presets_resting": 2}
    assert gone.passed_on(later.wishes) == ()
