"""The five predefined presets: what each tries and asks, as settings."""

from dataclasses import dataclass

from engine.errors import InvalidSettingError
from engine.setting import Setting
from engine.settings import Settings, schema, with_values

_TYPES = (
    *("direction", "move", "active", "activity"),
    *("optimal", "activeAdvanced", "auto"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A predefined preset; lists are written with spaces between.

    Attributes
    ----------
    types : indications it uses.
    ranges : of those that have a range, in steps.
    take_profits, stop_losses : in position costs, and as shares of the target.
    trail_starts, trail_stops : percent of the price, in pairs.
    block_sizes, block_ratio : sizes of Block, none without it, and what each adds.
    has_ladder : whether ladders are tried too.
    volume_factor : scales every order.
    min_profit_factor : average result to be traded, position costs.
    max_drawdown_pct : fall from the peak of a Set's results allowed, of its gains.
    days : of history learned from; the engine's own limit counts if it is shorter.
    """

    types: str
    ranges: str
    take_profits: str
    stop_losses: str
    trail_starts: str
    trail_stops: str
    block_sizes: str = ""
    block_ratio: str = "1"
    has_ladder: bool = False
    volume_factor: str
    min_profit_factor: str
    max_drawdown_pct: int
    days: int


PRESETS = {
    "conservative": Preset(
        types="direction move",
        ranges="5 8 12 15",
        take_profits="2 3 4",
        stop_losses="0.4 0.6 0.8",
        trail_starts="0.6 1.0",
        trail_stops="0.2 0.3",
        volume_factor="1",
        min_profit_factor="0.6",
        max_drawdown_pct=30,
        days=14,
    ),
    "balanced": Preset(
        types="direction move active",
        ranges="3 5 8 12 15 20",
        take_profits="2 3 4 6",
        stop_losses="0.4 0.6 0.8 1.0",
        trail_starts="0.3 0.6 1.0",
        trail_stops="0.1 0.2 0.3",
        block_sizes="2 4 6",
        block_ratio="0.5",
        volume_factor="1",
        min_profit_factor="0.5",
        max_drawdown_pct=40,
        days=21,
    ),
    "aggressive": Preset(
        types=" ".join(_TYPES),
        ranges="3 5 8 12 15 20 25 30",
        take_profits="3 4 6 8 12",
        stop_losses="0.6 0.8 1.0 1.2 1.5",
        trail_starts="0.3 0.6 1.0",
        trail_stops="0.1 0.2 0.3",
        block_sizes="2 4 6 8",
        block_ratio="1",
        has_ladder=True,
        volume_factor="2",
        min_profit_factor="0.4",
        max_drawdown_pct=50,
        days=30,
    ),
    "scalping": Preset(
        types="direction move",
        ranges="3 5 8",
        take_profits="2 3",
        stop_losses="0.2 0.4 0.6",
        trail_starts="0.3 0.6",
        trail_stops="0.1 0.2",
        volume_factor="1",
        min_profit_factor="0.5",
        max_drawdown_pct=25,
        days=7,
    ),
    "swing": Preset(
        types="direction active",
        ranges="8 12 15 20 25",
        take_profits="4 6 8 12",
        stop_losses="0.8 1.0 1.2 1.5",
        trail_starts="0.6 1.0",
        trail_stops="0.2 0.3",
        block_sizes="4 6 8",
        block_ratio="1",
        has_ladder=True,
        volume_factor="2",
        min_profit_factor="0.5",
        max_drawdown_pct=45,
        days=30,
    ),
}
"""By name. Volume factor and Block's ratio are the least of the span each is described with."""


def with_preset(settings: Settings, name: str) -> Settings:
    """`settings` with what a preset names; whatever it does not name stays as it is.

    Numbers outside a setting's range are taken to its nearest bound: the days of history.

    Raises
    ------
    InvalidSettingError
        If there is no such preset.
    """
    if name not in PRESETS:
        raise InvalidSettingError(f"preset must be one of {', '.join(PRESETS)}, was {name!r}")
    preset, known = PRESETS[name], schema()
    values: dict[str, object] = {
        **{f"{each}Enabled": each in preset.types.split() for each in _TYPES},
        "tradeMode": "main",
        "gridProfile": "compact",
        "gridRanges": preset.ranges.split(),
        "gridTakeProfits": preset.take_profits.split(),
        "gridStopLosses": preset.stop_losses.split(),
        "trailingEnabled": True,
        "trailingStartValues": preset.trail_starts.split(),
        "trailingStopValues": preset.trail_stops.split(),
        "dcaEnabled": preset.has_ladder,
        "dcaOnly": False,
        "blockEnabled": bool(preset.block_sizes),
        "base_volume_factor": preset.volume_factor,
        "profitFactorMinMain": preset.min_profit_factor,
        "profitFactorMinPreset": preset.min_profit_factor,
        "pauseDrawdownPercent": preset.max_drawdown_pct,
        "prehistoricDataDays": _inside(known["prehistoricDataDays"], preset.days),
    }
    if preset.block_sizes:
        values["blockSizes"] = preset.block_sizes.split()
        values["blockAdjustmentRatio"] = preset.block_ratio
    return with_values(settings, values)


def _inside(about: Setting, number: int) -> int:
    assert about.minimum is not None and about.maximum is not None
    return min(max(number, int(about.minimum)), int(about.maximum))
