"""Auto: a move in line with the trends of up to eight hours, in a market that gathers way.

Looked at where a cell of `SAMPLE_MS` ends. Three frames of minutes (eight hours, or what is known
of them, one hour, half an hour) have a trend each; the newest 40 samples have one, too. What a
rule says of volatility, momentum or activity without naming a frame is that of the hour.

The situation is right when all trends agree (the newest one may be none) or the activity is
high; the newest three samples moved more than the three before; enough way was gone one-sidedly;
and the volatility is neither small nor large. The side is that of the trends that agree; else that
of the hour's trend if a run of samples confirms it; else that of a strong momentum of eight hours.
A slot signals when its side is that one and the price moved by its ratio in its minutes.

What the past results of a Set say (its mean result, its share of wins) is no part of the signal:
Sets are judged by theirs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indications.active_advanced import units
from engine.indications.legs import MIN_SAMPLES, Legs, Samples, best_within, facts_of
from engine.indications.slots import SlotTable
from engine.indications.thinned import Thinned, totals
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import RATIO, ratio_units

Floats = NDArray[np.float64]

MINUTE_MS = 60_000
DAY, HOUR, HALF = 480, 60, 30
"""Minutes of the three frames."""
NEWEST = 40
"""Samples of the newest frame."""
SHORT, LONG = (5, 10), (30, 120)
"""Runs of so many samples one way, within the last so many."""
_ENDS = 10  # minutes at either end of a frame whose means are compared, a third of it at most
_FRESH = 3  # samples whose changes are compared with as many before them


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Minutes up to now, (P, S): ratios, `trend` +1, -1 or 0."""

    trend: Ints
    volatility: Floats
    momentum: Floats
    activity: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What Auto sees at P ends of samples of S symbols.

    Attributes
    ----------
    known : whether there is enough history without a hole.
    trend : +1 or -1 where all trends agree, else 0.
    turn : sign of a run of samples long enough, 0 without one.
    progressive : change of the newest samples' way against that of those before.
    progression : way gone, times its one-sidedness.
    right : whether the situation is right; side: the side to take, 0 for none.
    """

    known: NDArray[np.bool_]
    day: Frame
    hour: Frame
    trend: Ints
    turn: Ints
    progressive: Floats
    progression: Floats
    right: NDArray[np.bool_]
    side: Ints


def auto_legs(
    samples: Samples,
    thinned: Thinned,
    minutes: Thinned,
    table: SlotTable,
    groups: Ints,
    settings: Settings,
) -> list[Legs]:
    """Candidates: the situation is right, and the move of the window reaches the ratio."""
    row, place = thinned.ends(samples)
    if not len(row):
        return []
    outlook = look_out(samples, thinned, minutes, settings)
    ready = outlook.known & outlook.right & samples.known[row - samples.remembered]
    length = thinned.stretch()[place]
    legs = []
    for window in np.unique(table.group_window_min[groups]).tolist():
        count = window * MINUTE_MS // thinned.period_ms
        if count < MIN_SAMPLES:
            continue
        mine = groups[table.group_window_min[groups] == window]
        at, symbol = np.nonzero(ready & (length > count))
        where = (row[at], place[at], symbol)
        legs.append(_legs(thinned, table, mine, where, outlook, (at, symbol), count))
    return legs


def look_out(samples: Samples, thinned: Thinned, minutes: Thinned, settings: Settings) -> Outlook:
    """What is seen at the ends of `thinned` among the candles of this call."""
    place = thinned.ends(samples)[1]
    ends_ms = thinned.cell[place] * thinned.period_ms
    cell = ends_ms // minutes.period_ms
    at = np.minimum(np.searchsorted(minutes.cell, cell), len(minutes.cell) - 1)
    current = (minutes.cell[at] == cell)[:, None]
    length = np.where(current, minutes.stretch()[at], 0)
    known = (length >= _cells(settings.auto_history_min, minutes)) & (
        thinned.stretch()[place] > NEWEST
    )
    day, hour, half = (
        _frame(minutes, at, np.minimum(length, _cells(size, minutes)), settings)
        for size in (DAY, HOUR, HALF)
    )
    newest = _trend(thinned.close, np.maximum(place, NEWEST), NEWEST, settings)
    agreed = (day.trend == hour.trend) & (hour.trend == half.trend) & (newest != -day.trend)
    trend = np.where(agreed, day.trend, 0)
    progressive, progression = _ways(thinned, place, settings)
    turn = _turn(thinned, place)
    side = np.where(hour.trend == turn, hour.trend, 0)
    strong = np.abs(day.momentum) * 100 > float(settings.auto_momentum_pct)
    side = np.where((side == 0) & strong, np.sign(day.momentum).astype(np.int64), side)
    return Outlook(
        known=known,
        day=day,
        hour=hour,
        trend=trend,
        turn=turn,
        progressive=progressive,
        progression=progression,
        right=_is_right(trend, hour, progressive, progression, settings),
        side=np.where(trend != 0, trend, side),
    )


def _is_right(
    trend: Ints, hour: Frame, progressive: Floats, progression: Floats, settings: Settings
) -> NDArray[np.bool_]:
    lively = hour.activity * 100 > float(settings.auto_activity_pct)
    volatility = hour.volatility * 100
    right: NDArray[np.bool_] = (
        ((trend != 0) | lively)
        & (progressive > 0)
        & (progression * 100 > float(settings.auto_progression_pct))
        & (volatility >= float(settings.auto_min_volatility_pct))
        & (volatility <= float(settings.auto_max_volatility_pct))
    )
    return right


def _cells(minutes: int, thinned: Thinned) -> int:
    return max(MIN_SAMPLES, minutes * MINUTE_MS // max(1, thinned.period_ms))


def _frame(minutes: Thinned, at: Ints, count: Ints, settings: Settings) -> Frame:
    """The last `count` (P, S) cells up to `at` (P,); where the count is 0 nothing is meant."""
    close = minutes.close
    count = np.maximum(count, 1)
    last, first = at[:, None], at[:, None] - count + 1
    columns = np.arange(close.shape[1])
    total, squares = totals(close), totals(close * close)
    now, start = close[last, columns], np.maximum(close[first, columns], 1)
    sums = total[last + 1, columns] - total[first, columns]
    away = sums - count * now
    about_now = (
        squares[last + 1, columns] - squares[first, columns] - now * (2 * sums - count * now)
    )
    spread = count * about_now.astype(np.float64) - away.astype(np.float64) ** 2
    ends = np.clip(count // 3, 1, _ENDS)
    newest = total[last + 1, columns] - total[last + 1 - ends, columns]
    oldest = np.maximum(total[first + ends, columns] - total[first, columns], 1)
    way = totals(np.abs(np.diff(close, axis=0, prepend=close[:1])))
    gone = way[last + 1, columns] - way[first + 1, columns]
    return Frame(
        trend=_signed(now, start, settings),
        volatility=np.sqrt(np.maximum(spread, 0)) / np.maximum(sums, 1),
        momentum=(newest - oldest) / oldest,
        activity=gone / (count * start),
    )


def _trend(close: Ints, place: Ints, count: int, settings: Settings) -> Ints:
    """Trend of the `count` changes up to each place, (P, S)."""
    end = np.minimum(place, len(close) - 1)
    return _signed(close[end], np.maximum(close[np.maximum(end - count, 0)], 1), settings)


def _signed(now: Ints, start: Ints, settings: Settings) -> Ints:
    change = now - start
    steep = np.abs(change) * RATIO > ratio_units(settings.auto_trend_pct) * start
    trend: Ints = np.where(steep, np.sign(change), 0)
    return trend


def _ways(thinned: Thinned, place: Ints, settings: Settings) -> tuple[Floats, Floats]:
    """Progressive change and step progression at each place, (P, S)."""
    close, end = thinned.close, place + 1
    change = np.diff(close, axis=0, prepend=close[:1])
    size = np.abs(change)
    way = totals(size)
    fresh, older = (np.maximum(end - part * _FRESH, 0) for part in (1, 2))
    newest, before = way[end] - way[fresh], way[fresh] - way[older]
    progressive = (newest - before) / np.maximum(before, 1)
    noise = ratio_units(settings.auto_noise_pct)
    real = size * RATIO > noise * np.vstack([close[:1], close[:-1]])
    begin = np.maximum(end - NEWEST, 0)
    gone, net = (
        total[end] - total[begin] for total in (totals(size * real), totals(np.sign(change) * real))
    )
    start = np.maximum(close[np.maximum(begin - 1, 0)], 1)
    return progressive, gone / start * (np.abs(net) / NEWEST)


def _turn(thinned: Thinned, place: Ints) -> Ints:
    """Sign of the last run of at least 5 of the newest 10 samples, else of 30 of 120, (P, S)."""
    close = thinned.close
    index = np.arange(len(close))[:, None]
    sign = np.sign(np.diff(close, axis=0, prepend=close[:1]))
    sign[np.append(True, np.diff(thinned.cell) != 1)[: len(close)]] = 0
    begins = np.vstack([np.ones_like(sign[:1], np.bool_), sign[1:] != sign[:-1]])
    run = index - np.maximum.accumulate(np.where(begins, index, 0), axis=0) + 1
    turns = []
    for least, among in (SHORT, LONG):
        long_enough = (run >= least) & (sign != 0)
        latest = np.maximum.accumulate(np.where(long_enough, index, -among), axis=0)[place]
        near = place[:, None] - latest <= among - least
        turns.append(np.where(near, np.take_along_axis(sign, np.maximum(latest, 0), axis=0), 0))
    turn: Ints = np.where(turns[0] != 0, turns[0], turns[1])
    return turn


def _legs(
    thinned: Thinned,
    table: SlotTable,
    groups: Ints,
    where: tuple[Ints, Ints, Ints],
    outlook: Outlook,
    seen: tuple[Ints, Ints],
    count: int,
) -> Legs:
    _, place, symbol = where
    ratio, side = table.group_parameter[groups], table.group_sign[groups]
    now, start = thinned.close[place, symbol], thinned.close[place - count, symbol]
    signed = ((now - start) * 10_000)[:, None] * side
    right = outlook.side[seen][:, None] == side
    at, chosen = np.nonzero(right & (signed >= ratio * start[:, None]))
    row, place, symbol = (each[at] for each in where)
    sign = side[chosen]
    overall = sign * ((now - start) / start)[at]
    return Legs(
        row=row,
        symbol=symbol,
        group=groups[chosen],
        sign=sign,
        start_ms=thinned.cell[place - count] * thinned.period_ms,
        start=start[at],
        best=best_within(thinned.close, thinned.close, place, symbol, sign, count),
        facts=_facts(outlook, seen[0][at], symbol, sign, overall),
    )


def _facts(outlook: Outlook, at: Ints, symbol: Ints, sign: Ints, overall: Floats) -> Ints:
    hour, day, seen = outlook.hour, outlook.day, (at, symbol)
    values = {
        "overall": units(overall),
        "volatility": units(hour.volatility[seen]),
        "momentum": sign * units(hour.momentum[seen]),
        "activity": units(hour.activity[seen]),
        "day_volatility": units(day.volatility[seen]),
        "day_momentum": sign * units(day.momentum[seen]),
        "progressive": units(outlook.progressive[seen]),
        "progression": units(outlook.progression[seen]),
        "trend": outlook.trend[seen],
        "turn": outlook.turn[seen],
    }
    return facts_of(len(at), values)
