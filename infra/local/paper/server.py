"""One process: every venue on one TLS port, the control port beside it, one market for all."""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Mapping

from aiohttp import web

from local.paper.certificates import server_context
from local.paper.control import control_app
from local.paper.fault_routes import DEFAULT_SEED, FaultRoutes
from local.paper.faults import FaultPlan
from local.paper.hosts import Hosts
from local.paper.market.market import Market
from local.paper.opening import (
    PaperOptions,
    lock_directory,
    now_ms,
    open_market,
    open_venues,
    warm,
)
from local.paper.served import Served, pump

HOST = "127.0.0.1"


async def serve(options: PaperOptions) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lock = lock_directory(options.directory)
    market = open_market(options)
    wires = open_venues(options.directory, market)
    hosts, plan = Hosts(wires), FaultPlan(DEFAULT_SEED)
    venues = {one.name: Served(one, plan, stream=options.stream) for one in wires}
    exchanges = {one.name: one.exchange for one in wires}
    async with contextlib.AsyncExitStack() as stack:
        context = server_context(options.directory, hosts.certified(), now_ms() // 1000)
        control = control_app(exchanges, FaultRoutes(plan, venues).routes())
        await _listen(stack, _venue_app(hosts, venues), options.port, context)
        await _listen(stack, control, options.control_port, None)
        warm(wires[0].exchange.quotes)
        pumping = asyncio.create_task(pump([*venues.values()]))
        print(_ready_line(options, market), flush=True)
        await _until(stop, pumping)
        for one in venues.values():
            await one.sockets.close()
    for exchange in exchanges.values():
        exchange.books.close()
    lock.close()


async def _until(stop: asyncio.Event, pump: asyncio.Task[None]) -> None:
    """Wait for the stop signal; a failed pump ends the process with its error."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, pump}, return_when=asyncio.FIRST_COMPLETED)
    if pump.done():
        stopping.cancel()
        pump.result()
    pump.cancel()


def _ready_line(options: PaperOptions, market: Market) -> str:
    source = options.tape.name if options.tape else f"seed {options.seed}"
    return (
        f"paper exchange ready: https://{HOST}:{options.port},"
        f" books http://{HOST}:{options.control_port}/books,"
        f" {len(market.instruments)} symbols from {source}"
    )


def _venue_app(hosts: Hosts, venues: Mapping[str, Served]) -> web.Application:
    async def by_host(request: web.Request) -> web.StreamResponse:
        return await venues[hosts.wire(request.host).name].handle(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", by_host)
    return app


async def _listen(
    stack: contextlib.AsyncExitStack,
    app: web.Application,
    port: int,
    context: ssl.SSLContext | None,
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, HOST, port, ssl_context=context).start()
