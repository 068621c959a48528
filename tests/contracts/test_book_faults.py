"""What happens to an account from outside, as a client of the venue sees it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest
from tests.served_venue import ServedVenue, served

BTC, BTCUSDT = "BTC/USDT:USDT", "BTCUSDT"
PLACE, CANCEL_STOP = "POST /fapi/v1/order", "DELETE /fapi/v1/algoOrder"


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[ServedVenue]:
    async with served(tmp_path) as made:
        yield made


async def buy(client: Any, amount: float = 0.1) -> Any:
    return await client.create_order(BTC, "market", "buy", amount)


async def stop_at(client: Any, price: float) -> Any:
    more = {"stopLossPrice": price, "reduceOnly": True}
    return await client.create_order(BTC, "market", "sell", 0.1, params=more)


async def last_price(client: Any) -> float:
    return float((await client.fetch_ticker(BTC))["last"])


async def held(client: Any) -> float:
    found = await client.fetch_positions()
    return float(sum(one["contracts"] * (1 if one["side"] == "long" else -1) for one in found))


async def waiting(client: Any) -> int:
    return len(await client.fetch_open_orders(BTC, params={"trigger": True}))


@pytest.mark.parametrize(("side", "expected"), [("BUY", 0.3), ("SELL", -0.1)])
async def test_somebody_else_trades_on_the_account(
    venue: ServedVenue, client: Any, side: str, expected: float
) -> None:
    await buy(client)

    told = await venue.now("external_trade", symbol=BTCUSDT, side=side, quantity="0.2")

    assert told.startswith(f"{side} 0.2")
    assert await held(client) == pytest.approx(expected)
    strangers = [one["clientOrderId"] for one in await client.fetch_orders(BTC)]
    assert strangers[-1].startswith("web_")


async def test_somebody_else_closes_a_position(venue: ServedVenue, client: Any) -> None:
    await buy(client)

    assert await venue.now("external_close", symbol=BTCUSDT) == "closed 1 positions"

    assert await held(client) == 0
    assert (await client.fetch_orders(BTC))[-1]["reduceOnly"] is True


async def test_somebody_else_cancels_the_stop(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    await stop_at(client, await last_price(client) * 0.9)

    told = await venue.now("external_cancel", symbol=BTCUSDT, what="algos")

    assert told == "cancelled 1 orders"
    assert await waiting(client) == 0


async def test_a_position_is_liquidated_with_what_waited_for_it(
    venue: ServedVenue, client: Any
) -> None:
    await buy(client)
    await stop_at(client, await last_price(client) * 0.9)

    assert await venue.now("liquidate", symbol=BTCUSDT) == "liquidated 1 positions"

    assert (await held(client), await waiting(client)) == (0, 0)
    forced = (await client.fetch_my_trades(BTC))[-1]
    assert (await client.fetch_orders(BTC))[-1]["clientOrderId"].startswith("autoclose-")
    assert forced["side"] == "sell"


async def test_a_position_is_deleveraged_by_a_share(venue: ServedVenue, client: Any) -> None:
    await buy(client)

    await venue.now("adl", symbol=BTCUSDT, percent=40)

    assert await held(client) == pytest.approx(0.06)
    assert (await client.fetch_orders(BTC))[-1]["clientOrderId"].startswith("adl_autoclose")


async def test_the_mode_is_flipped_only_while_flat(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    assert await venue.now("flip_position_mode") == "refused: open_position"
    await venue.now("external_close", symbol=BTCUSDT)

    assert await venue.now("flip_position_mode") == "hedge mode"

    with pytest.raises(ccxt.ExchangeError, match="-4061"):
        await buy(client)


async def test_somebody_else_changes_the_leverage(venue: ServedVenue, client: Any) -> None:
    await venue.now("change_leverage", symbol=BTCUSDT, leverage=3)

    assert (await client.fetch_leverage(BTC))["longLeverage"] == 3


async def test_filters_change_in_the_middle_of_a_run(venue: ServedVenue, client: Any) -> None:
    await venue.now("change_filters", symbol=BTCUSDT, step="0.01", min_notional="500")

    with pytest.raises(ccxt.BadRequest, match="-1111"):
        await buy(client, 0.013)
    await client.load_markets(True)

    market = client.market(BTC)
    assert (market["precision"]["amount"], market["limits"]["cost"]["min"]) == (0.01, 500)
    await buy(client, 0.01)


async def test_all_conditional_orders_fire_in_one_instant(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    price = await last_price(client)
    await stop_at(client, price * 0.9)
    target = {"takeProfitPrice": price * 1.1, "reduceOnly": True}
    await client.create_order(BTC, "market", "sell", 0.1, params=target)

    assert await venue.now("fire_conditionals", symbol=BTCUSDT) == "fired 2 orders"

    assert (await held(client), await waiting(client)) == (0, 0)


async def test_a_cancel_races_the_stop_it_is_for_and_loses(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    stop = await stop_at(client, await last_price(client) * 0.9)
    rule = {"fault": "fire_conditionals", "route": CANCEL_STOP, "with": {"symbol": BTCUSDT}}
    await venue.rules(rule)

    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await client.cancel_order(stop["id"], BTC, {"trigger": True})

    assert await held(client) == 0


async def test_a_conditional_order_is_refused_as_it_fires(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    stop = await stop_at(client, await last_price(client) * 0.9)
    await venue.now("refuse_triggered", symbol=BTCUSDT)

    await venue.now("fire_conditionals", symbol=BTCUSDT)

    found = await client.fetch_order(stop["id"], BTC, {"trigger": True})
    assert found["info"]["algoStatus"] == "REJECTED"
    assert await held(client) == pytest.approx(0.1)


@pytest.mark.parametrize(("rate", "sign"), [(0.001, -1), (-0.001, 1)])
async def test_funding_is_paid_or_got_at_its_rate(
    venue: ServedVenue, client: Any, rate: float, sign: int
) -> None:
    await buy(client)

    await venue.now("charge_funding", rate=rate)

    (paid,) = await client.fetch_funding_history(BTC)
    value = 0.1 * await last_price(client)
    assert paid["amount"] == pytest.approx(sign * value * 0.001, rel=1e-3)


async def test_the_nth_order_fills_in_parts(venue: ServedVenue, client: Any) -> None:
    schedule = [[40, 0], [60, 150]]
    await venue.rules({"fault": "partial_fill", "nth": 2, "with": {"schedule": schedule}})

    await buy(client)
    second = await buy(client)
    partly = await held(client)

    assert second["filled"] == pytest.approx(0.04)
    assert partly == pytest.approx(0.14)
    while await held(client) < 0.2:
        pass
    order = await client.fetch_order(second["id"], BTC)
    assert order["status"] == "closed"
    fills = await client.fetch_my_trades(BTC, params={"orderId": second["id"]})
    assert [one["amount"] for one in fills] == [0.04, 0.06]


async def test_a_thin_book_lets_an_order_slip(venue: ServedVenue, client: Any) -> None:
    fair = (await buy(client))["average"]

    await venue.now("slippage", symbol=BTCUSDT, liquidity=0.001)

    assert (await buy(client))["average"] > fair * 1.0001


async def test_the_mark_price_can_stand_off_from_the_last(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    await venue.now("shift_mark", symbol=BTCUSDT, percent=-2)

    (position,) = await client.fetch_positions()

    assert position["markPrice"] == pytest.approx(await last_price(client) * 0.98, rel=1e-4)


async def test_clearing_the_plan_calms_the_book_too(venue: ServedVenue, client: Any) -> None:
    fair = (await buy(client))["average"]
    await venue.now("slippage", symbol=BTCUSDT, liquidity=0.001)
    await venue.control("DELETE", "/faults")

    assert (await buy(client))["average"] == fair


async def test_a_moment_follows_the_request_it_is_tied_to(venue: ServedVenue, client: Any) -> None:
    await venue.rules(
        {"fault": "external_close", "route": PLACE, "nth": 2, "with": {"symbol": BTCUSDT}}
    )

    first = await buy(client), await held(client)
    second = await buy(client), await held(client)

    assert (first[1], second[0]["filled"], second[1]) == (0.1, 0.1, 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"fault": "abort"}, "fault='abort' must be of the books, or one of close"),
        ({"fault": "drop"}, "fault='drop' must be of the books, or one of close"),
        ({"fault": "liquidate"}, "symbol=None must be text"),
        (
            {"fault": "change_filters", "with": {"symbol": BTCUSDT, "step": "x"}},
            "step='x' must be text of a decimal number above 0",
        ),
        (
            {"fault": "partial_fill", "with": {"schedule": [[120, 0]]}},
            "must be list of [percent, after ms]",
        ),
    ],
)
async def test_what_cannot_be_done_at_once_is_refused_in_words(
    venue: ServedVenue, body: dict[str, Any], words: str
) -> None:
    status, told = await venue.control("POST", "/faults/now", **body)

    assert status == 400
    assert words in told["error"]


async def test_what_the_exchange_itself_refuses_is_told(venue: ServedVenue) -> None:
    assert await venue.now("liquidate", symbol="NOUSDT") == "refused: unknown_symbol"
