"""Rules a Set must pass: each says what it found, what it needed, and for whom it holds.

Results are hundredths of a position cost, net of fees. Every test compares integers.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.settings import Settings

WINDOW = 50
"""Results of the rolling window."""
TIMES = 30
"""Close times kept."""

# Where a Set is looked at: these counts give the kept windows their shape.
FIRST_CHECK = 10
REAL_WINDOW = 20
EXCHANGE_WINDOW = TIMES

_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000
_UNKNOWN = np.int64(-(1 << 40))

Bools = NDArray[np.bool_]
Small = NDArray[np.int8]
ByMode = tuple[Decimal, Decimal]
"""A threshold of main mode, and of preset mode."""


class Status(IntEnum):
    """Phase of a Set."""

    EVALUATING = 0  # fewer than 10 results in this epoch
    CONFIRMING = 1  # passed the first check, fewer than 50
    ACTIVE = 2
    PAUSED = 3  # goes on in shadow
    FAILED = 4  # opens nothing until its retry time, then a new epoch begins


class Stage(IntEnum):
    """How far a Set has proved itself."""

    BASE = 0
    MAIN = 1
    REAL = 2
    EXCHANGE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of M Sets after their newest result.

    Attributes
    ----------
    status : (M,) int8
    results : (M,) results of this epoch.
    main_mask : (M,) bit i is set if the i-th last result was of a position opened at Main or above.
    r : (M, 50) results of the epoch, newest last, zero where there are fewer.
    times : (M, 30) their close times, likewise.
    is_preset : (M,) whether the Set trades in preset mode.
    """

    status: Small
    results: Ints
    main_mask: Ints
    r: Ints
    times: Ints
    is_preset: Bools

    def take(self, rows: Ints | Bools) -> "Evidence":
        return Evidence(**{name: getattr(self, name)[rows] for name in Evidence.__slots__})

    def total(self, count: int) -> Ints:
        """Sum of the last `count` results."""
        total: Ints = self.r[:, WINDOW - count :].sum(axis=1)
        return total

    def least_sum(self, averages: ByMode, count: int) -> Ints:
        """Least sum (M,) of hundredths whose mean over `count` reaches the average of the mode."""
        main, preset = (sum_of(average, count) for average in averages)
        return np.where(self.is_preset, preset, main)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One test of M Sets: `found` at least `needed`, or at most if `at_most`.

    `scale` makes both readable: found / scale is in the unit the setting is given in.
    """

    name: str
    found: Ints
    needed: Ints
    scale: Ints
    at_most: bool = False

    @property
    def passed(self) -> Bools:
        return self.found <= self.needed if self.at_most else self.found >= self.needed


def main_rules(known: Evidence, settings: Settings) -> list[Rule]:
    """Base to Main: ten results, a healthy phase, a winning state, good averages."""
    previous, last = settings.previous_positions_count, settings.last_positions_count
    base = (settings.base_min_avg_r, settings.preset_base_min_avg_r)
    main = (settings.main_min_avg_r, settings.preset_main_min_avg_r)
    healthy = (known.status == Status.CONFIRMING) | (known.status == Status.ACTIVE)
    return [
        _enough(known, max(FIRST_CHECK, last, previous)),
        _rule("phase", healthy.astype(np.int64), 1),
        _last_state(known, settings),
        _average("base_average", known, last, base),
        _average("main_average", known, previous, main),
    ]


def real_rules(known: Evidence, settings: Settings) -> list[Rule]:
    """Main to Real: entries at Main among the last 20, higher averages, no long drawdown."""
    least = (settings.real_min_avg_r, settings.preset_real_min_avg_r)
    mask = known.main_mask & ((1 << REAL_WINDOW) - 1)
    return [
        _rule("main_entries", np.bitwise_count(mask).astype(np.int64), settings.real_main_entries),
        _average("real_last_average", known, settings.last_positions_count, least),
        _either_average(known, settings, least),
        _drawdown_time(known, REAL_WINDOW, settings.max_drawdown_time_h * _HOUR_MS),
    ]


def exchange_rules(known: Evidence, settings: Settings) -> list[Rule]:
    """Real to the exchange: thirty results, their average, wins over losses, drawdown time."""
    least = (settings.exchange_min_avg_r, settings.preset_min_avg_r)
    last = known.r[:, -EXCHANGE_WINDOW:]
    gains = np.where(last > 0, last, 0).sum(axis=1)
    losses = gains - last.sum(axis=1)
    factor = int(settings.exchange_min_profit_factor * 100)
    return [
        _enough(known, EXCHANGE_WINDOW),
        _average("exchange_average", known, EXCHANGE_WINDOW, least),
        _rule("profit_factor", gains * 100, losses * factor, losses * 100),
        _drawdown_time(known, EXCHANGE_WINDOW, exchange_drawdown_ms(known.is_preset, settings)),
    ]


PROMOTION = ((Stage.MAIN, main_rules), (Stage.REAL, real_rules), (Stage.EXCHANGE, exchange_rules))
"""Every stage with the rules that lead to it from the one below."""


def first_check(known: Evidence, settings: Settings) -> list[Rule]:
    """At 10 results: enough wins, or the Set fails."""
    return [_wins("first_wins", known, settings.first_win_pct)]


def second_check(known: Evidence, settings: Settings) -> list[Rule]:
    """At 50 results: enough wins, larger than the losses, or the Set pauses."""
    wins, profit, loss = _gains(known)
    count = np.minimum(known.results, WINDOW)
    factor = int(settings.second_win_to_loss * 100)
    return [
        _wins("second_wins", known, settings.second_win_pct),
        _rule(
            "win_to_loss",
            np.where(wins > 0, profit * (count - wins) * 100, -1),
            factor * loss * wins,
            100 * loss * wins,
        ),
    ]


def keep_rules(known: Evidence, settings: Settings) -> list[Rule]:
    """What an active Set must hold on to, or it pauses."""
    return [_wins("pause_wins", known, settings.pause_win_pct), _shallow(known, settings)]


def resume_rules(known: Evidence, settings: Settings) -> list[Rule]:
    """What ends a pause."""
    return [_wins("resume_wins", known, settings.resume_win_pct), _shallow(known, settings)]


def give_back(known: Evidence, settings: Settings) -> Rule:
    """What keeps a Set out of the shadow: gains not given back; looked at from 10 results on."""
    _, profit, _ = _gains(known)
    limit = int(settings.set_drawdown_ratio * 1000)
    given_back = np.where(known.results >= FIRST_CHECK, below_peak(known.r)[:, -1], 0)
    return _rule("give_back", given_back * 1000, limit * profit, profit * 1000, at_most=True)


def all_passed(rules: list[Rule]) -> Bools:
    """Those that every one of `rules` holds for."""
    passed: Bools = np.logical_and.reduce([rule.passed for rule in rules])
    return passed


def exchange_drawdown_ms(is_preset: Bools, settings: Settings) -> Ints:
    """Longest drawdown time (M,) of Sets that are traded, by mode."""
    main, preset = settings.main_drawdown_time_min, settings.preset_drawdown_time_min
    return np.where(is_preset, preset, main) * _MINUTE_MS


def drawdown_time(r: Ints, times: Ints) -> tuple[Ints, Ints]:
    """Longest time (M,) that cumulative results were below their peak, and since when they are.

    A drawdown starts with the close that leaves the peak and ends with the one that regains it;
    an open one lasts until the newest close. The curve starts at 0. The second array is 0 for
    those at their peak.
    """
    curve = np.cumsum(r, axis=1)
    below = curve < np.maximum(np.maximum.accumulate(curve, axis=1), 0)
    was = np.zeros_like(below)
    was[:, 1:] = below[:, :-1]
    began = np.maximum.accumulate(np.where(below & ~was, times, 0), axis=1)
    lasted = np.where(below | was, times - began, 0)
    return lasted.max(axis=1, initial=0), np.where(below[:, -1], began[:, -1], 0)


def below_peak(r: Ints) -> Ints:
    """How far the cumulative results (M, n) are below their peak, which is 0 at least."""
    curve = np.cumsum(r, axis=1)
    below: Ints = np.maximum(np.maximum.accumulate(curve, axis=1), 0) - curve
    return below


def sum_of(average: Decimal, count: int) -> int:
    """Least integer sum of hundredths whose mean over `count` reaches `average`."""
    return int((average * 100 * count).to_integral_value(ROUND_CEILING))


# --- rules of one kind ------------------------------------------------------------------------


def _rule(
    name: str, found: Ints, needed: Ints | int, scale: Ints | int = 1, *, at_most: bool = False
) -> Rule:
    like = np.ones_like(found)
    return Rule(name=name, found=found, needed=needed * like, scale=scale * like, at_most=at_most)


def _enough(known: Evidence, count: int) -> Rule:
    return _rule("results", known.results, count)


def _average(name: str, known: Evidence, count: int, least: ByMode) -> Rule:
    return _rule(name, known.total(count), known.least_sum(least, count), 100 * count)


def _either_average(known: Evidence, settings: Settings, least: ByMode) -> Rule:
    """The better of two averages, of which one must do; brought to one denominator."""
    short, long = settings.real_short_window, settings.real_long_window
    averages = [
        np.where(known.results >= count, known.total(count) * other, _UNKNOWN)
        for count, other in ((short, long), (long, short))
    ]
    needed = known.least_sum(least, short * long)
    return _rule("real_average", np.maximum(*averages), needed, 100 * short * long)


def _last_state(known: Evidence, settings: Settings) -> Rule:
    count = 1 if settings.last_state_mode == "last" else settings.last_state_count
    needed = count if settings.last_state_mode == "all" else (count + 1) // 2
    return _rule("last_state", (known.r[:, -count:] > 0).sum(axis=1), needed)


def _drawdown_time(known: Evidence, window: int, limit_ms: Ints | int) -> Rule:
    longest, _ = drawdown_time(known.r[:, -window:], known.times[:, -window:])
    return _rule("drawdown_time_min", longest, limit_ms, _MINUTE_MS, at_most=True)


def _wins(name: str, known: Evidence, least_pct: int) -> Rule:
    count = np.minimum(known.results, WINDOW)
    return _rule(name, (known.r > 0).sum(axis=1) * 100, least_pct * count, count)


def _shallow(known: Evidence, settings: Settings) -> Rule:
    _, profit, _ = _gains(known)
    deepest = below_peak(known.r).max(axis=1)
    limit = settings.pause_drawdown_pct
    return _rule("drawdown_pct", deepest * 100, limit * profit, profit, at_most=True)


def _gains(known: Evidence) -> tuple[Ints, Ints, Ints]:
    """Wins, gross profit and gross loss of the window."""
    profit = np.where(known.r > 0, known.r, 0).sum(axis=1)
    return (known.r > 0).sum(axis=1), profit, profit - known.r.sum(axis=1)
