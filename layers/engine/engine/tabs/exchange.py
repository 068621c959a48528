"""What may reach the exchange."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

NOW = Tab("exchange", Effect.NOW)
TICK = Tab("exchange", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class ExchangeSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    live_volume_factor: Decimal = TICK.decimal(
        "1", "baseVolumeFactorLive", "0.1 .. 10 by 0.1", "Scales orders of the main mode."
    )
    preset_volume_factor: Decimal = TICK.decimal(
        "1", "baseVolumeFactorPreset", "0.1 .. 10 by 0.1", "Scales orders of the preset mode."
    )
    exchange_min_avg_r: Decimal = TICK.decimal(
        "0.6", "profitFactorMinMain", "0.1 .. 2 by 0.1 position costs", "Average to be traded."
    )
    preset_min_avg_r: Decimal = TICK.decimal(
        "0.6", "profitFactorMinPreset", "0.1 .. 2 by 0.1 position costs", "The same in preset mode."
    )
    main_drawdown_time_min: int = TICK.whole(
        300, "drawdownTimeMain", "60 .. 1440 by 60 min", "Longest time below the peak to be traded."
    )
    preset_drawdown_time_min: int = TICK.whole(
        300, "drawdownTimePreset", "60 .. 1440 by 60 min", "The same in preset mode."
    )
    exchange_min_profit_factor: Decimal = TICK.decimal(
        "1.1", "minClassicPfExchange", "1 .. 5 by 0.1", "Gross wins over losses to be traded."
    )
    exchange_direction: bool = TICK.switch(
        True, "exchangeDirectionEnabled", "Trade proven Sets of Direction."
    )
    exchange_move: bool = TICK.switch(True, "exchangeMoveEnabled", "Trade proven Sets of Move.")
    exchange_active: bool = TICK.switch(
        True, "exchangeActiveEnabled", "Trade proven Sets of Active, by threshold or activity."
    )
    exchange_optimal: bool = TICK.switch(
        False, "exchangeOptimalEnabled", "Trade proven Sets of Optimal."
    )
    exchange_advanced: bool = TICK.switch(
        False, "exchangeAdvancedEnabled", "Trade proven Sets of Active-Advanced."
    )
    exchange_auto: bool = TICK.switch(False, "exchangeAutoEnabled", "Trade proven Sets of Auto.")
    exchange_trailing: bool = TICK.switch(
        True, "exchangeTrailingEnabled", "Trade proven Sets with trailing."
    )
    exchange_dca: bool = TICK.switch(True, "exchangeDcaEnabled", "Trade proven Sets with a ladder.")
    max_mirrored_per_cycle: int = TICK.whole(
        10, "maxMirroredPerCycle", "1 .. 50 by 1", "Wishes of one trade tick."
    )
    max_open_positions: int = TICK.whole(
        100, "max_open_positions", "1 .. 500 by 1", "Exchange positions open at once."
    )
    max_symbol_exposure_pct: Decimal = TICK.decimal(
        "25", "maxSymbolExposurePercent", "1 .. 500 by 1 %", "One symbol and side, of the equity."
    )
    stale_price_ms: int = TICK.whole(
        3000, "stalePriceMs", "500 .. 30000 by 100 ms", "Older prices open and close nothing."
    )
    stale_equity_ms: int = TICK.whole(
        60000, "staleEquityMs", "5000 .. 600000 by 1000 ms", "An older equity opens nothing."
    )
    unreconciled_after_s: int = TICK.whole(
        60, "unreconciledAfterS", "10 .. 600 by 5 s", "A doubt that lasts stops entries, alarms."
    )
    external_positions: str = TICK.choice(
        "quarantine",
        "externalPositions",
        "ignore | quarantine | adopt",
        "What becomes of positions nobody here opened.",
    )
    external_stop_loss_pct: Decimal = TICK.decimal(
        "2", "externalStopLossPercent", "0.1 .. 20 by 0.1 %", "Stop of what is adopted."
    )
    withdraw_right: str = NOW.choice(
        "warn", "withdrawRight", "warn | refuse", "What a key that may withdraw does to a test."
    )
    funding_interval_s: int = TICK.whole(
        300, "fundingIntervalS", "30 .. 600 by 30 s", "Funding of what is held is read so often."
    )
    wish_max_age_ms: int = TICK.whole(
        3000, "wishMaxAgeMs", "500 .. 30000 by 100 ms", "Older wishes are refused."
    )
