"""Account routes: balance and positions."""

from decimal import Decimal

from local.paper.core import margin
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, Position
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
