"""One typed schema of every setting: default, range, unit, tab, and when a change takes effect."""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from engine.errors import InvalidSettingError

Value = (
    bool | int | Decimal | str | tuple[int, ...] | tuple[Decimal, ...] | tuple[str, ...]
)


class Effect(StrEnum):
    """When a changed value starts to count."""

    TICK = "next tick"
    BURST = "next burst"
    START = "next engine start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an operator needs to know about one key."""

    key: str
    minimum: Decimal | None
    maximum: Decimal | None
    step: Decimal | None
    unit: str
    tab: str
    effect: Effect
    text: str
    choices: tuple[str, ...] = ()


def _setting(
    default: Value,
    key: str,
    text: str,
    *,
    low: str | None = None,
    high: str | None = None,
    step: str | None = None,
    unit: str = "",
    tab: str = "overall",
    effect: Effect = Effect.BURST,
    choices: tuple[str, ...] = (),
) -> Any:
    about = Setting(
        key=key,
        minimum=None if low is None else Decimal(low),
        maximum=None if high is None else Decimal(high),
        step=None if step is None else Decimal(step),
        unit=unit,
        tab=tab,
        effect=effect,
        text=text,
        choices=choices,
    )
    return field(default=default, metadata={"setting": about})


def _decimals(text: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(part) for part in text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values the engine runs with; build changed ones with `with_values`."""

    # overall
    prehistoric_data_days: int = _setting(
        5,
        "prehistoricDataDays",
        "History learned from before trading.",
        low="1",
        high="12",
        step="1",
        unit="d",
        effect=Effect.START,
    )
    position_cost_pct: Decimal = _setting(
        Decimal("0.1"),
        "positionCost",
        "Yardstick of steps, exits and results, of the price.",
        low="0.01",
        high="1.0",
        step="0.01",
        unit="%",
        effect=Effect.START,
    )
    base_volume_factor: Decimal = _setting(
        Decimal(1),
        "base_volume_factor",
        "Scales every order.",
        low="0.5",
        high="10",
        step="0.5",
    )
    live_volume_factor: Decimal = _setting(
        Decimal(1),
        "baseVolumeFactorLive",
        "Scales orders of the main mode.",
        low="0.1",
        high="10",
        step="0.1",
        tab="exchange",
    )
    positions_average: int = _setting(
        50,
        "positions_average",
        "Positions the equity is divided over.",
        low="20",
        high="300",
        step="10",
    )
    negative_change_pct: Decimal = _setting(
        Decimal(20),
        "negativeChangePercent",
        "Adverse move at which the risk budget is lost.",
        low="5",
        high="30",
        step="5",
        unit="%",
    )
    risk_budget_pct: Decimal = _setting(
        Decimal(20),
        "riskBudget",
        "Share of the equity at risk at negativeChangePercent.",
        low="1",
        high="100",
        step="1",
        unit="%",
    )
    max_leverage: int = _setting(
        10,
        "max_leverage",
        "Upper bound of the leverage.",
        low="1",
        high="125",
        step="1",
        unit="x",
    )
    leverage_percentage: int = _setting(
        100,
        "leveragePercentage",
        "Share of max_leverage used.",
        low="5",
        high="100",
        step="5",
        unit="%",
    )
    use_maximal_leverage: bool = _setting(
        False,
        "useMaximalLeverage",
        "Use all the leverage that max_leverage and symbol allow.",
    )
    min_volume_enforcement: bool = _setting(
        True,
        "min_volume_enforcement",
        "Lift small orders to the venue's minimum (up to 3 times).",
    )
    use_main_symbols: bool = _setting(
        False,
        "useMainSymbols",
        "Trade mainSymbols instead of the venue's top symbols.",
        effect=Effect.START,
    )
    main_symbols: tuple[str, ...] = _setting(
        ("BTC", "ETH", "BNB", "XRP", "ADA", "SOL"),
        "mainSymbols",
        "Base assets, quote appended.",
        effect=Effect.START,
    )
    forced_symbols: tuple[str, ...] = _setting(
        ("XRP", "BCH"),
        "forcedSymbols",
        "Base assets always traded, put first.",
        effect=Effect.START,
    )
    number_of_symbols: int = _setting(
        8,
        "numberOfSymbolsToSelect",
        "Symbols traded.",
        low="1",
        high="50",
        step="1",
        effect=Effect.START,
    )
    symbol_order: str = _setting(
        "volume24h",
        "symbolOrderType",
        "How the venue's symbols are ranked.",
        choices=("volume24h", "alphabetical"),
        effect=Effect.START,
    )
    quote_asset: str = _setting(
        "USDT",
        "quoteAsset",
        "Quote currency of every symbol.",
        choices=("USDT", "USDC"),
        effect=Effect.START,
    )
    validation_timeout_s: int = _setting(
        15,
        "validationTimeout",
        "Rest of an indication after it was validated.",
        low="1",
        high="120",
        step="1",
        unit="s",
    )
    position_cooldown_s: int = _setting(
        20,
        "positionCooldown",
        "Rest of a Set after its position closed.",
        low="0",
        high="600",
        step="1",
        unit="s",
    )

    # indications
    step_size_factor: Decimal = _setting(
        Decimal(1),
        "stepSizeFactor",
        "Size of a cost step in position costs.",
        low="0.1",
        high="5",
        step="0.05",
        tab="indication",
        effect=Effect.START,
    )
    direction_enabled: bool = _setting(
        True,
        "directionEnabled",
        "Reversals after a straight run.",
        tab="indication",
    )
    move_enabled: bool = _setting(
        True,
        "moveEnabled",
        "Continuations of a straight run.",
        tab="indication",
    )
    active_enabled: bool = _setting(
        True,
        "activeEnabled",
        "Moves past a threshold in a window.",
        tab="indication",
    )
    grid_ranges: tuple[int, ...] = _setting(
        (3, 5, 8, 12, 15, 20, 25, 30),
        "gridRanges",
        "Ranges N of Direction and Move.",
        low="3",
        high="30",
        unit="steps",
        tab="indication",
        effect=Effect.START,
    )
    direction_confirm_ratio: Decimal = _setting(
        Decimal("0.2"),
        "directionConfirmRatio",
        "Opposite steps that confirm, as a share of N.",
        low="0.05",
        high="1",
        step="0.05",
        tab="indication",
    )
    move_seconds_per_range: int = _setting(
        20,
        "moveSecondsPerStep",
        "A run of N steps may last N times this long.",
        low="1",
        high="600",
        step="1",
        unit="s",
        tab="indication",
    )
    active_thresholds_pct: tuple[Decimal, ...] = _setting(
        _decimals("0.5 1.0 1.5 2.0 2.5"),
        "activeThresholds",
        "Changes that count as active.",
        low="0.1",
        high="10",
        unit="%",
        tab="indication",
        effect=Effect.START,
    )
    active_window_s: int = _setting(
        60,
        "activeWindowSeconds",
        "Window of Active.",
        low="1",
        high="600",
        step="1",
        unit="s",
        tab="indication",
        effect=Effect.START,
    )
    drawdown_ratio: Decimal = _setting(
        Decimal("0.3"),
        "drawdownRatio",
        "Give-back from the best price of the leg allowed.",
        low="0.1",
        high="0.5",
        step="0.1",
        tab="indication",
    )
    market_change_range: int = _setting(
        3,
        "marketChangeRange",
        "Index of the average change a leg needs, 1 to 10.",
        low="1",
        high="10",
        step="1",
        tab="indication",
    )
    market_change_norm_s: int = _setting(
        10,
        "marketChangeNormSeconds",
        "Seconds the average change is normalised to.",
        low="1",
        high="60",
        step="1",
        unit="s",
        tab="indication",
    )
    last_part_ratio: Decimal = _setting(
        Decimal("1.5"),
        "lastPartRatioFactor",
        "How much faster the last part must be.",
        low="1.0",
        high="2.5",
        step="0.5",
        tab="indication",
    )
    last_part_share: Decimal = _setting(
        Decimal("0.2"),
        "lastPartRatio",
        "Share of the leg that is its last part.",
        low="0.1",
        high="0.5",
        step="0.05",
        tab="indication",
    )
    min_calculation_s: int = _setting(
        3,
        "minCalculationTime",
        "Shortest leg the filters accept.",
        low="1",
        high="60",
        step="1",
        unit="s",
        tab="indication",
    )

    # Sets
    grid_take_profits: tuple[Decimal, ...] = _setting(
        _decimals("2 3 4 6 8 12"),
        "gridTakeProfits",
        "Targets, in position costs.",
        low="1",
        high="30",
        unit="position costs",
        tab="strategy",
        effect=Effect.START,
    )
    grid_stop_losses: tuple[Decimal, ...] = _setting(
        _decimals("0.2 0.4 0.6 0.8 1.0 1.2 1.5"),
        "gridStopLosses",
        "Stops, as shares of the target.",
        low="0.1",
        high="3",
        tab="strategy",
        effect=Effect.START,
    )
    trailing_enabled: bool = _setting(
        True,
        "trailingEnabled",
        "Try every exit with trailing too.",
        tab="strategy",
        effect=Effect.START,
    )
    trail_starts_pct: tuple[Decimal, ...] = _setting(
        _decimals("0.3 0.6 1.0"),
        "trailingStartValues",
        "Favourable moves that arm the trailing.",
        low="0.05",
        high="10",
        unit="%",
        tab="strategy",
        effect=Effect.START,
    )
    trail_stops_pct: tuple[Decimal, ...] = _setting(
        _decimals("0.1 0.2 0.3"),
        "trailingStopValues",
        "Retraces that close, paired with starts.",
        low="0.02",
        high="5",
        unit="%",
        tab="strategy",
        effect=Effect.START,
    )
    min_viable_exits: bool = _setting(
        True,
        "minViableExits",
        "Leave out exits that fees and spread eat.",
        tab="strategy",
        effect=Effect.START,
    )
    tp_range_divisor: int = _setting(
        3,
        "tpRangeDivisor",
        "The smallest target of range N is N over this.",
        low="1",
        high="30",
        step="1",
        tab="strategy",
        effect=Effect.START,
    )
    step_relation_min: Decimal = _setting(
        Decimal("0.2"),
        "stepRelationMinRatio",
        "Smallest target, in steps, as a share of N.",
        low="0.1",
        high="2",
        step="0.1",
        tab="strategy",
        effect=Effect.START,
    )
    step_relation_max: Decimal = _setting(
        Decimal(1),
        "stepRelationMaxRatio",
        "Largest target, in steps, as a share of N.",
        low="0.1",
        high="2",
        step="0.1",
        tab="strategy",
        effect=Effect.START,
    )
    max_sets_per_symbol: int = _setting(
        5000,
        "maxSetsPerSymbol",
        "Hard cap of the grid.",
        low="100",
        high="50000",
        step="100",
        tab="strategy",
        effect=Effect.START,
    )
    taker_fee_pct: Decimal = _setting(
        Decimal("0.055"),
        "takerFeePercent",
        "Fee of paper fills, a side.",
        low="0",
        high="0.5",
        step="0.005",
        unit="%",
        tab="strategy",
    )
    slippage_pct: Decimal = _setting(
        Decimal("0.02"),
        "slippagePercent",
        "Slippage of paper fills, a side.",
        low="0",
        high="0.5",
        step="0.005",
        unit="%",
        tab="strategy",
    )
    failed_retry_h: int = _setting(
        24,
        "failedRetryHours",
        "Rest of a failed Set before it begins anew.",
        low="1",
        high="168",
        step="1",
        unit="h",
        tab="strategy",
    )
    database_size: int = _setting(
        250,
        "databaseSizeBase",
        "Results kept for each Set.",
        low="50",
        high="750",
        step="50",
        tab="system",
        effect=Effect.START,
    )
    base_min_avg_r: Decimal = _setting(
        Decimal("0.4"),
        "baseProfitFactor",
        "Average result a Base Set needs to stay.",
        low="0.1",
        high="2",
        step="0.1",
        unit="position costs",
        tab="strategy",
    )
    main_min_avg_r: Decimal = _setting(
        Decimal("0.5"),
        "mainProfitFactor",
        "Average result for Base to Main.",
        low="0.1",
        high="2",
        step="0.1",
        unit="position costs",
        tab="strategy",
    )
    real_min_avg_r: Decimal = _setting(
        Decimal("0.6"),
        "realProfitFactor",
        "Average result for Main to Real.",
        low="0.1",
        high="2",
        step="0.1",
        unit="position costs",
        tab="strategy",
    )
    exchange_min_avg_r: Decimal = _setting(
        Decimal("0.6"),
        "profitFactorMinMain",
        "Average result for Real to the exchange.",
        low="0.1",
        high="2",
        step="0.1",
        unit="position costs",
        tab="exchange",
    )
    exchange_min_profit_factor: Decimal = _setting(
        Decimal("1.1"),
        "minClassicPfExchange",
        "Gross wins over gross losses for the exchange.",
        low="1",
        high="5",
        step="0.1",
        tab="exchange",
    )
    previous_positions_count: int = _setting(
        5,
        "previousPositionsCount",
        "Results the Main rule averages.",
        low="1",
        high="25",
        step="1",
        tab="strategy",
    )
    last_state_count: int = _setting(
        3,
        "lastStateCount",
        "Last results of which most must have won.",
        low="1",
        high="10",
        step="1",
        tab="strategy",
    )
    max_drawdown_time_h: int = _setting(
        12,
        "maxDrawdownTimeHours",
        "Longest time below the peak of the results.",
        low="1",
        high="72",
        step="1",
        unit="h",
        tab="strategy",
    )
    real_ongoing_count: int = _setting(
        10,
        "realOngoingCount",
        "Open positions of one Set allowed.",
        low="1",
        high="50",
        step="1",
        tab="strategy",
    )
    max_mirrored_per_cycle: int = _setting(
        10,
        "maxMirroredPerCycle",
        "Wishes of one trade tick.",
        low="1",
        high="50",
        step="1",
        tab="exchange",
    )

    # risk on the exchange
    max_open_positions: int = _setting(
        100,
        "max_open_positions",
        "Exchange positions open at once.",
        low="1",
        high="500",
        step="1",
        tab="exchange",
    )
    max_symbol_exposure_pct: Decimal = _setting(
        Decimal(25),
        "maxSymbolExposurePercent",
        "Notional of one symbol and side, of the equity.",
        low="1",
        high="500",
        step="1",
        unit="%",
        tab="exchange",
    )
    stale_price_ms: int = _setting(
        3000,
        "stalePriceMs",
        "Older prices open and close nothing.",
        low="500",
        high="30000",
        step="100",
        unit="ms",
        tab="exchange",
    )
    stale_equity_ms: int = _setting(
        60000,
        "staleEquityMs",
        "An equity older than this opens nothing.",
        low="5000",
        high="600000",
        step="1000",
        unit="ms",
        tab="exchange",
    )
    wish_max_age_ms: int = _setting(
        3000,
        "wishMaxAgeMs",
        "Older wishes are refused.",
        low="500",
        high="30000",
        step="100",
        unit="ms",
        tab="exchange",
    )

    # orders
    send_window_ms: int = _setting(
        800,
        "sendWindowMs",
        "An order is sent this soon after its claim, or never.",
        low="100",
        high="5000",
        step="100",
        unit="ms",
        tab="system",
    )
    send_validity_ms: int = _setting(
        2000,
        "sendValidityMs",
        "The venue refuses requests that arrive later.",
        low="500",
        high="10000",
        step="100",
        unit="ms",
        tab="system",
    )
    visibility_ms: int = _setting(
        1000,
        "visibilityMs",
        "Time a venue needs to show an accepted order.",
        low="100",
        high="30000",
        step="100",
        unit="ms",
        tab="system",
    )
    clock_skew_ms: int = _setting(
        1000,
        "clockSkewMs",
        "Clock difference allowed for.",
        low="0",
        high="10000",
        step="100",
        unit="ms",
        tab="system",
    )
    not_found_evidence: int = _setting(
        3,
        "notFoundEvidence",
        "Spaced not-founds before an order counts as never arrived.",
        low="2",
        high="10",
        step="1",
        tab="system",
    )
    protection_grace_ms: int = _setting(
        1500,
        "protectionGraceMs",
        "Time the venue's stop or target has to act once touched.",
        low="0",
        high="10000",
        step="100",
        unit="ms",
        tab="system",
    )
    protection_deadline_ms: int = _setting(
        5000,
        "protectionDeadlineMs",
        "A fill without a live stop is closed after this.",
        low="1000",
        high="30000",
        step="500",
        unit="ms",
        tab="system",
    )
    reconcile_interval_s: int = _setting(
        30,
        "reconcileIntervalSeconds",
        "Time between two comparisons with the venue.",
        low="5",
        high="300",
        step="5",
        unit="s",
        tab="system",
    )

    # loops
    trade_interval_s: Decimal = _setting(
        Decimal("1.0"),
        "tradeIntervalSeconds",
        "Time between two trade ticks.",
        low="1",
        high="10",
        step="1",
        unit="s",
        tab="system",
    )
    position_interval_s: Decimal = _setting(
        Decimal("0.3"),
        "realPositionsIntervalSeconds",
        "Time between two position ticks.",
        low="0.1",
        high="5",
        step="0.1",
        unit="s",
        tab="system",
    )
    candle_lateness_ms: int = _setting(
        250,
        "candleLatenessMs",
        "A candle waits this long for late trades.",
        low="0",
        high="900",
        step="50",
        unit="ms",
        tab="system",
    )
    burst_s: int = _setting(
        50,
        "burstSeconds",
        "Ticks of one Lambda invocation.",
        low="5",
        high="60",
        step="5",
        unit="s",
        tab="system",
    )
    lease_ms: int = _setting(
        15000,
        "leaseMs",
        "Life of a lease without renewal.",
        low="5000",
        high="60000",
        step="1000",
        unit="ms",
        tab="system",
    )
    lease_margin_ms: int = _setting(
        2000,
        "leaseMarginMs",
        "A holder stops acting this long before its lease ends.",
        low="500",
        high="10000",
        step="100",
        unit="ms",
        tab="system",
    )
    snapshot_interval_s: int = _setting(
        60,
        "snapshotIntervalSeconds",
        "Time between two stored books, one symbol each.",
        low="10",
        high="3600",
        step="10",
        unit="s",
        tab="system",
    )
    prehistory_coverage_pct: Decimal = _setting(
        Decimal(98),
        "prehistoryCoverage",
        "Share of the history needed before it counts as loaded.",
        low="98",
        high="100",
        step="0.5",
        unit="%",
        tab="system",
        effect=Effect.START,
    )
    batch_size: int = _setting(
        10,
        "batch_size",
        "Symbols of one group.",
        low="1",
        high="100",
        step="1",
        tab="system",
        effect=Effect.START,
    )
    max_concurrent: int = _setting(
        5,
        "max_concurrent",
        "Calls to a venue at once.",
        low="1",
        high="20",
        step="1",
        tab="system",
        effect=Effect.START,
    )
    batch_delay_ms: int = _setting(
        100,
        "batch_delay_ms",
        "Pause between two batches of calls to a venue.",
        low="0",
        high="5000",
        step="50",
        unit="ms",
        tab="system",
    )

    @property
    def round_trip_cost_pct(self) -> Decimal:
        """Fees and slippage of entry and exit together, in percent of the price."""
        return 2 * (self.taker_fee_pct + self.slippage_pct)


def schema() -> dict[str, Setting]:
    """Every setting by its key."""
    return {about.key: about for about in (_about(f) for f in fields(Settings))}


def with_values(settings: Settings, values: Mapping[str, object]) -> Settings:
    """`settings` with the given keys changed, each checked against its type and range.

    Raises
    ------
    InvalidSettingError
        Naming key, value and allowed range; nothing is changed then.
    """
    by_key = {_about(f).key: f for f in fields(Settings)}
    changed: dict[str, Any] = {
        f.name: getattr(settings, f.name) for f in fields(Settings)
    }
    for key, value in values.items():
        if key not in by_key:
            raise InvalidSettingError(f"setting {key!r} is unknown")
        f = by_key[key]
        changed[f.name] = _checked(_about(f), value, _default(f))
    made = Settings(**changed)
    if len(made.trail_starts_pct) != len(made.trail_stops_pct):
        raise InvalidSettingError(
            "trailingStartValues and trailingStopValues must be equally long, were "
            f"{len(made.trail_starts_pct)} and {len(made.trail_stops_pct)}"
        )
    return made


def overrides(settings: Settings) -> dict[str, object]:
    """The keys that differ from the defaults, as JSON values: `with_values` undoes it."""
    return {
        _about(f).key: to_json(getattr(settings, f.name))
        for f in fields(Settings)
        if getattr(settings, f.name) != f.default
    }


def to_json(value: Value) -> object:
    """A setting's value as JSON carries it; decimals become strings."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    return value


def _default(f: "Field[Any]") -> Value:
    value: Value = f.default
    return value


def _about(f: "Field[Any]") -> Setting:
    about = f.metadata["setting"]
    assert isinstance(about, Setting)
    return about


def _checked(about: Setting, value: object, default: Value) -> Value:
    if isinstance(default, tuple):
        if not isinstance(value, (list, tuple)) or not value:
            raise InvalidSettingError(
                f"setting {about.key} must be a list, was {value!r}"
            )
        return tuple(_one(about, part, default[0]) for part in value)  # type: ignore[return-value]
    return _one(about, value, default)


def _one(about: Setting, value: object, like: bool | int | Decimal | str) -> Value:
    if isinstance(like, bool):
        if not isinstance(value, bool):
            raise InvalidSettingError(
                f"setting {about.key} must be true or false, was {value!r}"
            )
        return value
    if isinstance(like, str):
        if not isinstance(value, str) or (about.choices and value not in about.choices):
            allowed = (
                f" one of {', '.join(about.choices)}" if about.choices else " text"
            )
            raise InvalidSettingError(
                f"setting {about.key} must be{allowed}, was {value!r}"
            )
        return value
    number = _number(about, value)
    if isinstance(like, int):
        if number != int(number):
            raise InvalidSettingError(
                f"setting {about.key} must be whole, was {value!r}"
            )
        return int(number)
    return number


def _number(about: Setting, value: object) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise InvalidSettingError(
            f"setting {about.key} must be a number, was {value!r}"
        )
    low, high = about.minimum, about.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise InvalidSettingError(
            f"setting {about.key} must be between {low} and {high} {about.unit}".rstrip()
            + f", was {value!r}"
        )
    return number
