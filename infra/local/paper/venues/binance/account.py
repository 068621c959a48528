"""Account routes: balance, positions, modes, leverage, fees."""

from decimal import Decimal

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, Fill, Position
from local.paper.venues.binance import errors
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import money, number

_BRACKETS = ((1, 125, 0, 300_000, "0.004", 0), (2, 100, 300_000, 800_000, "0.005", 300),
             (3, 50, 800_000, 30_000_000, "0.01", 4_300))  # fmt: skip


def _totals(exchange: PaperExchange) -> dict[str, Decimal]:
    books, price = exchange.books, exchange.last_price
    positions = margin.positions_margin(books, price)
    orders, profit = margin.orders_margin(books), margin.unrealized(books, price)
    value = sum((abs(one.quantity) * price(one.symbol) for one in margin.held(books)), ZERO)
    return {
        "wallet": books.account.wallet, "profit": profit, "equity": books.account.wallet + profit,
        "positions": positions, "orders": orders, "initial": positions + orders,
        "maintenance": value * margin.MAINTENANCE_RATIO, "available": exchange.available(),
    }  # fmt: skip


def _asset(totals: dict[str, Decimal], now_ms: int) -> Json:
    text = {name: money(value) for name, value in totals.items()}
    return {
        "asset": "USDT", "walletBalance": text["wallet"], "unrealizedProfit": text["profit"],
        "marginBalance": text["equity"], "maintMargin": text["maintenance"],
        "initialMargin": text["initial"], "positionInitialMargin": text["positions"],
        "openOrderInitialMargin": text["orders"], "crossWalletBalance": text["wallet"],
        "crossUnPnl": text["profit"], "availableBalance": text["available"],
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
        "totalOpenOrderInitialMargin": text["orders"], "totalCrossWalletBalance": text["wallet"],
        "totalCrossUnPnl": text["profit"], "availableBalance": text["available"],
        "maxWithdrawAmount": text["available"], "assets": [_asset(totals, now_ms)],
        "positions": [_account_position(exchange, one) for one in margin.held(exchange.books)],
    }  # fmt: skip


def _account_position(exchange: PaperExchange, one: Position) -> Json:
    price = exchange.last_price(one.symbol)
    initial = margin.position_margin(exchange.books, one, exchange.last_price)
    value = one.quantity * price
    return {
        "symbol": one.symbol, "positionSide": one.position_side.value,
        "positionAmt": number(one.quantity), "unrealizedProfit": money(one.unrealized(price)),
        "isolatedMargin": "0", "notional": money(value), "isolatedWallet": "0",
        "initialMargin": money(initial),
        "maintMargin": money(abs(value) * margin.MAINTENANCE_RATIO), "updateTime": one.updated_ms,
    }  # fmt: skip


def balance(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v2/balance``."""
    now_ms = exchange.advance()
    text = {name: money(value) for name, value in _totals(exchange).items()}
    return [{
        "accountAlias": "paper", "asset": "USDT", "balance": text["wallet"],
        "crossWalletBalance": text["wallet"], "crossUnPnl": text["profit"],
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
    """Liquidation is not simulated: its price is the one where the whole wallet would be gone."""
    price, books = exchange.last_price(one.symbol), exchange.books
    value = one.quantity * price
    initial = margin.position_margin(books, one, exchange.last_price)
    liquidation = max(one.entry_price - books.account.wallet / one.quantity, ZERO)
    tick = exchange.instrument(one.symbol).tick
    return {
        "symbol": one.symbol, "positionSide": one.position_side.value,
        "positionAmt": number(one.quantity), "entryPrice": number(round(one.entry_price, 8)),
        "breakEvenPrice": number(round(one.entry_price, 8)), "markPrice": number(price),
        "unRealizedProfit": money(one.unrealized(price)),
        "liquidationPrice": number(liquidation // tick * tick), "isolatedMargin": "0",
        "notional": money(value), "marginAsset": "USDT", "isolatedWallet": "0",
        "initialMargin": money(initial), "positionInitialMargin": money(initial),
        "maintMargin": money(abs(value) * margin.MAINTENANCE_RATIO), "openOrderInitialMargin": "0",
        "adl": 0, "bidNotional": "0", "askNotional": "0", "updateTime": one.updated_ms,
    }  # fmt: skip


def leverage_bracket(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/leverageBracket``."""
    rows = [
        {"bracket": number_, "initialLeverage": most, "notionalCap": cap, "notionalFloor": floor,
         "maintMarginRatio": float(ratio), "cum": cum}
        for number_, most, floor, cap, ratio, cum in _BRACKETS
    ]  # fmt: skip
    if given.has("symbol"):
        return [{"symbol": exchange.instrument(given.text("symbol")).symbol, "brackets": rows}]
    return [{"symbol": symbol, "brackets": rows} for symbol in exchange.quotes.instruments]


def symbol_config(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/symbolConfig``."""
    wanted = [given.text("symbol")] if given.has("symbol") else list(exchange.quotes.instruments)
    rows = []
    for symbol in wanted:
        config = exchange.books.config(exchange.instrument(symbol).symbol)
        rows.append({
            "symbol": symbol, "marginType": "ISOLATED" if config.isolated else "CROSSED",
            "isAutoAddMargin": False, "leverage": config.leverage, "maxNotionalValue": "30000000",
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
    return {"leverage": config.leverage, "maxNotionalValue": "30000000", "symbol": symbol}


def set_margin_type(exchange: PaperExchange, given: Parameters) -> Json:
    """Booked and shown; margin itself is computed as cross in both modes."""
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


def income(exchange: PaperExchange, given: Parameters) -> Json:
    """Realized profit and commission of each fill, oldest first."""
    symbol, kind = given.text("symbol", ""), given.text("incomeType", "")
    start, end = given.integer("startTime", 0), given.integer("endTime", exchange.now_ms())
    rows = [
        row
        for one in exchange.books.fills
        if symbol in ("", one.symbol) and start <= one.time_ms <= end
        for row in _incomes(one)
        if kind in ("", row["incomeType"])
    ]
    return rows[-given.integer("limit", 100) :]


def _incomes(one: Fill) -> list[Json]:
    amounts = (("REALIZED_PNL", one.realized), ("COMMISSION", -one.fee))
    return [
        {"symbol": one.symbol, "incomeType": kind, "income": money(amount), "asset": "USDT",
         "info": str(one.trade_id), "time": one.time_ms, "tranId": one.trade_id,
         "tradeId": str(one.trade_id)}
        for kind, amount in amounts
        if amount
    ]  # fmt: skip
