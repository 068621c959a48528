"""ccxt's unified methods as calls of a wire: one dict of arguments each, markets by our symbols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.failures import NoChangeError, OrderUnknownError, VenueUnclearError
from adapters.names import Name
from adapters.venues import Caller, Row
from adapters.venues import unified_words as words
from adapters.venues.naming import Naming, told_as
from engine.errors import VenueRefusedError
from engine.events import Unclear
from engine.ledger import Order, OrderType

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

    `client_id` is the parameter that finds an order by our name, empty if only lists do; `naming`
    is what the venue allows in it. `leverage` goes along when leverage is set, the leverage itself
    with the margin mode where `margin_with_leverage` says so; `look` goes along when one order is
    asked for. Without `triggers_apart` conditional orders share ids and routes with all others;
    `apart` tells how to ask for those of one type where no single word asks for all. A list of
    `page` rows is taken for a cut one; own executions are asked for in spans of `span_ms`.
    """

    ccxt_id: str
    per_minute: int
    client_id: str = ""
    naming: Naming = Naming.FULL
    leverage: Mapping[str, Any] = field(default_factory=dict)
    margin_with_leverage: bool = False
    look: Mapping[str, Any] = field(default_factory=dict)
    triggers_apart: bool = True
    apart: Mapping[OrderType, Mapping[str, Any]] = field(default_factory=dict)
    page: int = 0
    span_ms: int = 0


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


def apart(wire: Caller, venue: UnifiedVenue, order: Order, method: str) -> dict[str, Any]:
    """What says of one order that it lives where conditional ones do."""
    if not order.order_type.is_conditional or not venue.triggers_apart:
        return {}
    if venue.apart:
        return dict(venue.apart[order.order_type])
    return {"trigger": True} if feature(wire, method, "trigger") else {}


async def listed(
    wire: Caller,
    venue: UnifiedVenue,
    method: str,
    symbols: Sequence[str],
    *,
    kinds: Sequence[Mapping[str, Any]] = (),
    **arguments: Any,
) -> list[Row]:
    """Plain and conditional orders, of each symbol where the venue wants one named."""
    named: list[str | None] = [None]
    if feature(wire, "fetchOpenOrders", "symbolRequired") or method in _ENDED:
        named = [markets(wire)[symbol]["symbol"] for symbol in symbols]
    if venue.page:
        arguments["limit"] = venue.page
    found: dict[str, Row] = {}
    for name in named:
        for params in kinds or _kinds(wire, venue):
            given = {**arguments, "symbol": name, "params": dict(params)}
            rows = await ask(wire, method, urgent=True, **given)
            if venue.page and len(rows) >= venue.page:
                raise VenueUnclearError(f"{method}: there may be more rows", why=Unclear.VENUE)
            found |= {str(row["id"]): row for row in rows}
    return list(found.values())


def _kinds(wire: Caller, venue: UnifiedVenue) -> list[Mapping[str, Any]]:
    if venue.apart:
        return [{}, *venue.apart.values()]
    is_apart = venue.triggers_apart and feature(wire, "fetchOpenOrders", "trigger")
    return [{}, {"trigger": True}] if is_apart else [{}]


async def found(wire: Caller, venue: UnifiedVenue, order: Order) -> Row | None:
    """An order by our name where the venue takes it, else from working and ended ones."""
    is_apart = order.order_type.is_conditional and venue.triggers_apart
    where = apart(wire, venue, order, "fetchOrder")
    if venue.client_id and (where or not is_apart):
        row = await _by_name(wire, venue, order, where)
        if row is not None or not (venue.apart and where):
            return row  # else one that has ended may be in the lists alone
    return await _by_lists(wire, venue, order, [where] if venue.apart else ())


async def _by_lists(
    wire: Caller, venue: UnifiedVenue, order: Order, kinds: Sequence[Mapping[str, Any]]
) -> Row | None:
    client = wire.client()
    since_ms = max(order.submitting_at_ms - _BEFORE_MS, 0)
    if venue.span_ms:
        since_ms = max(since_ms, client.milliseconds() - venue.span_ms + _BEFORE_MS)
    ended = (name for name, key in _ENDED.items() if client.has.get(key) is True)
    for method in ("fetch_open_orders", *ended):
        more = {"since": since_ms} if method in _ENDED and since_ms else {}
        for row in await listed(wire, venue, method, [order.symbol], kinds=kinds, **more):
            named = words.name_of(row, venue.naming, wire.names)
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
        order = {}
    if not order.get("id"):
        order = {**row, "id": order_id, "clientOrderId": ""}
    return wire.names.note(order_id, words.name_of(order, venue.naming, wire.names))


async def _by_name(
    wire: Caller, venue: UnifiedVenue, order: Order, where: Mapping[str, Any]
) -> Row | None:
    market = await market_of(wire, order.symbol)
    name = told_as(order.client_order_id, venue.naming)
    params = {venue.client_id: name, **where, **venue.look}
    try:
        row: Row = await ask(
            wire, "fetch_order", id=None, symbol=market["symbol"], params=params, urgent=True
        )
    except OrderUnknownError:
        return None
    return row if row.get("id") else None


def _by_dict(client: Any, name: str) -> Any:
    async def called(arguments: Mapping[str, Any]) -> Any:
        return await getattr(client, name)(**arguments)

    return called
