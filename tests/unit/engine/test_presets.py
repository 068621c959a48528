"""The five predefined presets: each is a valid set of settings with a grid of its own."""

import pytest

from engine.errors import InvalidSettingError
from engine.presets import PRESETS, with_preset
from engine.sets import Grid, make_grid
from engine.settings import Settings, overrides, with_values
from engine.values import IndicationType, Side


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_a_grid_of_its_types_and_ranges(name: str) -> None:
    preset, settings = PRESETS[name], with_preset(Settings(), name)

    grid = make_grid(settings)

    assert 20 < len(grid) <= settings.max_sets_per_symbol
    types = {"activeAdvanced": "active_advanced"}
    wanted = {IndicationType(types.get(each, each)) for each in preset.types.split()}
    assert {slot.indication for slot in grid.slots} == wanted
    ranged = (IndicationType.DIRECTION, IndicationType.MOVE)
    ranges = {slot.parameter for slot in grid.slots if slot.indication in ranged}
    assert ranges <= set(map(int, preset.ranges.split()))
    assert {slot.side for slot in grid.slots} == set(Side)
    assert any(each.ladder for each in grid.exits) == preset.has_ladder


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_stored_as_settings(name: str) -> None:
    settings = with_preset(Settings(), name)

    assert with_values(Settings(), overrides(settings)) == settings


def test_the_conservative_preset_in_its_words() -> None:
    values = overrides(with_preset(Settings(), "conservative"))

    assert values["gridRanges"] == [5, 8, 12, 15]
    assert values["gridTakeProfits"] == ["2", "3", "4"]
    assert values["gridStopLosses"] == ["0.4", "0.6", "0.8"]
    assert values["trailingStartValues"] == ["0.6", "1.0"]
    assert values["trailingStopValues"] == ["0.2", "0.3"]
    assert values["activeEnabled"] is False


def test_block_and_ladder_are_as_the_preset_says() -> None:
    balanced, scalping = (with_preset(Settings(), each) for each in ("balanced", "scalping"))

    assert (balanced.block_enabled, balanced.block_sizes) == (True, (2, 4, 6))
    assert (str(balanced.block_adjustment_ratio), balanced.dca_enabled) == ("0.5", False)
    assert (scalping.block_enabled, scalping.dca_enabled) == (False, False)
    assert with_preset(Settings(), "swing").dca_enabled


def test_days_past_the_engines_own_limit_are_taken_to_it() -> None:
    days = {name: with_preset(Settings(), name).prehistoric_data_days for name in PRESETS}

    assert days == {
        "conservative": 12,
        "balanced": 12,
        "aggressive": 12,
        "scalping": 7,
        "swing": 12,
    }


def test_a_preset_leaves_alone_what_it_does_not_name() -> None:
    mine = with_values(Settings(), {"positionCost": "0.2", "max_leverage": 3})

    changed = with_preset(mine, "scalping")

    assert (changed.position_cost_pct, changed.max_leverage) == (mine.position_cost_pct, 3)


def test_an_unknown_preset_is_refused_by_name() -> None:
    with pytest.raises(InvalidSettingError, match=r"one of conservative, .* was 'bold'"):
        with_preset(Settings(), "bold")


def test_the_preset_profile_tries_what_every_preset_tries_but_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = ("conservative", "scalping")
    monkeypatch.setattr("engine.spaces.PRESETS", {name: PRESETS[name] for name in few})
    grid = make_grid.__wrapped__(
        with_values(Settings(), {"gridProfile": "preset", "tradeMode": "main"})
    )

    tried = [keys_of(make_grid(with_preset(Settings(), name))) for name in few]

    assert keys_of(grid) == set.union(*tried)
    assert len(keys_of(grid)) == len(grid) == sum(map(len, tried)) - grid.skipped["duplicate"]
    assert grid.skipped["duplicate"] > 0


def keys_of(grid: Grid) -> set[str]:
    return {grid.key("BTCUSDT", k).text for k in range(len(grid))}
