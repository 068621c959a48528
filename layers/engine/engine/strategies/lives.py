"""Where paper positions end: their exits, what is done to them before, and their deadlines."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.exits import Window, first_exit, make_window
from engine.market import Candles, Ints
from engine.pseudo import TIMEOUT, Pseudo, triggers_of
from engine.sets import Grid
from engine.settings import Settings
from engine.strategies.adjusting import Adjusting
from engine.strategies.deadlines import Deadlines
from engine.strategies.signalled import Signalled
from engine.strategies.walk import Ends, Market, Walk


class Lives:
    """Positions of a grid through a stretch of candles.

    Inside a candle: stop, trailing, target, time limit, opposite signal; steps of a ladder come on
    the way to the stop.
    """

    def __init__(
        self, candles: Candles, grid: Grid, signalled: Signalled, settings: Settings
    ) -> None:
        self._candles, self._grid = candles, grid
        self._deadlines = Deadlines(candles, grid, signalled, settings)
        self._rules = Adjusting.of(grid, settings) if grid.is_adjusted else None
        self._cooldown_ms = settings.dca_step_cooldown_s * 1000

    def through(self, positions: Pseudo, start: Ints) -> tuple[Pseudo, Ends]:
        """Positions from candle `start` (P,) on, as they end or are after the candles."""
        if self._rules is None:
            return self._plain(positions, start)
        k = positions.ids % len(self._grid)
        adjusted = self._grid.ladder[k] | self._grid.profit_back[k]
        if not adjusted.any():
            return self._plain(positions, start)
        plain, worked = np.flatnonzero(~adjusted), np.flatnonzero(adjusted)
        one, ends = self._plain(positions.take(plain), start[plain])
        other, other_ends = self._worked(self._rules, positions.take(worked), start[worked])
        order = np.argsort(np.concatenate([plain, worked]))
        columns = {
            name: np.concatenate([getattr(ends, name), getattr(other_ends, name)])[order]
            for name in Ends.__slots__
        }
        return Pseudo.join([one, other]).take(order), Ends(**columns)

    def _plain(self, positions: Pseudo, start: Ints) -> tuple[Pseudo, Ends]:
        exits = first_exit(self._window, triggers_of(self._grid, positions, start))
        found = self._deadlines.of(positions, start)
        if found is not None:
            last, why = found
            late = np.flatnonzero(last < exits.bar)
            ids, sets = positions.ids[late], len(self._grid)
            closes = self._candles.close[last[late], ids // sets]
            exits.price[late] = self._grid.sign[ids % sets] * closes
            exits.bar[late], exits.reason[late] = last[late], why[late]
        ends = Ends(bar=exits.bar, reason=exits.reason, price=exits.price)
        return replace(positions, peak=exits.peak), ends

    def _worked(self, rules: Adjusting, positions: Pseudo, start: Ints) -> tuple[Pseudo, Ends]:
        last = self._deadlines.of(positions, start) or self._no_deadline(len(positions))
        walk = Walk(self._market, rules, positions, last, self._cooldown_ms)
        walk.run(start)
        return walk.now, walk.ends

    def _no_deadline(self, count: int) -> tuple[Ints, NDArray[np.int8]]:
        return np.full(count, len(self._candles), np.int64), np.full(count, TIMEOUT, np.int8)

    @cached_property
    def _window(self) -> Window:
        return make_window(self._candles)

    @cached_property
    def _market(self) -> Market:
        return Market(self._candles, self._window)
