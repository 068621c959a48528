"""Every venue behind one port: unmodified clients, each with its production addresses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ccxt
import pytest
from tests.served_venue import ServedVenue, a_wire, served, served_all

from adapters.failures import ClockSkewError, ErrorWords, VenueUnclearError, translate
from adapters.opener import dialect_of
from engine.errors import (
    CredentialsError,
    RestrictedLocationError,
    VenueBusyError,
    VenueRefusedError,
)
from local.paper.venues import WIRES

CLIENTS = {"binance": "binanceusdm", "binance_spot": "binance", "bybit": "bybit", "okx": "okx"}
PERPETUALS = [name for name in WIRES if name != "binance_spot"]
BTC = "BTC/USDT:USDT"


@pytest.fixture(params=[*WIRES])
async def venue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServedVenue]:
    async with served(tmp_path, a_wire(WIRES[request.param])) as made:
        yield made


def words_of(venue: ServedVenue) -> ErrorWords:
    name = venue.wire.name
    kind = "spot" if name == "binance_spot" else "perpetual_futures"
    return dialect_of(name.removesuffix("_spot"), kind).errors


def symbol_at(venue: ServedVenue) -> str:
    return "BTC/USDT" if venue.wire.name == "binance_spot" else BTC


def client_of(venue: ServedVenue) -> Any:
    return venue.client(CLIENTS[venue.wire.name])


async def test_one_port_serves_every_venue_over_books_of_its_own(tmp_path: Path) -> None:
    wires = [a_wire(make) for make in WIRES.values()]
    async with served_all(tmp_path, wires) as venues:
        for name in PERPETUALS:
            client = client_of(venues[name])
            await client.load_markets()
            await client.create_order(BTC, "market", "buy", 1 if name == "okx" else 0.01)

            _, books = await venues[name].control("GET", f"/books?venue={name}")
            assert [one["quantity"] for one in books["positions"]] == ["0.01"]
        _, spot = await venues["binance_spot"].control("GET", "/books?venue=binance_spot")

    assert spot["orders_received"] == 0


async def test_a_rule_strikes_its_venue_and_not_the_others(tmp_path: Path) -> None:
    wires = [a_wire(make) for make in WIRES.values()]
    async with served_all(tmp_path, wires) as venues:
        await venues["okx"].rules({"fault": "abort", "venue": "okx"})
        for name, venue in venues.items():
            client = client_of(venue)
            if name == "okx":
                with pytest.raises(ccxt.NetworkError):
                    await client.fetch_time()
            else:
                assert await client.fetch_time()


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("rate_limit", VenueBusyError),
        ("ban", VenueBusyError),
        ("overloaded", VenueBusyError),
        ("forbidden", VenueBusyError | VenueUnclearError),
        ("maintenance", VenueBusyError | VenueUnclearError | VenueRefusedError),
        ("restricted", RestrictedLocationError),
        ("internal_error", VenueUnclearError),
        ("bad_gateway", VenueUnclearError),
        ("unknown_result", VenueUnclearError),
        ("timeout", VenueUnclearError),
        ("abort", VenueUnclearError),
        ("hang", VenueUnclearError),
        ("revoke_key", CredentialsError),
        ("clock_refused", ClockSkewError),
    ],
)
async def test_each_venues_troubles_are_understood(
    venue: ServedVenue, fault: str, kinds: type[Exception]
) -> None:
    client = client_of(venue)
    await client.load_markets()
    client.timeout = 300
    await venue.rules({"fault": fault})

    with pytest.raises(ccxt.BaseError) as raised:
        await client.fetch_balance()

    found = translate(raised.value, words_of(venue))
    assert isinstance(found, kinds)
    assert (fault == "clock_refused") is isinstance(found, ClockSkewError)


@pytest.mark.parametrize("skew_ms", [-60_000, 60_000])
async def test_each_venue_refuses_a_stamp_that_its_clock_does_not_bear(
    venue: ServedVenue, skew_ms: int
) -> None:
    client = client_of(venue)
    await client.load_markets()
    before_ms = await client.fetch_time()
    await venue.rules({"fault": "skew", "with": {"skew_ms": skew_ms}})

    with pytest.raises(ccxt.InvalidNonce) as raised:
        await client.fetch_balance()

    assert isinstance(translate(raised.value, words_of(venue)), ClockSkewError)
    assert abs(await client.fetch_time() - before_ms - skew_ms) < 5_000


async def test_each_venue_refuses_with_a_code_of_its_own(venue: ServedVenue) -> None:
    client = client_of(venue)
    await client.load_markets()
    await venue.rules({"fault": "reject", "with": {"code": "-98765", "message": "Not today."}})

    with pytest.raises(ccxt.BaseError, match="-98765"):
        await client.fetch_balance()


async def test_each_venue_tells_of_what_somebody_else_did(venue: ServedVenue) -> None:
    client = client_of(venue)
    await client.load_markets()
    symbol = symbol_at(venue)
    assert await client.fetch_my_trades(symbol) == []

    await venue.now("external_trade", symbol="BTCUSDT", side="BUY", quantity="0.05")

    (trade,) = await client.fetch_my_trades(symbol)
    assert trade["amount"] * (client.market(symbol)["contractSize"] or 1) == 0.05


async def test_each_venue_lists_the_filters_as_they_are_by_now(venue: ServedVenue) -> None:
    client = client_of(venue)
    step = await steps_of(client, venue)

    await venue.now("change_filters", symbol="BTCUSDT", step="0.01")

    assert await steps_of(client, venue) == pytest.approx(10 * step)


async def steps_of(client: Any, venue: ServedVenue) -> float:
    await client.load_markets(True)
    return float(client.market(symbol_at(venue))["precision"]["amount"])


@pytest.mark.parametrize("fault", ["close", "abort_socket"])
async def test_ccxt_dials_each_venue_again_after_its_socket_is_gone(
    venue: ServedVenue, fault: str
) -> None:
    client = client_of(venue)
    await client.load_markets()
    symbol = symbol_at(venue)
    await client.watch_trades(symbol)
    watching = asyncio.gather(*[client.watch_trades(symbol) for _ in range(2)])
    await asyncio.sleep(0)  # it waits now

    assert await venue.now(fault) == "1 sockets"
    with pytest.raises(ccxt.NetworkError):
        await asyncio.wait_for(watching, 5)

    assert await client.watch_trades(symbol)


async def test_a_private_socket_of_each_venue_ends_when_its_session_expires(
    venue: ServedVenue,
) -> None:
    client = client_of(venue)
    await client.load_markets()
    watching = asyncio.create_task(client.watch_balance())

    async def until(private: int) -> None:
        async with asyncio.timeout(10):
            while await venue.now("mute", topic="private*", for_ms=1) != f"{private} sockets":
                await asyncio.sleep(0.05)

    await until(1)
    assert await venue.now("expire_session") == "sessions expired"
    await until(0)

    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
