"""One paper position of one Set through candles that are written out as for a long."""

from collections.abc import Sequence

import numpy as np
from tests.market import START_MS, bars_of, mirrored

from engine.indications.signals import SIGNAL
from engine.market import Candles, Kind
from engine.pseudo import REASONS, Pseudo, open_positions
from engine.sets import Grid, make_grid
from engine.settings import Settings, with_values
from engine.strategies.adjusting import Adjusting, adjust_columns
from engine.strategies.lives import Lives
from engine.strategies.signalled import Signalled
from engine.strategies.walk import Ends
from engine.values import CloseReason, Side

HUNDRED = 1_000_000
"""A price of 100 at a tick of 0.0001."""

ALONE: dict[str, object] = {
    "tradeMode": "main",
    "directionEnabled": False,
    "activeEnabled": False,
    "gridRanges": [8],
    "gridTakeProfits": ["8"],
    "gridStopLosses": ["0.5"],
    "stepRelationMaxRatio": "2",
    "trailingEnabled": False,
}

Bar = tuple[float, float, float, float]


def settings_of(**values: object) -> Settings:
    return with_values(Settings(), ALONE | values)


def flat(price: float) -> Bar:
    return (price, price, price, price)


def candles_of(side: Side, bars: Sequence[Bar | None], span_ms: int = 1000) -> Candles:
    """Prices around 100 as (open, high, low, close), None for a gap; of a short upside down."""
    whole = [tuple(round(price * 10_000) for price in bar or flat(100)) for bar in bars]
    candles = bars_of([(a, b, c, d) for a, b, c, d in whole], span_ms=span_ms)
    if side is Side.SHORT:
        candles = mirrored(candles, HUNDRED)
    candles.kind[[bar is None for bar in bars], 0] = Kind.GAP
    return candles


def set_of(grid: Grid, side: Side) -> int:
    """The one Set of a side, with profit-back if there is one with it."""
    worked = grid.profit_back if grid.profit_back.any() else np.ones(len(grid), np.bool_)
    (k,) = np.flatnonzero((grid.sign == side.sign) & worked)
    return int(k)


class Position:
    """A position entered at 100 with the candle before the first one."""

    def __init__(
        self,
        side: Side,
        bars: Sequence[Bar | None],
        settings: Settings,
        *,
        span_ms: int = 1000,
        turns: Sequence[int] = (),
    ) -> None:
        grid = make_grid(settings)
        self.side, self.settings, self.k = side, settings, set_of(grid, side)
        self.rules = Adjusting.of(grid, settings)
        candles = candles_of(side, bars, span_ms)
        signals = np.zeros(len(turns), SIGNAL)
        signals["bar"], signals["slot"] = turns, grid.opposite[grid.slot[self.k]]
        signalled = Signalled(signals, len(grid.slots), len(candles))
        opened = open_positions(
            grid,
            np.array([self.k]),
            np.array([HUNDRED]),
            np.array([START_MS]),
            np.zeros(1, np.int8),
            adjust_columns(grid, settings),
        )
        if grid.is_adjusted:
            opened.stop[:] = self.rules.widened_stop(opened)
        lives = Lives(candles, grid, signalled, settings)
        self.now: Pseudo
        self.ends: Ends
        self.now, self.ends = lives.through(opened, np.zeros(1, np.int64))

    @property
    def end(self) -> tuple[int, CloseReason, float] | None:
        """Candle, reason and price as for a long; None while it is open."""
        number = int(self.ends.reason[0])
        if number < 0:
            return None
        return int(self.ends.bar[0]), REASONS[number], self.as_long(int(self.ends.price[0]))

    @property
    def average(self) -> float:
        return self.as_long(int(self.rules.average(self.now)[0]))

    @property
    def target(self) -> float:
        return self.as_long(int(self.now.target[0]))

    @property
    def stop(self) -> float:
        return self.as_long(int(self.now.stop[0]))

    @property
    def net_pct(self) -> float:
        """What it earned, of the first volume."""
        price = np.abs(self.ends.price)
        return float(self.rules.net_pct(self.now, price, self.settings)[0])

    def as_long(self, mirrored_ticks: int) -> float:
        """A price on the mirrored axis, as it is for a long that entered at 100."""
        return (HUNDRED + mirrored_ticks - self.side.sign * HUNDRED) / 10_000
