"""Signals of all indications over a stretch of candles, and the state that carries them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError
from engine.indications.active import active_legs
from engine.indications.direction import direction_legs
from engine.indications.filters import MAX_WINDOW_S, REFUSALS, Judged, judge, spaced
from engine.indications.legs import Extremes, Legs, Samples
from engine.indications.move import move_legs
from engine.indications.slots import Slot
from engine.indications.steps import KEPT, StepState, Walk, walk_steps
from engine.market import Candles, Ints, Kind
from engine.settings import Settings
from engine.values import IndicationType

SIGNAL = np.dtype(
    [
        ("bar", np.int64),  # candle of this call
        ("at_ms", np.int64),  # its close time
        ("symbol", np.int64),
        ("slot", np.int64),  # (indication, parameter, side) of the grid
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
    ]
)
"""A signal and the values it was decided on, sorted by (bar, symbol, slot)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationState:
    """What indications of S symbols remember.

    Attributes
    ----------
    steps : StepState
    span_ms, at_ms (H,) : span and close times of the remembered candles.
    close, high, low : (H, S) int64, gaps filled with the last known price.
    validated_ms : (S, J) int64, last accepted signal of each slot, 0 before the first.
    """

    steps: StepState
    span_ms: int
    at_ms: Ints
    close: Ints
    high: Ints
    low: Ints
    validated_ms: Ints

    @staticmethod
    def fresh(symbols: int, slots: int) -> "IndicationState":
        nothing = np.zeros((0, symbols), np.int64)
        return IndicationState(
            steps=StepState.fresh(symbols),
            span_ms=0,
            at_ms=np.zeros(0, np.int64),
            close=nothing,
            high=nothing,
            low=nothing,
            validated_ms=np.zeros((symbols, slots), np.int64),
        )

    def select(self, columns: Ints) -> "IndicationState":
        """The state of these symbols alone, in this order."""
        return replace(
            self,
            steps=self.steps.select(columns),
            validated_ms=self.validated_ms[columns],
            close=self.close[:, columns],
            high=self.high[:, columns],
            low=self.low[:, columns],
        )

    @staticmethod
    def join(states: "Sequence[IndicationState]") -> "IndicationState":
        """States of different symbols as one; those that began later know no earlier prices."""
        longest = max(states, key=lambda state: len(state.at_ms)).at_ms

        def prices(name: str) -> Ints:
            columns = [getattr(state, name) for state in states]
            return np.hstack([np.pad(c, ((len(longest) - len(c), 0), (0, 0))) for c in columns])

        return replace(
            states[0],
            steps=StepState.join([state.steps for state in states]),
            validated_ms=np.concatenate([state.validated_ms for state in states]),
            at_ms=longest,
            close=prices("close"),
            high=prices("high"),
            low=prices("low"),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the span, by name; `of_arrays` undoes it."""
        own = {name: getattr(self, name) for name in ("close", "high", "low", "validated_ms")}
        return own | self.steps.arrays() | {"at_ms": np.diff(self.at_ms, prepend=0)}

    @staticmethod
    def of_arrays(arrays: Mapping[str, NDArray[Any]], span_ms: int) -> "IndicationState":
        """The state `arrays` were taken of."""
        own = {name: arrays[name] for name in ("close", "high", "low", "validated_ms")}
        at_ms = np.cumsum(arrays["at_ms"])
        return IndicationState(
            steps=StepState.of_arrays(arrays), span_ms=span_ms, at_ms=at_ms, **own
        )


def indicate(
    state: IndicationState, candles: Candles, slots: tuple[Slot, ...], settings: Settings
) -> tuple[IndicationState, NDArray[np.void], dict[str, int]]:
    """The signals of `candles`, and how many candidates each filter refused.

    Candles of another span than before start new windows (they warm up again); steps go on.

    Raises
    ------
    InvalidCandleError
        If a candle is not later than the last one seen.
    """
    samples, known = _samples(state, candles)
    ahead = samples.remembered
    steps, walk = walk_steps(
        state.steps,
        candles.close_ms,
        samples.close[ahead:],
        samples.high[ahead:],
        samples.low[ahead:],
        settings,
    )
    legs = _candidates(walk, samples, known, slots, settings)
    judged = judge(legs, samples, settings)
    refused = {name: int((judged.verdict == number).sum()) for number, name in enumerate(REFUSALS)}
    passed = np.flatnonzero(judged.verdict < 0)
    passed = passed[np.lexsort((legs.row[passed], legs.slot[passed], legs.symbol[passed]))]
    chosen, validated_ms = _validated(state, legs.take(passed), samples, settings)
    refused["refused_validation"] = len(passed) - int(chosen.sum())
    signals = _records(legs, judged, passed[chosen], samples, slots)
    return _carried(steps, samples, validated_ms, settings), signals, refused


def _samples(state: IndicationState, candles: Candles) -> tuple[Samples, Ints]:
    """Remembered and new candles, gaps filled; and which new candles are known."""
    if len(state.at_ms) and len(candles) and candles.close_ms[0] <= state.at_ms[-1]:
        raise InvalidCandleError(
            f"candles must be later than {state.at_ms[-1]}, began with {candles.close_ms[0]}"
        )
    known = (candles.kind != Kind.GAP).astype(np.int64)
    before = state.close[-1] if len(state.close) else np.zeros(len(candles.symbols), np.int64)
    close = np.vstack([before, np.where(known, candles.close, 0)])
    rows = np.where(close > 0, np.arange(len(close))[:, None], 0)
    close = np.take_along_axis(close, np.maximum.accumulate(rows, axis=0), axis=0)[1:]
    high = np.where(known, candles.high, close)
    low = np.where(known, candles.low, close)
    same = state.span_ms == candles.span_ms
    ahead = len(state.at_ms) if same else 0
    parts = [(state.close, close), (state.high, high), (state.low, low)]
    joined = [np.vstack([old[len(old) - ahead :], new]) for old, new in parts]
    samples = Samples(
        span_ms=candles.span_ms,
        at_ms=np.concatenate([state.at_ms[len(state.at_ms) - ahead :], candles.close_ms]),
        close=joined[0],
        high=joined[1],
        low=joined[2],
        remembered=ahead,
    )
    return samples, known


def _candidates(
    walk: Walk, samples: Samples, known: Ints, slots: tuple[Slot, ...], settings: Settings
) -> Legs:
    by_type: dict[IndicationType, dict[int, Slot]] = {each: {} for each in IndicationType}
    for number, slot in enumerate(slots):
        by_type[slot.indication][number] = slot
    legs = [_no_legs()]
    if len(walk.index):
        extremes = Extremes.over(walk.log, KEPT // 2)
        if settings.direction_enabled:
            direction = by_type[IndicationType.DIRECTION]
            legs += direction_legs(walk, extremes, direction, samples.remembered, settings)
        if settings.move_enabled:
            move = by_type[IndicationType.MOVE]
            legs += move_legs(walk, extremes, move, samples.remembered, settings)
    if settings.active_enabled:
        legs += active_legs(samples, known, by_type[IndicationType.ACTIVE], settings)
    return Legs.join(legs)


def _no_legs() -> Legs:
    nothing = np.zeros(0, np.int64)
    return Legs(**dict.fromkeys(Legs.__slots__, nothing))


def _validated(
    state: IndicationState, legs: Legs, samples: Samples, settings: Settings
) -> tuple[NDArray[np.bool_], Ints]:
    """Which passed legs keep the validation time, and the new times; legs are sorted by key."""
    at_ms = samples.at_ms[legs.row]
    key = legs.symbol * state.validated_ms.shape[1] + legs.slot
    last = state.validated_ms.ravel()
    never = np.where(last > 0, last, -settings.validation_timeout_s * 1000)
    chosen = spaced(key, at_ms, never, settings.validation_timeout_s * 1000)
    if not chosen.any():
        return chosen, state.validated_ms
    validated = last.copy()
    validated[key[chosen]] = at_ms[chosen]  # sorted by time: the last one stays
    return chosen, validated.reshape(state.validated_ms.shape)


def _records(
    legs: Legs, judged: Judged, chosen: Ints, samples: Samples, slots: tuple[Slot, ...]
) -> NDArray[np.void]:
    chosen = chosen[np.lexsort((legs.slot[chosen], legs.symbol[chosen], legs.row[chosen]))]
    kinds = list(IndicationType)
    indication = np.array([kinds.index(slot.indication) for slot in slots], np.int64)
    parameter = np.array([slot.parameter for slot in slots], np.int64)
    signals = np.zeros(len(chosen), SIGNAL)
    signals["bar"] = legs.row[chosen] - samples.remembered
    signals["at_ms"] = samples.at_ms[legs.row[chosen]]
    for name in ("symbol", "slot", "sign", "start_ms", "start", "best"):
        signals[name] = getattr(legs, name)[chosen]
    for name in ("price", "samples", "change", "last_change"):
        signals[name] = getattr(judged, name)[chosen]
    signals["indication"] = indication[signals["slot"]]
    signals["parameter"] = parameter[signals["slot"]]
    return signals


def _carried(
    steps: StepState, samples: Samples, validated_ms: Ints, settings: Settings
) -> IndicationState:
    kept = max(samples.count(MAX_WINDOW_S), samples.count(settings.active_window_s))
    kept = max(kept, samples.count(settings.min_calculation_s))
    return IndicationState(
        steps=steps,
        span_ms=samples.span_ms,
        at_ms=samples.at_ms[-kept:],
        close=samples.close[-kept:],
        high=samples.high[-kept:],
        low=samples.low[-kept:],
        validated_ms=validated_ms,
    )
