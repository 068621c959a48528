"""Names of our orders and how an order advances.

A client order id reads `cts`, a letter for the purpose, three base-36 digits for the attempt and
25 letters or digits that name the position: 32 characters that every venue takes. The position's
part begins with a mark of its connection, for several may trade on one account; the rest is a
digest of connection, Set key and entry candle. So whoever plans the same thing names it alike, and
an order found on a venue tells which connection and which position it belongs to.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from engine.errors import CorruptStateError
from engine.events import OrderUpdate
from engine.ledger import ADOPTED, Order, OrderState, OrderType, Position, Purpose

PREFIX = "cts"
MAX_ATTEMPT = 36**3 - 1
TRIES_PER_STEP = 36**2
"""Attempts at a step of the ladder: the first of the three digits is the step, two are the try."""
_FORGOTTEN_ATTEMPTS = 1000
_ADOPTION_SECONDS = 40_000
_POSITION_CHARACTERS = 25
_MARK_CHARACTERS = 6
_LENGTH = len(PREFIX) + 4 + _POSITION_CHARACTERS
_LETTERS = {
    Purpose.ENTRY: "e",
    Purpose.ADD: "a",
    Purpose.STOP: "s",
    Purpose.TARGET: "t",
    Purpose.REDUCE: "r",
    Purpose.CLOSE: "c",
}
_PURPOSES = {letter: purpose for purpose, letter in _LETTERS.items()}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ORDER_TYPES = {
    Purpose.ENTRY: OrderType.MARKET,
    Purpose.ADD: OrderType.MARKET,
    Purpose.REDUCE: OrderType.MARKET,
    Purpose.CLOSE: OrderType.MARKET,
    Purpose.STOP: OrderType.STOP_MARKET,
    Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET,
}
_RANKS = {
    OrderState.NEW: 0,
    OrderState.SUBMITTING: 1,
    OrderState.UNKNOWN: 2,
    OrderState.OPEN: 3,
    OrderState.PARTIALLY_FILLED: 4,
}
_TERMINAL_RANK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderName:
    """What a client order id of ours says."""

    purpose: Purpose
    attempt: int
    position_id: str


def position_id(connection_id: str, key_text: str, entry_close_ms: int) -> str:
    """The deterministic id of the position a Set opens on one candle."""
    rest = _digest(f"{connection_id}|{key_text}|{entry_close_ms}")
    return (connection_mark(connection_id) + rest)[:_POSITION_CHARACTERS]


def client_order_id(
    connection_id: str, key_text: str, entry_close_ms: int, purpose: Purpose, attempt: int
) -> str:
    """The deterministic client order id of one attempt at one purpose of one position."""
    return order_name(position_id(connection_id, key_text, entry_close_ms), purpose, attempt)


def first_attempt(position: Position) -> int:
    """The number of a position's first attempt at anything.

    One whose rows were lost may have made some that nobody remembers; a venue that never takes a
    name twice would answer with the old order. So an adopted one counts on from the time it was.
    """
    if position.settled_of(ADOPTED) is None:
        return 0
    return _FORGOTTEN_ATTEMPTS + position.entry_close_ms // 1000 % _ADOPTION_SECONDS


def order_name(position: str, purpose: Purpose, attempt: int) -> str:
    """The client order id of an attempt for the position of that id."""
    if not 0 <= attempt <= MAX_ATTEMPT:
        raise CorruptStateError(f"attempt must be between 0 and {MAX_ATTEMPT}, was {attempt}")
    high, rest = divmod(attempt, 36 * 36)
    middle, low = divmod(rest, 36)
    return f"{PREFIX}{_LETTERS[purpose]}{_DIGITS[high]}{_DIGITS[middle]}{_DIGITS[low]}{position}"


@lru_cache(maxsize=4096)
def parsed(client_id: str) -> OrderName | None:
    """What the id says, or None if it is not one of ours."""
    start = len(PREFIX)
    letter, digits = client_id[start : start + 1], client_id[start + 1 : start + 4]
    if len(client_id) != _LENGTH or not client_id.startswith(PREFIX) or letter not in _PURPOSES:
        return None
    if any(digit not in _DIGITS for digit in digits):
        return None
    return OrderName(
        purpose=_PURPOSES[letter], attempt=int(digits, 36), position_id=client_id[start + 4 :]
    )


def is_ours(client_id: str) -> bool:
    """Whether the order was named by CTS."""
    return parsed(client_id) is not None


def is_of_another(client_id: str, connection_id: str) -> bool:
    """Whether the order was named by CTS for another connection, which alone looks after it."""
    name = parsed(client_id)
    return name is not None and mark_of(name.position_id) != connection_mark(connection_id)


def connection_mark(connection_id: str) -> str:
    """What the ids of all positions of a connection begin with."""
    return _digest(connection_id)[:_MARK_CHARACTERS]


def mark_of(position_id: str) -> str:
    """The mark of the connection a position belongs to."""
    return position_id[:_MARK_CHARACTERS]


def order_type(purpose: Purpose) -> OrderType:
    """Stops and targets wait on the venue; all others go at the market."""
    return _ORDER_TYPES[purpose]


def intent(
    position: Position,
    purpose: Purpose,
    *,
    attempt: int,
    quantity: Decimal,
    now_ms: int,
    trigger_price: Decimal | None = None,
) -> Order:
    """A new order of a position: nothing but a stored intent until it is claimed."""
    return Order(
        client_order_id=order_name(position.position_id, purpose, attempt),
        position_id=position.position_id,
        purpose=purpose,
        attempt=attempt,
        symbol=position.key.symbol,
        side=position.key.side,
        order_type=order_type(purpose),
        quantity=quantity,
        trigger_price=trigger_price,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def remaining(order: Order) -> Decimal:
    """What the order may still fill."""
    return max(order.quantity - order.filled_quantity, Decimal(0))


def missing(order: Order) -> Decimal:
    """What the venue filled and we have not booked as fills yet."""
    return max(order.filled_quantity - order.booked_quantity, Decimal(0))


def advanced(order: Order, update: OrderUpdate) -> Order:
    """The order after an update that may be late, doubled or out of order.

    States only move forward, the filled quantity only grows; a terminal state stays. What fills
    whole is filled, whatever the update calls it. An update that teaches nothing returns `order`.
    """
    filled = max(order.filled_quantity, update.filled_quantity)
    state = order.state
    if _rank(update.state) > _rank(state):
        state = update.state
    if filled > 0 and not state.is_terminal:
        state = OrderState.FILLED if filled >= order.quantity else OrderState.PARTIALLY_FILLED
    changed = replace(
        order,
        state=state,
        filled_quantity=filled,
        exchange_order_id=order.exchange_order_id or update.exchange_order_id,
        average_price=update.average_price
        if update.filled_quantity >= filled and update.average_price is not None
        else order.average_price,
        reason=update.reason if state is not order.state and update.reason else order.reason,
    )
    if changed == order:
        return order
    return replace(changed, updated_at_ms=max(order.updated_at_ms, update.at_ms))


def _digest(text: str) -> str:
    """26 lower-case letters and digits."""
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return base64.b32encode(digest).decode().lower().rstrip("=")


def _rank(state: OrderState) -> int:
    return _RANKS.get(state, _TERMINAL_RANK)
