"""How much larger a Set's next position is: Block, and Level for Auto Sets."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

TICK = Tab("strategy", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class BlockSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    block_enabled: bool = TICK.switch(
        True, "blockEnabled", "Larger positions after a losing block of results."
    )
    block_only: bool = TICK.switch(
        False, "blockOnly", "Mirror only openings that Block made larger."
    )
    block_sizes: tuple[int, ...] = TICK.wholes(
        "2 4 6 8", "blockSizes", "2 .. 10 results", "Sizes of blocks, each on its own."
    )
    block_adjustment_ratio: Decimal = TICK.decimal(
        "1", "blockAdjustmentRatio", "0.5 .. 2 by 0.1", "What each size adds to the ratio."
    )
    block_max_ratio: Decimal = TICK.decimal(
        "3", "blockMaxRatio", "1 .. 5 by 0.5", "Largest ratio of all sizes together."
    )
    block_auto_disable: bool = TICK.switch(
        True, "blockAutoDisable", "Leave a size out while larger positions did worse."
    )
    block_comparison_window: int = TICK.whole(
        50, "blockComparisonWindow", "10 .. 100 by 5", "Results compared for that."
    )
    block_deactivate_window: int = TICK.whole(
        25,
        "block_auto_deactivate_threshold",
        "10 .. 100 by 5",
        "The same of Optimal and Auto Sets.",
    )
    block_reactivate_after: int = TICK.whole(
        40, "block_reactivate_threshold", "10 .. 100 by 5", "Results a size then rests."
    )
    block_neutral_positions: int = TICK.whole(
        0, "blockNeutralPositions", "0 .. 3 by 1", "Plain positions between a loss and larger ones."
    )
    auto_block_neutral_positions: int = TICK.whole(
        3, "autoBlockNeutralPositions", "0 .. 3 by 1", "The same of Auto Sets."
    )
    level_enabled: bool = TICK.switch(
        False, "levelEnabled", "Larger positions of Auto Sets with every loss in a row."
    )
    level_increment_type: str = TICK.choice(
        "linear",
        "levelIncrementType",
        "linear | exponential | fibonacci | optimal",
        "How they grow; optimal is what a win must be to earn the losses back.",
    )
    level_max_levels: int = TICK.whole(
        5, "levelMaxLevels", "2 .. 10 by 1", "Losses in a row that count."
    )
    level_increment_ratio: Decimal = TICK.decimal(
        "1.5", "levelIncrementRatio", "1.1 .. 3 by 0.1", "Ratio after the first loss."
    )
