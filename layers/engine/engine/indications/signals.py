"""Signals of all indications over a stretch of candles, and the state that carries them on."""

import numpy as np
from numpy.typing import NDArray

from engine.indications.candidates import Reading, candidates, longer_cells, read
from engine.indications.filters import (
    REFUSALS,
    Measured,
    Verdict,
    asked_of,
    decide,
    measure,
)
from engine.indications.legs import FACTS, Legs, Samples
from engine.indications.preset import Spoken, speak
from engine.indications.slots import Slot, SlotTable, slot_table
from engine.indications.state import IndicationState
from engine.indications.validation import Passed, validate
from engine.market import Candles, Ints
from engine.settings import Settings

__all__ = ["SIGNAL", "IndicationState", "indicate"]

SIGNAL = np.dtype(
    [
        ("bar", np.int64),  # candle of this call
        ("at_ms", np.int64),  # its close time
        ("symbol", np.int64),
        ("slot", np.int64),  # number in the grid's slots
        ("indication", np.int64),  # its place in IndicationType
        ("parameter", np.int64),
        ("sign", np.int64),  # +1 LONG, -1 SHORT
        ("price", np.int64),  # the close, ticks
        ("start_ms", np.int64),  # where the leg began
        ("start", np.int64),
        ("best", np.int64),  # best price of the leg in signal direction
        ("samples", np.int64),  # window of the market change, in candles
        ("change", np.int64),  # over it, in signal direction, ticks
        ("last_change", np.int64),  # over its last part
        *((name, np.int64) for name in FACTS),
        ("strength", np.int64),  # of the common indicators on its side, ten-thousandths
        ("agreeing", np.int64),  # how many of them
        ("longs", np.int64),  # which are long, a bit for each by its place in IndicatorKind
        ("shorts", np.int64),
    ]
)
"""A signal and the values it was decided on, sorted by (bar, symbol, slot)."""


def indicate(
    state: IndicationState, candles: Candles, slots: tuple[Slot, ...], settings: Settings
) -> tuple[IndicationState, NDArray[np.void], dict[str, int]]:
    """The signals of `candles`, and how many candidates each test refused.

    Candles of another span than before start new windows (they warm up again); steps go on.

    Raises
    ------
    InvalidCandleError
        If a candle is not later than the last one seen.
    """
    table = slot_table(slots)
    reading = read(state, candles, table, settings)
    samples = reading.samples
    counts = dict.fromkeys(REFUSALS.values(), 0)
    legs = candidates(reading, table, settings)
    measured = measure(legs, samples, reading.active, table, settings)
    passed = no_pairs()
    if len(legs):
        asked = asked_of(table, settings)
        leg, slot, refused = decide(legs, measured, table, asked, samples.span_ms, settings)
        counts |= {REFUSALS[verdict]: count for verdict, count in refused.items()}
        at_ms = samples.at_ms[legs.row[leg]]
        passed = Passed(leg=leg, slot=slot, symbol=legs.symbol[leg], at_ms=at_ms)
    spoken = speak(state.preset, candles, table, settings)
    counts |= spoken.counts
    passed = Passed.join(passed, heard(spoken))
    signals, validated_ms, disagreed, resting = validate(
        passed, state.validated_ms, table, settings
    )
    counts[REFUSALS[Verdict.DISAGREEMENT]] = disagreed
    counts[REFUSALS[Verdict.VALIDATION]] = resting
    records = _records(legs, measured, signals, spoken, samples, table)
    carried = _carried(reading, validated_ms, spoken, table, settings)
    return carried, records, counts


def no_pairs() -> Passed:
    """Nothing passed."""
    nothing = np.zeros(0, np.int64)
    return Passed(leg=nothing, slot=nothing, symbol=nothing, at_ms=nothing)


def heard(spoken: Spoken) -> Passed:
    """Preset signals as pairs; their legs are numbered down from -1."""
    signals = spoken.signals
    return Passed(
        leg=-1 - np.arange(len(signals)),
        slot=spoken.slot,
        symbol=signals["symbol"],
        at_ms=signals["at_ms"],
    )


def _records(
    legs: Legs,
    measured: Measured,
    passed: Passed,
    spoken: Spoken,
    samples: Samples,
    table: SlotTable,
) -> NDArray[np.void]:
    passed = passed.take(np.lexsort((passed.slot, passed.symbol, passed.at_ms)))
    slot = passed.slot
    signals = np.zeros(len(slot), SIGNAL)
    signals["at_ms"], signals["symbol"] = passed.at_ms, passed.symbol
    signals["slot"], signals["indication"] = slot, table.kind[slot]
    signals["parameter"], signals["sign"] = table.parameter[slot], table.sign[slot]
    mine = passed.leg >= 0
    leg = passed.leg[mine]
    signals["bar"][mine] = legs.row[leg] - samples.remembered
    for name in ("start_ms", "start", "best"):
        signals[name][mine] = getattr(legs, name)[leg]
    for name in ("price", "samples", "change", "last_change"):
        signals[name][mine] = getattr(measured, name)[leg]
    for place, name in enumerate(FACTS):
        signals[name][mine] = legs.facts[leg, place]
    heard = spoken.signals[-1 - passed.leg[~mine]]
    for name in ("bar", "price", "strength", "agreeing", "longs", "shorts"):
        signals[name][~mine] = heard[name]
    return signals


def _carried(
    reading: Reading,
    validated_ms: Ints,
    spoken: Spoken,
    table: SlotTable,
    settings: Settings,
) -> IndicationState:
    samples = reading.samples
    windows = (
        settings.max_calculation_s,
        settings.min_calculation_s,
        settings.active_window_s,
        settings.market_activity_s,
    )
    kept = max(samples.count(window) for window in windows)
    if reading.walk is None:
        kept = max(kept, int(table.parameter.max(initial=0)))
    cells, minutes = longer_cells(table, samples.span_ms, settings)
    return IndicationState(
        steps=reading.steps,
        span_ms=samples.span_ms,
        at_ms=samples.at_ms[-kept:],
        close=samples.close[-kept:],
        high=samples.high[-kept:],
        low=samples.low[-kept:],
        validated_ms=validated_ms,
        awake=reading.awake,
        thinned=reading.thinned.newest(cells),
        minutes=reading.minutes.newest(minutes),
        preset=spoken.arrays,
    )
