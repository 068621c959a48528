"""The deployed API under load on one machine, beside what its gateway alone can do.

A running `cts up` is asked by so many clients at once, each sending its next request when the last
is answered, over loopback TLS. The gateway alone is the same way without our work: the same TLS
front, the same REST gateway and Lambda executor of the twin's AWS, and a function that answers at
once. Clients, gateway, tables and functions share this machine's processors; what a first round
starts (one worker for each request at a time) is not measured.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from tests.bench.gateway_alone import gateway_alone
from tests.bench.ordering import share

from local.places import Places

CLIENTS = (1, 8, 32)
WARM = 5
"""Requests of each client before its route is measured."""
HEAD = (
    *("route", "clients", "a second", "of gateway", "p50 ms", "p95 ms", "p99 ms"),
    *("answered", "refused", "429", "5xx", "lost"),
)
ALONE = "gateway alone"
_TIMES = frozenset({"a_second", "of_gateway", "p50_ms", "p95_ms", "p99_ms"})
_PATIENCE = ClientTimeout(total=60)
Request = tuple[str, str, dict[str, str] | None]


@dataclass(slots=True)
class Load:
    """What came back of one route's requests; refusals are 4xx but 429, `lost` had no answer."""

    seconds: float = 0.0
    ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def a_second(self) -> float:
        """Requests that were served, in each second: a 429 or 5xx is none."""
        return (self.count(200, 428) + self.count(430, 499)) / self.seconds

    def count(self, first: int, last: int) -> int:
        """Answers with a status of that range."""
        return sum(count for status, count in self.statuses.items() if first <= status <= last)

    def figures(self, alone: "Load") -> dict[str, float]:
        """For programs."""
        times = {f"p{percent}_ms": share(self.ms, percent) for percent in (50, 95, 99)}
        counts = {
            "answered": self.count(200, 399),
            "refused": self.count(400, 428) + self.count(430, 499),
            "throttled": self.count(429, 429),
            "failed": self.count(500, 599),
            "lost": self.count(0, 0),
        }
        return {"a_second": self.a_second, "of_gateway": self.a_second / alone.a_second} | (
            times | counts
        )


def measure_load(
    places: Places, *, seconds: float, tell: Callable[[str], None]
) -> dict[str, dict[int, dict[str, float]]]:
    """Figures by route and clients, of the gateway alone too."""
    with gateway_alone(places) as url:
        return asyncio.run(_measure(places, url, seconds, tell))


async def _measure(
    places: Places, alone_url: str, seconds: float, tell: Callable[[str], None]
) -> dict[str, dict[int, dict[str, float]]]:
    context = ssl.create_default_context(cafile=str(places.ca))
    bearer = {"authorization": f"Bearer {places.token.read_text(encoding='ascii').strip()}"}
    found: dict[str, dict[int, dict[str, float]]] = {}
    async with ClientSession(
        connector=TCPConnector(limit=max(CLIENTS), ssl=context), headers=bearer, timeout=_PATIENCE
    ) as session:
        routes = _routes(places.api_url, await _connection(session, places.api_url))
        for clients in CLIENTS:
            asked = {ALONE: _always(alone_url)} | routes
            for name in (ALONE, "status", "pause or resume"):
                warm = await _loaded(session, asked[name], clients, least=WARM)
                told = f"{warm.seconds:.0f} s, {warm.count(500, 599)} failed while workers started"
                tell(f"{clients} clients, {name}: warm after {told}")
            loads = {
                name: await _loaded(session, request, clients, seconds=seconds)
                for name, request in asked.items()
            }
            for name, load in loads.items():
                found.setdefault(name, {})[clients] = load.figures(loads[ALONE])
    return found


async def _loaded(
    session: ClientSession,
    request: Callable[[int], Request],
    clients: int,
    *,
    seconds: float = 0.0,
    least: int = 0,
) -> Load:
    """So many clients for so long; what is on its way then is waited for and counted.

    Each asks `least` times, however long that takes.
    """
    load, begun = Load(), time.perf_counter()

    async def client(number: int) -> None:
        for turn in count(number):
            if turn >= number + least and time.perf_counter() - begun >= seconds:
                return
            await _once(session, request(turn), load)

    await asyncio.gather(*(client(number) for number in range(clients)))
    load.seconds = time.perf_counter() - begun
    return load


async def _once(session: ClientSession, request: Request, load: Load) -> None:
    method, url, body = request
    headers = {} if body is None else {"Idempotency-Key": uuid4().hex}
    sent = time.perf_counter()
    try:
        async with session.request(method, url, json=body, headers=headers) as answer:
            await answer.read()
            load.statuses[answer.status] += 1
    except (ClientError, TimeoutError):
        load.statuses[0] += 1
    else:
        load.ms.append((time.perf_counter() - sent) * 1e3)


async def _connection(session: ClientSession, url: str) -> str:
    """The id of the first connection, which a twin always has."""
    async with session.get(f"{url}/api/settings/connections") as answer:
        told: dict[str, Any] = await answer.json()
    return str(told["connections"][0]["id"])


def _routes(url: str, connection_id: str) -> dict[str, Callable[[int], Request]]:
    of = f"?connectionId={connection_id}"
    whole = {"connectionId": connection_id, "reason": "measured"}

    def pause_or_resume(turn: int) -> Request:
        return "POST", f"{url}/api/trade-engine/{('pause', 'resume')[turn % 2]}", whole

    return {
        "status": _always(f"{url}/api/trade-engine/status{of}"),
        "positions": _always(f"{url}/api/positions{of}"),
        "orders": _always(f"{url}/api/orders{of}"),
        "snapshot": _always(f"{url}/api/snapshot{of}&candles=3&ticks=3"),
        "candles": _always(f"{url}/api/market-data{of}&symbol=BTCUSDT&limit=60"),
        "pause or resume": pause_or_resume,
    }


def lines_of(found: Mapping[str, Mapping[int, Mapping[str, float]]]) -> list[tuple[object, ...]]:
    """For a table under `HEAD`."""
    return [
        (name, clients, *(float(one[key]) if key in _TIMES else int(one[key]) for key in one))
        for name, loads in found.items()
        for clients, one in loads.items()
    ]


def _always(url: str) -> Callable[[int], Request]:
    return lambda turn: ("GET", url, None)
