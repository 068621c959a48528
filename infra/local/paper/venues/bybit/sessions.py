"""One client's socket: topics of the market, or of the account after a login."""

import json
from collections.abc import Callable, Sequence

from local.paper.core.books import Event
from local.paper.venues.bybit.market_events import MarketEvents
from local.paper.venues.bybit.private_events import TOPICS, PrivateEvents
from local.paper.venues.bybit.shapes import Json

Login = Callable[[object], bool]


class PublicSession:
    """Follows the market."""

    def __init__(self, market: MarketEvents, connection: str) -> None:
        self.topics: set[str] = set()
        self._market = market
        self._connection = connection
        self._unseen: set[str] = set()  # books of which nothing was told yet

    @property
    def is_private(self) -> bool:
        return False

    def heard(self, text: str) -> Sequence[str]:
        """Act on subscribe, unsubscribe or ping; a subscription is followed by its snapshots."""
        request = _request(text)
        op, args = request.get("op"), _names(request)
        unknown = [topic for topic in args if not self._market.is_known(topic)]
        if op == "ping":
            return (self._answer(request, "pong"),)
        if op not in ("subscribe", "unsubscribe"):
            return (self._answer(request, "error:invalid op", success=False),)
        if unknown:
            said = f"error:handler not found,topic:{unknown[0]}"
            return (self._answer(request, said, success=False),)
        if op == "unsubscribe":
            self.topics -= set(args)
            return (self._answer(request, ""),)
        self._unseen |= {one for one in args if one.startswith("orderbook.")} - self.topics
        self.topics |= set(args)
        snapshots = [json.dumps(one) for topic in args for one in self._market.snapshot(topic)]
        return (self._answer(request, "subscribe"), *snapshots)

    def framed(self, topic: str, text: str) -> str:
        """The first a client hears of a book is all of it, on which later changes build."""
        if topic not in self._unseen:
            return text
        self._unseen.discard(topic)
        return json.dumps(self._market.book(topic, json.loads(text)["ts"]))

    def told(self, event: Event) -> Sequence[str]:
        """Nothing of the account."""
        return ()

    def expired(self) -> Sequence[str]:
        """It never saw the account."""
        return ()

    def _answer(self, request: Json, said: str, *, success: bool = True) -> str:
        return json.dumps({
            "success": success, "ret_msg": said, "conn_id": self._connection,
            "req_id": str(request.get("req_id", "")), "op": request.get("op", ""),
        })  # fmt: skip


class PrivateSession:
    """Hears of the account what it subscribed to, once it has logged in."""

    def __init__(
        self, events: PrivateEvents, login: Login, connection: str, clock: Callable[[], int]
    ) -> None:
        self.topics: set[str] = set()  # of the market: none
        self._events = events
        self._login = login
        self._connection = connection
        self._clock = clock
        self._is_known = False
        self._followed: set[str] = set()

    @property
    def is_private(self) -> bool:
        return self._is_known and bool(self._followed)

    def heard(self, text: str) -> Sequence[str]:
        """Act on auth, subscribe, unsubscribe or ping."""
        request = _request(text)
        match request.get("op"):
            case "ping":
                pong = {"req_id": str(request.get("req_id", "")), "op": "pong"}
                times = {"args": [str(self._clock())], "conn_id": self._connection}
                return (json.dumps(pong | times),)
            case "auth":
                self._is_known = self._login(request.get("args"))
                said = "" if self._is_known else "error:USVC1111"
                return (self._answer(request, said, success=self._is_known),)
            case "subscribe" | "unsubscribe" as op:
                return (self._follow(request, op),)
        return (self._answer(request, "error:invalid op", success=False),)

    def framed(self, topic: str, text: str) -> str:
        return text

    def told(self, event: Event) -> Sequence[str]:
        """The messages of the followed topics."""
        if not self._followed:
            return ()
        messages = self._events.messages(event)
        return [json.dumps(one) for one in messages if one["topic"] in self._followed]

    def expired(self) -> Sequence[str]:
        """Without a key Bybit hangs up."""
        self._is_known = False
        self._followed.clear()
        return ()

    def _follow(self, request: Json, op: str) -> str:
        names = _names(request)
        if not self._is_known:
            return self._answer(request, "Request not authorized", success=False)
        unknown = sorted(set(names) - set(TOPICS))
        if unknown:
            said = f"error:handler not found,topic:{unknown[0]}"
            return self._answer(request, said, success=False)
        if op == "subscribe":
            self._followed |= set(names)
        else:
            self._followed -= set(names)
        return self._answer(request, "")

    def _answer(self, request: Json, said: str, *, success: bool = True) -> str:
        row = {
            "success": success, "ret_msg": said, "op": request.get("op", ""),
            "conn_id": self._connection,
        }  # fmt: skip
        return json.dumps(row | ({"req_id": str(request["req_id"])} if "req_id" in request else {}))


def _request(text: str) -> Json:
    """A client's message; what is none is an empty one."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _names(request: Json) -> list[str]:
    args = request.get("args")
    return [one for one in args if isinstance(one, str)] if isinstance(args, list) else []
