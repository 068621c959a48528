"""Public market data routes."""

from collections.abc import Callable

from local.paper.core.exchange import PaperExchange
from local.paper.market.candles import Trade
from local.paper.market.instruments import PaperInstrument
from local.paper.market.numbering import numbered
from local.paper.venues.binance import depth, errors, funding, market_shapes
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import number

INTERVALS_S = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14_400,
    "6h": 21_600, "8h": 28_800, "12h": 43_200, "1d": 86_400,
}  # fmt: skip
_IDS_A_SECOND = 4096
_LOOK_BACK_S = 3600

One = Callable[[PaperInstrument], Json]


def ping(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/ping``."""
    return {}


def time(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/time``."""
    return {"serverTime": exchange.shown_ms()}


def exchange_info(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/exchangeInfo``."""
    limit = {"interval": "MINUTE", "intervalNum": 1}
    listed = exchange.quotes.instruments.values()
    return {
        "timezone": "UTC", "serverTime": exchange.shown_ms(), "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "limit": 2400} | limit,
            {"rateLimitType": "ORDERS", "limit": 1200} | limit,
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [market_shapes.listing(one) for one in listed],
    }  # fmt: skip


def klines(exchange: PaperExchange, given: Parameters) -> Json:
    """Candles of a minute and more: one-second candles are not served, as on the venue."""
    instrument = exchange.instrument(given.text("symbol"))
    interval = given.choice("interval", INTERVALS_S, errors.INVALID_INTERVAL)
    span_s, limit = INTERVALS_S[interval], _limit(given, 500, 1500)
    now_ms = exchange.now_ms()
    end_s = min(given.integer("endTime", now_ms), now_ms) // 1000 // span_s * span_s + span_s
    start_s = end_s - limit * span_s
    if given.has("startTime"):
        start_s = -(-given.integer("startTime") // (span_s * 1000)) * span_s
        end_s = min(end_s, start_s + limit * span_s)
    if start_s >= end_s:
        return []
    candles = exchange.quotes.klines(instrument.symbol, start_s, end_s, span_s, now_ms)
    return market_shapes.kline_rows(instrument, candles)


def aggregate_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """Recent trades: from an id or a time onward (oldest first), or the newest ones."""
    instrument = exchange.instrument(given.text("symbol"))
    limit, now_ms = _limit(given, 500, 1000), exchange.now_ms()
    end_ms = min(given.integer("endTime", now_ms), now_ms)
    first_id = given.integer("fromId", 0)
    if not (given.has("fromId") or given.has("startTime")):
        found = _newest(exchange, instrument.symbol, end_ms, limit)
    else:
        start_ms = given.integer("startTime", first_id // _IDS_A_SECOND * 1000)
        trades = _onward(exchange, instrument.symbol, start_ms, end_ms, limit + _IDS_A_SECOND)
        found = [one for one in trades if one.trade_id >= first_id][:limit]
    return [
        market_shapes.aggregate_trade(instrument, trade, first_id)
        for first_id, trade in numbered(exchange.quotes, instrument.symbol, found)
    ]


def recent_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/trades``."""
    instrument = exchange.instrument(given.text("symbol"))
    now_ms = exchange.now_ms()
    rows = []
    for trade in _newest(exchange, instrument.symbol, now_ms, _limit(given, 500, 1000)):
        row = market_shapes.aggregate_trade(instrument, trade, trade.trade_id)
        value = instrument.price(trade.price_ticks) * instrument.quantity(trade.quantity_steps)
        rows.append({
            "id": row["a"], "price": row["p"], "qty": row["q"], "quoteQty": f"{value:.2f}",
            "time": row["T"], "isBuyerMaker": row["m"],
        })  # fmt: skip
    return rows


def book(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/depth``."""
    instrument = exchange.instrument(given.text("symbol"))
    limit = given.integer("limit", 500)
    if limit not in depth.LIMITS:
        raise errors.VenueError(errors.depth_limit(limit))
    return depth.snapshot(exchange, instrument, limit, exchange.now_ms())


def ticker_day(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/ticker/24hr``."""
    now_ms = exchange.now_ms()

    def one(instrument: PaperInstrument) -> Json:
        day = exchange.quotes.day(instrument.symbol, now_ms)
        quote = exchange.quotes.quote(instrument.symbol, now_ms)
        return market_shapes.ticker(instrument, day, quote, now_ms)

    return _one_or_all(exchange, given, one)


def ticker_price(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/ticker/price``."""
    now_ms = exchange.now_ms()

    def one(instrument: PaperInstrument) -> Json:
        quote = exchange.quotes.quote(instrument.symbol, now_ms)
        last = number(quote.last)
        return {"symbol": instrument.symbol, "price": last, "time": quote.time_ms}

    return _one_or_all(exchange, given, one)


def book_ticker(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/ticker/bookTicker``."""
    now_ms = exchange.now_ms()
    return _one_or_all(exchange, given, lambda one: depth.book_ticker(exchange, one, now_ms))


def premium_index(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/premiumIndex``."""
    now_ms = exchange.now_ms()
    return _one_or_all(exchange, given, lambda one: funding.mark_price(exchange, one, now_ms))


def _one_or_all(exchange: PaperExchange, given: Parameters, one: One) -> Json:
    if given.has("symbol"):
        return one(exchange.instrument(given.text("symbol")))
    return [one(instrument) for instrument in exchange.quotes.instruments.values()]


def _limit(given: Parameters, default: int, most: int) -> int:
    limit = given.integer("limit", default)
    if not 1 <= limit <= most:
        raise errors.VenueError(errors.illegal("limit"))
    return limit


def _newest(exchange: PaperExchange, symbol: str, end_ms: int, limit: int) -> list[Trade]:
    found: list[Trade] = []
    second = end_ms // 1000
    oldest = second - _LOOK_BACK_S
    while len(found) < limit and second > oldest:
        found = (
            exchange.quotes.recent(symbol, second * 1000, min(end_ms, second * 1000 + 999)) + found
        )
        second -= 1
    return found[-limit:]


def _onward(
    exchange: PaperExchange, symbol: str, start_ms: int, end_ms: int, limit: int
) -> list[Trade]:
    found: list[Trade] = []
    second = start_ms // 1000
    last = min(end_ms // 1000, second + _LOOK_BACK_S)
    while len(found) < limit and second <= last:
        first_ms, last_ms = max(start_ms, second * 1000), min(end_ms, second * 1000 + 999)
        found += exchange.quotes.recent(symbol, first_ms, last_ms)
        second += 1
    return found
