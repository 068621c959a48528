"""Which proven Sets may be traded at all, by indication and strategy."""

import numpy as np
from numpy.typing import NDArray

from engine.sets import Grid
from engine.settings import Settings
from engine.values import Exits, IndicationType


def indication_switch(indication: IndicationType, settings: Settings) -> str:
    """Key of the setting that keeps its Sets off the exchange, empty if none does.

    Whether presets are traded is a switch of the connection.
    """
    active = ("exchangeActiveEnabled", settings.exchange_active)
    switches = {
        IndicationType.DIRECTION: ("exchangeDirectionEnabled", settings.exchange_direction),
        IndicationType.MOVE: ("exchangeMoveEnabled", settings.exchange_move),
        IndicationType.ACTIVE: active,
        IndicationType.ACTIVITY: active,
        IndicationType.OPTIMAL: ("exchangeOptimalEnabled", settings.exchange_optimal),
        IndicationType.ACTIVE_ADVANCED: ("exchangeAdvancedEnabled", settings.exchange_advanced),
        IndicationType.AUTO: ("exchangeAutoEnabled", settings.exchange_auto),
    }
    key, is_on = switches.get(indication, ("", True))
    return "" if is_on else key


def strategy_switch(exits: Exits, settings: Settings) -> str:
    """Key of the setting that keeps Sets of such exits off the exchange, empty if none does."""
    if exits.is_trailing and not settings.exchange_trailing:
        return "exchangeTrailingEnabled"
    if exits.ladder and not settings.exchange_dca:
        return "exchangeDcaEnabled"
    if exits.profit_back and not settings.profit_back_on_exchange:
        return "profitBackExchangeEnabled"
    return ""


def switch_off(grid: Grid, k: int, settings: Settings) -> str:
    """Key of the setting that keeps Set `k` off the exchange, empty if none does."""
    indication = grid.slots[int(grid.slot[k])].indication
    by_type = indication_switch(indication, settings)
    return by_type or strategy_switch(grid.exits[int(grid.exit[k])], settings)


def mirrored(grid: Grid, settings: Settings) -> NDArray[np.bool_]:
    """(K,) whether no switch keeps a Set off the exchange."""
    types = np.array([not indication_switch(each, settings) for each in IndicationType], np.bool_)
    may: NDArray[np.bool_] = types[grid.kind]
    if not settings.exchange_trailing:
        may &= grid.trail_stop == 0
    if not settings.exchange_dca:
        may &= ~grid.ladder
    if not settings.profit_back_on_exchange:
        may &= ~grid.profit_back
    return may
