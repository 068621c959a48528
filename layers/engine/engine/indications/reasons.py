"""Why a slot signalled on a candle, and why not: the first test it failed, with its numbers.

What is told here is what `indicate` does: both read, find and judge legs with the same code.
"""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError
from engine.indications.candidates import Reading, candidates, enabled_types, read
from engine.indications.filters import (
    TESTS,
    Asked,
    Floats,
    Measured,
    Verdict,
    asked_of,
    levels,
    market_change_factor,
    measure,
)
from engine.indications.legs import FACTS, Legs, Samples
from engine.indications.missing import (
    Shortfall,
    asleep_for,
    history,
    of_direction,
    of_move,
    of_move_in_time,
    percent,
)
from engine.indications.missing_windows import (
    of_active,
    of_activity,
    of_advanced,
    of_auto,
    of_ends,
    of_mean,
)
from engine.indications.preset import speak
from engine.indications.quantities import Quantity
from engine.indications.signals import heard, indicate, no_pairs
from engine.indications.slots import KINDS, Slot, SlotTable, slot_table
from engine.indications.state import IndicationState
from engine.indications.telling import REASON, sentence, write
from engine.indications.validation import Passed, last_opposite_ms, validate
from engine.market import Candles, Ints
from engine.settings import Settings
from engine.values import IndicationType

__all__ = ["REASON", "explain", "sentence"]

_OF_TESTS = (
    Quantity.HISTORY,
    Quantity.LIVELINESS,
    Quantity.ACTIVE,
    Quantity.LAST_ACTIVE,
    Quantity.DRAWDOWN,
    Quantity.MARKET_CHANGE,
    Quantity.LAST_PART,
)


def explain(
    state: IndicationState, candles: Candles, slots: tuple[Slot, ...], settings: Settings
) -> NDArray[np.void]:
    """A `REASON` for every slot of every symbol on the last of `candles`, symbol after symbol.

    `state` is that before the first of them.

    Raises
    ------
    InvalidCandleError
        If there is no candle, or one is not later than the last one seen.
    """
    if not len(candles):
        raise InvalidCandleError("candles to explain must not be empty")
    last = len(candles) - 1
    before, _, _ = indicate(state, candles.rows(0, last), slots, settings)
    table = slot_table(slots)
    reading = read(before, candles.rows(last, last + 1), table, settings)
    sheet = _without_legs(reading, table, settings)
    legs = candidates(reading, table, settings)
    pairs = _judge(sheet, legs, reading, table, settings) if len(legs) else no_pairs()
    pairs = Passed.join(
        pairs, _listen(sheet, before, candles.rows(last, last + 1), table, settings)
    )
    _write_refused(sheet, pairs, before.validated_ms, table, settings)
    return sheet.reshape(-1)


# --- slots without a leg ----------------------------------------------------------------------


def _without_legs(reading: Reading, table: SlotTable, settings: Settings) -> NDArray[np.void]:
    """(S, J) reasons as if no slot had found a leg."""
    symbols = reading.samples.close.shape[1]
    sheet = np.zeros((symbols, len(table.slots)), REASON)
    sheet["symbol"] = np.arange(symbols)[:, None]
    sheet["slot"] = np.arange(len(table.slots))
    for kind, on in enabled_types(settings).items():
        slots = table.slots_of(kind)
        if not on:
            write(sheet, (slice(None), slots), Verdict.DISABLED, Quantity.ENABLED, 0, 1)
        elif len(slots):
            _write_shortfall(sheet, slots, reading, table, settings)
    return sheet


def _write_shortfall(
    sheet: NDArray[np.void], slots: Ints, reading: Reading, table: SlotTable, settings: Settings
) -> None:
    short = _shortfall(reading, table, slots, settings)
    every = slice(None), slots
    write(sheet, every, Verdict.NO_LEG, short.quantity, short.found, short.needed)
    sheet["verdict"][every] = np.where(short.warming, Verdict.WARMING, Verdict.NO_LEG)
    asleep = ~reading.active[-1][:, None] & ~short.warming
    symbol, place = np.nonzero(asleep)
    quantity, found, needed = asleep_for(reading, settings)
    where = symbol, slots[place]
    write(sheet, where, Verdict.INACTIVE, quantity[symbol], found[symbol], needed[symbol])


def _shortfall(reading: Reading, table: SlotTable, slots: Ints, settings: Settings) -> Shortfall:
    kind = KINDS[int(table.kind[slots[0]])]
    if kind is IndicationType.OPTIMAL:
        kind = IndicationType(settings.optimal_source)
    by_mode = {
        "cost": {IndicationType.DIRECTION: of_direction, IndicationType.MOVE: of_move},
        "time": {IndicationType.DIRECTION: of_direction, IndicationType.MOVE: of_move_in_time},
        "window": {IndicationType.DIRECTION: of_mean, IndicationType.MOVE: of_ends},
    }[settings.step_mode]
    numbers = by_mode | {
        IndicationType.ACTIVE: of_active,
        IndicationType.ACTIVITY: of_activity,
        IndicationType.ACTIVE_ADVANCED: of_advanced,
        IndicationType.AUTO: of_auto,
    }
    return numbers[kind](reading, table, slots, settings)


# --- slots with a leg -------------------------------------------------------------------------


def _judge(
    sheet: NDArray[np.void],
    legs: Legs,
    reading: Reading,
    table: SlotTable,
    settings: Settings,
) -> Passed:
    """What the filters say of every leg and slot; the pairs that passed them."""
    samples = reading.samples
    measured = measure(legs, samples, reading.active, table, settings)
    asked = asked_of(table, settings)
    level, rank = levels(legs, measured, asked, samples.span_ms, settings), asked.places
    leg_of = np.full((len(sheet), len(table.group_kind)), -1)
    leg_of[legs.symbol, legs.group] = np.arange(len(legs))
    symbol, slot = np.nonzero(leg_of[:, table.group] >= 0)
    leg = leg_of[symbol, table.group[slot]]
    flags = np.stack([measured.known, measured.active], 1)[leg]
    passed = np.column_stack([flags, rank[slot] < level[leg]])
    failed = np.where(passed.all(axis=1), -1, np.argmin(passed, axis=1))
    numbers = _numbers(legs, measured, asked, leg, slot, samples, settings)
    for place, (verdict, quantity) in enumerate(zip(TESTS, _OF_TESTS, strict=True)):
        mine = np.flatnonzero(failed == place)
        if verdict is not Verdict.INACTIVE:  # that was told before
            where = symbol[mine], slot[mine]
            write(sheet, where, verdict, quantity, *numbers[quantity][:, mine])
    mine = np.flatnonzero(failed < 0)
    told = [leg[mine], slot[mine], symbol[mine]]
    pairs = Passed(
        leg=told[0], slot=told[1], symbol=told[2], at_ms=samples.at_ms[legs.row[told[0]]]
    )
    _write_signals(sheet, pairs, numbers[Quantity.MARKET_CHANGE][:, mine], legs, table)
    return pairs


def _listen(
    sheet: NDArray[np.void],
    before: IndicationState,
    candle: Candles,
    table: SlotTable,
    settings: Settings,
) -> Passed:
    """What the common indicators say to the slots of presets; the pairs that signal.

    How near the others came is what is said if one weak indicator were enough.
    """
    slots = table.slots_of(IndicationType.PRESET)
    if not len(slots):
        return no_pairs()
    every = slice(None), slots
    least, strength = settings.preset_confluence, settings.preset_min_strength
    write(sheet, every, Verdict.NO_LEG, Quantity.CONFLUENCE, 0, least)
    anyone = replace(settings, preset_confluence=1, preset_min_strength=Decimal(0))
    whispers = speak(before.preset, candle, table, anyone)
    said = whispers.signals
    where = said["symbol"], whispers.slot
    agree = said["agreeing"] >= least
    quantity = np.where(agree, Quantity.STRENGTH, Quantity.CONFLUENCE)
    found = np.where(agree, said["strength"] / 10_000, said["agreeing"])
    write(sheet, where, Verdict.NO_LEG, quantity, found, np.where(agree, float(strength), least))
    pairs = heard(speak(before.preset, candle, table, settings))
    sheet["verdict"][pairs.symbol, pairs.slot] = Verdict.SIGNAL
    return pairs


def _numbers(
    legs: Legs,
    measured: Measured,
    asked: Asked,
    leg: Ints,
    slot: Ints,
    samples: Samples,
    settings: Settings,
) -> dict[Quantity, Floats]:
    """(2, P) found and needed of every filter, for P pairs of leg and slot."""
    factors = [float(market_change_factor(index)) for index in range(1, 11)]
    cost = float(settings.position_cost_pct)
    known = history(samples)
    lasted = measured.samples * samples.span_ms / (1000 * settings.market_change_norm_s)
    mean = percent(measured.change / np.maximum(measured.base, 1) / lasted)
    pace = measured.last_change * measured.samples / np.maximum(measured.change, 1) / measured.last
    given = percent(measured.given_back / np.maximum(measured.reach, 1))
    active, last_active = (legs.facts[:, FACTS.index(name)] for name in ("active", "last_active"))
    found = {
        Quantity.HISTORY: (known[legs.symbol], measured.samples[leg] + 1),
        Quantity.ACTIVE: (active, asked.active_pct[slot]),
        Quantity.LAST_ACTIVE: (last_active, asked.last_active_pct[slot]),
        Quantity.DRAWDOWN: (np.where(measured.reach > 0, given, 100), asked.drawdown[slot] / 100),
        Quantity.MARKET_CHANGE: (mean, np.array(factors)[asked.market_change[slot] - 1] * cost),
        Quantity.LAST_PART: (
            np.where(measured.change > 0, pace, 0),
            asked.last_part[slot] / 10_000,
        ),
    }
    return {
        name: np.stack([values[leg].astype(np.float64), needed.astype(np.float64)])
        for name, (values, needed) in found.items()
    }


def _write_signals(
    sheet: NDArray[np.void], pairs: Passed, change: Floats, legs: Legs, table: SlotTable
) -> None:
    """Every pair as a signal: by its market change, or by its own move against its ratio."""
    where = pairs.symbol, pairs.slot
    write(sheet, where, Verdict.SIGNAL, Quantity.MARKET_CHANGE, *change)
    own = legs.facts[pairs.leg, FACTS.index("overall")]
    mine = own != 0
    ratio = table.parameter[pairs.slot] / 100
    where = pairs.symbol[mine], pairs.slot[mine]
    write(sheet, where, Verdict.SIGNAL, Quantity.CHANGE, own[mine] / 1e6, ratio[mine])


def _write_refused(
    sheet: NDArray[np.void],
    pairs: Passed,
    validated_ms: Ints,
    table: SlotTable,
    settings: Settings,
) -> None:
    """Of the pairs, those that another type contradicts or whose slot has to rest."""
    signals, after_ms, _, _ = validate(pairs, validated_ms, table, settings)
    signalled = np.zeros(sheet.shape, np.bool_)
    signalled[signals.symbol, signals.slot] = True
    rest = pairs.take(~signalled[pairs.symbol, pairs.slot])
    timeout = settings.validation_timeout_s
    opposite = last_opposite_ms(rest.symbol, table.sign[rest.slot], after_ms, table)
    optimal = table.kind[rest.slot] == KINDS.index(IndicationType.OPTIMAL)
    against = optimal & (opposite > 0) & (rest.at_ms - opposite < timeout * 1000)
    since = np.where(against, opposite, validated_ms[rest.symbol, rest.slot])
    verdict = np.where(against, Verdict.DISAGREEMENT, Verdict.VALIDATION)
    quantity = np.where(against, Quantity.DISAGREEMENT, Quantity.REST)
    where = rest.symbol, rest.slot
    write(sheet, where, verdict, quantity, (rest.at_ms - since) / 1000, timeout)
