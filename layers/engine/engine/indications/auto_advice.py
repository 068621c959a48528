"""What Auto suggests to a Set that takes one of its signals: a trailing range, and strategies."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.settings import Settings

_MILLION = Decimal(1_000_000)
_MOST_VOLATILE = Decimal(2)  # percent; more does not widen the range
_LEAST_CALM = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Strategies that suit a signal, and the values that was decided on, in percent.

    `trail_start_pct` and `trail_stop_pct` are 0 without a range; `trailing` says whether there
    is one.
    """

    trail_start_pct: Decimal
    trail_stop_pct: Decimal
    trailing: bool
    block: bool
    level: bool
    ladder: bool
    volatility_pct: Decimal
    momentum_pct: Decimal
    activity_pct: Decimal
    day_volatility_pct: Decimal
    success_ratio: Decimal
    mean_result: Decimal


def trailing_range(
    volatility_pct: Decimal, momentum_pct: Decimal, settings: Settings
) -> tuple[Decimal, Decimal]:
    """Start and stop in percent of the price: wider when it is volatile, nearer with momentum.

    start = `autoTrailStart` * v * m, stop = `autoTrailStop` * v * m, with v = the volatility, at
    most 2, and m = 1 - |momentum| / 2, at least 0.5.
    """
    scale = min(volatility_pct, _MOST_VOLATILE) * max(_LEAST_CALM, 1 - abs(momentum_pct) / 2)
    return settings.auto_trail_start * scale, settings.auto_trail_stop * scale


def advise(
    signal: Any, *, success_ratio: Decimal, mean_result: Decimal, settings: Settings
) -> Advice:
    """What suits a `SIGNAL` of Auto, for a Set with this share of wins and this mean result.

    Trailing where there is a range; Block for Sets that win often; Level in an active market;
    the ladder (DCA) in a volatile one, for Sets that earn.
    """

    def percent(name: str) -> Decimal:
        return int(signal[name]) / _MILLION

    volatility, day_volatility = percent("volatility"), percent("day_volatility")
    start, stop = trailing_range(volatility, percent("momentum"), settings)
    earns = mean_result >= settings.auto_min_profit_factor
    return Advice(
        trail_start_pct=start,
        trail_stop_pct=stop,
        trailing=stop > 0,
        block=success_ratio >= settings.auto_min_success,
        level=percent("activity") > settings.auto_level_activity_pct,
        ladder=day_volatility > settings.auto_ladder_volatility_pct and earns,
        volatility_pct=volatility,
        momentum_pct=percent("momentum"),
        activity_pct=percent("activity"),
        day_volatility_pct=day_volatility,
        success_ratio=success_ratio,
        mean_result=mean_result,
    )
