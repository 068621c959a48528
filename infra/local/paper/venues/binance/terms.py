"""The terms an account trades on: tiers, leverage, margin and position mode, fees."""

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import PositionSide
from local.paper.market.brackets import largest_value
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.binance import errors
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import number


def leverage_bracket(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/leverageBracket``."""
    if given.has("symbol"):
        return [_brackets(exchange.instrument(given.text("symbol")))]
    return [_brackets(one) for one in exchange.quotes.instruments.values()]


def _brackets(instrument: PaperInstrument) -> Json:
    rows = [
        {"bracket": one.number, "initialLeverage": one.max_leverage, "notionalCap": int(one.cap),
         "notionalFloor": int(one.floor), "maintMarginRatio": float(one.ratio),
         "cum": float(one.relief)}
        for one in instrument.brackets
    ]  # fmt: skip
    return {"symbol": instrument.symbol, "brackets": rows}


def symbol_config(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/symbolConfig``."""
    wanted = [given.text("symbol")] if given.has("symbol") else list(exchange.quotes.instruments)
    rows = []
    for symbol in wanted:
        config = exchange.books.config(exchange.instrument(symbol).symbol)
        rows.append({
            "symbol": symbol, "marginType": "ISOLATED" if config.isolated else "CROSSED",
            "isAutoAddMargin": False, "leverage": config.leverage,
            "maxNotionalValue": _largest(exchange, symbol, config.leverage),
        })  # fmt: skip
    return rows


def account_config(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/accountConfig``."""
    return {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True,
        "dualSidePosition": exchange.books.account.hedge_mode, "updateTime": exchange.now_ms(),
        "multiAssetsMargin": False, "tradeGroupId": -1,
    }  # fmt: skip


def commission_rate(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/commissionRate``."""
    return {
        "symbol": exchange.instrument(given.text("symbol")).symbol,
        "makerCommissionRate": number(margin.MAKER_FEE),
        "takerCommissionRate": number(margin.TAKER_FEE),
    }  # fmt: skip


def set_leverage(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/leverage``."""
    symbol = exchange.instrument(given.text("symbol")).symbol
    config = modes.set_leverage(exchange.books, symbol, given.integer("leverage"))
    most = _largest(exchange, symbol, config.leverage)
    return {"leverage": config.leverage, "maxNotionalValue": most, "symbol": symbol}


def _largest(exchange: PaperExchange, symbol: str, leverage: int) -> str:
    return number(largest_value(exchange.instrument(symbol).brackets, leverage))


def set_margin_type(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/marginType``; not while orders of the symbol are open."""
    exchange.advance()
    books = exchange.books
    symbol = exchange.instrument(given.text("symbol")).symbol
    wanted = given.choice("marginType", ("ISOLATED", "CROSSED"), errors.illegal("marginType"))
    isolated = wanted == "ISOLATED"
    waiting = any(one.symbol == symbol for one in books.open_orders.values())
    if waiting and books.config(symbol).isolated != isolated:
        raise errors.VenueError(errors.MARGIN_TYPE_WITH_ORDERS)
    modes.set_isolated(books, symbol, isolated=isolated)
    return {"code": 200, "msg": "success"}


def position_mode(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/positionSide/dual``."""
    return {"dualSidePosition": exchange.books.account.hedge_mode}


def set_position_mode(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/positionSide/dual``."""
    given.text("dualSidePosition")
    exchange.advance()
    modes.set_hedge_mode(exchange.books, hedge_mode=given.flag("dualSidePosition"))
    return {"code": 200, "msg": "success"}


def assets_mode(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/multiAssetsMargin``."""
    return {"multiAssetsMargin": False}


def change_margin(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/positionMargin``: type 1 adds to an isolated position, 2 takes from it."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    side = given.choice("positionSide", tuple(PositionSide), errors.illegal("positionSide"), "BOTH")
    amount, kind = given.decimal("amount"), given.choice("type", ("1", "2"), errors.illegal("type"))
    if amount <= 0:
        raise errors.VenueError(errors.illegal("amount"))
    position = exchange.books.position(symbol, PositionSide(side))
    change = amount if kind == "1" else -amount
    modes.adjust_margin(exchange.books, position, change, exchange.mark_price)
    words = "Successfully modify position margin."
    return {"amount": float(amount), "code": 200, "msg": words, "type": int(kind)}
