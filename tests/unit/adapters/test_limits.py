"""The weight budget and the silence a venue demands."""

import pytest
from tests.fakes import FakeClock

from adapters.limits import Limits
from engine.errors import VenueBusyError

USED = "X-MBX-USED-WEIGHT-1M"


def limits_and_clock() -> tuple[Limits, FakeClock]:
    clock = FakeClock()
    clock.time_ms -= clock.time_ms % 60_000
    return Limits(clock, per_minute=100), clock


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
    await limits.take(99, urgent=True)

    with pytest.raises(VenueBusyError, match="used up") as refused:
        await limits.take(2, urgent=True)

    assert clock.now_ms() == start_ms
    assert refused.value.until_ms == start_ms + 60_000


async def test_an_order_weighs_nothing_and_passes_even_then() -> None:
    limits, _ = limits_and_clock()
    await limits.take(100, urgent=True)

    await limits.take(0, urgent=True)

    assert limits.used == 100


async def test_a_call_heavier_than_the_share_still_goes_alone() -> None:
    limits, clock = limits_and_clock()
    start_ms = clock.now_ms()

    await limits.take(90, urgent=False)

    assert clock.now_ms() == start_ms


def test_the_venues_header_is_believed_when_it_counts_more() -> None:
    limits, _ = limits_and_clock()

    limits.heard(200, {USED: "60"}, used_header=USED)
    limits.heard(200, {USED: "20"}, used_header=USED)

    assert limits.used == 60
    assert limits.room(10, share=0.7)
    assert not limits.room(11, share=0.7)


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
    limits.heard(200, {USED: "60"}, used_header=USED)

    clock.advance(60_000)

    assert limits.used == 0
