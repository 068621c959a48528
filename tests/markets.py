"""Markets of five tempers, in seconds, from fixed seeds; of one symbol at a tick of 0.0001."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from tests.market import candles_of, mirrored, walked, with_gaps

from engine.market import Candles
from engine.values import Side

START = 1_000_000
IMPULSE = (0.0005, 0.0005, 0.001, 0.0015, 0.0025, 0.004)
"""A rise of 1 % in six seconds, faster and faster."""
COLLAPSE = (-0.002, -0.004, -0.005, -0.005)
QUIET = (0.0,) * 70


def path_of(rates: Sequence[float]) -> Candles:
    """Closes a second apart; every candle opens at the close before it."""
    close = np.rint(START * np.cumprod(1 + np.array(rates))).astype(np.int64)[:, None]
    open_ = np.vstack([close[:1], close[:-1]])
    flat = candles_of(close[:, 0].tolist())
    return replace(
        flat, open=open_, high=np.maximum(open_, close), low=np.minimum(open_, close), close=close
    )


def trending(side: Side, *, stairs: int = 60) -> Candles:
    """Impulse after impulse one way, 45 s apart, and then as many that collapse."""
    up = [*QUIET, *(IMPULSE + (0.0,) * 39) * stairs]
    back = (IMPULSE + (0.0,) * 5 + COLLAPSE + (0.0,) * 30) * stairs
    rises = path_of([*up, *back])
    return rises if side is Side.LONG else mirrored_in_ratio(rises)


def mirrored_in_ratio(candles: Candles) -> Candles:
    """The way down that answers a long way up: prices stay above zero."""
    return mirrored(candles, int(candles.high.max() + candles.low.min()) // 2)


def choppy(seed: int = 1, *, length: int = 6000) -> Candles:
    """Up and down by 0.4 % around one price, with noise, every turn about as long."""
    rng = np.random.default_rng(seed)
    wave = 0.002 * np.sin(np.arange(length) * 2 * np.pi / 40)
    noise = rng.standard_t(4, length) * 2e-4
    level = np.exp(wave + noise)
    return path_of(np.diff(level, prepend=1.0) / np.concatenate([[1.0], level[:-1]]))


def gapped(seed: int = 2, *, length: int = 6000) -> Candles:
    """A lively walk, a tenth of it unknown in stretches of 1 to 30 s; it moves on meanwhile."""
    rng = np.random.default_rng(seed)
    candles = lively(seed, length=length)
    gaps = np.zeros((length, 1), np.bool_)
    for begin in rng.integers(100, length, length // 150):
        gaps[begin : begin + int(rng.integers(1, 31))] = True
    return with_gaps(candles, gaps)


def crashing(seed: int = 3, *, calm: int = 1500) -> Candles:
    """A rise of stairs, then a fifth of the price is lost in three candles that open lower."""
    stairs = path_of([*QUIET, *(IMPULSE + (0.0,) * 39) * (calm // 45)])
    close = stairs.close[:, 0]
    falls = (close[-1] * np.array([0.93, 0.86, 0.80])).astype(np.int64)
    after = (falls[-1] * (1 + np.random.default_rng(seed).normal(0, 3e-4, 600))).astype(np.int64)
    return candles_of(np.concatenate([close, falls, after]).tolist())


def frozen(*, length: int = 6000) -> Candles:
    """A price that does not move."""
    return candles_of([START] * length)


def lively(seed: int, *, length: int) -> Candles:
    """A walk with fat tails that makes signals of every kind."""
    return walked(seed, length=length, span_ms=1000, volatility=6e-4, start=START)
