"""Pace and patience of the loops, the orders and the loading."""

from dataclasses import dataclass
from decimal import Decimal

from engine.errors import InvalidSettingError
from engine.setting import Effect, Tab

START = Tab("system", Effect.START)
NOW = Tab("system", Effect.NOW)
BURST = Tab("system", Effect.BURST)
TICK = Tab("system", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class SystemSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    database_size: int = START.whole(
        250, "databaseSizeBase", "50 .. 750 by 50", "Results kept for each Set."
    )
    database_threshold_pct: int = START.whole(
        20, "databaseThresholdPercent", "10 .. 50 by 5 %", "Surplus at which old results go."
    )
    max_results: int = TICK.whole(
        20_000_000,
        "maxResultsPerConnection",
        "100000 .. 100000000 by 100000",
        "Results that the Sets of a connection should keep at most.",
    )
    database_size_alert_pct: int = TICK.whole(
        80, "databaseSizeAlertPercent", "50 .. 100 by 5 %", "More of them raise an alert."
    )
    archive_days: int = TICK.whole(
        90, "maxPositionAgeDays", "7 .. 365 by 1 d", "Life of results in the archive."
    )
    closed_position_days: int = NOW.whole(
        90, "closedPositionDays", "30 .. 365 by 1 d", "Closed positions go to the archive then."
    )
    market_data_days: int = BURST.whole(
        7, "market_data_retention_days", "1 .. 90 by 1 d", "Life of the 1 s candles."
    )
    history_days: int = BURST.whole(
        30, "maxMarketDataDays", "15 .. 90 by 1 d", "Life of each symbol's candles of minutes."
    )
    tick_days: int = BURST.whole(
        2, "tickRetentionDays", "1 .. 30 by 1 d", "Life of the journal of ticks."
    )
    log_days: int = NOW.whole(
        30, "logRetentionDays", "1 .. 365 by 1 d", "Life of log entries; asked every ten minutes."
    )
    send_window_ms: int = TICK.whole(
        800, "sendWindowMs", "100 .. 5000 by 100 ms", "An order leaves this soon after its claim."
    )
    send_validity_ms: int = TICK.whole(
        2000, "sendValidityMs", "500 .. 10000 by 100 ms", "The venue refuses what arrives later."
    )
    visibility_ms: int = TICK.whole(
        1000, "visibilityMs", "100 .. 30000 by 100 ms", "A venue shows accepted orders by then."
    )
    clock_skew_ms: int = TICK.whole(
        1000, "clockSkewMs", "0 .. 10000 by 100 ms", "Clock difference allowed for."
    )
    not_found_evidence: int = TICK.whole(
        3, "notFoundEvidence", "2 .. 10 by 1", "Spaced not-founds that prove it never arrived."
    )
    protection_grace_ms: int = TICK.whole(
        1500, "protectionGraceMs", "0 .. 10000 by 100 ms", "A touched exit may act this long."
    )
    protection_deadline_ms: int = TICK.whole(
        5000, "protectionDeadlineMs", "1000 .. 30000 by 500 ms", "An unprotected fill is closed."
    )
    reconcile_interval_s: int = TICK.whole(
        30, "reconcileIntervalSeconds", "5 .. 300 by 5 s", "Time between checks with the venue."
    )
    trade_interval_s: Decimal = BURST.decimal(
        "1.0", "tradeIntervalSeconds", "1 .. 10 by 1 s", "Time between trade ticks."
    )
    position_interval_s: Decimal = BURST.decimal(
        "0.3", "realPositionsIntervalSeconds", "0.1 .. 5 by 0.1 s", "Time between position ticks."
    )
    candle_lateness_ms: int = BURST.whole(
        250, "candleLatenessMs", "0 .. 900 by 50 ms", "A candle waits this long for late trades."
    )
    burst_s: int = BURST.whole(
        50, "burstSeconds", "5 .. 60 by 5 s", "Ticks of one Lambda invocation."
    )
    lease_ms: int = BURST.whole(
        15000, "leaseMs", "5000 .. 60000 by 1000 ms", "Life of a lease without renewal."
    )
    lease_margin_ms: int = BURST.whole(
        2000, "leaseMarginMs", "500 .. 10000 by 100 ms", "A holder stops this long before the end."
    )
    snapshot_interval_s: int = TICK.whole(
        60, "snapshotIntervalSeconds", "10 .. 3600 by 10 s", "Time between stored books."
    )
    indications_cycle_s: int = TICK.whole(
        5, "indicationsCycleSeconds", "1 .. 60 by 1 s", "Twice this long a tick is degraded health."
    )
    strategies_cycle_s: int = TICK.whole(
        5, "strategiesCycleSeconds", "1 .. 60 by 1 s", "The same of strategies."
    )
    realtime_cycle_s: int = TICK.whole(
        3, "realtimeCycleSeconds", "1 .. 60 by 1 s", "The same of the position loop."
    )
    database_query_ms: int = TICK.whole(
        1000,
        "databaseQueryMs",
        "100 .. 10000 by 100 ms",
        "A slower store is warned of.",
    )
    memory_warning_pct: int = TICK.whole(
        80, "memoryWarningPercent", "50 .. 100 by 5 %", "More of a worker's memory is warned of."
    )
    prehistory_coverage_pct: Decimal = START.decimal(
        "98", "prehistoryCoverage", "98 .. 100 by 0.5 %", "History that counts as loaded."
    )
    batch_size: int = BURST.whole(10, "batch_size", "1 .. 100 by 1", "Symbols of one group.")
    max_concurrent: int = BURST.whole(
        5, "max_concurrent", "1 .. 20 by 1", "Calls to a venue at once."
    )
    batch_delay_ms: int = BURST.whole(
        100, "batch_delay_ms", "0 .. 5000 by 50 ms", "Pause between batches of calls to a venue."
    )


def check_lease(settings: SystemSettings) -> None:
    """Renewed at a third of its life, a lease must still leave its holder time to act.

    Raises
    ------
    InvalidSettingError
        Naming both keys and what they hold.
    """
    if 3 * settings.lease_margin_ms > 2 * settings.lease_ms:
        raise InvalidSettingError(
            f"leaseMarginMs must be at most two thirds of leaseMs ({settings.lease_ms} ms), "
            f"was {settings.lease_margin_ms}"
        )
