"""What differs between venues, one small module each, behind one protocol.

`Dialect` is what every venue must have. What only some have are small protocols of their own,
which a dialect fulfils by having the attribute: `CountsOrders`, `CountsInWindows`, `ListsApart`,
`TellsTime`, `TellsElsewhere`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, runtime_checkable

from adapters.failures import ErrorWords
from adapters.limit_answers import OrderLimit
from adapters.names import OrderNames
from engine.errors import VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order
from engine.values import Instrument, Side

Row = Mapping[str, Any]


class Trade(NamedTuple):
    """A public trade as the venue prints it.

    `trade_id` rises with time within a symbol. Where a venue numbers the takers' orders only,
    trades of one number stand in the order in which they are told. Where it numbers what it prints
    without a hole, `first_id` and `last_id` are the numbers this message stands for (both its own,
    unless it sums up several), so that a loss is seen; else they are 0.
    """

    symbol: str
    event_ms: int
    price: str
    quantity: str
    trade_id: int
    first_id: int = 0
    last_id: int = 0
    is_buyer_maker: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether a market can have made it; what is not is dropped, as if never printed."""
        return is_price(self.price) and is_volume(self.quantity)


class TradesGoneError(VenueRefusedError):
    """The venue tells its latest trades only, wholly those since `told_from_ms`."""

    def __init__(self, message: str, *, told_from_ms: int) -> None:
        super().__init__(message)
        self.told_from_ms = told_from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Kline:
    """A candle of the venue; prices and volume as printed."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str

    @property
    def is_sound(self) -> bool:
        """Whether all its numbers are such; what is not is a gap."""
        prices = (self.open, self.high, self.low, self.close)
        return all(map(is_price, prices)) and is_volume(self.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPrice:
    """The latest price of a symbol and when it was made."""

    symbol: str
    price: Decimal
    event_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateNews:
    """What one message of the user-data stream says.

    `waits_for` names an order whose name has to be learnt before the message can be read;
    `expired` tells that the stream has to be renewed.
    """

    updates: tuple[OrderUpdate, ...] = ()
    fills: tuple[Fill, ...] = ()
    funding: tuple[Funding, ...] = ()
    waits_for: str = ""
    expired: bool = False


class Caller(Protocol):
    """One request to the venue; see `Wire`, which implements it."""

    names: OrderNames

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
    ) -> Any: ...

    def client(self) -> Any: ...


@runtime_checkable
class ListsApart(Protocol):
    """A dialect whose list of all orders weighs much more than that of a symbol's."""

    listed_apart: int  # so many symbols are better asked about one by one than all together

    async def open_orders_of(
        self, wire: Caller, symbols: Collection[str]
    ) -> tuple[VenueOrder, ...]: ...


class Dialect(Protocol):
    """A venue's words for ours. Every method makes one attempt and raises the engine's errors."""

    ccxt_id: str
    weight_per_minute: int
    used_weight_header: str
    errors: ErrorWords
    kline_spans_ms: Mapping[int, str]
    kline_page: int
    trades_weight: int

    # the client of ccxt, once when it is made
    def use_testnet(self, client: Any) -> None: ...
    def adjust(self, client: Any) -> None: ...

    # reading
    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]: ...
    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]: ...
    async def trades(
        self, wire: Caller, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]: ...
    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]: ...
    async def account(self, wire: Caller, *, now_ms: int) -> Account: ...
    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]: ...
    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]: ...
    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]: ...
    async def is_hedged(self, wire: Caller) -> bool: ...
    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]: ...
    async def rights(self, wire: Caller) -> KeyRights: ...

    # acting
    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None: ...
    async def place(
        self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int
    ) -> OrderUpdate: ...
    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None: ...
    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None: ...
    def is_duplicate(self, code: str) -> bool: ...

    # streams
    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> "Socket": ...
    def read_trades(self, message: Any) -> Sequence[Trade]: ...
    def is_pong(self, message: Any) -> bool: ...
    async def private_socket(self, wire: Caller) -> "Socket": ...
    async def keep_private_alive(self, wire: Caller) -> None: ...
    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews: ...


@runtime_checkable
class CountsOrders(Protocol):
    """A dialect whose venue counts an account's orders in headers, by their names."""

    order_limits: Mapping[str, OrderLimit]


@runtime_checkable
class CountsInWindows(Protocol):
    """A dialect whose venue counts requests in short windows, and never says how long to wait."""

    limit_window_ms: int


@runtime_checkable
class TellsTime(Protocol):
    """A dialect that knows when the venue made a message of a market socket, of any kind.

    What arrives late is then known to be late; without it only trades tell their time, and a
    message that comes now is taken as proof that all before it has come.
    """

    def event_ms(self, message: Any) -> int | None: ...


@runtime_checkable
class TellsElsewhere(Protocol):
    """A dialect whose venue tells of conditional orders at a second private address."""

    async def second_private_socket(self, wire: Caller) -> "Socket": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """A stream to open: its address, and what to send once it is open (None: nothing).

    `reply` tells what to send after a message of the venue (a subscription after the login), and
    None after all others.
    """

    url: str
    request: Mapping[str, Any] | None
    reply: Callable[[Any], Mapping[str, Any] | None] | None = None


def is_price(printed: str | Decimal) -> bool:
    """Whether it is a finite number above zero."""
    number = Decimal(printed)
    return number.is_finite() and number > 0


def is_volume(printed: str) -> bool:
    """Whether it is a finite number, not below zero."""
    number = Decimal(printed)
    return number.is_finite() and number >= 0


def position_side(position: str, order_side: str, *, reduces: bool) -> Side:
    """The side of the position an order belongs to; `position` is LONG, SHORT or BOTH.

    With one net position a buy belongs to the long one unless it reduces, mirrored for a sell.
    """
    if position in (Side.LONG, Side.SHORT):
        return Side(position)
    opens_long = order_side == "BUY"
    return Side.LONG if opens_long != reduces else Side.SHORT
