"""OKX v5's wire: guards a request, finds its route, answers in OKX's words."""

import json
from collections.abc import Sequence

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.credentials import Credentials
from local.paper.venues.okx import errors
from local.paper.venues.okx.channels import Channels
from local.paper.venues.okx.parameters import Parameters, of_body, of_query
from local.paper.venues.okx.routes import Actor, Route, route_of, takes_list
from local.paper.venues.okx.sessions import OkxSession
from local.paper.venues.okx.signing import check_deadline, check_signed
from local.paper.venues.okx.troubles import troubled
from local.paper.wire import Answer, Json, Request, Trouble

_SOCKETS = {"/ws/v5/public": "public", "/ws/v5/business": "business", "/ws/v5/private": "private"}


class OkxWire:
    """Answers every request and socket of the venue's hosts."""

    name = "okx"
    hosts: tuple[str, ...] = (".okx.com",)

    def __init__(self, exchange: PaperExchange, credentials: Credentials) -> None:
        self.exchange = exchange
        self._credentials = credentials
        self._channels = Channels(exchange)

    def answer(self, request: Request) -> Answer:
        """Route a request; a refusal becomes the venue's code and words."""
        try:
            return self._dispatch(request)
        except RefusedError as refusal:
            return _refused(errors.refused(refusal.reason))
        except errors.VenueError as error:
            return _refused(error.refusal)

    def session(self, path: str, query: str) -> OkxSession | Answer:
        """Market data, candles and conditional orders, and the account have an address each."""
        access = _SOCKETS.get(path)
        if access is None:
            return _refused(errors.UNKNOWN_ROUTE)
        return OkxSession(self.exchange, self._credentials, self._channels, access)

    def market_events(self, topic: str, start_ms: int, end_ms: int) -> Sequence[str]:
        return [json.dumps(one) for one in self._channels.events(topic, start_ms, end_ms)]

    def printed_trade_id(self, trade_id: int) -> str:
        return str(trade_id)

    def troubled(self, trouble: Trouble, *, until_ms: int) -> Answer:
        return troubled(trouble)

    def rejected(self, code: str, message: str) -> Answer:
        return Answer(body=_bulk([_row_of(errors.Refusal(code, message))]))

    def expire(self) -> None:
        """Nothing to end but sessions: a login is good for its socket alone."""

    def _dispatch(self, request: Request) -> Answer:
        route = route_of(request.method, request.path)
        if route is None:
            raise errors.VenueError(errors.UNKNOWN_ROUTE)
        if route.is_private:
            check_signed(self._credentials, request, self.exchange.shown_ms())
        given = [of_query(request.query)] if request.method == "GET" else of_body(request.body)
        if route.reader is not None:
            given[0].check_known(route.reads)
            return _done(route.reader(self.exchange, given[0]))
        return self._acted(route, request, given)

    def _acted(self, route: Route, request: Request, given: list[Parameters]) -> Answer:
        """Orders one by one, each with its own outcome."""
        is_list = request.body.lstrip().startswith("[")
        if route.actor is None or is_list != takes_list(request.path):
            raise errors.VenueError(errors.BAD_JSON)
        if len(given) > _MOST:
            raise errors.VenueError(errors.Refusal("51111", "Maximum 20 orders in a request."))
        return Answer(body=_bulk([self._one(route, route.actor, request, one) for one in given]))

    def _one(self, route: Route, actor: Actor, request: Request, given: Parameters) -> Json:
        try:
            if route.has_deadline:
                check_deadline(request.headers, self.exchange.shown_ms())
            given.check_known(route.reads)
            return actor(self.exchange, given)
        except RefusedError as refusal:
            return _row_of(errors.refused(refusal.reason), given.text("clOrdId", ""))
        except errors.VenueError as error:
            return _row_of(error.refusal, given.text("clOrdId", ""))


_MOST = 20


def _done(rows: list[Json]) -> Answer:
    return Answer(body={"code": "0", "data": rows, "msg": ""})


def _refused(refusal: errors.Refusal) -> Answer:
    body = {"code": refusal.code, "data": [], "msg": refusal.message}
    return Answer(body=body, status=refusal.status)


def _row_of(refusal: errors.Refusal, client_id: str = "") -> Json:
    return {
        "clOrdId": client_id, "ordId": "", "algoId": "", "tag": "", "sCode": refusal.code,
        "sMsg": refusal.message,
    }  # fmt: skip


def _bulk(rows: list[Json]) -> Json:
    """All done, none done, or some: each row says which."""
    bad = sum(row["sCode"] != "0" for row in rows)
    code = "0" if not bad else "1" if bad == len(rows) else "2"
    msg = {"0": "", "1": "All operations failed", "2": "Bulk operation partially successful"}[code]
    return {"code": code, "data": rows, "msg": msg}
