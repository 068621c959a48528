"""What counts as a signal."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

START = Tab("indication", Effect.START)
BURST = Tab("indication", Effect.BURST)


@dataclass(frozen=True, kw_only=True)
class IndicationSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    step_size_factor: Decimal = START.decimal(
        "1", "stepSizeFactor", "0.1 .. 5 by 0.05", "Size of a cost step in position costs."
    )
    direction_enabled: bool = BURST.switch(
        True, "directionEnabled", "Reversals after a straight run."
    )
    move_enabled: bool = BURST.switch(True, "moveEnabled", "Continuations of a straight run.")
    active_enabled: bool = BURST.switch(
        True, "activeEnabled", "Moves past a threshold in a window."
    )
    grid_ranges: tuple[int, ...] = START.wholes(
        "3 5 8 12 15 20 25 30", "gridRanges", "3 .. 30 steps", "Ranges N of Direction and Move."
    )
    direction_confirm_ratio: Decimal = BURST.decimal(
        "0.2", "directionConfirmRatio", "0.05 .. 1 by 0.05", "Opposite steps, of N, that confirm."
    )
    move_seconds_per_range: int = BURST.whole(
        20, "moveSecondsPerStep", "1 .. 600 by 1 s", "A run of N steps may last N times this long."
    )
    active_thresholds_pct: tuple[Decimal, ...] = START.decimals(
        "0.5 1.0 1.5 2.0 2.5", "activeThresholds", "0.1 .. 10 %", "Changes that count as active."
    )
    active_window_s: int = START.whole(
        60, "activeWindowSeconds", "1 .. 600 by 1 s", "Window of Active."
    )
    drawdown_ratio: Decimal = BURST.decimal(
        "0.3", "drawdownRatio", "0.1 .. 0.5 by 0.1", "Give-back allowed from a leg's best price."
    )
    market_change_range: int = BURST.whole(
        3, "marketChangeRange", "1 .. 10 by 1", "Index of the average change a leg needs, 1 to 10."
    )
    market_change_norm_s: int = BURST.whole(
        10, "marketChangeNormSeconds", "1 .. 60 by 1 s", "Span the average change is given for."
    )
    last_part_ratio: Decimal = BURST.decimal(
        "1.5", "lastPartRatioFactor", "1.0 .. 2.5 by 0.5", "How much faster the last part must be."
    )
    last_part_share: Decimal = BURST.decimal(
        "0.2", "lastPartRatio", "0.1 .. 0.5 by 0.05", "Share of the leg that is its last part."
    )
    min_calculation_s: int = BURST.whole(
        3, "minCalculationTime", "1 .. 60 by 1 s", "Shortest leg the filters accept."
    )
