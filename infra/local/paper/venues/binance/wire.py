"""Binance USD-M's wire: guards a request, finds its route, answers in Binance's words."""

import json
from collections.abc import Sequence
from urllib.parse import parse_qs

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.credentials import Credentials
from local.paper.venues.binance import errors
from local.paper.venues.binance.listen_keys import ListenKeys
from local.paper.venues.binance.market_events import MarketEvents
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.routes import ROUTES, Guard, Route
from local.paper.venues.binance.sessions import BinanceSession
from local.paper.venues.binance.signing import check_age, check_key, check_signature, decoded
from local.paper.venues.binance.troubles import troubled
from local.paper.wire import Answer, Json, Request, Trouble

_LISTEN_KEY = "/fapi/v1/listenKey"


class BinanceWire:
    """Answers every request and socket of the venue's hosts."""

    name = "binance"
    hosts: tuple[str, ...] = (".binance.com", ".binancefuture.com")

    def __init__(self, exchange: PaperExchange, credentials: Credentials) -> None:
        self.exchange = exchange
        self._credentials = credentials
        self._keys = ListenKeys()
        self._market = MarketEvents(exchange)
        self._minute = 0
        self._weight = 0

    def answer(self, request: Request) -> Answer:
        """Route a request; a refusal becomes the venue's code and words."""
        try:
            body, status = self._dispatch(request), 200
        except RefusedError as refusal:
            body, status = _error(errors.refused(refusal.reason))
        except errors.VenueError as error:
            body, status = _error(error.answer)
        weight = {"X-MBX-USED-WEIGHT-1M": str(self._weight)}
        return Answer(body=body, status=status, headers=weight)

    def session(self, path: str, query: str) -> BinanceSession | Answer:
        """Streams and listen key may stand in the path (`/ws/…`) or in the query."""
        values, now_ms = parse_qs(query), self.exchange.now_ms()
        name = path.rpartition("/")[2]
        asked = values.get("listenKey", [""])[0]
        key = next((one for one in (name, asked) if self._keys.is_valid(one, now_ms)), "")
        if asked and not key:
            body, status = _error(errors.INVALID_LISTEN_KEY)
            return Answer(body=body, status=status)
        session = BinanceSession(
            self.exchange, self._keys, listen_key=key, combined="/stream" in path
        )
        wanted = values.get("streams", [""])[0].split("/")
        session.topics.update(one for one in [*wanted, name] if "@" in one or one[:1] == "!")
        return session

    def market_events(self, topic: str, start_ms: int, end_ms: int) -> Sequence[str]:
        return [json.dumps(one) for one in self._market.events(topic, start_ms, end_ms)]

    def printed_trade_id(self, trade_id: int) -> str:
        return str(trade_id)

    def troubled(self, trouble: Trouble, *, until_ms: int) -> Answer:
        return troubled(trouble, until_ms=until_ms, now_ms=self.exchange.now_ms())

    def rejected(self, code: str, message: str) -> Answer:
        number = int(code) if code.removeprefix("-").isdigit() else code
        return Answer(body={"code": number, "msg": message}, status=400)

    def expire(self) -> None:
        self._keys.close()

    def _dispatch(self, request: Request) -> Json:
        if request.path == _LISTEN_KEY:
            return self._listen_key(request)
        route = ROUTES.get((request.method, request.path))
        if route is None:
            raise errors.VenueError(errors.UNKNOWN_ROUTE)
        self._count(route)
        payload = request.query + request.body
        values = decoded(payload)
        self._weight -= route.saved if "symbol" in values else 0
        if route.guard is Guard.SIGNED:
            check_key(self._credentials, request.headers)
            check_signature(self._credentials, payload)
            check_age(values, self.exchange.shown_ms())
        if route.trades and not self.exchange.scripts.key.can_trade:
            raise errors.VenueError(errors.BAD_KEY)
        given = Parameters(values)
        given.check_known(route.reads)
        return route.handler(self.exchange, given)

    def _count(self, route: Route) -> None:
        minute = self.exchange.now_ms() // 60_000
        if minute != self._minute:
            self._minute, self._weight = minute, 0
        self._weight += route.weight

    def _listen_key(self, request: Request) -> Json:
        """Key-only routes of the user data stream."""
        check_key(self._credentials, request.headers)
        now_ms = self.exchange.now_ms()
        if request.method == "POST":
            return {"listenKey": self._keys.issue(now_ms)}
        if request.method == "PUT":
            return {"listenKey": self._keys.extend(now_ms)}
        if request.method == "DELETE":
            self._keys.close()
            return {}
        raise errors.VenueError(errors.UNKNOWN_ROUTE)


def _error(answer: errors.Answer) -> tuple[Json, int]:
    return {"code": answer.code, "msg": answer.message}, answer.status
