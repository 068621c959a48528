"""The machine's clock wakes on time, and never early."""

import time

from adapters.clock import SystemClock


async def test_a_sleeper_can_wake_within_a_millisecond_and_never_wakes_early() -> None:
    clock = SystemClock()
    late_ms = []
    for _ in range(20):
        deadline = clock.now_ms() + 7
        await clock.sleep_until_ms(deadline)
        late_ms.append(time.time_ns() / 1e6 - deadline)

    assert 0 <= min(late_ms) < 1  # others may hold the processor, so only the best one tells


async def test_a_deadline_that_has_passed_is_not_waited_for() -> None:
    clock = SystemClock()
    before = clock.monotonic_ms()

    await clock.sleep_until_ms(clock.now_ms() - 60_000)

    assert clock.monotonic_ms() - before < 1000


def test_the_clocks_agree_on_their_units() -> None:
    clock = SystemClock()

    milliseconds, microseconds = clock.now_ms(), clock.now_us()

    assert 0 <= microseconds - milliseconds * 1000 < 1_000_000
    assert abs(milliseconds - time.time() * 1000) < 1000
