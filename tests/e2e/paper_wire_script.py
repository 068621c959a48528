"""An unmodified ccxt.pro client trading on the paper exchange with production URLs.

Run as ``python -m tests.e2e.paper_wire_script PORT CA_FILE``;
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


def client(port: int, authority: str, **more: Any) -> Any:
    """A stock ccxt.pro client whose session resolves to the loopback."""
    exchange = ccxt.pro.binanceusdm({
        "apiKey": "paper", "secret": "paper-secret", "enableRateLimit": False, "timeout": 10_000,
        "options": {"defaultType": "swap", "fetchCurrencies": False, "fetchMargins": False,
                    "fetchMarkets": {"types": ["linear"]},
                    "warnOnFetchOpenOrdersWithoutSymbol": False},
    } | more)  # fmt: skip
    return led(exchange, port, authority)


def user_stream_open(exchange: Any) -> bool:
    """Whether the private socket is connected."""
    private = [one for url, one in exchange.clients.items() if "/private/" in url]
    return any(one.connected.done() for one in private)


def watched_ids(exchange: Any) -> set[str]:
    """Our own client ids among the orders seen on the user stream."""
    seen = {one["clientOrderId"] for one in exchange.orders or []}
    return {one for one in seen if one.endswith("-1")}


async def market_data(exchange: Any) -> dict[str, Any]:
    candles = await exchange.fetch_ohlcv(BTC, "1m", limit=100)
    hours = await exchange.fetch_ohlcv(BTC, "1h", limit=3)
    tickers = await exchange.fetch_tickers()
    ticker = await exchange.fetch_ticker(BTC)
    book = await exchange.fetch_order_book(BTC, 5)
    trades = await exchange.fetch_trades(BTC, limit=20)
    funding = await exchange.fetch_funding_rate(BTC)
    quotes = await exchange.fetch_bids_asks([BTC])
    fee = await exchange.fetch_trading_fee(BTC)
    return {
        "symbols": len(exchange.markets), "candles": len(candles), "hours": len(hours),
        "tickers": len(tickers), "last": ticker["last"],
        "spread": book["asks"][0][0] - book["bids"][0][0],
        "trades": len(trades), "funding": funding["fundingRate"], "quote": quotes[BTC]["bid"] > 0,
        "taker": fee["taker"], "time": await exchange.fetch_time() > 0,
    }  # fmt: skip


async def streamed(exchange: Any) -> dict[str, Any]:
    trades = await asyncio.wait_for(exchange.watch_trades_for_symbols([BTC, ETH]), 5)
    tickers = await asyncio.wait_for(exchange.watch_tickers([BTC, ETH]), 5)
    candle = await asyncio.wait_for(exchange.watch_ohlcv(BTC, "1m"), 5)
    quote = await asyncio.wait_for(exchange.watch_bids_asks([BTC]), 5)
    mark = await asyncio.wait_for(exchange.watch_mark_prices([BTC]), 5)
    return {
        "trades": len(trades), "tickers": len(tickers), "candle": len(candle[-1]),
        "bid_below_ask": quote[BTC]["bid"] < quote[BTC]["ask"], "mark": mark[BTC]["markPrice"] > 0,
    }  # fmt: skip


async def traded(exchange: Any) -> dict[str, Any]:
    """Open, protect, reduce and close a position; watch it all on the user stream."""
    orders = asyncio.create_task(collect(exchange.watch_orders))
    mine = asyncio.create_task(collect(exchange.watch_my_trades))
    await until(lambda: user_stream_open(exchange))
    await exchange.set_leverage(10, BTC)
    opened = await exchange.create_order(
        BTC, "market", "buy", 0.004, None, {"clientOrderId": "entry-1"}
    )
    last = opened["average"]
    stop = await exchange.create_order(
        BTC, "market", "sell", 0.004, None,
        {"stopLossPrice": last * 0.98, "reduceOnly": True, "clientOrderId": "stop-1"},
    )  # fmt: skip
    target = await exchange.create_order(
        BTC, "market", "sell", 0.004, None,
        {"takeProfitPrice": last * 1.02, "reduceOnly": True, "clientOrderId": "target-1"},
    )  # fmt: skip
    trailing = await exchange.create_order(
        BTC, "market", "sell", 0.004, None, {"trailingPercent": 1.5, "reduceOnly": True}
    )
    listed = await exchange.fetch_open_orders(BTC, params={"trigger": True})
    found = await exchange.fetch_order(None, BTC, {"trigger": True, "clientAlgoId": "stop-1"})
    positions = await exchange.fetch_positions([BTC])
    limit = await exchange.create_order(
        BTC, "limit", "buy", 0.002, last * 0.97, {"clientOrderId": "rest-1"}
    )
    amended = await exchange.edit_order(limit["id"], BTC, "limit", "buy", 0.003, last * 0.96)
    plain = await exchange.fetch_open_orders(BTC)
    await exchange.cancel_order(limit["id"], BTC)
    reduced = await exchange.create_order(BTC, "market", "sell", 0.001, None, {"reduceOnly": True})
    await exchange.cancel_order(stop["id"], BTC, {"trigger": True})
    await exchange.cancel_all_orders(BTC, {"trigger": True})
    closing = await exchange.create_order(BTC, "market", "sell", 0.003, None, {"reduceOnly": True})
    entry = await exchange.fetch_order(None, BTC, {"clientOrderId": "entry-1"})
    fills = await exchange.fetch_my_trades(BTC)
    balance = await exchange.fetch_balance()
    after = await exchange.fetch_positions([BTC])
    await until(lambda: len(exchange.myTrades or []) == 3)
    await until(lambda: len(watched_ids(exchange)) == 4)
    orders.cancel()
    mine.cancel()
    return {
        "opened": opened["status"], "entry": entry["status"], "stop_price": stop["triggerPrice"],
        "stop_type": stop["type"], "target_type": target["type"], "trailing": trailing["type"],
        "conditional": len(listed), "found": found["clientOrderId"],
        "position": positions[0]["contracts"], "side": positions[0]["side"],
        "amended": amended["amount"], "plain": len(plain), "reduced": reduced["filled"],
        "closed": closing["status"], "fills": len(fills), "fee": fills[0]["fee"]["currency"],
        "after": len(after), "total": balance["USDT"]["total"],
        "watched": sorted(watched_ids(exchange)),
        "watched_fills": len(exchange.myTrades or []),
    }  # fmt: skip


async def hedged(exchange: Any) -> dict[str, Any]:
    """Both sides of one symbol at once, each with its own stop."""
    await exchange.set_position_mode(True)
    for side, closing, factor in (("buy", "sell", 0.98), ("sell", "buy", 1.02)):
        opened = await exchange.create_order(ETH, "market", side, 0.1, None, {"hedged": True})
        await exchange.create_order(
            ETH, "market", closing, 0.1, None,
            {"stopLossPrice": opened["average"] * factor, "hedged": True, "reduceOnly": True},
        )  # fmt: skip
    positions = await exchange.fetch_positions([ETH])
    stops = await exchange.fetch_open_orders(ETH, params={"trigger": True})
    await exchange.cancel_all_orders(ETH, {"trigger": True})
    for side in ("sell", "buy"):
        close = {"hedged": True, "reduceOnly": True}
        await exchange.create_order(ETH, "market", side, 0.1, None, close)
    await exchange.set_position_mode(False)
    return {
        "sides": sorted(one["side"] for one in positions), "stops": len(stops),
        "hedged": [one["hedged"] for one in positions],
        "left": len(await exchange.fetch_positions([ETH])),
    }  # fmt: skip


async def watched_account(exchange: Any) -> dict[str, Any]:
    """Balance and positions arrive over the user stream."""
    order = exchange.create_order
    await order(ETH, "market", "buy", 0.1)
    snapshot = await asyncio.wait_for(exchange.watch_positions([ETH]), 5)
    balance = asyncio.create_task(exchange.watch_balance())
    positions = asyncio.create_task(exchange.watch_positions([ETH]))
    await until(lambda: user_stream_open(exchange))
    await asyncio.sleep(0)
    await order(ETH, "market", "buy", 0.1)
    held = await asyncio.wait_for(positions, 5)
    total = (await asyncio.wait_for(balance, 5))["USDT"]["total"]
    await order(ETH, "market", "sell", 0.2, None, {"reduceOnly": True})
    return {
        "snapshot": snapshot[0]["contracts"], "contracts": held[0]["contracts"],
        "total": total > 9_000,
    }  # fmt: skip


async def refused(exchange: Any, port: int, authority: str) -> dict[str, str]:
    """The venue's own error classes, as ccxt maps them on the production URLs."""
    last = (await exchange.fetch_ticker(BTC))["last"]
    wrong = client(port, authority, secret="wrong")
    unknown = client(port, authority, apiKey="unknown")
    order = exchange.create_order
    attempts = {
        "too_big": order(BTC, "market", "buy", 50),
        "nothing_to_reduce": order(ETH, "market", "sell", 0.1, None, {"reduceOnly": True}),
        "too_small": order(ETH, "market", "buy", 0.001),
        "post_only": order(BTC, "limit", "buy", 0.002, last * 1.02, {"postOnly": True}),
        "attached": order(
            BTC, "market", "buy", 0.002, None, {"stopLoss": {"triggerPrice": last * 0.9}}
        ),
        "immediate": order(BTC, "market", "sell", 0.002, None, {"stopLossPrice": last * 1.05}),
        "unknown_order": exchange.fetch_order("999999999", BTC),
        "cancel_unknown": exchange.cancel_order("999999999", BTC),
        "one_second": exchange.fetch_ohlcv(BTC, "1s"),
        "bad_signature": wrong.fetch_balance(),
        "unknown_key": unknown.fetch_balance(),
        "late": exchange.fetch_balance({"timestamp": 1_600_000_000_000}),
        "same_margin_mode": exchange.set_margin_mode("cross", BTC),
        "same_position_mode": exchange.set_position_mode(False),
    }  # fmt: skip
    return await error_names(attempts, wrong, unknown)


async def main(port: int, authority: str) -> None:
    await report(
        client(port, authority), market=market_data, streams=streamed, trading=traded,
        hedged=hedged, account=watched_account,
        refused=partial(refused, port=port, authority=authority),
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
