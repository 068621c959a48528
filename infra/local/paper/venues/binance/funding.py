"""Mark prices, funding rates and the income history in Binance's words."""

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Fill, Income, IncomeKind
from local.paper.market.funding import CAP, FUNDING_MS, next_funding_ms
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.binance import errors
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import Json, money, number

_MOST_RATES, _MOST_INCOMES = 1000, 1000
_WEEK_MS = 7 * 86_400_000


def mark_price(exchange: PaperExchange, one: PaperInstrument, now_ms: int) -> Json:
    """A row of premiumIndex: the rate is the one that is settled next."""
    mark, next_ms = exchange.mark_price(one.symbol), next_funding_ms(now_ms)
    last = number(exchange.quotes.quote(one.symbol, now_ms).last)
    return {
        "symbol": one.symbol, "markPrice": number(mark), "indexPrice": last,
        "estimatedSettlePrice": last,
        "lastFundingRate": number(exchange.quotes.funding_rate(one.symbol, next_ms)),
        "interestRate": "0.00010000", "nextFundingTime": next_ms, "time": now_ms,
    }  # fmt: skip


def mark_price_event(exchange: PaperExchange, one: PaperInstrument, now_ms: int) -> Json:
    """Mark price as a stream event."""
    row = mark_price(exchange, one, now_ms)
    return {
        "e": "markPriceUpdate", "E": now_ms, "s": one.symbol, "p": row["markPrice"],
        "i": row["indexPrice"], "P": row["estimatedSettlePrice"], "r": row["lastFundingRate"],
        "T": row["nextFundingTime"],
    }  # fmt: skip


def funding_info(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/fundingInfo``."""
    return [
        {"symbol": symbol, "adjustedFundingRateCap": number(CAP), "disclaimer": False,
         "adjustedFundingRateFloor": number(-CAP), "fundingIntervalHours": FUNDING_MS // 3_600_000}
        for symbol in exchange.quotes.instruments
    ]  # fmt: skip


def funding_rates(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/fundingRate``: settled rates, oldest first; the newest without a start."""
    limit, now_ms = _limit(given, 100, _MOST_RATES), exchange.now_ms()
    wanted = [given.text("symbol")] if given.has("symbol") else list(exchange.quotes.instruments)
    end_ms = min(given.integer("endTime", now_ms), now_ms)
    last_ms = end_ms // FUNDING_MS * FUNDING_MS
    first_ms = last_ms - (limit - 1) * FUNDING_MS
    if given.has("startTime"):
        first_ms = -(-given.integer("startTime") // FUNDING_MS) * FUNDING_MS
    moments = range(first_ms, last_ms + 1, FUNDING_MS)
    rows = [
        _settled(exchange, exchange.instrument(symbol), at_ms)
        for at_ms in moments[:limit]
        for symbol in wanted
    ]
    return rows[:limit]


def _settled(exchange: PaperExchange, one: PaperInstrument, at_ms: int) -> Json:
    return {
        "symbol": one.symbol, "fundingTime": at_ms,
        "fundingRate": number(exchange.quotes.funding_rate(one.symbol, at_ms)),
        "markPrice": number(exchange.quotes.quote(one.symbol, at_ms).last),
    }  # fmt: skip


def income(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/income``: profits, fees, funding and insurance, oldest first.

    Without a start the last seven days are meant, and without any bound their newest rows.
    """
    now_ms = exchange.advance()
    symbol, kind = given.text("symbol", ""), given.text("incomeType", "")
    end_ms = given.integer("endTime", now_ms)
    start_ms = given.integer("startTime", end_ms - _WEEK_MS)
    limit, page = _limit(given, 100, _MOST_INCOMES), given.integer("page", 1)
    rows = [
        row
        for row in _all_incomes(exchange)
        if symbol in ("", row["symbol"])
        and kind in ("", row["incomeType"])
        and start_ms <= row["time"] <= end_ms
    ]
    if given.has("startTime") or given.has("page"):
        return rows[(page - 1) * limit : page * limit]
    return rows[-limit:]


def _all_incomes(exchange: PaperExchange) -> list[Json]:
    books = exchange.books
    rows = [row for one in books.fills for row in _of_fill(one)]
    rows += [_of_income(one) for one in books.incomes]
    return sorted(rows, key=lambda row: (row["time"], row["tranId"]))


def _of_fill(one: Fill) -> list[Json]:
    amounts = (("REALIZED_PNL", one.realized), ("COMMISSION", -one.fee))
    return [
        {"symbol": one.symbol, "incomeType": kind, "income": money(amount), "asset": "USDT",
         "info": str(one.trade_id), "time": one.time_ms, "tranId": one.trade_id,
         "tradeId": str(one.trade_id)}
        for kind, amount in amounts
        if amount
    ]  # fmt: skip


def _of_income(one: Income) -> Json:
    funding = one.kind is IncomeKind.FUNDING_FEE
    return {
        "symbol": one.symbol, "incomeType": one.kind.value, "income": money(one.amount),
        "asset": "USDT", "info": "FUNDING_FEE" if funding else "", "time": one.time_ms,
        "tranId": one.income_id, "tradeId": "",
    }  # fmt: skip


def _limit(given: Parameters, default: int, most: int) -> int:
    limit = given.integer("limit", default)
    if not 1 <= limit <= most:
        raise errors.VenueError(errors.illegal("limit"))
    return limit
