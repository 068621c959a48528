"""The paper trade life as a plain loop over candles and Sets, written from the rules' words.

Signals and statistics are the engine's own; which position opens, what happens to it in each
candle, what it earns and how large it is, are done again here, one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from math import ceil
from typing import Any

import numpy as np

from engine.bookkeeping import Bookkeeper
from engine.ladder import admitted
from engine.market import Candles, Kind
from engine.settings import Settings
from engine.statistics import Stage, Status
from engine.ticks import RATIO, ratio_units
from engine.trade import TradePlan, TradeState
from engine.values import CloseReason, Exits, IndicationType, TradeMode

_HOUR_MS = 3_600_000
_PAUSED = (Status.PAUSED,)


def away(price: int, pct: Decimal) -> int:
    """A distance in whole ticks, never nearer than asked."""
    return -(-abs(price) * ratio_units(pct) // RATIO)


@dataclass(slots=True)
class Life:
    """One open position; prices in ticks on the mirrored axis (negative of a short)."""

    k: int
    symbol: int
    sign: int
    exits: Exits
    settings: Settings
    entry: int
    opened_ms: int
    stage: int
    shadow: bool
    fills: list[int] = field(default_factory=list)
    step_ms: int = 0
    under: bool = False
    taken: int | None = None
    stop: int = 0
    target: float = 0
    arm: int = 0
    peak: int = 0

    def __post_init__(self) -> None:
        pct = self.exits.stop_loss_pct
        if self.exits.ladder and self.steps:
            pct = max(pct, self.steps[-1].distance_pct + self.settings.dca_stop_margin_pct)
        self.stop = self.entry - away(self.entry, pct)
        self.target = self.entry + away(self.entry, self.exits.take_profit_pct)
        if self.exits.trailing_only:
            self.target = float("inf")
        self.arm = self.entry + away(self.entry, self.exits.trail_start_pct)
        self.peak = self.entry

    @property
    def steps(self) -> Any:
        return admitted(self.settings)

    @property
    def average(self) -> int:
        volumes = [Decimal(1), *(step.volume for step in self.steps)]
        parts = list(zip([self.entry, *self.fills], volumes, strict=False))
        cost = sum(price * volume for price, volume in parts)
        return int((cost / sum(volume for _, volume in parts)).to_integral_value(ROUND_CEILING))

    @property
    def trail_pct(self) -> Decimal:
        if self.taken is not None:
            return self.settings.profit_back_trail_pct
        return self.exits.trail_stop_pct

    def floor(self) -> int:
        if self.trail_pct and self.peak >= self.arm:
            return max(self.stop, self.peak - away(self.peak, self.trail_pct))
        return self.stop

    def candle(
        self, open_: int, high: int, low: int, close_ms: int, span_ms: int
    ) -> tuple[CloseReason, int] | None:
        """What the candle does to it; reason and price if it ends."""
        floor, was_under = self.floor(), self.under
        if open_ <= floor:
            return self._stopped(floor, open_)
        stepped = 0
        while (event := self._next_below(floor, low, close_ms, span_ms, stepped)) is not None:
            if event == "water":
                self.under = True
                continue
            self._step(min(event, open_), close_ms)
            floor, stepped = self.stop, stepped + 1
        if low <= floor:
            return self._stopped(floor, open_)
        if stepped:
            return None
        back = self.average + away(self.average, 2 * self.settings.taker_fee_pct)
        if was_under and self.taken is None and back < self.target and high >= back:
            self._come_back(back)
        elif high >= self.target:
            return CloseReason.TAKE_PROFIT, int(self.target)
        self.peak = max(self.peak, high)
        return None

    def _stopped(self, floor: int, open_: int) -> tuple[CloseReason, int]:
        trailed = floor > self.stop
        reason = CloseReason.TRAILING_STOP if trailed else CloseReason.STOP_LOSS
        return reason, min(floor, open_)

    def _next_below(self, floor: int, low: int, close_ms: int, span_ms: int, stepped: int) -> Any:
        """The first thing on the way down: "water", or the price of a step."""
        levels: list[tuple[int, int, Any]] = []
        number = len(self.fills)
        cooldown_ms = self.settings.dca_step_cooldown_s * 1000
        rested = not number or close_ms >= self.step_ms + cooldown_ms
        room = stepped <= span_ms // cooldown_ms if stepped else rested
        if self.exits.ladder and self.taken is None and number < len(self.steps) and room:
            level = self.entry - away(self.entry, self.steps[number].distance_pct)
            levels.append((level, 0, level))
        if self.exits.profit_back and not self.under:
            half = -(-abs(self.average) * (ratio_units(self.exits.stop_loss_pct) // 2) // RATIO)
            levels.append((self.average - half, 1, "water"))
        passed = [each for each in levels if low <= each[0] and each[0] > floor]
        return max(passed, key=lambda each: each[:2])[2] if passed else None

    def _step(self, price: int, close_ms: int) -> None:
        self.fills.append(price)
        self.step_ms = close_ms
        base, pct = self.average, self.exits.take_profit_pct
        if self.settings.dca_take_profit_mode == "first_entry":
            base = self.entry
        if self.settings.dca_take_profit_mode == "breakeven_plus":
            pct = 2 * self.settings.taker_fee_pct + self.settings.breakeven_plus_pct
        if not self.exits.trailing_only:
            self.target = base + away(base, pct)
        self.arm = self.average + away(self.average, self.exits.trail_start_pct)
        self.peak = price

    def _come_back(self, price: int) -> None:
        self.taken = price
        if self.settings.profit_back_aggressive and not self.exits.trailing_only:
            half = ceil((Decimal(self.target) - self.average) / 2)
            self.target = max(self.average + half, price)
        self.arm = self.peak = price

    def result(self, exit_: int) -> int:
        """Hundredths of a position cost, of all parts per first volume."""
        volumes = [1.0, *(float(step.volume) for step in self.steps)]
        total = 0.0
        share = self.settings.profit_back_share_pct / 100 if self.taken is not None else 0.0
        for price, volume in zip([self.entry, *self.fills], volumes, strict=False):
            net = (1 - share) * self._net_pct(price, exit_)
            if self.taken is not None:
                net += share * self._net_pct(price, self.taken)
            total += volume * net
        return round(total / float(self.settings.position_cost_pct) * 100)

    def _net_pct(self, entry: int, exit_: int) -> float:
        slip = float(self.settings.slippage_pct / 100)
        bought = abs(entry) * (1 + self.sign * slip)
        sold = abs(exit_) * (1 - self.sign * slip)
        move = self.sign * (sold - bought) / bought * 100
        return move - float(2 * self.settings.taker_fee_pct)


def is_raised(results: Sequence[int], size: int, kind: IndicationType, settings: Settings) -> bool:
    """Whether blocks of one size raise what opens after these results of an epoch."""
    ends = range(size, len(results) + 1, size)
    total = {end: sum(results[end - size : end]) for end in ends}
    if not total or total[max(total)] >= 0:
        return False
    since = max(total)
    while since - size in total and total[since - size] < 0:
        since -= size
    waits = settings.block_neutral_positions
    if kind is IndicationType.AUTO:
        waits = settings.auto_block_neutral_positions
    if len(results) - since < waits:
        return False
    rest = min(settings.block_reactivate_after, settings.database_size // 2)
    recent = [end for end in ends if len(results) - end < rest]
    return not (
        settings.block_auto_disable
        and any(_did_worse(total, end, size, kind, settings) for end in recent)
    )


def _did_worse(
    total: dict[int, int], end: int, size: int, kind: IndicationType, settings: Settings
) -> bool:
    window = settings.block_comparison_window
    if kind in (IndicationType.AUTO, IndicationType.OPTIMAL):
        window = settings.block_deactivate_window
    window = min(window, settings.database_size // 2)
    inside = [each for each in total if end - window <= each - size and each <= end]
    after = [each for each in inside if each - size in inside and total[each - size] < 0]
    others = [each for each in inside if each not in after]
    if min(end, window) < min(20, window) or min(len(after), len(others)) < 2:
        return False
    return _mean(total, after) < _mean(total, others)


def _mean(total: dict[int, int], ends: list[int]) -> float:
    return sum(total[end] for end in ends) / len(ends)


class PaperReference:
    """All Sets of a state through candles, candle by candle."""

    def __init__(
        self, state: TradeState, candles: Candles, plan: TradePlan, settings: Settings
    ) -> None:
        self.state, self.grid, self.candles, self.settings = state, state.grid, candles, settings
        self.keeper = Bookkeeper(state.history, settings, self.grid.is_preset)
        self.results: dict[int, list[int]] = {}
        self.open: dict[int, Life] = {}
        self.openings: list[tuple[Any, ...]] = []
        self.closings: list[tuple[Any, ...]] = []
        self.signals: dict[tuple[int, int], set[int]] = {}
        for signal in plan.signals:
            place = (int(signal["bar"]), int(signal["symbol"]))
            self.signals.setdefault(place, set()).add(int(signal["slot"]))

    def run(self) -> None:
        for bar in range(len(self.candles)):
            for ids in sorted(self.open):
                self._live(bar, ids)
            for symbol in range(len(self.candles.symbols)):
                for slot in sorted(self.signals.get((bar, symbol), ())):
                    for k in range(self.grid.begin[slot], self.grid.begin[slot + 1]):
                        self._open(bar, symbol, int(k))

    def _live(self, bar: int, ids: int) -> None:
        life = self.open[ids]
        candles, symbol, sign = self.candles, life.symbol, life.sign
        if candles.kind[bar, symbol] == Kind.GAP:
            return
        close_ms = int(candles.close_ms[bar])
        prices = [
            sign * int(each[bar, symbol])
            for each in (candles.open, candles.high, candles.low, candles.close)
        ]
        high, low = max(prices), min(prices)
        ended = life.candle(prices[0], high, low, close_ms, candles.span_ms)
        ended = ended or self._late(life, bar, close_ms, prices[3])
        if ended is not None:
            self._close(bar, ids, *ended)

    def _late(
        self, life: Life, bar: int, close_ms: int, close: int
    ) -> tuple[CloseReason, int] | None:
        slot = self.grid.slots[int(self.grid.slot[life.k])]
        hours = self.settings.main_timeout_h
        if slot.indication.mode is TradeMode.PRESET:
            hours = self.settings.preset_timeout_h
        if hours and close_ms >= life.opened_ms + hours * _HOUR_MS:
            return CloseReason.TIMEOUT, close
        signalled = {self.grid.slots[j] for j in self.signals.get((bar, life.symbol), ())}
        turned = any(
            (s.indication, s.parameter, s.variant)
            == (slot.indication, slot.parameter, slot.variant)
            and s.side is slot.side.opposite
            for s in signalled
        )
        if turned and self.settings.exit_on_opposite:
            return CloseReason.STRATEGY_EXIT, close
        return None

    def _close(self, bar: int, ids: int, reason: CloseReason, price: int) -> None:
        life = self.open.pop(ids)
        result = life.result(price)
        at_ms = self.candles.close_ms[bar : bar + 1]
        if self.keeper.columns["status"][ids] == Status.FAILED:
            self.results[ids] = []
        self.results.setdefault(ids, []).append(result)
        self.keeper.book(
            np.array([ids]), np.array([result], np.int16), at_ms, np.array([life.stage >= 1])
        )
        taken = abs(life.taken) if life.taken is not None else 0
        shown = (bar, life.symbol, life.k, str(reason), result, abs(life.entry), abs(price))
        self.closings.append((*shown, len(life.fills), taken, life.opened_ms, life.shadow))

    def _open(self, bar: int, symbol: int, k: int) -> None:
        ids, grid = symbol * len(self.grid), self.grid
        ids += k
        columns, at_ms = self.keeper.columns, self.candles.close_ms[bar : bar + 1]
        if ids in self.open or columns["free_ms"][ids] > at_ms[0]:
            return
        slot = grid.slots[int(grid.slot[k])]
        held = bool(self.keeper.shadowed(np.array([ids]))[0])
        if slot.indication is IndicationType.OPTIMAL:
            held = held or columns["status"][ids] != Status.ACTIVE
        key = self.state.set_key(self.candles.symbols[symbol], k).short_text
        shadow = held or any(
            not other.shadow
            and self.state.set_key(self.candles.symbols[other.symbol], other.k).short_text == key
            for other in self.open.values()
        )
        entry = slot.side.sign * int(self.candles.close[bar, symbol])
        stage = int(columns["stage"][ids])
        self.open[ids] = Life(
            k=k,
            symbol=symbol,
            sign=slot.side.sign,
            exits=grid.exits[int(grid.exit[k])],
            settings=self.settings,
            entry=entry,
            opened_ms=int(at_ms[0]),
            stage=stage,
            shadow=shadow,
        )
        raised = self._raised(ids, slot.indication) if stage >= Stage.MAIN else 0
        ratio = min(
            1 + raised * self.settings.block_adjustment_ratio, self.settings.block_max_ratio
        )
        wish = not shadow and bool(self.keeper.proven(np.array([ids]), at_ms)[0])
        on_paper_only = grid.exits[int(grid.exit[k])].profit_back
        wish = wish and (self.settings.profit_back_on_exchange or not on_paper_only)
        if self.settings.block_only:
            wish = wish and raised > 0
        self.openings.append((bar, symbol, k, abs(entry), stage, shadow, int(ratio * 100), wish))

    def _raised(self, ids: int, kind: IndicationType) -> int:
        if not self.settings.block_enabled:
            return 0
        sizes = set(self.settings.block_sizes)
        return sum(is_raised(self.results[ids], size, kind, self.settings) for size in sizes)
