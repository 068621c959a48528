"""Binance's paper answers carry what real ones carry.

Public answers are held against recorded ones, private ones against the keys that Binance documents.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.wires.binance_desk import Desk
from tests.wires.scripted import BTC, D, a_limit_order, a_market_order, an_algo

from local.paper.core.records import OrderSide
from local.paper.wire import Request

RESPONSES = Path(__file__).parents[3] / "shared/data/venue_responses/binance"
COIN_MARGINED_ONLY = {"contractStatus", "contractSize", "equalQtyPrecision"}
SPOT_TICKER_ONLY = {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"}
SPOT_TRADE_ONLY = {"M"}

ORDER = (
    "avgPrice clientOrderId cumQuote executedQty orderId origQty origType price reduceOnly side"
    " positionSide status stopPrice closePosition symbol time timeInForce type updateTime"
    " workingType priceProtect priceMatch selfTradePreventionMode goodTillDate"
)
PRIVATE = {
    "/fapi/v1/openOrders": ORDER,
    "/fapi/v1/allOrders": ORDER,
    "/fapi/v1/forceOrders": ORDER,
    "/fapi/v1/userTrades": (
        "buyer commission commissionAsset id maker orderId price qty quoteQty realizedPnl side"
        " positionSide symbol time"
    ),
    "/fapi/v1/income": "symbol incomeType income asset info time tranId tradeId",
    "/fapi/v3/positionRisk": (
        "symbol positionSide positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit"
        " liquidationPrice isolatedMargin notional marginAsset isolatedWallet initialMargin"
        " maintMargin positionInitialMargin openOrderInitialMargin adl bidNotional askNotional"
        " updateTime"
    ),
    "/fapi/v3/account": (
        "totalInitialMargin totalMaintMargin totalWalletBalance totalUnrealizedProfit"
        " totalMarginBalance totalPositionInitialMargin totalOpenOrderInitialMargin"
        " totalCrossWalletBalance totalCrossUnPnl availableBalance maxWithdrawAmount assets"
        " positions"
    ),
    "/fapi/v3/balance": (
        "accountAlias asset balance crossWalletBalance crossUnPnl availableBalance"
        " maxWithdrawAmount marginAvailable updateTime"
    ),
    "/fapi/v1/leverageBracket": "symbol brackets",
    "/fapi/v1/symbolConfig": "symbol marginType isAutoAddMargin leverage maxNotionalValue",
    "/fapi/v1/commissionRate": "symbol makerCommissionRate takerCommissionRate",
    "/fapi/v1/openAlgoOrders": (
        "algoId clientAlgoId algoType orderType symbol side positionSide timeInForce quantity"
        " algoStatus actualOrderId triggerPrice price workingType closePosition reduceOnly"
        " createTime updateTime triggerTime goodTillDate"
    ),
    "/sapi/v1/account/apiRestrictions": (
        "ipRestrict createTime enableReading enableWithdrawals enableInternalTransfer enableMargin"
        " enableFutures permitsUniversalTransfer enableVanillaOptions enableSpotAndMarginTrading"
    ),
}
PUBLIC = {
    "/fapi/v1/premiumIndex": (
        "symbol markPrice indexPrice estimatedSettlePrice lastFundingRate interestRate"
        " nextFundingTime time"
    ),
    "/fapi/v1/fundingRate": "symbol fundingRate fundingTime markPrice",
    "/fapi/v1/ticker/bookTicker": "symbol bidPrice bidQty askPrice askQty time lastUpdateId",
    "/fapi/v1/depth": "lastUpdateId E T bids asks",
}
FRAMES = {
    "ORDER_TRADE_UPDATE": "e E T o",
    "ACCOUNT_UPDATE": "e E T a",
}
OF_AN_ORDER = (
    "s c S o f q p ap sp x X i l z L n N T t b a m R wt ot ps cp rp pP si ss V pm gtd er"
)  # fmt: skip
OF_A_POSITION = "s pa ep bep cr up mt iw ps"
OF_A_BALANCE = "a wb cw bc"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An account that has something of everything."""
    made = Desk(tmp_path, 100_000, second=0)
    exchange = made.stage.exchange
    exchange.place_order(a_market_order(OrderSide.BUY, "0.2"))
    exchange.liquidate(BTC)
    exchange.place_order(a_market_order(OrderSide.SELL, "0.1"))
    exchange.charge_funding(BTC, D("0.0001"))
    exchange.place_order(a_limit_order(OrderSide.SELL, 110_000))
    exchange.place_algo(an_algo(OrderSide.BUY, "STOP_MARKET", trigger_price=D(120_000)))
    return made


def recorded(name: str) -> Any:
    if not RESPONSES.is_dir():
        pytest.skip(f"no recorded venue responses at {RESPONSES}")
    return json.loads((RESPONSES / name).read_text())["http_response"]


def public(desk: Desk, path: str, query: str = "") -> Any:
    return desk.wire.answer(Request(method="GET", path=path, query=query)).body


@pytest.mark.parametrize("path", PRIVATE)
def test_private_answers_carry_the_documented_keys(desk: Desk, path: str) -> None:
    given = {"symbol": BTC} if path in ("/fapi/v1/allOrders", "/fapi/v1/commissionRate") else {}

    answer = desk.signed("GET", path, **given)

    assert answer.status == 200
    rows = answer.body if isinstance(answer.body, list) else [answer.body]
    assert rows
    for row in rows:
        assert set(PRIVATE[path].split()) <= set(row)


@pytest.mark.parametrize("path", PUBLIC)
def test_public_answers_carry_the_documented_keys(desk: Desk, path: str) -> None:
    body = public(desk, path, f"symbol={BTC}")

    for row in body if isinstance(body, list) else [body]:
        assert set(PUBLIC[path].split()) <= set(row)


def test_public_answers_carry_the_recorded_keys(desk: Desk) -> None:
    listing = public(desk, "/fapi/v1/exchangeInfo")
    wanted = recorded("fetch_markets.json")
    assert set(wanted) <= set(listing)
    assert set(wanted["symbols"][0]) - COIN_MARGINED_ONLY <= set(listing["symbols"][0])
    filters = {one["filterType"]: set(one) for one in listing["symbols"][0]["filters"]}
    for one in wanted["symbols"][0]["filters"]:
        assert set(one) <= filters[one["filterType"]]
    ticker = public(desk, "/fapi/v1/ticker/24hr", f"symbol={BTC}")
    assert set(recorded("fetch_ticker_BTC_USDT.json")) - SPOT_TICKER_ONLY <= set(ticker)
    trade = public(desk, "/fapi/v1/aggTrades", f"symbol={BTC}")[0]
    assert set(recorded("fetch_trades_BTC_USDT.json")[0]) - SPOT_TRADE_ONLY == set(trade)
    book = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=5")
    real = recorded("fetch_order_book_BTC_USDT.json")
    assert set(real) <= set(book)
    assert [len(row) for row in book["bids"]] == [len(row) for row in real["bids"]]
    candle = public(desk, "/fapi/v1/klines", f"symbol={BTC}&interval=1m")[0]
    assert [type(one) for one in candle] == [
        type(one) for one in recorded("fetch_ohlcv_BTC_USDT.json")[0]
    ]


def test_frames_of_the_account_carry_the_documented_keys(desk: Desk) -> None:
    session = desk.session(f"/ws/{desk.listen_key().body['listenKey']}")
    heard: list[dict[str, Any]] = []
    exchange = desk.stage.exchange
    exchange.books.listener = lambda event: heard.extend(
        json.loads(one) for one in session.told(event)
    )

    exchange.place_order(a_market_order(OrderSide.SELL, "0.1"))
    exchange.charge_funding(BTC, D("0.0001"))
    exchange.liquidate(BTC)

    assert {one["e"] for one in heard} >= set(FRAMES)
    for one in heard:
        assert set(FRAMES.get(one["e"], "e").split()) <= set(one)
        if "o" in one and one["e"] == "ORDER_TRADE_UPDATE":
            assert set(OF_AN_ORDER.split()) <= set(one["o"])
        for balance in one.get("a", {}).get("B", []):
            assert set(OF_A_BALANCE.split()) <= set(balance)
        for position in one.get("a", {}).get("P", []):
            assert set(OF_A_POSITION.split()) <= set(position)
