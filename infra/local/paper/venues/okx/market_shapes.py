"""JSON shapes of market data, shared by REST and channels."""

from decimal import ROUND_UP, Decimal

from local.paper.market.candles import Candles, Trade
from local.paper.market.depth import Book
from local.paper.market.funding import CAP, FUNDING_MS
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quotes
from local.paper.venues.okx.contracts import contracts, inst_id, lot, size, text
from local.paper.wire import Json

_LISTED_MS = 1_573_557_408_000
_MOST = Decimal(10_000_000)  # base units in one order
_MARGIN_OF_PRICE = Decimal("1.5")


def listing(one: PaperInstrument) -> Json:
    """A row of public/instruments."""
    family, most = f"{one.base}-USDT", text(_MOST / size(one))
    return {
        "alias": "", "auctionEndTime": "", "baseCcy": "", "category": "1", "contTdSwTime": "",
        "ctMult": "1", "ctType": "linear", "ctVal": text(size(one)), "ctValCcy": one.base,
        "expTime": "", "futureSettlement": False, "groupId": "1", "instFamily": family,
        "instId": inst_id(one.symbol), "instIdCode": sum(map(ord, one.symbol)), "instType": "SWAP",
        "lever": str(one.brackets[0].max_leverage), "listTime": str(_LISTED_MS),
        "longPosRemainingQuota": "", "lotSz": text(lot(one)), "maxIcebergSz": most,
        "maxLmtAmt": "20000000", "maxLmtSz": most, "maxMktAmt": "", "maxMktSz": most,
        "maxPlatOILmt": "", "maxStopSz": most, "maxTriggerSz": most, "maxTwapSz": most,
        "minSz": contracts(one, least(one)), "openType": "", "optType": "", "posLmtAmt": "",
        "posLmtPct": "", "preMktSwTime": "", "quoteCcy": "", "ruleType": "normal",
        "settleCcy": "USDT", "shortPosRemainingQuota": "", "state": "live", "stk": "",
        "tickSz": text(one.tick), "tradeQuoteCcyList": [], "uly": family, "upcChg": [],
    }  # fmt: skip


def least(one: PaperInstrument) -> Decimal:
    """The least opening order in base units.

    OKX knows no least value, so it is such that the market's own one is reached at usual prices.
    """
    value = one.min_notional * _MARGIN_OF_PRICE / Decimal(str(one.start_price))
    steps = (value / one.step).to_integral_value(ROUND_UP)
    return max(steps, Decimal(1)) * one.step


def candle_rows(one: PaperInstrument, candles: Candles, now_ms: int) -> list[list[str]]:
    """Candles, oldest first: time, prices, volume in contracts, base and quote, and if closed."""
    rows = []
    for row in range(len(candles)):
        open_s = candles.start_s + row * candles.span_s
        columns = (candles.open, candles.high, candles.low, candles.close)
        volume = one.quantity(int(candles.volume[row]))
        middle = (int(candles.high[row]) + int(candles.low[row])) * one.tick / 2
        rows.append([
            str(open_s * 1000), *(text(one.price(int(column[row]))) for column in columns),
            contracts(one, volume), text(volume), text(middle * volume),
            "1" if now_ms >= (open_s + candles.span_s) * 1000 else "0",
        ])  # fmt: skip
    return rows


def trade(one: PaperInstrument, made: Trade) -> Json:
    """A public trade; `side` is that of the taker."""
    return {
        "instId": inst_id(one.symbol), "side": "sell" if made.buyer_is_maker else "buy",
        "sz": contracts(one, one.quantity(made.quantity_steps)),
        "px": text(one.price(made.price_ticks)), "source": "0", "tradeId": str(made.trade_id),
        "ts": str(made.ts_ms),
    }  # fmt: skip


def ticker(one: PaperInstrument, quotes: Quotes, now_ms: int) -> Json:
    """Last price, best offers and 24 hours; volumes in contracts and in base."""
    day, quote = quotes.day(one.symbol, now_ms), quotes.quote(one.symbol, now_ms)
    book = quotes.book(one.symbol, now_ms, 1)
    volume, opening = one.quantity(int(day.volume[0])), text(one.price(int(day.open[0])))
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "last": text(quote.last),
        "lastSz": contracts(one, one.step), "askPx": text(quote.ask),
        "askSz": contracts(one, one.quantity(book.asks[0][1])), "bidPx": text(quote.bid),
        "bidSz": contracts(one, one.quantity(book.bids[0][1])), "open24h": opening,
        "high24h": text(one.price(int(day.high[0]))), "low24h": text(one.price(int(day.low[0]))),
        "volCcy24h": text(volume), "vol24h": contracts(one, volume), "ts": str(quote.time_ms),
        "sodUtc0": opening, "sodUtc8": opening,
    }  # fmt: skip


def book(one: PaperInstrument, found: Book) -> Json:
    """Both sides: price, contracts, a zero that means nothing any more, and number of orders."""

    def rows(levels: tuple[tuple[int, int], ...]) -> list[list[str]]:
        return [
            [text(one.price(ticks)), contracts(one, one.quantity(steps)), "0", "3"]
            for ticks, steps in levels
        ]

    return {
        "asks": rows(found.asks), "bids": rows(found.bids), "ts": str(found.time_ms),
        "seqId": found.update_id,
    }  # fmt: skip


def mark_price(one: PaperInstrument, price: Decimal, now_ms: int) -> Json:
    """A row of public/mark-price."""
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "markPx": text(price),
        "ts": str(now_ms),
    }  # fmt: skip


def funding(one: PaperInstrument, quotes: Quotes, now_ms: int) -> Json:
    """The rate that will be settled next."""
    next_ms = (now_ms // FUNDING_MS + 1) * FUNDING_MS
    rate = text(quotes.funding_rate(one.symbol, next_ms))
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "method": "current_period",
        "formulaType": "withRate", "fundingRate": rate, "nextFundingRate": "",
        "fundingTime": str(next_ms), "nextFundingTime": str(next_ms + FUNDING_MS),
        "minFundingRate": text(-CAP), "maxFundingRate": text(CAP), "interestRate": "0.0001",
        "impactValue": "10000", "settState": "settled", "settFundingRate": rate, "premium": "0",
        "ts": str(now_ms),
    }  # fmt: skip
