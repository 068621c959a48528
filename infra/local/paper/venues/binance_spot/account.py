"""Account routes of spot: balances and fees."""

from local.paper.core.exchange import PaperExchange
from local.paper.core.spot_balances import FEE, Balance, base_balance, quote_balance
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance_spot.shapes import balance, eight
from local.paper.wire import Json


def balances(exchange: PaperExchange) -> list[Balance]:
    """USDT and every asset of the market."""
    listed = exchange.quotes.instruments.values()
    return [quote_balance(exchange.books), *(base_balance(exchange.books, one) for one in listed)]


def account(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/account``."""
    now_ms = exchange.advance()
    kept = balances(exchange)
    if given.flag("omitZeroBalances"):
        kept = [one for one in kept if one.total]
    fee, none = eight(FEE), eight(0 * FEE)
    return {
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": {"maker": fee, "taker": fee, "buyer": none, "seller": none},
        "canTrade": True, "canWithdraw": False, "canDeposit": True, "brokered": False,
        "requireSelfTradePrevention": False, "preventSor": False, "updateTime": now_ms,
        "accountType": "SPOT", "balances": [balance(one) for one in kept],
        "permissions": ["SPOT"], "uid": 1,
    }  # fmt: skip


def trade_fee(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /sapi/v1/asset/tradeFee``."""
    wanted = list(exchange.quotes.instruments)
    if given.has("symbol"):
        wanted = [exchange.instrument(given.text("symbol")).symbol]
    fee = str(FEE)
    return [{"symbol": one, "makerCommission": fee, "takerCommission": fee} for one in wanted]


def burning(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /sapi/v1/bnbBurn``."""
    return {"spotBNBBurn": exchange.books.account.burns_bnb, "interestBNBBurn": False}


def set_burning(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /sapi/v1/bnbBurn``: whether fees are taken from the BNB that is held."""
    if given.has("spotBNBBurn"):
        exchange.books.account.burns_bnb = given.flag("spotBNBBurn")
        exchange.books.keep_account()
        exchange.books.commit()
    return burning(exchange, given)
