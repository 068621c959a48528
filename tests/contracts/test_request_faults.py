"""What an unmodified client sees of each fault that strikes a request."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest
from tests.served_venue import KEY, ServedVenue, served

from local.paper.core.records import PositionSide

BTC, BTCUSDT = "BTC/USDT:USDT", "BTCUSDT"
ORDER = "POST /fapi/v1/order"
PRICE = "https://fapi.binance.com/fapi/v1/ticker/price?symbol=BTCUSDT"


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[ServedVenue]:
    async with served(tmp_path) as made:
        yield made


def held(venue: ServedVenue) -> Decimal:
    return venue.exchange.books.position(BTCUSDT, PositionSide.BOTH).quantity


async def buy(client: Any, name: str = "mine") -> Any:
    return await client.create_order(BTC, "market", "buy", 0.01, params={"newClientOrderId": name})


async def refused(venue: ServedVenue, client: Any, rule: dict[str, Any]) -> Exception:
    """The error an order meets under a rule for its route."""
    await venue.rules({"route": ORDER} | rule)
    with pytest.raises(ccxt.BaseError) as raised:
        await buy(client)
    assert await venue.strikes() == [1]
    error: Exception = raised.value
    return error


@pytest.mark.parametrize(
    ("rule", "kind", "words"),
    [
        ({"fault": "rate_limit"}, ccxt.DDoSProtection, "429"),
        ({"fault": "ban"}, ccxt.DDoSProtection, "banned until "),
        ({"fault": "forbidden"}, ccxt.ExchangeNotAvailable, "403 Forbidden"),
        ({"fault": "restricted"}, ccxt.ExchangeNotAvailable, "restricted location"),
        ({"fault": "overloaded"}, ccxt.OperationFailed, "-1008"),
        ({"fault": "maintenance"}, ccxt.OnMaintenance, "maintenance"),
        ({"fault": "revoke_key"}, ccxt.AuthenticationError, "-2015"),
        ({"fault": "reject", "with": {"code": "-2019"}}, ccxt.InsufficientFunds, "-2019"),
        ({"fault": "clock_refused"}, ccxt.InvalidNonce, "-1021"),
        ({"fault": "abort"}, ccxt.ExchangeNotAvailable, ""),
        ({"fault": "skew", "with": {"skew_ms": 30_000}}, ccxt.InvalidNonce, "-1021"),
        ({"fault": "skew", "with": {"skew_ms": -30_000}}, ccxt.InvalidNonce, "-1021"),
    ],
    ids=lambda one: one["fault"] if isinstance(one, dict) else "",
)
async def test_a_fault_that_refuses_leaves_nothing_done(
    venue: ServedVenue, client: Any, rule: dict[str, Any], kind: type[Exception], words: str
) -> None:
    error = await refused(venue, client, rule)

    assert isinstance(error, kind)
    assert words in str(error)
    assert held(venue) == 0


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("internal_error", ccxt.BaseError, "-1001"),
        ("bad_gateway", ccxt.ExchangeNotAvailable, "502 Bad Gateway"),
        ("unknown_result", ccxt.OperationFailed, "-1000"),
        ("timeout", ccxt.RequestTimeout, "-1007"),
    ],
)
@pytest.mark.parametrize("executed", ["yes", "no"])
async def test_an_unclear_answer_may_follow_an_order_that_was_executed(
    venue: ServedVenue,
    client: Any,
    fault: str,
    kind: type[Exception],
    words: str,
    executed: str,
) -> None:
    error = await refused(venue, client, {"fault": fault, "with": {"executed": executed}})

    assert isinstance(error, kind)
    assert words in str(error)
    assert held(venue) == (Decimal("0.01") if executed == "yes" else 0)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"fault": "accept_then_abort"}, ccxt.ExchangeNotAvailable),
        ({"fault": "malformed", "with": {"how": "truncated"}}, ccxt.BaseError),
        ({"fault": "malformed", "with": {"how": "garbage"}}, ccxt.BaseError),
    ],
    ids=["accept_then_abort", "truncated", "garbage"],
)
async def test_an_order_is_live_although_its_answer_is_lost_or_broken(
    venue: ServedVenue, client: Any, rule: dict[str, Any], kind: type[Exception]
) -> None:
    await venue.rules({"route": ORDER} | rule)
    try:
        answer = await buy(client)
    except kind:
        answer = None  # ccxt lets some broken answers pass as empty orders

    assert answer is None or answer["id"] is None
    assert held(venue) == Decimal("0.01")


@pytest.mark.parametrize("how", ["empty", "other_shape"])
async def test_an_answer_of_another_shape_reaches_the_client_as_it_is(
    venue: ServedVenue, how: str
) -> None:
    await venue.rules({"fault": "malformed", "with": {"how": how}})

    async with venue.session().get(PRICE) as answer:
        text = await answer.text()

    assert text == {"empty": " ", "other_shape": '["unexpected"]'}[how]


@pytest.mark.parametrize(("fault", "done"), [("accept_then_hang", "0.01"), ("hang", "0")])
async def test_a_hanging_request_ends_with_the_clients_own_patience(
    venue: ServedVenue, client: Any, fault: str, done: str
) -> None:
    client.timeout = 200

    error = await refused(venue, client, {"fault": fault})

    assert isinstance(error, ccxt.RequestTimeout)
    assert held(venue) == Decimal(done)


async def test_a_late_request_is_executed_after_the_client_gave_up(
    venue: ServedVenue, client: Any
) -> None:
    client.timeout = 100

    error = await refused(venue, client, {"fault": "delay", "with": {"request_ms": 200}})
    before = held(venue)
    async with asyncio.timeout(5):
        while not held(venue):
            await asyncio.sleep(0.01)

    assert isinstance(error, ccxt.RequestTimeout)
    assert before == 0


async def test_a_late_answer_takes_its_time(venue: ServedVenue, client: Any) -> None:
    await venue.rules({"fault": "delay", "route": ORDER, "with": {"answer_ms": 150}})

    started = time.monotonic()
    await buy(client)

    assert time.monotonic() - started >= 0.15


async def test_a_limit_says_for_how_long_in_a_header(venue: ServedVenue) -> None:
    await venue.rules({"fault": "rate_limit", "with": {"retry_after_ms": 2_500}})

    async with venue.session().get(PRICE) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "3")


async def test_a_ban_is_counted_against_who_does_not_keep_silence(venue: ServedVenue) -> None:
    await venue.rules({"fault": "ban", "nth": 1, "with": {"for_ms": 60_000}})
    session = venue.session()

    for _ in range(3):
        async with session.get(PRICE) as answer:
            assert answer.status == 418

    _, told = await venue.control("GET", "/faults")
    assert (told["rules"][0]["strikes"], told["rules"][0]["while_lasting"]) == (1, 2)


async def test_an_order_is_found_only_after_so_many_times(venue: ServedVenue, client: Any) -> None:
    await buy(client, "mine")
    await buy(client, "other")
    await venue.rules({"fault": "not_found_for", "with": {"times": 2}})

    async def find(name: str) -> Any:
        return await client.fetch_order(None, BTC, {"origClientOrderId": name})

    for name in ("mine", "mine", "other"):
        with pytest.raises(ccxt.OrderNotFound):
            await find(name)
    assert (await find("mine"))["clientOrderId"] == "mine"


async def test_the_fills_of_an_order_are_not_there_yet_either(
    venue: ServedVenue, client: Any
) -> None:
    order = await buy(client)
    await venue.rules({"fault": "not_found_for", "with": {"times": 1}})

    found = [
        len(await client.fetch_my_trades(BTC, params={"orderId": order["id"]})) for _ in range(2)
    ]

    assert found == [0, 1]


async def test_a_list_comes_without_its_rows(venue: ServedVenue, client: Any) -> None:
    await buy(client)
    await venue.rules({"fault": "empty_list", "route": "GET *positionRisk", "nth": 1})

    found = [len(await client.fetch_positions()) for _ in range(2)]

    assert found == [0, 1]


async def test_a_clock_that_stands_off_shows_it_and_can_be_followed(
    venue: ServedVenue, client: Any
) -> None:
    await venue.rules({"fault": "skew", "with": {"skew_ms": 30_000}})
    with pytest.raises(ccxt.InvalidNonce):
        await buy(client)

    client.options["adjustForTimeDifference"] = True
    await client.load_time_difference()
    await buy(client)

    assert held(venue) == Decimal("0.01")
    assert abs(client.options["timeDifference"] + 30_000) < 2_000


async def test_the_weight_a_header_tells_climbs(venue: ServedVenue) -> None:
    name = "x-mbx-used-weight-1m"
    await venue.rules({"fault": "header_ramp", "with": {"header": name, "step": 500}})
    session, weights = venue.session(), []

    for _ in range(3):
        async with session.get(PRICE) as answer:
            weights.append(int(answer.headers["X-MBX-USED-WEIGHT-1M"]))

    assert weights[1] - weights[0] == weights[2] - weights[1] == 502


async def test_a_fault_is_of_its_venue_alone(venue: ServedVenue) -> None:
    status, told = await venue.control(
        "POST", "/faults", rules=[{"fault": "abort", "venue": "nobody"}]
    )

    assert status == 400
    assert "venue='nobody' must be one of *, binance" in told["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"rules": 5}, "rules=5 must be a list of rules"),
        ({"seed": "x"}, "seed='x' must be a whole number"),
        ({"rule": []}, "field='rule' must be one of seed, rules"),
    ],
)
async def test_a_wrong_plan_is_refused_whole(
    venue: ServedVenue, body: dict[str, Any], words: str
) -> None:
    await venue.rules({"fault": "abort"})

    status, told = await venue.control("POST", "/faults", **body)

    assert (status, told["error"]) == (400, words)
    assert await venue.strikes() == [0]


async def test_rules_are_added_to_those_there_are_and_a_seed_starts_anew(
    venue: ServedVenue,
) -> None:
    await venue.rules({"fault": "delay"})
    _, added = await venue.control("POST", "/faults", rules=[{"fault": "abort", "most": 1}])
    _, anew = await venue.control("POST", "/faults", seed=5, rules=[{"fault": "hang"}])

    assert [one["fault"] for one in added["rules"]] == ["delay", "abort"]
    assert ([one["fault"] for one in anew["rules"]], anew["seed"]) == (["hang"], 5)


async def test_after_the_plan_is_cleared_nothing_strikes(venue: ServedVenue, client: Any) -> None:
    await venue.rules({"fault": "abort"})
    status, told = await venue.control("DELETE", "/faults")

    await buy(client)

    assert (status, told["rules"]) == (200, [])


async def test_the_books_are_told_by_venue(venue: ServedVenue, client: Any) -> None:
    await buy(client)

    status, books = await venue.control("GET", "/books?venue=binance")
    wrong, told = await venue.control("GET", "/books?venue=nobody")

    assert (status, len(books["positions"])) == (200, 1)
    assert (wrong, told) == (400, {"error": "venue='nobody' must be one of binance"})


async def test_a_plain_client_that_is_cut_sees_a_broken_line(venue: ServedVenue) -> None:
    await venue.rules({"fault": "abort"})

    with pytest.raises(aiohttp.ClientConnectionError):
        await venue.session().get(PRICE, headers={"X-MBX-APIKEY": KEY})
