"""Which trade mode a key is for: what differs between the modes has a key for each."""

from collections.abc import Mapping

from engine.setting import Setting
from engine.values import TradeMode

TWINS: Mapping[str, str] = {
    "baseVolumeFactorLive": "baseVolumeFactorPreset",
    "profitFactorMinMain": "profitFactorMinPreset",
    "drawdownTimeMain": "drawdownTimePreset",
    "baseProfitFactor": "baseProfitFactorPreset",
    "mainProfitFactor": "mainProfitFactorPreset",
    "realProfitFactor": "realProfitFactorPreset",
    "mainPositionTimeoutHours": "presetPositionTimeoutHours",
}
"""The key of main mode, and the one that means the same in preset mode."""


def mode_of(about: Setting) -> TradeMode | None:
    """The only mode that reads the key, None for a key of both."""
    if about.key in TWINS:
        return TradeMode.MAIN
    if about.tab == "preset" or "preset" in about.key.lower():
        return TradeMode.PRESET
    return None
