"""HTX through ccxt's unified methods, and what these leave out of its fifth API.

Client ids are numbers of 63 bits, which ccxt would round on their way out as one that went through
a float; a second code in the answer may refuse what the first lets pass; the fee of an execution
comes with its sign turned; and the position mode can be read, though ccxt has no method for it.
Stop losses and take profits close positions by nature, and have to name the position side.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.ccxt_loader import load_errors
from adapters.venues import Caller, Row
from adapters.venues import unified_calls as calls
from adapters.venues import unified_words as words
from adapters.venues.unified import UnifiedSwap
from engine.errors import VenueRefusedError
from engine.ledger import Order

_FINE = ("None", "200")
_UNKNOWN = re.compile(r"order.*(not.?found|not exist|n.t exist)", re.IGNORECASE)
_ONE_WAY = "both"


class HtxSwap(UnifiedSwap):
    """A dialect of HTX's perpetuals settled in USDT."""

    # System error, busy, out of order: what became of the request is not said.
    errors = replace(words.ERRORS, unclear=frozenset({"500", "1000", "1004", "1030"}))

    def adjust(self, client: Any) -> None:
        super().adjust(client)
        client.handle_errors = _strict(client, client.handle_errors)
        client.parse_order = _read_by(client.parse_order, _order)
        client.parse_trade = _read_by(client.parse_trade, _trade)

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """As everywhere; every order carries its margin mode, and ours all carry the same."""
        if not cross:
            raise VenueRefusedError("margin_type must be cross on htx: its orders are sent as such")
        await super().prepare(wire, symbol, leverage=leverage, hedge=hedge, cross=cross)

    async def is_hedged(self, wire: Caller) -> bool:
        await calls.ready(wire)
        answer = await wire.call("contractPrivateGetV5PositionMode", {}, urgent=True)
        return bool(answer["data"]["position_mode"] == "dual_side")

    def _params(self, wire: Caller, order: Order) -> dict[str, Any]:
        params = super()._params(wire, order)
        number = int(params.pop("clientOrderId"))
        if not order.order_type.is_conditional:
            return {**params, "client_order_id": number}
        return {**params, "algo_client_order_id": number, "position_side": _ONE_WAY}


def _strict(client: Any, told: Callable[..., Any]) -> Callable[..., Any]:
    """Errors as ccxt finds them, and every other code that is not the good one."""

    def checked(*given: Any) -> Any:
        found = told(*given)
        for row in _coded(given[6]):
            if str(row.get("code")) not in _FINE:
                _refuse(client, row)
        return found

    return checked


def _coded(answer: Any) -> Iterator[Mapping[str, Any]]:
    """The answer, and each of the orders it tells of, where they have codes of their own."""
    if not isinstance(answer, dict):
        return
    yield answer
    rows = answer.get("data")
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, dict))


def _refuse(client: Any, row: Mapping[str, Any]) -> None:
    kinds, text = load_errors(), f"{client.id} {json.dumps(row)}"
    if _UNKNOWN.search(str(row.get("message"))):
        raise kinds.OrderNotFound(text)
    client.throw_exactly_matched_exception(client.exceptions["exact"], str(row["code"]), text)
    raise kinds.ExchangeError(text)


def _read_by(told: Callable[..., Row], read: Callable[[Row, Row], Row]) -> Callable[..., Row]:
    def parsed(raw: Row | None, market: Any = None) -> Row:
        return read(raw, told(raw, market)) if raw else {}

    return parsed


def _order(raw: Row, row: Row) -> Row:
    """A conditional order that was triggered has ended: what it became is another order."""
    if raw.get("state") != "effective":
        return row
    return {**row, "status": "closed", "filled": raw.get("actual_volume") or row.get("filled")}


def _trade(raw: Row, row: Row) -> Row:
    """HTX tells what was paid; ccxt takes it for a booking and turns its sign."""
    paid = raw.get("trade_fee")
    if paid is None or row.get("fee") is None:
        return row
    fee = {**row["fee"], "cost": str(paid)}
    return {**row, "fee": fee, "fees": [fee]}
