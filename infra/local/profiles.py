"""Named sets of changed settings; nothing else changes with a profile."""

from collections.abc import Mapping

PROFILES: Mapping[str, Mapping[str, object]] = {
    "default": {},
    # More to see in minutes: smaller steps, gates at the low end of their ranges. Fees stay.
    "demo": {
        "prehistoricDataDays": 2,
        "stepSizeFactor": "0.2",
        "marketChangeRange": 1,
        "drawdownRatio": "0.5",
        "lastPartRatioFactor": "1.0",
        "validationTimeout": 5,
        "positionCooldown": 5,
        "baseProfitFactor": "0.1",
        "mainProfitFactor": "0.1",
        "realProfitFactor": "0.1",
        "profitFactorMinMain": "0.1",
        "minClassicPfExchange": "1.0",
        "maxDrawdownTimeHours": 72,
        "burstSeconds": 20,
    },
}


def profile_values(name: str) -> Mapping[str, object]:
    """The changed settings of a profile.

    Raises
    ------
    ValueError
        Naming the known ones.
    """
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, was {name!r}")
    return PROFILES[name]
