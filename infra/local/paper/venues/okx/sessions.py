"""One client's socket: its login, the channels it follows, and what it gets of them."""

import json
from collections.abc import Sequence
from typing import Any

from local.paper.core import margin
from local.paper.core.books import AccountChanged, Event
from local.paper.core.exchange import PaperExchange
from local.paper.credentials import Credentials
from local.paper.venues.okx import market_shapes
from local.paper.venues.okx.channels import BUSINESS, PUBLIC, Channels, topic_of
from local.paper.venues.okx.contracts import find, inst_id
from local.paper.venues.okx.signing import check_login
from local.paper.venues.okx.user_events import (
    PRIVATE,
    PRIVATE_BUSINESS,
    account_rows,
    rows_of,
)
from local.paper.wire import Json

_CONNECTION = "a4d3ae55"
_MARKET = {"public": PUBLIC, "business": BUSINESS, "private": ()}
_OWN = {"public": (), "business": PRIVATE_BUSINESS, "private": PRIVATE}
_SNAPSHOTS = ("positions", "account", "balance_and_position")
_WRONG_LOGIN = {
    "60004": "Invalid timestamp", "60005": "Invalid apiKey", "60006": "Timestamp request expired",
    "60007": "Invalid sign", "60024": "Wrong passphrase",
}  # fmt: skip

Argument = dict[str, Any]


class OkxSession:
    """Frames of one socket.

    Market topics are shared with other clients. A book is told whole by its channel; here it
    becomes one snapshot and then updates, each of which names the one before.
    """

    def __init__(
        self, exchange: PaperExchange, credentials: Credentials, channels: Channels, access: str
    ) -> None:
        self.topics: set[str] = set()
        self._exchange = exchange
        self._credentials = credentials
        self._channels = channels
        self._access = access
        self._is_in = False
        self._own: list[Argument] = []
        self._books: dict[str, Json] = {}

    @property
    def is_private(self) -> bool:
        return self._is_in and bool(self._own)

    def heard(self, text: str) -> Sequence[str]:
        """Act on `ping`, login, subscribe and unsubscribe."""
        if text == "ping":
            return ("pong",)
        try:
            request = json.loads(text)
            op, args = request["op"], list(request["args"])
            acts = {"login": self._login, "subscribe": self._subscribe, "unsubscribe": self._leave}
            return [frame for one in args for frame in acts[op](dict(one))]
        except (ValueError, KeyError, TypeError):
            return [_error("60012", f"Illegal request: {text}")]

    def framed(self, topic: str, text: str) -> str:
        if not topic.startswith("books:"):
            return text
        message = json.loads(text)
        whole, before = message["data"][0], self._books.get(topic)
        self._books[topic] = whole
        action = "snapshot" if before is None else "update"
        row = _since(before, whole)
        return json.dumps(message | {"action": action, "data": [row]})

    def told(self, event: Event) -> Sequence[str]:
        if not self.is_private:
            return ()
        wanted = {arg["channel"] for arg in self._own}
        return [
            frame
            for channel, row in rows_of(self._exchange, event, wanted)
            for frame in self._frames(channel, row)
        ]

    def expired(self) -> Sequence[str]:
        """The key was changed or deleted: OKX says so, and the client must log in anew."""
        self._is_in = False
        return [_error("4007", "API key has been updated or deleted. Please reconnect.")]

    def _login(self, given: Argument) -> list[str]:
        if self._access == "public":
            return [_error("60008", "Login is not supported for public channels")]
        wrong = check_login(self._credentials, given, self._exchange.shown_ms())
        if wrong:
            return [_error(wrong, _WRONG_LOGIN[wrong])]
        self._is_in = True
        return [json.dumps({"event": "login", "code": "0", "msg": "", "connId": _CONNECTION})]

    def _subscribe(self, arg: Argument) -> list[str]:
        channel = arg["channel"]
        if channel in _OWN[self._access]:
            return self._follow(arg)
        if channel not in _MARKET[self._access] or not self._channels.knows(arg.get("instId", "")):
            words = ",".join(f"{name}:{value}" for name, value in arg.items())
            return [_error("60018", f"{words} doesn't exist")]
        topic = topic_of(channel, arg["instId"])
        self.topics.add(topic)
        self._books.pop(topic, None)
        return [_event("subscribe", arg), *self._first(channel, arg)]

    def _follow(self, arg: Argument) -> list[str]:
        if not self._is_in:
            return [_error("60011", "Please log in")]
        if arg not in self._own:
            self._own.append(arg)
        frames = [_event("subscribe", arg)]
        if arg["channel"] in _SNAPSHOTS:
            held = tuple(margin.held(self._exchange.books))
            now = AccountChanged(reason="SNAPSHOT", positions=held)
            rows = [
                row for name, row in account_rows(self._exchange, now) if name == arg["channel"]
            ]
            rows = [row for row in rows if _fits(arg, row)]
            frames.append(_message(arg, rows, {"eventType": "snapshot"}))
        return frames

    def _leave(self, arg: Argument) -> list[str]:
        self.topics.discard(topic_of(arg["channel"], arg.get("instId", "")))
        self._own = [one for one in self._own if one != arg]
        return [_event("unsubscribe", arg)]

    def _first(self, channel: str, arg: Argument) -> list[str]:
        """A book begins with a snapshot, a ticker with what it is now."""
        one, now_ms = find(self._exchange, arg["instId"]), self._exchange.now_ms()
        if channel == "tickers":
            return [_message(arg, [market_shapes.ticker(one, self._exchange.quotes, now_ms)], {})]
        if channel != "books":
            return []
        whole = market_shapes.book(one, self._exchange.quotes.book(one.symbol, now_ms))
        whole |= {"instId": inst_id(one.symbol)}
        self._books[topic_of(channel, arg["instId"])] = whole
        return [_message(arg, [_since(None, whole)], {"action": "snapshot"})]

    def _frames(self, channel: str, row: Json) -> list[str]:
        return [
            _message(arg, [row], {})
            for arg in self._own
            if arg["channel"] == channel and _fits(arg, row)
        ]


def _fits(arg: Argument, row: Json) -> bool:
    """Whether a subscription asks for the row's kind and instrument."""
    kind, name = arg.get("instType", "ANY"), arg.get("instId", "")
    wants_kind = kind == "ANY" or row.get("instType", kind) == kind
    return wants_kind and name in ("", row.get("instId", name))


def _since(before: Json, whole: Json) -> Json:
    """What changed of a book; zero contracts take a price out."""
    if before is None:
        return whole | {"prevSeqId": -1, "checksum": 0}
    sides = {}
    for side in ("asks", "bids"):
        old, new = {r[0]: r for r in before[side]}, {r[0]: r for r in whole[side]}
        gone = [[price, "0", "0", "0"] for price in old if price not in new]
        sides[side] = gone + [row for price, row in new.items() if old.get(price) != row]
    return whole | sides | {"prevSeqId": before["seqId"], "checksum": 0}


def _message(arg: Argument, rows: list[Json], more: Json) -> str:
    return json.dumps({"arg": arg, "data": rows} | more)


def _event(event: str, arg: Argument) -> str:
    return json.dumps({"event": event, "arg": arg, "connId": _CONNECTION})


def _error(code: str, words: str) -> str:
    return json.dumps({"event": "error", "code": code, "msg": words, "connId": _CONNECTION})
