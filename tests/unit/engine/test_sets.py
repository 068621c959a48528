from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidSettingError
from engine.sets import Grid, check_grid, even_shares, make_grid
from engine.settings import Settings, with_values
from engine.values import RULES, Exits, IndicationType, Side, TradeMode, Variant

MAIN = with_values(Settings(), {"tradeMode": "main"})
GRID = make_grid(MAIN)
ADJUSTED = make_grid(
    with_values(MAIN, {"dcaEnabled": True, "profitBackEnabled": True, "gridRanges": [3, 8]})
)


def targets_of(grid: Grid, parameter: int, indication: IndicationType) -> set[Decimal]:
    """Targets in position costs of 0.1 %."""
    return {
        key.exits.take_profit_pct * 10
        for key in (grid.key("BTCUSDT", k) for k in range(len(grid)))
        if (key.parameter, key.indication) == (parameter, indication)
    }


def test_every_set_is_named_by_its_key_and_found_by_it() -> None:
    keys = [GRID.key("BTCUSDT", k) for k in range(len(GRID))]

    assert len({key.text for key in keys}) == len(GRID)
    assert [GRID.index(key) for key in keys[::97]] == list(range(len(GRID)))[::97]


@pytest.mark.parametrize("grid", [GRID, ADJUSTED], ids=["plain", "adjusted"])
def test_sets_that_differ_in_tuning_alone_share_their_short_key(grid: Grid) -> None:
    texts = [grid.key("BTCUSDT", k).short_text for k in range(len(grid))]
    numbers: dict[str, set[int]] = {}
    for text, number in zip(texts, grid.short.tolist(), strict=True):
        numbers.setdefault(text, set()).add(number)

    assert all(len(each) == 1 for each in numbers.values())
    assert len({each.pop() for each in numbers.values()}) == len(numbers)
    assert grid.short.max() < grid.short_count


def test_both_sides_have_the_same_sets() -> None:
    sides = [GRID.key("BTCUSDT", k).side for k in range(len(GRID))]

    assert sides.count(Side.LONG) == sides.count(Side.SHORT) == len(GRID) // 2


def test_trailing_that_could_only_arm_past_the_target_is_left_out() -> None:
    for exits in GRID.exits:
        assert exits.trail_start_pct < exits.take_profit_pct


def test_exits_that_costs_eat_are_left_out() -> None:
    all_exits = make_grid(with_values(MAIN, {"minViableExits": False})).exits

    assert min(exits.take_profit_pct for exits in all_exits) == Decimal("0.2")
    assert min(exits.take_profit_pct for exits in GRID.exits) == Decimal("0.3")
    assert min(exits.stop_loss_pct for exits in GRID.exits) >= Decimal("0.08")


def test_targets_suit_the_range_they_are_tried_with() -> None:
    assert targets_of(GRID, 12, IndicationType.MOVE) == {4, 6, 8, 12}
    assert targets_of(GRID, 30, IndicationType.DIRECTION) == {12}
    assert targets_of(GRID, 50, IndicationType.ACTIVE) == {3, 4, 6, 8, 12}


def test_a_grid_past_the_cap_is_thinned_evenly_and_says_so() -> None:
    capped = make_grid(with_values(MAIN, {"maxSetsPerSymbol": 500}))

    assert len(capped) == 500
    assert capped.skipped == {**GRID.skipped, "past_cap": len(GRID) - 500}
    assert len(np.unique(capped.slot)) == len(capped.slots)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("positionCost", "0.2"),
        ("gridRanges", [3, 5]),
        ("databaseSizeBase", 300),
        ("databaseThresholdPercent", 25),
        ("stepSizeFactor", "2"),
        ("activeWindowSeconds", 30),
        ("dcaVolumes", ["1", "1", "1", "1"]),
        ("profitBackShare", 30),
    ],
)
def test_settings_that_books_depend_on_change_the_fingerprint(key: str, value: object) -> None:
    changed = make_grid(with_values(MAIN, {key: value}))

    assert changed.fingerprint != GRID.fingerprint
    assert make_grid(MAIN).fingerprint == GRID.fingerprint


def exits_of(**values: object) -> list[Exits]:
    grid = make_grid(with_values(MAIN, {"gridRanges": [8], **values}))
    return [grid.key("BTCUSDT", k).exits for k in range(len(grid))]


def test_trailing_alone_is_tried_without_targets_and_may_arm_past_them() -> None:
    exits = exits_of(trailingOnly=True)

    assert all(each.trailing_only and each.is_trailing for each in exits)
    assert any(each.trail_start_pct >= each.take_profit_pct for each in exits)


@pytest.mark.parametrize(
    ("values", "ladders"),
    [
        ({}, {False}),
        ({"dcaEnabled": True}, {False, True}),
        ({"dcaEnabled": True, "dcaOnly": True}, {True}),
    ],
)
def test_ladders_stand_beside_plain_exits_or_alone(
    values: dict[str, object], ladders: set[bool]
) -> None:
    exits = exits_of(**values)

    assert {each.ladder for each in exits} == ladders
    assert len(exits) == len(exits_of()) * len(ladders)


def test_profit_back_stands_beside_plain_exits() -> None:
    assert {each.profit_back for each in exits_of(profitBackEnabled=True)} == {False, True}


def test_without_trailing_no_exit_trails() -> None:
    assert not any(each.is_trailing for each in exits_of(trailingEnabled=False))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trailingOnly": True, "trailingEnabled": False}, "trailingOnly must be false unless"),
        ({"dcaOnly": True}, "dcaOnly must be false unless dcaEnabled is true"),
    ],
)
def test_only_what_is_enabled_can_be_tried_alone(values: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSettingError, match=said):
        with_values(MAIN, values)


def test_a_type_that_is_off_is_not_tried_and_nothing_to_try_is_refused() -> None:
    moves = make_grid(with_values(MAIN, {"directionEnabled": False, "activeEnabled": False}))
    nothing = {f"{each}Enabled": False for each in ("direction", "move", "active")}

    assert {slot.indication for slot in moves.slots} == {IndicationType.MOVE}
    with pytest.raises(InvalidSettingError, match="no Set is left to try in trade mode main"):
        make_grid(with_values(MAIN, nothing))


NO_MAIN = {f"{each}Enabled": False for each in ("direction", "move", "active")}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"gridProfile": "full"},
        {"gridProfile": "preset"},
        {"tradeMode": "preset"},
        {"tradeMode": "both", **NO_MAIN},
        {"tradeMode": "main", **NO_MAIN},
        {"maxSetsPerSymbol": 100},
        {"gridTakeProfits": ["1"], "tradeMode": "main"},
        {"presetTakeProfits": ["1"], "tradeMode": "preset"},
    ],
)
def test_a_check_refuses_the_settings_that_no_grid_can_be_made_of(
    values: dict[str, object],
) -> None:
    def refused(tried: Callable[[Settings], object]) -> str:
        try:
            tried(with_values(Settings(), values))
        except InvalidSettingError as error:
            return str(error)
        return ""

    assert refused(check_grid) == refused(make_grid)


# --- the full profile ---------------------------------------------------------------------------

EVERY_TYPE = {f"{each}Enabled": True for each in ("activity", "optimal", "activeAdvanced", "auto")}
FULL = make_grid(with_values(MAIN, {"gridProfile": "full", **EVERY_TYPE}))
MAIN_TYPES = [each for each in RULES if each.mode is TradeMode.MAIN]


def share_of(grid: Grid, indication: IndicationType) -> int:
    return int(grid.of_type(indication).sum())


def test_the_full_profile_fills_the_cap_with_equal_shares_of_types_and_sides() -> None:
    shares = [share_of(FULL, each) for each in MAIN_TYPES]

    assert len(FULL) == Settings().max_sets_per_symbol
    assert max(shares) - min(shares) <= 4
    assert (FULL.sign > 0).sum() == (FULL.sign < 0).sum()
    assert len(np.unique(FULL.slot)) == len(FULL.slots)


def test_the_full_profile_reaches_every_value_of_its_spaces() -> None:
    keys = [FULL.key("BTCUSDT", k) for k in range(len(FULL))]
    moves = [key for key in keys if key.indication is IndicationType.MOVE]
    activity = [key.variant for key in keys if key.indication is IndicationType.ACTIVITY]
    advanced = [key for key in keys if key.indication is IndicationType.ACTIVE_ADVANCED]
    autos = [key for key in keys if key.indication is IndicationType.AUTO]

    assert {key.parameter for key in moves} == set(range(4, 31))  # 3 suits no viable target
    assert {key.variant.drawdown_pct for key in moves} == {10, 20, 30, 40, 50}
    assert {key.variant.market_change for key in moves} == {1, 3, 5, 7, 9}
    assert {key.variant.last_part_pct for key in moves} == {100, 150, 200, 250}
    assert {each.activity_pct for each in activity} == set(range(10, 91, 10))
    assert {each.last_activity_pct for each in activity} == set(range(10, 91, 10))
    assert {each.market_change for each in activity} == set(range(1, 11))
    assert {key.parameter for key in advanced} == {50, 100, 150, 200, 250, 300}
    assert {key.variant.window_min for key in advanced} == {1, 3, 5, 10, 15, 20, 30, 40}
    assert {key.variant.window_min for key in autos} == {1, 3, 5, 10, 15, 20}
    stops = {key.exits.stop_loss_pct / key.exits.take_profit_pct for key in advanced}
    assert max(stops) == Decimal("1.5")
    shares = {round(each.stop_loss_pct / each.take_profit_pct, 1) for each in FULL.exits}
    assert len(shares) == 21
    assert {each.trail_start_pct for each in FULL.exits} == {0, Decimal("0.3"), Decimal("0.6"), 1}


def test_the_full_profile_counts_what_it_does_not_walk_through() -> None:
    """Two sides of (28 ranges * 100 * 3 types + 5 + 32 400 + 48 + 36 configurations) * 924."""
    everything = 2 * (3 * 2_800 + 5 + 32_400 + 48 + 36) * 924

    assert len(FULL) + sum(FULL.skipped.values()) == everything


# --- preset mode ------------------------------------------------------------------------------


def test_preset_mode_tries_configurations_with_exits_of_their_own() -> None:
    several = {"tradeMode": "preset", "rsiPeriods": [7, 14], "emaShort": [5, 9]}
    grid = make_grid(with_values(MAIN, several))

    assert grid.is_preset.all()
    assert len({slot.variant.preset for slot in grid.slots}) == 4
    assert all(slot.variant.preset and " " not in slot.variant.text for slot in grid.slots)
    trails = {(each.trail_start_pct, each.trail_stop_pct) for each in grid.exits}
    assert len(trails) == 1 + 3 * 3
    assert max(each.take_profit_pct for each in grid.exits) == 3
    assert len(grid) <= Settings().max_sets_per_symbol


def test_both_modes_have_a_cap_each() -> None:
    capped = {"maxSetsPerSymbol": 400, "tradeMode": "both"}

    grid = make_grid(with_values(MAIN, capped))

    assert int(grid.is_preset.sum()) == 400 == int((~grid.is_preset).sum())


def test_a_preset_set_is_found_by_its_key() -> None:
    grid = make_grid(with_values(MAIN, {"tradeMode": "preset"}))

    key = grid.key("BTCUSDT", 17)

    assert grid.index(key) == 17
    assert Variant.of(key.variant.text) == key.variant


@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6), most=st.integers(0, 300))
@settings(max_examples=30)
def test_shares_are_even_and_give_away_no_more_than_there_is(sizes: list[int], most: int) -> None:
    shares = even_shares(sizes, most)

    assert sum(shares) == min(most, sum(sizes))
    assert all(share <= size for share, size in zip(shares, sizes, strict=True))
    cut = [share for share, size in zip(shares, sizes, strict=True) if share < size]
    assert not cut or max(shares) - min(cut) <= 1
