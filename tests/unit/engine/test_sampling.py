"""What the account is worth, sampled by the position loop once a minute."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_position, a_quote, an_account
from tests.position_world import a_position_loop

from engine.cycles.sampling import HOUR_MS, MINUTE_MS, equity_sample
from engine.desk import DeskState
from engine.settings import Settings
from engine.values import Side

NOON_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS


def a_desk(side: Side = Side.LONG) -> DeskState:
    held = a_position(side, entry_price=Decimal(90))
    return DeskState(connection_id="c1", positions={"p": held}, account=an_account("5000", NOON_MS))


def test_an_account_is_sampled_once_a_minute_as_long_as_the_loop_runs() -> None:
    desk = a_position_loop()
    assert desk.store.engine_row is not None
    desk.store.engine_row = replace(desk.store.engine_row, settings=Settings(burst_s=60))
    desk.wish(Side.LONG)
    for _ in range(3):
        asyncio.run(desk.burst())

    samples = [one.sample for one in desk.store.position_ticks if one.sample is not None]

    minutes = [sample.at_ms // MINUTE_MS for sample in samples]
    assert len(samples) >= 3
    assert minutes == sorted(set(minutes))
    assert samples[0].equity > 0
    assert samples[-1].open_positions == 1
    assert [sample.opens_hour for sample in samples[:2]] == [True, False]


@pytest.mark.parametrize(("side", "wanted"), [(Side.LONG, 10), (Side.SHORT, -10)])
def test_a_sample_holds_what_open_positions_would_bring(side: Side, wanted: int) -> None:
    sample = equity_sample(a_desk(side), {"BTCUSDT": a_quote("100")}, 0)

    assert sample is not None
    assert sample.unrealized == Decimal(wanted)


def test_without_a_price_nothing_is_said_of_open_positions() -> None:
    sample = equity_sample(a_desk(), {}, 0)

    assert sample is not None
    assert sample.unrealized is None


def test_an_account_that_was_not_read_since_is_not_sampled_again() -> None:
    assert equity_sample(a_desk(), {}, NOON_MS + 30_000) is None
    assert equity_sample(DeskState(connection_id="c1"), {}, 0) is None


def test_the_first_sample_of_an_hour_is_marked() -> None:
    earlier = equity_sample(a_desk(), {}, NOON_MS - MINUTE_MS)
    later_desk = replace(a_desk(), account=an_account("5000", NOON_MS + 2 * MINUTE_MS))
    later = equity_sample(later_desk, {}, NOON_MS)

    assert earlier is not None
    assert later is not None
    assert (earlier.opens_hour, later.opens_hour) == (True, False)
