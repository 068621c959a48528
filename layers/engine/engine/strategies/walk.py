"""Positions that are worked on before they end, event by event.

The next event of a position is the nearest of its triggers: for `first_exit` the next step of its
ladder, or the price at which it is under water, is a stop, and break-even is a target. What comes
of it is decided on that one candle, and the search goes on after it. A candle that opens at or
beyond the stop ends the position; otherwise what its price passes on the way down is done first,
and the stop comes after. A candle of a step brings no target and raises no best price.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.exits import OPEN, STOP, TARGET, TRAILING, FirstExits, Triggers, Window, first_exit
from engine.market import Candles, Ints, Kind
from engine.pseudo import FILLS, NEVER, RECOVERY, STEP_MS, STEPS, TAKEN, Pseudo, rows_of
from engine.strategies.adjusting import Adjusting, Recovery
from engine.ticks import distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Candle (its number past the last for those still open), reason and mirrored price, (P,)."""

    bar: Ints
    reason: NDArray[np.int8]
    price: Ints


class Market:
    """A stretch of candles as positions see it: mirrored, gaps without a price."""

    def __init__(self, candles: Candles, window: Window) -> None:
        self.candles, self.window = candles, window
        self.length = len(candles)
        known = candles.kind != Kind.GAP
        sides = [np.where(known, side, -NEVER).T for side in (candles.high, -candles.low)]
        self._highs = np.append(np.stack(sides, axis=1).ravel(), -NEVER)

    def candle(self, symbol: Ints, sign: Ints, bar: Ints) -> tuple[Ints, Ints, Ints]:
        """Open, high and low."""
        prices = self.candles
        open_, high, low = (
            sign * each[bar, symbol] for each in (prices.open, prices.high, prices.low)
        )
        return open_, np.where(sign > 0, high, low), np.where(sign > 0, low, high)

    def close(self, symbol: Ints, sign: Ints, bar: Ints) -> Ints:
        closes: Ints = sign * self.candles.close[bar, symbol]
        return closes

    def best(self, row: Ints, start: Ints, until: Ints) -> Ints:
        """Highest price of a row from candle `start` up to `until`, which is later."""
        order = np.argsort(row * self.length + start)
        bounds = np.stack([start, until], axis=1) + row[:, None] * self.length
        found = np.empty(len(row), np.int64)
        found[order] = np.maximum.reduceat(self._highs, bounds[order].ravel())[::2]
        return found


class Walk:
    """Positions from their start to their ends; `now` is how they are, `ends` where they end."""

    def __init__(
        self,
        market: Market,
        rules: Adjusting,
        positions: Pseudo,
        last: tuple[Ints, NDArray[np.int8]],
        cooldown_ms: int,
    ) -> None:
        self.market, self.rules, self.cooldown_ms = market, rules, cooldown_ms
        worked = ("target", "arm", "peak", "adjust")
        self.now = replace(positions, **{n: getattr(positions, n).copy() for n in worked})
        self.last, self.why = last
        count = len(positions)
        self.ends = Ends(
            bar=np.full(count, market.length, np.int64),
            reason=np.full(count, OPEN, np.int8),
            price=np.zeros(count, np.int64),
        )

    def run(self, start: Ints) -> None:
        """To the end of the candles."""
        who = np.arange(len(start))
        while len(who):
            who, start = self._round(who, start)

    def _round(self, who: Ints, start: Ints) -> tuple[Ints, Ints]:
        """The next event of each; those that go on, and the candle to go on from."""
        one, length, last = self.now.take(who), self.market.length, self.last[who]
        thaw = self._thaw(one, start)
        triggers = self._triggers(one, start, thaw)
        exits = first_exit(self.market.window, triggers)
        thawed = (thaw > start) & (thaw < length) & (thaw <= np.minimum(exits.bar, last))
        late = ~thawed & (last < exits.bar)
        hit = ~thawed & ~late & (exits.bar < length)
        lives_on = ~(thawed | late | hit)
        self.now.peak[who[lives_on]] = exits.peak[lives_on]
        self._close_late(who[late])
        best = self._best(one, start, np.where(thawed, thaw, np.where(hit, exits.bar, start)))
        self.now.peak[who[thawed | hit]] = best[thawed | hit]
        goes_on = self._happen(who, np.flatnonzero(hit), exits, triggers, thaw <= start)
        whose = np.concatenate([who[thawed], who[goes_on]])
        return whose, np.concatenate([thaw[thawed], exits.bar[goes_on] + 1])

    def _thaw(self, one: Pseudo, start: Ints) -> Ints:
        """The candle from which on a step may be taken, `start` if it may at once."""
        rests = (one.adjust[:, STEPS] > 0) & (self.rules.step_level(one) > -NEVER)
        free_ms = one.adjust[:, STEP_MS] + self.cooldown_ms
        thaw = np.searchsorted(self.market.candles.close_ms, free_ms)
        return np.where(rests, np.maximum(thaw, start), start)

    def _triggers(self, one: Pseudo, start: Ints, thaw: Ints) -> Triggers:
        step = np.where(thaw > start, -NEVER, self.rules.step_level(one))
        below = np.maximum(step, self.rules.water_level(one))
        return Triggers(
            row=rows_of(self.rules.grid, one.ids),
            start=start,
            stop=np.maximum(one.stop, below),
            target=np.minimum(one.target, self.rules.back_level(one)),
            arm=one.arm,
            trail=self.rules.trailing(one),
            peak=one.peak,
        )

    def _best(self, one: Pseudo, start: Ints, until: Ints) -> Ints:
        """Best prices of those that trail, before candle `until`."""
        best = one.peak.copy()
        moved = np.flatnonzero((self.rules.trailing(one) > 0) & (until > start))
        if len(moved):
            rows = rows_of(self.rules.grid, one.ids[moved])
            highs = self.market.best(rows, start[moved], until[moved])
            best[moved] = np.maximum(best[moved], highs)
        return best

    def _close_late(self, who: Ints) -> None:
        if len(who):
            price = self.market.close(*self._place(who), self.last[who])
            self._end(who, self.last[who], self.why[who], price)

    def _happen(
        self,
        who: Ints,
        hit: Ints,
        exits: FirstExits,
        triggers: Triggers,
        may_step: NDArray[np.bool_],
    ) -> Ints:
        """What the candles of `hit` bring; which of `who` go on after them."""
        if not len(hit):
            return hit
        now = self.now
        reason = exits.reason[hit]
        falls = (reason == STOP) & (triggers.stop[hit] > now.stop[who[hit]])
        rises = (reason == TARGET) & (triggers.target[hit] < now.target[who[hit]])
        ends = hit[~falls & ~rises]
        self._end(who[ends], exits.bar[ends], exits.reason[ends], exits.price[ends])
        fallen, back = hit[falls], hit[rises]
        goes_on = self._fall(who[fallen], exits.bar[fallen], may_step[fallen])
        self._come_back(who[back], exits.bar[back], exits.price[back])
        return np.concatenate([fallen[goes_on], back])

    def _fall(self, who: Ints, bar: Ints, may_step: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A candle on whose way down something is done; which positions it does not end."""
        one = self.now.take(who)
        open_, high, low = self.market.candle(*self._place(who), bar)
        floor = self._floor(one)
        stepped = np.zeros(len(who), np.bool_)
        may_step = may_step & (open_ > floor)
        for left in range(self._steps_a_candle(), -1, -1):
            level = np.where(may_step & (left > 0), self.rules.step_level(one), -NEVER)
            _mark_water(one, low, level, self.rules)
            due = (low <= level) & (level > floor)
            self._add(one, np.flatnonzero(due), np.minimum(level, open_), bar)
            floor = np.where(due, one.stop, floor)
            stepped |= due
        self._rearm(one, stepped)
        stopped = low <= floor
        reached = ~stopped & ~stepped & (high >= one.target)
        ended = stopped | reached
        price = np.where(stopped, np.minimum(floor, open_), one.target)
        reason = np.where(stopped, np.where(floor > one.stop, TRAILING, STOP), TARGET)
        self._end(who[ended], bar[ended], reason[ended], price[ended])
        one.peak[~stepped] = np.maximum(one.peak, high)[~stepped]
        self._keep(who, one)
        return ~ended

    def _floor(self, one: Pseudo) -> Ints:
        """Stops, the trailing ones included."""
        trail = self.rules.trailing(one)
        armed = (trail > 0) & (one.peak >= one.arm)
        return np.where(armed, np.maximum(one.stop, one.peak - distance(one.peak, trail)), one.stop)

    def _steps_a_candle(self) -> int:
        """A candle as long as the rest between two steps has room for two."""
        most = 1 + self.market.candles.span_ms // self.cooldown_ms
        return min(most, len(self.rules.distances))

    def _add(self, one: Pseudo, due: Ints, price: Ints, bar: Ints) -> None:
        one.adjust[due, FILLS + one.adjust[due, STEPS]] = np.abs(price[due])
        one.adjust[due, STEPS] += 1
        one.adjust[due, STEP_MS] = self.market.candles.close_ms[bar[due]]
        one.peak[due] = price[due]

    def _rearm(self, one: Pseudo, stepped: NDArray[np.bool_]) -> None:
        """Target and trailing from the new average; trailing starts anew at the step."""
        one.target[stepped] = self.rules.target(one)[stepped]
        one.arm[stepped] = self.rules.arm(one)[stepped]

    def _come_back(self, who: Ints, bar: Ints, price: Ints) -> None:
        """The share is taken at `price`; what is left trails from there."""
        if not len(who):
            return
        one = self.now.take(who)
        one.adjust[:, TAKEN] = np.abs(price)
        one.adjust[:, RECOVERY] = Recovery.BACK
        one.target[:] = self.rules.cut_target(one)
        one.arm[:] = price
        one.peak[:] = np.maximum(price, self.market.candle(*self._place(who), bar)[1])
        self._keep(who, one)

    def _place(self, who: Ints) -> tuple[Ints, Ints]:
        """Symbols and signs."""
        ids, sets = self.now.ids[who], len(self.rules.grid)
        return ids // sets, self.rules.grid.sign[ids % sets]

    def _keep(self, who: Ints, one: Pseudo) -> None:
        for name in ("target", "arm", "peak", "adjust"):
            getattr(self.now, name)[who] = getattr(one, name)

    def _end(self, who: Ints, bar: Ints, reason: NDArray[np.int8], price: Ints) -> None:
        self.ends.bar[who] = bar
        self.ends.reason[who] = reason
        self.ends.price[who] = price


def _mark_water(one: Pseudo, low: Ints, step: Ints, rules: Adjusting) -> None:
    """Positions that the price brought under water before it reached `step`."""
    level = rules.water_level(one)
    under = (low <= level) & (level >= step) & (level > -NEVER)
    one.adjust[under, RECOVERY] = Recovery.UNDER
