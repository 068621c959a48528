"""Account routes: balance, positions, modes, leverage, fees, rights of the key."""

from decimal import Decimal

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, Position, PositionSide
from local.paper.venues.bybit import errors, shapes
from local.paper.venues.bybit.order_shapes import INDEX
from local.paper.venues.bybit.parameters import Parameters, check_category
from local.paper.venues.bybit.position_stops import KINDS, standing
from local.paper.venues.bybit.shapes import Json, money, number

_MARGINS = {True: "ISOLATED_MARGIN", False: "REGULAR_MARGIN"}
_HEDGE = 3


def is_isolated(exchange: PaperExchange) -> bool:
    """The margin mode belongs to the whole account: all symbols have the same."""
    return any(one.isolated for one in exchange.books.configs.values())


def wallet(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/account/wallet-balance``."""
    if given.text("accountType") != "UNIFIED":
        raise errors.VenueError(10001, "accountType only support UNIFIED.")
    exchange.advance()
    return {"list": [account_row(exchange)]}


def account_row(exchange: PaperExchange) -> Json:
    """The account as the wallet route and the wallet stream print it; isolated, it has no sums."""
    books, price = exchange.books, exchange.mark_price
    profit, balance = margin.unrealized(books, price), books.account.wallet
    positions, orders = margin.positions_margin(books, price), margin.orders_margin(books)
    kept = sum((exchange.maintenance_margin(one) for one in margin.held(books)), ZERO)
    equity = balance + profit
    isolated = is_isolated(exchange)
    totals = {
        "totalMarginBalance": equity, "totalAvailableBalance": exchange.available(),
        "totalInitialMargin": positions + orders, "totalMaintenanceMargin": kept,
    }  # fmt: skip
    rates = {"accountIMRate": positions + orders, "accountMMRate": kept}
    return {
        "accountType": "UNIFIED", "accountLTV": "0", "totalEquity": money(equity),
        "totalWalletBalance": money(balance), "totalPerpUPL": money(profit),
        **{name: "" if isolated else money(value) for name, value in totals.items()},
        **{name: "" if isolated else _share(value, equity) for name, value in rates.items()},
        "coin": [{
            "coin": "USDT", "equity": money(equity), "usdValue": money(equity),
            "walletBalance": money(balance), "free": "", "locked": "0", "spotHedgingQty": "0",
            "borrowAmount": "0", "availableToWithdraw": "", "availableToBorrow": "",
            "accruedInterest": "0", "totalOrderIM": money(orders),
            "totalPositionIM": money(positions), "totalPositionMM": money(kept),
            "unrealisedPnl": money(profit), "cumRealisedPnl": "0", "bonus": "0",
            "collateralSwitch": True, "marginCollateral": True, "spotBorrow": "0",
        }],
    }  # fmt: skip


def positions(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/position/list``: of a symbol also the flat ones, which tell its mode."""
    exchange.advance()
    if given.has("symbol"):
        symbol = exchange.instrument(given.text("symbol")).symbol
        hedge = exchange.books.account.hedge_mode
        sides = (PositionSide.LONG, PositionSide.SHORT) if hedge else (PositionSide.BOTH,)
        found = [exchange.books.position(symbol, side) for side in sides]
    else:
        given.choice("settleCoin", ("USDT",))
        found = margin.held(exchange.books)

    def shape(one: Position) -> Json:
        return position_row(exchange, one)

    return {"category": "linear", **shapes.page(found, given, shape, default=20, most=200)}


def position_row(exchange: PaperExchange, one: Position) -> Json:
    """A position as the list and the stream print it; a flat one has neither side nor prices."""
    price, books = exchange.mark_price(one.symbol), exchange.books
    value = abs(one.quantity) * one.entry_price
    initial = margin.position_margin(books, one, exchange.mark_price)
    kept = exchange.maintenance_margin(one) if one.quantity else ZERO
    liquidation = exchange.liquidation_price(one) if one.quantity else ZERO
    held = bool(one.quantity)
    return {
        "positionIdx": INDEX[one.position_side], "riskId": 1, "riskLimitValue": "30000000",
        "symbol": one.symbol, "side": _side(one), "size": number(abs(one.quantity) or ZERO),
        "avgPrice": number(round(one.entry_price, 8)) if held else "0",
        "positionValue": money(value) if held else "", "tradeMode": 0, "autoAddMargin": 0,
        "positionStatus": "Normal", "leverage": str(books.config(one.symbol).leverage),
        "markPrice": number(price), "liqPrice": number(liquidation) if liquidation else "",
        "bustPrice": "", "positionIM": money(initial) if held else "",
        "positionMM": money(kept) if held else "", "positionIMByMp": money(initial) if held else "",
        "positionMMByMp": money(kept) if held else "",
        "positionBalance": money(one.margin or initial) if held else "0",
        **_stops(exchange, one), "sessionAvgPrice": "", "tpslMode": "Full",
        "unrealisedPnl": money(one.unrealized(price)) if held else "",
        "curRealisedPnl": money(one.realized), "cumRealisedPnl": money(one.realized),
        "adlRankIndicator": 0, "createdTime": str(one.updated_ms),
        "updatedTime": str(one.updated_ms), "seq": books.account.next_id, "isReduceOnly": False,
        "mmrSysUpdatedTime": "", "leverageSysUpdatedTime": "",
    }  # fmt: skip


def info(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/account/info`` of a unified account."""
    return {
        "unifiedMarginStatus": 6, "marginMode": _MARGINS[is_isolated(exchange)],
        "isMasterTrader": False, "spotHedgingStatus": "OFF", "dcpStatus": "OFF", "timeWindow": 10,
        "smpGroup": 0, "updatedTime": str(exchange.books.account.processed_ms),
    }  # fmt: skip


def set_margin_mode(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/account/set-margin-mode``; what is so already is no error."""
    names = {name: isolated for isolated, name in _MARGINS.items()}
    isolated = names[given.choice("setMarginMode", names)]
    exchange.advance()
    if isolated == is_isolated(exchange):
        return {"reasons": []}
    if margin.held(exchange.books):
        raise errors.VenueError(*errors.MARGIN_MODE_FAILED)
    for symbol in exchange.quotes.instruments:
        modes.set_isolated(exchange.books, symbol, isolated=isolated)
    return {"reasons": []}


def switch_mode(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/position/switch-mode``: whatever it names, the whole account switches here."""
    check_category(given)
    if given.has("symbol"):
        exchange.instrument(given.text("symbol"))
    elif given.text("coin") != "USDT":
        raise errors.bad("coin must be USDT")
    mode = given.integer("mode")
    if mode not in (0, _HEDGE):
        raise errors.bad("mode must be 0 or 3")
    exchange.advance()
    modes.set_hedge_mode(exchange.books, hedge_mode=mode == _HEDGE)
    return {}


def set_leverage(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/position/set-leverage``: the same for both sides, whole numbers only."""
    check_category(given)
    symbol = exchange.instrument(given.text("symbol")).symbol
    long, short = given.decimal("buyLeverage"), given.decimal("sellLeverage")
    if long != short or long % 1:
        raise errors.bad("buyLeverage must equal sellLeverage, a whole number")
    exchange.advance()
    if exchange.books.config(symbol).leverage == long:
        raise errors.VenueError(*errors.LEVERAGE_UNCHANGED)
    modes.set_leverage(exchange.books, symbol, int(long))
    return {}


def fee_rate(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/account/fee-rate``."""
    check_category(given)
    wanted = [given.text("symbol")] if given.has("symbol") else exchange.quotes.instruments
    return {
        "list": [
            {
                "symbol": exchange.instrument(symbol).symbol,
                "takerFeeRate": number(margin.TAKER_FEE),
                "makerFeeRate": number(margin.MAKER_FEE),
            }
            for symbol in wanted
        ]
    }


def query_api(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/user/query-api``: what the key may do, and from where."""
    key = exchange.scripts.key
    return {
        "id": "1", "note": "paper", "apiKey": "", "readOnly": int(not key.can_trade), "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"], "Spot": [],
            "Wallet": ["Withdraw"] if key.can_withdraw else [], "Options": [],
            "Derivatives": ["DerivativesTrade"], "CopyTrading": [], "BlockTrade": [],
            "Exchange": [], "NFT": [], "Affiliate": [], "Earn": [],
        },
        "ips": ["127.0.0.1"] if key.is_address_bound else ["*"],
        "type": 1, "deadlineDay": 83, "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2024-01-01T00:00:00Z", "unified": 0, "uta": 1, "userID": 1, "inviterID": 0,
        "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "",
        "isMaster": True, "parentUid": "0", "kycLevel": "LEVEL_DEFAULT", "kycRegion": "",
    }  # fmt: skip


def coins(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/asset/coin/query-info``: the one coin, which goes nowhere."""
    return {"rows": [{"name": "USDT", "coin": "USDT", "remainAmount": "0", "chains": []}]}


def _stops(exchange: PaperExchange, position: Position) -> Json:
    """Stop loss, take profit and trailing distance that are kept with a position."""
    found = {name: standing(exchange, position, name) for name in KINDS}
    prices = {
        name: [one.callback_distance or one.trigger_price for one in found[name]] for name in found
    }
    none = {"trailingStop": "0"}
    return {
        name: number(values[0]) if values else none.get(name, "") for name, values in prices.items()
    }


def _side(one: Position) -> str:
    if not one.quantity:
        return ""
    return "Buy" if one.quantity > 0 else "Sell"


def _share(value: Decimal, equity: Decimal) -> str:
    return f"{value / equity:.4f}" if equity else "0"
