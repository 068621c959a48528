"""Auto against the rule as it is told, written down plainly."""

from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest
from tests.indicating import EASY_AUTO, both_sides, indicated
from tests.market import candles_of, mirrored, walked, without_rows

from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

START = 10_000_000
RULES: dict[str, object] = {"marketActivityEnabled": False, "autoEnabled": True}
SLOTS = both_sides(IndicationType.AUTO, (50,), (Variant(window_min=10),))


def rules_of(**values: object) -> Settings:
    return with_values(Settings(), RULES | values)


def facing(closes: list[int], side: Side) -> Candles:
    """Minutes."""
    path = candles_of(closes, span_ms=60_000)
    return path if side is Side.LONG else mirrored(path, START)


# Two hours up by 0.02 % a minute, then faster and faster.
CLIMB = [START + 2_000 * minute for minute in range(120)]
CLIMB += [CLIMB[-1] + 2_000 * minute + 100 * minute**2 for minute in range(1, 30)]


@pytest.mark.parametrize("side", Side)
def test_it_fires_with_the_trends_of_all_frames(side: Side) -> None:
    _, signals, _ = indicated(facing(CLIMB, side), SLOTS, rules_of(autoStepProgression="0.3"))

    assert set(signals["sign"].tolist()) == {side.sign}
    first = signals[0]
    assert first["trend"] == side.sign
    assert first["overall"] >= 500_000
    assert first["progressive"] > 0
    assert first["momentum"] > 0


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    "values",
    [
        {"autoMinHistory": 480},
        {"autoTrendChange": "5"},
        {"autoStepProgression": "5"},
        {"autoMinVolatility": "1"},
        {"autoMaxVolatility": "0.5", "autoMinVolatility": "0.6"},
        {"autoEnabled": False},
        {"autoNoise": "0.1"},
    ],
)
def test_each_condition_can_refuse_it(side: Side, values: dict[str, object]) -> None:
    easier = {"autoStepProgression": "0.3", **values}

    _, signals, _ = indicated(facing(CLIMB, side), SLOTS, rules_of(**easier))

    assert len(signals) == 0


def test_a_move_below_its_ratio_is_none() -> None:
    slots = both_sides(IndicationType.AUTO, (90,), (Variant(window_min=10),))

    _, signals, _ = indicated(facing(CLIMB, Side.LONG), slots, rules_of(autoStepProgression="0.3"))

    assert len(signals) == 0


# Down for hours, then 32 minutes up, then to and fro.
TURN = [START - 2_000 * minute for minute in range(150)]
TURN += [TURN[-1] + 4_000 * minute for minute in range(1, 33)]
TO_AND_FRO = [2_000, -1_500, 2_000, -1_500, 2_000, -1_500, 1_500, -1_100, 2_600]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("missing", "fires"), [(3, True), (4, False)])
def test_a_long_run_among_the_newest_120_confirms_the_trend_of_the_hour(
    side: Side, missing: int, fires: bool
) -> None:
    path = TURN[: len(TURN) - missing]
    path = [*path, *(path[-1] + np.cumsum(TO_AND_FRO)).tolist()]
    easy = {"autoActivity": "0.01", "autoStepProgression": "0", "autoMomentum": "0.2"}
    slots = both_sides(IndicationType.AUTO, (1,), (Variant(window_min=3),))

    _, signals, _ = indicated(facing(path, side), slots, rules_of(**easy, validationTimeout=1))

    last = signals[signals["bar"] == len(path) - 1]
    assert last["sign"].tolist() == ([side.sign] if fires else [])
    assert set(last["turn"].tolist()) <= {side.sign}


# --- the rule in plain words ------------------------------------------------------------------


def sign_of(number: float) -> int:
    return (number > 0) - (number < 0)


def trend(prices: list[int], rules: Settings) -> int:
    change = (prices[-1] - prices[0]) / prices[0] * 100
    return sign_of(change) if abs(change) > float(rules.auto_trend_pct) else 0


def momentum(prices: list[int]) -> float:
    k = min(10, len(prices) // 3)
    oldest = fmean(prices[:k])
    return (fmean(prices[-k:]) - oldest) / oldest * 100


def activity(prices: list[int]) -> float:
    way = sum(abs(b - a) for a, b in pairwise(prices))
    return way / len(prices) / prices[0] * 100


def run_sign(prices: list[int], least: int) -> int:
    """Sign of the last run of `least` changes one way among these prices."""
    signs = [sign_of(b - a) for a, b in pairwise(prices)]
    found = 0
    for end in range(least, len(signs) + 1):
        last = signs[end - least : end]
        if last[0] and len(set(last)) == 1:
            found = last[0]
    return found


def situation(samples: list[int], minutes: list[int], rules: Settings) -> tuple[bool, int]:
    """Whether the situation is right, and the side to take."""
    hour, half, newest = minutes[-60:], minutes[-30:], samples[-41:]
    trends = {trend(minutes, rules), trend(hour, rules), trend(half, rules)}
    agreed = trends.pop() if len(trends) == 1 else 0
    if trend(newest, rules) == -agreed:
        agreed = 0
    sizes = [abs(b - a) for a, b in pairwise(newest)]
    fresh, before = sum(sizes[-3:]), sum(sizes[-6:-3])
    real = [
        b - a
        for a, b in pairwise(newest)
        if abs(b - a) / a * 100 > float(rules.auto_noise_pct) + 1e-12
    ]
    net = abs(sum(map(sign_of, real))) / 40
    progression = sum(map(abs, real)) / newest[0] * net * 100
    volatility = pstdev(hour) / fmean(hour) * 100
    right = (
        (agreed != 0 or activity(hour) > float(rules.auto_activity_pct))
        and fresh > before
        and progression > float(rules.auto_progression_pct)
        and float(rules.auto_min_volatility_pct) <= volatility
        and volatility <= float(rules.auto_max_volatility_pct)
    )
    turn = run_sign(samples[-11:], 5) or run_sign(samples[-121:], 30)
    side = agreed
    if not side and trend(hour, rules) == turn:
        side = turn
    if not side and abs(momentum(minutes)) > float(rules.auto_momentum_pct):
        side = sign_of(momentum(minutes))
    return right, side


def in_a_row(cells: dict[int, int], now: int, most: int) -> list[int]:
    """Prices of the cells up to now, back to the first that is missing."""
    found: list[int] = []
    while len(found) < most and now - len(found) in cells:
        found.append(cells[now - len(found)])
    return found[::-1]


def told(candles: Candles, ratio: int, window: int, rules: Settings) -> list[tuple[int, int]]:
    """(bar, sign) the rule fires on, read from its words, without the validation time."""
    period = max(5_000, candles.span_ms)
    count = window * 60_000 // period
    cells, minutes, fired = {}, {}, []
    for bar, at_ms in enumerate(candles.close_ms.tolist()):
        close = int(candles.close[bar, 0])
        cells[-(-at_ms // period)] = close
        minutes[-(-at_ms // 60_000)] = close
        if at_ms % period:
            continue
        samples = in_a_row(cells, at_ms // period, 100_000)
        frame = in_a_row(minutes, at_ms // 60_000, 480)
        if len(frame) < rules.auto_history_min or len(samples) <= max(count, 40):
            continue
        right, side = situation(samples, frame, rules)
        change = (samples[-1] - samples[-1 - count]) / samples[-1 - count] * side
        if right and side and change * 10_000 >= ratio:
            fired.append((bar, side))
    return fired


TRENDS_ALONE: dict[str, object] = {"autoActivity": "5", "autoMomentum": "10"}


@pytest.mark.parametrize(
    ("seed", "span_ms", "length", "values"),
    [
        (6, 60_000, 700, {}),
        (7, 60_000, 900, TRENDS_ALONE),
        (6, 5_000, 1400, {}),
        (9, 5_000, 1400, TRENDS_ALONE),
    ],
)
def test_it_fires_wherever_the_rule_says_so(
    seed: int, span_ms: int, length: int, values: dict[str, object]
) -> None:
    rules = rules_of(**{**EASY_AUTO, "validationTimeout": 1, **values})
    market = walked(seed, length=length, span_ms=span_ms, volatility=1e-3)
    candles = without_rows(market, [200])

    _, signals, _ = indicated(candles, both_sides(IndicationType.AUTO, (20,), (WINDOW,)), rules)

    found = list(zip(signals["bar"].tolist(), signals["sign"].tolist(), strict=True))
    assert found == told(candles, 20, 5, rules)
    assert len(found) > 5


WINDOW = Variant(window_min=5)
