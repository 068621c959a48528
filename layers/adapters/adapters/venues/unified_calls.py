"""ccxt's unified methods as calls of a wire: one dict of arguments each, markets by our symbols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.failures import NoChangeError, OrderUnknownError
from adapters.names import Name
from adapters.venues import Caller, Row
from adapters.venues import unified_words as words
from engine.errors import VenueRefusedError
from engine.ledger import Order

QUOTE = "USDT"
_METHODS = (
    "load_markets",
    "fetch_ohlcv",
    "fetch_trades",
    "fetch_tickers",
    "fetch_balance",
    "fetch_positions",
    "fetch_order",
    "fetch_open_orders",
    "fetch_closed_orders",
    "fetch_canceled_orders",
    "fetch_my_trades",
    "create_order",
    "cancel_order",
    "set_leverage",
    "set_margin_mode",
    "set_position_mode",
    "fetch_position_mode",
    "fetch_leverage",
    "fetch_margin_mode",
    "fetch_funding_history",
)
_PREFIX = "unified_"
_BEFORE_MS = 60_000
_ENDED = {
    "fetch_closed_orders": "fetchClosedOrders",
    "fetch_canceled_orders": "fetchCanceledOrders",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnifiedVenue:
    """How a venue differs within the unified methods.

    `client_id` is the parameter that finds an order by our name, empty if only lists do; with
    `short_ids` the venue takes 28 characters for a name. `leverage` goes along when leverage is
    set, the leverage itself with the margin mode where `margin_with_leverage` says so; `look`
    goes along when one order is asked for. Without `triggers_apart` conditional orders share ids
    and routes with all others.
    """

    ccxt_id: str
    per_minute: int
    client_id: str = ""
    short_ids: bool = False
    leverage: Mapping[str, Any] = field(default_factory=dict)
    margin_with_leverage: bool = False
    look: Mapping[str, Any] = field(default_factory=dict)
    triggers_apart: bool = True


def by_dicts(client: Any) -> None:
    """Give the client a method of one dict for each unified one: so a wire calls it."""
    for name in _METHODS:
        setattr(client, _PREFIX + name, _by_dict(client, name))


async def ask(wire: Caller, method: str, *, urgent: bool = False, **arguments: Any) -> Any:
    """One unified call."""
    return await wire.call(_PREFIX + method, arguments, urgent=urgent)


async def make_so(wire: Caller, method: str, **arguments: Any) -> None:
    """Set what may be so already."""
    try:
        await ask(wire, method, urgent=True, **arguments)
    except NoChangeError:
        return


def markets(wire: Caller) -> dict[str, Row]:
    """The perpetuals in USDT by our symbols."""
    found: Mapping[str, Row] = wire.client().markets or {}
    traded = (m for m in found.values() if words.is_traded(m) and m["quote"] == QUOTE)
    return {market["base"] + market["quote"]: market for market in traded}


async def ready(wire: Caller) -> None:
    """Load the markets, if that was not done."""
    if not wire.client().markets:
        await ask(wire, "load_markets", reload=False)


async def market_of(wire: Caller, symbol: str) -> Row:
    """The market of a symbol; raises VenueRefusedError for one that is not traded."""
    await ready(wire)
    found = markets(wire).get(symbol)
    if found is None:
        raise VenueRefusedError(f"symbol must be tradable on the venue, was {symbol!r}")
    return found


def known(wire: Caller, rows: Sequence[Row]) -> list[tuple[str, Row, Row]]:
    """Rows of the markets we trade, with our symbol and the market."""
    ours = {market["symbol"]: (name, market) for name, market in markets(wire).items()}
    return [(*ours[row["symbol"]], row) for row in rows if row["symbol"] in ours]


def feature(wire: Caller, method: str, name: str) -> Any:
    """What ccxt says of a method's parameter on perpetuals."""
    features: Mapping[str, Any] = wire.client().features or {}
    linear = (features.get("swap") or {}).get("linear") or {}
    return (linear.get(method) or {}).get(name)


async def listed(
    wire: Caller, venue: UnifiedVenue, method: str, symbols: Sequence[str], **arguments: Any
) -> list[Row]:
    """Plain and conditional orders, of each symbol where the venue wants one named."""
    named: list[str | None] = [None]
    if feature(wire, "fetchOpenOrders", "symbolRequired") or method in _ENDED:
        named = [markets(wire)[symbol]["symbol"] for symbol in symbols]
    kinds: list[dict[str, Any]] = [{}]
    if venue.triggers_apart and feature(wire, "fetchOpenOrders", "trigger"):
        kinds.append({"trigger": True})
    found: dict[str, Row] = {}
    for name in named:
        for params in kinds:
            given = {**arguments, "symbol": name, "params": params}
            rows = await ask(wire, method, urgent=True, **given)
            found |= {str(row["id"]): row for row in rows}
    return list(found.values())


async def found(wire: Caller, venue: UnifiedVenue, order: Order) -> Row | None:
    """An order by our name where the venue takes it, else from working and ended ones."""
    is_conditional = order.order_type.is_conditional
    is_apart = is_conditional and venue.triggers_apart
    if venue.client_id and (not is_apart or feature(wire, "fetchOrder", "trigger")):
        return await _by_name(wire, venue, order)
    since_ms = max(order.submitting_at_ms - _BEFORE_MS, 0)
    has = wire.client().has
    ended = (name for name, key in _ENDED.items() if has.get(key) is True)
    for method in ("fetch_open_orders", *ended):
        more = {"since": since_ms} if method in _ENDED and since_ms else {}
        for row in await listed(wire, venue, method, [order.symbol], **more):
            named = words.name_of(row, short_ids=venue.short_ids)
            if named.client_order_id == order.client_order_id:
                return row
    return None


async def name_of(wire: Caller, venue: UnifiedVenue, market: Row, row: Row) -> Name:
    """Whose execution it is: by memory, else by asking for its order."""
    order_id = str(row.get("order") or "")
    noted = wire.names.get(order_id)
    if noted is not None:
        return noted
    try:
        order = await ask(
            wire,
            "fetch_order",
            id=order_id,
            symbol=market["symbol"],
            params=dict(venue.look),
            urgent=True,
        )
    except OrderUnknownError:
        order = {**row, "clientOrderId": ""}
    return wire.names.note(order_id, words.name_of(order, short_ids=venue.short_ids))


async def _by_name(wire: Caller, venue: UnifiedVenue, order: Order) -> Row | None:
    market = await market_of(wire, order.symbol)
    name = words.short_id(order.client_order_id, short_ids=venue.short_ids)
    is_apart = order.order_type.is_conditional and venue.triggers_apart
    trigger = {"trigger": True} if is_apart else {}
    params = {venue.client_id: name, **trigger, **venue.look}
    try:
        row: Row = await ask(
            wire, "fetch_order", id=None, symbol=market["symbol"], params=params, urgent=True
        )
    except OrderUnknownError:
        return None
    return row


def _by_dict(client: Any, name: str) -> Any:
    async def called(arguments: Mapping[str, Any]) -> Any:
        return await getattr(client, name)(**arguments)

    return called
