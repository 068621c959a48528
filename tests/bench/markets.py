"""Markets, entries and configurations for the measurements; the same seed is the same market."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.market import Candles, Ints, Kind
from engine.ticks import RATIO

BARS = 432_000  # five days of seconds
ENTRIES = 1_247  # of a row in five days
START_MS = 1_700_000_000_000
_START = 1_000_000  # ticks: 100.0000
_PARTS = 2  # trades a second


def walk(
    seed: int, *, bars: int = BARS, symbols: int = 1, volatility: float = 2e-4, begin: int = 0
) -> Candles:
    """A random walk in whole ticks; `volatility` is of one second's logarithm (5.9 % a day)."""
    rng = np.random.default_rng(seed)
    shape = (bars * _PARTS, symbols)
    moves = rng.standard_normal(shape, np.float32) * np.float32(volatility / np.sqrt(_PARTS))
    path = np.rint(_START * np.exp(np.cumsum(moves, axis=0, dtype=np.float64))).astype(np.int64)
    inside = path.reshape(bars, _PARTS, symbols)
    close = inside[:, -1]
    open_ = np.vstack([inside[:1, 0], close[:-1]])
    return Candles(
        symbols=tuple(f"S{number:03d}USDT" for number in range(symbols)),
        span_ms=1000,
        close_ms=START_MS + 1000 * np.arange(begin + 1, begin + bars + 1, dtype=np.int64),
        open=open_,
        high=np.maximum(inside.max(axis=1), open_),
        low=np.minimum(inside.min(axis=1), open_),
        close=close,
        volume=np.ones_like(close),
        kind=np.full(close.shape, Kind.TRADED, np.int8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What J3 replays: rows (symbol, side), one after the other, with all configurations.

    Attributes
    ----------
    candles : T bars of the symbols; row 2s is the long, 2s + 1 the short side of symbol s.
    rows : (R,) int64
        Rows of the window.
    entries : R sorted (E,) int64
        Bars with an entry signal, the same for all configurations of a row.
    stop, target : (C,) int64
        Distances in millionths of a percent. None is a multiple of 2 or 5: with entries below
        1e8 ticks no trigger is a whole tick, which floats could miss.
    """

    candles: Candles
    rows: Ints
    entries: tuple[Ints, ...]
    stop: Ints
    target: Ints

    @property
    def config_bars(self) -> int:
        """Bars times rows times configurations."""
        return len(self.candles) * len(self.rows) * len(self.stop)

    def only(self, rows: int) -> "Job":
        """The first rows alone."""
        return replace(
            self,
            candles=self.candles.select(self.candles.symbols[: -(-rows // 2)]),
            rows=self.rows[:rows],
            entries=self.entries[:rows],
        )


def make_job(
    seed: int = 3,
    *,
    bars: int = BARS,
    rows: int = 1,
    configurations: int = 1_000,
    entries_a_day: float = ENTRIES / 5,
) -> Job:
    """Targets from 0.2 to 1.4 %, each with stops from 0.1 to 1.08 %; longs and shorts."""
    rng = np.random.default_rng(seed)
    count = max(1, round(entries_a_day * bars / 86_400))
    chosen = [np.sort(rng.choice(bars, count, replace=False)) for _ in range(rows)]
    targets = max(1, round((configurations / 1.6) ** 0.5))
    stops = -(-configurations // targets)
    target = np.repeat(_awkward(np.linspace(0.2, 1.4, targets)), stops)
    stop = np.tile(_awkward(np.linspace(0.1, 1.08, stops)), targets)
    return Job(
        candles=walk(seed, bars=bars, symbols=-(-rows // 2)),
        rows=np.arange(rows),
        entries=tuple(chosen),
        stop=stop[:configurations],
        target=target[:configurations],
    )


def _awkward(percentages: NDArray[np.float64]) -> Ints:
    """Percentages in millionths, ending in 7."""
    units: Ints = (percentages * (RATIO // 1000)).astype(np.int64) * 10 + 7
    return units
