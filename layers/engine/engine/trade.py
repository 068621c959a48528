"""The trade side of the engine: candles in; signals, paper trades, promotions and wishes out.

Signals do not depend on positions, and a Set depends on no other Set but for the short key
they may share, which only decides who is a shadow. So all Sets run side by side, event by event:
entry, first exit, statistics, cooldown, next entry; then the keys are given out. Inside a
candle exits come first, then statistics and promotion, then entries; ties go by (symbol, Set).
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.course import Course
from engine.errors import InvalidCandleError
from engine.indications.signals import IndicationState, indicate
from engine.market import Candles
from engine.settings import Settings
from engine.trade_plan import Records, TradePlan
from engine.trade_state import TradeState

__all__ = ["Indicated", "TradePlan", "TradeState", "indicated", "plan_strategies", "plan_trade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicated:
    """What the indications say of some candles: their state after them, signals and refusals."""

    state: IndicationState
    signals: Records
    refused: dict[str, int]


def plan_trade(
    state: TradeState, candles: Candles, settings: Settings
) -> tuple[TradeState, TradePlan]:
    """Fold `candles` of the state's symbols into it; any number of candles at once.

    However a stream of candles is cut in time, and however its symbols are grouped, the states
    are the same, and the plans joined.

    Raises
    ------
    InvalidCandleError
        If symbols differ from the state's, candles are not later than those seen, or a price
        is not positive or outside its candle.
    """
    return plan_strategies(state, candles, indicated(state, candles, settings), settings)


def indicated(state: TradeState, candles: Candles, settings: Settings) -> Indicated:
    """The first half of `plan_trade`, which raises as it does: what the indications say."""
    if candles.symbols != state.symbols:
        raise InvalidCandleError(f"candles of {candles.symbols} for a state of {state.symbols}")
    candles.check_prices()
    after, signals, refused = indicate(state.indications, candles, state.grid.slots, settings)
    return Indicated(state=after, signals=signals, refused=refused)


def plan_strategies(
    state: TradeState, candles: Candles, told: Indicated, settings: Settings
) -> tuple[TradeState, TradePlan]:
    """The second half: what the Sets make of the signals of the same state and candles."""
    course = Course(state, candles, told.signals, settings)
    course.run()
    history, archived = course.keeper.finish()
    archived["bar"] = np.searchsorted(candles.close_ms, archived["at_ms"])
    positions, plan = course.finish(told.refused, archived)
    if not len(candles):
        return state, plan
    planned = replace(
        state,
        indications=told.state,
        positions=positions,
        history=history,
        last_close_ms=int(candles.close_ms[-1]),
    )
    return planned, plan
