"""What leads an unmodified ccxt.pro client to the paper exchange, and how tests wait with it.

It knows nothing of this project: only the resolver (every host is the loopback) and the trusted
certificate differ from a client of the real venue.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import aiohttp.abc
import ccxt


class ToLoopback(aiohttp.abc.AbstractResolver):
    """Every host name is the paper exchange."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            {"hostname": host, "host": "127.0.0.1", "port": self._port, "family": socket.AF_INET,
             "proto": 0, "flags": socket.AI_NUMERICHOST}
        ]  # fmt: skip

    async def close(self) -> None:
        return None


def led_session(port: int, authority: str) -> aiohttp.ClientSession:
    """A session for which every host is the paper exchange, whose own authority it trusts."""
    context = ssl.create_default_context(cafile=authority)
    connector = aiohttp.TCPConnector(resolver=ToLoopback(port), ssl=context)
    return aiohttp.ClientSession(connector=connector)


def led(exchange: Any, port: int, authority: str) -> Any:
    """The client, with a session that is led to the paper exchange; end it with `closed`."""
    exchange.session, exchange.own_session = led_session(port, authority), False
    return exchange


async def closed(exchange: Any) -> None:
    session = exchange.session
    await exchange.close()
    await session.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the stream brings; ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def collect(watch: Any, *arguments: Any) -> None:
    """Keep watching, so that the client's caches fill."""
    while True:
        await watch(*arguments)


async def error_names(attempts: Mapping[str, Awaitable[Any]], *made: Any) -> dict[str, str]:
    """The class of ccxt's error each attempt meets, or "accepted"; closes clients made for it."""
    names = {}
    for name, attempt in attempts.items():
        try:
            await attempt
            names[name] = "accepted"
        except ccxt.BaseError as error:
            names[name] = type(error).__name__
    for each in made:
        await closed(each)
    return names


async def report(exchange: Any, **parts: Callable[[Any], Awaitable[dict[str, Any]]]) -> None:
    """Print what each part finds, one after the other, as one JSON object; closes the client."""
    try:
        await exchange.load_markets()
        print(json.dumps({name: await part(exchange) for name, part in parts.items()}))
    finally:
        await closed(exchange)
