"""Calls beside the ticks that are given up when their burst ends."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from tests.fakes import FakeClock

from engine.cycles.errands import Errands
from engine.events import (
    CancelUnclear,
    Event,
    FillsFetched,
    SendUnclear,
    SnapshotFailed,
    Unclear,
)
from engine.ledger import Order, OrderType, Purpose
from engine.ports import Exchange
from engine.values import Side


class _Silent:
    """A venue that never answers."""

    async def look_up(self, order: Order) -> Event:
        return await self._never()

    async def cancel(self, order: Order) -> Event:
        return await self._never()

    async def snapshot(self, symbols: frozenset[str] | None) -> Event:
        del symbols
        return await self._never()

    async def _never(self) -> Event:
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


class _Log:
    def fact(self, name: str, values: Mapping[str, object]) -> None: ...

    def problem(self, name: str, values: Mapping[str, object]) -> None: ...


def an_order() -> Order:
    return Order(
        client_order_id="ctss000" + "a" * 25,
        position_id="a" * 25,
        purpose=Purpose.STOP,
        attempt=0,
        symbol="BTCUSDT",
        side=Side.LONG,
        order_type=OrderType.STOP_MARKET,
        quantity=Decimal(1),
    )


async def test_a_snapshot_given_up_at_the_end_of_a_burst_has_failed() -> None:
    errands = Errands(cast(Exchange, _Silent()), FakeClock(), _Log())
    errands.snapshot(None)
    await asyncio.sleep(0)

    await errands.drain(1)

    (failed,) = errands.take()
    assert isinstance(failed, SnapshotFailed)


async def test_a_look_up_and_a_cancel_given_up_at_the_end_of_a_burst_are_told_as_unclear() -> None:
    errands = Errands(cast(Exchange, _Silent()), FakeClock(), _Log())
    errands.look_up(an_order())
    errands.cancel(an_order())
    await asyncio.sleep(0)

    await errands.drain(1)

    looked, cancelled = sorted(errands.take(), key=lambda event: type(event).__name__, reverse=True)
    assert isinstance(looked, SendUnclear)
    assert looked.why is Unclear.TIMEOUT
    assert isinstance(cancelled, CancelUnclear)
    assert looked.client_order_id == cancelled.client_order_id == an_order().client_order_id
    assert not errands.running


class _HangingOnce:
    """A venue whose first reading of fills never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def fills(self, symbol: str, *, since_ms: int) -> tuple[()]:
        self.asked += 1
        if self.asked == 1:
            await asyncio.Event().wait()
        return ()


async def test_fills_are_read_beside_a_reading_that_hangs_but_never_thrice_at_once() -> None:
    venue = _HangingOnce()
    errands = Errands(cast(Exchange, venue), FakeClock(), _Log())

    errands.fills("BTCUSDT", 7)
    await asyncio.sleep(0)
    errands.fills("BTCUSDT", 7)
    errands.fills("BTCUSDT", 7)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (read,) = errands.take()
    assert isinstance(read, FillsFetched)
    assert venue.asked == 2
    await errands.drain(1)
