"""What is traded, how much of it, and with what leverage."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

START = Tab("overall", Effect.START)
TICK = Tab("overall", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class OverallSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    prehistoric_data_days: int = START.whole(
        5, "prehistoricDataDays", "1 .. 12 by 1 d", "History learned from before trading."
    )
    position_cost_pct: Decimal = START.decimal(
        "0.1", "positionCost", "0.01 .. 1.0 by 0.01 %", "Yardstick of steps, exits and results."
    )
    base_volume_factor: Decimal = TICK.decimal(
        "1", "base_volume_factor", "0.5 .. 10 by 0.5", "Scales every order."
    )
    positions_average: int = TICK.whole(
        50, "positions_average", "20 .. 300 by 10", "Positions the equity is divided over."
    )
    negative_change_pct: Decimal = TICK.decimal(
        "20", "negativeChangePercent", "5 .. 30 by 5 %", "Adverse move that costs the risk budget."
    )
    risk_budget_pct: Decimal = TICK.decimal(
        "20", "riskBudget", "1 .. 100 by 1 %", "Share of the equity negativeChangePercent may cost."
    )
    max_leverage: int = TICK.whole(
        10, "max_leverage", "1 .. 125 by 1 x", "Upper bound of the leverage."
    )
    leverage_percentage: int = TICK.whole(
        100, "leveragePercentage", "5 .. 100 by 5 %", "Share of max_leverage used."
    )
    use_maximal_leverage: bool = TICK.switch(
        False, "useMaximalLeverage", "Use all the leverage that max_leverage and symbol allow."
    )
    min_volume_enforcement: bool = TICK.switch(
        True, "min_volume_enforcement", "Lift small orders to the venue's minimum (up to 3 times)."
    )
    use_main_symbols: bool = START.switch(
        False, "useMainSymbols", "Trade mainSymbols instead of the venue's top symbols."
    )
    main_symbols: tuple[str, ...] = START.words(
        "BTC ETH BNB XRP ADA SOL", "mainSymbols", "Base assets, quote appended."
    )
    forced_symbols: tuple[str, ...] = START.words(
        "XRP BCH", "forcedSymbols", "Base assets always traded, put first."
    )
    number_of_symbols: int = START.whole(
        8, "numberOfSymbolsToSelect", "1 .. 50 by 1", "Symbols traded."
    )
    symbol_order: str = START.choice(
        "volume24h", "symbolOrderType", "volume24h | alphabetical", "Ranks the venue's symbols."
    )
    quote_asset: str = START.choice(
        "USDT", "quoteAsset", "USDT | USDC", "Quote currency of every symbol."
    )
    validation_timeout_s: int = TICK.whole(
        15, "validationTimeout", "1 .. 120 by 1 s", "Rest of an indication after it was validated."
    )
    position_cooldown_s: int = TICK.whole(
        20, "positionCooldown", "0 .. 600 by 1 s", "Rest of a Set after its position closed."
    )
