"""What the exchange keeps.

Orders, conditional orders, positions and fills. Mutable, owned by the books alone.
"""

from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

ZERO = Decimal(0)


class OrderSide(StrEnum):
    """``sign`` is +1 for a buy, -1 for a sell."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is OrderSide.BUY else -1


class PositionSide(StrEnum):
    """BOTH in one-way mode; LONG or SHORT in hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class OrderStatus(StrEnum):
    """NEW and PARTIALLY_FILLED are open, the others final."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class AlgoStatus(StrEnum):
    """FINISHED: fired and executed. REJECTED: fired, but the order was refused."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    REJECTED = "REJECTED"


class FillKind(StrEnum):
    """Who wanted an execution: an order of the account, or the venue itself."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"


class IncomeKind(StrEnum):
    """What moves the wallet beside fills.

    INSURANCE_CLEAR is what a liquidation pays to the insurance fund, or gets from it.
    """

    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"


class Record:
    """Rows that can be written as plain values and read back."""

    def row(self) -> dict[str, Any]:
        """The record as JSON-ready values; Decimals as strings."""
        names = _names(type(self))
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """The record of a row; the declared type of each field tells how to read it."""
        known = _names(cls)
        return cls(**{name: _read(known[name], value) for name, value in row.items()})


_NAMES: dict[str, dict[str, str]] = {}


def _names(kind: type[Record]) -> dict[str, str]:
    """Fields of a record and their declared types, looked up once: every commit asks."""
    known = _NAMES.get(kind.__name__)
    if known is None:
        known = {one.name: str(one.type) for one in fields(kind)}  # type: ignore[arg-type]  # all are
        _NAMES[kind.__name__] = known
    return known


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, list) else value


_ENUMS: dict[str, type[StrEnum]] = {
    "OrderSide": OrderSide,
    "PositionSide": PositionSide,
    "OrderStatus": OrderStatus,
    "AlgoStatus": AlgoStatus,
    "FillKind": FillKind,
    "IncomeKind": IncomeKind,
}  # fmt: skip


def _read(kind: str, value: Any) -> Any:
    if value is None:
        return None
    name = kind.split("'")[1].rsplit(".", 1)[-1] if "'" in kind else kind
    if "Decimal" in kind:
        return Decimal(value)
    return _ENUMS[name](value) if name in _ENUMS else value


@dataclass(slots=True, kw_only=True)
class Order(Record):
    """A plain order (MARKET or LIMIT); quantities in base units."""

    order_id: int
    client_order_id: str
    symbol: str
    side: OrderSide
    position_side: PositionSide
    order_type: str
    original_type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    reduce_only: bool
    close_position: bool
    created_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    trigger_price: Decimal = ZERO
    parent_algo_id: int = 0
    """The conditional order that became this one."""
    due: list[list[str]] = field(default_factory=list)
    """Scripted executions still to come: (time in ms, quantity as text), earliest first."""

    def copy(self) -> "Order":
        """The order as it stands now, for an event that is told later."""
        return replace(self)

    @property
    def is_open(self) -> bool:
        return self.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)

    @property
    def average_price(self) -> Decimal:
        return self.filled_quote / self.filled if self.filled else ZERO


@dataclass(slots=True, kw_only=True)
class AlgoOrder(Record):
    """A conditional order; ``extreme`` is the best price since a trailing stop became active."""

    algo_id: int
    client_algo_id: str
    symbol: str
    side: OrderSide
    position_side: PositionSide
    order_type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    trigger_price: Decimal
    callback_rate: Decimal
    activate_price: Decimal
    reduce_only: bool
    close_position: bool
    working_type: str
    created_ms: int
    updated_ms: int
    status: AlgoStatus = AlgoStatus.NEW
    extreme: Decimal = ZERO
    triggered_ms: int = 0
    actual_order_id: int = 0
    actual_price: Decimal = ZERO
    failure: str = ""
    callback_distance: Decimal = ZERO
    """How far a trailing stop stays off in quote currency, where that is no rate."""

    @property
    def is_open(self) -> bool:
        return self.status is AlgoStatus.NEW


@dataclass(slots=True, kw_only=True)
class Position(Record):
    """Signed quantity of a (symbol, position side): above zero is long.

    ``margin`` is what an isolated position may lose, part of the wallet; zero for a cross one.
    """

    symbol: str
    position_side: PositionSide
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    realized: Decimal = ZERO
    updated_ms: int = 0
    margin: Decimal = ZERO

    def unrealized(self, price: Decimal) -> Decimal:
        return (price - self.entry_price) * self.quantity


@dataclass(slots=True, kw_only=True)
class Fill(Record):
    """One execution; the fee is in USDT but on spot, where ``fee_asset`` may be another."""

    trade_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: OrderSide
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realized: Decimal
    maker: bool
    time_ms: int
    kind: FillKind = FillKind.TRADE
    fee_asset: str = "USDT"


@dataclass(slots=True, kw_only=True)
class Income(Record):
    """A payment that is no fill: ``amount`` in USDT came in, or went out if it is below zero.

    ``quantity``, ``price`` and ``rate`` say what a funding payment was computed of.
    """

    income_id: int
    kind: IncomeKind
    symbol: str
    position_side: PositionSide
    amount: Decimal
    time_ms: int
    quantity: Decimal = ZERO
    price: Decimal = ZERO
    rate: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Account(Record):
    """Wallet in USDT (isolated margins and all), and the modes.

    ``insurance`` is what the insurance fund got from this account, less what it paid for it.
    """

    wallet: Decimal
    hedge_mode: bool = False
    next_id: int = 1
    processed_ms: int = 0
    """The market was matched against the books up to here."""
    orders_received: int = 0
    insurance: Decimal = ZERO
    burns_bnb: bool = False
    """Whether spot fees are taken from the BNB that is held."""


@dataclass(slots=True, kw_only=True)
class SymbolConfig(Record):
    """Leverage and margin mode of one symbol."""

    symbol: str
    leverage: int = 20
    isolated: bool = False


@dataclass(slots=True, kw_only=True)
class ClientId(Record):
    """How often a client id was accepted, per purpose (``order`` or ``algo``)."""

    purpose: str
    client_id: str
    accepted: int = 0
    ids: list[int] = field(default_factory=list)
