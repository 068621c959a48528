"""The paper exchange on the wire: unmodified ccxt, raw requests, kills and restarts."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.paper_process import PaperProcess, finish, free_ports, running, start
from tests.outside_client import led_session

SCRIPT, ROOT = "tests.e2e.paper_wire_script", Path(__file__).parents[2]
RESPONSES = ROOT.parent / "shared" / "data" / "venue_responses" / "binance"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperProcess]:
    with running(tmp_path_factory.mktemp("paper")) as process:
        yield process


def test_an_unmodified_ccxt_client_trades_with_production_urls(tmp_path: Path) -> None:
    with running(tmp_path / "paper") as paper:
        done = subprocess.run(
            [sys.executable, "-m", SCRIPT, str(paper.port), str(paper.authority)],
            capture_output=True, text=True, timeout=100, check=False, cwd=ROOT,
        )  # fmt: skip
        books = paper.books()

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    market, trading = report["market"], report["trading"]
    assert (market["symbols"], market["candles"], market["tickers"]) == (8, 100, 8)
    assert market["taker"] == 0.0005
    assert report["streams"]["bid_below_ask"]
    assert (trading["opened"], trading["entry"], trading["closed"]) == ("closed",) * 3
    assert (trading["conditional"], trading["found"]) == (3, "stop-1")
    assert (trading["position"], trading["side"], trading["after"]) == (0.004, "long", 0)
    assert (trading["amended"], trading["reduced"]) == (0.003, 0.001)
    assert trading["watched"] == ["entry-1", "rest-1", "stop-1", "target-1"]
    assert (trading["fills"], trading["watched_fills"]) == (3, 3)
    assert report["hedged"] == {
        "sides": ["long", "short"], "stops": 2, "hedged": [True, True], "left": 0,
    }  # fmt: skip
    assert report["account"] == {"snapshot": 0.1, "contracts": 0.2, "total": True}
    assert books["duplicates"] == {"order": 0, "algo": 0}
    assert report["refused"] == {
        "too_big": "InsufficientFunds", "nothing_to_reduce": "InvalidOrder",
        "too_small": "InvalidOrder", "post_only": "OrderNotFillable", "attached": "BadRequest",
        "immediate": "OrderImmediatelyFillable", "unknown_order": "OrderNotFound",
        "cancel_unknown": "OrderNotFound", "one_second": "BadRequest",
        "bad_signature": "AuthenticationError", "unknown_key": "AuthenticationError",
        "late": "InvalidNonce", "same_margin_mode": "MarginModeAlreadySet",
        "same_position_mode": "OperationRejected",
    }  # fmt: skip


def an_order(**more: object) -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.002"} | more


def an_algo(**more: object) -> dict[str, Any]:
    fields: dict[str, object] = {
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "side": "SELL",
        "triggerPrice": 1000,
    }
    return an_order(**fields) | more


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("order", an_order(stopLoss="1"), -1104),
        ("order", an_order(type="STOP_MARKET"), -4120),
        ("order", an_order(type="NOPE"), -1116),
        ("order", an_order(side="HOLD"), -1117),
        ("order", an_order(price="1"), -1106),
        ("order", an_order(quantity=""), -1105),
        ("order", an_order(quantity="many"), -1130),
        ("order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}, -1102),
        ("order", an_order(quantity="0.0021"), -1111),
        ("order", an_order(quantity="0.0001"), -4003),
        ("order", an_order(quantity="20"), -2019),
        ("order", an_order(symbol="NOPEUSDT"), -1121),
        ("order", an_order(reduceOnly="true"), -2022),
        ("order", an_order(positionSide="LONG"), -4061),
        ("order", an_order(newClientOrderId="x" * 40), -4015),
        ("order", an_order(type="LIMIT", price="10000"), -1102),
        ("order", an_order(type="LIMIT", price="10000", timeInForce="NOW"), -1115),
        ("order", an_order(type="LIMIT", price="10000.05", timeInForce="GTC"), -1111),
        ("order", an_order(type="LIMIT", price="10000", timeInForce="GTC"), -4164),
        ("algoOrder", an_algo(stopPrice="1"), -1104),
        ("algoOrder", an_algo(type="MARKET"), -1116),
        ("algoOrder", an_algo(callbackRate="1"), -1106),
        ("algoOrder", an_algo(side="BUY"), -2021),
        ("leverage", {"symbol": "BTCUSDT", "leverage": 500}, -4028),
        ("marginType", {"symbol": "BTCUSDT", "marginType": "CROSSED"}, -4046),
        ("positionSide/dual", {"dualSidePosition": "false"}, -4059),
    ],
)
def test_a_bad_request_gets_the_venue_s_code(
    paper: PaperProcess, path: str, parameters: dict[str, Any], code: int
) -> None:
    answer = paper.signed("POST", f"/fapi/v1/{path}", **parameters)

    assert answer.status_code == 400
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        ({"secret": "wrong"}, -1022, 400),
        ({"key": "unknown"}, -2015, 401),
        ({"key": ""}, -2014, 401),
        ({"timestamp": 1_600_000_000_000}, -1021, 400),
        ({"timestamp": 4_000_000_000_000}, -1021, 400),
        ({"recvWindow": 70_000}, -1131, 400),
        ({"extra": "1"}, -1104, 400),
    ],
)
def test_who_may_not_ask_gets_no_answer(
    paper: PaperProcess, more: dict[str, Any], code: int, status: int
) -> None:
    answer = paper.signed("GET", "/fapi/v3/account", **more)

    assert (answer.json()["code"], answer.status_code) == (code, status)


def test_public_routes_refuse_what_they_do_not_read_and_one_second_candles(
    paper: PaperProcess,
) -> None:
    unread = paper.public("/fapi/v1/klines", symbol="BTCUSDT", interval="1m", page=2)
    second = paper.public("/fapi/v1/klines", symbol="BTCUSDT", interval="1s")
    nowhere = paper.public("/fapi/v1/nowhere")

    assert unread.json()["code"] == -1104
    assert second.json()["code"] == -1120
    assert nowhere.status_code == 404
    assert int(unread.headers["X-MBX-USED-WEIGHT-1M"]) > 0


def test_candles_by_time_are_whole_and_aligned(paper: PaperProcess) -> None:
    start_ms = (time.time_ns() // 1_000_000 - 86_400_000) // 60_000 * 60_000 + 1
    rows = paper.public(
        "/fapi/v1/klines", symbol="ETHUSDT", interval="5m", startTime=start_ms, limit=10
    ).json()

    first = -(-start_ms // 300_000) * 300_000
    assert [row[0] for row in rows] == [first + place * 300_000 for place in range(10)]
    assert all(row[6] == row[0] + 299_999 for row in rows)


def test_trades_from_rest_fill_the_gap_exactly_between_what_the_stream_sent(
    paper: PaperProcess,
) -> None:
    streamed = asyncio.run(_stream(paper, "btcusdt@aggTrade", 12))

    first = streamed[0]["a"]
    rows = paper.public("/fapi/v1/aggTrades", symbol="BTCUSDT", fromId=first, limit=12).json()

    keys = ("a", "p", "q", "T", "m")
    assert [[row[key] for key in keys] for row in rows] == [
        [event[key] for key in keys] for event in streamed
    ]


async def _stream(paper: PaperProcess, stream: str, count: int) -> list[dict[str, Any]]:
    async with (
        led_session(paper.port, str(paper.authority)) as session,
        session.ws_connect("https://fstream.binance.com/market/ws/0") as socket,
    ):
        await socket.send_json({"method": "SUBSCRIBE", "params": [stream], "id": 3})
        acknowledged = await socket.receive_json(timeout=5)
        assert acknowledged == {"result": None, "id": 3}
        return [await socket.receive_json(timeout=5) for _ in range(count)]


def test_without_streams_sockets_are_refused_and_rest_still_serves(tmp_path: Path) -> None:
    with running(tmp_path, "--no-stream", "--symbols", "2") as paper:
        refused = paper.upgrade("/market/ws/0")
        rows = paper.public("/fapi/v1/aggTrades", symbol="BTCUSDT", limit=5).json()

    assert refused.status_code == 503
    assert len(rows) == 5


def test_a_killed_exchange_comes_back_with_its_books(tmp_path: Path) -> None:
    ports = free_ports(2)
    paper = start(tmp_path, ports=ports)
    entry = paper.signed("POST", "/fapi/v1/order", **an_order(newClientOrderId="entry"))
    last = float(paper.public("/fapi/v1/ticker/price", symbol="BTCUSDT").json()["price"])
    resting = an_order(type="LIMIT", timeInForce="GTC", price=round(last * 0.9))
    paper.signed("POST", "/fapi/v1/order", **resting)
    stop = an_algo(triggerPrice=round(last * 0.9), reduceOnly="true", clientAlgoId="stop")
    accepted = paper.signed("POST", "/fapi/v1/algoOrder", **stop)
    paper.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=7)
    before = paper.books()

    paper.process.kill()
    paper.process.communicate()
    paper = start(tmp_path, ports=ports)
    after = paper.books()
    config = paper.signed("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT").json()

    assert finish(paper) == 0
    assert (entry.status_code, accepted.status_code) == (200, 200)
    assert {key: value for key, value in after.items() if key != "available"} == {
        key: value for key, value in before.items() if key != "available"
    }
    assert after["orders_received"] == 3
    assert (after["positions"][0]["quantity"], after["positions"][0]["protected"]) == (
        "0.002",
        True,
    )
    assert config[0]["leverage"] == 7


def test_a_kill_right_after_an_answer_never_loses_the_order(tmp_path: Path) -> None:
    ports = free_ports(2)
    for number in range(3):
        paper = start(tmp_path, "--symbols", "1", ports=ports)
        answer = paper.signed("POST", "/fapi/v1/order", **an_order(newClientOrderId=f"n{number}"))
        paper.process.kill()
        paper.process.communicate()
        assert answer.json()["status"] == "NEW"

    paper = start(tmp_path, "--symbols", "1", ports=ports)
    trades = paper.books()["trades"]
    finish(paper)
    assert [one["client_order_id"] for one in trades] == ["n0", "n1", "n2"]


def test_a_tape_goes_on_after_a_restart_where_the_clock_is(tmp_path: Path) -> None:
    tape = tmp_path / "btcusdt_1m.csv"
    rows = "".join(f"{minute * 60_000},{minute + 1},{minute + 1},{minute + 1},{minute + 1},9\n"
                   for minute in range(50_000, 50_600))  # fmt: skip
    tape.write_text("ts_ms,open,high,low,close,volume\n" + rows)
    seen = []
    for _ in range(2):
        with running(tmp_path / "paper", "--tape", str(tape)) as paper:
            answer = paper.public("/fapi/v1/ticker/price", symbol="BTCUSDT").json()
            seen.append(float(answer["price"]))

    assert seen[0] == 50_001
    assert seen[1] in (50_001, 50_002)


def test_a_taken_port_is_one_clear_sentence(paper: PaperProcess, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="address already in use") as error:
        start(tmp_path, ports=[paper.port, free_ports(1)[0]])

    assert "\n" not in str(error.value)


def test_a_directory_serves_one_exchange_at_a_time(paper: PaperProcess) -> None:
    with pytest.raises(RuntimeError, match="another paper exchange runs on"):
        start(paper.directory)


def test_answers_carry_the_keys_of_recorded_ones(paper: PaperProcess) -> None:
    """Recorded spot and coin-margined answers, where the USD-M route shares the shape."""
    if not RESPONSES.exists():
        pytest.skip(f"recorded venue responses are not at {RESPONSES}")

    def real(name: str) -> Any:
        return json.loads((RESPONSES / name).read_text())["http_response"]

    listing = paper.public("/fapi/v1/exchangeInfo").json()["symbols"][0]
    coin_only = {"contractStatus", "contractSize", "equalQtyPrecision"}
    assert set(real("fetch_markets.json")["symbols"][0]) - coin_only <= set(listing)
    ticker = paper.public("/fapi/v1/ticker/24hr", symbol="BTCUSDT").json()
    spot_only = {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"}
    assert set(real("fetch_ticker_BTC_USDT.json")) - spot_only <= set(ticker)
    candle = paper.public("/fapi/v1/klines", symbol="BTCUSDT", interval="1h").json()[0]
    recorded = real("fetch_ohlcv_BTC_USDT.json")[0]
    assert [type(one) for one in candle] == [type(one) for one in recorded]
    trade = paper.public("/fapi/v1/aggTrades", symbol="BTCUSDT").json()[0]
    assert set(real("fetch_trades_BTC_USDT.json")[0]) - {"M"} == set(trade)
    book = paper.public("/fapi/v1/depth", symbol="BTCUSDT", limit=5).json()
    assert set(real("fetch_order_book_BTC_USDT.json")) <= set(book)
