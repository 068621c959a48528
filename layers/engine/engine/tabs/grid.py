"""Which Sets are tried: profile and mode of the grid, and the spaces it takes them from."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

START = Tab("strategy", Effect.START)


@dataclass(frozen=True, kw_only=True)
class GridSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    grid_profile: str = START.choice(
        "compact",
        "gridProfile",
        "compact | full | preset",
        "A few values of everything, the whole spaces, or what the five presets try.",
    )
    trade_mode: str = START.choice(
        "both", "tradeMode", "main | preset | both", "Which of the two engines run."
    )
    trailing_only: bool = START.switch(
        False, "trailingOnly", "Try trailing alone, without a target."
    )
    dca_enabled: bool = START.switch(False, "dcaEnabled", "Try every exit with a ladder too.")
    dca_only: bool = START.switch(False, "dcaOnly", "Try ladders alone.")
    profit_back_enabled: bool = START.switch(
        False, "profitBackEnabled", "Try every exit with profit-back too."
    )
    full_ranges: tuple[int, ...] = START.wholes(
        " ".join(map(str, range(3, 31))),
        "fullRanges",
        "3 .. 30 steps",
        "Ranges of Direction, Move and Optimal in the full profile.",
    )
    full_drawdowns_pct: tuple[int, ...] = START.wholes(
        "10 20 30 40 50", "fullDrawdowns", "10 .. 50 %", "Their drawdown filters."
    )
    full_market_changes: tuple[int, ...] = START.wholes(
        "1 3 5 7 9", "fullMarketChanges", "1 .. 10", "Their market-change filters."
    )
    full_last_parts_pct: tuple[int, ...] = START.wholes(
        "100 150 200 250", "fullLastParts", "100 .. 250 %", "Their last-part filters."
    )
    activity_ranges: tuple[int, ...] = START.wholes(
        "1 2 3 4 5 6 7 8 9 10", "activityRanges", "1 .. 10", "Ranges of Active by activity."
    )
    activity_shares_pct: tuple[int, ...] = START.wholes(
        "10 20 30 40 50 60 70 80 90", "activityShares", "10 .. 90 %", "Its active samples."
    )
    activity_last_shares_pct: tuple[int, ...] = START.wholes(
        "10 20 30 40 50 60 70 80 90", "activityLastShares", "10 .. 90 %", "Those of its last part."
    )
    activity_market_changes: tuple[int, ...] = START.wholes(
        "1 2 3 4 5 6 7 8 9 10", "activityMarketChanges", "1 .. 10", "Its market-change filters."
    )
    advanced_ratios_pct: tuple[Decimal, ...] = START.decimals(
        "0.5 1.0 1.5 2.0 2.5 3.0", "advancedRatios", "0.1 .. 10 %", "Of Active-Advanced and Auto."
    )
    advanced_windows_min: tuple[int, ...] = START.wholes(
        "1 3 5 10 15 20 30 40", "advancedWindows", "1 .. 60 min", "Windows of Active-Advanced."
    )
    auto_windows_min: tuple[int, ...] = START.wholes(
        "1 3 5 10 15 20", "autoWindows", "1 .. 60 min", "Windows of Auto."
    )
    advanced_max_stop: Decimal = START.decimal(
        "1.5", "advancedMaxStopLoss", "0.1 .. 3 by 0.1", "Widest stop of both, of the target."
    )
    full_take_profits: tuple[Decimal, ...] = START.decimals(
        "2 4 6 8 10 12 14 16 18 20 22", "fullTakeProfits", "1 .. 30 position costs", "Targets."
    )
    full_stop_losses: tuple[Decimal, ...] = START.decimals(
        " ".join(f"{tenths / 10}" for tenths in range(2, 23)),
        "fullStopLosses",
        "0.1 .. 3",
        "Stops of the full profile, of the target.",
    )
    preset_take_profits: tuple[Decimal, ...] = START.decimals(
        "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30",
        "presetTakeProfits",
        "1 .. 30 position costs",
        "Targets of common indicators.",
    )
    preset_stop_losses: tuple[Decimal, ...] = START.decimals(
        "0.3 0.6 0.9 1.2 1.5 1.8 2.1 2.4 2.7 3.0",
        "presetStopLosses",
        "0.1 .. 3",
        "Their stops, of the target.",
    )
    preset_trail_starts_pct: tuple[Decimal, ...] = START.decimals(
        "0.5 1.0 1.5", "presetTrailStarts", "0.05 .. 10 %", "Moves that arm their trailing."
    )
    preset_trail_stops_pct: tuple[Decimal, ...] = START.decimals(
        "0.2 0.4 0.6", "presetTrailStops", "0.02 .. 5 %", "Its retraces; each with every start."
    )
