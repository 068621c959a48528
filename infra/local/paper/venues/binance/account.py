"""Account routes: balance, positions, modes, leverage, fees."""

from decimal import Decimal

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, Position, PositionSide
from local.paper.market.brackets import largest_value
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.binance import errors
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import money, number


def _totals(exchange: PaperExchange) -> dict[str, Decimal]:
    books, price = exchange.books, exchange.mark_price
    positions = margin.positions_margin(books, price)
    orders, profit = margin.orders_margin(books), margin.unrealized(books, price)
    kept = sum((exchange.maintenance_margin(one) for one in margin.held(books)), ZERO)
    shared = [one.unrealized(price(one.symbol)) for one in margin.held_cross(books)]
    return {
        "wallet": books.account.wallet, "profit": profit, "equity": books.account.wallet + profit,
        "positions": positions, "orders": orders, "initial": positions + orders,
        "maintenance": kept, "available": exchange.available(),
        "cross": margin.cross_wallet(books), "cross profit": sum(shared, ZERO),
    }  # fmt: skip


def _asset(totals: dict[str, Decimal], now_ms: int) -> Json:
    text = {name: money(value) for name, value in totals.items()}
    return {
        "asset": "USDT", "walletBalance": text["wallet"], "unrealizedProfit": text["profit"],
        "marginBalance": text["equity"], "maintMargin": text["maintenance"],
        "initialMargin": text["initial"], "positionInitialMargin": text["positions"],
        "openOrderInitialMargin": text["orders"], "crossWalletBalance": text["cross"],
        "crossUnPnl": text["cross profit"], "availableBalance": text["available"],
        "maxWithdrawAmount": text["available"], "marginAvailable": True, "updateTime": now_ms,
    }  # fmt: skip


def account(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v2/account``."""
    now_ms = exchange.advance()
    totals = _totals(exchange)
    text = {name: money(value) for name, value in totals.items()}
    return {
        "totalInitialMargin": text["initial"], "totalMaintMargin": text["maintenance"],
        "totalWalletBalance": text["wallet"], "totalUnrealizedProfit": text["profit"],
        "totalMarginBalance": text["equity"], "totalPositionInitialMargin": text["positions"],
        "totalOpenOrderInitialMargin": text["orders"], "totalCrossWalletBalance": text["cross"],
        "totalCrossUnPnl": text["cross profit"], "availableBalance": text["available"],
        "maxWithdrawAmount": text["available"], "assets": [_asset(totals, now_ms)],
        "positions": [_account_position(exchange, one) for one in margin.held(exchange.books)],
    }  # fmt: skip


def _account_position(exchange: PaperExchange, one: Position) -> Json:
    price = exchange.mark_price(one.symbol)
    initial = margin.position_margin(exchange.books, one, exchange.mark_price)
    return {
        "symbol": one.symbol, "positionSide": one.position_side.value,
        "positionAmt": number(one.quantity), "unrealizedProfit": money(one.unrealized(price)),
        "isolatedMargin": _isolated_margin(exchange, one), "notional": money(one.quantity * price),
        "isolatedWallet": money(one.margin), "initialMargin": money(initial),
        "maintMargin": money(exchange.maintenance_margin(one)), "updateTime": one.updated_ms,
    }  # fmt: skip


def _isolated_margin(exchange: PaperExchange, one: Position) -> str:
    """The isolated wallet and the position's profit; zero for a cross position."""
    if not exchange.books.config(one.symbol).isolated:
        return "0"
    return money(one.margin + one.unrealized(exchange.mark_price(one.symbol)))


def balance(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v2/balance``."""
    now_ms = exchange.advance()
    text = {name: money(value) for name, value in _totals(exchange).items()}
    return [{
        "accountAlias": "paper", "asset": "USDT", "balance": text["wallet"],
        "crossWalletBalance": text["cross"], "crossUnPnl": text["cross profit"],
        "availableBalance": text["available"], "maxWithdrawAmount": text["available"],
        "marginAvailable": True, "updateTime": now_ms,
    }]  # fmt: skip


def position_risk(exchange: PaperExchange, given: Parameters) -> Json:
    """Positions that are not flat, as version 3 of the route answers."""
    exchange.advance()
    symbol = given.text("symbol", "")
    if symbol:
        exchange.instrument(symbol)
    found = [one for one in margin.held(exchange.books) if symbol in ("", one.symbol)]
    return [_risk(exchange, one) for one in found]


def _risk(exchange: PaperExchange, one: Position) -> Json:
    price, entry = exchange.mark_price(one.symbol), number(round(one.entry_price, 8))
    initial = money(margin.position_margin(exchange.books, one, exchange.mark_price))
    return {
        "symbol": one.symbol, "positionSide": one.position_side.value,
        "positionAmt": number(one.quantity), "entryPrice": entry, "breakEvenPrice": entry,
        "markPrice": number(price), "unRealizedProfit": money(one.unrealized(price)),
        "liquidationPrice": number(exchange.liquidation_price(one)),
        "isolatedMargin": _isolated_margin(exchange, one),
        "notional": money(one.quantity * price), "marginAsset": "USDT",
        "isolatedWallet": money(one.margin), "initialMargin": initial,
        "positionInitialMargin": initial, "maintMargin": money(exchange.maintenance_margin(one)),
        "openOrderInitialMargin": "0", "adl": 2, "bidNotional": "0", "askNotional": "0",
        "updateTime": one.updated_ms,
    }  # fmt: skip


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
    """``POST /fapi/v1/marginType``."""
    symbol = exchange.instrument(given.text("symbol")).symbol
    wanted = given.choice("marginType", ("ISOLATED", "CROSSED"), errors.illegal("marginType"))
    modes.set_isolated(exchange.books, symbol, isolated=wanted == "ISOLATED")
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
