"""A typed, asynchronous client of the CTS HTTPS API; it knows routes and answers, nothing else."""

import asyncio
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from console.address import Address, SetupError
from console.models import (
    Candles,
    Connections,
    Orders,
    Outcome,
    Performance,
    Positions,
    Progression,
    Refusal,
    Status,
)

TIMEOUT_SECONDS = 8.0  # a function that sleeps takes some seconds to wake

# Every route the console calls, as in the API's description.
ROUTES = {
    "status": ("GET", "/api/trade-engine/status"),
    "progression": ("GET", "/api/trade-engine/progression"),
    "performance": ("GET", "/api/trade-engine/performance"),
    "connections": ("GET", "/api/settings/connections"),
    "positions": ("GET", "/api/positions"),
    "orders": ("GET", "/api/orders"),
    "candles": ("GET", "/api/market-data"),
    "start": ("POST", "/api/trade-engine/start"),
    "stop": ("POST", "/api/trade-engine/stop"),
}


class ApiError(Exception):
    """The API gave no usable answer."""


class ApiUnreachableError(ApiError):
    """Nothing answered, or not in time: worth asking again."""


class ApiRefusedError(ApiError):
    """The API answered, and the answer was no; the message is the API's own."""


class ApiAnswerError(ApiError):
    """The API answered in a shape this console does not know."""


class Client:
    """Calls the API, one call after the other: calls side by side would wake more functions.

    A new token or authority on disk is taken up with the next call.
    """

    def __init__(
        self, address: Address, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._address = address
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._trusted_since_ns = 0
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Client({self._address.url})"

    async def status(self) -> Status:
        """Every engine: what is wanted of it, what it does, its loops and counters."""
        return await self._read(Status, "status", {})

    async def performance(self) -> Performance:
        """How punctual the loops are."""
        return await self._read(Performance, "performance", {})

    async def progression(self, connection_id: str, *, limit: int) -> Progression:
        """The latest ticks of an engine, at most 500."""
        wanted = {"connectionId": connection_id, "limit": str(limit)}
        return await self._read(Progression, "progression", wanted)

    async def connections(self) -> Connections:
        """Every exchange account, without secrets."""
        return await self._read(Connections, "connections", {})

    async def positions(self, connection_id: str, *, limit: int = 100) -> Positions:
        """The open positions at the exchange, those still opening or closing included."""
        wanted = {"connectionId": connection_id, "limit": str(limit)}
        return await self._read(Positions, "positions", wanted)

    async def orders(
        self, connection_id: str, *, only_open: bool = False, limit: int = 100
    ) -> Orders:
        """The newest orders; `only_open` leaves out those in a final state."""
        wanted = {
            "connectionId": connection_id,
            "status": "open" if only_open else "all",
            "limit": str(limit),
        }
        return await self._read(Orders, "orders", wanted)

    async def candles(self, connection_id: str, symbol: str, *, limit: int = 300) -> Candles:
        """The newest closed 1 s candles of a symbol, oldest first."""
        wanted = {"connectionId": connection_id, "symbol": symbol, "limit": str(limit)}
        return await self._read(Candles, "candles", wanted)

    async def start(self, connection_id: str) -> str:
        """Ask for the engine to run; the API's own words come back."""
        body = {"connectionId": connection_id}
        return (await self._read(Outcome, "start", body)).message

    async def stop(self, connection_id: str, *, close_positions: bool) -> str:
        """Ask for the engine to stop, with its positions closed first or left protected."""
        body: dict[str, str | bool] = {
            "connectionId": connection_id,
            "closePositions": close_positions,
        }
        return (await self._read(Outcome, "stop", body)).message

    async def close(self) -> None:
        """Give back the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _read[T: BaseModel](
        self, kind: type[T], route: str, values: Mapping[str, str | bool]
    ) -> T:
        answer = await self._send(route, values)
        try:
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                raise ApiRefusedError(_refusal(answer))
            return kind.model_validate_json(answer.content)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise ApiAnswerError(f"{ROUTES[route][1]}: {where}: {first['msg']}") from None

    async def _send(self, route: str, values: Mapping[str, str | bool]) -> httpx.Response:
        async with self._turn:
            return await self._request(*ROUTES[route], values)

    async def _request(
        self, method: str, path: str, values: Mapping[str, str | bool]
    ) -> httpx.Response:
        http = await self._connected()
        sent: dict[str, Any] = {"params": values} if method == "GET" else {"json": values}
        bearer = {"Authorization": f"Bearer {self._address.token()}"}
        try:
            return await http.request(method, path, headers=bearer, **sent)
        except httpx.TimeoutException:
            waited = f"no answer within {TIMEOUT_SECONDS:g} s"
            raise ApiUnreachableError(f"{self._address.url}: {waited}") from None
        except httpx.HTTPError as problem:
            raise ApiUnreachableError(f"{self._address.url}: {_reason(problem)}") from None

    async def _connected(self) -> httpx.AsyncClient:
        """The open client, made anew when the authority's file has changed."""
        ca_file = self._address.ca_file
        since_ns = _changed_ns(ca_file)
        if self._http is None or since_ns != self._trusted_since_ns:
            await self.close()
            self._http = httpx.AsyncClient(
                base_url=self._address.url,
                verify=_trust(ca_file),
                timeout=TIMEOUT_SECONDS,
                transport=self._transport,
                trust_env=False,
            )
            self._trusted_since_ns = since_ns
        return self._http


def _changed_ns(ca_file: Path | None) -> int:
    if ca_file is None:
        return 0
    try:
        return ca_file.stat().st_mtime_ns
    except OSError:
        raise SetupError(f"the authority's file {ca_file} cannot be read") from None


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:  # SSLError is one too
        raise SetupError(f"the authority's file {ca_file} holds no certificate") from None


def _refusal(answer: httpx.Response) -> str:
    """What the API said; its status alone when it said nothing readable."""
    try:
        said = Refusal.model_validate_json(answer.content)
    except ValidationError:
        return f"the API answered {answer.status_code}"
    return "; ".join((said.error, *(reason.message for reason in said.reasons)))


def _reason(problem: httpx.HTTPError) -> str:
    if isinstance(problem, httpx.ConnectError):
        return "certificate not trusted" if "CERTIFICATE" in str(problem) else "nothing answers"
    return "the connection broke"
