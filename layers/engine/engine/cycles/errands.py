"""Calls to the venue that run beside the ticks; each ends as events for a later tick."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.errors import CtsError, RefusedError
from engine.events import (
    Account,
    CancelUnclear,
    Event,
    FillsFetched,
    FundingFetched,
    InstrumentsRead,
    Prepared,
    PrepareRefused,
    SendSkipped,
    SendUnclear,
    SnapshotFailed,
    Unclear,
)
from engine.ledger import Order
from engine.ports import Clock, Exchange, Feed, Log
from engine.settings import Settings
from engine.values import Instrument

Work = Coroutine[Any, Any, Sequence[Event]]

_GIVEN_UP = "given up at the end of the burst"


@dataclass(slots=True)
class Errands:
    """Runs calls without holding up the tick; answers wait in `inbox`.

    At most one snapshot or account read and two fill fetches of a symbol are under way at a time.
    """

    exchange: Exchange
    clock: Clock
    log: Log
    inbox: list[Event] = field(default_factory=list)
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    followed: tuple[Instrument, ...] = ()

    def take(self) -> tuple[Event, ...]:
        """What was answered since the last call, in the order it arrived."""
        taken = tuple(self.inbox)
        self.inbox.clear()
        return taken

    def send(self, order: Order, settings: Settings) -> None:
        self._start(f"send {order.client_order_id}", self._send(order, settings))

    def follow(self, feed: Feed, instruments: Sequence[Instrument]) -> None:
        """Have the feed follow exactly these, again if it failed; nothing if it does already."""
        if tuple(instruments) != self.followed:
            self._start("follow", self._follow(feed, tuple(instruments)))

    def cancel(self, order: Order) -> None:
        work = self._or_given_up(
            partial(self.exchange.cancel, order), partial(self._cancel_unclear, order)
        )
        self._start(f"cancel {order.client_order_id}", work)

    def look_up(self, order: Order) -> None:
        work = self._or_given_up(
            partial(self.exchange.look_up, order), partial(self._unclear, order)
        )
        self._start(f"look up {order.client_order_id}", work)

    def snapshot(self, symbols: frozenset[str] | None) -> None:
        work = self._or_given_up(partial(self.exchange.snapshot, symbols), self._snapshot_failed)
        self._start("snapshot", work)

    def account(self) -> None:
        self._start("account", self._account())

    def fills(self, symbol: str, since_ms: int) -> None:
        """A second reading runs beside one that hangs: an entry not yet booked may be bare."""
        name = f"fills {symbol}"
        name = f"{name} again" if name in self.running else name
        self._start(name, self._fills(symbol, since_ms))

    def funding(self, since_ms: int) -> None:
        self._start("funding", self._funding(since_ms))

    def instruments(self, symbols: Collection[str]) -> None:
        self._start("instruments", self._instruments(symbols))

    def prepare(self, symbol: str, leverage: int, *, hedge: bool, cross: bool) -> None:
        work = self._prepare(symbol, leverage, hedge=hedge, cross=cross)
        self._start(f"prepare {symbol}", work)

    async def drain(self, timeout_ms: int) -> None:
        """Wait for what is under way; what does not end in time is given up as unclear."""
        tasks = set(self.running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout_ms / 1000)
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)

    def _start(self, name: str, work: Work) -> None:
        if name in self.running:
            work.close()
            return
        self.running[name] = asyncio.get_running_loop().create_task(self._run(name, work))

    async def _run(self, name: str, work: Work) -> None:
        try:
            self.inbox.extend(await work)
        except CtsError as error:
            self.log.fact("errand failed", {"errand": name, "error": str(error)})
        finally:
            del self.running[name]

    async def _send(self, order: Order, settings: Settings) -> Sequence[Event]:
        """Send what was claimed, unless its window has passed before its turn came.

        The loop may have been held up, or the whole worker frozen, between claim and turn.
        """
        now_ms = self.clock.now_ms()
        if now_ms > order.submitting_at_ms + settings.send_window_ms:
            return (SendSkipped(client_order_id=order.client_order_id, at_ms=now_ms),)
        sent = partial(self.exchange.send, order, valid_ms=settings.send_validity_ms)
        return await self._or_given_up(sent, partial(self._unclear, order))

    async def _or_given_up(
        self, ask: Callable[[], Coroutine[Any, Any, Event]], unclear: Callable[[], Event]
    ) -> Sequence[Event]:
        """The answer; a question that is given up gets one, too, or it would be open for ever."""
        try:
            return (await ask(),)
        except asyncio.CancelledError:
            self.inbox.append(unclear())
            raise

    def _unclear(self, order: Order) -> Event:
        return SendUnclear(
            client_order_id=order.client_order_id,
            why=Unclear.TIMEOUT,
            text=_GIVEN_UP,
            at_ms=self.clock.now_ms(),
        )

    def _cancel_unclear(self, order: Order) -> Event:
        return CancelUnclear(
            client_order_id=order.client_order_id, text=_GIVEN_UP, at_ms=self.clock.now_ms()
        )

    def _snapshot_failed(self) -> Event:
        return SnapshotFailed(text=_GIVEN_UP, at_ms=self.clock.now_ms())

    async def _follow(self, feed: Feed, instruments: tuple[Instrument, ...]) -> Sequence[Event]:
        await feed.follow(instruments, private=True)
        self.followed = instruments
        return ()

    async def _account(self) -> Sequence[Event]:
        account: Account = await self.exchange.account()
        return (account,)

    async def _fills(self, symbol: str, since_ms: int) -> Sequence[Event]:
        asked_ms = self.clock.now_ms()
        fills = await self.exchange.fills(symbol, since_ms=since_ms)
        done = FillsFetched(
            symbol=symbol, since_ms=since_ms, asked_ms=asked_ms, at_ms=self.clock.now_ms()
        )
        return (*fills, done)

    async def _funding(self, since_ms: int) -> Sequence[Event]:
        asked_ms = self.clock.now_ms()
        paid = await self.exchange.funding(since_ms=since_ms)
        done = FundingFetched(since_ms=since_ms, asked_ms=asked_ms, at_ms=self.clock.now_ms())
        return (*paid, done)

    async def _instruments(self, symbols: Collection[str]) -> Sequence[Event]:
        found = await self.exchange.instruments()
        ours = tuple(each for each in found if each.symbol in symbols)
        return (InstrumentsRead(instruments=ours, at_ms=self.clock.now_ms()),)

    async def _prepare(
        self, symbol: str, leverage: int, *, hedge: bool, cross: bool
    ) -> Sequence[Event]:
        try:
            await self.exchange.prepare(symbol, leverage=leverage, hedge=hedge, cross=cross)
        except RefusedError as error:
            refused = PrepareRefused(symbol=symbol, text=str(error), at_ms=self.clock.now_ms())
            return (refused,)
        return (Prepared(symbol=symbol, leverage=leverage, at_ms=self.clock.now_ms()),)
