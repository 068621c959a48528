"""What an operator does to trade on paper, done through the API."""

import asyncio
import hashlib
import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from local.certificates import write_private
from local.places import Places
from local.stack import STACK, client

LOADING_WITHIN_S = 900.0
OWNER = "t-owner"  # the id of the twin's own token


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAccount:
    """An account at the paper exchange, and under which name that keeps its books."""

    connection_name: str
    exchange: str
    api_type: str = "perpetual_futures"
    position_mode: str = "hedge"
    books: str


PaperVenue = Literal["binance", "binance-spot", "bybit", "okx"]
PAPER_ACCOUNTS: dict[PaperVenue, PaperAccount] = {
    "binance": PaperAccount(connection_name="Paper", exchange="binance", books="binance"),
    "binance-spot": PaperAccount(
        connection_name="Paper Binance spot",
        exchange="binance",
        api_type="spot",
        position_mode="one_way",
        books="binance_spot",
    ),
    "bybit": PaperAccount(connection_name="Paper Bybit", exchange="bybit", books="bybit"),
    "okx": PaperAccount(connection_name="Paper OKX", exchange="okx", books="okx"),
}


class OperatorError(Exception):
    """The API refused a step; the message is its own."""


def ensure_token(places: Places, *, now_ms: int) -> tuple[str, bool]:
    """The token of the twin's owner, and whether it is new; only its SHA-256 is in the tables.

    It is an administrator's: whoever runs the twin may do everything to it.
    """
    is_new = not places.token.exists()
    if is_new:
        write_private(places.token, f"cts_{secrets.token_urlsafe(32)}\n".encode())
    token = places.token.read_text(encoding="ascii").strip()
    said = {
        "token_hash": {"S": hashlib.sha256(token.encode()).hexdigest()},
        "token_id": {"S": OWNER},
        "name": {"S": "owner"},
        "role": {"S": "admin"},
        "created_at_ms": {"N": str(now_ms)},
    }
    record = {**said, "kind": {"S": "token"}, "created_by": {"S": "cts up"}}
    tables = client(places, "dynamodb")
    tables.put_item(TableName=f"{STACK}-api_tokens", Item=said)
    tables.put_item(TableName=f"{STACK}-token_records", Item=record)
    return token, is_new


@dataclass(frozen=True, slots=True)
class PaperKeys:
    """What the paper exchange asks for on every venue; the passphrase is OKX's."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


def ensure_paper_keys(places: Places) -> PaperKeys:
    """The keys of the accounts at the paper exchange, made at the first start."""
    file = places.paper / "keys.json"
    if not file.exists():
        made = [secrets.token_hex(16), secrets.token_hex(32)]
        write_private(file, json.dumps(made).encode())
    key, secret = json.loads(file.read_text(encoding="ascii"))
    return PaperKeys(key, secret, passphrase=secret[:16])


class Operator:
    """An HTTPS client with the operator's token."""

    def __init__(self, places: Places) -> None:
        self._places = places
        token = places.token.read_text(encoding="ascii").strip()
        self._http = httpx.AsyncClient(
            base_url=places.api_url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=str(places.ca)),
            timeout=30.0,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close its sockets."""
        await self._http.aclose()

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send one request and return its answer.

        Raises
        ------
        OperatorError
            If the API refuses it or does not answer.
        """
        try:
            response = await self._http.request(method, path, **options)
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise OperatorError(f"{method} {path}: {error!r}") from error
        if response.is_error:
            said = answer.get("error") or answer.get("message") or answer
            raise OperatorError(f"{method} {path} answered {response.status_code}: {said}")
        return answer

    async def connect_paper(self, account: PaperAccount) -> str:
        """Create the paper connection unless it is there, test it and switch live trading on."""
        known = (await self.ask("GET", "/api/settings/connections"))["connections"]
        mine = [c for c in known if c["is_paper"] and c["name"] == account.connection_name]
        connection = mine[0] if mine else await self._create(account)
        path = f"/api/settings/connections/{connection['id']}"
        if not (connection["is_active"] and connection["is_live_trade"]):
            tested = await self.ask("POST", f"{path}/test")
            if not tested["success"]:
                raise OperatorError(f"the test of {account.connection_name}: {tested['error']}")
            await self.ask("POST", f"{path}/toggle", json={"is_live_trade": True})
        return str(connection["id"])

    async def _create(self, account: PaperAccount) -> dict[str, Any]:
        keys = ensure_paper_keys(self._places)
        body = {
            "name": account.connection_name,
            "exchange": account.exchange,
            "api_type": account.api_type,
            "position_mode": account.position_mode,
            "api_key": keys.key,
            "api_secret": keys.secret,
            "api_passphrase": keys.passphrase,
            "is_paper": True,
        }
        created = await self.ask("POST", "/api/settings/connections", json=body)
        made: dict[str, Any] = created["connection"]
        return made

    async def start(self, connection_id: str) -> dict[str, Any]:
        """Ask for the engine; one that runs already answers so."""
        return await self.ask(
            "POST", "/api/trade-engine/start", json={"connectionId": connection_id}
        )

    async def engine(self, connection_id: str) -> dict[str, Any]:
        """What the API says of the engine of one connection."""
        answer = await self.ask(
            "GET", "/api/trade-engine/status", params={"connectionId": connection_id}
        )
        told: dict[str, Any] = answer["connections"][0]
        return told

    async def until_running(
        self, connection_id: str, *, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        """Show each change of the loading until both loops prove that they run.

        Raises
        ------
        OperatorError
            If the start failed, or took a quarter of an hour.
        """
        try:
            async with asyncio.timeout(LOADING_WITHIN_S):
                while True:
                    engine = await self.engine(connection_id)
                    tell(engine)
                    if engine["actual_state"] == "error":
                        raise OperatorError(f"the engine did not start: {engine['error']}")
                    if engine["running"]:
                        return
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise OperatorError("the engine did not start within 15 minutes") from None
