"""Level: how an Auto Set's next position grows with its losses in a row."""

from decimal import Decimal

import numpy as np
import pytest

from engine.settings import Settings, with_values
from engine.strategies.level import level_ratios
from engine.strategies.results import Results
from engine.ticks import ratio_units


def ratio_after(results: list[float], *, most: int = 100_000, **values: object) -> float:
    """The ratio after results in position costs, at a target of 0.8 %."""
    settings = with_values(Settings(), {"slippagePercent": "0", **values})
    known = Results(
        ids=np.zeros(len(results), np.int64),
        number=np.arange(1, len(results) + 1),
        epoch=np.arange(1, len(results) + 1),
        r=np.array([round(each * 100) for each in results], np.int64),
    )
    at, target = np.array([len(results) - 1]), np.array([ratio_units(Decimal("0.8"))])
    return int(level_ratios(known, at, target, most, settings)[0]) / 100


@pytest.mark.parametrize(
    ("kind", "ratios"),
    [
        ("linear", [1, 1.5, 2, 2.5, 3, 3.5, 3.5]),
        ("exponential", [1, 1.5, 2.25, 3.38, 5.06, 7.59, 7.59]),
        ("fibonacci", [1, 1.5, 2, 3, 4.5, 7, 7]),
    ],
)
def test_ratios_grow_with_the_losses_up_to_the_last_level(kind: str, ratios: list[float]) -> None:
    grown = [ratio_after([2, *[-1.0] * losses], levelIncrementType=kind) for losses in range(7)]

    assert grown == ratios


def test_a_win_begins_anew() -> None:
    assert ratio_after([-1, -1, -1, 2]) == 1
    assert ratio_after([-1, -1, 2, -1]) == 1.5
    assert ratio_after([]) == 1


def test_optimal_is_what_one_win_at_the_target_needs_to_earn_the_losses_back() -> None:
    win = 6.9  # 0.8 % less fees of 0.11 %

    once = ratio_after([2, -10], levelIncrementType="optimal")
    twice = ratio_after([2, -10, -10], levelIncrementType="optimal")

    assert once == 1.45
    assert once * win >= 10 > (once - 0.01) * win
    assert twice * win >= 10 + 10 * once > (twice - 0.01) * win


def test_small_losses_need_no_more_than_a_plain_win() -> None:
    assert ratio_after([2, -1], levelIncrementType="optimal") == 1


def test_no_ratio_is_larger_than_what_is_allowed() -> None:
    lost = [2.0, *[-30.0] * 5]

    for kind in ("linear", "exponential", "fibonacci", "optimal"):
        assert ratio_after(lost, most=300, levelIncrementType=kind) <= 3


def test_a_result_of_zero_is_no_win() -> None:
    assert ratio_after([2, 0]) == 1.5


def test_optimal_counts_each_loss_at_the_ratio_it_had() -> None:
    # 5 were lost plain, and a plain win would have earned them back: so were the 20.
    assert ratio_after([2, -5, -20], levelIncrementType="optimal") == 3.63
