"""What ccxt sends to HTX for our orders, and what becomes of HTX's answers."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.exchange import CcxtExchange
from adapters.numbered import name_behind, number_of
from adapters.opener import dialect_of
from adapters.wire import Wire
from engine.errors import VenueRefusedError
from engine.events import (
    CancelUnclear,
    NotFound,
    OrderUpdate,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    Unclear,
)
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import connection_mark, order_name, position_id
from engine.values import Side

BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
PROTECTIONS = pytest.mark.parametrize(
    ("purpose", "kind"), [(Purpose.STOP, "sl"), (Purpose.TARGET, "tp")]
)
TYPES = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
NOW_MS = 1_780_000_000_000
HOUR_MS = 3_600_000
ACCEPTED = {"order_id": "1512501029504577536", "client_order_id": "7"}
ACCEPTED_APART = [{"algo_id": "1512871666507657216", "algo_client_order_id": None}]
POST, POST_APART = "POST /v5/trade/order", "POST /v5/algo/order"
OPEN, OPEN_APART = "GET /v5/trade/order/opens", "GET /v5/algo/order/opens"
CANCEL_APART = "POST /v5/algo/cancel_orders"
FIND, FIND_APART = "GET /v5/trade/order", "GET /v5/algo/order"
FILLS, HISTORY_APART = "GET /v5/trade/order/details", "GET /v5/algo/order/history"
SET_MODE, LEVER = "POST /v5/position/mode", "POST /v5/position/lever"
MODE, POSITIONS = "GET /v5/position/mode", "GET /v5/trade/position/opens"
UNKNOWN = {"code": 4001, "message": "The order does not exist.", "data": None}


def fine(data: Any) -> dict[str, Any]:
    return {"code": 200, "message": "Success", "data": data, "ts": NOW_MS}


class Venue:
    """An exchange of ours over ccxt's own client, whose answers a test wrote.

    `asked` are method and path with what was sent along, of several orders the first.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        dialect, clock = dialect_of("htx", "perpetual_futures"), FakeClock(NOW_MS)
        access = Access(venue="htx", network=Network.LIVE, api_key="key", api_secret="secret")
        self.wire = Wire(access, clock, dialect)
        self.wire.names.mark = connection_mark("c1")
        self.exchange = CcxtExchange(self.wire, dialect, clock, hedge=False)

    def says(self, answers: dict[str, Any]) -> "Venue":
        self.answers |= answers
        client = self.wire.client()
        client.set_markets([client.safe_market_structure(MARKET)])
        client.milliseconds = lambda: NOW_MS
        client.fetch = self._answered(client)
        return self

    def sent(self, route: str) -> list[dict[str, Any]]:
        return [given for asked, given in self.asked if asked == route]

    def _answered(self, client: Any) -> Callable[..., Any]:
        async def fetch(url: str, method: str, headers: Any = None, body: Any = None) -> Any:
            parts = urlsplit(url)
            if "timestamp" in parts.path:
                return {"status": "ok", "data": NOW_MS, "ts": NOW_MS}
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            route = f"{method} {parts.path}"
            given = json.loads(body) if body else query
            self.asked.append((route, given[0] if isinstance(given, list) else given))
            answer = self.answers[route]
            found = answer(query) if callable(answer) else answer
            text = json.dumps(found)
            client.handle_errors(200, "", url, method, {}, text, found, headers, body)
            return found

        return fetch


MARKET = {
    "id": "BTC-USDT", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT",
    "baseId": "BTC", "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False,
    "swap": True, "future": False, "contract": True, "linear": True, "inverse": False,
    "active": True, "contractSize": "0.001", "precision": {"amount": "1", "price": "0.1"},
    "limits": {"amount": {"min": "1", "max": "1000"}, "price": {}, "cost": {}, "leverage": {}},
}  # fmt: skip


def an_order(
    side: Side = Side.LONG, purpose: Purpose = Purpose.ENTRY, *, exchange_order_id: str = ""
) -> Order:
    return Order(
        client_order_id=order_name(position_id("c1", "BTCUSDT-3-LONG", 60_000), purpose, 7),
        position_id=position_id("c1", "BTCUSDT-3-LONG", 60_000),
        purpose=purpose,
        attempt=7,
        symbol="BTCUSDT",
        side=side,
        order_type=TYPES.get(purpose, OrderType.MARKET),
        quantity=Decimal("0.010"),
        trigger_price=Decimal("60000.1") if purpose in TYPES else None,
        exchange_order_id=exchange_order_id,
    )


def a_row(order: Order, **more: Any) -> dict[str, Any]:
    return {
        "id": "77", "volume": "10", "type": "market", "state": "filled", "trade_volume": "10",
        "side": order.order_side.value.lower(), "order_id": "1512501029504577536",
        "client_order_id": str(number_of(order.client_order_id)), "contract_code": "BTC-USDT",
        "position_side": "both", "trade_avg_price": "60000", "reduce_only": order.reduce_only,
        "created_time": str(NOW_MS), "sl_trigger_price": "", "tp_trigger_price": "", **more,
    }  # fmt: skip


def an_apart(order: Order, **more: Any) -> dict[str, Any]:
    kind = "sl" if order.purpose is Purpose.STOP else "tp"
    return {
        "id": "88", "volume": "10", "type": kind, "state": "active",
        "side": order.order_side.value.lower(), "algo_id": "1512871666507657216",
        "algo_client_order_id": str(number_of(order.client_order_id)),
        "contract_code": "BTC-USDT", "position_side": "both", "created_time": str(NOW_MS),
        f"{kind}_trigger_price": "60000.1", f"{kind}_order_price": "0", **more,
    }  # fmt: skip


# --- what is sent -----------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.CLOSE])
async def test_an_order_at_the_market_carries_its_whole_number(
    side: Side, purpose: Purpose
) -> None:
    venue, order = Venue().says({POST: fine(ACCEPTED)}), an_order(side, purpose)

    answer = await venue.exchange.send(order, valid_ms=2000)
    (sent,) = venue.sent(POST)

    assert isinstance(answer, OrderUpdate)
    assert (answer.state, answer.exchange_order_id) == (OrderState.OPEN, ACCEPTED["order_id"])
    assert sent["client_order_id"] == number_of(order.client_order_id)
    assert (sent["side"], sent["type"], sent["volume"]) == (
        order.order_side.value.lower(),
        "market",
        "10",
    )
    assert sent.get("reduce_only") == (1 if purpose is Purpose.CLOSE else None)
    assert "clientOrderId" not in sent


@BOTH_SIDES
@PROTECTIONS
async def test_a_protection_goes_where_its_kind_lives_and_closes_by_nature(
    side: Side, purpose: Purpose, kind: str
) -> None:
    venue, order = Venue().says({POST_APART: fine(ACCEPTED_APART)}), an_order(side, purpose)

    answer = await venue.exchange.send(order, valid_ms=2000)
    (sent,) = venue.sent(POST_APART)

    assert isinstance(answer, OrderUpdate)
    assert answer.exchange_order_id == ACCEPTED_APART[0]["algo_id"]
    assert sent["algo_client_order_id"] == number_of(order.client_order_id)
    assert (sent["type"], sent["side"]) == (kind, side.exit.value.lower())
    assert sent["position_side"] == "both"
    assert sent[f"{kind}_trigger_price"] == "60000.1"
    assert {"reduce_only", "client_order_id", "clientOrderId"}.isdisjoint(sent)


async def test_ccxt_would_round_a_number_that_is_given_as_a_client_order_id() -> None:
    client = Venue().says({}).wire.client()
    number = number_of(an_order().client_order_id)

    rounded = client.create_contract_order_request(
        "BTC/USDT:USDT", "market", "buy", "10", None, {"clientOrderId": str(number)}
    )

    assert rounded["client_order_id"] != number  # once it is equal, ours need no special way


@pytest.mark.parametrize("mode", ["single_side", "dual_side"])
async def test_mode_and_leverage_are_set_before_a_first_order(mode: str) -> None:
    venue = Venue().says({MODE: fine({"position_mode": mode}), SET_MODE: fine({}), LEVER: fine({})})

    await venue.exchange.prepare("BTCUSDT", leverage=7, hedge=False, cross=True)

    assert venue.sent(SET_MODE) == [{"position_mode": "single_side"}] * (mode == "dual_side")
    assert venue.sent(LEVER) == [
        {"contract_code": "BTC-USDT", "margin_mode": "cross", "lever_rate": 7}
    ]


async def test_a_margin_that_our_orders_would_not_carry_is_refused() -> None:
    venue = Venue().says({})

    with pytest.raises(VenueRefusedError, match="margin_type must be cross on htx"):
        await venue.exchange.prepare("BTCUSDT", leverage=7, hedge=False, cross=False)


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"code": 1048, "message": "Insufficient close amount available."}, "1048"),
        ({"code": 40_999, "message": "a code nobody listed", "data": None}, "40999"),
        (fine([{"code": 40_998, "message": "in the row alone", "algo_id": "1"}]), "40998"),
    ],
)
async def test_every_code_but_the_good_one_refuses(answer: Any, code: str) -> None:
    venue = Venue().says({POST_APART: answer})

    refused = await venue.exchange.send(an_order(purpose=Purpose.STOP), valid_ms=2000)

    assert isinstance(refused, OrderUpdate)
    assert refused.state is OrderState.REJECTED
    assert refused.reason.startswith(code)


@pytest.mark.parametrize("answer", [{"code": 1004, "message": "System busy."}, fine({}), fine([])])
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.STOP])
async def test_an_answer_that_says_neither_yes_nor_no_is_unclear(
    answer: Any, purpose: Purpose
) -> None:
    venue = Venue().says({POST: answer, POST_APART: answer})

    unclear = await venue.exchange.send(an_order(purpose=purpose), valid_ms=2000)

    assert isinstance(unclear, SendUnclear)
    assert unclear.why is Unclear.VENUE


# --- finding and cancelling -------------------------------------------------------------------


async def test_an_order_is_found_by_its_number() -> None:
    order = an_order()
    venue = Venue().says({FIND: fine(a_row(order))})

    found = await venue.exchange.look_up(order)

    assert isinstance(found, OrderUpdate)
    assert (found.state, found.filled_quantity) == (OrderState.FILLED, order.quantity)
    assert venue.sent(FIND)[0]["client_order_id"] == str(number_of(order.client_order_id))


@PROTECTIONS
async def test_a_protection_is_found_by_its_number_and_kind(purpose: Purpose, kind: str) -> None:
    order = an_order(purpose=purpose)
    venue = Venue().says({FIND_APART: fine([an_apart(order)])})

    found = await venue.exchange.look_up(order)
    (sent,) = venue.sent(FIND_APART)

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.OPEN
    assert sent["algo_client_order_id"] == str(number_of(order.client_order_id))
    assert sent["type"] == kind


@pytest.mark.parametrize("answer", [UNKNOWN, fine(None), fine([])])
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.STOP])
async def test_an_order_that_no_list_knows_either_is_not_found(
    answer: Any, purpose: Purpose
) -> None:
    empty = fine([])
    venue = Venue().says(
        {FIND: answer, FIND_APART: answer, OPEN_APART: empty, HISTORY_APART: empty}
    )

    assert isinstance(await venue.exchange.look_up(an_order(purpose=purpose)), NotFound)


@PROTECTIONS
async def test_a_protection_that_was_triggered_has_ended(purpose: Purpose, kind: str) -> None:
    order = an_order(purpose=purpose)
    ended = an_apart(order, state="effective", actual_volume="10")

    def history(query: dict[str, Any]) -> Any:
        return fine([ended] if query["states"] == "effective" else [])

    venue = Venue().says({FIND_APART: UNKNOWN, OPEN_APART: fine([]), HISTORY_APART: history})

    found = await venue.exchange.look_up(order)

    assert isinstance(found, OrderUpdate)
    assert (found.state, found.filled_quantity) == (OrderState.FILLED, order.quantity)
    assert {sent["type"] for sent in venue.sent(HISTORY_APART)} == {kind}


@PROTECTIONS
async def test_a_protection_is_cancelled_where_it_lives(purpose: Purpose, kind: str) -> None:
    order = an_order(purpose=purpose)
    states = iter(["active", "canceled"])
    venue = Venue().says(
        {
            FIND_APART: lambda _: fine([an_apart(order, state=next(states))]),
            CANCEL_APART: fine([{"algo_id": "1512871666507657216", "code": 200}]),
        }
    )

    cancelled = await venue.exchange.cancel(order)

    assert isinstance(cancelled, OrderUpdate)
    assert cancelled.state is OrderState.CANCELLED
    (sent,) = venue.sent(CANCEL_APART)
    assert sent == {"contract_code": "BTC-USDT", "algo_id": "1512871666507657216"}
    assert venue.sent(FIND_APART)[0]["type"] == kind


async def test_a_cancel_refused_in_its_row_is_no_cancel() -> None:
    order = an_order(purpose=Purpose.STOP)
    refusal = {"algo_id": "1512871666507657216", "code": 40_997, "message": "not now"}
    venue = Venue().says({FIND_APART: fine([an_apart(order)]), CANCEL_APART: fine([refusal])})

    answer = await venue.exchange.cancel(order)

    assert isinstance(answer, CancelUnclear)
    assert answer.text.startswith("40997")


# --- reading ----------------------------------------------------------------------------------


def lists(**by_kind: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        MODE: fine({"position_mode": "single_side"}),
        OPEN: fine(by_kind.get("plain", [])),
        OPEN_APART: lambda query: fine(by_kind.get(query["type"], [])),
        POSITIONS: fine([]),
    }


async def test_stops_and_targets_are_listed_beside_plain_orders() -> None:
    stop, target = an_order(purpose=Purpose.STOP), an_order(purpose=Purpose.TARGET)
    venue = Venue().says(lists(sl=[an_apart(stop)], tp=[an_apart(target, algo_id="9")]))
    venue.exchange.recall((stop, target))

    snapshot = await venue.exchange.snapshot()

    assert isinstance(snapshot, Snapshot)
    assert [each.client_order_id for each in snapshot.orders] == [
        stop.client_order_id,
        target.client_order_id,
    ]
    for each in snapshot.orders:
        assert (each.side, each.reduces, each.is_conditional) == (Side.LONG, True, True)
        assert (each.quantity, each.trigger_price) == (Decimal("0.010"), Decimal("60000.1"))
    assert {sent["limit"] for sent in venue.sent(OPEN_APART)} == {"100"}


@BOTH_SIDES
async def test_a_listed_stop_nobody_remembers_is_still_of_this_connection(side: Side) -> None:
    stop = an_order(side, Purpose.STOP)
    venue = Venue().says(lists(sl=[an_apart(stop)]))

    snapshot = await venue.exchange.snapshot()

    assert isinstance(snapshot, Snapshot)
    (found,) = snapshot.orders
    number = number_of(stop.client_order_id)
    assert found.client_order_id == name_behind(number, connection_mark("c1"))
    assert (found.side, found.reduces) == (side, True)


async def test_a_listed_stop_without_a_client_id_is_known_by_the_id_it_was_given() -> None:
    stop = an_order(purpose=Purpose.STOP, exchange_order_id="1512871666507657216")
    venue = Venue().says(lists(sl=[an_apart(stop, algo_client_order_id=None)]))
    venue.exchange.recall((stop,))

    snapshot = await venue.exchange.snapshot()

    assert isinstance(snapshot, Snapshot)
    assert [each.client_order_id for each in snapshot.orders] == [stop.client_order_id]


async def test_a_list_as_long_as_its_page_is_no_snapshot() -> None:
    stop = an_order(purpose=Purpose.STOP)
    venue = Venue().says(lists(sl=[an_apart(stop, algo_id=str(n)) for n in range(100)]))

    assert isinstance(await venue.exchange.snapshot(), SnapshotFailed)


@pytest.mark.parametrize(("mode", "hedge"), [("single_side", False), ("dual_side", True)])
async def test_the_position_mode_is_read(mode: str, hedge: bool) -> None:
    venue = Venue().says({MODE: fine({"position_mode": mode})})

    assert await dialect_of("htx", "perpetual_futures").is_hedged(venue.wire) is hedge


@BOTH_SIDES
async def test_fills_are_asked_for_in_spans_and_tell_what_was_paid(side: Side) -> None:
    entry = an_order(side)
    executed = {
        "id": "1-2", "contract_code": "BTC-USDT", "order_id": "1512501029504577536",
        "trade_id": "152022944", "side": side.entry.value.lower(), "type": "market",
        "role": "TAKER", "trade_price": "60000", "trade_volume": "10", "fee_currency": "USDT",
        "trade_turnover": "600", "created_time": str(NOW_MS - 1), "trade_fee": "0.36",
    }  # fmt: skip

    def details(query: dict[str, Any]) -> Any:
        is_last = int(query["end_time"]) >= NOW_MS
        return fine([executed] if is_last else [])

    venue = Venue().says({FILLS: details, FIND: fine(a_row(entry))})
    venue.exchange.recall((entry,))

    (fill,) = await venue.exchange.fills("BTCUSDT", since_ms=NOW_MS - 100 * HOUR_MS)

    assert (fill.client_order_id, fill.side) == (entry.client_order_id, side)
    assert (fill.quantity, fill.fee, fill.fee_asset) == (
        Decimal("0.010"),
        Decimal("0.36"),
        "USDT",
    )
    spans = [(int(s["start_time"]), int(s["end_time"])) for s in venue.sent(FILLS)]
    assert [end - start for start, end in spans] == [48 * HOUR_MS] * 3
    assert spans[0][0] == NOW_MS - 100 * HOUR_MS
