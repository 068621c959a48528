"""Every indication at once, on candles: slots of all types, and what they signalled."""

from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from engine.indications.signals import IndicationState, indicate
from engine.indications.slots import Slot
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import PLAIN, RULES, IndicationType, Side, Variant

TYPES = tuple(kind for kind in RULES if kind is not IndicationType.PRESET)
LENIENT: dict[str, object] = {
    "marketActivityEnabled": False,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
}
ALL_ON: dict[str, object] = {
    "activityEnabled": True,
    "optimalEnabled": True,
    "activeAdvancedEnabled": True,
    "autoEnabled": True,
}
# A random walk has neither the pace nor the history Auto asks of a market.
EASY_AUTO: dict[str, object] = {
    "autoMinHistory": 60,
    "autoTrendChange": "0.1",
    "autoActivity": "0.01",
    "autoStepProgression": "0",
    "autoMinVolatility": "0",
    "autoMomentum": "0.1",
    "activeAdvancedMinVolatility": "0",
    "activeAdvancedContinuation": "0",
}


def both_sides(
    indication: IndicationType, parameters: Iterable[int], variants: Sequence[Variant] = (PLAIN,)
) -> tuple[Slot, ...]:
    return tuple(
        Slot(indication=indication, parameter=parameter, side=side, variant=variant)
        for parameter, variant, side in product(parameters, variants, Side)
    )


FILTERS = tuple(
    Variant(drawdown_pct=drawdown, market_change=index, last_part_pct=last)
    for drawdown, index, last in product((10, 50), (1, 5), (100, 200))
)
SHARES = tuple(
    Variant(activity_pct=share, last_activity_pct=last, market_change=index)
    for share, last, index in product((10, 40), (10, 60), (1, 4))
)
MINUTES = tuple(Variant(window_min=minutes) for minutes in (1, 3, 10))
EVERY = (
    *both_sides(IndicationType.DIRECTION, (3, 5), (PLAIN, *FILTERS)),
    *both_sides(IndicationType.MOVE, (3, 5), (PLAIN, *FILTERS)),
    *both_sides(IndicationType.ACTIVE, (50, 100)),
    *both_sides(IndicationType.ACTIVITY, (1, 5), SHARES),
    *both_sides(IndicationType.OPTIMAL, (3, 5), FILTERS),
    *both_sides(IndicationType.ACTIVE_ADVANCED, (10, 50), MINUTES),
    *both_sides(IndicationType.AUTO, (10, 50), MINUTES),
)


def every_setting(**values: object) -> Settings:
    return with_values(Settings(), {**LENIENT, **ALL_ON, **EASY_AUTO, **values})


def indicated(
    candles: Candles,
    slots: tuple[Slot, ...],
    settings: Settings,
    cuts: Sequence[int] = (),
) -> tuple[IndicationState, np.ndarray, dict[str, int]]:
    """All signals of `candles`, cut in time; bars are counted from the first candle."""
    state = IndicationState.fresh(len(candles.symbols), len(slots))
    total: dict[str, int] = {}
    signals = []
    for begin, end in pairwise([0, *sorted(cuts), len(candles)]):
        state, found, counts = indicate(state, candles.rows(begin, end), slots, settings)
        found["bar"] += begin
        signals.append(found)
        total = {name: total.get(name, 0) + count for name, count in counts.items()}
    return state, np.concatenate(signals), total


def types_of(signals: np.ndarray) -> set[IndicationType]:
    return {list(IndicationType)[kind] for kind in np.unique(signals["indication"]).tolist()}


def state_of(state: IndicationState, symbol: int) -> dict[str, Any]:
    """The whole state of one symbol, easy to compare."""
    alone = state.select(np.array([symbol]))
    return {name: array.tolist() for name, array in alone.arrays().items()}
