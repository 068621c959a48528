"""An unmodified ccxt.pro client of Binance spot on the paper exchange with production URLs.

Run as ``python -m tests.contracts.spot_ccxt_script PORT CA_FILE KEY SECRET``;
prints one JSON object. It knows nothing of this project: only what tests.outside_client gives it
differs from a client of the real venue.
"""

import asyncio
import sys
from functools import partial
from itertools import pairwise
from typing import Any

import ccxt.pro
from tests.outside_client import collect, error_names, led, report, until

BTC = "BTC/USDT"
ETH = "ETH/USDT"


def client(keys: list[str], **more: Any) -> Any:
    """A stock ccxt.pro client whose session resolves to the loopback."""
    port, authority, key, secret = keys
    options = {
        "defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False,
        "fetchMargins": False, "warnOnFetchOpenOrdersWithoutSymbol": False,
    }  # fmt: skip
    exchange = ccxt.pro.binance(
        {"apiKey": key, "secret": secret, "enableRateLimit": False, "timeout": 10_000,
         "options": options} | more
    )  # fmt: skip
    return led(exchange, int(port), authority)


async def market_data(exchange: Any) -> dict[str, Any]:
    market = exchange.market(BTC)
    seconds = await exchange.fetch_ohlcv(BTC, "1s", limit=100)
    minutes = await exchange.fetch_ohlcv(BTC, "1m", limit=100)
    tickers = await exchange.fetch_tickers([BTC, ETH])
    prices = await exchange.fetch_last_prices()
    quotes = await exchange.fetch_bids_asks()
    book = await exchange.fetch_order_book(BTC, 5)
    trades = await exchange.fetch_trades(BTC, limit=20)
    fee = await exchange.fetch_trading_fee(BTC)
    return {
        "symbols": len(exchange.markets), "spot": market["spot"],
        "minimum": market["limits"]["cost"]["min"], "step": market["precision"]["amount"],
        "seconds": [b[0] - a[0] for a, b in pairwise(seconds)] == [1000] * 99,
        "minutes": len(minutes), "tickers": len(tickers), "prices": len(prices),
        "quoted": all(one["bid"] < one["ask"] for one in quotes.values()),
        "spread": book["asks"][0][0] - book["bids"][0][0], "trades": len(trades),
        "taker": fee["taker"], "time": await exchange.fetch_time() > 0,
    }  # fmt: skip


async def streamed(exchange: Any) -> dict[str, Any]:
    trades = await asyncio.wait_for(exchange.watch_trades_for_symbols([BTC, ETH]), 5)
    tickers = await asyncio.wait_for(exchange.watch_tickers([BTC, ETH]), 5)
    candle = await asyncio.wait_for(exchange.watch_ohlcv(BTC, "1s"), 5)
    quote = await asyncio.wait_for(exchange.watch_bids_asks([BTC]), 5)
    numbers = []
    for _ in range(5):
        book = await asyncio.wait_for(exchange.watch_order_book(BTC), 5)
        numbers.append(book["nonce"])
    rest = await exchange.fetch_order_book(BTC)
    return {
        "trades": len(trades), "tickers": len(tickers), "candle": len(candle[-1]),
        "bid_below_ask": quote[BTC]["bid"] < quote[BTC]["ask"],
        "book_counts": numbers == sorted(set(numbers)),
        "near": abs(book["bids"][0][0] / rest["bids"][0][0] - 1) < 0.01,
    }  # fmt: skip


async def traded(exchange: Any) -> dict[str, Any]:
    """Buy, protect, replace, and sell; watch it all on the subscription."""
    watching = [asyncio.create_task(collect(exchange.watch_orders)),
                asyncio.create_task(collect(exchange.watch_my_trades)),
                asyncio.create_task(collect(exchange.watch_balance))]  # fmt: skip
    await until(lambda: any("spot" in one.subscriptions for one in exchange.clients.values()))
    await asyncio.sleep(0.3)
    order = exchange.create_order
    entry = await order(BTC, "market", "buy", 0.01, None, {"clientOrderId": "entry1"})
    by_value = await exchange.create_market_buy_order_with_cost(BTC, 100)
    held = (await exchange.fetch_balance())["BTC"]["free"]
    below = {"stopLossPrice": entry["average"] * 0.95, "clientOrderId": "stop1"}
    stop = await order(BTC, "market", "sell", 0.005, None, below)
    above = {"takeProfitPrice": entry["average"] * 1.05}
    target = await order(BTC, "market", "sell", 0.004, None, above)
    locked = (await exchange.fetch_balance())["BTC"]["used"]
    rest = await order(BTC, "limit", "buy", 0.002, entry["average"] * 0.9,
                       {"clientOrderId": "rest1"})  # fmt: skip
    moved = await exchange.edit_order(
        rest["id"], BTC, "limit", "buy", 0.003, entry["average"] * 0.91
    )
    listed = await exchange.fetch_open_orders(BTC)
    found = await exchange.fetch_order(None, BTC, {"clientOrderId": "stop1"})
    await exchange.cancel_order(target["id"], BTC)
    await exchange.cancel_all_orders(BTC)
    left = await exchange.fetch_open_orders(BTC)
    sold = await order(BTC, "market", "sell", 0.01)
    by_socket = await exchange.create_order_ws(ETH, "market", "buy", 0.1)
    fills = await exchange.fetch_my_trades(BTC)
    everything = await exchange.fetch_orders(BTC)
    await until(lambda: len(exchange.orders or []) >= 5)
    await until(lambda: exchange.balance["spot"].get("ETH", {}).get("free", 0) > 0.09)
    for task in watching:
        task.cancel()
    return {
        "entry": entry["status"], "by_value": 95 < by_value["cost"] <= 100, "held": held,
        "stop": (stop["type"], found["stopPrice"] == stop["stopPrice"]), "locked": locked,
        "amended": moved["amount"], "listed": len(listed), "left": len(left),
        "sold": sold["status"], "by_socket": by_socket["status"],
        "fees": sorted({one["fee"]["currency"] for one in fills}), "orders": len(everything),
        "watched": sorted(
            {one["clientOrderId"] for one in exchange.orders} & {"entry1", "stop1", "rest1"}
        ),
        "watched_fills": len(exchange.myTrades) > 2,
    }  # fmt: skip


async def refused(exchange: Any, keys: list[str]) -> dict[str, str]:
    """The venue's own error classes, as ccxt maps them on the production URLs."""
    last = (await exchange.fetch_ticker(BTC))["last"]
    wrong, unknown, ahead = client(keys, secret="wrong"), client(keys, apiKey="no"), client(keys)
    ahead.options["timeDifference"] = 60_000
    order = exchange.create_order
    attempts = {
        "too_big": order(BTC, "market", "buy", 50),
        "nothing_to_sell": order(BTC, "market", "sell", 50),
        "too_small": order(BTC, "market", "buy", 0.00002),
        "post_only": order(BTC, "limit", "buy", 0.01, last * 1.02, {"postOnly": True}),
        "attached": order(BTC, "market", "buy", 0.01, None, {"stopLoss": {"triggerPrice": 1}}),
        "immediate": order(BTC, "market", "buy", 0.01, None, {"triggerPrice": last * 0.95}),
        "reduce_only": order(BTC, "market", "sell", 0.001, None, {"reduceOnly": True}),
        "unknown_order": exchange.fetch_order("999999999", BTC),
        "cancel_unknown": exchange.cancel_order("999999999", BTC),
        "bad_signature": wrong.fetch_balance(), "unknown_key": unknown.fetch_balance(),
        "late": ahead.fetch_balance(),
    }  # fmt: skip
    return await error_names(attempts, wrong, unknown, ahead)


async def main(keys: list[str]) -> None:
    await report(
        client(keys), market=market_data, streams=streamed, trading=traded,
        refused=partial(refused, keys=keys),
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
