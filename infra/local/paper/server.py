"""One process: every venue on one TLS port, the control port beside it, one market for all."""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
from local.paper.wire import VenueWire

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where the venues and the control port are open, and what is behind them."""

    port: int
    control_port: int
    venues: Mapping[str, Served]
    plan: FaultPlan
    pump: asyncio.Task[None]


async def serve(options: PaperOptions) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lock = lock_directory(options.directory)
    market = open_market(options)
    wires = open_venues(options.directory, market, options.seed)
    async with serving(
        wires, options.directory, port=options.port, control_port=options.control_port,
        stream=options.stream,
    ) as doors:  # fmt: skip
        warm(wires[0].exchange.quotes)
        print(_ready_line(options, market), flush=True)
        await _until(stop, doors.pump)
    for one in wires:
        one.exchange.books.close()
    lock.close()


@contextlib.asynccontextmanager
async def serving(
    wires: Sequence[VenueWire],
    directory: Path,
    *,
    port: int = 0,
    control_port: int = 0,
    stream: bool = True,
) -> AsyncIterator[Doors]:
    """Open the doors of these venues for the length of a block; a port of 0 takes a free one."""
    hosts, plan = Hosts(wires), FaultPlan(DEFAULT_SEED)
    venues = {one.name: Served(one, plan, stream=stream) for one in wires}
    async with contextlib.AsyncExitStack() as stack:
        context = server_context(directory, hosts.certified(), now_ms() // 1000)
        control = control_app({one.name: one for one in wires}, FaultRoutes(plan, venues).routes())
        ports = (
            await _listen(stack, _venue_app(hosts, venues), port, context),
            await _listen(stack, control, control_port, None),
        )
        pumping = asyncio.create_task(pump([*venues.values()]))
        stack.callback(pumping.cancel)
        yield Doors(port=ports[0], control_port=ports[1], venues=venues, plan=plan, pump=pumping)
        for one in venues.values():
            await one.sockets.close()


async def _until(stop: asyncio.Event, pump: asyncio.Task[None]) -> None:
    """Wait for the stop signal; a failed pump ends the process with its error."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, pump}, return_when=asyncio.FIRST_COMPLETED)
    if pump.done():
        stopping.cancel()
        pump.result()


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
) -> int:
    """Serve an app; the port it got."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, HOST, port, ssl_context=context).start()
    return int(runner.addresses[0][1])
