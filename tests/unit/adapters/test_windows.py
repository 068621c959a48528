"""Calls that can wait are spread where a venue counts them in short windows."""

import pytest
from tests.fakes import FakeClock

from adapters.limits import Limits
from adapters.venues.okx import OkxSwap
from adapters.windows import Window
from adapters.wire import limits_of

START_MS = 1_700_000_000_000


@pytest.mark.parametrize("weight", [1, 2, 4])
async def test_no_two_seconds_see_more_than_their_share(weight: int) -> None:
    clock = FakeClock(START_MS)
    limits = limits_of(OkxSwap(), clock)  # forty in two seconds, thirty for who can wait
    sent = []
    for _ in range(100 // weight):
        await limits.take(weight, urgent=False)
        sent.append(clock.now_ms())

    for at_ms in sent:
        inside = sum(at_ms <= each < at_ms + 2_000 for each in sent)
        assert inside * weight <= 30
    assert sent[-1] - START_MS < 8_000  # and no slower than that


async def test_who_cannot_wait_does_not_but_counts() -> None:
    clock = FakeClock(START_MS)
    limits = limits_of(OkxSwap(), clock)
    for _ in range(30):
        await limits.take(1, urgent=True)
    at_once = clock.now_ms()
    await limits.take(1, urgent=False)

    assert at_once == START_MS
    assert clock.now_ms() == START_MS + 2_000


async def test_where_only_minutes_count_nothing_is_spread() -> None:
    clock = FakeClock(START_MS)
    limits = Limits(clock, per_minute=2_400)
    for _ in range(100):
        await limits.take(10, urgent=False)

    assert clock.now_ms() == START_MS


async def test_what_is_heavier_than_a_window_waits_for_an_empty_one() -> None:
    clock = FakeClock(START_MS)
    window = Window(clock, length_ms=2_000, most=10)
    await window.wait(50)
    window.count(50)
    first = clock.now_ms()
    await window.wait(1)

    assert (first, clock.now_ms()) == (START_MS, START_MS + 2_000)
