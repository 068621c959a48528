"""Workers of one address tell each other of a venue's limits through the table."""

import pytest
from tests.fakes import FakeClock
from tests.position_world import Lines

from adapters.limit_board import DynamoBoard
from adapters.limits import Limits
from adapters.tables import LimitRow
from engine.errors import VenueBusyError

USED = "X-MBX-USED-WEIGHT-1M"
VENUE = "binanceusdm#live"


@pytest.fixture
def board(moto_tables: None) -> DynamoBoard:
    return DynamoBoard(VENUE)


async def test_a_silence_only_ever_gets_longer(board: DynamoBoard) -> None:
    await board.silence(9_000, "it answered 429")
    await board.silence(5_000, "a shorter one")
    held = await board.read(0)
    await board.silence(12_000, "it answered 418")
    longer = await board.read(0)

    assert (held.silent_until_ms, held.reason) == (9_000, "it answered 429")
    assert (longer.silent_until_ms, longer.reason) == (12_000, "it answered 418")
    assert board.failures == 0  # a shorter one is no failure


async def test_the_weight_of_a_minute_is_summed_over_workers(board: DynamoBoard) -> None:
    other = DynamoBoard(VENUE)
    await board.add(7, 30)
    await other.add(7, 12)
    await other.add(8, 5)

    assert (await board.read(7)).used == 42
    assert (await board.read(8)).used == 5
    assert (await board.read(9)).used == 0


async def test_venues_and_networks_know_nothing_of_each_other(board: DynamoBoard) -> None:
    await board.silence(9_000, "it answered 429")

    assert (await DynamoBoard("binanceusdm#testnet").read(0)).silent_until_ms == 0


async def test_rows_expire_by_themselves(board: DynamoBoard) -> None:
    await board.add(100, 1)
    await board.silence(60_000_000, "it answered 418")

    kept = {row.slot: row.expires_at for row in LimitRow.query(VENUE)}

    assert kept == {"0000000100": 6_000 + 3_600, "silence": 60_000 + 3_600}


async def test_a_ban_of_one_worker_is_every_workers(board: DynamoBoard) -> None:
    clock = FakeClock()
    banned = Limits(clock, per_minute=2_400, board=board)
    other = Limits(clock, per_minute=2_400, board=DynamoBoard(VENUE))
    banned.heard(418, {"Retry-After": "120"}, used_header=USED)
    await banned.settle()

    with pytest.raises(VenueBusyError, match="it answered 418") as refused:
        await other.take(0, urgent=True, is_order=True)

    assert refused.value.until_ms == clock.now_ms() + 120_000


async def test_without_its_table_a_worker_goes_on_with_what_it_heard_itself(
    moto_tables: None,
) -> None:
    LimitRow.delete_table()
    lines = Lines()
    clock, board = FakeClock(), DynamoBoard(VENUE, lines)
    limits = Limits(clock, per_minute=2_400, board=board)

    await limits.take(5, urgent=True)
    limits.heard(429, {"Retry-After": "3"}, used_header=USED)
    await limits.settle()

    with pytest.raises(VenueBusyError):
        await limits.take(0, urgent=True)
    assert board.failures > 1
    assert lines.problems == ["request limits are not shared"]
