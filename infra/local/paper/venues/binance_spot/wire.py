"""Binance spot's wire: guards a request, finds its route, answers in Binance's words."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.core.spot import SpotExchange
from local.paper.credentials import Credentials
from local.paper.venues.binance import errors as common
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.routes import Guard, Route
from local.paper.venues.binance.signing import check_age, check_key, check_signature, decoded
from local.paper.venues.binance.troubles import troubled
from local.paper.venues.binance_spot import errors
from local.paper.venues.binance_spot.market_events import SpotEvents
from local.paper.venues.binance_spot.routes import METHODS, ROUTES
from local.paper.venues.binance_spot.sessions import (
    SUBSCRIBE,
    UNSUBSCRIBE,
    ApiSession,
    MarketSession,
)
from local.paper.wire import Answer, Json, Request, Trouble

_OF_THE_SOCKET = ("apiKey", "returnRateLimits")
_UNKNOWN_METHOD = common.Answer(-1020, "This operation is not supported.", 400)


class BinanceSpotWire:
    """Answers every request and socket of the venue's hosts, over assets instead of positions."""

    name = "binance_spot"
    hosts: tuple[str, ...] = (
        "api.binance.com",
        "api1.binance.com",
        "api2.binance.com",
        "api3.binance.com",
        "api4.binance.com",
        "stream.binance.com",
        "ws-api.binance.com",
        ".binance.vision",
    )

    def __init__(self, exchange: PaperExchange, credentials: Credentials) -> None:
        self.exchange: PaperExchange = SpotExchange(
            exchange.books, exchange.quotes, exchange.now_ms
        )
        self._credentials = credentials
        self._market = SpotEvents(self.exchange)
        self._minute = 0
        self._weight = 0

    def answer(self, request: Request) -> Answer:
        """Route a request; a refusal becomes the venue's code and words."""
        answered = self._answered(request.method, request.path, self._values, request)
        weight = {"X-MBX-USED-WEIGHT-1M": str(self._weight)}
        return Answer(body=answered.body, status=answered.status, headers=weight)

    def session(self, path: str, query: str) -> ApiSession | MarketSession | Answer:
        """`/ws-api/…` is the API's own socket; streams may stand in the path or in the query."""
        if path.startswith("/ws-api"):
            return ApiSession(self.exchange, self._by_socket)
        name = path.rpartition("/")[2]
        wanted = parse_qs(query).get("streams", [""])[0].split("/")
        topics = {one for one in [*wanted, name] if "@" in one or one[:1] == "!"}
        return MarketSession(topics, combined="/stream" in path)

    def market_events(self, topic: str, start_ms: int, end_ms: int) -> Sequence[str]:
        return [json.dumps(one) for one in self._market.events(topic, start_ms, end_ms)]

    def printed_trade_id(self, trade_id: int) -> str:
        return str(trade_id)

    def troubled(self, trouble: Trouble, *, until_ms: int) -> Answer:
        return troubled(trouble, until_ms=until_ms, now_ms=self.exchange.now_ms())

    def rejected(self, code: str, message: str) -> Answer:
        return Answer(body={"code": int(code), "msg": message}, status=400)

    def expire(self) -> None:
        """Nothing is kept: a subscription lives and ends with its socket."""

    def _answered(self, method: str, path: str, read: Any, request: Any) -> Answer:
        try:
            route = ROUTES.get((method, path))
            if route is None:
                raise common.VenueError(common.UNKNOWN_ROUTE)
            self._count(route)
            return Answer(body=self._carried_out(route, read(request, route)))
        except RefusedError as refusal:
            return _said(errors.refused(refusal.reason))
        except common.VenueError as error:
            return _said(error.answer)
        except errors.AnsweredError as error:
            return error.answer

    def _carried_out(self, route: Route, values: Mapping[str, str]) -> Json:
        if route.trades and not self.exchange.scripts.key.can_trade:
            raise common.VenueError(common.BAD_KEY)
        self._weight -= route.saved if "symbol" in values else 0
        given = Parameters(values)
        given.check_known(route.reads)
        return route.handler(self.exchange, given)

    def _values(self, request: Request, route: Route) -> Mapping[str, str]:
        """A request's parameters, its key, signature and age checked where the route wants it."""
        payload = request.query + request.body
        values = decoded(payload)
        if route.guard is Guard.SIGNED:
            check_key(self._credentials, request.headers)
            check_signature(self._credentials, payload)
            check_age(values, self.exchange.shown_ms())
        return values

    def _by_socket(self, method: str, params: Mapping[str, Any]) -> Answer:
        """A method of the API's socket; the key stands among its parameters."""
        if method in (SUBSCRIBE, UNSUBSCRIBE):
            return self._subscribed(params, is_signed=method == SUBSCRIBE)
        if method not in METHODS:
            return _said(_UNKNOWN_METHOD)
        return self._answered(*METHODS[method], self._socket_values, params)

    def _subscribed(self, params: Mapping[str, Any], *, is_signed: bool) -> Answer:
        try:
            if is_signed:
                self._checked(params)
        except common.VenueError as error:
            return _said(error.answer)
        return Answer(body={})

    def _socket_values(self, params: Mapping[str, Any], route: Route) -> Mapping[str, str]:
        values = {name: _text(value) for name, value in params.items()}
        if route.guard is Guard.SIGNED:
            self._checked(params)
        return {name: value for name, value in values.items() if name not in _OF_THE_SOCKET}

    def _checked(self, params: Mapping[str, Any]) -> None:
        """The signature is over all other parameters in the order of their names."""
        values = {name: _text(value) for name, value in params.items()}
        check_key(self._credentials, {"x-mbx-apikey": values.get("apiKey", "")})
        given = values.pop("signature", "")
        payload = "&".join(f"{name}={values[name]}" for name in sorted(values))
        secret = self._credentials.api_secret.encode()
        digest = hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(digest, given):
            raise common.VenueError(common.BAD_SIGNATURE)
        check_age(values, self.exchange.shown_ms())

    def _count(self, route: Route) -> None:
        minute = self.exchange.now_ms() // 60_000
        if minute != self._minute:
            self._minute, self._weight = minute, 0
        self._weight += route.weight


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(answer: common.Answer) -> Answer:
    return Answer(body=errors.body_of(answer), status=answer.status)
