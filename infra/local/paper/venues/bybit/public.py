"""Public market data routes. A list of the past comes newest first."""

from collections.abc import Callable

from local.paper.core.exchange import PaperExchange
from local.paper.market.candles import Trade
from local.paper.market.funding import FUNDING_MS
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.bybit import market_shapes, shapes
from local.paper.venues.bybit.parameters import Parameters, check_category
from local.paper.venues.bybit.shapes import Json, number

INTERVALS_S = {
    "1": 60, "3": 180, "5": 300, "15": 900, "30": 1800, "60": 3600, "120": 7200, "240": 14_400,
    "360": 21_600, "720": 43_200, "D": 86_400,
}  # fmt: skip
_LOOK_BACK_S = 3600

One = Callable[[PaperInstrument], Json]


def time(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/time``."""
    now_ms = exchange.shown_ms()
    return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}


def instruments(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/instruments-info``: of the other categories there is nothing."""
    category = given.text("category")
    is_ours = category == "linear" and given.text("status", "Trading") == "Trading"
    base = given.text("baseCoin", "")
    found = [one for one in _wanted(exchange, given) if is_ours and base in ("", one.base)]
    rows = shapes.page(found, given, market_shapes.listing, default=500, most=1000)
    return {"category": category, **rows}


def klines(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/kline``: candles of a minute and more."""
    check_category(given)
    instrument = exchange.instrument(given.text("symbol"))
    span_s = INTERVALS_S[given.choice("interval", INTERVALS_S)]
    limit, now_ms = given.limit(200, 1000), exchange.now_ms()
    end_s = min(given.integer("end", now_ms), now_ms) // 1000 // span_s * span_s + span_s
    start_s = end_s - limit * span_s
    if given.has("start"):
        start_s = -(-given.integer("start") // (span_s * 1000)) * span_s
        end_s = min(end_s, start_s + limit * span_s)
    rows: list[Json] = []
    if start_s < end_s:
        candles = exchange.quotes.klines(instrument.symbol, start_s, end_s, span_s, now_ms)
        rows = market_shapes.kline_rows(instrument, candles)
    return {"category": "linear", "symbol": instrument.symbol, "list": rows[::-1]}


def tickers(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/tickers``."""
    check_category(given)
    now_ms = exchange.now_ms()
    rows = [
        market_shapes.ticker(exchange.quotes, one, now_ms, exchange.mark_price(one.symbol))
        for one in _wanted(exchange, given)
    ]
    return {"category": "linear", "list": rows}


def order_book(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/orderbook``."""
    check_category(given)
    instrument = exchange.instrument(given.text("symbol"))
    found = exchange.quotes.book(instrument.symbol, exchange.now_ms(), given.limit(25, 500))
    times = {"ts": found.time_ms, "cts": found.time_ms}
    return market_shapes.book(instrument, found) | times


def recent_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/recent-trade``: the newest ones, by number alone."""
    check_category(given)
    instrument = exchange.instrument(given.text("symbol"))
    found = _newest(exchange, instrument.symbol, given.limit(500, 1000))
    rows = [market_shapes.recent_trade(instrument, trade) for trade in reversed(found)]
    return {"category": "linear", "list": rows}


def funding_history(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/market/funding/history``: the rates settled."""
    check_category(given)
    symbol = exchange.instrument(given.text("symbol")).symbol
    end_ms = min(given.integer("endTime", exchange.now_ms()), exchange.now_ms())
    last = end_ms // FUNDING_MS
    first = max(-(-given.integer("startTime", 0) // FUNDING_MS), last - given.limit(200, 200) + 1)
    rows = [
        {
            "symbol": symbol,
            "fundingRate": number(exchange.quotes.funding_rate(symbol, place * FUNDING_MS)),
            "fundingRateTimestamp": str(place * FUNDING_MS),
        }
        for place in range(last, first - 1, -1)
    ]
    return {"category": "linear", "list": rows}


def _wanted(exchange: PaperExchange, given: Parameters) -> list[PaperInstrument]:
    if given.has("symbol"):
        return [exchange.instrument(given.text("symbol"))]
    return list(exchange.quotes.instruments.values())


def _newest(exchange: PaperExchange, symbol: str, limit: int) -> list[Trade]:
    found: list[Trade] = []
    now_ms = exchange.now_ms()
    second = now_ms // 1000
    oldest = second - _LOOK_BACK_S
    while len(found) < limit and second > oldest:
        end_ms = min(now_ms, second * 1000 + 999)
        found = exchange.quotes.recent(symbol, second * 1000, end_ms) + found
        second -= 1
    return found[-limit:]
