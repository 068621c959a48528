"""An unmodified ccxt.pro client of OKX trading on the paper exchange with production URLs.

Run as ``python -m tests.contracts.okx_ccxt_script PORT CA_FILE KEY SECRET PASSPHRASE``;
prints one JSON object. It knows nothing of this project: only what tests.outside_client gives it
differs from a client of the real venue.
"""

import asyncio
import sys
from functools import partial
from typing import Any

import ccxt.pro
from tests.outside_client import collect, error_names, led, report, until

BTC = "BTC/USDT:USDT"
ETH = "ETH/USDT:USDT"


def client(keys: list[str], **more: Any) -> Any:
    """A stock ccxt.pro client whose session resolves to the loopback."""
    port, authority, key, secret, passphrase = keys
    exchange = ccxt.pro.okx(
        {
            "apiKey": key, "secret": secret, "password": passphrase, "enableRateLimit": False,
            "timeout": 10_000, "options": {"defaultType": "swap"},
        } | more
    )  # fmt: skip
    return led(exchange, int(port), authority)


async def market_data(exchange: Any) -> dict[str, Any]:
    candles = await exchange.fetch_ohlcv(BTC, "1m", limit=100)
    since = candles[0][0] - 3_000 * 60_000
    old = await exchange.fetch_ohlcv(BTC, "1m", since=since, limit=300)
    hours = await exchange.fetch_ohlcv(BTC, "1h", limit=3)
    tickers = await exchange.fetch_tickers()
    ticker = await exchange.fetch_ticker(BTC)
    book = await exchange.fetch_order_book(BTC, 5)
    trades = await exchange.fetch_trades(BTC, limit=20)
    funding = await exchange.fetch_funding_rate(BTC)
    fee = await exchange.fetch_trading_fee(BTC)
    return {
        "symbols": len(exchange.markets), "size": exchange.market(BTC)["contractSize"],
        "candles": len(candles), "old": (len(old), old[0][0] == since), "hours": len(hours),
        "tickers": len(tickers), "last": ticker["last"],
        "spread": book["asks"][0][0] - book["bids"][0][0], "trades": len(trades),
        "funding": abs(funding["fundingRate"]) <= 0.0003, "taker": fee["taker"],
        "time": await exchange.fetch_time() > 0,
    }  # fmt: skip


async def streamed(exchange: Any) -> dict[str, Any]:
    trades = await asyncio.wait_for(exchange.watch_trades_for_symbols([BTC, ETH]), 5)
    tickers = await asyncio.wait_for(exchange.watch_tickers([BTC, ETH]), 5)
    candle = await asyncio.wait_for(exchange.watch_ohlcv(BTC, "1m"), 5)
    quote = await asyncio.wait_for(exchange.watch_bids_asks([BTC]), 5)
    numbers = []
    for _ in range(5):
        book = await asyncio.wait_for(exchange.watch_order_book(BTC), 5)
        numbers.append(book["nonce"])
    mark = await asyncio.wait_for(exchange.watch_mark_prices([BTC]), 5)
    rest = await exchange.fetch_order_book(BTC)
    return {
        "trades": len(trades), "tickers": len(tickers), "candle": len(candle[-1]),
        "bid_below_ask": quote[BTC]["bid"] < quote[BTC]["ask"], "mark": mark[BTC]["markPrice"] > 0,
        "book_counts": numbers == sorted(set(numbers)), "levels": len(book["bids"]),
        "near": abs(book["bids"][0][0] / rest["bids"][0][0] - 1) < 0.01,
    }  # fmt: skip


def own_ids(exchange: Any) -> set[str]:
    """Our own client ids among the plain orders seen on the private channel."""
    return {one["clientOrderId"] for one in exchange.orders or [] if one["clientOrderId"]}


async def traded(exchange: Any) -> dict[str, Any]:
    """Open, protect, reduce and close a position; watch it all on the private channels."""
    watching = [asyncio.create_task(collect(exchange.watch_orders)),
                asyncio.create_task(collect(exchange.watch_my_trades))]  # fmt: skip
    await until(lambda: any("orders" in one.subscriptions for one in exchange.clients.values()))
    await asyncio.sleep(0.3)
    await exchange.set_leverage(10, BTC)
    opened = await exchange.create_order(BTC, "market", "buy", 0.4, None,
                                         {"clientOrderId": "entry1"})  # fmt: skip
    entry = await exchange.fetch_order(opened["id"], BTC)
    last = entry["average"]
    reduce = {"reduceOnly": True}
    stop = await exchange.create_order(BTC, "market", "sell", 0.4, None,
        reduce | {"stopLossPrice": last * 0.98, "clientOrderId": "stop1"})  # fmt: skip
    await exchange.create_order(BTC, "market", "sell", 0.4, None,
        reduce | {"takeProfitPrice": last * 1.02, "clientOrderId": "target1"})  # fmt: skip
    trailing = await exchange.create_order(
        BTC, "market", "sell", 0.4, None, reduce | {"trailingPercent": 1.5}
    )
    trigger = await exchange.create_order(
        BTC, "market", "buy", 0.1, None, {"triggerPrice": last * 1.05}
    )
    listed = await exchange.fetch_open_orders(BTC, params={"ordType": "conditional"})
    trailed = await exchange.fetch_open_orders(BTC, params={"trailing": True})
    triggered = await exchange.fetch_open_orders(BTC, params={"trigger": True})
    found = await exchange.fetch_order(stop["id"], BTC, {"trigger": True})
    positions = await exchange.fetch_positions([BTC])
    limit = await exchange.create_order(BTC, "limit", "buy", 0.2, last * 0.97,
                                        {"clientOrderId": "rest1"})  # fmt: skip
    await exchange.edit_order(limit["id"], BTC, "limit", "buy", 0.3, last * 0.96)
    plain = await exchange.fetch_open_orders(BTC)
    await exchange.cancel_order(limit["id"], BTC)
    for each in (stop, trailing, trigger):
        await exchange.cancel_order(each["id"], BTC, {"trigger": True})
    left = await exchange.fetch_open_orders(BTC, params={"ordType": "conditional"})
    await exchange.create_order(BTC, "market", "sell", 0.1, None, reduce)
    await exchange.create_order(BTC, "market", "sell", 0.3, None, reduce)
    await exchange.cancel_order(left[0]["id"], BTC, {"trigger": True})
    fills = await exchange.fetch_my_trades(BTC)
    ended = await exchange.fetch_closed_orders(BTC)
    balance = await exchange.fetch_balance()
    after = await exchange.fetch_positions([BTC])
    await until(lambda: len(exchange.myTrades or []) == 3)
    await until(lambda: {"entry1", "rest1"} <= own_ids(exchange))
    for task in watching:
        task.cancel()
    return {
        "accepted": opened["status"], "entry": entry["status"], "stop": found["stopLossPrice"],
        "listed": sorted(one["info"]["algoClOrdId"] for one in listed), "trailed": len(trailed),
        "triggered": len(triggered), "position": positions[0]["contracts"],
        "side": positions[0]["side"], "hedged": positions[0]["hedged"],
        "amended": plain[0]["amount"], "fills": len(fills), "ended": len(ended),
        "fee": fills[0]["fee"]["currency"], "taken": fills[0]["fee"]["cost"] > 0,
        "after": len(after), "total": balance["USDT"]["total"] > 9_000,
    }  # fmt: skip


async def hedged(exchange: Any) -> dict[str, Any]:
    """Both sides of one symbol at once, each with its own stop."""
    await exchange.set_position_mode(True)
    mode = (await exchange.fetch_position_mode())["hedged"]
    last = (await exchange.fetch_ticker(ETH))["last"]
    for side, closing, factor in (("buy", "sell", 0.98), ("sell", "buy", 1.02)):
        await exchange.create_order(ETH, "market", side, 1, None, {"hedged": True})
        await exchange.create_order(
            ETH, "market", closing, 1, None,
            {"stopLossPrice": last * factor, "hedged": True, "reduceOnly": True},
        )  # fmt: skip
    positions = await exchange.fetch_positions([ETH])
    stops = await exchange.fetch_open_orders(ETH, params={"ordType": "conditional"})
    await exchange.cancel_orders([one["id"] for one in stops], ETH, {"trigger": True})
    for side in ("sell", "buy"):
        close = {"hedged": True, "reduceOnly": True}
        await exchange.create_order(ETH, "market", side, 1, None, close)
    await exchange.set_position_mode(False)
    return {
        "mode": mode, "sides": sorted(one["side"] for one in positions), "stops": len(stops),
        "hedged": [one["hedged"] for one in positions],
        "left": len(await exchange.fetch_positions([ETH])),
    }  # fmt: skip


async def watched_account(exchange: Any) -> dict[str, Any]:
    """Balance, positions and conditional orders arrive over the private channels."""
    order = exchange.create_order
    stops = asyncio.create_task(exchange.watch_orders(ETH, None, None, {"trigger": True}))
    balance = await asyncio.wait_for(exchange.watch_balance(), 5)
    positions = asyncio.create_task(collect(exchange.watch_positions, [ETH]))
    await asyncio.sleep(0.3)
    await order(ETH, "market", "buy", 2)
    last = (await exchange.fetch_ticker(ETH))["last"]
    stop = await order(ETH, "market", "sell", 2, None, {"stopLossPrice": last * 0.9})
    seen = (await asyncio.wait_for(stops, 5))[0]["id"] == stop["id"]
    await until(lambda: any(one["contracts"] == 2 for one in exchange.positions or []))
    await exchange.cancel_order(stop["id"], ETH, {"trigger": True})
    await order(ETH, "market", "sell", 2, None, {"reduceOnly": True})
    positions.cancel()
    return {"stop_seen": seen, "total": balance["USDT"]["total"] > 9_000}


async def refused(exchange: Any, keys: list[str]) -> dict[str, str]:
    """The venue's own error classes, as ccxt maps them on the production URLs."""
    last = (await exchange.fetch_ticker(BTC))["last"]
    wrong, unknown = client(keys, secret="wrong"), client(keys, apiKey="unknown")
    stranger, ahead = client(keys, password="wrong"), client(keys)
    ahead.options["timeDifference"] = 60_000
    order = exchange.create_order
    attempts = {
        "too_big": order(BTC, "market", "buy", 5_000),
        "nothing_to_reduce": order(ETH, "market", "sell", 1, None, {"reduceOnly": True}),
        "too_small": order(ETH, "market", "buy", 0.01),
        "post_only": order(BTC, "limit", "buy", 0.2, last * 1.02, {"postOnly": True}),
        "attached": order(BTC, "market", "buy", 0.2, None, {"stopLoss": {"triggerPrice": 1}}),
        "immediate": order(BTC, "market", "sell", 0.2, None, {"stopLossPrice": last * 1.05}),
        "same_id": order(BTC, "market", "buy", 0.2, None, {"clientOrderId": "entry1"}),
        "unknown_order": exchange.fetch_order("999999999", BTC),
        "cancel_unknown": exchange.cancel_order("999999999", BTC),
        "one_second": exchange.fetch_ohlcv(BTC, "1s"),
        "leverage": exchange.privatePostAccountSetLeverage(
            {"instId": "BTC-USDT-SWAP", "lever": "500", "mgnMode": "cross"}
        ),
        "bad_signature": wrong.fetch_balance(), "unknown_key": unknown.fetch_balance(),
        "bad_passphrase": stranger.fetch_balance(), "late": ahead.fetch_balance(),
    }  # fmt: skip
    return await error_names(attempts, wrong, unknown, stranger, ahead)


async def main(keys: list[str]) -> None:
    await report(
        client(keys), market=market_data, streams=streamed, trading=traded, hedged=hedged,
        account=watched_account, refused=partial(refused, keys=keys),
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
