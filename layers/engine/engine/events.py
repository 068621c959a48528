"""What a venue says, as values.

An unclear answer is a value too, never an exception that could be mistaken for "nothing happened".
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from engine.ledger import Fill, OrderState
from engine.values import Instrument, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last price of a symbol; `event_ms` is the venue's time, `seen_ms` its proof of life.

    A quiet market has an old `event_ms` and a fresh `seen_ms`: staleness is judged by the latter.
    """

    symbol: str
    price: Decimal
    event_ms: int
    seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdate:
    """What the venue says of one of our orders, by stream, answer or look-up."""

    client_order_id: str
    state: OrderState
    exchange_order_id: str = ""
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    reason: str = ""
    at_ms: int = 0


class Unclear(StrEnum):
    """Why nobody knows what became of a request."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    VENUE = "venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendUnclear:
    """The order may or may not be on the venue: its state becomes UNKNOWN."""

    client_order_id: str
    why: Unclear
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSkipped:
    """Claimed but never sent, because the send window had passed."""

    client_order_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """A targeted look-up (by client id) that the venue answered with "no such order"."""

    client_order_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnclear:
    """The cancel may or may not have worked; only a look-up tells."""

    client_order_id: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """The venue's own position in (symbol, side)."""

    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """A working order as the venue lists it; `reduces` for reduce-only or closing ones."""

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: Side
    is_conditional: bool
    reduces: bool
    quantity: Decimal
    filled_quantity: Decimal
    trigger_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The venue's truth, each part read after `asked_ms`; all reads succeeded.

    `hedge` is the account's position mode, None where it was not read again. Where only some
    symbols were asked about, what is told of the others was asked for at `elsewhere_ms`.
    """

    positions: tuple[VenuePosition, ...]
    orders: tuple[VenueOrder, ...]
    asked_ms: int
    at_ms: int
    hedge: bool | None = None
    elsewhere_ms: int | None = None

    @property
    def whole_ms(self) -> int:
        """All that it tells was asked for then or later."""
        return self.asked_ms if self.elsewhere_ms is None else self.elsewhere_ms

    def of_symbols(self, symbols: frozenset[str], before: "Snapshot") -> "Snapshot":
        """What it tells of `symbols`, and of all others what was read before."""
        found = (each for each in self.orders if each.symbol in symbols)
        held = (each for each in self.positions if each.symbol in symbols)
        return replace(
            self,
            orders=(*found, *(each for each in before.orders if each.symbol not in symbols)),
            positions=(*held, *(each for each in before.positions if each.symbol not in symbols)),
            elsewhere_ms=before.whole_ms,
        )


NOTHING_READ = Snapshot(positions=(), orders=(), asked_ms=0, at_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFailed:
    """The comparison with the venue could not be made; evidence of nothing."""

    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Equity and free margin in quote currency."""

    equity: Decimal
    free_margin: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """A funding payment: `amount` of `asset` came in, or went out if it is below zero.

    `side` is None where the venue does not say which of two positions it was for.
    """

    funding_id: str
    symbol: str
    side: Side | None
    amount: Decimal
    asset: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What the venue lets a key do; None where it does not say."""

    can_trade: bool | None
    can_withdraw: bool | None
    is_address_bound: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBroken:
    """The user-data stream was silent or closed since `since_ms`; events may be missing."""

    since_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsFetched:
    """All own executions of a symbol since `since_ms` were read; they stand before this event."""

    symbol: str
    since_ms: int
    asked_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingFetched:
    """All funding payments since `since_ms` were read; they stand before this event."""

    since_ms: int
    asked_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsRead:
    """What we trade, as the venue lists it now."""

    instruments: tuple[Instrument, ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Position mode, margin mode and leverage of a symbol are set and verified."""

    symbol: str
    leverage: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRefused:
    """The venue does not take these modes or this leverage; entries in the symbol are refused."""

    symbol: str
    text: str
    at_ms: int


Event = (
    OrderUpdate
    | Fill
    | SendUnclear
    | SendSkipped
    | NotFound
    | CancelUnclear
    | Snapshot
    | SnapshotFailed
    | Account
    | StreamBroken
    | FillsFetched
    | Funding
    | FundingFetched
    | InstrumentsRead
    | Prepared
    | PrepareRefused
)
