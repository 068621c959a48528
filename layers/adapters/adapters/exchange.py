"""The private side of one account on one venue, in the engine's words."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from adapters.failures import VenueUnclearError, understood
from adapters.history import Pace, klines
from adapters.leaving import Leaving
from adapters.venues import Dialect, ListsApart
from adapters.wire import Wire
from engine.errors import (
    CredentialsError,
    CtsError,
    RefusedError,
    RetryableError,
    VenueBusyError,
    VenueRefusedError,
)
from engine.events import (
    NOTHING_READ,
    Account,
    CancelUnclear,
    Funding,
    KeyRights,
    NotFound,
    OrderUpdate,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    Unclear,
    VenueOrder,
)
from engine.ledger import Fill, Order, OrderState
from engine.market import Candles
from engine.ports import Clock
from engine.values import Instrument

# An answer later than the request's own validity and this much is not waited for.
_ANSWER_GRACE_MS = 500
_CANCEL_VALID_MS = 5_000
_MODE_AGAIN_MS = 25_000
# What an order may lose between its claim and its signature: a fraction of the send window.
_READY_MS = 300


class CcxtExchange:
    """`engine.ports.Exchange` over ccxt; see there for what each method promises.

    `hedge` is the account's position mode if it is known; else it is read once, when first
    needed.
    """

    def __init__(
        self,
        wire: Wire,
        dialect: Dialect,
        clock: Clock,
        *,
        hedge: bool | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._wire = wire
        self._dialect = dialect
        self._clock = clock
        self._hedge = hedge
        self._mode_read_ms = 0 if hedge is None else clock.now_ms()
        self._prepared_hedge = hedge
        self._pace = pace or Pace()
        self._known: dict[str, Instrument] = {}
        self._whole = NOTHING_READ

    def recall(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._wire.names.recall(order)
        self._whole = NOTHING_READ
        self._hedge = self._prepared_hedge = None  # who had the account last may have changed it

    async def instruments(self) -> tuple[Instrument, ...]:
        await self._wire.set_clock()
        found = await understood(self._dialect.instruments(self._wire, ranked=True))
        self._known = {each.symbol: each for each in found}
        return found

    async def prepare(self, symbol: str, *, leverage: int, hedge: bool, cross: bool) -> None:
        await self._wire.set_clock()
        await understood(
            self._dialect.prepare(self._wire, symbol, leverage=leverage, hedge=hedge, cross=cross)
        )
        self._hedge = self._prepared_hedge = hedge

    async def send(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        self._wire.names.recall(order)
        wire = self._leaving()
        try:
            hedge = await self._ready_to_send()
            self._refuse_entry_in_another_mode(order, hedge=hedge)
        except CtsError as error:
            return self._rejected(order, error)  # nothing of the order was sent yet
        try:
            async with asyncio.timeout((valid_ms + _ANSWER_GRACE_MS) / 1000):
                answer = self._dialect.place(wire, order, hedge=hedge, valid_ms=valid_ms)
                return self._witnessed(await understood(answer))
        except TimeoutError:
            return self._unclear(order, Unclear.TIMEOUT, "no answer in time")
        except VenueUnclearError as error:
            return self._unclear(order, error.why, str(error))
        except VenueRefusedError as error:
            self._mode_read_ms = 0  # the next snapshot reads it: the reason may lie there
            if self._dialect.is_duplicate(error.code):
                return await self._already_there(order, str(error))
            return self._rejected(order, error)
        except (VenueBusyError, CredentialsError) as error:
            return self._rejected(order, error)

    async def cancel(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear:
        self._wire.names.recall(order)
        try:
            await self._wire.set_clock()
            update = await understood(
                self._dialect.cancel(self._wire, order, valid_ms=_CANCEL_VALID_MS)
            )
        except (RetryableError, VenueRefusedError, CredentialsError) as error:
            return CancelUnclear(
                client_order_id=order.client_order_id,
                text=str(error),
                at_ms=self._clock.now_ms(),
            )
        return update or self._not_found(order)

    async def look_up(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        self._wire.names.recall(order)
        try:
            await self._wire.set_clock()
            update = await understood(self._dialect.find(self._wire, order))
            if update is not None:
                self._witnessed(update)
        except (RetryableError, VenueRefusedError, CredentialsError) as error:
            why = error.why if isinstance(error, VenueUnclearError) else Unclear.VENUE
            return self._unclear(order, why, str(error))
        return update or self._not_found(order)

    async def snapshot(self, symbols: frozenset[str] | None = None) -> Snapshot | SnapshotFailed:
        asked_ms = self._clock.now_ms()
        try:
            await self._wire.set_clock()
            hedge = await self._mode_now()  # so that no send has to ask for it
            orders, part = await understood(self._open_orders(symbols))
            positions = await understood(self._dialect.positions(self._wire))
        except (RetryableError, VenueRefusedError, CredentialsError) as error:
            return SnapshotFailed(text=str(error), at_ms=self._clock.now_ms())
        found = Snapshot(
            positions=positions,
            orders=orders,
            asked_ms=asked_ms,
            at_ms=self._clock.now_ms(),
            hedge=hedge,
        )
        if part is not None:
            return found.of_symbols(part, self._whole)
        self._whole = found
        return found

    async def fills(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        await self._wire.set_clock()
        found = await understood(self._dialect.fills(self._wire, symbol, since_ms=since_ms))
        self._wire.witness.rest_told(found)
        return found

    async def skew_ms(self) -> int:
        return await understood(self._wire.skew_ms())

    async def funding(self, *, since_ms: int) -> tuple[Funding, ...]:
        await self._wire.set_clock()
        return await understood(self._dialect.funding(self._wire, since_ms=since_ms))

    async def rights(self) -> KeyRights:
        await self._wire.set_clock()
        return await understood(self._dialect.rights(self._wire))

    async def account(self) -> Account:
        await self._wire.set_clock()
        now_ms = self._clock.now_ms()
        return await understood(self._dialect.account(self._wire, now_ms=now_ms))

    async def history(self, symbol: str, *, span_ms: int, start_ms: int, end_ms: int) -> Candles:
        return await understood(
            klines(
                self._wire,
                self._dialect,
                self._clock,
                await self._instrument(symbol),
                span_ms=span_ms,
                start_ms=start_ms,
                end_ms=end_ms,
                pace=self._pace,
            )
        )

    async def close(self) -> None:
        await self._wire.close()

    async def _instrument(self, symbol: str) -> Instrument:
        if symbol not in self._known:
            found = await understood(self._dialect.instruments(self._wire, ranked=False))
            self._known = {each.symbol: each for each in found}
        if symbol not in self._known:
            raise RefusedError(f"symbol must be tradable on the venue, was {symbol!r}")
        return self._known[symbol]

    async def _position_mode(self) -> bool:
        if self._hedge is None:
            self._hedge = await understood(self._dialect.is_hedged(self._wire))
        return self._hedge

    async def _open_orders(
        self, symbols: frozenset[str] | None
    ) -> tuple[tuple[VenueOrder, ...], frozenset[str] | None]:
        """Open orders, and of which symbols: of those asked for if that weighs less, or of all."""
        dialect = self._dialect
        if symbols is None or not isinstance(dialect, ListsApart):
            return await dialect.open_orders(self._wire), None
        if not 0 < len(symbols) <= dialect.listed_apart:
            return await dialect.open_orders(self._wire), None
        return await dialect.open_orders_of(self._wire, symbols), symbols

    async def _mode_now(self) -> bool | None:
        """The position mode, read again now and then: somebody may flip it; None in between."""
        now_ms = self._clock.now_ms()
        if self._hedge is not None and now_ms - self._mode_read_ms < _MODE_AGAIN_MS:
            return None
        self._hedge = await understood(self._dialect.is_hedged(self._wire))
        self._mode_read_ms = now_ms
        return self._hedge

    def _refuse_entry_in_another_mode(self, order: Order, *, hedge: bool) -> None:
        """Positions of both sides would cancel each other out; exits go in whatever mode it is."""
        if not order.reduce_only and self._prepared_hedge not in (None, hedge):
            raise VenueRefusedError("not sent: somebody changed the account's position mode")

    def _leaving(self) -> Leaving:
        """The wire for an order whose turn is now."""
        return Leaving(
            wire=self._wire,
            names=self._wire.names,
            clock=self._clock,
            by_ms=self._clock.now_ms() + _READY_MS,
            by_monotonic_ms=self._clock.monotonic_ms() + _READY_MS,
        )

    async def _ready_to_send(self) -> bool:
        """The position mode; raises rather than let an order leave long after it was claimed."""
        try:
            async with asyncio.timeout(_READY_MS / 1000):
                await self._wire.set_clock()
                return await self._position_mode()
        except TimeoutError:
            raise VenueBusyError("not sent: clock and mode could not be read in time") from None

    async def _already_there(self, order: Order, text: str) -> OrderUpdate | SendUnclear:
        """The venue holds an order of that id: then ours arrived before, and is looked up."""
        found = await self.look_up(order)
        if isinstance(found, NotFound):
            return self._unclear(order, Unclear.VENUE, f"refused as a duplicate, not found: {text}")
        return found

    def _witnessed(self, update: OrderUpdate) -> OrderUpdate:
        """The same; the stream of the account must tell of it too."""
        self._wire.witness.rest_told((update,))
        return update

    def _rejected(self, order: Order, error: CtsError) -> OrderUpdate:
        return OrderUpdate(
            client_order_id=order.client_order_id,
            state=OrderState.REJECTED,
            filled_quantity=Decimal(0),
            reason=str(error),
            at_ms=self._clock.now_ms(),
        )

    def _unclear(self, order: Order, why: Unclear, text: str) -> SendUnclear:
        return SendUnclear(
            client_order_id=order.client_order_id,
            why=why,
            text=text,
            at_ms=self._clock.now_ms(),
        )

    def _not_found(self, order: Order) -> NotFound:
        return NotFound(client_order_id=order.client_order_id, at_ms=self._clock.now_ms())
