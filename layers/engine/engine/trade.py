"""The trade side of the engine: candles in; signals, paper trades, promotions and wishes out.

Signals do not depend on positions, and a Set depends on no other Set but for the short key
they may share, which only decides who is a shadow. So all Sets run side by side, event by event:
entry, first exit, statistics, cooldown, next entry; then the keys are given out. Inside a
candle exits come first, then statistics and promotion, then entries; ties go by (symbol, Set).
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.bookkeeping import Bookkeeper
from engine.errors import InvalidCandleError
from engine.exits import OPEN, Window, first_exit, make_window
from engine.indications.signals import indicate
from engine.market import Candles, Ints
from engine.mirroring import mirrored
from engine.pseudo import Pseudo, open_positions, results_of, triggers_of, unique
from engine.settings import Settings
from engine.statistics import Stage
from engine.trade_plan import CHANGE, CLOSING, OPENING, Records, TradePlan, cap_wishes
from engine.trade_state import TradeState

__all__ = ["TradePlan", "TradeState", "plan_trade"]

_Columns = dict[str, NDArray[Any]]


def plan_trade(
    state: TradeState, candles: Candles, settings: Settings
) -> tuple[TradeState, TradePlan]:
    """Fold `candles` of the state's symbols into it; any number of candles at once.

    However a stream of candles is cut in time, and however its symbols are grouped, the states
    are the same, and the plans joined.

    Raises
    ------
    InvalidCandleError
        If symbols differ from the state's, candles are not later than those seen, or a price
        is not positive or outside its candle.
    """
    if candles.symbols != state.symbols:
        raise InvalidCandleError(f"candles of {candles.symbols} for a state of {state.symbols}")
    candles.check_prices()
    indications, signals, refused = indicate(state.indications, candles, state.grid.slots, settings)
    course = _Course(state, candles, signals, settings)
    course.run()
    history, archived = course.keeper.finish()
    archived["bar"] = np.searchsorted(candles.close_ms, archived["at_ms"])
    positions, plan = course.finish(refused, archived)
    if not len(candles):
        return state, plan
    planned = replace(
        state,
        indications=indications,
        positions=positions,
        history=history,
        last_close_ms=int(candles.close_ms[-1]),
    )
    return planned, plan


class _Course:
    """All Sets through one stretch of candles."""

    def __init__(
        self, state: TradeState, candles: Candles, signals: Records, settings: Settings
    ) -> None:
        self.state, self.candles, self.signals = state, candles, signals
        self.grid, self.settings = state.grid, settings
        self.length = len(candles)
        self.keeper = Bookkeeper(state.history, settings, self.grid.is_preset)
        self.mirrored = mirrored(self.grid, settings)
        self.positions: list[Pseudo] = []  # every position met, and for each of them:
        self.opened: list[Ints] = []  # candle of the entry, -1 before these candles
        self.until: list[Ints] = []  # candle of the exit, T for those still open
        self.held: list[NDArray[np.bool_]] = []  # may be a shadow only
        self.proven: list[NDArray[np.bool_]] = []  # may go to the exchange
        self.met = 0
        self.closed_at: list[Ints] = []  # which of the positions met, for each closing
        self.closings: list[Records] = []
        self.changes: list[Records] = []
        self.saturated = 0
        self.window: Window | None = None
        slots = len(self.grid.slots)
        keys = (signals["symbol"] * slots + signals["slot"]) * (self.length + 1) + signals["bar"]
        self.signal_keys = np.sort(keys)

    def run(self) -> None:
        """Rounds of one exit and one entry for each Set, until none is left."""
        carried = self.state.positions
        bars = np.full(len(carried), -1, np.int64)
        self._meet(carried, bars, carried.shadow, np.zeros(len(carried), np.bool_))
        self._exit(carried, bars)
        waiting = np.concatenate([self._closed, self._signalled(carried.ids)])
        while len(waiting):
            positions, bars = self._enter(waiting)
            self._exit(positions, bars)
            waiting = self._closed

    def _signalled(self, open_ids: Ints) -> Ints:
        """Sets that hold no position and have a signal."""
        slots, sets = len(self.grid.slots), len(self.grid)
        places = np.unique(self.signal_keys // (self.length + 1))
        symbol, slot = places // slots, places % slots
        begin, end = self.grid.begin[slot], self.grid.begin[slot + 1]
        count = end - begin
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        ids = np.repeat(symbol * sets + begin, count) + within
        idle: Ints = ids[~np.isin(ids, open_ids, assume_unique=True)]
        return idle

    def _enter(self, ids: Ints) -> tuple[Pseudo, Ints]:
        """The next entry of each of these Sets that finds a signal once it is free."""
        slots, sets, reach = len(self.grid.slots), len(self.grid), self.length + 1
        free = self.keeper.columns["free_ms"][ids]
        earliest = np.searchsorted(self.candles.close_ms, free)
        place = ids // sets * slots + self.grid.slot[ids % sets]
        found = np.searchsorted(self.signal_keys, place * reach + earliest)
        keys = np.append(self.signal_keys, -1)[found]
        chosen = keys // reach == place
        ids, bars = ids[chosen], keys[chosen] % reach
        at_ms = self.candles.close_ms[bars]
        entry = self.candles.close[bars, ids // sets]
        stage = self.keeper.columns["stage"][ids]
        positions = open_positions(self.grid, ids, entry, at_ms, stage)
        held = self.keeper.shadowed(ids)
        self._meet(positions, bars, held, self.keeper.proven(ids, at_ms))
        return positions, bars

    def _meet(
        self,
        positions: Pseudo,
        bars: Ints,
        held: NDArray[np.bool_],
        proven: NDArray[np.bool_],
    ) -> None:
        self.positions.append(positions)
        self.opened.append(bars)
        self.held.append(held)
        self.proven.append(proven)

    def _exit(self, positions: Pseudo, bars: Ints) -> None:
        """First exits of positions entered at `bars`, booked."""
        self._closed = np.zeros(0, np.int64)
        first, self.met = self.met, self.met + len(positions)
        if not len(positions):
            self.until.append(bars)
            return
        if self.window is None:
            self.window = make_window(self.candles)
        exits = first_exit(self.window, triggers_of(self.grid, positions, bars + 1))
        self.until.append(exits.bar)
        self.positions[-1] = replace(positions, peak=exits.peak)
        ended = np.flatnonzero(exits.reason != OPEN)
        if len(ended):
            self.closed_at.append(first + ended)
            result = (exits.bar[ended], exits.reason[ended], exits.price[ended])
            self._book(positions.take(ended), *result)

    def _book(self, ended: Pseudo, bar: Ints, reason: NDArray[np.int8], price: Ints) -> None:
        sets = len(self.grid)
        sign = self.grid.sign[ended.ids % sets]
        result, cut = results_of(sign, ended.entry, sign * price, self.settings)
        self.saturated += cut
        at_ms = self.candles.close_ms[bar]
        before, after = self.keeper.book(ended.ids, result, at_ms, ended.stage >= Stage.MAIN)
        self._closed = ended.ids
        place: _Columns = {
            "bar": bar,
            "at_ms": at_ms,
            "symbol": ended.ids // sets,
            "set": ended.ids % sets,
        }
        closing: _Columns = {
            "reason": reason,
            "result": result,
            "entry": ended.entry,
            "exit": sign * price,
        }
        opened: _Columns = {"opened_ms": ended.opened_ms}
        self.closings.append(_records(CLOSING, len(bar), place | closing | opened))
        changed = before != after
        stages: _Columns = {"before": before, "after": after}
        changes = _records(CHANGE, len(bar), place | stages)
        self.changes.append(changes[changed])

    def finish(self, counts: dict[str, int], archived: Records) -> tuple[Pseudo, TradePlan]:
        """Give out the short keys: positions still open, sorted by Set, and the plan."""
        positions = Pseudo.join(self.positions)
        opened, until = np.concatenate(self.opened), np.concatenate(self.until)
        held, proven = np.concatenate(self.held), np.concatenate(self.proven)
        order = np.lexsort((positions.ids, opened))
        order = order[opened[order] >= 0]
        shadow = positions.shadow.copy()
        shadow[order] = ~self._holds(positions, opened, until, held, order)
        positions = replace(positions, shadow=shadow)
        openings = self._openings(positions.take(order), opened[order], proven[order])
        remaining = positions.take(until == self.length)
        plan = self._plan(openings, shadow, counts, archived)
        return remaining.take(np.argsort(remaining.ids)), plan

    def _holds(
        self, positions: Pseudo, opened: Ints, until: Ints, held: NDArray[np.bool_], order: Ints
    ) -> NDArray[np.bool_]:
        sets = len(self.grid)
        key = positions.ids // sets * self.grid.short_count + self.grid.short[positions.ids % sets]
        free = np.zeros(len(self.state.symbols) * self.grid.short_count, np.int64)
        carried = (opened < 0) & ~positions.shadow
        free[key[carried]] = until[carried]
        return unique(key[order], opened[order], until[order], ~held[order], free)

    def _openings(self, positions: Pseudo, bar: Ints, proven: NDArray[np.bool_]) -> Records:
        sets = len(self.grid)
        values: _Columns = {
            "bar": bar,
            "at_ms": positions.opened_ms,
            "symbol": positions.ids // sets,
            "set": positions.ids % sets,
            "entry": positions.entry,
            "stage": positions.stage,
            "shadow": positions.shadow,
            "wish": proven & ~positions.shadow & self.mirrored[positions.ids % sets],
        }
        openings = _records(OPENING, len(bar), values)
        return cap_wishes(openings, self.settings.max_mirrored_per_cycle)

    def _plan(
        self,
        openings: Records,
        shadow: NDArray[np.bool_],
        counts: dict[str, int],
        archived: Records,
    ) -> TradePlan:
        closings = np.concatenate([np.zeros(0, CLOSING), *self.closings])
        if self.closed_at:
            closings["shadow"] = shadow[np.concatenate(self.closed_at)]
        changes = np.concatenate([np.zeros(0, CHANGE), *self.changes])
        closings, changes = (
            each[np.lexsort((each["set"], each["symbol"], each["bar"]))]
            for each in (closings, changes)
        )
        sizes = np.diff(self.grid.begin)
        asked = int(sizes[self.signals["slot"]].sum())
        promoted = int((changes["after"] > changes["before"]).sum())
        return TradePlan(
            instruments=self.state.instruments,
            grid=self.grid,
            signals=self.signals,
            openings=openings,
            closings=closings,
            changes=changes,
            counts={
                "signals": len(self.signals),
                **counts,
                "opened": int((~openings["shadow"]).sum()),
                "shadow_opened": int(openings["shadow"].sum()),
                "closed": int((~closings["shadow"]).sum()),
                "shadow_closed": int(closings["shadow"].sum()),
                "blocked": asked - len(openings),
                "promoted": promoted,
                "demoted": len(changes) - promoted,
                "wishes": int(openings["wish"].sum()),
                "saturated": self.saturated,
            },
            archived=archived,
        )


def _records(dtype: np.dtype[np.void], count: int, columns: _Columns) -> Records:
    made = np.zeros(count, dtype)
    for name, column in columns.items():
        made[name] = column
    return made
