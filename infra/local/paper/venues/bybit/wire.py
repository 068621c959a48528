"""Bybit v5's wire: guards a request, finds its route, answers in Bybit's words."""

import json
from collections.abc import Sequence
from itertools import count

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.credentials import Credentials
from local.paper.venues.bybit import errors
from local.paper.venues.bybit.market_events import MarketEvents
from local.paper.venues.bybit.parameters import of_body, of_query
from local.paper.venues.bybit.position_stops import clear
from local.paper.venues.bybit.private_events import PrivateEvents
from local.paper.venues.bybit.routes import ROUTES, Route
from local.paper.venues.bybit.sessions import PrivateSession, PublicSession
from local.paper.venues.bybit.shapes import Json, uuid
from local.paper.venues.bybit.signing import check_signed, is_login
from local.paper.venues.bybit.troubles import rejected, said, troubled
from local.paper.wire import Answer, Request, Trouble

_PUBLIC, _PRIVATE = "/v5/public/linear", "/v5/private"


class BybitWire:
    """Answers every request and socket of the venue's hosts.

    It tells how many requests are left in a second, and refuses none for their number: a fault plan
    does that.
    """

    name = "bybit"
    hosts: tuple[str, ...] = (".bybit.com", ".bytick.com")

    def __init__(self, exchange: PaperExchange, credentials: Credentials) -> None:
        self.exchange = exchange
        self._credentials = credentials
        self._market = MarketEvents(exchange)
        self._private = PrivateEvents(exchange)
        self._asked: dict[str, tuple[int, int]] = {}
        self._connections = count(1)

    def answer(self, request: Request) -> Answer:
        """Route a request; a refusal becomes the venue's code and words, with HTTP status 200."""
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return Answer(body=self._said(*errors.UNKNOWN_ROUTE), status=404)
        headers = self._limits(route, request.path) if route.is_private else {}
        try:
            body = self._said(0, "OK", self._carried_out(route, request))
        except RefusedError as refusal:
            found = errors.refused(refusal.reason)
            body = self._said(found.code, found.message)
        except errors.VenueError as error:
            body = self._said(error.code, error.message, error.result)
        return Answer(body=body, headers=headers)

    def session(self, path: str, query: str) -> PublicSession | PrivateSession | Answer:
        connection = f"paper-{next(self._connections)}"
        if path == _PUBLIC:
            return PublicSession(self._market, connection)
        if path == _PRIVATE:
            return PrivateSession(self._private, self._is_login, connection, self.exchange.now_ms)
        return Answer(body=self._said(*errors.UNKNOWN_ROUTE), status=404)

    def market_events(self, topic: str, start_ms: int, end_ms: int) -> Sequence[str]:
        return [json.dumps(one) for one in self._market.events(topic, start_ms, end_ms)]

    def printed_trade_id(self, trade_id: int) -> str:
        return uuid(trade_id)

    def troubled(self, trouble: Trouble, *, until_ms: int) -> Answer:
        return troubled(trouble, until_ms=until_ms, now_ms=self.exchange.shown_ms())

    def rejected(self, code: str, message: str) -> Answer:
        return rejected(code, message, self.exchange.shown_ms())

    def expire(self) -> None:
        """Nothing to end but sessions: a login is good for its socket alone."""

    def _carried_out(self, route: Route, request: Request) -> Json:
        payload = request.body if request.method == "POST" else request.query
        if route.is_private:
            shown_ms = self.exchange.shown_ms()
            check_signed(self._credentials, request.headers, payload, shown_ms)
            self.exchange.advance()
            clear(self.exchange)
            if request.method == "POST" and not self.exchange.scripts.key.can_trade:
                raise errors.VenueError(*errors.NO_PERMISSION)
        given = of_body(payload) if request.method == "POST" else of_query(payload)
        given.check_known(route.reads)
        return route.handler(self.exchange, given)

    def _said(self, code: int, message: str, result: Json = None) -> Json:
        return said(code, message, self.exchange.shown_ms(), result)

    def _limits(self, route: Route, path: str) -> dict[str, str]:
        """What is left of this second for a route, and when the next begins."""
        second = self.exchange.now_ms() // 1000
        before = self._asked.get(path, (second, 0))
        asked = before[1] + 1 if before[0] == second else 1
        self._asked[path] = (second, asked)
        return {
            "X-Bapi-Limit": str(route.per_second),
            "X-Bapi-Limit-Status": str(max(route.per_second - asked, 0)),
            "X-Bapi-Limit-Reset-Timestamp": str((second + 1) * 1000),
        }  # fmt: skip

    def _is_login(self, args: object) -> bool:
        return is_login(self._credentials, args, self.exchange.shown_ms())
