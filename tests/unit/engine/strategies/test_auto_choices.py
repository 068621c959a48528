"""What Auto chooses for its Sets, by the market of a signal and by what the Set earned."""

from decimal import Decimal

import numpy as np
import pytest

from engine.indications.signals import SIGNAL
from engine.sets import Grid, make_grid
from engine.settings import Settings, with_values
from engine.strategies.auto import Choice, choices, trailing_range
from engine.strategies.results import Results
from engine.values import IndicationType, Side

RULES = with_values(
    Settings(),
    {
        "tradeMode": "main",
        "autoEnabled": True,
        "dcaEnabled": True,
        "gridTakeProfits": ["8"],
        "gridStopLosses": ["0.5"],
    },
)
GRID = make_grid(RULES)


def a_set(side: Side, *, ladder: bool = False, trail: str = "0") -> int:
    """An Auto Set of that kind."""
    for k in np.flatnonzero(GRID.of_type(IndicationType.AUTO)):
        key = GRID.key("AUSDT", int(k))
        wanted = (key.exits.ladder, key.exits.trail_stop_pct, key.side)
        if wanted == (ladder, Decimal(trail), side):
            return int(k)
    raise AssertionError("no such Set")


def chosen(
    k: int,
    results: list[int],
    *,
    volatility: str = "0.1",
    momentum: str = "0",
    activity: str = "0",
    day_volatility: str = "0",
    grid: Grid = GRID,
) -> Choice:
    """Choice on one signal after these results, hundredths of a position cost."""
    signal = np.zeros(1, SIGNAL)
    facts = {
        "volatility": volatility,
        "momentum": momentum,
        "activity": activity,
        "day_volatility": day_volatility,
    }
    for name, percent in facts.items():
        signal[name] = int(Decimal(percent) * 1_000_000)
    count = np.arange(1, len(results) + 1)
    known = Results(ids=np.full(len(results), k), number=count, epoch=count, r=np.array(results))
    last = np.array([len(results) - 1])
    return choices(signal, known, last, grid, np.array([k]), RULES)


@pytest.mark.parametrize("side", Side)
def test_a_set_that_neither_earns_nor_wins_often_is_not_mirrored(side: Side) -> None:
    k = a_set(side)

    assert chosen(k, [60] * 10).wish.all()  # the mean is 0.6
    assert not chosen(k, [600, *[-59] * 9]).wish.any()
    assert chosen(k, [10] * 9 + [-10] * 11).wish.all()  # 45 % won
    assert not chosen(k, [10] * 8 + [-10] * 12).wish.any()


def test_only_the_last_fifty_results_count() -> None:
    k = a_set(Side.LONG)

    assert not chosen(k, [600] * 60 + [-60] * 50).wish.any()
    assert chosen(k, [-600] * 60 + [60] * 50).wish.all()


def test_block_suits_sets_that_win_every_second_time() -> None:
    k = a_set(Side.LONG)

    assert chosen(k, [10, -10] * 10).block.all()
    assert not chosen(k, [10, -10] * 9 + [-10, -10]).block.any()


def test_level_suits_a_market_whose_activity_is_above_the_limit() -> None:
    k = a_set(Side.SHORT)

    assert chosen(k, [60], activity="0.31").level.all()
    assert not chosen(k, [60], activity="0.3").level.any()


@pytest.mark.parametrize("side", Side)
def test_a_ladder_is_for_sets_that_earn_in_a_volatile_market(side: Side) -> None:
    k = a_set(side, ladder=True)

    assert chosen(k, [60], day_volatility="0.51").wish.all()
    assert not chosen(k, [60], day_volatility="0.5").wish.any()
    assert not chosen(k, [59], day_volatility="0.51").wish.any()


@pytest.mark.parametrize("side", Side)
def test_a_set_that_trails_nearer_than_the_range_is_not_mirrored(side: Side) -> None:
    near, plain = a_set(side, trail="0.1"), a_set(side)

    assert chosen(near, [60], volatility="0.5").wish.all()  # from 0.25 % by 0.1 %
    assert not chosen(near, [60], volatility="0.51").wish.any()
    assert chosen(plain, [60], volatility="3").wish.all()


@pytest.mark.parametrize(
    ("volatility", "momentum", "start", "stop"),
    [
        ("1", "0", "0.5", "0.2"),
        ("3", "0", "1.0", "0.4"),  # past 2 it is no wider
        ("1", "0.5", "0.375", "0.15"),
        ("1", "-0.5", "0.375", "0.15"),
        ("1", "4", "0.25", "0.1"),  # never less than half
    ],
)
def test_the_trailing_range_grows_with_volatility_and_shrinks_with_momentum(
    volatility: str, momentum: str, start: str, stop: str
) -> None:
    hour, drift = (np.array([int(Decimal(each) * 1_000_000)]) for each in (volatility, momentum))

    found = [
        int(trailing_range(hour, drift, share)[0])
        for share in (RULES.auto_trail_start, RULES.auto_trail_stop)
    ]

    assert found == [int(Decimal(each) * 1_000_000) for each in (start, stop)]
