"""A twin that is up, and its API as a client on the network meets it."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.twin_process import Home, a_home, up

from local.operator import ensure_paper_keys

CONNECTIONS = "/api/settings/connections"
ENGINE = "/api/trade-engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """One running twin: its folder, its trading connection, and an HTTPS client of its API."""

    home: Home
    connection_id: str
    http: httpx.Client
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request with the owner's token, another one, or (None) without any."""
        chosen = self.token if token == "" else token
        sent = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.http.request(
            method, path, content=content, headers={**sent, **dict(headers or {})}
        )

    def done(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body of an answer that is not a refusal."""
        answer = self.ask(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    def engine(self) -> dict[str, Any]:
        """The trading connection's engine as the status tells it."""
        path = f"{ENGINE}/status?connectionId={self.connection_id}"
        told: dict[str, Any] = self.done("GET", path)["connections"][0]
        return told

    def ticks(self) -> bool:
        """Whether the trade loop has stored a tick."""
        path = f"{ENGINE}/progression?connectionId={self.connection_id}&limit=1"
        return bool(self.done("GET", path)["connections"][0]["tradeCycles"])

    def created(self, name: str, **changes: Any) -> str:
        """A second connection on the paper exchange, not tested yet."""
        keys = ensure_paper_keys(self.home.places)
        body = {
            "name": name,
            "exchange": "binance",
            "is_paper": True,
            "api_key": keys.key,
            "api_secret": keys.secret,
            **changes,
        }
        return str(self.done("POST", CONNECTIONS, body)["id"])


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The one envelope of every refusal; its body."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    told: dict[str, Any] = answer.json()
    assert told["success"] is False, told
    assert isinstance(told["error"], str)
    assert told["error"]
    assert isinstance(told["details"], list)
    return told


def until(holds: Callable[[], Any], *, within_s: float, told: str) -> Any:
    """Wait until something is there; answers it."""
    deadline = time.monotonic() + within_s
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_s} s: {told}"
        time.sleep(0.2)


@contextmanager
def workflows(folder: Path) -> Iterator[Workflows]:
    """Bring a twin up on three symbols, with settings under which more happens."""
    home = a_home(folder)
    with up(home, "--symbols", "3", "--no-console", "--profile", "demo") as running:
        running.until("up after", within_s=600)
        places = home.places
        trust = ssl.create_default_context(cafile=str(places.ca))
        base = places.api_url
        with httpx.Client(base_url=base, verify=trust, timeout=35, trust_env=False) as http:
            found = Workflows(
                home=home,
                connection_id=json.loads(places.status.read_text())["connection_id"],
                http=http,
                token=places.token.read_text().strip(),
            )
            until(found.ticks, within_s=60, told="the first tick of the trade loop")
            yield found
