"""OKX's sockets: logins, subscriptions, books that count, and the account's own channels."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.wires.okx_desk import SWAP, Desk, a_stop, an_order, said

from local.paper.core.books import Event
from local.paper.venues.okx.sessions import OkxSession
from local.paper.wire import Answer

D = Decimal
ORDERS = {"channel": "orders", "instType": "SWAP"}


def heard_of(desk: Desk, session: OkxSession) -> list[Any]:
    """What the socket is told from now on."""
    frames: list[Any] = []

    def tell(event: Event) -> None:
        frames.extend(json.loads(one) for one in session.told(event))

    desk.wire.exchange.books.listener = tell
    return frames


def test_a_ping_is_a_text_and_so_is_its_pong(tmp_path: Path) -> None:
    assert Desk(tmp_path).session("public").heard("ping") == ("pong",)


def test_other_addresses_are_no_sockets(tmp_path: Path) -> None:
    answer = Desk(tmp_path).wire.session("/ws/v5/nope", "")

    assert isinstance(answer, Answer)
    assert answer.status == 404


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"apiKey": "unknown"}, "60005"),
        ({"passphrase": "wrong"}, "60024"),
        ({"sign": "wrong"}, "60007"),
        ({"timestamp": "1"}, "60006"),
        ({"timestamp": "now"}, "60004"),
    ],
)
def test_a_wrong_login_opens_nothing(tmp_path: Path, changed: dict[str, str], code: str) -> None:
    desk = Desk(tmp_path)
    session = desk.session("private")
    answer = said(session, "login", desk.login(**changed))
    refused = said(session, "subscribe", ORDERS)

    assert [(one["event"], one["code"]) for one in (*answer, *refused)] == [
        ("error", code), ("error", "60011"),
    ]  # fmt: skip
    assert not session.is_private


@pytest.mark.parametrize(
    ("access", "arg", "code"),
    [
        ("public", {"channel": "trades", "instId": "NOPE-USDT-SWAP"}, "60018"),
        ("public", {"channel": "candle1m", "instId": SWAP}, "60018"),
        ("public", ORDERS, "60018"),
        ("private", {"channel": "orders-algo", "instType": "SWAP"}, "60018"),
        ("private", {"channel": "trades", "instId": SWAP}, "60018"),
    ],
)
def test_a_channel_is_followed_at_its_own_address_only(
    tmp_path: Path, access: str, arg: dict[str, str], code: str
) -> None:
    answer = said(Desk(tmp_path).session(access), "subscribe", arg)

    assert (answer[0]["event"], answer[0]["code"]) == ("error", code)


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"op": "jump", "args": [{}]}', "{}"])
def test_nonsense_is_answered_with_an_error(tmp_path: Path, text: str) -> None:
    answer = Desk(tmp_path).session("public").heard(text)

    assert json.loads(answer[0])["code"] == "60012"


def test_trades_are_told_each_and_forgotten_when_left(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 50_000, 50_001)
    session = desk.session("public")
    arg = {"channel": "trades", "instId": SWAP}
    acknowledged = said(session, "subscribe", arg)
    (topic,) = session.topics
    now_ms = desk.stage.now_ms()
    told = [json.loads(one) for one in desk.wire.market_events(topic, now_ms - 1_999, now_ms)]
    said(session, "unsubscribe", arg)

    assert acknowledged == [{"event": "subscribe", "arg": arg, "connId": "a4d3ae55"}]
    assert [(one["arg"], len(one["data"])) for one in told] == [(arg, 1)] * 2
    assert told[0]["data"][0]["sz"] == "0.5"  # five steps of 0.001 BTC, at 0.01 a contract
    assert session.topics == set()


def test_a_book_is_a_snapshot_and_updates_that_name_the_one_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 50_000, 50_010, 50_020, second=0)
    session = desk.session("public")
    frames = said(session, "subscribe", {"channel": "books", "instId": SWAP})
    (topic,) = session.topics
    for second in (1, 2):
        desk.stage.at(second)
        now_ms = desk.stage.now_ms()
        for text in desk.wire.market_events(topic, now_ms - 100, now_ms):
            frames.append(json.loads(session.framed(topic, text)))
    books = [one for one in frames if "data" in one]
    numbers = [(one["data"][0]["prevSeqId"], one["data"][0]["seqId"]) for one in books]
    sides: dict[str, dict[str, str]] = {"asks": {}, "bids": {}}
    for one in books:
        for side, levels in sides.items():
            levels.update({price: size for price, size, *_ in one["data"][0][side]})
    whole = desk.row("market/books", instId=SWAP, sz=50)

    assert [one["action"] for one in books] == ["snapshot", "update", "update"]
    assert numbers[0][0] == -1
    assert [before for before, _ in numbers[1:]] == [number for _, number in numbers[:-1]]
    assert len({number for _, number in numbers}) == 3
    for side, levels in sides.items():
        live = {price: size for price, size in levels.items() if D(size)}
        assert live == {price: size for price, size, *_ in whole[side]}


def test_an_update_holds_only_what_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    session = desk.session("public")
    said(session, "subscribe", {"channel": "books", "instId": SWAP})
    (topic,) = session.topics
    at_ms = desk.stage.now_ms() // 100 * 100
    (text,) = desk.wire.market_events(topic, at_ms, at_ms)
    (row,) = json.loads(session.framed(topic, text))["data"]

    assert len(row["asks"]) + len(row["bids"]) < 50  # of a hundred levels


def test_candles_are_told_each_second_on_the_business_address(tmp_path: Path) -> None:
    desk = Desk(tmp_path, second=60)
    session = desk.session("business")
    said(session, "subscribe", {"channel": "candle1m", "instId": SWAP})
    (topic,) = session.topics
    second_ms = desk.stage.now_ms() // 1000 * 1000
    quiet = desk.wire.market_events(topic, second_ms + 1, second_ms + 900)
    told = desk.wire.market_events(topic, second_ms - 20, second_ms + 20)

    assert quiet == []
    assert [len(json.loads(one)["data"][0]) for one in told][:1] == [9]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_is_told_as_it_is_made_and_as_it_fills(tmp_path: Path, side: str) -> None:
    desk = Desk(tmp_path)
    frames = heard_of(desk, desk.inside(ORDERS))
    made = desk.order(side=side, clOrdId="mine")
    rows = [row for one in frames for row in one["data"]]
    fill = desk.row("trade/fills", instType="SWAP")

    assert [row["state"] for row in rows] == ["live", "filled"]
    assert [row["tradeId"] for row in rows] == ["", fill["tradeId"]]
    assert rows[1]["fillFee"] == fill["fee"]
    assert {(row["ordId"], row["clOrdId"], row["side"]) for row in rows} == {
        (made["ordId"], "mine", side)
    }


def test_a_fired_stop_is_told_as_the_plain_order_it_became(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 50_000, 50_000, 49_000, second=0)
    desk.order()
    desk.act("trade/order-algo", a_stop(49_500, algoClOrdId="stop1"))
    orders = heard_of(desk, desk.inside(ORDERS))
    desk.stage.at(3)
    rows = [row for one in orders for row in one["data"]]

    assert [(row["state"], row["algoClOrdId"], row["clOrdId"]) for row in rows] == [
        ("live", "stop1", ""), ("filled", "stop1", ""),
    ]  # fmt: skip


def test_conditional_orders_are_told_on_the_business_address(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    algos = {"channel": "orders-algo", "instType": "SWAP"}
    frames = heard_of(desk, desk.inside(algos, access="business"))
    desk.order()
    desk.act("trade/order-algo", a_stop(49_500, algoClOrdId="stop1"))
    desk.post("trade/cancel-algos", [{"instId": SWAP, "algoClOrdId": "stop1"}])
    rows = [row for one in frames for row in one["data"]]

    assert [row["state"] for row in rows] == ["live", "canceled"]


def test_balance_and_positions_begin_with_what_is_and_follow(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.order()
    session = desk.session("private")
    said(session, "login", desk.login())
    args = ({"channel": "positions", "instType": "ANY"}, {"channel": "account"},
            {"channel": "balance_and_position"})  # fmt: skip
    first = said(session, "subscribe", *args)
    frames = heard_of(desk, session)
    desk.act("trade/order", an_order(side="sell", reduceOnly=True))

    snapshots = {one["arg"]["channel"]: one["data"] for one in first if "data" in one}
    assert snapshots["positions"][0]["pos"] == "1"
    assert snapshots["account"][0]["details"][0]["ccy"] == "USDT"
    assert snapshots["balance_and_position"][0]["posData"][0]["pos"] == "1"
    after = {one["arg"]["channel"]: one["data"][0] for one in frames}
    assert after["positions"]["pos"] == "0"
    assert after["balance_and_position"]["eventType"] == "filled"


def test_after_its_key_expired_a_socket_is_told_nothing_more(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    session = desk.inside(ORDERS)
    last = json.loads(session.expired()[0])
    frames = heard_of(desk, session)
    desk.order()

    assert (last["event"], last["code"]) == ("error", "4007")
    assert frames == []
