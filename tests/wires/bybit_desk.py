"""Bybit's paper wire over a scripted exchange, asked with signed requests."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from tests.wires.scripted import BTC, D, ScriptedMarket, Stage

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.credentials import Credentials
from local.paper.market.quotes import Quotes
from local.paper.venues.bybit.sessions import PrivateSession, PublicSession
from local.paper.venues.bybit.wire import BybitWire
from local.paper.wire import Answer, Request

LINEAR = {"category": "linear"}


class Desk:
    """One client of one exchange; one price a second, the last one stands."""

    def __init__(self, *prices: int, second: int = 5) -> None:
        quotes = Quotes(ScriptedMarket(*(prices or (10_000,))))
        books = Books(MemoryJournal(), D(10_000))
        self.stage = Stage(exchange=PaperExchange(books, quotes, lambda: 0), second=second)
        self.stage.exchange.now_ms = self.stage.now_ms
        credentials = Credentials(api_key="key", api_secret="secret")
        self.wire = BybitWire(self.stage.exchange, credentials)
        self.heard: list[dict[str, Any]] = []

    def get(self, path: str, **parameters: object) -> Any:
        """The answer to a signed query of linear contracts."""
        return self.ask("GET", path, urlencode(LINEAR | parameters)).body

    def post(self, path: str, **parameters: object) -> Any:
        """The answer to a signed request about BTC."""
        body = json.dumps(LINEAR | {"symbol": BTC} | parameters)
        return self.ask("POST", path, body).body

    def ask(
        self,
        method: str,
        path: str,
        payload: str = "",
        *,
        late_ms: int = 0,
        window_ms: int = 5_000,
        secret: str = "secret",
        key: str = "key",
    ) -> Answer:
        """A request stamped `late_ms` ago."""
        sent = str(self.stage.now_ms() - late_ms)
        text = f"{sent}{key}{window_ms}{payload}"
        headers = {
            "x-bapi-api-key": key,
            "x-bapi-timestamp": sent,
            "x-bapi-recv-window": str(window_ms),
            "x-bapi-sign": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }
        body, query = (payload, "") if method == "POST" else ("", payload)
        return self.wire.answer(
            Request(method=method, path=f"/v5/{path}", query=query, body=body, headers=headers)
        )

    def order(self, opens: str, **more: object) -> Any:
        """The answer to a market order of 0.1 BTC."""
        fields: dict[str, object] = {"side": opens, "orderType": "Market", "qty": "0.1"}
        return self.post("order/create", **(fields | more))

    def rows(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a list of BTC."""
        found: list[dict[str, Any]] = self.get(path, symbol=BTC, **parameters)["result"]["list"]
        return found

    def public(self) -> PublicSession:
        found = self.wire.session("/v5/public/linear", "")
        assert isinstance(found, PublicSession)
        return found

    def private(self, *, secret: str = "secret") -> PrivateSession:
        """A socket that has logged in and follows the account; what it is told is `heard`."""
        found = self.wire.session("/v5/private", "")
        assert isinstance(found, PrivateSession)
        expires = str(self.stage.now_ms() + 1_000)
        text = f"GET/realtime{expires}".encode()
        signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        found.heard(json.dumps({"op": "auth", "args": ["key", expires, signature]}))
        topics = ["order", "execution", "position", "wallet"]
        found.heard(json.dumps({"op": "subscribe", "args": topics}))
        self.stage.exchange.books.listener = lambda event: self.heard.extend(
            json.loads(one) for one in found.told(event)
        )
        return found

    def told(self, topic: str) -> list[dict[str, Any]]:
        """The rows of a topic, in the order they came."""
        return [row for one in self.heard if one["topic"] == topic for row in one["data"]]
