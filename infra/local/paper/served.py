"""One venue behind the port: its requests under the fault plan, its sockets, its moments."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from local.paper.faults.carrying import Carrier, Ending
from local.paper.faults.kinds import Where
from local.paper.faults.plan import Fault, FaultPlan
from local.paper.sockets import Sockets
from local.paper.wire import Answer, Request, VenueWire

PUMP_S = 0.025
_LOOK_S = 0.1
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Served:
    """A venue's wire as clients reach it."""

    def __init__(self, wire: VenueWire, plan: FaultPlan, *, stream: bool) -> None:
        self.wire = wire
        self.sockets = Sockets(wire, plan)
        self._plan = plan
        self._stream = stream
        self._carrier = Carrier(wire, plan, expire=self.sockets.expire)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A request or a socket of one of its hosts."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await self._answer(request)
        if not self._stream:
            return web.Response(status=503, text="streams are off")
        served = await self.sockets.connect(request)
        return _response(served) if isinstance(served, Answer) else served

    def pump(self) -> None:
        """Do what is due, then push the market."""
        for fault in self._plan.due(self.wire.name, self.wire.exchange.now_ms()):
            self._carrier.act(fault)
        self.sockets.pump()

    def act(self, fault: Fault) -> str:
        """A fault now, tied to no request; what became of it, in words."""
        if fault.rule.where is Where.BOOK:
            return self._carrier.act(fault)
        return f"{self.sockets.act(fault)} sockets"

    async def _answer(self, request: web.Request) -> web.Response:
        arrival = self._carrier.arrive(await _request(request))
        await _wait(arrival.wait_ms)
        outcome = self._carrier.finish(arrival)
        await _wait(outcome.wait_ms)
        if outcome.ending is Ending.HUNG:
            await _until_gone(request)
        if outcome.ending is not Ending.ANSWERED and request.transport is not None:
            request.transport.abort()
        return _response(outcome.answer)


async def pump(venues: Sequence[Served]) -> None:
    """Push the market to every venue's sockets, for ever."""
    while True:
        for one in venues:
            one.pump()
        await asyncio.sleep(PUMP_S)


async def _wait(wait_ms: int) -> None:
    if wait_ms:
        await asyncio.sleep(wait_ms / 1000)


async def _until_gone(request: web.Request) -> None:
    """Hold the line open until the client gives up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(_LOOK_S)


async def _request(request: web.Request) -> Request:
    return Request(
        method=request.method, path=request.path, query=request.rel_url.raw_query_string,
        body=await request.text(),
        headers={name.lower(): value for name, value in request.headers.items()},
    )  # fmt: skip


def _response(answer: Answer) -> web.Response:
    headers = _JSON | dict(answer.headers)
    return web.Response(text=answer.text, status=answer.status, headers=headers)
