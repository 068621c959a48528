"""How an open position is worked on: the ladder (DCA), profit-back, the time limit."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from engine.errors import InvalidSettingError
from engine.setting import Effect, Tab

START = Tab("strategy", Effect.START)
TICK = Tab("strategy", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class AdjustSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    dca_distances_pct: tuple[Decimal, ...] = START.decimals(
        "0.5 1.0 1.5 2.0", "dcaDistances", "0.1 .. 20 %", "Adverse moves from the first entry."
    )
    dca_volumes: tuple[Decimal, ...] = START.decimals(
        "1.5 2.0 2.3 2.5", "dcaVolumes", "0.1 .. 2.5", "What each adds, of the first quantity."
    )
    dca_max_total_ratio: Decimal = START.decimal(
        "5", "dcaMaxTotalRatio", "1 .. 20 by 0.5", "Largest total; later steps are left out."
    )
    dca_step_cooldown_s: int = START.whole(
        30, "dcaStepCooldownSeconds", "1 .. 3600 by 1 s", "Shortest time between two steps."
    )
    dca_stop_margin_pct: Decimal = START.decimal(
        "0.2", "dcaStopMarginPercent", "0.1 .. 5 by 0.1 %", "The stop, beyond the last step."
    )
    dca_take_profit_mode: str = START.choice(
        "average",
        "dcaTakeProfitMode",
        "average | first_entry | breakeven_plus",
        "What the target is measured from after a step.",
    )
    breakeven_plus_pct: Decimal = START.decimal(
        "0.1", "breakevenPlusPct", "0 .. 2 by 0.05 %", "Target beyond the break-even, of that mode."
    )
    profit_back_share_pct: int = START.whole(
        50, "profitBackShare", "10 .. 90 by 10 %", "What is closed when a loss is made good."
    )
    profit_back_trail_pct: Decimal = START.decimal(
        "0.2", "profitBackTrailPct", "0.05 .. 2 by 0.05 %", "Retrace that then closes the rest."
    )
    profit_back_aggressive: bool = START.switch(
        True, "profitBackAggressive", "Then halve the distance of the target too."
    )
    profit_back_on_exchange: bool = TICK.switch(
        False, "profitBackExchangeEnabled", "Do so with exchange positions as well."
    )
    main_timeout_h: int = START.whole(
        0, "mainPositionTimeoutHours", "0 .. 168 by 1 h", "Longest life in main mode, 0: any."
    )
    preset_timeout_h: int = START.whole(
        2, "presetPositionTimeoutHours", "0 .. 168 by 1 h", "Longest life in preset mode, 0: any."
    )


def check_ladder(settings: AdjustSettings) -> None:
    """Each step is further than the one before, and has a volume.

    Raises
    ------
    InvalidSettingError
        Naming the keys and what they hold.
    """
    distances, volumes = settings.dca_distances_pct, settings.dca_volumes
    if len(distances) != len(volumes):
        raise InvalidSettingError(
            "dcaDistances and dcaVolumes must be equally long, were "
            f"{len(distances)} and {len(volumes)}"
        )
    if any(near >= far for near, far in pairwise(distances)):
        told = " ".join(map(str, distances))
        raise InvalidSettingError(f"dcaDistances must rise from step to step, was {told}")
