"""Every candidate for a signal: what indications see of candles, and the legs they find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError
from engine.indications.active import active_legs
from engine.indications.active_advanced import SAMPLE_MS, advanced_legs
from engine.indications.activity import activity_legs
from engine.indications.auto import DAY, LONG, MINUTE_MS, auto_legs
from engine.indications.direction import direction_legs, direction_windows
from engine.indications.gate import Activity, watch
from engine.indications.legs import Extremes, Legs, Samples
from engine.indications.move import move_comparisons, move_legs, move_windows
from engine.indications.slots import SlotTable
from engine.indications.state import IndicationState
from engine.indications.steps import KEPT, StepState, Walk, walk_steps
from engine.indications.thinned import Thinned
from engine.market import Candles, Ints, Kind
from engine.settings import Settings
from engine.values import IndicationType

_Type = IndicationType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What indications see of some candles: remembered and new prices, steps, longer windows.

    `activity` is what the gate saw; `active` (T, S) whether it lets signals through.
    """

    samples: Samples
    steps: StepState
    walk: Walk | None
    thinned: Thinned
    minutes: Thinned
    awake: NDArray[np.bool_]
    activity: Activity
    active: NDArray[np.bool_]


def read(state: IndicationState, candles: Candles, table: SlotTable, settings: Settings) -> Reading:
    """Put `candles` behind what is remembered.

    Candles of another span than before start new windows (they warm up again); steps go on.

    Raises
    ------
    InvalidCandleError
        If a candle is not later than the last one seen.
    """
    samples = _samples(state, candles)
    ahead = samples.remembered
    steps, walk = state.steps, None
    if settings.step_mode != "window":
        prices = (samples.close[ahead:], samples.high[ahead:], samples.low[ahead:])
        steps, walk = walk_steps(
            steps, candles.close_ms, *prices, samples.known, settings, ahead=ahead
        )
    long, longest = longer_cells(table, samples.span_ms, settings)
    awake, activity = watch(state.awake, samples, settings)
    gated = settings.market_activity_enabled
    return Reading(
        samples=samples,
        steps=steps,
        walk=walk,
        thinned=state.thinned.with_candles(samples, SAMPLE_MS) if long else state.thinned,
        minutes=state.minutes.with_candles(samples, MINUTE_MS) if longest else state.minutes,
        awake=awake,
        activity=activity,
        active=activity.active if gated else np.ones_like(activity.active),
    )


def longer_cells(table: SlotTable, span_ms: int, settings: Settings) -> tuple[int, int]:
    """Cells to remember of samples and of minutes: none without a slot that needs them.

    One more than the longest window, and one that is still open.
    """
    auto = len(table.groups_of([_Type.AUTO])) > 0
    windows = table.group_window_min[table.groups_of([_Type.ACTIVE_ADVANCED, _Type.AUTO])]
    if not len(windows):
        return 0, 0
    cells = int(windows.max()) * 60_000 // max(SAMPLE_MS, span_ms)
    cells = max(cells, settings.active_advanced_samples, LONG[1] if auto else 0)
    return cells + 2, DAY + 2 if auto else 0


def enabled_types(settings: Settings) -> dict[IndicationType, bool]:
    """Which types of main mode may signal; the five presets of a grid name theirs themselves."""
    if settings.grid_profile == "preset":
        return {kind: kind is not _Type.PRESET for kind in _Type}
    return {
        _Type.PRESET: False,
        _Type.DIRECTION: settings.direction_enabled,
        _Type.MOVE: settings.move_enabled,
        _Type.ACTIVE: settings.active_enabled,
        _Type.ACTIVITY: settings.activity_enabled,
        _Type.OPTIMAL: settings.optimal_enabled,
        _Type.ACTIVE_ADVANCED: settings.active_advanced_enabled,
        _Type.AUTO: settings.auto_enabled,
    }


def candidates(reading: Reading, table: SlotTable, settings: Settings) -> Legs:
    """The legs of every enabled type."""
    enabled = enabled_types(settings)

    def groups(*kinds: IndicationType) -> Ints:
        return table.groups_of([kind for kind in kinds if enabled[kind]])

    samples = reading.samples
    by_move = settings.optimal_source == "move"
    direction = groups(_Type.DIRECTION, *(() if by_move else (_Type.OPTIMAL,)))
    move = groups(_Type.MOVE, *((_Type.OPTIMAL,) if by_move else ()))
    legs = [Legs.none()]
    if reading.walk is None:
        legs += direction_windows(samples, table, direction, settings)
        legs += move_windows(samples, table, move, settings)
    elif len(reading.walk.index):
        legs += _step_legs(reading.walk, table, direction, move, settings)
    if len(active := groups(_Type.ACTIVE)):
        legs.append(active_legs(samples, table, active, settings))
    if len(activity := groups(_Type.ACTIVITY)):
        legs += activity_legs(samples, table, activity, settings)
    if len(advanced := groups(_Type.ACTIVE_ADVANCED)):
        legs += advanced_legs(samples, reading.thinned, table, advanced, settings)
    if len(auto := groups(_Type.AUTO)):
        legs += auto_legs(samples, reading.thinned, reading.minutes, table, auto, settings)
    return Legs.join(legs)


def _step_legs(
    walk: Walk, table: SlotTable, direction: Ints, move: Ints, settings: Settings
) -> list[Legs]:
    extremes = Extremes.over(walk.log, KEPT // 2)
    legs = []
    if len(direction):
        legs.append(direction_legs(walk, extremes, table, direction, settings))
    if len(move) and settings.step_mode == "time":
        legs += move_comparisons(walk, extremes, table, move, settings)
    elif len(move):
        legs.append(move_legs(walk, extremes, table, move, settings))
    return legs


def _samples(state: IndicationState, candles: Candles) -> Samples:
    """Remembered and new candles, gaps filled."""
    if len(state.at_ms) and len(candles) and candles.close_ms[0] <= state.at_ms[-1]:
        raise InvalidCandleError(
            f"candles must be later than {state.at_ms[-1]}, began with {candles.close_ms[0]}"
        )
    known = candles.kind != Kind.GAP
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
    return Samples(
        span_ms=candles.span_ms,
        at_ms=np.concatenate([state.at_ms[len(state.at_ms) - ahead :], candles.close_ms]),
        close=joined[0],
        high=joined[1],
        low=joined[2],
        known=known,
        remembered=ahead,
    )
