"""Statistics of closed positions and of equity, against a plain reading of their definitions."""

import statistics
from decimal import Decimal
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import a_set_key, some_exits

from engine.analytics import (
    DAY_MS,
    HOUR_MS,
    Ended,
    GroupBy,
    Stretch,
    by_side,
    drawdown_time_ms,
    figures,
    grouped,
)
from engine.equity import daily_returns, days, equity_figures
from engine.records import EquitySample
from engine.values import Side

START_MS = 1_760_000_000_000 // DAY_MS * DAY_MS
CENT = Decimal("0.01")
money = st.integers(-100_000, 100_000).map(lambda cents: cents * CENT)


def ended(
    net: Decimal | str, *, at_ms: int = START_MS, side: Side = Side.LONG, r: str | None = "1"
) -> Ended:
    return Ended(
        key=a_set_key(side),
        net=Decimal(net),
        fees=Decimal("0.1"),
        r=None if r is None else Decimal(r),
        opened_at_ms=at_ms - 60_000,
        closed_at_ms=at_ms,
    )


def series(*nets: Decimal | str, side: Side = Side.LONG) -> list[Ended]:
    return [
        ended(net, at_ms=START_MS + number * HOUR_MS, side=side, r=str(net))
        for number, net in enumerate(nets)
    ]


def a_day(count: int = 2) -> Stretch:
    return Stretch(from_ms=START_MS, to_ms=START_MS + count * DAY_MS)


def near(found: Decimal | None, wanted: float) -> bool:
    return found is not None and float(found) == pytest.approx(wanted, abs=1e-4, rel=1e-6)


def sample(equity: Decimal | str | int, at_ms: int) -> EquitySample:
    return EquitySample(
        at_ms=at_ms,
        equity=Decimal(equity),
        free_margin=Decimal(equity),
        unrealized=Decimal(0),
        open_positions=0,
    )


@settings(max_examples=30)
@given(st.lists(money, min_size=1, max_size=60))
def test_figures_are_what_their_definitions_say(nets: list[Decimal]) -> None:
    found = figures(series(*nets), a_day())

    wins = [float(n) for n in nets if n > 0]
    losses = [float(-n) for n in nets if n < 0]
    assert (found.closed, found.wins, found.losses) == (len(nets), len(wins), len(losses))
    assert found.net == sum(nets)
    assert near(found.win_rate, 100 * len(wins) / len(nets))
    assert near(found.expectancy, sum(map(float, nets)) / len(nets))
    assert near(found.trades_per_day, len(nets) / 2)
    assert found.avg_hold_ms == 60_000
    if losses:
        assert near(found.profit_factor, sum(wins) / sum(losses))
        assert near(found.avg_loss, -sum(losses) / len(losses))
    else:
        assert found.profit_factor is None


@settings(max_examples=30)
@given(st.lists(money, max_size=60))
def test_the_drawdown_is_the_deepest_of_all_falls_from_an_earlier_sum(nets: list[Decimal]) -> None:
    found = figures(series(*nets), a_day())

    curve = [sum(nets[:count], Decimal(0)) for count in range(len(nets) + 1)]
    falls = [curve[i] - curve[j] for i in range(len(curve)) for j in range(i, len(curve))]
    assert found.max_drawdown == max(falls)


@settings(max_examples=30)
@given(st.lists(money, max_size=40))
def test_drawdown_time_is_the_longest_of_all_stretches_below_the_peak(
    nets: list[Decimal],
) -> None:
    results = series(*nets)

    wanted = 0
    for begin in range(len(nets)):
        for end in range(begin + 1, len(nets)):
            curve = [sum(nets[:count], Decimal(0)) for count in range(len(nets) + 1)]
            below = [curve[i + 1] < max(curve[: i + 1]) for i in range(begin, end)]
            if all(below):
                wanted = max(wanted, (end - begin) * HOUR_MS)

    assert drawdown_time_ms(results) == wanted


@settings(max_examples=30)
@given(st.lists(money, max_size=60))
def test_windows_are_told_only_where_there_are_as_many_results(nets: list[Decimal]) -> None:
    found = figures(series(*nets), a_day())

    for count, window in found.last.items():
        if len(nets) < count:
            assert window is None
        else:
            assert window is not None
            assert window.net == sum(nets[-count:])


@settings(max_examples=30)
@given(st.lists(st.tuples(money, st.sampled_from(Side)), max_size=40))
def test_long_and_short_are_never_mixed(results: list[tuple[Decimal, Side]]) -> None:
    both = [
        ended(net, at_ms=START_MS + number, side=side) for number, (net, side) in enumerate(results)
    ]

    told = by_side(both, a_day())

    for side in Side:
        alone = [one for one in both if one.key.side is side]
        assert told[side] == figures(alone, a_day())
        assert told[side].net == sum((net for net, of in results if of is side), Decimal(0))


def test_the_longest_run_of_losses_is_counted() -> None:
    found = figures(series("-1", "-1", "2", "-1", "-1", "-1", "0", "-1"), a_day())

    assert found.max_consecutive_losses == 3


def test_without_results_there_are_no_rates() -> None:
    found = figures([], a_day())

    assert not any((found.closed, found.net, found.max_drawdown))
    rates = (found.win_rate, found.profit_factor, found.expectancy, found.best)
    assert {*rates, found.recovery_factor, found.avg_hold_ms} == {None}


def test_hours_that_the_range_does_not_reach_back_to_have_no_result() -> None:
    stretch = Stretch(from_ms=START_MS, to_ms=START_MS + 13 * HOUR_MS)
    results = [ended("5", at_ms=START_MS + 2 * HOUR_MS), ended("7", at_ms=START_MS + 10 * HOUR_MS)]

    found = figures(results, stretch)

    assert dict(found.pnl_hours) == {4: Decimal(7), 12: Decimal(12), 24: None, 48: None}
    assert found.profit_factor_20h is None


def test_the_recovery_factor_is_the_result_over_the_deepest_fall() -> None:
    found = figures(series("10", "-4", "6"), a_day())

    assert (found.max_drawdown, found.recovery_factor) == (Decimal(4), Decimal(3))


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({}, "plain"),
        ({"ladder": True}, "dca"),
        ({"profit_back": True, "ladder": True}, "dca+profit_back"),
        ({"trailing": ("0.3", "0.1")}, "trailing"),
    ],
)
def test_a_strategy_is_named_by_what_it_does_beside_stop_and_target(
    flags: dict[str, bool | tuple[str, str]], name: str
) -> None:
    exits = some_exits(**flags)  # type: ignore[arg-type]
    one = Ended(
        key=a_set_key(exits=exits),
        net=Decimal(1),
        fees=Decimal(0),
        r=None,
        opened_at_ms=0,
        closed_at_ms=START_MS,
    )

    assert list(grouped([one], GroupBy.STRATEGY)) == [name]


@pytest.mark.parametrize("by", list(GroupBy))
def test_every_result_is_in_exactly_one_group(by: GroupBy) -> None:
    results = [*series("1", "-1"), *series("2", "3", side=Side.SHORT)]

    groups = grouped(results, by)

    assert sorted(map(id, results)) == sorted(id(one) for each in groups.values() for one in each)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 1_000), min_size=3, max_size=40))
def test_sharpe_and_sortino_are_those_of_daily_changes_of_equity(equities: list[int]) -> None:
    samples = [sample(one, START_MS + day * DAY_MS) for day, one in enumerate(equities)]

    found = equity_figures(samples)

    returns = [b / a - 1 for a, b in pairwise(equities)]
    spread = statistics.stdev(returns)
    down = sqrt(sum(min(0.0, one) ** 2 for one in returns) / len(returns))
    mean = statistics.mean(returns)
    assert found.daily_returns == len(returns)
    if spread > 1e-9:
        assert near(found.sharpe, mean / spread * sqrt(365))
    assert near(found.sortino, mean / down * sqrt(365)) if down else found.sortino is None
    falls = [(a - b) / a for i, a in enumerate(equities) for b in equities[i:]]
    assert near(found.max_drawdown_pct, 100 * max(falls))


def test_days_that_are_not_neighbours_give_no_return() -> None:
    samples = [
        sample(100, START_MS),
        sample(110, START_MS + DAY_MS),
        sample(99, START_MS + 3 * DAY_MS),
    ]

    assert daily_returns(samples) == [Decimal("0.1")]


def test_equity_without_samples_says_nothing() -> None:
    found = equity_figures([])

    assert found.samples == 0
    assert {found.last, found.max_drawdown_pct, found.sharpe, found.sortino} == {None}


def test_results_of_a_day_are_told_by_side_and_summed_up_from_the_first_day_on() -> None:
    results = [
        ended("5", at_ms=START_MS + DAY_MS),
        ended("2", at_ms=START_MS + HOUR_MS),
        ended("-3", at_ms=START_MS + 2 * HOUR_MS, side=Side.SHORT),
    ]

    first, second = days(results)

    assert first.day_ms == START_MS
    assert [first.long_net, first.short_net, first.net] == list(map(Decimal, (2, -3, -1)))
    assert [second.net, second.cumulative, second.closed] == [Decimal(5), Decimal(4), 1]
