"""JSON shapes of market data, shared by REST and streams."""

from collections.abc import Sequence
from decimal import Decimal

from local.paper.core.modes import MAX_LEVERAGE
from local.paper.market.candles import Candles, Trade
from local.paper.market.depth import Book
from local.paper.market.funding import next_funding_ms
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quotes
from local.paper.venues.bybit.shapes import Json, number, trade_uuid

_LISTED_MS = "1569398400000"
_MOST = 10_000_000
_SIDES = {True: "Sell", False: "Buy"}


def listing(one: PaperInstrument) -> Json:
    """A symbol of instruments-info."""
    tick, step, places = str(one.tick), str(one.step), -int(one.tick.as_tuple().exponent)
    return {
        "symbol": one.symbol, "contractType": "LinearPerpetual", "status": "Trading",
        "baseCoin": one.base, "quoteCoin": "USDT", "launchTime": _LISTED_MS, "deliveryTime": "0",
        "deliveryFeeRate": "", "priceScale": str(places), "fundingInterval": 480,
        "leverageFilter": {
            "minLeverage": "1", "maxLeverage": f"{MAX_LEVERAGE:.2f}", "leverageStep": "0.01",
        },
        "priceFilter": {"minPrice": tick, "maxPrice": "9999999", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": str(_MOST), "minOrderQty": step, "qtyStep": step,
            "postOnlyMaxOrderQty": str(_MOST), "maxMktOrderQty": str(_MOST),
            "minNotionalValue": str(one.min_notional),
        },
        "unifiedMarginTrade": True, "settleCoin": "USDT", "copyTrading": "none",
        "upperFundingRate": "0.0003", "lowerFundingRate": "-0.0003", "isPreListing": False,
        "preListingInfo": None, "displayName": "", "symbolType": "",
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.1"},
    }  # fmt: skip


def value_of(one: PaperInstrument, candles: Candles, row: int) -> Decimal:
    """Turnover in USDT, estimated at the candle's middle price."""
    middle = (int(candles.high[row]) + int(candles.low[row])) * one.tick / 2
    return middle * one.quantity(int(candles.volume[row]))


def kline_rows(one: PaperInstrument, candles: Candles) -> list[list[str]]:
    """Candles as REST rows, oldest first: start, open, high, low, close, volume, turnover."""
    columns = (candles.open, candles.high, candles.low, candles.close)
    return [
        [
            str((candles.start_s + row * candles.span_s) * 1000),
            *(number(one.price(int(column[row]))) for column in columns),
            number(one.quantity(int(candles.volume[row]))),
            f"{value_of(one, candles, row):.4f}",
        ]
        for row in range(len(candles))
    ]


def kline_event(one: PaperInstrument, candles: Candles, interval: str, now_ms: int) -> Json:
    """The single candle of `candles` as the data of a stream message."""
    start, opening, high, low, close, volume, turnover = kline_rows(one, candles)[0]
    end_ms = int(start) + candles.span_s * 1000
    return {
        "start": int(start), "end": end_ms - 1, "interval": interval, "open": opening,
        "close": close, "high": high, "low": low, "volume": volume, "turnover": turnover,
        "confirm": now_ms >= end_ms, "timestamp": now_ms,
    }  # fmt: skip


def seq_of(trade: Trade) -> int:
    """The number of a taker's doing: two trades in a row share one, as on the venue they may."""
    return trade.trade_id >> 1


def recent_trade(one: PaperInstrument, trade: Trade) -> Json:
    """A row of recent-trade."""
    return {
        "execId": trade_uuid(trade.trade_id), "symbol": one.symbol,
        "price": number(one.price(trade.price_ticks)),
        "size": number(one.quantity(trade.quantity_steps)),
        "side": _SIDES[trade.buyer_is_maker], "time": str(trade.ts_ms), "isBlockTrade": False,
        "isRPITrade": False, "seq": str(seq_of(trade)),
    }  # fmt: skip


def trade_event(one: PaperInstrument, trade: Trade) -> Json:
    """A trade of a publicTrade message."""
    return {
        "T": trade.ts_ms, "s": one.symbol, "S": _SIDES[trade.buyer_is_maker],
        "v": number(one.quantity(trade.quantity_steps)),
        "p": number(one.price(trade.price_ticks)), "L": "ZeroPlusTick",
        "i": trade_uuid(trade.trade_id), "BT": False, "RPI": False, "seq": seq_of(trade),
    }  # fmt: skip


def fast_ticker(quotes: Quotes, one: PaperInstrument, now_ms: int, mark: Decimal) -> Json:
    """What of a ticker moves with every trade."""
    quote, book = quotes.quote(one.symbol, now_ms), quotes.book(one.symbol, now_ms, 1)
    return {
        "symbol": one.symbol, "tickDirection": "ZeroPlusTick", "lastPrice": number(quote.last),
        "markPrice": number(mark), "indexPrice": number(quote.last),
        "bid1Price": number(quote.bid), "bid1Size": _size(one, book.bids),
        "ask1Price": number(quote.ask), "ask1Size": _size(one, book.asks),
    }  # fmt: skip


def ticker(quotes: Quotes, one: PaperInstrument, now_ms: int, mark: Decimal) -> Json:
    """A ticker with the statistics of 24 hours."""
    day = quotes.day(one.symbol, now_ms)
    last, opening = quotes.quote(one.symbol, now_ms).last, one.price(int(day.open[0]))
    hour_ms = now_ms - 3_600_000
    settles_ms = next_funding_ms(now_ms)
    return fast_ticker(quotes, one, now_ms, mark) | {
        "prevPrice24h": number(opening), "price24hPcnt": f"{last / opening - 1:.6f}",
        "highPrice24h": number(one.price(int(day.high[0]))),
        "lowPrice24h": number(one.price(int(day.low[0]))),
        "prevPrice1h": number(quotes.quote(one.symbol, hour_ms).last),
        "openInterest": "0", "openInterestValue": "0",
        "turnover24h": f"{value_of(one, day, 0):.4f}",
        "volume24h": number(one.quantity(int(day.volume[0]))),
        "fundingRate": number(quotes.funding_rate(one.symbol, settles_ms)),
        "nextFundingTime": str(settles_ms), "fundingIntervalHour": "8", "fundingCap": "0.0003",
        "predictedDeliveryPrice": "", "basisRate": "", "deliveryFeeRate": "", "deliveryTime": "0",
        "basis": "", "preOpenPrice": "", "preQty": "", "curPreListingPhase": "",
    }  # fmt: skip


def book(one: PaperInstrument, found: Book) -> Json:
    """An order book: symbol, bids, asks, and the numbers of its last update."""
    return {
        "s": one.symbol, "b": levels(one, found.bids), "a": levels(one, found.asks),
        "u": found.update_id, "seq": found.update_id,
    }  # fmt: skip


def book_change(one: PaperInstrument, before: Book, after: Book) -> Json:
    """What changes one book into another; a size of zero takes a level away."""
    return book(one, after) | {
        "b": _changed(one, before.bids, after.bids), "a": _changed(one, before.asks, after.asks),
    }  # fmt: skip


def _changed(
    one: PaperInstrument, before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]
) -> list[list[str]]:
    known, now = dict(before), dict(after)
    gone = [(ticks, 0) for ticks in known if ticks not in now]
    return levels(one, gone + [each for each in after if known.get(each[0]) != each[1]])


def levels(one: PaperInstrument, side: Sequence[tuple[int, int]]) -> list[list[str]]:
    """One side of a book, best first."""
    return [[number(one.price(ticks)), number(one.quantity(steps))] for ticks, steps in side]


def _size(one: PaperInstrument, side: Sequence[tuple[int, int]]) -> str:
    return number(one.quantity(side[0][1])) if side else "0"
