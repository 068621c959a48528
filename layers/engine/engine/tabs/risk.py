"""How much is risked: the size of an order, the limits of the account, rests after losses."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

TICK = Tab("risk", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class RiskSettings:
    """Each line: default, key, range, what it means; where zero is allowed, zero is off."""

    # --- one order
    sizing_mode: str = TICK.choice(
        "positions_average",
        "sizingMode",
        "positions_average | position_cost",
        "Equity over positions_average, or equity times positionCost times leverage.",
    )
    lift_limit: Decimal = TICK.decimal(
        "3", "minVolumeLiftLimit", "1 .. 10 by 0.5", "Times the intended size an order is lifted."
    )
    margin_share_pct: Decimal = TICK.decimal(
        "95", "freeMarginSharePercent", "10 .. 100 by 1 %", "Free margin that entries may take."
    )
    liquidation_share_pct: Decimal = TICK.decimal(
        "80", "liquidationSharePercent", "10 .. 95 by 1 %", "Way to liquidation a stop may lie at."
    )
    max_position_size: Decimal = TICK.decimal(
        "0", "max_position_size", "0 .. 100000000 by 1 quote", "Largest position; 0 is off."
    )
    fat_finger_factor: Decimal = TICK.decimal(
        "5", "fatFingerFactor", "1 .. 50 by 0.5", "Times its intended size no order exceeds."
    )
    max_order_equity_pct: Decimal = TICK.decimal(
        "25", "maxOrderEquityPercent", "1 .. 500 by 1 %", "One order, of the equity."
    )
    max_volume_share_pct: Decimal = TICK.decimal(
        "0.1", "maxVolumeSharePercent", "0 .. 10 by 0.01 %", "One order, of a day's volume; 0 off."
    )
    max_price_deviation_pct: Decimal = TICK.decimal(
        "0.5", "maxPriceDeviationPercent", "0.05 .. 10 by 0.05 %", "Price moved since the signal."
    )

    # --- all that is open
    max_symbol_total_pct: Decimal = TICK.decimal(
        "50", "maxSymbolBothSidesPercent", "1 .. 1000 by 1 %", "One symbol, of the equity."
    )
    max_side_exposure_pct: Decimal = TICK.decimal(
        "100", "maxSideExposurePercent", "1 .. 2000 by 1 %", "All of one side, of the equity."
    )
    max_total_exposure_pct: Decimal = TICK.decimal(
        "100", "maxTotalExposurePercent", "1 .. 2000 by 1 %", "All that is open, of the equity."
    )
    max_positions_binance: int = TICK.whole(
        500, "maxPositionsPerExchange.binance", "1 .. 500 by 1", "Positions open on Binance."
    )

    # --- the account's losses
    max_daily_loss: Decimal = TICK.decimal(
        "0", "max_daily_loss", "0 .. 100000000 by 1 quote", "Realised since UTC midnight; 0 off."
    )
    max_daily_loss_pct: Decimal = TICK.decimal(
        "10", "maxDailyLossPercent", "0 .. 100 by 1 %", "The same, of the day's first equity."
    )
    max_drawdown_pct: Decimal = TICK.decimal(
        "20", "max_drawdown_percent", "0 .. 100 by 1 %", "Equity below its peak; 0 is off."
    )
    max_consecutive_losses: int = TICK.whole(
        8, "maxConsecutiveLosses", "0 .. 100 by 1", "Losses in a row, then a pause; 0 is off."
    )
    losses_pause_min: int = TICK.whole(
        60, "consecutiveLossesPauseMinutes", "1 .. 1440 by 1 min", "Length of that pause."
    )

    # --- protections: rests that closed positions cause
    stop_guard_count: int = TICK.whole(
        6, "stopLossGuardCount", "0 .. 100 by 1", "Stop-losses in the window; 0 is off."
    )
    stop_guard_window_min: int = TICK.whole(
        60, "stopLossGuardWindowMinutes", "1 .. 720 by 1 min", "Window of the stop-loss guard."
    )
    stop_guard_pause_min: int = TICK.whole(
        30, "stopLossGuardPauseMinutes", "1 .. 720 by 1 min", "Rest after the last of them."
    )
    stop_guard_scope: str = TICK.choice(
        "symbol_side", "stopLossGuardScope", "symbol_side | all", "What is counted and rests."
    )
    loss_guard_pct: Decimal = TICK.decimal(
        "10", "drawdownGuardPercent", "0 .. 100 by 0.5 %", "Results below their peak; 0 is off."
    )
    loss_guard_count: int = TICK.whole(
        10, "drawdownGuardCount", "1 .. 100 by 1", "Results in the window that it takes."
    )
    loss_guard_window_min: int = TICK.whole(
        360, "drawdownGuardWindowMinutes", "1 .. 720 by 1 min", "Window of the drawdown guard."
    )
    loss_guard_pause_min: int = TICK.whole(
        60, "drawdownGuardPauseMinutes", "1 .. 720 by 1 min", "Rest of all after the last of them."
    )
    low_profit_count: int = TICK.whole(
        10, "lowProfitCount", "0 .. 100 by 1", "Last results of a symbol averaged; 0 is off."
    )
    low_profit_pct: Decimal = TICK.decimal(
        "-0.2", "lowProfitPercent", "-10 .. 10 by 0.05 %", "A lower average rests the symbol."
    )
    low_profit_window_min: int = TICK.whole(
        360, "lowProfitWindowMinutes", "1 .. 720 by 1 min", "Window those results lie in."
    )
    low_profit_pause_min: int = TICK.whole(
        60, "lowProfitPauseMinutes", "1 .. 720 by 1 min", "Rest after the last of them."
    )
