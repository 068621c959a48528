"""What a client may ask of the exchange, already typed."""

from dataclasses import dataclass
from decimal import Decimal

from local.paper.core.records import ZERO, OrderSide, PositionSide


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """A new MARKET or LIMIT order; ``client_order_id`` empty lets the exchange name it.

    Only spot has other types beside these, which wait for their ``trigger_price``.
    """

    symbol: str
    side: OrderSide
    position_side: PositionSide
    order_type: str
    quantity: Decimal
    price: Decimal = ZERO
    time_in_force: str = "GTC"
    reduce_only: bool = False
    client_order_id: str = ""
    trigger_price: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoRequest:
    """A new conditional order; a quantity of zero goes with ``close_position`` only."""

    symbol: str
    side: OrderSide
    position_side: PositionSide
    order_type: str
    quantity: Decimal
    trigger_price: Decimal = ZERO
    price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    callback_distance: Decimal = ZERO
    activate_price: Decimal = ZERO
    time_in_force: str = "GTC"
    reduce_only: bool = False
    close_position: bool = False
    working_type: str = "CONTRACT_PRICE"
    client_algo_id: str = ""
