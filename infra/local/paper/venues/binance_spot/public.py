"""Public market data of spot: USD-M's rows with what spot adds to them, and seconds."""

import json
from collections.abc import Callable, Sequence

from local.paper.core.exchange import PaperExchange
from local.paper.core.spot import MAX_WAITING, lot_of
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quotes
from local.paper.venues.binance import market_shapes
from local.paper.venues.binance import public as futures
from local.paper.venues.binance.errors import INVALID_INTERVAL, VenueError, illegal
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance_spot import errors
from local.paper.venues.binance_spot.shapes import STP, eight
from local.paper.wire import Json

INTERVALS_S = {"1s": 1} | futures.INTERVALS_S
ORDER_TYPES = [
    "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]  # fmt: skip
_MOST_KLINES = 1000
_MOST_LEVELS = 50

ping = futures.ping
time = futures.time


def exchange_info(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/exchangeInfo``."""
    return {
        "timezone": "UTC", "serverTime": exchange.shown_ms(),
        "rateLimits": [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, 6000), _limit("ORDERS", "SECOND", 10, 100),
            _limit("ORDERS", "DAY", 1, 200_000), _limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
        ],
        "exchangeFilters": [],
        "symbols": [_listing(one) for one in _wanted(exchange, given)],
    }  # fmt: skip


def _limit(kind: str, interval: str, number: int, limit: int) -> Json:
    return {
        "rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit,
    }  # fmt: skip


def _listing(one: PaperInstrument) -> Json:
    return {
        "symbol": one.symbol, "status": "TRADING", "baseAsset": one.base, "baseAssetPrecision": 8,
        "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8, "orderTypes": ORDER_TYPES,
        "icebergAllowed": False, "ocoAllowed": False, "otoAllowed": False, "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": False,
        "cancelReplaceAllowed": True, "amendAllowed": False,
        "pegInstructionsAllowed": False, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False, "filters": _filters(one), "permissions": [],
        "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": STP,
        "allowedSelfTradePreventionModes": [STP],
    }  # fmt: skip


def _filters(one: PaperInstrument) -> list[Json]:
    lot = lot_of(one)
    tick, step, most = eight(lot.tick), eight(lot.step), eight(lot.max_quantity)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000",
         "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": most, "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": most,
         "stepSize": "0.00000000"},
        {"filterType": "NOTIONAL", "minNotional": eight(lot.min_notional),
         "applyMinToMarket": True, "maxNotional": "9000000.00000000", "applyMaxToMarket": False,
         "avgPriceMins": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_WAITING},
    ]  # fmt: skip


def klines(exchange: PaperExchange, given: Parameters) -> Json:
    """Candles, of a second too: those that have closed."""
    interval = given.choice("interval", INTERVALS_S, INVALID_INTERVAL)
    limit = given.integer("limit", 500)
    if not 1 <= limit <= _MOST_KLINES:
        raise VenueError(illegal("limit"))
    if interval != "1s":
        return futures.klines(exchange, given)
    one, now_s = exchange.instrument(given.text("symbol")), exchange.now_ms() // 1000
    end_s = min(given.integer("endTime", now_s * 1000) // 1000 + 1, now_s)
    start_s = end_s - limit
    if given.has("startTime"):
        start_s = -(-given.integer("startTime") // 1000)
        end_s = min(end_s, start_s + limit)
    if start_s >= end_s:
        return []
    return market_shapes.kline_rows(one, exchange.quotes.market.seconds(one.symbol, start_s, end_s))


def aggregate_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/aggTrades``."""
    return [row | {"M": True} for row in futures.aggregate_trades(exchange, given)]


def recent_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/trades``."""
    return [row | {"isBestMatch": True} for row in futures.recent_trades(exchange, given)]


def depth(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/depth``."""
    one, limit = exchange.instrument(given.text("symbol")), given.integer("limit", 100)
    if not 1 <= limit <= 5000:
        raise VenueError(illegal("limit"))
    return book(exchange.quotes, one, exchange.now_ms(), min(limit, _MOST_LEVELS))


def book(quotes: Quotes, one: PaperInstrument, now_ms: int, limit: int) -> Json:
    """The book of a symbol, with the number of its last update."""
    found = quotes.book(one.symbol, now_ms, limit)
    return {
        "lastUpdateId": found.update_id, "bids": levels(one, found.bids[:limit]),
        "asks": levels(one, found.asks[:limit]),
    }  # fmt: skip


def levels(one: PaperInstrument, found: Sequence[tuple[int, int]]) -> list[list[str]]:
    """Price and size of each level."""
    return [[eight(one.price(price)), eight(one.quantity(size))] for price, size in found]


def ticker_day(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/ticker/24hr``."""
    given.choice("type", ("FULL", "MINI"), illegal("type"), "FULL")

    def one_day(one: PaperInstrument) -> Json:
        return ticker(exchange.quotes, one, exchange.now_ms())

    return _each(exchange, given, one_day)


def ticker(quotes: Quotes, one: PaperInstrument, now_ms: int) -> Json:
    """24 hour statistics with the best of the book."""
    quote, day = quotes.quote(one.symbol, now_ms), quotes.day(one.symbol, now_ms)
    row = market_shapes.ticker(one, day, quote, now_ms)
    best = book(quotes, one, now_ms, 1)
    (bid, bid_size), (ask, ask_size) = best["bids"][0], best["asks"][0]
    return row | {
        "prevClosePrice": row["openPrice"], "bidPrice": bid, "bidQty": bid_size, "askPrice": ask,
        "askQty": ask_size,
    }  # fmt: skip


def ticker_price(exchange: PaperExchange, given: Parameters) -> Json:
    """Last prices, without a word of when they were made."""

    def price(one: PaperInstrument) -> Json:
        return {"symbol": one.symbol, "price": eight(exchange.last_price(one.symbol))}

    return _each(exchange, given, price)


def book_ticker(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/ticker/bookTicker``."""

    def best(one: PaperInstrument) -> Json:
        row = ticker(exchange.quotes, one, exchange.now_ms())
        names = ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")
        return {name: row[name] for name in names}

    return _each(exchange, given, best)


def average_price(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/avgPrice``: the last price stands for the average of five minutes."""
    last = exchange.last_price(exchange.instrument(given.text("symbol")).symbol)
    return {"mins": 5, "price": eight(last), "closeTime": exchange.now_ms()}


def _each(
    exchange: PaperExchange, given: Parameters, row: Callable[[PaperInstrument], Json]
) -> Json:
    if given.has("symbol") and not given.has("symbols"):
        return row(exchange.instrument(given.text("symbol")))
    return [row(one) for one in _wanted(exchange, given)]


def _wanted(exchange: PaperExchange, given: Parameters) -> list[PaperInstrument]:
    """The instruments of ``symbol`` or ``symbols``, a JSON list; all of them without."""
    if given.has("symbol") and given.has("symbols"):
        raise VenueError(errors.BOTH_SYMBOLS)
    if given.has("symbol"):
        return [exchange.instrument(given.text("symbol"))]
    if not given.has("symbols"):
        return list(exchange.quotes.instruments.values())
    try:
        names = json.loads(given.text("symbols"))
    except ValueError:
        names = None
    if not isinstance(names, list) or not names:
        raise VenueError(errors.EMPTY_SYMBOLS)
    return [exchange.instrument(str(name)) for name in names]
