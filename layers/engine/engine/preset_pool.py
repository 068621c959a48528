"""Results of presets on one symbol, pooled from their Sets, and the rules they must pass."""

from dataclasses import dataclass

import numpy as np

from engine.market import Ints
from engine.promotion import Rule, drawdown_time, sum_of
from engine.settings import Settings
from engine.statistics import TIMES
from engine.trade_state import TradeState

HOUR_MS = 3_600_000
TWO_DAYS_MS = 48 * HOUR_MS
SET_RESULTS = 20
"""Results of each Set that are pooled."""
_FINE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetPool:
    """Results of G configurations on one symbol, hundredths of a position cost.

    Attributes
    ----------
    trades, trades_48h : (G,) how many, and how many of them within two days.
    gains, losses : (G,) their sums, both positive.
    r, times : (G, presetSecondCount) the newest and their close times, newest last, zero where
        there are fewer.
    """

    trades: Ints
    trades_48h: Ints
    gains: Ints
    losses: Ints
    r: Ints
    times: Ints

    def newest(self, count: int) -> tuple[Ints, Ints]:
        """Sum and number of the newest `count` results, or of all if they are fewer."""
        return self.r[:, -count:].sum(axis=1), np.minimum(self.trades, count)

    def ranks(self, settings: Settings) -> Ints:
        """(G,) place of each by its newest averages, the shorter one first, 0 for the best."""
        keys = [np.arange(len(self.trades))]
        for count in (settings.preset_second_count, settings.preset_first_count):
            total, number = self.newest(count)
            keys.append(-(total * _FINE // np.maximum(number, 1)))
        ranks = np.empty(len(self.trades), np.int64)
        ranks[np.lexsort(keys)] = np.arange(len(ranks))
        return ranks


def pooled(
    state: TradeState, symbol: int, group: Ints, groups: int, at_ms: int, width: int
) -> PresetPool:
    """Results of symbol number `symbol`, closed until `at_ms`; `group` (K,) is -1 for no preset.

    They are those of positions opened at Main or above, of each Set among its last 20 then. Of
    one that closed more than ten since `at_ms` they are the 20 before the newest ten: what is
    known nearest to that moment.
    """
    history = state.history
    ring = history.rings[symbol]
    k = np.flatnonzero((ring.row >= 0) & (group >= 0))
    row, count = ring.row[k], history.count[symbol, k].astype(np.int64)
    back = np.arange(-TIMES, 0)
    results = ring.results[row[:, None], (count[:, None] + back) % ring.storage].astype(np.int64)
    times = ring.times[row]
    since = np.minimum((times > at_ms).sum(axis=1), TIMES - SET_RESULTS)[:, None]
    mask = history.main_mask[symbol, k].astype(np.int64)[:, None]
    age = -1 - back - since
    wanted = ((mask >> (-1 - back) & 1) > 0) & (times > 0) & (age >= 0) & (age < SET_RESULTS)
    of, place = np.nonzero(wanted)
    order = np.lexsort((k[of], times[of, place], group[k[of]]))
    of, place = of[order], place[order]
    return _by_group(group[k[of]], results[of, place], times[of, place], groups, at_ms, width)


def _by_group(
    which: Ints, results: Ints, times: Ints, groups: int, at_ms: int, width: int
) -> PresetPool:
    """Results sorted by group and time as rows of a table."""
    end = np.searchsorted(which, np.arange(groups), side="right")
    column = width - (end[which] - np.arange(len(which)))
    new = column >= 0
    r, at = np.zeros((groups, width), np.int64), np.zeros((groups, width), np.int64)
    r[which[new], column[new]] = results[new]
    at[which[new], column[new]] = times[new]
    gains, losses, recent = (np.zeros(groups, np.int64) for _ in range(3))
    np.add.at(gains, which, np.maximum(results, 0))
    np.add.at(losses, which, np.maximum(-results, 0))
    np.add.at(recent, which, times > at_ms - TWO_DAYS_MS)
    return PresetPool(
        trades=np.diff(end, prepend=0),
        trades_48h=recent,
        gains=gains,
        losses=losses,
        r=r,
        times=at,
    )


def preset_rules(pool: PresetPool, settings: Settings) -> list[Rule]:
    """What a configuration must pass on a symbol; the last rule is that of auto-evaluation."""
    first, trades = settings.preset_first_count, pool.trades
    shorter, _ = pool.newest(first)
    longer, _ = pool.newest(settings.preset_second_count)
    least = int(settings.preset_min_profit * 100)
    judged = (trades >= first) & settings.preset_auto_evaluate
    longest, _ = drawdown_time(pool.r, pool.times)
    one = np.ones_like(trades)
    return [
        Rule(name="trades", found=trades, needed=settings.preset_min_trades * one, scale=one),
        Rule(
            name="trades_48h",
            found=pool.trades_48h,
            needed=settings.preset_min_trades_48h * one,
            scale=one,
        ),
        Rule(
            name="average",
            found=pool.gains - pool.losses,
            needed=least * trades,
            scale=100 * trades,
        ),
        Rule(
            name="newer_average",
            found=np.maximum(shorter, longer),
            needed=one,
            scale=100 * np.maximum(np.minimum(trades, first), 1),
        ),
        Rule(
            name="drawdown_time_h",
            found=longest,
            needed=settings.preset_max_drawdown_h * HOUR_MS * one,
            scale=HOUR_MS * one,
            at_most=True,
        ),
        Rule(
            name="newest_average",
            found=np.where(judged, shorter, 0),
            needed=np.where(judged, sum_of(settings.preset_min_profit, first), 0),
            scale=100 * first * one,
        ),
    ]
