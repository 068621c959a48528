"""Why a slot found no leg on a candle: how far it was from one, for types that count steps.

Everything is of the last candle, over S symbols and the n slots of a type: (S, n).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.indications.candidates import Reading
from engine.indications.direction import confirming
from engine.indications.gate import needed_units
from engine.indications.legs import Samples
from engine.indications.quantities import Quantity
from engine.indications.slots import SlotTable
from engine.indications.steps import StepLog
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import RATIO, nearest_distance, ratio_units

Floats = NDArray[np.float64]


class Shortfall(NamedTuple):
    """What was found of a quantity, and what is needed; (S, n) each.

    `warming` is set where too little is known to say more.
    """

    warming: NDArray[np.bool_]
    quantity: Ints
    found: Floats
    needed: Floats


class Condition(NamedTuple):
    """One thing a leg takes; each broadcasts to (S, n)."""

    met: NDArray[np.bool_]
    quantity: Quantity
    found: NDArray[np.generic]
    needed: NDArray[np.generic] | float


def first_unmet(
    shape: tuple[int, int], warm: Sequence[Condition], rest: Sequence[Condition]
) -> Shortfall:
    """The first condition that is not met; those of `warm` ask for enough history."""
    conditions = [*warm, *rest]

    def column(values: NDArray[np.generic] | float) -> Floats:
        return np.broadcast_to(np.asarray(values, np.float64), shape)

    met = np.stack([np.broadcast_to(each.met, shape) for each in conditions])
    first = np.where(met.all(axis=0), len(conditions) - 1, np.argmin(met, axis=0))
    places = np.arange(shape[0])[:, None], np.arange(shape[1])
    quantity = np.array([each.quantity for each in conditions])
    return Shortfall(
        warming=~met[: len(warm)].all(axis=0),
        quantity=quantity[first],
        found=np.stack([column(each.found) for each in conditions])[first, *places],
        needed=np.stack([column(each.needed) for each in conditions])[first, *places],
    )


def history(samples: Samples) -> Ints:
    """(S,) known prices in a row up to the last candle, 0 if that is a gap."""
    torn = np.append(True, np.diff(samples.at_ms) != samples.span_ms)
    begin = np.flatnonzero(torn)[-1]
    length: Ints = (samples.close[begin:] > 0).sum(axis=0)
    return np.where(samples.known[-1], length, 0)


def long_enough(samples: Samples, needed: int | Ints) -> Condition:
    """Whether so many candles up to the last are known."""
    length = history(samples)[:, None]
    return Condition(length >= needed, Quantity.HISTORY, length, np.asarray(needed))


def percent(ratio: Floats) -> Floats:
    """A ratio in percent."""
    return ratio * 100.0


def of_direction(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Step modes `cost` and `time`: a step its way, after a run of N, with enough of its own."""
    n, side, log = table.parameter[slots], table.sign[slots], reading.steps.log
    sign, run, before = (getattr(log, name)[:, -1:] for name in ("sign", "run", "before"))
    needed = confirming(n, settings)
    rest = [
        *_stepped(reading, side, settings),
        Condition(before >= n, Quantity.RUN_BEFORE, before, n),
        Condition((run >= needed) & (sign == side), Quantity.RUN, run, needed),
    ]
    return first_unmet((len(sign), len(slots)), [long_enough(reading.samples, 1)], rest)


def of_move(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    """Step mode `cost`: a step its way, the last of N, made in time."""
    n, side, log = table.parameter[slots], table.sign[slots], reading.steps.log
    sign, run = log.sign[:, -1:], log.run[:, -1:]
    lasted = (log.at_ms[:, -1:] - log.at_ms[:, -n]) / 1000
    most = n * settings.move_seconds_per_range
    rest = [
        *_stepped(reading, side, settings),
        Condition(run >= n, Quantity.RUN, run, n),
        Condition(lasted <= most, Quantity.LASTED, lasted, most),
    ]
    return first_unmet((len(sign), len(slots)), [long_enough(reading.samples, 1)], rest)


def of_move_in_time(
    reading: Reading, table: SlotTable, slots: Ints, settings: Settings
) -> Shortfall:
    """Step mode `time`: none of N candles against it, enough that moved, and far enough."""
    n, side, log = table.parameter[slots], table.sign[slots], reading.steps.log
    with_it, against = (_of_last(log, n, way * side) for way in (1, -1))
    start = log.anchor[:, -1 - n]
    change = percent(side * (log.anchor[:, -1:] - start) / np.maximum(start, 1))
    share = percent(with_it / n)
    least = float(settings.move_real_share) * 100
    threshold = float(settings.move_threshold_pct)
    rest = [
        Condition(against == 0, Quantity.OPPOSITE, against, 0),
        Condition(share >= least, Quantity.REAL, share, least),
        Condition(change >= threshold, Quantity.CHANGE, change, threshold),
    ]
    known = (start > 0) * (n + 1)
    warm = [
        long_enough(reading.samples, 1),
        Condition(known > 0, Quantity.HISTORY, known, n + 1),
    ]
    return first_unmet(share.shape, warm, rest)


def _of_last(log: StepLog, n: Ints, sign: Ints) -> Ints:
    """(S, n) of the last `n` steps, how many have this sign."""
    columns = [(log.sign[:, -size:] == s).sum(axis=1) for size, s in zip(n, sign, strict=True)]
    return np.stack(columns, 1)


def _stepped(reading: Reading, side: Ints, settings: Settings) -> list[Condition]:
    """Whether this candle made a step, and one its way."""
    log, close = reading.steps.log, reading.samples.close[-1]
    anchor = log.anchor[:, -1]
    unit = ratio_units(settings.position_cost_pct * settings.step_size_factor)
    made = np.zeros(len(anchor), np.bool_)
    if reading.walk is not None:
        made[reading.walk.symbol] = True
    made &= log.sign[:, -1] != 0
    away = np.abs(close - anchor) / nearest_distance(anchor, unit)
    if settings.step_mode == "time":
        away = np.zeros(len(anchor))
    its_way = (log.sign[:, -1:] == side).astype(np.int64)
    return [
        Condition(made[:, None], Quantity.STEP, away[:, None], 1),
        Condition(its_way > 0, Quantity.WAY, its_way, 1),
    ]


def asleep_for(reading: Reading, settings: Settings) -> tuple[Ints, Floats, Floats]:
    """Why the market of each symbol is not active: quantity, found and needed, in percent."""
    activity, samples = reading.activity, reading.samples
    base, count = activity.base[-1], activity.count
    least = needed_units(samples.span_ms, settings)
    mean = percent(activity.way[-1] / np.maximum(count * base, 1))
    lively = activity.way[-1] * RATIO >= count * base * least
    change = np.diff(samples.close[-1 - count :], axis=0)
    spread = count * (change * change).sum(axis=0) - change.sum(axis=0) ** 2
    deviation = percent(np.sqrt(np.maximum(spread, 0)) / np.maximum(count * base, 1))
    rough = float(settings.market_activity_volatility_pct) * np.sqrt(samples.span_ms / 1000)
    moved = percent(np.abs(change.sum(axis=0)) / np.maximum(base, 1))
    far = float(settings.market_activity_change_pct)
    unknown = base == 0
    choices = [unknown, ~lively, deviation < rough]
    found = np.select(choices, [history(samples), mean, deviation], moved)
    asked = (count + 1, least / 1e6, rough)
    needed = np.select(choices, [np.full(len(base), each, np.float64) for each in asked], far)
    names = [Quantity.HISTORY, Quantity.LIVELINESS, Quantity.DEVIATION]
    return np.select(choices, names, Quantity.DISTANCE), found, needed
