"""J1: one second of `plan_trade` for many symbols, on a state that has lived."""

import gc
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from tests.bench.markets import walk
from tests.bench.measuring import ROUNDS, seconds
from tests.builders import an_instrument

from engine.market import Candles
from engine.settings import Settings, with_values
from engine.trade import TradeState, plan_trade

WARM_BARS = 2 * 3_600
VOLATILITY = 3e-4  # of a second: a market in which each tick signals and closes something


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """Milliseconds of consecutive ticks, each the best of some rounds, and what happened in them.

    Attributes
    ----------
    ms, once_ms : (N,) float64
        Fastest and first round of each tick.
    signals, closings : (N,) int64
    """

    ms: NDArray[np.float64]
    once_ms: NDArray[np.float64]
    signals: NDArray[np.int64]
    closings: NDArray[np.int64]
    sets: int
    open_positions: int
    sets_with_results: int

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Ticks that signalled or closed something."""
        return (self.signals > 0) | (self.closings > 0)

    def percentile(self, share: float, *, busy: bool | None = None) -> float:
        """Milliseconds of the ticks that were busy, were not, or of all."""
        chosen = self.ms if busy is None else self.ms[self.busy == busy]
        return float(np.percentile(chosen, share)) if len(chosen) else 0.0


def settings_with(configurations: int) -> Settings:
    """As many Sets for each side of a symbol, thinned out of a grid that is large enough."""
    return with_values(
        Settings(),
        {
            "tradeMode": "main",
            "maxSetsPerSymbol": 2 * configurations,
            "gridRanges": list(range(3, 31)),
        },
    )


def measure_ticks(
    symbols: int = 100, configurations: int = 1_000, *, ticks: int = 60, warm_bars: int = WARM_BARS
) -> Ticks:
    """Ticks after a history of `warm_bars` seconds in which Sets gathered results."""
    settings = settings_with(configurations)
    candles = walk(7, bars=warm_bars + ticks, symbols=symbols, volatility=VOLATILITY)
    state = TradeState.fresh([an_instrument(name) for name in candles.symbols], settings)
    state, _ = plan_trade(state, candles.rows(0, warm_bars), settings)
    return _measured(state, candles.rows(warm_bars, warm_bars + ticks), settings)


def _measured(state: TradeState, candles: Candles, settings: Settings) -> Ticks:
    lived = state
    lines = []
    gc.collect()
    for bar in range(len(candles)):
        one = candles.rows(bar, bar + 1)
        took = [seconds(partial(plan_trade, state, one, settings)) for _ in range(ROUNDS)]
        state, plan = plan_trade(state, one, settings)
        lines.append((min(took) * 1e3, took[0] * 1e3, len(plan.signals), len(plan.closings)))
    columns = [np.array(column) for column in zip(*lines, strict=True)]
    return Ticks(
        ms=columns[0],
        once_ms=columns[1],
        signals=columns[2],
        closings=columns[3],
        sets=len(lived.grid),
        open_positions=len(lived.positions),
        sets_with_results=int((lived.history.count > 0).sum()),
    )
