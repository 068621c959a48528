"""JSON shapes of market data, shared by REST and streams."""

from decimal import Decimal
from typing import Any

from local.paper.market.candles import Candles, Trade
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import DAY_S, Quote
from local.paper.venues.binance.shapes import number

Json = Any
ORDER_TYPES = [
    "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]  # fmt: skip
TIMES_IN_FORCE = ["GTC", "IOC", "FOK", "GTX"]
_FOREVER_MS = 4_133_404_800_000
_LISTED_MS = 1_569_398_400_000


def listing(one: PaperInstrument) -> Json:
    """A symbol of exchangeInfo."""
    tick, step = str(one.tick), str(one.step)
    return {
        "symbol": one.symbol, "pair": one.symbol, "contractType": "PERPETUAL",
        "deliveryDate": _FOREVER_MS, "onboardDate": _LISTED_MS, "status": "TRADING",
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": one.base,
        "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": places(one.tick),
        "quantityPrecision": places(one.step), "baseAssetPrecision": 8, "quotePrecision": 8,
        "underlyingType": "COIN", "underlyingSubType": ["PoW"], "triggerProtect": "0.0500",
        "liquidationFee": "0.012500", "marketTakeBound": "0.05", "maxMoveOrderLimit": 10000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "9999999",
             "tickSize": tick},
            {"filterType": "LOT_SIZE", "stepSize": step, "minQty": step, "maxQty": "10000000"},
            {"filterType": "MARKET_LOT_SIZE", "stepSize": step, "minQty": step,
             "maxQty": "10000000"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": str(one.min_notional)},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500",
             "multiplierDecimal": "4"},
        ],
        "orderTypes": ORDER_TYPES, "timeInForce": TIMES_IN_FORCE, "permissionSets": ["GRID"],
    }  # fmt: skip


def places(unit: Decimal) -> int:
    """Digits after the point of a tick or step."""
    return max(-int(unit.as_tuple().exponent), 0)


def traded_value(one: PaperInstrument, candles: Candles, row: int) -> Decimal:
    """Quote volume, estimated at the candle's middle price."""
    middle = (int(candles.high[row]) + int(candles.low[row])) * one.tick / 2
    return middle * one.quantity(int(candles.volume[row]))


def kline_rows(one: PaperInstrument, candles: Candles) -> list[Json]:
    """Candles as REST rows."""
    rows = []
    for row in range(len(candles)):
        open_ms = (candles.start_s + row * candles.span_s) * 1000
        volume = one.quantity(int(candles.volume[row]))
        value = traded_value(one, candles, row)
        prices = (candles.open, candles.high, candles.low, candles.close)
        rows.append([
            open_ms, *(number(one.price(int(column[row]))) for column in prices), number(volume),
            open_ms + candles.span_s * 1000 - 1, f"{value:.5f}", 5 * candles.span_s,
            number(volume / 2), f"{value / 2:.5f}", "0",
        ])  # fmt: skip
    return rows


def kline_event(one: PaperInstrument, candles: Candles, interval: str, now_ms: int) -> Json:
    """The single candle of ``candles`` as a stream event."""
    row = kline_rows(one, candles)[0]
    closed = now_ms >= (candles.start_s + candles.span_s) * 1000
    first = candles.start_s * 4096
    return {
        "e": "kline", "E": now_ms, "s": one.symbol,
        "k": {
            "t": row[0], "T": row[6], "s": one.symbol, "i": interval, "f": first,
            "L": first + candles.span_s * 4096 - 1, "o": row[1], "c": row[4], "h": row[2],
            "l": row[3], "v": row[5], "n": row[8], "x": closed, "q": row[7], "V": row[9],
            "Q": row[10], "B": "0",
        },
    }  # fmt: skip


def aggregate_trade(one: PaperInstrument, trade: Trade, first_id: int) -> Json:
    """A row of aggTrades: here each aggregate is one trade, under all numbers since the last."""
    return {
        "a": trade.trade_id, "p": number(one.price(trade.price_ticks)),
        "q": number(one.quantity(trade.quantity_steps)), "f": first_id, "l": trade.trade_id,
        "T": trade.ts_ms, "m": trade.buyer_is_maker,
    }  # fmt: skip


def trade_event(one: PaperInstrument, trade: Trade, first_id: int, kind: str) -> Json:
    """A trade as ``trade`` or ``aggTrade`` stream event."""
    row = aggregate_trade(one, trade, first_id)
    head = {"e": kind, "E": trade.ts_ms, "T": trade.ts_ms, "s": one.symbol}
    if kind == "aggTrade":
        return head | row
    return head | {"t": row["a"], "p": row["p"], "q": row["q"], "X": "MARKET", "m": row["m"]}


def ticker(one: PaperInstrument, day: Candles, quote: Quote, now_ms: int) -> Json:
    """24 hour statistics."""
    opening, last = one.price(int(day.open[0])), quote.last
    value = traded_value(one, day, 0)
    volume = one.quantity(int(day.volume[0]))
    return {
        "symbol": one.symbol, "priceChange": number(last - opening),
        "priceChangePercent": f"{(last / opening - 1) * 100:.3f}",
        "weightedAvgPrice": number(round(value / volume, places(one.tick)) if volume else last),
        "lastPrice": number(last), "lastQty": number(one.step), "openPrice": number(opening),
        "highPrice": number(one.price(int(day.high[0]))),
        "lowPrice": number(one.price(int(day.low[0]))), "volume": number(volume),
        "quoteVolume": f"{value:.2f}", "openTime": now_ms - DAY_S * 1000, "closeTime": now_ms,
        "firstId": day.start_s * 4096, "lastId": now_ms // 1000 * 4096, "count": 5 * DAY_S,
    }  # fmt: skip


def ticker_event(one: PaperInstrument, day: Candles, quote: Quote, now_ms: int, kind: str) -> Json:
    """``24hrMiniTicker`` or ``24hrTicker`` stream event."""
    row = ticker(one, day, quote, now_ms)
    mini = {
        "e": kind, "E": now_ms, "s": one.symbol, "c": row["lastPrice"], "o": row["openPrice"],
        "h": row["highPrice"], "l": row["lowPrice"], "v": row["volume"], "q": row["quoteVolume"],
    }  # fmt: skip
    if kind == "24hrMiniTicker":
        return mini
    return mini | {
        "p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"],
        "Q": row["lastQty"], "O": row["openTime"], "C": row["closeTime"], "F": row["firstId"],
        "L": row["lastId"], "n": row["count"],
    }  # fmt: skip
