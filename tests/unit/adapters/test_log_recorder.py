"""The log as operators see it: packed, rate-capped, without secrets, and never in a tick's way."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from pynamodb.exceptions import PutError
from tests.fakes import FakeClock

from adapters.monitoring.entries import Category, Entry, Level, safe_values
from adapters.monitoring.packets import MAX_SPAN_MS
from adapters.monitoring.recorder import ALIKE, HELD, MINUTE_MS, URGENT_MS, Recorder


@dataclass(slots=True)
class NotedRows:
    """A table that notes its rows; `fails` so many times first, `hangs` until released."""

    rows: list[tuple[str, tuple[Entry, ...]]] = field(default_factory=list)
    fails: int = 0
    hangs: threading.Event | None = None

    def __call__(self, stream: str, entries: Sequence[Entry], *, now_ms: int) -> None:
        if self.hangs is not None:
            self.hangs.wait(5)
        if self.fails:
            self.fails -= 1
            raise PutError("no")
        self.rows.append((stream, tuple(entries)))

    def told(self) -> list[str]:
        return [entry.message for _, entries in self.rows for entry in entries]

    def count(self) -> int:
        return sum(entry.count for _, entries in self.rows for entry in entries)


def an_entry(clock: FakeClock, message: str = "m", level: Level = Level.INFO) -> Entry:
    return Entry(
        at_ms=clock.now_ms(),
        level=level,
        category=Category.SYSTEM,
        message=message,
        values={},
        connection_id="c1",
    )


def test_what_is_told_within_a_minute_is_one_row() -> None:
    clock, table = FakeClock(), NotedRows()
    recorder = Recorder(table, clock)

    for number in range(30):
        recorder.add(an_entry(clock, f"m{number}"))
        clock.advance(1_000)
    recorder.flush()

    assert len(table.rows) == 1
    assert table.told() == [f"m{number}" for number in range(30)]


def test_a_problem_is_written_at_once_and_a_fact_is_not() -> None:
    clock, table = FakeClock(), NotedRows()
    recorder = Recorder(table, clock)
    clock.advance(URGENT_MS)

    recorder.add(an_entry(clock))
    quiet = recorder._running
    recorder.add(an_entry(clock, level=Level.ERROR))
    at_once = recorder._running
    assert at_once is not None
    at_once.result(5)

    assert quiet is None
    assert len(table.rows) == 1


def test_a_storm_costs_no_more_than_six_rows_a_minute_and_every_entry_is_counted() -> None:
    clock, table = FakeClock(), NotedRows()
    recorder = Recorder(table, clock)

    for number in range(5_000):
        recorder.add(an_entry(clock, f"kind {number % 300}", Level.ERROR))
        if number % 50 == 0:
            recorder.flush()
        clock.advance(12)  # 5,000 entries in one minute
    assert len(table.rows) == 6
    clock.advance(MINUTE_MS)
    recorder.flush()

    assert table.count() == 5_000
    assert max(len(entries) for _, entries in table.rows) <= HELD + 1


def test_many_of_a_kind_keep_ten_and_a_count() -> None:
    clock, table = FakeClock(), NotedRows()
    recorder = Recorder(table, clock)

    for _ in range(1_000):
        recorder.add(an_entry(clock))
    recorder.flush()

    (row,) = table.rows
    assert [entry.count for entry in row[1]] == [1] * (ALIKE - 1) + [1_000 - ALIKE + 1]


def test_a_table_that_hangs_holds_nobody_up() -> None:
    clock, table = FakeClock(), NotedRows(hangs=threading.Event())
    recorder = Recorder(table, clock)
    clock.advance(URGENT_MS)
    assert table.hangs is not None

    began = time.perf_counter()
    for _ in range(2_000):
        recorder.add(an_entry(clock, level=Level.ERROR))
    took = time.perf_counter() - began
    table.hangs.set()
    recorder.flush()

    assert took < 1  # each of them would have waited five seconds


def test_a_table_that_fails_is_tried_again_later_and_nothing_is_lost() -> None:
    clock, table = FakeClock(), NotedRows(fails=2)
    recorder = Recorder(table, clock)

    recorder.add(an_entry(clock, "first"))
    recorder.flush()
    recorder.add(an_entry(clock, "second"))
    recorder.flush()  # too soon after the failure: not tried
    assert table.fails == 1
    for _ in range(2):
        clock.advance(10 * MINUTE_MS)
        recorder.flush()

    assert table.told() == ["first", "second"]


def test_an_entry_that_waited_very_long_is_told_where_readers_look() -> None:
    clock, table = FakeClock(), NotedRows()
    recorder = Recorder(table, clock)
    told_ms = clock.now_ms()
    recorder.add(an_entry(clock))
    clock.advance(MAX_SPAN_MS + 5)

    recorder.flush()

    (entry,) = table.rows[0][1]
    assert entry.at_ms == told_ms + 5
    assert entry.values == {"told_ms": str(told_ms)}


@pytest.mark.parametrize(
    "values",
    [
        {"apiKey": "s3cr3t"},
        {"url": "https://x/y?symbol=BTC&signature=s3cr3t&timestamp=1"},
        {"text": "Authorization: Bearer s3cr3t"},
        {"error": '{"api_secret": "s3cr3t"}'},
        {"text": "https://api.telegram.org/bot123:s3cr3t/sendMessage"},
    ],
)
def test_no_secret_is_kept(values: dict[str, object]) -> None:
    assert "s3cr3t" not in str(safe_values(values))


def test_an_ordinary_value_is_kept_as_it_is() -> None:
    values = {"order": "cts-1", "text": "token bucket is empty: 12 of 20", "price": 1.5}

    assert safe_values(values) == {name: str(value) for name, value in values.items()}
