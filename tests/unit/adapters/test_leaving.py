"""An order leaves soon after its claim by either clock, or not at all."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.leaving import Leaving
from adapters.limits import Limits
from adapters.names import OrderNames
from adapters.opener import dialect_of
from adapters.wire import Wire
from engine.errors import VenueBusyError

WINDOW_MS = 300


class TwoClocks(FakeClock):
    """A machine whose clocks may part."""

    monotonic = 5_000

    def monotonic_ms(self) -> int:
        return self.monotonic


class SlowWire:
    """A wire that keeps a request waiting for its turn."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self.wait = wait
        self.made: list[str] = []

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
        before: Callable[[], None] | None = None,
    ) -> Any:
        self.wait()
        if before is not None:
            before()
        self.made.append(method)

    def client(self) -> Any:
        raise AssertionError("no client is asked for")


@pytest.mark.parametrize(
    ("method", "passed_ms", "monotonic_ms", "leaves"),
    [
        ("privatePostTradeOrder", WINDOW_MS, WINDOW_MS, True),
        ("privatePostTradeOrder", WINDOW_MS + 1, 0, False),  # frozen, its monotonic clock too
        ("privatePostTradeOrder", -5_000, WINDOW_MS + 1, False),  # set back meanwhile
        ("privatePostTradeCancelOrder", 9_000, 9_000, True),
        ("privateGetAccountPositions", 9_000, 9_000, True),
    ],
)
async def test_an_order_whose_turn_comes_too_late_by_either_clock_does_not_leave(
    method: str, passed_ms: int, monotonic_ms: int, leaves: bool
) -> None:
    clock = TwoClocks()

    def wait() -> None:
        clock.time_ms += passed_ms
        clock.monotonic += monotonic_ms

    wire = SlowWire(wait)
    leaving = Leaving(
        wire=wire,
        names=OrderNames(),
        clock=clock,
        by_ms=clock.now_ms() + WINDOW_MS,
        by_monotonic_ms=clock.monotonic_ms() + WINDOW_MS,
    )

    if leaves:
        await leaving.call(method)
    else:
        with pytest.raises(VenueBusyError, match="not sent"):
            await leaving.call(method)

    assert wire.made == [method] * leaves


async def test_the_clocks_are_looked_at_when_the_turn_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed: list[str] = []

    async def take(limits: Limits, *given: Any, **named: Any) -> None:
        passed.append("turn")

    def before() -> None:
        passed.append("clocks")
        raise VenueBusyError("not sent")

    monkeypatch.setattr(Limits, "take", take)
    access = Access(venue="okx", network=Network.LIVE)
    wire = Wire(access, FakeClock(), dialect_of("okx", "perpetual_futures"))

    with pytest.raises(VenueBusyError):
        await wire.call("privatePostTradeOrder", before=before)

    assert passed == ["turn", "clocks"]
