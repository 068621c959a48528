"""OKX's wire against the outside: unmodified ccxt, and answers that OKX itself gave."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.paper_venue import KEY, PASSPHRASE, SECRET, PaperProcess
from tests.wires.okx_desk import SWAP, Desk

from adapters.ccxt_loader import load_venue
from adapters.venues import okx_words as words

SCRIPT, ROOT = "tests.contracts.okx_ccxt_script", Path(__file__).parents[2]
RESPONSES = ROOT.parent / "shared/data/venue_responses/okx"
# Each recorded answer, and the routes of ours that give its like for a swap.
LIKES: dict[str, list[tuple[str, dict[str, object]]]] = {
    "fetch_markets": [("public/instruments", {"instType": "SWAP"})],
    "fetch_ohlcv_BTC_USDT": [
        ("market/candles", {"instId": SWAP, "bar": "1H"}),
        ("market/history-candles", {"instId": SWAP, "bar": "1H"}),
    ],
    "fetch_order_book_BTC_USDT": [("market/books", {"instId": SWAP, "sz": 5})],
    "fetch_ticker_BTC_USDT": [("market/ticker", {"instId": SWAP})],
    "fetch_ticker_ETH_USDT": [("market/ticker", {"instId": SWAP})],
    "fetch_tickers_BTC_ETH": [("market/tickers", {"instType": "SWAP"})],
    "fetch_trades_BTC_USDT": [
        ("market/trades", {"instId": SWAP}),
        ("market/history-trades", {"instId": SWAP}),
    ],
}


def recorded(name: str) -> Any:
    """A real answer with the call that made it and what ccxt made of it then."""
    path = RESPONSES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no recorded answers at {RESPONSES}")
    return json.loads(path.read_text())


def test_every_recorded_answer_has_its_like() -> None:
    if not RESPONSES.is_dir():
        pytest.skip(f"no recorded answers at {RESPONSES}")

    assert {each.stem for each in RESPONSES.glob("*.json")} == set(LIKES)


@pytest.mark.parametrize("name", LIKES)
def test_our_answers_have_every_key_that_okx_s_have(tmp_path: Path, name: str) -> None:
    real = recorded(name)["http_response"]
    desk = Desk(tmp_path, second=7200)

    for path, given in LIKES[name]:
        answer = desk.get(path, **given).body
        assert set(real) <= set(answer)
        theirs, ours = real["data"][0], answer["data"][0]
        if isinstance(theirs, list):
            assert [type(each) for each in ours] == [type(each) for each in theirs]
            continue
        assert set(theirs) <= set(ours)
        kinds = {key: type(ours[key]) for key in theirs}
        assert kinds == {key: type(each) for key, each in theirs.items()}


@pytest.mark.parametrize("name", LIKES)
async def test_ccxt_reads_recorded_answers_as_it_did(name: str) -> None:
    found = recorded(name)
    client = load_venue("okx")({"enableRateLimit": False})
    client.set_markets(_spot_markets(client))
    body = json.dumps(found["http_response"])

    async def fetch(url: str, *_: Any, **__: Any) -> Any:
        return client.parse_json(body)

    client.fetch = fetch
    client.options["fetchMarkets"] = {"types": ["option"]}
    client.options["defaultUnderlying"] = ["ETH-USD"]
    try:
        parsed = await getattr(client, found["method"])(*found["args"])
    finally:
        await client.close()

    # Of markets, the record keeps the whole answer, but a few of what was read.
    is_cut = found["method"] == "fetch_markets"
    whole = found["http_response"]["data"] if is_cut else found["parsed_response"]
    assert len(parsed) == len(whole)
    if found["method"] == "fetch_ticker":
        assert parsed["last"] == found["parsed_response"]["last"]
    if found["method"] in ("fetch_ohlcv", "fetch_trades"):
        first = found["parsed_response"][0]
        assert parsed[0] == first if isinstance(first, list) else parsed[0]["id"] == first["id"]


def _spot_markets(client: Any) -> list[Any]:
    """Just enough of a market for answers of spot to be read."""
    return [
        client.safe_market_structure(
            {"id": f"{base}-USDT", "symbol": f"{base}/USDT", "base": base, "quote": "USDT",
             "type": "spot", "spot": True, "contract": False}
        )
        for base in ("BTC", "ETH")
    ]  # fmt: skip


def test_our_own_reading_takes_recorded_rows() -> None:
    trade = recorded("fetch_trades_BTC_USDT")["http_response"]["data"][0]
    ticker = recorded("fetch_ticker_BTC_USDT")["http_response"]["data"][0]
    candle = recorded("fetch_ohlcv_BTC_USDT")["http_response"]["data"][0]
    options = recorded("fetch_markets")["http_response"]["data"]

    made = words.trade(trade | {"instId": SWAP}, {"BTCUSDT": words.contract_size(
        {"ctVal": "0.01", "ctMult": "1"})})  # fmt: skip
    assert (made.trade_id, made.event_ms, made.is_sound) == (954514612, 1770531567674, True)
    assert words.last_price(ticker | {"instId": SWAP}).symbol == "BTCUSDT"
    assert words.kline(candle).is_sound
    assert not any(words.is_usdt_swap(row) for row in options)


def test_an_unmodified_ccxt_client_trades_with_production_urls(tmp_path: Path) -> None:
    paper = PaperProcess(tmp_path / "paper")
    paper.start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", SCRIPT, str(paper.port), str(paper.directory / "ca.pem"),
             KEY, SECRET, PASSPHRASE],
            capture_output=True, text=True, timeout=100, check=False, cwd=ROOT,
        )  # fmt: skip
    finally:
        paper.stop()

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    market, trading = report["market"], report["trading"]
    assert (market["symbols"], market["size"], market["candles"], market["tickers"]) == (
        4, 0.01, 100, 4,
    )  # fmt: skip
    assert (market["old"], market["trades"], market["taker"]) == ([300, True], 20, 0.0005)
    assert market["spread"] > 0
    streams = report["streams"]
    assert all(streams[name] for name in ("bid_below_ask", "mark", "book_counts", "near"))
    assert streams["levels"] == 50
    assert trading | {"stop": 0} == {
        "accepted": None, "entry": "closed", "stop": 0, "listed": ["stop1", "target1"],
        "trailed": 1, "triggered": 1, "position": 0.4, "side": "long", "hedged": False,
        "amended": 0.3, "fills": 3, "ended": 3, "fee": "USDT", "taken": True, "after": 0,
        "total": True,
    }  # fmt: skip
    assert report["hedged"] == {
        "mode": True, "sides": ["long", "short"], "stops": 2, "hedged": [True, True], "left": 0,
    }  # fmt: skip
    assert report["account"] == {"stop_seen": True, "total": True}
    assert report["refused"] == {
        "too_big": "InsufficientFunds", "nothing_to_reduce": "ExchangeError",
        "too_small": "InvalidOrder", "post_only": "accepted", "attached": "BadRequest",
        "immediate": "InvalidOrder", "same_id": "InvalidOrder", "unknown_order": "OrderNotFound",
        "cancel_unknown": "OrderNotFound", "one_second": "BadRequest", "leverage": "ExchangeError",
        "bad_signature": "AuthenticationError", "unknown_key": "AuthenticationError",
        "bad_passphrase": "AuthenticationError", "late": "InvalidNonce",
    }  # fmt: skip
