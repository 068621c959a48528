"""A typed, asynchronous client of the CTS HTTPS API; it knows routes and answers, nothing else."""

import asyncio
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from console.address import Address, SetupError
from console.models import Outcome, Refusal, Snapshot

TIMEOUT_SECONDS = 8.0  # a function that sleeps takes some seconds to wake

# Every route the console calls, as in the API's description.
ROUTES = {
    "snapshot": ("GET", "/api/snapshot"),
    "start": ("POST", "/api/trade-engine/start"),
    "pause": ("POST", "/api/trade-engine/pause"),
    "resume": ("POST", "/api/trade-engine/resume"),
    "stop": ("POST", "/api/trade-engine/stop"),
    "emergency": ("POST", "/api/trade-engine/emergency-stop"),
    "reset": ("POST", "/api/trade-engine/reset-emergency"),
    "close": ("POST", "/api/positions/{id}/close"),
    "close-all": ("POST", "/api/positions/close-all"),
    "close-profitable": ("POST", "/api/positions/close-profitable"),
}
_REFUSALS = {
    401: "the API does not let this console in",
    403: "this token may not do that",
    429: "the API was asked too often",
    503: "the API is not available",
}
_LONGEST_WAIT_S = 60


class ApiError(Exception):
    """The API gave no usable answer."""


class ApiUnreachableError(ApiError):
    """Nothing answered, or not in time: worth asking again."""


class ApiRefusedError(ApiError):
    """The API answered `status`, and the answer was no; the message holds the API's own.

    It is not to be asked again before `wait_s` seconds have passed.
    """

    def __init__(self, message: str, *, status: int, wait_s: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.wait_s = wait_s


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

    async def snapshot(
        self, connection_id: str, symbol: str, *, candles: int, ticks: int, cadence: bool
    ) -> Snapshot:
        """The whole screen of one account, of the first where none is named.

        At most 600 `candles` of the symbol, 300 `ticks`; how punctual the loops are if `cadence`.
        """
        chosen = {"connectionId": connection_id, "symbol": symbol}
        wanted: dict[str, str | bool] = {name: value for name, value in chosen.items() if value}
        wanted |= {"candles": str(candles), "ticks": str(ticks), "cadence": str(cadence).lower()}
        return await self._read(Snapshot, "snapshot", wanted)

    async def command(
        self, name: str, body: Mapping[str, str | bool], *, position_id: str = ""
    ) -> Outcome:
        """Ask for what the route of this name does; the API's own words come back."""
        return await self._read(Outcome, name, body, position_id)

    async def close(self) -> None:
        """Give back the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _read[T: BaseModel](
        self, kind: type[T], route: str, values: Mapping[str, str | bool], identifier: str = ""
    ) -> T:
        method, path = ROUTES[route]
        async with self._turn:
            answer = await self._request(method, path.format(id=quote(identifier, "")), values)
        try:
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                raise _refusal(answer)
            return kind.model_validate_json(answer.content)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise ApiAnswerError(f"{path}: {where}: {first['msg']}") from None

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


def _refusal(answer: httpx.Response) -> ApiRefusedError:
    """What the API said; its status alone when it said nothing readable."""
    status = answer.status_code
    kind = _REFUSALS.get(status, "")
    try:
        said = Refusal.model_validate_json(answer.content)
    except ValidationError:
        text = f"{kind} ({status})" if kind else f"the API answered {status}"
    else:
        words = "; ".join((said.error, *(reason.message for reason in said.reasons)))
        text = f"{kind} ({status}): {words}" if kind else words
    return ApiRefusedError(text, status=status, wait_s=_wait_s(answer))


def _wait_s(answer: httpx.Response) -> int:
    """What `Retry-After` asks for, within reason."""
    said = answer.headers.get("retry-after", "")
    return min(int(said), _LONGEST_WAIT_S) if said.isascii() and said.isdigit() else 0


def _reason(problem: httpx.HTTPError) -> str:
    if isinstance(problem, httpx.ConnectError):
        return "certificate not trusted" if "CERTIFICATE" in str(problem) else "nothing answers"
    return "the connection broke"
