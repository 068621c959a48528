"""Sockets of spot: market streams, and the API's own socket with the account's news."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.paper.core.books import Event
from local.paper.core.exchange import PaperExchange
from local.paper.venues.binance_spot.user_events import news
from local.paper.wire import Answer, Json

Call = Callable[[str, Mapping[str, Any]], Answer]
SUBSCRIBE = "userDataStream.subscribe.signature"
UNSUBSCRIBE = "userDataStream.unsubscribe"


class ApiSession:
    """Requests by socket; the account's news follows a signed subscription."""

    def __init__(self, exchange: PaperExchange, call: Call) -> None:
        self.topics: set[str] = set()
        self._exchange = exchange
        self._call = call
        self._subscription = -1

    @property
    def is_private(self) -> bool:
        return self._subscription >= 0

    def heard(self, text: str) -> Sequence[str]:
        try:
            request = json.loads(text)
            method, params = str(request["method"]), dict(request.get("params") or {})
        except (ValueError, KeyError, TypeError, AttributeError):
            error = {"code": -32600, "msg": "JSON object should have required 'method' and 'id'."}
            return [json.dumps({"id": None, "status": 400, "error": error})]
        return [json.dumps({"id": request.get("id")} | self._answer(method, params))]

    def framed(self, topic: str, text: str) -> str:
        return text

    def told(self, event: Event) -> Sequence[str]:
        said = news(self._exchange, event) if self.is_private else None
        return () if said is None else (self._wrapped(said),)

    def expired(self) -> Sequence[str]:
        """The subscription says that it ends."""
        last = self._wrapped({"e": "eventStreamTerminated", "E": self._exchange.now_ms()})
        self._subscription = -1
        return (last,)

    def _wrapped(self, event: Json) -> str:
        return json.dumps({"subscriptionId": max(self._subscription, 0), "event": event})

    def _answer(self, method: str, params: Mapping[str, Any]) -> Json:
        answer = self._call(method, params)
        limits: dict[str, Json] = {"rateLimits": []}
        if answer.status != 200:
            return {"status": answer.status, "error": answer.body} | limits
        if method == SUBSCRIBE:
            self._subscription += 1
            return {"status": 200, "result": {"subscriptionId": self._subscription}} | limits
        if method == UNSUBSCRIBE:
            self._subscription = -1
        return {"status": 200, "result": answer.body} | limits


class MarketSession:
    """Market streams alone."""

    is_private = False

    def __init__(self, topics: set[str], *, combined: bool) -> None:
        self.topics = topics
        self._combined = combined

    def heard(self, text: str) -> Sequence[str]:
        """Act on SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS and acknowledge it."""
        try:
            request = json.loads(text)
            method, identity = request["method"], request.get("id")
            names = set(request.get("params") or [])
        except (ValueError, KeyError, TypeError, AttributeError):
            return [json.dumps({"error": {"code": 2, "msg": "Invalid request: malformed JSON."}})]
        if method == "SUBSCRIBE":
            self.topics |= names
        elif method == "UNSUBSCRIBE":
            self.topics -= names
        elif method == "LIST_SUBSCRIPTIONS":
            return [json.dumps({"result": sorted(self.topics), "id": identity})]
        else:
            words = f"Invalid request: unknown variant {method}."
            return [json.dumps({"error": {"code": 2, "msg": words}, "id": identity})]
        return [json.dumps({"result": None, "id": identity})]

    def framed(self, topic: str, text: str) -> str:
        """A combined socket names the stream of each event."""
        return f'{{"stream":"{topic}","data":{text}}}' if self._combined else text

    def told(self, event: Event) -> Sequence[str]:
        return ()

    def expired(self) -> Sequence[str]:
        return ()
