"""The market's activity: a symbol that hardly moves gives no signals.

A change is that of one candle from the one before. A symbol wakes when, over the last
`marketActivityCalculationRange` seconds (at least 3 candles), the mean size of the changes is at
least `marketActivityPositionCostRatio` twentieths of the position cost, their standard deviation
at least `marketActivityMinVolatility` and the change over them all at least
`marketActivityMinPriceChange`. It falls asleep when the mean size is below
`marketActivityDeactivation` of what wakes it, or when candles are missing in the window. Between
the two it stays as it is. All changes are ratios to the price at the start of the window.

The three figures are those of candles of one second. A price wanders as far as the square root of
the time, so for other candles the figures of single changes grow with the square root of the span.
"""

from dataclasses import dataclass
from decimal import Decimal
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from engine.indications.legs import Samples
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import RATIO, ratio_units

Flags = NDArray[np.bool_]

_FACTOR = Decimal("0.05")
_FRAME_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What the gate saw of each of the T candles, (T, S) each.

    `way` is the sum of the sizes of `count` changes in ticks, `base` the price at their start, 0
    where the window is not known; `active` what came of it.
    """

    active: Flags
    way: Ints
    base: Ints
    count: int


def watch(awake: Flags, samples: Samples, settings: Settings) -> tuple[Flags, Activity]:
    """Which symbols are awake after these candles, and what was seen at each of them."""
    count = samples.count(settings.market_activity_s)
    first, ahead = max(samples.remembered, count), samples.remembered
    shape = samples.close[ahead:].shape
    way, base, wakes = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
    if first < len(samples.at_ms):
        begun = samples.at_ms[first:] - samples.at_ms[first - count : -count]
        whole = begun == count * samples.span_ms
        rows = slice(first - ahead, None)
        change = np.diff(samples.close[first - count :], axis=0)
        base[rows] = np.where(whole[:, None], samples.close[first - count : -count], 0)
        way[rows] = _sums(np.abs(change), count)
        moved = np.abs(samples.close[first:] - samples.close[first - count : -count])
        wakes[rows] = _far(moved, base[rows], settings) & _rough(
            change, base[rows], count, samples.span_ms, settings
        )
    needed = needed_units(samples.span_ms, settings)
    enough = (base > 0) & (way >= _share(base, count * needed))
    release = int(needed * settings.market_activity_release)
    quiet = (base == 0) | (way < _share(base, count * release))
    active = _latched(awake, enough & wakes, quiet)
    after = active[-1] if len(active) else awake
    return after, Activity(active=active, way=way, base=base, count=count)


def needed_units(span_ms: int, settings: Settings) -> int:
    """Mean size of a change that wakes a symbol, in millionths of a percent."""
    second = settings.market_activity_factor * _FACTOR * settings.position_cost_pct
    return _of_span(ratio_units(second), span_ms)


def _of_span(units: int, span_ms: int) -> int:
    return isqrt(units * units * span_ms // _FRAME_MS)


def _share(base: Ints, units: int) -> Ints:
    """`base * units / RATIO` rounded up, whole ticks; exact for every price."""
    whole, rest = np.divmod(base, RATIO)
    share: Ints = whole * units - (-rest * units // RATIO)
    return share


def _far(moved: Ints, base: Ints, settings: Settings) -> Flags:
    far: Flags = moved >= _share(base, ratio_units(settings.market_activity_change_pct))
    return far


def _rough(change: Ints, base: Ints, count: int, span_ms: int, settings: Settings) -> Flags:
    """Whether the deviation of the changes is large enough: n * sum of squares - square of sum."""
    if not settings.market_activity_volatility_pct:
        return np.ones(base.shape, np.bool_)
    least = _of_span(ratio_units(settings.market_activity_volatility_pct), span_ms)
    spread = count * _sums(change * change, count) - _sums(change, count) ** 2
    needed = (count * base).astype(np.float64) * least / RATIO
    rough: Flags = spread >= needed * needed
    return rough


def _sums(values: Ints, count: int) -> Ints:
    """Sums over every `count` rows."""
    total = np.zeros((len(values) + 1, *values.shape[1:]), np.int64)
    np.cumsum(values, axis=0, out=total[1:])
    sums: Ints = total[count:] - total[:-count]
    return sums


def _latched(before: Flags, on: Flags, off: Flags) -> Flags:
    """On from where `on` is set up to where `off` is, as it was `before` in the beginning."""
    decided = on | off
    rows = np.where(decided, np.arange(1, len(on) + 1)[:, None], 0)
    latest = np.maximum.accumulate(rows, axis=0)
    return np.take_along_axis(np.vstack([before, on]), latest, axis=0)
