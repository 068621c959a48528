"""A seeded market of correlated instruments, random-access in time.

The logarithm of a price is a slow walk plus fast noise. The walk has a knot every 15 minutes,
built by midpoint displacement between fixed points 7.5 years apart, so any knot costs a few
hashes and the level stays bounded; between knots it drifts in a straight line: that is the
momentum, on purpose more of it than real markets have, so that following trends can pay for its
fees. The noise is drawn per hour, fat-tailed, with clustered volatility and jumps, and pinned to
zero at both ends of its hour, so hours join without knowing each other. Part of both is common to
all instruments: the market factor.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from local.paper.market import noise
from local.paper.market.candles import Candles, Ints
from local.paper.market.instruments import PaperInstrument

HOUR_S = 3600
KNOT_S = 900
_PERIOD = 1 << 18  # knots between two fixed points of the walk: 7.5 years
_WIDEST = 1 << 6  # displacement stops growing above 16 hours: bounds the level
_STRAIGHT = {1: 0.35, 2: 0.5, 4: 0.75}  # knots of a part of two hours bend less: drifts last
_SECOND_SD = 0.96e-4
_KNOT_SD = 70e-4
_COMMON = 0.85  # share of variance that is the market factor
_LAGGED = 0.05  # share of the factor that reaches other instruments a second late
_IDLE = 0.17  # share of seconds that trade at an unchanged price
_VOLATILITY_SCALES_S = ((60, 0.22), (300, 0.26), (1800, 0.30), (10_800, 0.28), (43_200, 0.22))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Factor:
    """The market's hour: shocks (3600,), logarithm of volatility (3600,)."""

    shocks: Floats
    log_volatility: Floats


class Generator:
    """Blocks of one hour of one-second candles, a pure function of (seed, symbol, hour)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._factor = lru_cache(maxsize=64)(self._draw_factor)
        self._walk = lru_cache(maxsize=200_000)(self._knot)

    def hour(self, instrument: PaperInstrument, hour: int) -> Candles:
        """The 3600 one-second candles of an hour since the epoch."""
        draw = noise.generator(self._seed, instrument.symbol, "hour", hour)
        path = self._path(instrument, hour, draw)
        ticks = np.rint(np.exp(path) * instrument.start_price / float(instrument.tick))
        return _candles(instrument, hour, np.maximum(ticks, 10).astype(np.int64), draw)

    def _path(self, instrument: PaperInstrument, hour: int, draw: np.random.Generator) -> Floats:
        factor = self._factor(hour)
        own = _fat(draw)
        _jump(draw, own, rate=0.25, size=9.0)
        leader = instrument.base == "BTC"
        late = 0.0 if leader else _LAGGED
        common = (1.0 - late) * factor.shocks
        common[1:] += late * factor.shocks[:-1]
        shocks = math.sqrt(_COMMON) * common + math.sqrt(1.0 - _COMMON) * own
        sd = _SECOND_SD * instrument.volatility * np.exp(factor.log_volatility)
        walk = np.concatenate(([0.0], np.cumsum(sd * shocks)))
        walk -= walk[-1] * np.arange(HOUR_S + 1) / HOUR_S
        return walk + self._trend(instrument, hour)

    def _trend(self, instrument: PaperInstrument, hour: int) -> Floats:
        first = hour * HOUR_S // KNOT_S
        knots = range(first, first + HOUR_S // KNOT_S + 1)
        own = noise.key_of(self._seed, instrument.symbol, "walk")
        market = noise.key_of(self._seed, "market", "walk")
        levels = [
            math.sqrt(_COMMON) * self._walk(market, knot)
            + math.sqrt(1.0 - _COMMON) * self._walk(own, knot)
            for knot in knots
        ]
        places = np.arange(len(levels)) * KNOT_S
        return instrument.volatility * np.interp(np.arange(HOUR_S + 1), places, levels)

    def _knot(self, key: int, index: int) -> float:
        if index % _PERIOD == 0:
            return 0.0
        half = index & -index
        middle = 0.5 * (self._walk(key, index - half) + self._walk(key, index + half))
        width = _KNOT_SD * math.sqrt(min(half, _WIDEST) / 2) * _STRAIGHT.get(half, 1.0)
        strength = math.exp(0.45 * noise.normal(key ^ 0x5DEECE66D, index) - 0.2)
        return float(middle + width * strength * noise.normal(key, index))

    def _draw_factor(self, hour: int) -> _Factor:
        draw = noise.generator(self._seed, "market", "hour", hour)
        shocks = _fat(draw)
        _jump(draw, shocks, rate=0.5, size=9.0)
        seconds = np.arange(HOUR_S) + hour * HOUR_S
        log_volatility = np.zeros(HOUR_S)
        for span, weight in _VOLATILITY_SCALES_S:
            key = noise.key_of(self._seed, "volatility", span)
            knots = np.arange(seconds[0] // span, seconds[-1] // span + 2)
            values = [weight * noise.normal(key, int(knot)) for knot in knots]
            log_volatility += np.interp(seconds, knots * span, values)
        return _Factor(shocks=shocks, log_volatility=log_volatility)


def _fat(draw: np.random.Generator) -> Floats:
    """An hour of fat-tailed shocks of unit variance: Student's t with 4.5 degrees of freedom."""
    return draw.standard_t(4.5, HOUR_S) / math.sqrt(4.5 / 2.5)


def _jump(draw: np.random.Generator, shocks: Floats, *, rate: float, size: float) -> None:
    """Add jumps in place: ``rate`` an hour on average, ``size`` standard deviations wide."""
    count = int(draw.poisson(rate))
    places = draw.integers(0, HOUR_S, count)
    shocks[places] += size * draw.standard_normal(count)


def _candles(
    instrument: PaperInstrument, hour: int, ticks: Ints, draw: np.random.Generator
) -> Candles:
    """Candles along a path of 3601 prices; idle seconds hold the last price."""
    moved = draw.random(HOUR_S + 1) >= _IDLE
    moved[[0, -1]] = True
    held = ticks[np.maximum.accumulate(np.where(moved, np.arange(HOUR_S + 1), 0))]
    opening, close = held[:-1], held[1:]
    reach = np.abs(draw.standard_normal((2, HOUR_S))) * 0.25 * _SECOND_SD * instrument.volatility
    extra = np.rint(reach * opening * moved[1:]).astype(np.int64)
    volume = _volume(instrument, opening, close, draw)
    quiet = (draw.random(HOUR_S) < instrument.quiet) & (opening == close)
    extra[:, quiet] = 0
    return Candles(
        start_s=hour * HOUR_S, span_s=1, open=opening, high=np.maximum(opening, close) + extra[0],
        low=np.maximum(np.minimum(opening, close) - extra[1], 1), close=close,
        volume=np.where(quiet, 0, volume),
    )  # fmt: skip


def _volume(
    instrument: PaperInstrument, opening: Ints, close: Ints, draw: np.random.Generator
) -> Ints:
    """Traded steps: lognormal, more when the price moves, never below five."""
    price = opening * float(instrument.tick)
    move = np.abs(close - opening) / (opening * _SECOND_SD * instrument.volatility)
    value = instrument.quote_per_second * np.exp(1.0 * draw.standard_normal(HOUR_S)) * (1.0 + move)
    steps = np.rint(value / price / float(instrument.step))
    return np.asarray(np.maximum(steps, 5), dtype=np.int64)
