import numpy as np
import pytest
from tests.bench.exchange import differing
from tests.bench.markets import Job, make_job
from tests.bench.replay import Orders, replay

from engine.ticks import RATIO


def a_job(seed: int = 1) -> Job:
    return make_job(seed, bars=900, rows=4, configurations=12, entries_a_day=3_000)


def bar_by_bar(job: Job) -> list[tuple[int, int, int]]:
    """The peer's rules as a plain loop in floats: one order a bar, the stop before the target."""
    found = []
    for row, entries in enumerate(job.entries):
        for number in range(len(job.stop)):
            found += [
                (row, number, bar) for bar in _orders(job, row, set(entries.tolist()), number)
            ]
    return found


def _orders(job: Job, row: int, entries: set[int], number: int) -> list[int]:
    symbol, sign = row // 2, 1 - 2 * (row % 2)
    candles, bars, held = job.candles, [], 0
    for bar in range(len(candles)):
        high, low = (int(each[bar, symbol]) for each in (candles.high, candles.low))
        if held:
            stop = held * (1 - sign * int(job.stop[number]) / RATIO)
            target = held * (1 + sign * int(job.target[number]) / RATIO)
            below, above = min(stop, target), max(stop, target)
            if low <= below or high >= above:
                bars.append(bar)
                held = 0
        elif bar in entries:
            bars.append(bar)
            held = int(candles.close[bar, symbol])
    return bars


@pytest.mark.parametrize("seed", [1, 2])
def test_a_replay_trades_what_a_plain_loop_over_the_candles_trades(seed: int) -> None:
    job = a_job(seed)

    orders = replay(job).orders(job)

    expected = sorted(bar_by_bar(job))
    assert len(expected) > 200
    assert [tuple(line) for line in orders.lines.tolist()] == expected


def test_a_row_alone_trades_as_it_does_among_others() -> None:
    job = a_job()

    alone = replay(job.only(1)).orders(job)

    among = replay(job).orders(job).lines
    assert alone.lines.tolist() == among[among[:, 0] == 0].tolist()


def test_equal_trades_differ_nowhere() -> None:
    job = a_job()
    orders = replay(job).orders(job)

    assert differing(orders, orders, 4, 12) == 0


def test_a_trade_too_few_is_found_where_the_sum_of_all_trades_is_equal() -> None:
    orders = replay(a_job()).orders(a_job())
    lines = orders.lines.copy()
    first, second = lines[0].copy(), lines[-1].copy()
    lines[0] = second - [0, 0, 1]

    found = differing(orders, Orders.sorted(lines), 4, 12)

    assert found == 2
    assert first.tolist()[:2] != second.tolist()[:2]


def test_an_exit_one_bar_later_is_found_where_all_counts_are_equal() -> None:
    orders = replay(a_job()).orders(a_job())
    lines = orders.lines.copy()
    lines[-1, 2] += 1

    assert differing(orders, Orders(lines=lines), 4, 12) == 1


def test_nothing_traded_by_the_other_differs_everywhere() -> None:
    orders = replay(a_job()).orders(a_job())

    assert differing(orders, Orders(lines=np.zeros((0, 3), np.int64)), 4, 12) == 48
