"""An unmodified ccxt.pro client of Binance USD-M on its paper wire: depth, margin, funding, force.

What a client sees of orders in plain markets is told by the wire script of the end-to-end tests.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest
from tests.served_venue import ServedVenue, served

from local.paper.market.depth import IDS_A_SLOT, SLOT_MS

BTC, SYMBOL = "BTC/USDT:USDT", "BTCUSDT"
SIDES = ("bids", "asks")
Sides = tuple[list[list[float]], ...]
BOTH_SIDES = pytest.mark.parametrize(("opens", "sign"), [("buy", 1), ("sell", -1)])


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[ServedVenue]:
    async with served(tmp_path) as made:
        yield made


async def watched(client: Any, *names: str) -> list[asyncio.Task[Any]]:
    """Watch the account; returns once its line is up, so that nothing is missed."""
    tasks = [asyncio.create_task(getattr(client, name)()) for name in names]
    async with asyncio.timeout(10):
        while not any("/private/" in url for url in client.clients):
            await asyncio.sleep(0.01)
        line = next(one for url, one in client.clients.items() if "/private/" in url)
        await line.connected
    return tasks


def the_venues_book(venue: ServedVenue, nonce: int) -> Sides:
    """What the venue's book held at an update, as a client prints it."""
    one = venue.exchange.instrument(SYMBOL)
    there = venue.exchange.quotes.book(SYMBOL, nonce // IDS_A_SLOT * SLOT_MS)
    return tuple(
        [[float(one.price(ticks)), float(one.quantity(steps))] for ticks, steps in side]
        for side in (there.bids, there.asks)
    )


async def test_the_book_a_client_builds_of_changes_is_the_book_of_the_venue(
    venue: ServedVenue, client: Any
) -> None:
    built: dict[int, Sides] = {}
    async with asyncio.timeout(20):
        for _ in range(25):
            book = await client.watch_order_book(BTC)
            built[book["nonce"]] = tuple([list(row) for row in book[side]] for side in SIDES)
    asked = await client.fetch_order_book(BTC)

    steps = sorted(built)
    assert len(steps) > 20
    assert built[steps[0]] != built[steps[-1]]
    for nonce in steps:
        assert built[nonce] == the_venues_book(venue, nonce)
    assert asked["nonce"] >= steps[-1]


@BOTH_SIDES
async def test_an_order_larger_than_the_book_is_expired_with_what_it_got(
    venue: ServedVenue, client: Any, opens: str, sign: int
) -> None:
    venue.exchange.scripts.set_liquidity(SYMBOL, Decimal("0.001"))
    orders, trades = await watched(client, "watch_orders", "watch_my_trades")

    order = await client.create_order(BTC, "market", opens, 1.0)
    fills = await client.fetch_my_trades(BTC)
    await asyncio.wait([orders, trades], timeout=10)
    held = await client.fetch_positions([BTC])

    assert order["status"] == "expired"
    assert 0 < order["filled"] < 1
    assert sum(each["amount"] for each in fills) == pytest.approx(order["filled"])
    prices = [each["price"] for each in sorted(fills, key=lambda each: int(each["id"]))]
    assert sign * (prices[-1] - prices[0]) > 0
    assert (held[0]["side"], held[0]["contracts"]) == (
        "long" if sign > 0 else "short",
        pytest.approx(order["filled"]),
    )


@BOTH_SIDES
async def test_an_isolated_position_has_its_own_margin(client: Any, opens: str, sign: int) -> None:
    await client.set_margin_mode("isolated", BTC)
    await client.set_leverage(20, BTC)
    order = await client.create_order(BTC, "market", opens, 0.1)
    (before,) = await client.fetch_positions([BTC])
    balance = await client.fetch_balance()
    await client.add_margin(BTC, 100)
    (after,) = await client.fetch_positions([BTC])

    value = 0.1 * order["average"]
    assert before["marginMode"] == "isolated"
    assert before["initialMargin"] == pytest.approx(value / 20, rel=1e-3)
    assert before["collateral"] == pytest.approx(value / 20, rel=2e-2)
    assert before["maintenanceMargin"] == pytest.approx(value * 0.004, rel=1e-3)
    assert after["collateral"] == pytest.approx(before["collateral"] + 100, abs=1)
    gaps = [sign * (each["markPrice"] - each["liquidationPrice"]) for each in (before, after)]
    assert 0 < gaps[0] < gaps[1]
    assert balance["USDT"]["free"] == pytest.approx(
        balance["USDT"]["total"] - value / 20, abs=1
    )  # fmt: skip


@BOTH_SIDES
async def test_funding_is_announced_settled_and_listed(
    venue: ServedVenue, client: Any, opens: str, sign: int
) -> None:
    announced = await client.fetch_funding_rate(BTC)
    rates = await client.fetch_funding_rate_history(BTC, limit=4)
    await client.create_order(BTC, "market", opens, 0.1)
    await venue.now("charge_funding", symbol=SYMBOL, rate=0.0002)
    paid = await client.fetch_funding_history(BTC)
    ledger = await client.fetch_ledger("USDT")

    assert abs(announced["fundingRate"]) <= 0.0003
    assert announced["fundingTimestamp"] % 28_800_000 == 0
    assert [each["timestamp"] % 28_800_000 for each in rates] == [0] * 4
    mark = announced["markPrice"]
    assert [each["amount"] for each in paid] == [
        pytest.approx(-sign * 0.1 * mark * 0.0002, rel=1e-6)
    ]
    assert paid[0]["code"] == "USDT"
    assert {each["info"]["incomeType"] for each in ledger} == {"FUNDING_FEE", "COMMISSION"}


@BOTH_SIDES
async def test_a_liquidation_is_seen_by_stream_orders_trades_and_incomes(
    venue: ServedVenue, client: Any, opens: str, sign: int
) -> None:
    await client.create_order(BTC, "market", opens, 0.1)
    rest = await client.create_order(BTC, "limit", opens, 0.1, 50_000 if sign > 0 else 200_000)
    (orders,) = await watched(client, "watch_orders")

    await venue.now("liquidate", symbol=SYMBOL)
    await asyncio.wait_for(orders, 10)
    forced = await client.fetch_my_liquidations(BTC)
    order = await client.fetch_order(forced[0]["info"]["orderId"], BTC)
    trades = await client.fetch_my_trades(BTC)
    ended = await client.fetch_order(rest["id"], BTC)

    assert await client.fetch_positions([BTC]) == []
    assert ended["status"] == "expired"
    assert order["clientOrderId"].startswith("autoclose-")
    assert (order["status"], order["filled"]) == ("closed", 0.1)
    assert trades[-1]["order"] == order["id"]
    incomes = await client.fapiPrivateGetIncome({"incomeType": "INSURANCE_CLEAR"})
    assert [float(each["income"]) < 0 for each in incomes] == [True]


async def test_the_key_tells_what_it_may_do(venue: ServedVenue, client: Any) -> None:
    first = await client.sapiGetAccountApiRestrictions()
    await venue.now("change_key", can_trade="no", can_withdraw="yes", is_address_bound="no")
    second = await client.sapiGetAccountApiRestrictions()

    rights = ("enableFutures", "enableWithdrawals", "ipRestrict")
    assert [first[name] for name in rights] == [True, False, True]
    assert [second[name] for name in rights] == [False, True, False]
    with pytest.raises(ccxt.AuthenticationError):
        await client.create_order(BTC, "market", "buy", 0.1)
