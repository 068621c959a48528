"""A profile changes settings inside their ranges, never fees."""

import pytest

from engine.settings import Settings, schema, with_values
from local.profiles import PROFILES, profile_values


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_keeps_to_the_ranges_and_leaves_fees_alone(name: str) -> None:
    changed = with_values(Settings(), profile_values(name, symbols=8))

    assert set(profile_values(name, symbols=8)) <= set(schema())
    assert changed.taker_fee_pct == Settings().taker_fee_pct
    assert changed.slippage_pct == Settings().slippage_pct


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of default, demo, was 'dmeo'"):
        profile_values("dmeo", symbols=8)
