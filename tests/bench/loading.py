"""History through `plan_trade`: what it costs follows what changes, not bars times Sets."""

import sys
from dataclasses import dataclass

from tests.bench.markets import BARS, walk
from tests.bench.measuring import peak_mb, peak_mb_alone, seconds
from tests.builders import an_instrument

from engine.settings import Settings
from engine.trade import TradeState, plan_trade

BUSY, QUIET = 3e-4, 1.6e-4
"""Volatilities of a second: the quiet market signals less than a tenth as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One history planned over."""

    symbols: int
    sets: int
    bars: int
    signals: int
    closings: int
    seconds: float

    @property
    def us_a_closing(self) -> float:
        """Microseconds of the whole for each closing."""
        return self.seconds / max(1, self.closings) * 1e6


def measure_load(
    symbols: int = 1,
    *,
    volatility: float = BUSY,
    bars: int = BARS,
    settings: Settings | None = None,
) -> Load:
    """`plan_trade` over `bars` seconds from nothing, with the default grid."""
    own = settings or Settings()
    candles = walk(11, bars=bars, symbols=symbols, volatility=volatility)
    state = TradeState.fresh([an_instrument(name) for name in candles.symbols], own)
    plans = []
    took = seconds(lambda: plans.append(plan_trade(state, candles, own)[1]))
    return Load(
        symbols=symbols,
        sets=len(state.grid),
        bars=bars,
        signals=len(plans[0].signals),
        closings=len(plans[0].closings),
        seconds=took,
    )


def load_peak_mb(symbols: int, bars: int) -> float:
    """Peak memory of a process that does nothing else."""
    return peak_mb_alone("tests.bench.loading", str(symbols), str(bars))


if __name__ == "__main__":
    measure_load(int(sys.argv[1]), bars=int(sys.argv[2]))
    print(peak_mb())
