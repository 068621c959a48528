"""The account's ledger: orders of ours, the fills that came of them, the positions these make."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.values import CloseReason, OrderSide, SetKey, Side

ADOPTED = "adopted"
"""What a position's `settled` calls the quantity it was found with on the venue."""


class OrderType(StrEnum):
    """Order types CTS sends; the last two wait on the venue for their trigger price."""

    MARKET = "MARKET"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"

    @property
    def is_conditional(self) -> bool:
        return self is not OrderType.MARKET


class Purpose(StrEnum):
    """What an order is for; part of its deterministic client order id."""

    ENTRY = "entry"
    ADD = "add"  # a step of the ladder
    STOP = "stop"
    TARGET = "target"
    REDUCE = "reduce"  # part of it at the market
    CLOSE = "close"

    @property
    def reduces(self) -> bool:
        return self not in (Purpose.ENTRY, Purpose.ADD)


class OrderState(StrEnum):
    """Life of an order; terminal states never change again."""

    NEW = "new"  # intent stored, nothing sent
    SUBMITTING = "submitting"  # claimed by one sender; from here it is only looked up
    UNKNOWN = "unknown"  # the answer was unclear
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL

    @property
    def is_working(self) -> bool:
        """Whether the venue is known to hold it."""
        return self in (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


_TERMINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED}
)


class PositionStatus(StrEnum):
    """Life of an exchange position of ours (a share of the venue's position)."""

    OPENING = "opening"  # entry intent stored, no fill yet
    OPEN = "open"
    CLOSING = "closing"  # a close was claimed; no second one may start
    CLOSED = "closed"


class Recovery(StrEnum):
    """How far a position with profit-back came on its way through a loss."""

    NONE = "none"
    UNDER = "under"  # it was half its stop's distance under water
    BACK = "back"  # and returned to break-even


class FillKind(StrEnum):
    """Who wanted an execution: one of the account's orders, or the venue itself."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"  # against the profit of the other side


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution, keyed by the venue's own trade id. `fee` is in `fee_asset`."""

    trade_id: str
    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: Side
    order_side: OrderSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    executed_at_ms: int
    kind: FillKind = FillKind.TRADE

    @property
    def key(self) -> str:
        """What is booked once: venues number trades within a symbol."""
        return f"{self.symbol}|{self.trade_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of ours: first an intent, then what the venue made of it.

    `submitting_at_ms` is the time just before the claim was written; zero before that.
    `filled_quantity` is what the venue says, `booked_quantity` what arrived as fills.
    """

    client_order_id: str
    position_id: str
    purpose: Purpose
    attempt: int
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    trigger_price: Decimal | None = None
    state: OrderState = OrderState.NEW
    exchange_order_id: str = ""
    filled_quantity: Decimal = Decimal(0)
    booked_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    reason: str = ""
    created_at_ms: int = 0
    submitting_at_ms: int = 0
    updated_at_ms: int = 0

    @property
    def order_side(self) -> OrderSide:
        return self.side.exit if self.purpose.reduces else self.side.entry

    @property
    def reduce_only(self) -> bool:
        return self.purpose.reduces


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An exchange position of ours: a share of the venue's position in (symbol, side).

    Every figure comes from fills. `quantity` is what is open now; `entry_price` the average of the
    fills of entry and steps, `first_price` and `first_quantity` those of the entry alone;
    `realized_pnl`, `fees` and `funding` are in quote currency, `realized_pnl` before fees,
    `funding` what came in less what went out. `unconverted` are costs by asset whose price was not
    known yet. `settled` names what is in these figures without an order of its own: funding
    payments with their amount, executions that the venue itself wanted or that another share's
    order had beyond its quantity, each with what came off here. `stop_price` is the
    stop that holds now, the trailing one once it is armed and tighter; `target_price` is None
    without a target. `chosen_stop` and `chosen_target` are an operator's, on ticks, in place of the
    configured ones. `residue` is what was bought on a spot market and can neither be protected nor
    sold, because it is less than a step or than the venue's minimum: it stays with the account.
    `opened_at_ms` is the time of the first fill, `closed_at_ms` that of the last exit so far,
    `updated_at_ms` when quantity or status changed last.
    """

    position_id: str
    key: SetKey
    status: PositionStatus
    entry_close_ms: int
    leverage: int
    quantity: Decimal = Decimal(0)
    entry_quantity: Decimal = Decimal(0)
    entry_price: Decimal | None = None
    first_quantity: Decimal = Decimal(0)
    first_price: Decimal | None = None
    exit_price: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    chosen_stop: Decimal | None = None
    chosen_target: Decimal | None = None
    trail_armed: bool = False
    best_price: Decimal | None = None
    recovery: Recovery = Recovery.NONE
    residue: Decimal = Decimal(0)
    realized_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    unconverted: tuple[tuple[str, Decimal], ...] = ()
    settled: tuple[tuple[str, Decimal], ...] = ()
    opened_at_ms: int = 0
    closed_at_ms: int = 0
    close_reason: CloseReason | None = None
    updated_at_ms: int = 0

    @property
    def net(self) -> Decimal:
        """Realised result in quote currency, after fees and funding."""
        return self.realized_pnl - self.fees + self.funding

    def settled_of(self, name: str) -> Decimal | None:
        """What is in the figures of a payment or execution of that name; None if nothing."""
        return dict(self.settled).get(name)

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        """Result in quote currency if all of it were closed at `price`, before fees."""
        if self.entry_price is None:
            return Decimal(0)
        return (price - self.entry_price) * self.quantity * self.key.side.sign
