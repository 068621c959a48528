"""Which exits are tried on paper, and at what cost."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

START = Tab("strategy", Effect.START)
TICK = Tab("strategy", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class StrategySettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    grid_take_profits: tuple[Decimal, ...] = START.decimals(
        "2 3 4 6 8 12", "gridTakeProfits", "1 .. 30 position costs", "Targets."
    )
    grid_stop_losses: tuple[Decimal, ...] = START.decimals(
        "0.2 0.4 0.6 0.8 1.0 1.2 1.5", "gridStopLosses", "0.1 .. 3", "Stops, of the target."
    )
    trailing_enabled: bool = START.switch(
        True, "trailingEnabled", "Try every exit with trailing too."
    )
    trail_starts_pct: tuple[Decimal, ...] = START.decimals(
        "0.3 0.6 1.0", "trailingStartValues", "0.05 .. 10 %", "Favourable moves that arm trailing."
    )
    trail_stops_pct: tuple[Decimal, ...] = START.decimals(
        "0.1 0.2 0.3", "trailingStopValues", "0.02 .. 5 %", "Retraces that close, one a start."
    )
    exit_on_opposite: bool = TICK.switch(
        False, "exitOnOpposite", "Close a position when its indication signals the other side."
    )
    min_viable_exits: bool = START.switch(
        True, "minViableExits", "Leave out exits that fees and spread eat."
    )
    tp_range_divisor: int = START.whole(
        3, "tpRangeDivisor", "1 .. 30 by 1", "The smallest target of range N is N over this."
    )
    step_relation_min: Decimal = START.decimal(
        "0.2", "stepRelationMinRatio", "0.1 .. 2 by 0.1", "Smallest target in steps, a share of N."
    )
    step_relation_max: Decimal = START.decimal(
        "1", "stepRelationMaxRatio", "0.1 .. 2 by 0.1", "Largest target in steps, a share of N."
    )
    max_sets_per_symbol: int = START.whole(
        5000, "maxSetsPerSymbol", "100 .. 50000 by 100", "Hard cap of the grid."
    )
    taker_fee_pct: Decimal = START.decimal(
        "0.055", "takerFeePercent", "0 .. 0.5 by 0.005 %", "Fee of paper fills, a side."
    )
    slippage_pct: Decimal = START.decimal(
        "0.02", "slippagePercent", "0 .. 0.5 by 0.005 %", "Slippage of paper fills, a side."
    )
