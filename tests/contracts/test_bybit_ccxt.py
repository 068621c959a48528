"""An unmodified ccxt.pro client of Bybit on its paper wire, with production URLs; and real answers.

Only the resolver (every host is the loopback) and the trusted certificate differ from a client of
the real venue.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import ccxt.pro
import pytest
from tests.outside_client import until
from tests.served_venue import KEY, SECRET, ServedVenue, a_wire, served

from adapters.access import Access, Network, PaperAddress
from adapters.clock import SystemClock
from adapters.venues.bybit import BybitLinear
from adapters.wire import Wire
from local.paper.venues.bybit.wire import BybitWire

RESPONSES = Path(__file__).parents[2].parent / "shared" / "data" / "venue_responses" / "bybit"
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KNOWN = {"acknowledged": True}
BOTH_SIDES = pytest.mark.parametrize(("opens", "closes"), [("buy", "sell"), ("sell", "buy")])


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[ServedVenue]:
    wire = a_wire(BybitWire, symbols=("BTCUSDT", "ETHUSDT"))
    async with served(tmp_path, wire) as made:
        yield made


def stock_client(venue: ServedVenue, **more: Any) -> Any:
    """ccxt's own client with its own options."""
    made = ccxt.pro.bybit({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False} | more)
    made.session, made.own_session = venue.session(), False
    return made


@pytest.fixture
async def client(venue: ServedVenue) -> AsyncIterator[Any]:
    made = stock_client(venue)
    await made.load_markets()
    yield made
    await made.close()


async def open_streams(client: Any, *watches: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Keep watching in the background; returns once the account's line is up."""

    async def keep(watch: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        while True:
            await watch()

    client.tasks = [asyncio.create_task(keep(each)) for each in watches]
    private = "wss://stream.bybit.com/v5/private"
    wanted = {"orders", "myTrades"}
    await until(
        lambda: private in client.clients and wanted <= set(client.clients[private].futures)
    )
    await asyncio.sleep(0.2)  # its subscriptions are under way


# --- what ccxt asks for -------------------------------------------------------------------------


async def test_market_data_is_understood(client: Any) -> None:
    candles = await client.fetch_ohlcv(BTC, "1m", limit=100)
    since = candles[0][0] - 3_000 * 60_000
    old = await client.fetch_ohlcv(BTC, "1m", since=since, limit=300)
    ticker = await client.fetch_ticker(BTC)
    book = await client.fetch_order_book(BTC, 5)
    trades = await client.fetch_trades(BTC, limit=20)
    funding = await client.fetch_funding_rate(BTC)
    rates = await client.fetch_funding_rate_history(BTC, limit=3)
    fee = await client.fetch_trading_fee(BTC)

    assert {each for each, row in client.markets.items() if row["active"]} == {BTC, ETH}
    assert len(candles) == 100
    assert [row[0] for row in old] == list(range(since, since + 300 * 60_000, 60_000))
    assert set(await client.fetch_tickers()) == {BTC, ETH}
    assert book["bids"][0][0] < ticker["last"] < book["asks"][0][0]
    assert [each["timestamp"] for each in trades] == sorted(each["timestamp"] for each in trades)
    assert abs(funding["fundingRate"]) <= 0.0003
    assert len(rates) == 3
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.0005)
    assert abs(await client.fetch_time() - time.time() * 1000) < 5_000


async def test_the_markets_streams_are_understood(client: Any) -> None:
    async with asyncio.timeout(20):
        trades = await client.watch_trades_for_symbols([BTC, ETH])
        tickers = await client.watch_tickers([BTC, ETH])
        first = (await client.watch_ticker(BTC))["timestamp"]
        later = (await client.watch_ticker(BTC))["timestamp"]
        candle = await client.watch_ohlcv(BTC, "1m")
        book = await client.watch_order_book(BTC, 50)
        levels = len(book["bids"])
        quote = await client.watch_bids_asks([BTC])

    assert trades[0]["price"] > 0
    assert set(tickers) <= {BTC, ETH}
    assert later > first
    assert len(candle[-1]) == 6
    assert book["bids"][0][0] < book["asks"][0][0]
    assert levels == 50
    assert quote[BTC]["bid"] < quote[BTC]["ask"]


@BOTH_SIDES
async def test_a_position_is_opened_protected_reduced_and_closed(
    client: Any, opens: str, closes: str
) -> None:
    sign = 1 if opens == "buy" else -1
    await open_streams(client, client.watch_orders, client.watch_my_trades)
    await client.set_leverage(10, BTC)
    entry = await client.create_order(BTC, "market", opens, 0.04, None, {"clientOrderId": "entry"})
    filled = await client.fetch_order(entry["id"], BTC, KNOWN)
    last = filled["average"]
    stop = await client.create_order(
        BTC, "market", closes, 0.04, None,
        {"stopLossPrice": last * (1 - 0.02 * sign), "clientOrderId": "stop"},
    )  # fmt: skip
    await client.create_order(
        BTC, "market", closes, 0.04, None,
        {"takeProfitPrice": last * (1 + 0.02 * sign), "clientOrderId": "target"},
    )  # fmt: skip
    listed = await client.fetch_open_orders(BTC, params={"trigger": True})
    held = await client.fetch_positions([BTC])
    rest = await client.create_order(BTC, "limit", opens, 0.02, last * (1 - 0.03 * sign))
    await client.edit_order(rest["id"], BTC, "limit", opens, 0.03, last * (1 - 0.04 * sign))
    amended = await client.fetch_open_orders(BTC, params={"orderFilter": "Order"})
    await client.cancel_order(rest["id"], BTC)
    await client.create_order(BTC, "market", closes, 0.01, None, {"reduceOnly": True})
    await client.cancel_order(None, BTC, {"orderLinkId": "stop"})
    gone = await client.fetch_order(stop["id"], BTC, KNOWN)
    await client.cancel_all_orders(BTC)
    await client.create_order(BTC, "market", closes, 0.03, None, {"reduceOnly": True})
    done = await client.fetch_closed_orders(BTC)
    fills = await client.fetch_my_trades(BTC)
    balance = await client.fetch_balance()
    flat = await client.fetch_positions()
    await until(lambda: len(client.myTrades or []) == 3)
    await until(lambda: len(client.orders or []) == 6)

    assert (filled["status"], filled["clientOrderId"], filled["filled"]) == (
        "closed",
        "entry",
        0.04,
    )
    prices = {each["clientOrderId"]: each for each in listed}
    assert set(prices) == {"stop", "target"}
    assert prices["stop"]["stopLossPrice"] == pytest.approx(last * (1 - 0.02 * sign), rel=1e-4)
    assert prices["target"]["takeProfitPrice"] == pytest.approx(last * (1 + 0.02 * sign), rel=1e-4)
    assert [(each["side"], each["contracts"]) for each in held] == [
        ("long" if sign > 0 else "short", 0.04)
    ]
    assert [(each["id"], each["amount"]) for each in amended] == [(rest["id"], 0.03)]
    assert gone["status"] == "canceled"
    assert len(done) == 3
    assert [each["amount"] for each in fills] == [0.04, 0.01, 0.03]
    assert {each["fee"]["currency"] for each in fills} == {"USDT"}
    assert flat == []
    assert 99_000 < balance["USDT"]["total"] < 100_000
    watched = {each["clientOrderId"]: each["status"] for each in client.orders}
    assert (watched["entry"], watched["stop"], watched["target"]) == (
        "closed", "canceled", "canceled",
    )  # fmt: skip
    assert sorted(each["id"] for each in client.myTrades) == sorted(each["id"] for each in fills)


async def test_two_positions_of_a_symbol_live_side_by_side(client: Any) -> None:
    await client.set_position_mode(True)
    for side, closing, factor in (("buy", "sell", 0.98), ("sell", "buy", 1.02)):
        opened = await client.create_order(ETH, "market", side, 0.1, None, {"hedged": True})
        price = (await client.fetch_order(opened["id"], ETH, KNOWN))["average"] * factor
        stop = {"stopLossPrice": price, "hedged": True, "reduceOnly": True}
        await client.create_order(ETH, "market", closing, 0.1, None, stop)
    held = await client.fetch_positions([ETH])
    stops = await client.fetch_open_orders(ETH)
    await client.cancel_all_orders(ETH)
    for side in ("sell", "buy"):
        close = {"hedged": True, "reduceOnly": True}
        await client.create_order(ETH, "market", side, 0.1, None, close)
    left = [each for each in await client.fetch_positions([ETH]) if each["contracts"]]
    await client.set_position_mode(False)

    assert sorted(each["side"] for each in held) == ["long", "short"]
    assert all(each["hedged"] for each in held)
    assert sorted((each["side"], each["reduceOnly"]) for each in stops) == [
        ("buy", True), ("sell", True),
    ]  # fmt: skip
    assert left == []


async def test_a_position_carries_its_own_stops(client: Any) -> None:
    last = (await client.fetch_ticker(ETH))["last"]
    await client.create_order(ETH, "market", "buy", 0.1)
    await client.create_order(ETH, "market", "sell", 0.1, None, {"trailingAmount": "20"})
    both = {"stopLossPrice": last * 0.9, "takeProfitPrice": last * 1.1}
    with pytest.raises(ccxt.BadRequest, match="10001"):  # of a part of it, which is not served here
        await client.create_order(ETH, "market", "sell", 0.1, None, both)
    (held,) = await client.fetch_positions([ETH])
    (kept,) = await client.fetch_open_orders(ETH)
    await client.create_order(ETH, "market", "sell", 0.1, None, {"reduceOnly": True})

    assert held["info"]["trailingStop"] == "20"
    assert (kept["side"], kept["reduceOnly"]) == ("sell", True)
    assert await client.fetch_open_orders(ETH) == []


async def test_balance_and_positions_arrive_by_stream(client: Any) -> None:
    await client.create_order(ETH, "market", "buy", 0.1)
    async with asyncio.timeout(10):
        before = (await client.watch_positions([ETH]))[0]["contracts"]
        balance = asyncio.create_task(client.watch_balance())
        positions = asyncio.create_task(client.watch_positions([ETH]))
        await asyncio.sleep(0.3)
        await client.create_order(ETH, "market", "buy", 0.1)
        held, total = await positions, (await balance)["USDT"]["total"]

    assert (before, held[0]["contracts"]) == (0.1, 0.2)
    assert 99_000 < total < 100_000


async def test_margin_is_the_accounts(client: Any) -> None:
    await client.set_margin_mode("isolated")
    await client.set_margin_mode("isolated")
    await client.create_order(BTC, "market", "buy", 0.04)
    balance = await client.fetch_balance()

    with pytest.raises(ccxt.BaseError, match="3400045"):
        await client.set_margin_mode("cross")
    assert balance["USDT"]["free"] < balance["USDT"]["total"]


async def test_refusals_are_of_bybits_own_classes(venue: ServedVenue, client: Any) -> None:
    last = (await client.fetch_ticker(BTC))["last"]
    order = client.create_order
    await order(BTC, "limit", "buy", 0.02, last * 0.9, {"clientOrderId": "used"})
    wrong, unknown = stock_client(venue, secret="wrong"), stock_client(venue, apiKey="unknown")
    attempts = {
        "too_big": (order(BTC, "market", "buy", 900), ccxt.InsufficientFunds, "110007"),
        "nothing_to_reduce": (
            order(ETH, "market", "sell", 0.1, None, {"reduceOnly": True}),
            ccxt.InvalidOrder,
            "110017",
        ),
        "too_small": (order(ETH, "market", "buy", 0.001), ccxt.InvalidOrder, "110094"),
        "passed": (
            order(BTC, "market", "sell", 0.02, None, {"stopLossPrice": last * 1.05}),
            ccxt.InvalidOrder,
            "110093",
        ),
        "used_twice": (
            order(BTC, "market", "buy", 0.02, None, {"clientOrderId": "used"}),
            ccxt.InvalidOrder,
            "110072",
        ),
        "attached": (
            order(BTC, "market", "buy", 0.02, None, {"stopLoss": {"triggerPrice": last * 0.9}}),
            ccxt.BadRequest,
            "10001",
        ),
        "raw_name": (
            client.cancel_order(None, BTC, {"clientOrderId": "used"}), ccxt.BadRequest, "10001",
        ),
        "unknown": (client.fetch_order("nope", BTC, KNOWN), ccxt.OrderNotFound, "nope"),
        "cancel_unknown": (client.cancel_order("nope", BTC), ccxt.OrderNotFound, "110001"),
        "one_second": (client.fetch_ohlcv(BTC, "1s"), ccxt.BadRequest, "10001"),
        "same_mode": (client.set_position_mode(False), ccxt.NoChange, "110025"),
        "same_leverage": (client.set_leverage(20, BTC), ccxt.BadRequest, "110043"),
        "too_much_leverage": (client.set_leverage(500, BTC), ccxt.BadRequest, "110013"),
        "bad_signature": (wrong.fetch_balance(), ccxt.AuthenticationError, "10004"),
        "unknown_key": (unknown.fetch_balance(), ccxt.AuthenticationError, "10003"),
    }  # fmt: skip
    for name, (attempt, kind, code) in attempts.items():
        with pytest.raises(ccxt.BaseError, match=code) as refused:
            await attempt
        assert type(refused.value) is kind, name
    client.options["timeDifference"] = 30_000
    with pytest.raises(ccxt.InvalidNonce, match="10002"):
        await client.fetch_balance()
    await wrong.close()
    await unknown.close()


async def test_long_lists_come_whole_through_their_pages(venue: ServedVenue, client: Any) -> None:
    clock, dialect = SystemClock(), BybitLinear()
    paper = PaperAddress(host="127.0.0.1", port=venue.doors.port, ca_file=venue.authority)
    access = Access(
        venue="bybit", network=Network.PAPER, api_key=KEY, api_secret=SECRET, paper=paper
    )
    wire = Wire(access, clock, dialect)
    since_ms = clock.now_ms() - 8 * 86_400_000
    price = (await client.fetch_ticker(BTC))["last"] * 0.9
    resting = [await client.create_order(BTC, "limit", "buy", 0.002, price) for _ in range(60)]
    for _ in range(105):
        await client.create_order(ETH, "market", "buy", 0.01)
    try:
        orders = await dialect.open_orders(wire)
        fills = await dialect.fills(wire, "ETHUSDT", since_ms=since_ms)
    finally:
        await wire.close()

    assert sorted(each.exchange_order_id for each in orders) == sorted(o["id"] for o in resting)
    assert len({each.trade_id for each in fills}) == len(fills) == 105


# --- real answers -------------------------------------------------------------------------------


def recorded(name: str) -> Any:
    if not RESPONSES.exists():
        pytest.skip(f"recorded venue responses are not at {RESPONSES}")
    return json.loads((RESPONSES / name).read_text())


async def answered(venue: ServedVenue, path: str) -> Any:
    async with venue.session().get(f"https://api.bybit.com/v5/market/{path}") as answer:
        return await answer.json()


def keys(value: Any) -> Any:
    """The keys of a value and of all in it; a list stands for its first row."""
    if isinstance(value, dict):
        return {name: keys(each) for name, each in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else []


def lacking(real: Any, ours: Any, where: str = "") -> list[str]:
    """Keys of a real answer that ours does not have, at any depth."""
    if isinstance(real, dict):
        missing = [f"{where}.{name}" for name in real if name not in ours]
        deeper = [lacking(real[n], ours[n], f"{where}.{n}") for n in real if n in ours]
        return missing + [each for found in deeper for each in found]
    if isinstance(real, list) and real and ours:
        return lacking(real[0], ours[0], f"{where}[]")
    return []


@pytest.mark.parametrize(
    ("name", "path", "of_others"),
    [
        ("fetch_markets", "instruments-info?category=linear", {".optionsType"}),
        ("fetch_ohlcv_BTC_USDT", "kline?category=linear&symbol=BTCUSDT&interval=60", set()),
        ("fetch_order_book_BTC_USDT", "orderbook?category=linear&symbol=BTCUSDT", set()),
        ("fetch_ticker_BTC_USDT", "tickers?category=linear&symbol=BTCUSDT", {".usdIndexPrice"}),
        ("fetch_ticker_ETH_USDT", "tickers?category=linear&symbol=ETHUSDT", {".usdIndexPrice"}),
        ("fetch_tickers_BTC_ETH", "tickers?category=linear", {".usdIndexPrice"}),
        ("fetch_trades_BTC_USDT", "recent-trade?category=linear&symbol=BTCUSDT", set()),
    ],
)
async def test_our_answers_carry_every_key_of_real_ones(
    venue: ServedVenue, name: str, path: str, of_others: set[str]
) -> None:
    """Recorded are spot and options; what these alone have is named."""
    real = recorded(f"{name}.json")["http_response"]

    missing = lacking(keys(real), keys(await answered(venue, path)))

    assert {f".{each.rpartition('.')[2]}" for each in missing} == of_others


async def test_a_real_candle_and_ours_are_of_the_same_types(venue: ServedVenue) -> None:
    real = recorded("fetch_ohlcv_BTC_USDT.json")["http_response"]["result"]["list"]
    path = "kline?category=linear&symbol=BTCUSDT&interval=60&limit=3"
    ours = (await answered(venue, path))["result"]["list"]

    assert [type(each) for each in ours[0]] == [type(each) for each in real[0]]
    assert [int(row[0]) for row in ours] == sorted((int(row[0]) for row in ours), reverse=True)


@pytest.mark.parametrize(
    "name",
    [
        "fetch_ohlcv_BTC_USDT", "fetch_order_book_BTC_USDT", "fetch_ticker_BTC_USDT",
        "fetch_ticker_ETH_USDT", "fetch_tickers_BTC_ETH", "fetch_trades_BTC_USDT",
    ],
)  # fmt: skip
async def test_real_answers_are_read_by_ccxt_as_they_were_when_recorded(name: str) -> None:
    case = recorded(f"{name}.json")
    client = ccxt.pro.bybit()
    bases = {"BTC", "ETH"}
    client.set_markets([spot_market(client, base) for base in bases])

    async def fetch(url: str, *_: Any, **__: Any) -> Any:
        return case["http_response"]

    client.fetch = fetch
    made = await getattr(client, case["method"])(*case["args"])
    await client.close()

    assert lacks_nothing_of(case["parsed_response"], made)


async def test_real_markets_are_read_by_ccxt() -> None:
    case = recorded("fetch_markets.json")
    client = ccxt.pro.bybit({"options": {"fetchMarkets": {"types": ["option"], "options": ["X"]}}})

    async def fetch(url: str, *_: Any, **__: Any) -> Any:
        return case["http_response"]

    client.fetch = fetch
    made = await client.fetch_markets()
    await client.close()

    rows = case["http_response"]["result"]["list"]
    trading = {row["symbol"] for row in rows if row["status"] == "Trading"}
    assert {each["id"] for each in made} == trading
    assert len(trading) == 316


def spot_market(client: Any, base: str) -> Any:
    return client.safe_market_structure({
        "id": f"{base}USDT", "symbol": f"{base}/USDT", "base": base, "quote": "USDT",
        "baseId": base, "quoteId": "USDT", "type": "spot", "spot": True, "active": True,
        "precision": {"amount": 1e-6, "price": 0.1},
    })  # fmt: skip


def lacks_nothing_of(wanted: Any, made: Any) -> bool:
    """Numbers and texts that were parsed when it was recorded are parsed alike, `info` aside."""
    if isinstance(wanted, dict):
        known = {name: each for name, each in wanted.items() if name != "info" and each is not None}
        return all(lacks_nothing_of(each, made.get(name)) for name, each in known.items())
    if isinstance(wanted, list):
        return all(lacks_nothing_of(a, b) for a, b in zip(wanted, made, strict=False))
    if isinstance(wanted, float | int) and not isinstance(wanted, bool):
        return bool(made == pytest.approx(wanted, rel=1e-3))
    return bool(wanted == made)
