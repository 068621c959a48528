"""What every store must do for the trade loop."""

from dataclasses import replace

import numpy as np
import pytest
from tests.contracts.conftest import LEASE_MS, Kept
from tests.samples import START_MS, a_key, a_tick, a_wish, some_candles

from engine.errors import LeaseLostError
from engine.market import Candles, Kind
from engine.records import ArchivedResults, ArchivedSet
from engine.values import IndicationType, Loop, Side, Turn, Variant, Wish

DAY_MS = 86_400_000
MIDNIGHT_MS = START_MS // DAY_MS * DAY_MS


def same(left: Candles, right: Candles) -> bool:
    names = ("close_ms", "open", "high", "low", "close", "volume", "kind")
    equal = all(np.array_equal(getattr(left, n), getattr(right, n)) for n in names)
    return equal and (left.symbols, left.span_ms) == (right.symbols, right.span_ms)


def test_a_tick_keeps_its_candles_and_extends_the_lease(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)
    kept.clock.advance(4_000)

    longer = kept.store.write_tick(lease, a_tick(START_MS), ())

    row = kept.leases.read("c1", Loop.TRADE)
    assert (row.last_slot_ms, row.expires_at_ms) == (START_MS, kept.clock.now_ms() + LEASE_MS)
    assert (longer.token, longer.sent_at_ms) == (lease.token, kept.clock.now_ms())
    (found,) = kept.store.candles_since("c1", START_MS - 1)
    assert same(found, a_tick(START_MS).candles)


def test_wishes_wait_oldest_first_and_are_counted(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)
    long, short = (a_wish(a_key(side=side)) for side in Side)
    older = a_wish(at_ms=START_MS - 1000)

    kept.store.write_tick(lease, a_tick(), [long, short])
    kept.store.write_tick(lease, a_tick(), [older])

    found = kept.store.pending("c1")
    assert [command.wish for command in found] == [older, *sorted([long, short], key=_id)]
    assert {command.kind for command in found} == {"wish"}
    assert kept.leases.read("c1", Loop.POSITION).wish_seq == 3


def test_a_wish_written_twice_waits_once_and_fails_no_tick(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)

    kept.store.write_tick(lease, a_tick(), [a_wish()])
    kept.clock.advance(1000)
    kept.store.write_tick(lease, a_tick(START_MS + 1000), [a_wish()])

    (command,) = kept.store.pending("c1")
    assert (command.wish, command.created_at_ms) == (a_wish(), START_MS)


def test_turns_wait_beside_wishes_and_are_counted_however_many(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)
    turns = [a_turn(parameter) for parameter in range(3, 123)]

    kept.store.write_tick(lease, a_tick(), [a_wish()], turns)
    kept.store.write_tick(lease, a_tick(START_MS + 1000), (), turns[:1])

    found = kept.store.pending("c1")
    written = {command.turn for command in found if command.kind == "strategy_exit"}
    assert written == set(turns)
    assert len(found) == len(turns) + 1
    assert kept.leases.read("c1", Loop.POSITION).wish_seq == len(turns) + 2


def a_turn(parameter: int) -> Turn:
    return Turn(
        symbol="BTCUSDT",
        indication=IndicationType.DIRECTION,
        parameter=parameter,
        side=Side.SHORT,
        at_ms=START_MS,
        variant=Variant(drawdown_pct=30),
    )


def test_a_lost_tick_writes_neither_candles_nor_wishes(kept: Kept) -> None:
    lost = kept.take(Loop.TRADE)
    kept.take(Loop.TRADE, "another")

    with pytest.raises(LeaseLostError):
        kept.store.write_tick(lost, a_tick(), [a_wish()])

    assert kept.store.candles_since("c1", 0) == ()
    assert kept.store.pending("c1") == ()
    assert kept.leases.read("c1", Loop.POSITION).wish_seq == 0


def test_stored_candles_are_minutes_then_ticks_without_a_seam(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)
    minute = some_candles(first_close_ms=START_MS - 59_000, length=60)
    kept.store.write_minute(lease, minute)
    for slot in (START_MS - 1000, START_MS, START_MS + 1000, START_MS + 2000):
        kept.store.write_tick(lease, a_tick(slot), ())

    pieces = kept.store.candles_since("c1", START_MS - 10_000)

    closes = [int(ms) for piece in pieces for ms in piece.close_ms]
    assert closes == list(range(START_MS - 9_000, START_MS + 3_000, 1000))


@pytest.mark.parametrize("written", [(1, 2), (0, 2), (2,)], ids=str)
def test_a_minute_that_was_never_written_is_there_as_ticks(
    kept: Kept, written: tuple[int, ...]
) -> None:
    lease = kept.take(Loop.TRADE)
    begun_ms = START_MS // 60_000 * 60_000
    for slot in range(begun_ms + 1000, begun_ms + 181_000, 1000):
        lease = kept.store.write_tick(lease, a_tick(slot), ())
    for number in written:
        first_ms = begun_ms + 60_000 * number + 1000
        kept.store.write_minute(lease, some_candles(first_close_ms=first_ms, length=60))

    pieces = kept.store.candles_since("c1", begun_ms)

    closes = [int(ms) for piece in pieces for ms in piece.close_ms]
    assert closes == list(range(begun_ms + 1000, begun_ms + 181_000, 1000))


def test_history_is_read_as_it_was_written_with_gaps_where_nothing_was(kept: Kept) -> None:
    candles = _history(first_close_ms=MIDNIGHT_MS + 60_000 * 100, length=2000)
    kept.store.write_history("c1", candles)

    start, end = MIDNIGHT_MS, MIDNIGHT_MS + 3 * DAY_MS
    found = kept.store.history("c1", "BTCUSDT", start, end)

    assert len(found) == 3 * 1440
    known = found.kind[:, 0] != Kind.GAP
    assert known.sum() == 2000
    assert same(found.between(int(candles.close_ms[0]) - 1, int(candles.close_ms[-1])), candles)


def test_history_written_in_parts_is_one_history(kept: Kept) -> None:
    whole = _history(first_close_ms=MIDNIGHT_MS + 60_000, length=1440)
    for first, last in ((700, 1440), (0, 300), (250, 720)):
        kept.store.write_history("c1", whole.rows(first, last))

    found = kept.store.history("c1", "BTCUSDT", MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)

    assert same(found, whole)


def test_a_gap_never_hides_a_stored_candle(kept: Kept) -> None:
    candles = _history(first_close_ms=MIDNIGHT_MS + 60_000, length=10)
    kept.store.write_history("c1", candles)
    holed = replace(candles, kind=candles.kind.copy())
    holed.kind[3:5] = Kind.GAP
    kept.store.write_history("c1", holed)

    found = kept.store.history("c1", "BTCUSDT", MIDNIGHT_MS, MIDNIGHT_MS + 600_000)

    assert (found.kind == Kind.TRADED).all()


def test_books_come_back_whole_and_the_newest_count(kept: Kept) -> None:
    lease = kept.take(Loop.TRADE)
    assert kept.store.load_books("c1", "BTCUSDT") is None

    kept.store.save_books("c1", "BTCUSDT", [b"a", b"b", b"c"], last_close_ms=5, lease=None)
    assert kept.store.load_books("c1", "BTCUSDT") == ((b"a", b"b", b"c"), 5)

    kept.store.save_books("c1", "BTCUSDT", [b"d", b"e"], last_close_ms=6, lease=lease)
    assert kept.store.load_books("c1", "BTCUSDT") == ((b"d", b"e"), 6)
    assert kept.store.load_books("c1", "ETHUSDT") is None


def test_results_that_left_the_books_are_read_back_oldest_first(kept: Kept) -> None:
    archived = [_archived(START_MS + after_ms) for after_ms in (2000, 0, 1000)]
    other = _archived(START_MS, symbol="ETHUSDT")

    kept.store.archive_results("c1", [*archived, other], keep_days=90)
    kept.store.archive_results("c1", [archived[1]], keep_days=90)

    assert kept.store.archived_results("c1", "BTCUSDT", since_ms=START_MS) == (
        archived[1],
        archived[2],
        archived[0],
    )
    assert kept.store.archived_results("c1", "BTCUSDT", since_ms=START_MS + 1500) == (archived[0],)
    assert kept.store.archived_results("c1", "ETHUSDT", since_ms=0) == (other,)


def test_many_sets_may_archive_at_one_candle(kept: Kept) -> None:
    many = _archived(START_MS, sets=1100)

    kept.store.archive_results("c1", [many], keep_days=90)

    assert kept.store.archived_results("c1", "BTCUSDT", since_ms=0) == (many,)


def _archived(at_ms: int, *, symbol: str = "BTCUSDT", sets: int = 2) -> ArchivedResults:
    return ArchivedResults(
        symbol=symbol,
        at_ms=at_ms,
        sets=tuple(
            ArchivedSet(key_text=f"{symbol}|move|{n}|LONG", first=n, results=(690, -510, 32767))
            for n in range(sets)
        ),
    )


def _history(*, first_close_ms: int, length: int) -> Candles:
    return some_candles(
        first_close_ms=first_close_ms, length=length, symbols=("BTCUSDT",), span_ms=60_000
    )


def _id(wish: Wish) -> str:
    return wish.wish_id
