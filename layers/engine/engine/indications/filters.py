"""The filters every signal passes: drawdown, market change, last part; and the validation time.

Change over a window is the difference of its ends over the price at its start, so that its mean
is exact, and the same in whatever pieces the candles came.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from engine.indications.legs import Legs, Samples
from engine.market import Ints
from engine.settings import Settings

MAX_WINDOW_S = 60
REFUSALS = ("refused_warming", "refused_drawdown", "refused_market_change", "refused_last_part")
"""Why a candidate became no signal, in the order of the tests."""

_SCALE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the filters saw of each leg.

    `samples` is the window in candles; `change` and `last_change` are over it and its last part,
    in signal direction, in ticks; `price` is the close; `verdict` is the index in `REFUSALS` of
    the test that failed, -1 if all passed.
    """

    samples: Ints
    change: Ints
    last_change: Ints
    price: Ints
    verdict: Ints


def market_change_factor(index: int) -> Decimal:
    """Position costs a leg must move in the normal time: 0.1 + (index - 1) * 0.1556."""
    return Decimal("0.1") + (index - 1) * Decimal("0.1556")


def judge(legs: Legs, samples: Samples, settings: Settings) -> Judged:
    """Test every leg.

    drawdown: (best - now) / (best - start) at most `drawdownRatio`; market change: the mean
    change of the samples, brought to `marketChangeNormSeconds`, at least the market change
    factor times the position cost; last part: its mean change at least `lastPartRatioFactor`
    times that of all samples, which must be positive. A window that reaches before the first
    sample, or over candles that are missing, passes nothing.
    """
    count = _window(legs, samples, settings)
    last = np.maximum(1, count * _scaled(settings.last_part_share) // _SCALE)
    begin, tail = np.maximum(legs.row - count, 0), np.maximum(legs.row - last, 0)
    known = legs.row >= count
    price = samples.close[legs.row, legs.symbol]
    base = samples.close[begin, legs.symbol]
    lasted = samples.at_ms[legs.row] - samples.at_ms[begin]
    known &= (base > 0) & (lasted == count * samples.span_ms)
    change = legs.sign * (price - base)
    last_change = legs.sign * (price - samples.close[tail, legs.symbol])
    best, start = legs.sign * legs.best, legs.sign * legs.start
    given_back = (best - legs.sign * price) * _SCALE
    shallow = (best > start) & (given_back <= _scaled(settings.drawdown_ratio) * (best - start))
    fast = change >= _needed(base, count, samples.span_ms, settings)
    factor = _scaled(settings.last_part_ratio)
    late = (change > 0) & (last_change * count * _SCALE >= change * last * factor)
    tests = np.stack([known, shallow, fast, late])
    verdict = np.where(tests.all(axis=0), -1, np.argmin(tests, axis=0))
    return Judged(
        samples=count, change=change, last_change=last_change, price=price, verdict=verdict
    )


def spaced(key: Ints, at_ms: Ints, last_ms: Ints, gap_ms: int) -> NDArray[np.bool_]:
    """Which candidates keep `gap_ms` from the one accepted before them of the same key.

    Candidates are sorted by key and time; `last_ms` is the last accepted time of every key.
    """
    accepted = np.zeros(len(key), np.bool_)
    reach = int(at_ms.max(initial=0)) + gap_ms + 1
    order = key * reach + at_ms
    keys = np.unique(key)
    earliest = np.maximum(last_ms[keys] + gap_ms, 0)
    while len(keys):
        found = np.searchsorted(order, keys * reach + np.minimum(earliest, reach - 1))
        inside = found < len(key)
        keys, found = keys[inside], found[inside]
        same = key[found] == keys
        keys, found = keys[same], found[same]
        accepted[found] = True
        earliest = at_ms[found] + gap_ms
    return accepted


def _window(legs: Legs, samples: Samples, settings: Settings) -> Ints:
    """Samples of each leg: its duration, within the shortest and longest window."""
    shortest = samples.count(settings.min_calculation_s)
    longest = max(shortest, samples.count(MAX_WINDOW_S))
    lasted = (samples.at_ms[legs.row] - legs.start_ms) // samples.span_ms
    window: Ints = np.clip(lasted, shortest, longest)
    return window


def _needed(base: Ints, count: Ints, span_ms: int, settings: Settings) -> NDArray[np.float64]:
    """Least change in ticks over `count` samples."""
    factor = market_change_factor(settings.market_change_range) * settings.position_cost_pct
    share = np.float64(factor / (100 * settings.market_change_norm_s * 1000))
    needed: NDArray[np.float64] = base * (count * span_ms) * share
    return needed


def _scaled(ratio: Decimal) -> int:
    return int(ratio * _SCALE)
