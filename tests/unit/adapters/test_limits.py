"""The weight budget and the silence a venue demands."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from tests.fakes import FakeClock

from adapters.leaving import is_order
from adapters.limit_answers import OrderLimit
from adapters.limits import Limits, Notice
from adapters.venues.binance import BinanceUsdm
from adapters.venues.okx import OkxSwap as Okx
from adapters.wire import limits_of
from engine.errors import RestrictedLocationError, VenueBusyError

USED = "X-MBX-USED-WEIGHT-1M"


def limits_and_clock() -> tuple[Limits, FakeClock]:
    clock = FakeClock()
    clock.time_ms -= clock.time_ms % 60_000
    return Limits(clock, per_minute=100), clock


async def use(limits: Limits, weight: int) -> None:
    """Use so much in calls of which none is heavy."""
    while weight > 0:
        await limits.take(min(weight, 20), urgent=True)
        weight -= 20


async def test_a_patient_call_waits_for_the_next_minute_once_its_share_is_used() -> None:
    limits, clock = limits_and_clock()
    start_ms = clock.now_ms()
    await limits.take(70, urgent=False)

    await limits.take(10, urgent=False)

    assert clock.now_ms() == start_ms + 60_000
    assert limits.used == 10


async def test_an_urgent_call_never_waits_and_is_refused_past_the_limit() -> None:
    limits, clock = limits_and_clock()
    start_ms = clock.now_ms()
    await use(limits, 99)

    with pytest.raises(VenueBusyError, match="used up") as refused:
        await limits.take(2, urgent=True)

    assert clock.now_ms() == start_ms
    assert refused.value.until_ms == start_ms + 60_000


async def test_heavy_calls_leave_a_fifth_of_the_minute_to_light_ones() -> None:
    clock = FakeClock()
    clock.time_ms -= clock.time_ms % 60_000
    limits = Limits(clock, per_minute=2400)
    for _ in range(48):
        await limits.take(40, urgent=True)

    with pytest.raises(VenueBusyError, match="used up"):
        await limits.take(40, urgent=True)
    for _ in range(16):
        await limits.take(30, urgent=True)

    assert limits.used == 2400
    with pytest.raises(VenueBusyError, match="used up"):
        await limits.take(1, urgent=True)


async def test_an_order_weighs_nothing_and_passes_even_then() -> None:
    limits, _ = limits_and_clock()
    await use(limits, 100)

    await limits.take(0, urgent=True)

    assert limits.used == 100


async def test_a_call_heavier_than_the_share_still_goes_alone() -> None:
    limits, clock = limits_and_clock()
    start_ms = clock.now_ms()

    await limits.take(90, urgent=False)

    assert clock.now_ms() == start_ms


def test_the_venues_header_is_believed_when_it_counts_more() -> None:
    limits, clock = limits_and_clock()
    clock.advance(5_000)

    limits.heard(200, {USED: "60"}, used_header=USED)
    limits.heard(200, {USED: "20"}, used_header=USED)

    assert limits.used == 60
    assert limits.room(10, share=0.7)
    assert not limits.room(11, share=0.7)


async def test_a_minute_that_the_venue_has_not_ended_yet_does_not_use_up_ours() -> None:
    limits, clock = limits_and_clock()
    await use(limits, 100)
    clock.advance(60_000)
    await limits.take(1, urgent=True)

    clock.advance(4_999)
    limits.heard(200, {USED: "101"}, used_header=USED)

    assert limits.used == 1


@pytest.mark.parametrize("status", [418, 429])
async def test_nothing_is_sent_while_the_venue_demands_silence(status: int) -> None:
    limits, clock = limits_and_clock()
    limits.heard(status, {"Retry-After": "30"}, used_header=USED)

    clock.advance(29_999)
    with pytest.raises(VenueBusyError, match="silence") as refused:
        await limits.take(0, urgent=True)
    clock.advance(1)
    await limits.take(0, urgent=True)

    assert refused.value.until_ms == clock.now_ms()


def test_a_new_minute_starts_with_nothing_used() -> None:
    limits, clock = limits_and_clock()
    clock.advance(5_000)
    limits.heard(200, {USED: "60"}, used_header=USED)

    clock.advance(60_000)

    assert limits.used == 0


async def test_a_full_count_of_orders_stops_orders_alone() -> None:
    clock = FakeClock()
    clock.time_ms -= clock.time_ms % 60_000
    counted = {"X-Orders-10S": OrderLimit(interval_ms=10_000, most=300)}
    limits = Limits(clock, per_minute=100, order_limits=counted)
    limits.heard(200, {"X-Orders-10S": "300"}, used_header=USED)

    await limits.take(1, urgent=True)
    with pytest.raises(VenueBusyError, match="no more orders"):
        await limits.take(0, urgent=True, is_order=True)
    clock.advance(10_000)
    await limits.take(0, urgent=True, is_order=True)


async def test_where_nobody_is_served_nothing_is_tried_again_for_minutes() -> None:
    limits, clock = limits_and_clock()
    limits.heard(451, {}, used_header=USED, body="unavailable from a restricted location")

    for _ in range(2):
        with pytest.raises(RestrictedLocationError, match="restricted location"):
            await limits.take(0, urgent=True)
        clock.advance(299_999)
    clock.advance(2)
    await limits.take(0, urgent=True)


def test_a_shorter_silence_never_ends_a_longer_one() -> None:
    limits, clock = limits_and_clock()
    limits.silence(clock.now_ms() + 50_000)
    limits.silence(clock.now_ms() + 10_000)

    assert limits.silent_until_ms == clock.now_ms() + 50_000


# --- shared by workers ------------------------------------------------------------------------


@dataclass(slots=True)
class FakeBoard:
    """A board in memory, which counts how often it is used."""

    notice: Notice = field(default_factory=Notice)
    reads: int = 0
    writes: int = 0

    async def read(self, minute: int) -> Notice:
        self.reads += 1
        return self.notice

    async def silence(self, until_ms: int, reason: str) -> None:
        self.writes += 1
        if until_ms > self.notice.silent_until_ms:
            self.notice = replace(self.notice, silent_until_ms=until_ms, reason=reason)

    async def add(self, minute: int, weight: int) -> None:
        self.writes += 1
        self.notice = replace(self.notice, used=self.notice.used + weight)


def workers(number: int = 2) -> tuple[list[Limits], FakeBoard, FakeClock]:
    clock, board = FakeClock(), FakeBoard()
    clock.time_ms -= clock.time_ms % 60_000
    return [Limits(clock, per_minute=100, board=board) for _ in range(number)], board, clock


async def test_a_ban_of_one_worker_silences_a_new_one_before_its_first_call() -> None:
    (banned, other), _, clock = workers()
    banned.heard(418, {"Retry-After": "30"}, used_header=USED)
    await banned.settle()

    with pytest.raises(VenueBusyError, match="it answered 418") as refused:
        await other.take(0, urgent=True)

    assert refused.value.until_ms == clock.now_ms() + 30_000


async def test_a_worker_under_way_learns_of_a_ban_in_seconds() -> None:
    (banned, other), _, clock = workers()
    await other.take(1, urgent=True)
    banned.heard(429, {"Retry-After": "30"}, used_header=USED)
    await banned.settle()
    clock.advance(10_001)

    await other.take(1, urgent=True)  # it reads beside this call, so that no order waits for it
    await other.settle()

    with pytest.raises(VenueBusyError):
        await other.take(0, urgent=True)


async def test_a_worker_that_stood_still_asks_before_it_calls() -> None:
    (banned, other), _, clock = workers()
    await other.take(1, urgent=True)
    clock.advance(50_000)
    banned.heard(429, {"Retry-After": "300"}, used_header=USED)
    await banned.settle()
    clock.advance(10_001)

    with pytest.raises(VenueBusyError):
        await other.take(0, urgent=True)


async def test_whoever_is_told_of_a_short_ban_learns_of_a_longer_one() -> None:
    (first, second), board, clock = workers()
    await second.take(0, urgent=True)
    first.heard(418, {"Retry-After": "300"}, used_header=USED)
    await first.settle()
    second.heard(429, {"Retry-After": "3"}, used_header=USED)
    await second.settle()

    assert second.silent_until_ms == board.notice.silent_until_ms == clock.now_ms() + 300_000


async def test_the_weight_of_all_workers_is_one_budget() -> None:
    (first, second), _, _ = workers()
    await first.take(60, urgent=True)
    await first.settle()
    await second.take(5, urgent=True)

    assert second.used == 65
    assert not second.room(10, share=0.7)


async def test_many_calls_cost_few_readings_and_writes() -> None:
    (busy, _), board, clock = workers()
    for _ in range(59):
        for _ in range(10):
            await busy.take(0, urgent=True)
        await busy.take(1, urgent=True)
        await busy.settle()
        clock.advance(1_000)

    assert board.reads <= 6
    assert board.writes <= 12
    assert board.notice.used >= 50


async def test_a_worker_that_only_listens_writes_nothing() -> None:
    (quiet, _), board, clock = workers()
    for _ in range(10):
        await quiet.take(0, urgent=True)
        clock.advance(5_000)
    await quiet.settle()

    assert board.writes == 0


async def test_a_venue_that_counts_in_short_windows_is_silent_for_one_of_them() -> None:
    clock = FakeClock()
    okx, binance = limits_of(Okx(), clock), limits_of(BinanceUsdm(), clock)
    for limits in (okx, binance):
        limits.heard(429, {}, used_header="")

    assert okx.silent_until_ms == clock.now_ms() + 2_000
    assert binance.silent_until_ms == clock.now_ms() + 60_000


async def test_an_order_does_not_wait_for_a_board_that_does_not_answer() -> None:
    class DeafBoard(FakeBoard):
        async def read(self, minute: int) -> Notice:
            await asyncio.Event().wait()
            raise AssertionError("it never answers")

    limits = Limits(FakeClock(), per_minute=100, board=DeafBoard())

    async with asyncio.timeout(1):
        await limits.take(0, urgent=True, is_order=True)


@pytest.mark.parametrize(
    ("method", "counted"),
    [
        ("fapiPrivatePostOrder", True),
        ("fapiPrivatePostAlgoOrder", True),
        ("privatePostV5OrderCreate", True),
        ("privatePostTradeOrderAlgo", True),
        ("create_order", True),
        ("unified_create_order", True),
        ("fapiPrivateDeleteOrder", False),
        ("privatePostV5OrderCancel", False),
        ("privatePostTradeCancelOrder", False),
        ("fapiPrivateGetOpenOrders", False),
        ("fapiPrivatePostLeverage", False),
        ("cancel_order", False),
        ("unified_cancel_order", False),
        ("unified_fetch_open_orders", False),
    ],
)
def test_only_new_orders_count_as_orders(method: str, counted: bool) -> None:
    assert is_order(method) is counted
