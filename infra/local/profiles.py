"""Named sets of changed settings; nothing else changes with a profile."""

import os
from collections.abc import Mapping

from engine.settings import Settings, overrides, schema, with_values
from local.places import Places
from local.stack import STACK, credentials

DEFAULT = "default"
AUTHOR = "profile "
PROFILES: Mapping[str, Mapping[str, object]] = {
    DEFAULT: {},
    # More to see in minutes: finer steps, a grid of larger exits, gates at the low end of their
    # ranges, signals in a quiet market, too. Fees stay.
    "demo": {
        "marketActivityEnabled": False,
        "prehistoricDataDays": 2,
        "stepSizeFactor": "0.1",
        "gridTakeProfits": ["4", "6", "9", "12"],
        "stepRelationMinRatio": "0.1",
        "stepRelationMaxRatio": "2",
        "tpRangeDivisor": 30,
        "marketChangeRange": 1,
        "drawdownRatio": "0.5",
        "lastPartRatioFactor": "1.0",
        "validationTimeout": 1,
        "positionCooldown": 0,
        "baseProfitFactor": "0.1",
        "mainProfitFactor": "0.1",
        "realProfitFactor": "0.1",
        "profitFactorMinMain": "0.1",
        "minClassicPfExchange": "1.0",
        "maxDrawdownTimeHours": 72,
        "burstSeconds": 20,
    },
}


def profile_values(name: str, *, symbols: int) -> dict[str, object]:
    """The changed settings of a profile on a market of that many symbols.

    Raises
    ------
    ValueError
        Naming the known profiles.
    """
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, was {name!r}")
    chosen = with_values(
        Settings(), {**PROFILES[name], "numberOfSymbolsToSelect": min(symbols, 50)}
    )
    return overrides(chosen)


def apply_profile(places: Places, name: str, *, symbols: int, now_ms: int) -> list[str]:
    """Store the profile as the system's settings and tell each one that it changes."""
    os.environ.update(credentials(places) | {"CTS_TABLE_PREFIX": STACK})
    values = profile_values(name, symbols=symbols)
    store_profile(name, values, now_ms=now_ms)
    units = {key: about.unit for key, about in schema().items()}
    return [
        f"profile {name}: {key} = {value} {units[key]}".rstrip() for key, value in values.items()
    ]


def store_profile(name: str, values: Mapping[str, object], *, now_ms: int) -> None:
    """Add a version for a profile: in place of another profile, but over what an operator chose."""
    from adapters.stored_settings import SYSTEM, newest_layer, save_settings  # names at import

    known = newest_layer(SYSTEM)
    chosen = {} if known.author.startswith(AUTHOR) else known.values
    wanted = {**chosen, **values}
    if wanted != known.values:
        save_settings(SYSTEM, wanted, author=f"{AUTHOR}{name}", now_ms=now_ms)
