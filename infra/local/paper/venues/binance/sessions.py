"""One client's socket: the streams it follows, and whether it may see the account."""

import json
from collections.abc import Sequence

from local.paper.core.books import Event
from local.paper.core.exchange import PaperExchange
from local.paper.venues.binance.listen_keys import ListenKeys
from local.paper.venues.binance.user_events import UserEvents


class BinanceSession:
    """Frames of one socket; an account's news comes while its listen key lives."""

    def __init__(
        self, exchange: PaperExchange, keys: ListenKeys, *, listen_key: str, combined: bool
    ) -> None:
        self.topics: set[str] = set()
        self._exchange = exchange
        self._user = UserEvents(exchange)
        self._keys = keys
        self._listen_key = listen_key
        self._combined = combined

    @property
    def is_private(self) -> bool:
        return self._keys.is_valid(self._listen_key, self._exchange.now_ms())

    def heard(self, text: str) -> Sequence[str]:
        """Act on SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS and acknowledge it."""
        try:
            request = json.loads(text)
            method, identity = request["method"], request.get("id")
            names = set(request.get("params") or [])
        except (ValueError, KeyError, TypeError, AttributeError):
            return [json.dumps({"error": {"code": 2, "msg": "Invalid request: malformed JSON."}})]
        result: list[str] | None = None
        if method == "SUBSCRIBE":
            self.topics |= names
        elif method == "UNSUBSCRIBE":
            self.topics -= names
        elif method == "LIST_SUBSCRIPTIONS":
            result = sorted(self.topics)
        else:
            words = f"Invalid request: unknown variant {method}."
            return [json.dumps({"error": {"code": 2, "msg": words}, "id": identity})]
        return [json.dumps({"result": result, "id": identity})]

    def framed(self, topic: str, text: str) -> str:
        """A combined socket names the stream of each event."""
        return f'{{"stream":"{topic}","data":{text}}}' if self._combined else text

    def told(self, event: Event) -> Sequence[str]:
        if not self.is_private:
            return ()
        return (json.dumps(self._user.frame(event, self._exchange.now_ms())),)

    def expired(self) -> Sequence[str]:
        """The stream says that its key expired, and stays open without another word."""
        key, self._listen_key = self._listen_key, ""
        now_ms = self._exchange.now_ms()
        return (json.dumps({"e": "listenKeyExpired", "E": now_ms, "listenKey": key}),)
