"""The REST side: guards a request, finds its route, answers as JSON."""

import logging
import time

from aiohttp import web

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.venues.binance import errors
from local.paper.venues.binance.listen_keys import ListenKeys
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.routes import ROUTES, Guard, Route
from local.paper.venues.binance.signing import Credentials, check_age, decoded

LOG = logging.getLogger("local.paper")
_LISTEN_KEY = "/fapi/v1/listenKey"


class Rest:
    """Answers every HTTP request of the venue's hosts."""

    def __init__(self, exchange: PaperExchange, credentials: Credentials, keys: ListenKeys) -> None:
        self._exchange = exchange
        self._credentials = credentials
        self._keys = keys
        self._minute = 0
        self._weight = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Route a request; a refusal becomes the venue's code and words."""
        started = time.perf_counter()
        payload = request.rel_url.raw_query_string + await request.text()
        try:
            body, status = self._dispatch(request, payload), 200
        except RefusedError as refusal:
            body, status = _error(errors.refused(refusal.reason))
        except errors.VenueError as error:
            body, status = _error(error.answer)
        LOG.debug("%s %s %s %.1f ms", request.method, request.path, status,
                  (time.perf_counter() - started) * 1000)  # fmt: skip
        return web.json_response(body, status=status, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"X-MBX-USED-WEIGHT-1M": str(self._weight)}

    def _dispatch(self, request: web.Request, payload: str) -> Json:
        if request.path == _LISTEN_KEY:
            return self._listen_key(request)
        route = ROUTES.get((request.method, request.path))
        if route is None:
            raise errors.VenueError(errors.UNKNOWN_ROUTE)
        self._count(route)
        values = decoded(payload)
        if route.guard is Guard.SIGNED:
            self._credentials.check_key(request.headers)
            self._credentials.check_signature(payload)
            check_age(values, self._exchange.now_ms())
        given = Parameters(values)
        given.check_known(route.reads)
        return route.handler(self._exchange, given)

    def _count(self, route: Route) -> None:
        minute = self._exchange.now_ms() // 60_000
        if minute != self._minute:
            self._minute, self._weight = minute, 0
        self._weight += route.weight

    def _listen_key(self, request: web.Request) -> Json:
        """Key-only routes of the user data stream."""
        self._credentials.check_key(request.headers)
        if request.method == "POST":
            return {"listenKey": self._keys.issue(self._exchange.now_ms())}
        if request.method == "PUT":
            return {"listenKey": self._keys.extend(self._exchange.now_ms())}
        if request.method == "DELETE":
            self._keys.close()
            return {}
        raise errors.VenueError(errors.UNKNOWN_ROUTE)


def _error(answer: errors.Answer) -> tuple[Json, int]:
    return {"code": answer.code, "msg": answer.message}, answer.status
