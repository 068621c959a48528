"""Active-Advanced against the rule as it is told, written down plainly."""

from statistics import fmean, pstdev

import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import candles_of, mirrored, walked, with_gaps, without_rows

from engine.indications.slots import Slot
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

START = 10_000_000
RULES: dict[str, object] = {"marketActivityEnabled": False, "activeAdvancedEnabled": True}
SAMPLE_S = 5


def rules_of(**values: object) -> Settings:
    return with_values(Settings(), RULES | values)


def slots_of(ratios: tuple[int, ...], *minutes: int) -> tuple[Slot, ...]:
    variants = tuple(Variant(window_min=each) for each in minutes)
    return both_sides(IndicationType.ACTIVE_ADVANCED, ratios, variants)


def by_samples(samples: list[int], side: Side) -> Candles:
    """Seconds that hold each sample for five of them."""
    path = candles_of(np.repeat(samples, SAMPLE_S).tolist())
    return path if side is Side.LONG else mirrored(path, START)


# A minute is 12 samples: six at the start price and six on the way up, the last two 0.25 % each.
RISE = [START] * 16 + [START + each * 1_000 for each in (5, 10, 15, 20, 45, 70)]


@pytest.mark.parametrize("side", Side)
def test_it_fires_where_the_price_left_the_mean_of_the_window_and_goes_on(side: Side) -> None:
    _, signals, _ = indicated(by_samples(RISE, side), slots_of((50,), 1), rules_of())

    (signal,) = signals
    closes = [START + side.sign * (each - START) for each in RISE[-12:]]
    mean = fmean(closes)
    assert (signal["bar"], signal["sign"]) == (len(RISE) * SAMPLE_S - 1, side.sign)
    assert signal["overall"] == round(side.sign * (closes[-1] - mean) / mean * 1e8)
    assert signal["last"] == round(side.sign * (closes[-1] - closes[-3]) / closes[-3] * 1e8)
    assert signal["volatility"] == pytest.approx(pstdev(closes) / mean * 1e8, abs=1)
    assert signal["decline"] == pytest.approx(
        (max(closes) - min(closes)) / max(closes) * 1e8, abs=1
    )
    assert signal["momentum"] > 0
    assert (signal["start"], signal["best"]) == (closes[0], closes[-1])


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("values", "fires"),
    [
        ({"activeAdvancedContinuation": "2"}, True),  # 0.5 % of 0.55 % in the last fifth
        ({"activeAdvancedMinVolatility": "0.2"}, True),  # 0.218 %
        ({"activeAdvancedMinVolatility": "0.25"}, False),
        ({"activeAdvancedMaxDrawdown": "0.7"}, True),  # 0.695 %
        ({"activeAdvancedMaxDrawdown": "0.5"}, False),
        ({"activeAdvancedMinSamples": 30}, False),
        ({"activeAdvancedEnabled": False}, False),
    ],
)
def test_each_condition_can_refuse_it(side: Side, values: dict[str, object], fires: bool) -> None:
    _, signals, _ = indicated(by_samples(RISE, side), slots_of((50,), 1), rules_of(**values))

    assert len(signals) == fires


@pytest.mark.parametrize("side", Side)
def test_a_move_that_has_stopped_does_not_go_on(side: Side) -> None:
    stopped = [START] * 16 + [START + 50_000] * 3 + [START + 70_000] * 3

    _, signals, _ = indicated(by_samples(stopped, side), slots_of((30,), 1), rules_of())

    assert signals["bar"].tolist() == [17 * SAMPLE_S - 1, 20 * SAMPLE_S - 1]


def told(candles: Candles, ratio: int, minutes: int, side: Side, rules: Settings) -> list[int]:
    """Candles the rule fires on, read from its words, without the validation time."""
    period = max(5_000, candles.span_ms)
    count = minutes * 60_000 // period
    cells = dict(zip((-(-candles.close_ms // period)).tolist(), candles.close[:, 0], strict=True))
    fired = []
    for bar, at_ms in enumerate(candles.close_ms.tolist()):
        if at_ms % period or count < 3:
            continue
        now = at_ms // period
        seen = [cells.get(cell) for cell in range(now - max(count, 10) + 1, now + 1)]
        if None in seen:
            continue
        window = [int(each) for each in seen[-count:] if each is not None]
        part = max(1, count // 5)
        mean, k = fmean(window), min(5, count // 3)
        overall = (window[-1] - mean) / mean * side.sign
        last = (window[-1] - window[-1 - part]) / window[-1 - part] * side.sign
        momentum = (fmean(window[-k:]) - fmean(window[:k])) * side.sign
        share = float(rules.active_advanced_continuation) * 0.2
        if (
            overall * 10_000 >= ratio
            and last >= share * overall
            and pstdev(window) / mean * 100 >= float(rules.active_advanced_volatility_pct)
            and momentum > 0
            and (max(window) - min(window)) / max(window) * 100
            <= float(rules.active_advanced_decline_pct)
        ):
            fired.append(bar)
    return fired


@pytest.mark.parametrize(("span_ms", "minutes"), [(1000, 1), (1000, 3), (5000, 10), (60_000, 15)])
@pytest.mark.parametrize("side", Side)
def test_it_fires_wherever_the_rule_says_so(span_ms: int, minutes: int, side: Side) -> None:
    rules = rules_of(validationTimeout=1)
    market = walked(4, length=1200, span_ms=span_ms, volatility=1.5e-3 if span_ms > 1000 else 4e-4)
    candles = without_rows(market, [500, *range(700, 720)])
    slots = slots_of((20,), minutes)

    _, signals, _ = indicated(candles, slots, rules)

    found = signals["bar"][signals["sign"] == side.sign].tolist()
    assert found == told(candles, 20, minutes, side, rules)
    assert len(found) > 5


def test_a_gap_fires_nothing() -> None:
    rise = by_samples(RISE, Side.LONG)
    gaps = np.zeros((len(rise), 1), np.bool_)
    gaps[-1] = True

    _, signals, _ = indicated(with_gaps(rise, gaps), slots_of((50,), 1), rules_of())

    assert len(signals) == 0


def test_the_gate_holds_but_the_common_filters_do_not() -> None:
    rise, slots = by_samples(RISE, Side.LONG), slots_of((50,), 1)
    strict = {"marketChangeRange": 10, "drawdownRatio": "0.1", "lastPartRatioFactor": "2.5"}
    gate = {"marketActivityEnabled": True, "marketActivityPositionCostRatio": 20}

    _, signals, _ = indicated(rise, slots, rules_of(**strict))
    _, asleep, counts = indicated(rise, slots, rules_of(**gate))

    assert len(signals) == 1
    assert (len(asleep), counts["refused_inactive"]) == (0, 1)
