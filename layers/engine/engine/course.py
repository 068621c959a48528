"""All Sets through one stretch of candles, event by event; then the short keys are given out."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.bookkeeping import Bookkeeper
from engine.exits import OPEN
from engine.market import Candles, Ints
from engine.mirroring import mirrored
from engine.pseudo import STEPS, TAKEN, Pseudo, open_positions, quantised, results_of, unique
from engine.settings import Settings
from engine.statistics import Stage, Status
from engine.strategies.adjusting import Adjusting, adjust_columns
from engine.strategies.lives import Lives
from engine.strategies.ratios import Sizes, sizes_of
from engine.strategies.results import Booked
from engine.strategies.signalled import Signalled
from engine.trade_plan import CHANGE, CLOSING, OPENING, Records, TradePlan, cap_wishes
from engine.trade_state import TradeState
from engine.values import IndicationType

_Columns = dict[str, NDArray[Any]]


class Course:
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
        has_auto = bool(self.grid.of_type(IndicationType.AUTO).any())
        self.is_sized = settings.block_enabled or settings.level_enabled or has_auto
        self.count: list[Ints] = []  # results its Set had, where that decides on sizes
        self.met = 0
        self.closed_at: list[Ints] = []  # which of the positions met, for each closing
        self.closings: list[Records] = []
        self.changes: list[Records] = []
        self.saturated = 0
        self.booked = [Booked.none()]
        self.signalled = Signalled(signals, len(self.grid.slots), self.length)
        self.lives = Lives(candles, self.grid, self.signalled, settings)
        self.rules = Adjusting.of(self.grid, settings) if self.grid.is_adjusted else None
        self.adjusts = adjust_columns(self.grid, settings)
        optimal = self.grid.of_type(IndicationType.OPTIMAL)
        self.optimal = optimal if optimal.any() else None

    def run(self) -> None:
        """Rounds of one exit and one entry for each Set, until none is left."""
        carried = self.state.positions
        bars = np.full(len(carried), -1, np.int64)
        self._meet(carried, bars, carried.shadow, np.zeros(len(carried), np.bool_))
        self._live(carried, bars)
        waiting = np.concatenate([self._closed, self._signalled(carried.ids)])
        while len(waiting):
            positions, bars = self._enter(waiting)
            self._live(positions, bars)
            waiting = self._closed

    def _signalled(self, open_ids: Ints) -> Ints:
        """Sets that hold no position and have a signal."""
        sets = len(self.grid)
        symbol, slot = self.signalled.places
        begin, end = self.grid.begin[slot], self.grid.begin[slot + 1]
        count = end - begin
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        ids = np.repeat(symbol * sets + begin, count) + within
        idle: Ints = ids[~np.isin(ids, open_ids, assume_unique=True)]
        return idle

    def _enter(self, ids: Ints) -> tuple[Pseudo, Ints]:
        """The next entry of each of these Sets that finds a signal once it is free."""
        sets, columns = len(self.grid), self.keeper.columns
        earliest = np.searchsorted(self.candles.close_ms, columns["free_ms"][ids])
        bars = self.signalled.first(ids // sets, self.grid.slot[ids % sets], earliest)
        chosen = bars < self.length
        ids, bars = ids[chosen], bars[chosen]
        at_ms = self.candles.close_ms[bars]
        entry = self.candles.close[bars, ids // sets]
        stage = columns["stage"][ids]
        positions = open_positions(self.grid, ids, entry, at_ms, stage, self.adjusts)
        if self.rules is not None:
            positions = replace(positions, stop=self.rules.widened_stop(positions))
        self._meet(positions, bars, self._held(ids), self.keeper.proven(ids, at_ms))
        return positions, bars

    def _held(self, ids: Ints) -> NDArray[np.bool_]:
        """Which Sets open in shadow only; those of Optimal until they are active."""
        held = self.keeper.shadowed(ids)
        if self.optimal is not None:
            active = self.keeper.columns["status"][ids] == Status.ACTIVE
            held = held | (self.optimal[ids % len(self.grid)] & ~active)
        return held

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
        if self.is_sized:
            self.count.append(self.keeper.columns["count"][positions.ids])

    def _live(self, positions: Pseudo, bars: Ints) -> None:
        """Positions entered at `bars` until they end, booked."""
        self._closed = np.zeros(0, np.int64)
        first, self.met = self.met, self.met + len(positions)
        if not len(positions):
            self.until.append(bars)
            return
        self.positions[-1], ends = self.lives.through(positions, bars + 1)
        self.until.append(ends.bar)
        ended = np.flatnonzero(ends.reason != OPEN)
        if len(ended):
            self.closed_at.append(first + ended)
            result = (ends.bar[ended], ends.reason[ended], ends.price[ended])
            self._book(self.positions[-1].take(ended), *result)

    def _book(self, ended: Pseudo, bar: Ints, reason: NDArray[np.int8], price: Ints) -> None:
        sets = len(self.grid)
        exit_ = self.grid.sign[ended.ids % sets] * price
        result = self._results(ended, exit_)
        at_ms = self.candles.close_ms[bar]
        before, after = self.keeper.book(ended.ids, result, at_ms, ended.stage >= Stage.MAIN)
        if self.is_sized:
            epoch = self.keeper.columns["results"][ended.ids]
            self.booked.append(Booked(ids=ended.ids, r=result, epoch=epoch))
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
            "exit": exit_,
            "opened_ms": ended.opened_ms,
        }
        if self.rules is not None:
            closing |= {"steps": ended.adjust[:, STEPS], "taken": ended.adjust[:, TAKEN]}
        self.closings.append(_records(CLOSING, len(bar), place | closing))
        changed = before != after
        stages: _Columns = {"before": before, "after": after}
        changes = _records(CHANGE, len(bar), place | stages)
        self.changes.append(changes[changed])

    def _results(self, ended: Pseudo, exit_: Ints) -> NDArray[np.int16]:
        if self.rules is None:
            sign = self.grid.sign[ended.ids % len(self.grid)]
            result, cut = results_of(sign, ended.entry, exit_, self.settings)
        else:
            result, cut = quantised(self.rules.net_pct(ended, exit_, self.settings), self.settings)
        self.saturated += cut
        return result

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
        count = np.concatenate(self.count)[order] if self.is_sized else order
        openings = self._openings(positions.take(order), opened[order], proven[order], count)
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

    def _openings(
        self, positions: Pseudo, bar: Ints, proven: NDArray[np.bool_], count: Ints
    ) -> Records:
        sets = len(self.grid)
        sized = self._sizes(positions, bar, count)
        wish = proven & ~positions.shadow & self.mirrored[positions.ids % sets] & sized.suits
        if self.settings.block_only:
            wish &= sized.raised
        values: _Columns = {
            "bar": bar,
            "at_ms": positions.opened_ms,
            "symbol": positions.ids // sets,
            "set": positions.ids % sets,
            "entry": positions.entry,
            "stage": positions.stage,
            "shadow": positions.shadow,
            "ratio": sized.ratio,
            "wish": wish,
        }
        openings = _records(OPENING, len(bar), values)
        return cap_wishes(openings, self.grid, self.settings.max_mirrored_per_cycle)

    def _sizes(self, openings: Pseudo, bar: Ints, count: Ints) -> Sizes:
        """Sizes of openings; those below Main are plain."""
        sized = Sizes.plain(len(openings))
        chosen = np.flatnonzero(openings.stage >= Stage.MAIN)
        if not len(chosen) or not self.is_sized:
            return sized
        ids = openings.ids[chosen]
        sets = len(self.grid)
        signals = self.signalled.at(ids // sets, self.grid.slot[ids % sets], bar[chosen])
        found = sizes_of(
            self.state.history,
            Booked.join(self.booked),
            self.grid,
            (ids, count[chosen].astype(np.int64), self.signals[signals]),
            self.settings,
        )
        for name in ("ratio", "raised", "suits"):
            getattr(sized, name)[chosen] = getattr(found, name)
        return sized

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
            turning=self.settings.exit_on_opposite,
        )


def _records(dtype: np.dtype[np.void], count: int, columns: _Columns) -> Records:
    made = np.zeros(count, dtype)
    for name, column in columns.items():
        made[name] = column
    return made
