"""Block: which results make the next position larger."""

import numpy as np
import pytest
from tests.paper_reference import is_raised

from engine.history import History
from engine.indications.signals import SIGNAL
from engine.sets import make_grid
from engine.settings import Settings, with_values
from engine.strategies.block import BlockRules, raised_sizes
from engine.strategies.ratios import sizes_of
from engine.strategies.results import Booked, Results
from engine.values import IndicationType

MAIN = IndicationType.DIRECTION


def settings_of(**values: object) -> Settings:
    return with_values(Settings(), values)


def ratio_after(results: list[float], **values: object) -> float:
    """The ratio of what a Set opens after these results, in position costs."""
    settings = settings_of(**values)
    grid = make_grid(settings)
    ids = np.zeros(len(results), np.int64)
    booked = Booked(
        ids=ids,
        r=np.array([round(each * 100) for each in results], np.int16),
        epoch=np.arange(1, len(results) + 1),
    )
    history = History.fresh(1, len(grid), settings)
    opening = (np.zeros(1, np.int64), np.array([len(results)]), np.zeros(1, SIGNAL))
    found = sizes_of(history, booked, grid, opening, settings)
    assert found.raised[0] == (found.ratio[0] > 100)
    return int(found.ratio[0]) / 100


def test_after_minus_1_and_minus_2_the_ratio_is_2_and_after_3_and_minus_1_it_is_1_again() -> None:
    sizes = {"blockSizes": [2]}

    assert ratio_after([-1, -2], **sizes) == 2
    assert ratio_after([-1, -2, 3], **sizes) == 2
    assert ratio_after([-1, -2, 3, -1], **sizes) == 1


def test_a_block_that_is_not_complete_changes_nothing() -> None:
    assert ratio_after([-1], blockSizes=[2]) == 1
    assert ratio_after([], blockSizes=[2]) == 1


def test_a_mean_of_zero_is_no_loss() -> None:
    assert ratio_after([-1, 1], blockSizes=[2]) == 1


def test_every_size_that_lost_adds_to_the_ratio_up_to_the_largest() -> None:
    assert ratio_after([-1] * 4, blockSizes=[2, 4]) == 3
    assert ratio_after([-1] * 4, blockSizes=[2, 4], blockAdjustmentRatio="0.5") == 2
    assert ratio_after([-1] * 8) == 3  # four sizes, at most blockMaxRatio
    assert ratio_after([-1] * 8, blockMaxRatio="5") == 5


def test_block_off_leaves_the_ratio_alone() -> None:
    assert ratio_after([-1] * 8, blockEnabled=False) == 1


def test_neutral_positions_come_plain_after_the_first_block_that_lost() -> None:
    results = [1.0, 1.0, -1.0, -1.0]

    ratios = [
        ratio_after([*results, *[-1.0] * more], blockSizes=[2], blockNeutralPositions=3)
        for more in range(5)
    ]

    assert ratios == [1, 1, 1, 2, 2]


LOSES_AFTER_LOSS = [1.0, 1.0, -1.0, -1.0, -3.0, -3.0] * 4
"""Blocks of two: a winner, a loser, and one that follows it and does worse."""


def test_a_size_is_left_out_where_larger_positions_did_worse() -> None:
    assert ratio_after(LOSES_AFTER_LOSS, blockSizes=[2]) == 1
    assert ratio_after(LOSES_AFTER_LOSS, blockSizes=[2], blockAutoDisable=False) == 2


def test_it_needs_20_results_to_be_left_out() -> None:
    assert ratio_after(LOSES_AFTER_LOSS[:18], blockSizes=[2]) == 2


def test_it_comes_back_when_no_comparison_failed_within_as_many_results() -> None:
    # Wins wash the losses out of the window of 20; the last failed comparison gets old.
    after = [*LOSES_AFTER_LOSS, *[4.0, 4.0] * 20]
    rules: dict[str, object] = {"blockSizes": [2], "blockComparisonWindow": 20}

    rested = [
        ratio_after([*after[: 24 + more], -1.0, -1.0], **rules, block_reactivate_threshold=10)
        for more in range(0, 40, 2)
    ]

    assert rested[0] == 1
    assert rested[-1] == 2
    assert rested == sorted(rested)


@pytest.mark.parametrize("kind", [MAIN, IndicationType.OPTIMAL, IndicationType.AUTO])
@pytest.mark.parametrize("kept", [50, 250])
def test_sizes_are_raised_as_by_counting_the_blocks_of_each_set(
    kind: IndicationType, kept: int
) -> None:
    settings = settings_of(
        databaseSizeBase=kept, blockNeutralPositions=1, block_reactivate_threshold=20
    )
    rng = np.random.default_rng(kept)
    sets, count = 40, 90
    r = rng.integers(-300, 260, (sets, count))
    results = Results(
        ids=np.repeat(np.arange(sets), count),
        number=np.tile(np.arange(1, count + 1), sets),
        epoch=np.tile(np.arange(1, count + 1), sets),
        r=r.ravel(),
    )
    auto = np.full(sets * count, kind is IndicationType.AUTO)
    optimal = np.full(sets * count, kind is IndicationType.OPTIMAL)
    at = np.arange(sets * count)

    raised = raised_sizes(results, at, BlockRules.of(auto, optimal, settings))

    expected = [
        sum(
            is_raised(r[place // count, : place % count + 1].tolist(), size, kind, settings)
            for size in settings.block_sizes
        )
        for place in at[::7]
    ]
    assert raised[::7].tolist() == expected
    assert len(set(expected)) > 2
