"""Which configurations of common indicators may be traded on which symbols."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

TICK = Tab("preset", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class CoordinationSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    preset_evaluation_h: int = TICK.whole(
        3, "presetEvaluationHours", "1 .. 168 by 1 h", "Time between evaluations of presets."
    )
    preset_auto_evaluate: bool = TICK.switch(
        True, "presetAutoEvaluate", "Rest symbols and presets whose newest results are poor."
    )
    preset_min_trades: int = TICK.whole(
        10, "presetMinTrades", "1 .. 50 by 1", "Results a preset needs on a symbol."
    )
    preset_min_trades_48h: int = TICK.whole(
        5, "presetTradesPer48h", "1 .. 20 by 1", "Results within two days it needs there."
    )
    preset_min_profit: Decimal = TICK.decimal(
        "0.5", "presetMinProfitFactor", "0.5 .. 5 by 0.1 position costs", "Average it needs there."
    )
    preset_max_drawdown_h: int = TICK.whole(
        12, "presetDrawdownHours", "4 .. 20 by 1 h", "Longest time below the peak of its results."
    )
    preset_first_count: int = TICK.whole(
        25, "presetFirstCount", "10 .. 50 by 1", "Results of the shorter average it is ranked by."
    )
    preset_second_count: int = TICK.whole(
        50, "presetSecondCount", "50 .. 100 by 5", "Results of the longer one."
    )
    preset_failed_share_pct: int = TICK.whole(
        50, "presetFailedShare", "10 .. 100 by 5 %", "Failed symbols past which it rests on all."
    )
    preset_wishes_per_symbol: int = TICK.whole(
        1, "presetWishesPerSymbol", "1 .. 50 by 1", "Wishes of presets for a symbol at once."
    )
