"""Binance's wire without a socket: requests in, answers out, and what a session is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.wires.binance_desk import KEY, Desk
from tests.wires.scripted import BTC, a_market_order

from local.paper.core.records import OrderSide
from local.paper.wire import Answer, Request, Trouble


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_order_is_placed_by_a_signed_request(desk: Desk) -> None:
    answer = desk.signed(
        "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.5"
    )

    assert answer.status == 200
    assert answer.body["status"] in ("NEW", "FILLED")
    assert desk.stage.held() > 0


def test_the_weight_of_requests_is_counted_in_the_header(desk: Desk) -> None:
    path = "/fapi/v1/ticker/24hr"
    weights = [
        desk.wire.answer(Request(method="GET", path=path, query=f"symbol={BTC}")).headers
        for _ in range(2)
    ]

    assert [one["X-MBX-USED-WEIGHT-1M"] for one in weights] == ["40", "80"]


def test_a_wrong_signature_is_refused_in_the_venues_words(desk: Desk) -> None:
    query = f"timestamp={desk.stage.now_ms()}&signature=00"

    answer = desk.wire.answer(
        Request(method="GET", path="/fapi/v2/balance", query=query, headers=KEY)
    )

    assert (answer.status, answer.body["code"]) == (400, -1022)


def test_a_socket_with_a_living_listen_key_is_told_of_the_account(desk: Desk) -> None:
    key = desk.listen_key().body["listenKey"]
    private, public = desk.session(f"/ws/{key}"), desk.session("/ws/btcusdt@trade")
    heard: list[dict[str, Any]] = []
    desk.stage.exchange.books.listener = lambda event: heard.extend(
        json.loads(one) for one in [*private.told(event), *public.told(event)]
    )

    desk.stage.exchange.place_order(a_market_order(OrderSide.BUY, "0.5"))

    assert private.is_private
    assert not public.is_private
    orders = [one["o"]["X"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
    assert orders == ["NEW", "FILLED"]


def test_an_expired_session_says_so_once_and_is_told_nothing_more(desk: Desk) -> None:
    key = desk.listen_key().body["listenKey"]
    session = desk.session(f"/ws/{key}")

    desk.wire.expire()

    assert [json.loads(one)["e"] for one in session.expired()] == ["listenKeyExpired"]
    assert not session.is_private
    assert desk.listen_key("PUT").body["code"] == -1125
    refused = desk.wire.session("/ws", f"listenKey={key}")
    assert isinstance(refused, Answer)
    assert refused.status == 400


def test_a_combined_socket_names_the_stream_of_an_event(desk: Desk) -> None:
    session = desk.session("/stream", "streams=btcusdt@trade/btcusdt@kline_1m")

    assert session.topics == {"btcusdt@trade", "btcusdt@kline_1m"}
    assert session.framed("btcusdt@trade", "{}") == '{"stream":"btcusdt@trade","data":{}}'
    start_ms = desk.stage.now_ms() - 1_000
    (event,) = desk.wire.market_events("btcusdt@trade", start_ms, desk.stage.now_ms())
    assert json.loads(event)["e"] == "trade"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"method":"SUBSCRIBE","params":["a@trade"],"id":1}', {"result": None, "id": 1}),
        ('{"method":"LIST_SUBSCRIPTIONS","id":2}', {"result": [], "id": 2}),
        ("nonsense", {"error": {"code": 2, "msg": "Invalid request: malformed JSON."}}),
    ],
)
def test_what_a_client_says_is_acknowledged(desk: Desk, text: str, answer: object) -> None:
    (frame,) = desk.session("/ws").heard(text)

    assert json.loads(frame) == answer


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_its_own_status_and_words(desk: Desk, trouble: Trouble) -> None:
    until_ms = desk.stage.now_ms() + 2_500

    answer = desk.wire.troubled(trouble, until_ms=until_ms)

    assert answer.status >= 400
    if trouble is Trouble.BANNED:
        assert f"banned until {until_ms}" in answer.text
    assert ("Retry-After" in answer.headers) == (trouble in (Trouble.BANNED, Trouble.RATE_LIMIT))
    if trouble is Trouble.RATE_LIMIT:
        assert answer.headers["Retry-After"] == "3"
