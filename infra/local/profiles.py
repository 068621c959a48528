"""Profiles: named sets of settings for a purpose; each value lies inside its setting's range."""

import os
from collections.abc import Mapping

from local.places import Places
from local.stack import STACK, credentials

# The lead's choice of values; fees are never among them.
PROFILES: Mapping[str, Mapping[str, object]] = {"demo": {}}


def apply_profile(places: Places, name: str, *, now_ms: int) -> list[str]:
    """Store the profile as the system's settings and tell each one that it changes."""
    os.environ.update(credentials(places) | {"CTS_TABLE_PREFIX": STACK})
    from adapters.stored_settings import SYSTEM, save_settings  # reads its environment at import

    values = PROFILES[name]
    save_settings(SYSTEM, values, author=f"profile {name}", now_ms=now_ms)
    return [f"profile {name}: {key} = {value}" for key, value in values.items()]
