from decimal import Decimal

import numpy as np
import pytest

from engine.sets import Grid, make_grid
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side

GRID = make_grid(Settings())


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


def test_sets_that_differ_in_parameter_alone_share_their_short_key() -> None:
    texts = [GRID.key("BTCUSDT", k).short_text for k in range(len(GRID))]
    numbers: dict[str, set[int]] = {}
    for text, number in zip(texts, GRID.short.tolist(), strict=True):
        numbers.setdefault(text, set()).add(number)

    assert all(len(each) == 1 for each in numbers.values())
    assert len({each.pop() for each in numbers.values()}) == len(numbers)
    assert GRID.short.max() < GRID.short_count


def test_both_sides_have_the_same_sets() -> None:
    sides = [GRID.key("BTCUSDT", k).side for k in range(len(GRID))]

    assert sides.count(Side.LONG) == sides.count(Side.SHORT) == len(GRID) // 2


def test_trailing_that_could_only_arm_past_the_target_is_left_out() -> None:
    for exits in GRID.exits:
        assert exits.trail_start_pct < exits.take_profit_pct


def test_exits_that_costs_eat_are_left_out() -> None:
    all_exits = make_grid(with_values(Settings(), {"minViableExits": False})).exits

    assert min(exits.take_profit_pct for exits in all_exits) == Decimal("0.2")
    assert min(exits.take_profit_pct for exits in GRID.exits) == Decimal("0.3")
    assert min(exits.stop_loss_pct for exits in GRID.exits) >= Decimal("0.08")


def test_targets_suit_the_range_they_are_tried_with() -> None:
    assert targets_of(GRID, 12, IndicationType.MOVE) == {4, 6, 8, 12}
    assert targets_of(GRID, 30, IndicationType.DIRECTION) == {12}
    assert targets_of(GRID, 50, IndicationType.ACTIVE) == {3, 4, 6, 8, 12}


def test_a_grid_past_the_cap_is_thinned_evenly_and_says_so() -> None:
    capped = make_grid(with_values(Settings(), {"maxSetsPerSymbol": 500}))

    assert len(capped) == 500
    assert capped.skipped == GRID.skipped + len(GRID) - 500
    assert len(np.unique(capped.slot)) == len(capped.slots)


@pytest.mark.parametrize(
    ("key", "value"),
    [("positionCost", "0.2"), ("gridRanges", [3, 5]), ("databaseSizeBase", 300)],
)
def test_settings_that_books_depend_on_change_the_fingerprint(key: str, value: object) -> None:
    changed = make_grid(with_values(Settings(), {key: value}))

    assert changed.fingerprint != GRID.fingerprint
    assert make_grid(Settings()).fingerprint == GRID.fingerprint
