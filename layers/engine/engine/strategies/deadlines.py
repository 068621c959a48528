"""Ends of positions that no price brings: the time limit, and an opposite signal."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.market import Candles, Ints, Kind
from engine.pseudo import STRATEGY_EXIT, TIMEOUT, Pseudo
from engine.sets import Grid
from engine.settings import Settings
from engine.strategies.signalled import Signalled

_HOUR_MS = 3_600_000


class Deadlines:
    """The candle at whose close each position is closed, whatever its price is.

    A position ends with the first known candle that closes its limit or more after it was opened;
    or, with `exitOnOpposite`, with the candle that signals the other side of the same indication,
    parameter and variant. Where both fall on one candle, it is the limit.
    """

    def __init__(
        self, candles: Candles, grid: Grid, signalled: Signalled, settings: Settings
    ) -> None:
        self._candles, self._grid, self._signalled = candles, grid, signalled
        hours = (settings.main_timeout_h, settings.preset_timeout_h)
        of_mode = np.array(hours, np.int64) * _HOUR_MS
        self._limit_ms = of_mode[grid.is_preset.astype(np.int64)]
        self._is_timed = bool(self._limit_ms.any())
        self._is_turning = settings.exit_on_opposite

    def of(self, positions: Pseudo, start: Ints) -> tuple[Ints, NDArray[np.int8]] | None:
        """Candle (its number past the last without an end) and reason; None if none can end so."""
        if not (self._is_timed or self._is_turning):
            return None
        bar = np.full(len(positions), len(self._candles), np.int64)
        reason = np.full(len(positions), TIMEOUT, np.int8)
        if self._is_timed:
            bar = self._timed(positions)
        if self._is_turning:
            turned = self._turned(positions, start)
            reason[turned < bar] = STRATEGY_EXIT
            bar = np.minimum(bar, turned)
        return bar, reason

    def _timed(self, positions: Pseudo) -> Ints:
        sets = len(self._grid)
        limit_ms = self._limit_ms[positions.ids % sets]
        due = np.searchsorted(self._candles.close_ms, positions.opened_ms + limit_ms)
        bar = self._next_known[due, positions.ids // sets]
        return np.where(limit_ms > 0, bar, len(self._candles))

    def _turned(self, positions: Pseudo, start: Ints) -> Ints:
        sets = len(self._grid)
        opposite = self._grid.opposite[self._grid.slot[positions.ids % sets]]
        bar = self._signalled.first(positions.ids // sets, np.maximum(opposite, 0), start)
        return np.where(opposite >= 0, bar, len(self._candles))

    @cached_property
    def _next_known(self) -> Ints:
        """(T + 1, S): the first candle from here on that is no gap, T if there is none."""
        length, symbols = self._candles.kind.shape
        number = np.where(self._candles.kind != Kind.GAP, np.arange(length)[:, None], length)
        ends = np.vstack([number, np.full((1, symbols), length)])
        known: Ints = np.minimum.accumulate(ends[::-1], axis=0)[::-1]
        return known
