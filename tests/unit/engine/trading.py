"""A small engine for tests of the trade side: few Sets, lenient filters, plans easy to compare."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from tests.builders import an_instrument

from engine.books import pack_books
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.trade import TradePlan, TradeState, plan_trade
from local.simulation.lenient import LENIENT

WORKED: Mapping[str, object] = {
    "gridRanges": [3],
    "dcaEnabled": True,
    "profitBackEnabled": True,
    "dcaDistances": ["0.2", "0.3", "0.5"],
    "dcaVolumes": ["1.5", "2.0", "0.5"],
    "dcaMaxTotalRatio": "6",
    "trailingStartValues": ["0.2"],
    "trailingStopValues": ["0.1"],
    "positionCooldown": 5,
    "validationTimeout": 1,
    "failedRetryHours": 1,
    "maxMirroredPerCycle": 50,
    "marketActivityEnabled": False,
}
"""Ladder and profit-back with every exit, and much that happens."""
RECORDS = ("signals", "openings", "closings", "changes", "archived")


def lenient(**values: object) -> Settings:
    return with_values(Settings(), {**LENIENT, **values})


def fresh(symbols: Sequence[str], settings: Settings) -> TradeState:
    return TradeState.fresh([an_instrument(symbol) for symbol in symbols], settings)


def planned(candles: Candles, settings: Settings) -> tuple[TradeState, TradePlan]:
    return plan_trade(fresh(candles.symbols, settings), candles, settings)


def in_pieces(
    state: TradeState, candles: Candles, cuts: Sequence[int], settings: Settings
) -> tuple[TradeState, list[TradePlan]]:
    bounds = [0, *sorted(cuts), len(candles)]
    plans = []
    for begin, end in pairwise(bounds):
        state, plan = plan_trade(state, candles.rows(begin, end), settings)
        plans.append(plan)
    return state, plans


def timeline(plans: Sequence[TradePlan]) -> dict[str, list[Any]]:
    """All records of plans one after another; candles are named by time, not by number."""
    lines = {}
    for name in RECORDS:
        joined = np.concatenate([getattr(plan, name) for plan in plans])
        joined["bar"] = 0
        lines[name] = joined.tolist()
    return lines


def books_of(state: TradeState) -> dict[str, list[bytes]]:
    """The whole state of every symbol, to the bit."""
    return {symbol: pack_books(state, symbol) for symbol in state.symbols}
