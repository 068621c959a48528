"""Active-Advanced: the price left the mean of some minutes, and goes on leaving it.

Looked at where a cell of `SAMPLE_MS` ends; the window is the last cells of so many minutes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indications.filters import last_part
from engine.indications.legs import MIN_SAMPLES, Legs, Samples, best_within, facts_of
from engine.indications.slots import SlotTable
from engine.indications.thinned import Thinned, totals
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import RATIO, ratio_units

SAMPLE_MS = 5_000

Floats = NDArray[np.float64]
_ENDS = 5  # samples at either end of a window whose means are compared, a third of it at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a window of n prices shows, by (place of its last cell, symbol); ratios are floats.

    Attributes
    ----------
    away, total : n * now - sum of the prices, and that sum, in ticks: overall = away / total.
    last : change over the last part of the window over the price before it.
    volatility : standard deviation over mean.
    momentum : mean of the newest 5 prices less that of the oldest, over the latter.
    top, bottom : highest and lowest price; decline is their distance over the highest.
    """

    away: Ints
    total: Ints
    last: Floats
    volatility: Floats
    momentum: Floats
    top: Ints
    bottom: Ints

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Window":
        return Window(**{name: getattr(self, name)[chosen] for name in Window.__slots__})

    @property
    def overall(self) -> Floats:
        overall: Floats = self.away / self.total
        return overall

    @property
    def decline(self) -> Floats:
        decline: Floats = (self.top - self.bottom) / self.top
        return decline

    def goes_on(self, settings: Settings) -> list[NDArray[np.bool_]]:
        """Whether the last part follows, it is volatile, has momentum, and no wide range."""
        side = np.sign(self.away)
        share = float(settings.active_advanced_continuation * settings.last_part_share)
        widest = ratio_units(settings.active_advanced_decline_pct)
        return [
            self.last * side >= share * np.abs(self.overall),
            self.volatility * 100 >= float(settings.active_advanced_volatility_pct),
            self.momentum * side > 0,
            (self.top - self.bottom) * RATIO <= self.top * widest,
        ]


def advanced_legs(
    samples: Samples, thinned: Thinned, table: SlotTable, groups: Ints, settings: Settings
) -> list[Legs]:
    """Candidates: |overall| reaches the activity ratio, and the window goes on that way."""
    row, place = thinned.ends(samples)
    if not len(row):
        return []
    total, length = totals(thinned.close), thinned.stretch()[place]
    known = samples.known[row - samples.remembered]
    legs = []
    for minutes in np.unique(table.group_window_min[groups]).tolist():
        count, needed = window_cells(minutes, thinned.period_ms, settings)
        if len(thinned.cell) < needed:
            continue
        mine = groups[table.group_window_min[groups] == minutes]
        ratio = table.group_parameter[mine]
        end = np.maximum(place + 1, count)  # earlier ones are not long enough
        sums = total[end] - total[end - count]
        away = np.abs(count * thinned.close[place] - sums) * 10_000
        found = known & (length >= needed) & (away >= ratio.min() * sums)
        at, symbol = np.nonzero(found)
        if len(at):
            window = look(thinned, place[at], symbol, count, settings)
            going = np.all(window.goes_on(settings), axis=0)
            where = (row[at][going], place[at][going], symbol[going])
            legs.append(_legs(thinned, table, mine, where, window.take(going), count))
    return legs


def window_cells(minutes: int, period_ms: int, settings: Settings) -> tuple[int, int]:
    """Cells of a window of `minutes`, and how many must be known; too short ones never are."""
    count = minutes * 60_000 // period_ms
    if count < MIN_SAMPLES:
        return MIN_SAMPLES, 1 << 60
    return count, max(count, settings.active_advanced_samples)


def look(thinned: Thinned, place: Ints, symbol: Ints, count: int, settings: Settings) -> Window:
    """The windows of `count` cells that end at these places of these symbols."""
    close = thinned.close
    now, first = close[place, symbol], place + 1 - count
    sums = _within(totals(close), place, symbol, count)
    squares = _within(totals(close * close), place, symbol, count)  # may wrap; the next does not
    about_now = squares - 2 * now * sums + count * now * now
    away = count * now - sums
    spread = count * about_now.astype(np.float64) - away.astype(np.float64) ** 2
    part = last_part(np.full(len(place), count), settings)
    back = close[place - part, symbol]
    ends = min(_ENDS, count // 3)
    newest = _within(totals(close), place, symbol, ends)
    oldest = _within(totals(close), first + ends - 1, symbol, ends)
    top = best_within(close, close, place, symbol, np.ones_like(place), count)
    bottom = best_within(close, close, place, symbol, -np.ones_like(place), count)
    return Window(
        away=away,
        total=sums,
        last=(now - back) / back,
        volatility=np.sqrt(np.maximum(spread, 0)) / sums,
        momentum=(newest - oldest) / oldest,
        top=top,
        bottom=bottom,
    )


def units(ratio: Floats) -> Ints:
    """Ratios in millionths of a percent."""
    return np.rint(ratio * RATIO).astype(np.int64)


def _within(total: Ints, place: Ints, symbol: Ints, count: int) -> Ints:
    """Sums of `count` rows up to each place."""
    sums: Ints = total[place + 1, symbol] - total[place + 1 - count, symbol]
    return sums


def _legs(
    thinned: Thinned,
    table: SlotTable,
    groups: Ints,
    where: tuple[Ints, Ints, Ints],
    window: Window,
    count: int,
) -> Legs:
    ratio, side = table.group_parameter[groups], table.group_sign[groups]
    signed = (window.away * 10_000)[:, None] * side
    at, chosen = np.nonzero(signed >= ratio * window.total[:, None])
    row, place, symbol = (each[at] for each in where)
    window, sign = window.take(at), side[chosen]
    first = place + 1 - count
    signed_facts = {name: sign * units(getattr(window, name)) for name in ("last", "momentum")}
    facts = {"volatility": units(window.volatility), "decline": units(window.decline)}
    facts |= signed_facts | {"overall": sign * units(window.overall)}
    return Legs(
        row=row,
        symbol=symbol,
        group=groups[chosen],
        sign=sign,
        start_ms=thinned.cell[first] * thinned.period_ms,
        start=thinned.close[first, symbol],
        best=best_within(thinned.close, thinned.close, place, symbol, sign, count),
        facts=facts_of(len(row), facts),
    )
