"""Public market data routes; rows are told newest first."""

from collections.abc import Iterator

from local.paper.core.exchange import PaperExchange
from local.paper.market.candles import Trade
from local.paper.market.instruments import PaperInstrument
from local.paper.market.splitting import IDS_A_SECOND
from local.paper.venues.okx import contracts, errors, market_shapes
from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Json

BARS_S = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1H": 3600, "2H": 7200, "4H": 14_400,
    "6Hutc": 21_600, "12Hutc": 43_200, "1Dutc": 86_400,
}  # fmt: skip
_NEWEST_BARS = 1440
_LOOK_BACK_S = 3600
_LAST_ID = 2**63
_SWAP = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")


def time(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /public/time``."""
    return [{"ts": str(exchange.shown_ms())}]


def instruments(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Swaps alone are listed; other kinds exist and are empty."""
    if given.choice("instType", _SWAP) != "SWAP":
        return []
    return [market_shapes.listing(one) for one in _listed(exchange, given)]


def candles(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """The newest 1440 candles at most, the open one too."""
    return _candles(exchange, given, newest=True)


def history_candles(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Closed candles however old."""
    return _candles(exchange, given, newest=False)


def _candles(exchange: PaperExchange, given: Parameters, *, newest: bool) -> list[Json]:
    one = contracts.find(exchange, given.text("instId"))
    span_s, limit = BARS_S[given.choice("bar", BARS_S, "1m")], _limit(given, 100, 300)
    now_ms = exchange.now_ms()
    open_s = now_ms // 1000 // span_s * span_s
    end_s = open_s + span_s if newest else open_s
    if given.has("after"):
        end_s = min(end_s, -(-given.integer("after") // 1000 // span_s) * span_s)
    start_s = end_s - limit * span_s
    if given.has("before"):
        start_s = max(start_s, (given.integer("before") // 1000 // span_s + 1) * span_s)
    if newest:
        start_s = max(start_s, open_s - (_NEWEST_BARS - 1) * span_s)
    if start_s >= end_s:
        return []
    found = exchange.quotes.klines(one.symbol, start_s, end_s, span_s, now_ms)
    return market_shapes.candle_rows(one, found, now_ms)[::-1]


def trades(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """The newest trades."""
    one = contracts.find(exchange, given.text("instId"))
    found = _older(exchange, one, exchange.now_ms(), _LAST_ID, _limit(given, 100, 500))
    return [market_shapes.trade(one, made) for made in found]


def history_trades(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Trades before an id (type 1) or before a moment (type 2)."""
    one = contracts.find(exchange, given.text("instId"))
    by_time = given.choice("type", ("1", "2"), "1") == "2"
    now_ms, limit = exchange.now_ms(), _limit(given, 100, 100)
    end_ms, before_id = now_ms, _LAST_ID
    if given.has("after") and by_time:
        end_ms = min(now_ms, given.integer("after") - 1)
    elif given.has("after"):
        before_id = given.integer("after")
        end_ms = min(now_ms, before_id // IDS_A_SECOND * 1000 + 999)
    found = _older(exchange, one, end_ms, before_id, limit)
    return [market_shapes.trade(one, made) for made in found]


def books(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /market/books``."""
    one = contracts.find(exchange, given.text("instId"))
    depth = given.integer("sz", 1)
    if not 1 <= depth <= 5000:
        raise errors.VenueError(errors.illegal("sz"))
    found = exchange.quotes.book(one.symbol, exchange.now_ms(), min(depth, 50))
    return [market_shapes.book(one, found)]


def tickers(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /market/tickers``."""
    if given.choice("instType", _SWAP) != "SWAP":
        return []
    now_ms = exchange.now_ms()
    listed = exchange.quotes.instruments.values()
    return [market_shapes.ticker(one, exchange.quotes, now_ms) for one in listed]


def ticker(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /market/ticker``."""
    one = contracts.find(exchange, given.text("instId"))
    return [market_shapes.ticker(one, exchange.quotes, exchange.now_ms())]


def mark_price(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /public/mark-price``."""
    given.choice("instType", ("SWAP",))
    now_ms = exchange.now_ms()
    return [
        market_shapes.mark_price(one, exchange.mark_price(one.symbol), now_ms)
        for one in _listed(exchange, given)
    ]


def funding_rate(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /public/funding-rate``."""
    one = contracts.find(exchange, given.text("instId"))
    return [market_shapes.funding(one, exchange.quotes, exchange.now_ms())]


def _listed(exchange: PaperExchange, given: Parameters) -> list[PaperInstrument]:
    if given.has("instId"):
        return [contracts.find(exchange, given.text("instId"))]
    return list(exchange.quotes.instruments.values())


def _limit(given: Parameters, default: int, most: int) -> int:
    """More than a page holds is a page, as on OKX."""
    limit = given.integer("limit", default)
    if limit < 1:
        raise errors.VenueError(errors.illegal("limit"))
    return min(limit, most)


def _older(
    exchange: PaperExchange, one: PaperInstrument, end_ms: int, before_id: int, limit: int
) -> list[Trade]:
    found: list[Trade] = []
    for made in _backwards(exchange, one.symbol, end_ms):
        if made.trade_id < before_id:
            found.append(made)
        if len(found) == limit:
            break
    return found


def _backwards(exchange: PaperExchange, symbol: str, end_ms: int) -> Iterator[Trade]:
    """Trades at or before a moment, newest first, an hour back at most."""
    last = end_ms // 1000
    for second in range(last, last - _LOOK_BACK_S, -1):
        first_ms = second * 1000
        found = exchange.quotes.recent(symbol, first_ms, min(end_ms, first_ms + 999))
        yield from reversed(found)
