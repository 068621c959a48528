"""Why a slot found no leg on a candle: how far it was from one, for types that look at windows.

Everything is of the last candle, over S symbols and the n slots of a type: (S, n).
"""

import numpy as np

from engine.indications.active_advanced import look, window_cells
from engine.indications.activity import active_shares
from engine.indications.auto import MINUTE_MS, NEWEST, look_out
from engine.indications.candidates import Reading
from engine.indications.legs import MIN_SAMPLES, Samples
from engine.indications.missing import (
    Condition,
    Floats,
    Shortfall,
    first_unmet,
    long_enough,
    percent,
)
from engine.indications.quantities import Quantity
from engine.indications.slots import SlotTable
from engine.indications.thinned import Thinned
from engine.market import Ints
from engine.settings import Settings


def of_mean(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Direction in step mode `window`: the mean of N closes against the one before them."""
    close = _padded(reading.samples, int(table.parameter[slots].max()))
    windows = table.parameter[slots].tolist()
    means = np.stack([close[-n:].sum(axis=0) / n for n in windows], 1)
    threshold = float(settings.direction_threshold_pct)
    return _changed(reading.samples, table, slots, means, table.parameter[slots], threshold)


def of_ends(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Move in step mode `window`: the close against that N candles back."""
    now = reading.samples.close[-1][:, None]
    threshold = float(settings.move_threshold_pct)
    return _changed(reading.samples, table, slots, now, table.parameter[slots], threshold)


def of_active(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """The close against that at the start of the window."""
    now = reading.samples.close[-1][:, None]
    window = np.full(len(slots), reading.samples.count(settings.active_window_s))
    return _changed(reading.samples, table, slots, now, window, table.parameter[slots] / 100)


def _changed(
    samples: Samples,
    table: SlotTable,
    slots: Ints,
    now: Ints | Floats,
    window: Ints,
    threshold: Floats | float,
) -> Shortfall:
    close = _padded(samples, int(window.max()))
    then = close[-1 - window].T
    change = percent(table.sign[slots] * (now - then) / np.maximum(then, 1))
    rest = [Condition(np.zeros((1, 1), np.bool_), Quantity.CHANGE, change, threshold)]
    return first_unmet(change.shape, [long_enough(samples, window + 1)], rest)


def _padded(samples: Samples, window: int) -> Ints:
    """Closes with zeros ahead, so that every window fits in."""
    return np.pad(samples.close, ((max(0, window + 1 - len(samples.close)), 0), (0, 0)))


def of_activity(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Active by activity: a change its way, and enough active samples."""
    samples = reading.samples
    window = samples.count(settings.active_window_s)
    close = _padded(samples, window)
    change = percent((close[-1] - close[-1 - window]) / np.maximum(close[-1 - window], 1))
    change = change[:, None] * table.sign[slots]
    shares = np.zeros((2, *change.shape), np.int64)
    if len(samples.close) > window:
        for index, sign in sorted({(int(table.parameter[j]), int(table.sign[j])) for j in slots}):
            mine = (table.parameter[slots] == index) & (table.sign[slots] == sign)
            found = active_shares(samples, len(samples.close) - 1, window, index, sign, settings)
            shares[:, :, mine] = np.stack(found)[:, 0, :, None]
    asked = [table.tuning[name][slots] for name in ("activity_pct", "last_activity_pct")]
    rest = [
        Condition(change > 0, Quantity.CHANGE, change, 0),
        Condition(shares[0] >= asked[0], Quantity.ACTIVE, shares[0], asked[0]),
        Condition(shares[1] >= asked[1], Quantity.LAST_ACTIVE, shares[1], asked[1]),
    ]
    return first_unmet(change.shape, [long_enough(samples, window + 1)], rest)


# --- longer windows ---------------------------------------------------------------------------


def of_advanced(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Active-Advanced: away from the mean by its ratio, and going on."""
    parts = []
    for slot in slots.tolist():
        minutes = int(table.tuning["window_min"][slot])
        parts.append(_of_window(reading, table, slot, minutes, settings))
    return Shortfall(*(np.concatenate(each, axis=1) for each in zip(*parts, strict=True)))


def _of_window(
    reading: Reading, table: SlotTable, slot: int, minutes: int, settings: Settings
) -> Shortfall:
    thinned, side = reading.thinned, int(table.sign[slot])
    count, needed = window_cells(minutes, thinned.period_ms, settings)
    place = _place(reading)
    length = _length(thinned, place, reading.samples)[:, None]
    symbols = np.flatnonzero(length[:, 0] >= needed)
    window = look(thinned, np.full(len(symbols), place), symbols, count, settings)
    share = float(settings.active_advanced_continuation * settings.last_part_share)

    def spread(values: Floats) -> Floats:
        column = np.zeros((len(length), 1))
        column[symbols, 0] = values * 100
        return column

    last_needed = spread(share * np.abs(window.overall))
    going = np.zeros((4, len(length), 1), np.bool_)
    going[:, symbols, 0] = np.stack(window.goes_on(settings))
    overall, ratio = side * spread(window.overall), int(table.parameter[slot]) / 100
    volatility, decline = spread(window.volatility), spread(window.decline)
    least, most = settings.active_advanced_volatility_pct, settings.active_advanced_decline_pct
    rest = [
        _on_time(reading),
        Condition(overall >= ratio, Quantity.AWAY, overall, ratio),
        Condition(going[0], Quantity.GOES_ON, side * spread(window.last), last_needed),
        Condition(going[1], Quantity.VOLATILITY, volatility, float(least)),
        Condition(going[2], Quantity.MOMENTUM, side * spread(window.momentum), 0),
        Condition(going[3], Quantity.DECLINE, decline, float(most)),
    ]
    warm = [Condition(length >= needed, Quantity.HISTORY, length, float(needed))]
    return first_unmet((len(length), 1), warm, rest)


def of_auto(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Auto: the right situation, its side, and its ratio in its minutes."""
    thinned, side = reading.thinned, table.sign[slots]
    place = _place(reading)
    length = _length(thinned, place, reading.samples)[:, None]
    count = table.tuning["window_min"][slots] * MINUTE_MS // max(1, thinned.period_ms)
    count = np.where(count < MIN_SAMPLES, 1 << 40, count)
    start = thinned.close[np.maximum(place - count, 0)].T
    change = percent(side * (thinned.close[place][:, None] - start) / np.maximum(start, 1))
    ratio = table.parameter[slots] / 100
    on_time = _on_time(reading)
    shape = change.shape
    needed = np.maximum(count, NEWEST) + 1
    warm = [Condition(length >= needed, Quantity.HISTORY, length, needed)]
    if not on_time.met:
        return first_unmet(shape, warm, [on_time])
    outlook = look_out(reading.samples, thinned, reading.minutes, settings)
    known, trend, taken = (
        each[0][:, None] for each in (outlook.known, outlook.trend, outlook.side)
    )
    hour = outlook.hour
    ratios = (hour.activity, hour.volatility, outlook.progressive, outlook.progression)
    activity, volatility, progressive, progression = (percent(each[0][:, None]) for each in ratios)
    s = settings
    lively, gone = float(s.auto_activity_pct), float(s.auto_progression_pct)
    least, most = float(s.auto_min_volatility_pct), float(s.auto_max_volatility_pct)
    minutes = reading.minutes.stretch()[-1][:, None]
    its_own = (taken == side).astype(np.int64)
    warm.append(Condition(known, Quantity.MINUTES, minutes, s.auto_history_min))
    rest = [
        Condition((trend != 0) | (activity > lively), Quantity.ACTIVITY, activity, lively),
        Condition(progressive > 0, Quantity.PROGRESSIVE, progressive, 0),
        Condition(progression > gone, Quantity.PROGRESSION, progression, gone),
        Condition(volatility >= least, Quantity.VOLATILITY, volatility, least),
        Condition(volatility <= most, Quantity.MOST_VOLATILITY, volatility, most),
        Condition(its_own > 0, Quantity.SIDE, its_own, 1),
        Condition(change >= ratio, Quantity.CHANGE, change, ratio),
    ]
    return first_unmet(shape, warm, rest)


def _place(reading: Reading) -> int:
    return len(reading.thinned.cell) - 1


def _length(thinned: Thinned, place: int, samples: Samples) -> Ints:
    """(S,) samples in a row up to the last, 0 if the last candle is a gap."""
    return np.where(samples.known[-1], thinned.stretch()[place], 0)


def _on_time(reading: Reading) -> Condition:
    """Whether the last candle ends a sample: longer windows are looked at then alone."""
    since = int(reading.samples.at_ms[-1]) % reading.thinned.period_ms
    seconds = np.full((1, 1), since / 1000)
    return Condition(seconds == 0, Quantity.SINCE_SAMPLE, seconds, 0)
