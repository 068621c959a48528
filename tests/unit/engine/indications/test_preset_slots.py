"""Common indicators signal on slots of their own: rested, but neither gated nor filtered."""

import numpy as np
import pytest
from tests.indicating import indicated
from tests.market import walked

from engine.indications.reasons import explain, sentence
from engine.indications.signals import IndicationState, indicate
from engine.indications.slots import Slot
from engine.indicators.configurations import preset_configurations
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

RULES = with_values(
    Settings(),
    {
        "presetTimeframe": "5",
        "presetMinBars": 60,
        "presetMinStrength": "0.1",
        "rsiPeriods": [7, 14],
        "smaEnabled": False,
        "marketActivityPositionCostRatio": 20,
    },
)
NAMES = tuple("+".join(each.text.split()) for each in preset_configurations(RULES))
SLOTS = tuple(
    Slot(indication=IndicationType.PRESET, parameter=0, side=side, variant=Variant(preset=name))
    for name in NAMES
    for side in Side
)
SYMBOLS = ("AUSDT", "BUSDT")
CANDLES = walked(3, length=1500, symbols=SYMBOLS, span_ms=1000, volatility=1e-3)


def test_every_configuration_signals_on_the_slots_that_name_it() -> None:
    _, signals, counts = indicated(CANDLES, SLOTS, RULES)

    assert set(signals["slot"].tolist()) == set(range(len(SLOTS)))
    for signal in signals:
        slot = SLOTS[int(signal["slot"])]
        assert signal["sign"] == slot.side.sign
        assert signal["at_ms"] % 5_000 == 0
        assert signal["agreeing"] >= 2
        assert signal["strength"] >= 1_000
        assert signal["price"] == CANDLES.close[signal["bar"], signal["symbol"]]
        mine, others = (signal["longs"], signal["shorts"])[:: int(signal["sign"])]
        assert int(mine).bit_count() == signal["agreeing"]
        assert not mine & others
    assert counts["refused_inactive"] == 0
    assert counts["preset_refused_confluence"] > 0


def test_a_preset_slot_rests_for_the_validation_time() -> None:
    _, signals, counts = indicated(CANDLES, SLOTS, RULES)

    for slot in range(len(SLOTS)):
        for symbol in range(2):
            mine = (signals["slot"] == slot) & (signals["symbol"] == symbol)
            assert (np.diff(signals["at_ms"][mine]) >= 15_000).all()
    assert counts["refused_validation"] > 0


@pytest.mark.parametrize("side", Side)
def test_a_slot_that_is_not_in_the_grid_is_not_heard(side: Side) -> None:
    alone = tuple(slot for slot in SLOTS if slot.side is side)

    _, signals, _ = indicated(CANDLES, alone, RULES)
    _, both, _ = indicated(CANDLES, SLOTS, RULES)

    names = ["bar", "symbol", "sign", "strength"]
    assert signals[names].tolist() == both[both["sign"] == side.sign][names].tolist()


def test_preset_slots_are_the_same_however_candles_come() -> None:
    cuts = [1, 2, 400, 777, 778, 1203]
    state, signals, counts = indicated(CANDLES, SLOTS, RULES)

    split, pieces, sums = indicated(CANDLES, SLOTS, RULES, cuts)
    alone, mine, _ = indicated(CANDLES.select(["BUSDT"]), SLOTS, RULES)

    assert (pieces.tolist(), sums) == (signals.tolist(), counts)
    mine["symbol"] = 1
    assert mine.tolist() == signals[signals["symbol"] == 1].tolist()
    for name, array in state.select(np.array([1])).arrays().items():
        assert np.array_equal(array, split.select(np.array([1])).arrays()[name])
        assert np.array_equal(array, alone.arrays()[name])


def test_preset_slots_go_on_from_the_arrays_of_their_state() -> None:
    half, _, _ = indicated(CANDLES.rows(0, 777), SLOTS, RULES)
    rest = CANDLES.rows(777, 1500)
    woken = IndicationState.of_arrays(half.arrays(), half.span_ms)

    _, expected, _ = indicate(half, rest, SLOTS, RULES)
    _, found, _ = indicate(woken, rest, SLOTS, RULES)

    assert found.tolist() == expected.tolist()
    assert len(found) > 0


def test_it_can_be_told_why_a_preset_slot_signalled_or_not() -> None:
    state, _, _ = indicated(CANDLES.rows(0, 1000), SLOTS, RULES)
    told = set()

    for bar in range(1000, 1040):
        candle = CANDLES.rows(bar, bar + 1)
        reasons = explain(state, candle, SLOTS, RULES)
        state, signals, _ = indicate(state, candle, SLOTS, RULES)
        names = ["symbol", "slot"]
        assert reasons[reasons["verdict"] == 0][names].tolist() == signals[names].tolist()
        told |= {
            sentence(each, "BTCUSDT", SLOTS[int(each["slot"])]).split("; ")[1] for each in reasons
        }

    assert "agreement at the end of a bar was 0 indicators, at least 2 indicators is needed" in told
    assert any(each.startswith("time since its last signal was 5 s") for each in told)
