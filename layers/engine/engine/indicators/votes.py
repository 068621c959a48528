"""What each indicator says at a bar: a side with a strength, or nothing.

Strengths are integers of a ten-thousandth, half to even, so that their sums are exact. A float
decision whose two sides lie within 1e-12 of each other is a near tie: it might fall the other
way where floats are computed otherwise, and is counted. Two carried values that are equal are
none: they are where a market stands still.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from engine.indicators.bars import Bools, Floats
from engine.indicators.configurations import IndicatorKind
from engine.indicators.panel import Rules
from engine.market import Ints
from engine.settings import Settings

FULL = 10_000
"""Strength 1."""

_NEAR = 1e-12


class Votes(NamedTuple):
    """(T, S, R) each: side (+1 LONG, -1 SHORT, 0 none), strength, whether known, near ties."""

    sign: Ints
    strength: Ints
    warm: Bools
    near: Bools


class _Opinion(NamedTuple):
    sign: Floats  # NaN while warming up
    strength: Floats  # above 1 counts as 1
    near: Bools


def votes(rules: Rules, outputs: Any, close: Ints, settings: Settings) -> Votes:
    """What `rules` say to the outputs of their indicator.

    Parameters
    ----------
    close : (T, S) int64
        Closes in ticks, in the rows of the outputs.
    """
    opinion = _OPINIONS[rules.kind](outputs, rules, close[..., None].astype(np.float64), settings)
    warm = ~np.isnan(opinion.sign)
    sided = warm & (opinion.sign != 0)
    scaled = np.minimum(np.where(sided, opinion.strength, 0.0), 1) * FULL
    halfway = sided & _near(scaled - np.floor(scaled), 0.5)
    return Votes(
        sign=np.where(sided, opinion.sign, 0).astype(np.int64),
        strength=np.rint(scaled).astype(np.int64),
        warm=warm,
        near=warm & (opinion.near | halfway),
    )


def _rsi(rsi: Floats, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """Oversold is long, the further the stronger; overbought is short."""
    value, (_, oversold, overbought) = rsi[..., rules.lanes[0]], rules.values.T
    sign = _beyond(value, oversold, overbought)
    below, above = (oversold - value) / oversold, (value - overbought) / (100 - overbought)
    near = _near(value, oversold) | _near(value, overbought)
    return _Opinion(sign, np.where(sign > 0, below, above), near)


def _macd(lines: Any, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """The side of the histogram; where it has just turned, at least `macdCrossStrength`."""
    line, signal, histogram, before = lines
    sign = np.sign(histogram)
    strength = np.abs(histogram) / close / _ratio(settings.cross_full_pct)
    crossed = ~np.isnan(before) & (np.sign(before) != sign)
    least = float(settings.macd_cross_strength)
    strength = np.where(crossed, np.maximum(strength, least), strength)
    return _Opinion(sign, strength, _nearly_met(line, signal))


def _bollinger(bands: Any, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """Near or past the lower band is long, the upper one short; bands of no width say nothing."""
    middle, deviation = (each[..., rules.lanes[0]] for each in bands)
    width = 2 * rules.values[:, 1] * deviation
    off = np.divide(close - middle, width, out=np.zeros(width.shape), where=width != 0)
    place, edge = 0.5 + off, float(settings.bollinger_edge)
    sign = _beyond(place, edge, 1 - edge)
    strength = 1 - np.where(sign > 0, place, 1 - place) / edge
    near = _near(place, edge) | _near(place, 1 - edge)
    return _Opinion(sign, strength, near)


def _sar(lines: Any, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """The side of the price the stop is not on."""
    stop, margin = lines
    strength = np.abs(close - stop) / close / _ratio(settings.sar_full_pct)
    turning = (margin != 0) & (np.abs(margin) <= _NEAR * close)
    return _Opinion(np.sign(close - stop), strength, _nearly_met(close, stop) | turning)


def _adx(lines: Any, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """The side of the larger DI, in a trend of at least the threshold."""
    adx, plus, minus = (each[..., rules.lanes[0]] for each in lines)
    threshold = rules.values[:, 1]
    trending = np.where(np.isnan(adx), np.nan, adx >= threshold)
    strength = adx / float(settings.adx_full)
    near = _near(adx, threshold) | ((adx >= threshold) & _nearly_met(plus, minus))
    return _Opinion(np.sign(plus - minus) * trending, strength, near)


def _cross(averages: Floats, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """The fast average above the slow one is long, below it short."""
    fast, slow = averages[..., rules.lanes[0]], averages[..., rules.lanes[1]]
    strength = np.abs(fast - slow) / close / _ratio(settings.cross_full_pct)
    return _Opinion(np.sign(fast - slow), strength, _nearly_met(fast, slow))


def _stochastic(lines: Any, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """Oversold and %K above %D is long; overbought and %K below %D is short."""
    k, d = lines
    oversold, overbought = settings.stochastic_oversold, settings.stochastic_overbought
    outside = _beyond(k, oversold, overbought)
    sign = np.where((outside == 0) | (outside == np.sign(k - d)), outside, 0)
    sign = np.where(np.isnan(k), np.nan, sign)
    below, above = (oversold - k) / oversold, (k - overbought) / (100 - overbought)
    near = _near(k, oversold) | _near(k, overbought) | ((outside != 0) & _nearly_met(k, d))
    return _Opinion(sign, np.where(sign > 0, below, above), near)


def _atr(ranges: Floats, rules: Rules, close: Floats, settings: Settings) -> _Opinion:
    """No side of its own: 1 where so many ranges cover the position cost, else 0."""
    covered = ranges[..., rules.lanes[0]] * rules.values[:, 1]
    cost = close * _ratio(settings.position_cost_pct)
    sign = np.where(np.isnan(covered), np.nan, covered >= cost)
    return _Opinion(sign, np.ones(sign.shape), _near(covered, cost))


def _beyond(value: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """+1 below `low`, -1 above `high`, 0 between, NaN where `value` is."""
    sign = (value < low).astype(np.float64) - (value > high)
    beyond: Floats = np.where(np.isnan(value), np.nan, sign)
    return beyond


def _near(one: Floats, other: Floats | float) -> Bools:
    near: Bools = np.abs(one - other) <= _NEAR * np.maximum(np.abs(one), np.abs(other))
    return near


def _nearly_met(one: Floats, other: Floats) -> Bools:
    """Near, and not equal."""
    met: Bools = (one != other) & _near(one, other)
    return met


def _ratio(pct: Any) -> float:
    return float(pct / 100)


_OPINIONS: dict[IndicatorKind, Callable[[Any, Rules, Floats, Settings], _Opinion]] = {
    IndicatorKind.RSI: _rsi,
    IndicatorKind.MACD: _macd,
    IndicatorKind.BOLLINGER: _bollinger,
    IndicatorKind.SAR: _sar,
    IndicatorKind.ADX: _adx,
    IndicatorKind.EMA: _cross,
    IndicatorKind.SMA: _cross,
    IndicatorKind.STOCHASTIC: _stochastic,
    IndicatorKind.ATR: _atr,
}
