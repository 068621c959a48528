"""One process: the venue on TLS, the control port beside it, the pump from market to sockets."""

import asyncio
import contextlib
import fcntl
import signal
import ssl
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO

from aiohttp import web

from local.paper.certificates import server_context
from local.paper.control import control_app
from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import Journal
from local.paper.market.instruments import instruments
from local.paper.market.market import GeneratedMarket, Market, TapeMarket
from local.paper.market.quotes import Quotes
from local.paper.market.tape import read_tape
from local.paper.venues.binance.listen_keys import ListenKeys
from local.paper.venues.binance.rest import Rest
from local.paper.venues.binance.signing import Credentials
from local.paper.venues.binance.streams import Streams

HOST = "127.0.0.1"
START_BALANCE = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOptions:
    """How to run a paper exchange."""

    port: int
    control_port: int
    directory: Path
    symbols: int
    seed: int
    tape: Path | None
    stream: bool


def now_ms() -> int:
    """The machine's clock: the exchange keeps real time."""
    return time.time_ns() // 1_000_000


def open_market(options: PaperOptions, journal: Journal) -> Market:
    """The generator, or the tape from where this directory first started it."""
    if options.tape is None:
        return GeneratedMarket(instruments(options.symbols), options.seed)
    tracks = read_tape(options.tape, options.seed)[: options.symbols]
    return TapeMarket(tracks, tape_anchor(journal, options.tape.name, now_ms() // 1000))


def lock_directory(directory: Path) -> IO[str]:
    """Hold the directory for this process; the lock ends with the process, however that ends.

    Raises
    ------
    ValueError
        If another paper exchange runs on the directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ValueError(f"another paper exchange runs on {directory}") from None
    return lock


def check_listed(books: Books, quotes: Quotes) -> None:
    """The market must list what the books hold, or nothing could be priced."""
    missing = sorted(books.symbols() - set(quotes.instruments))
    if missing:
        raise ValueError(
            f"the books hold {', '.join(missing)}, which this market does not list:"
            " start with the symbols or tape of before, or with a fresh --dir"
        )


def warm(quotes: Quotes) -> None:
    """Draw the last day once, so that the first client does not wait for it."""
    for symbol in quotes.instruments:
        quotes.day(symbol, now_ms())


def tape_anchor(journal: Journal, name: str, now_s: int) -> int:
    """The second at which a tape's first row plays.

    Now, the first time, and the same ever after.
    """
    known = {row["name"]: row["anchor_s"] for row in journal.read("tape")}
    if name not in known:
        journal.write([("tape", name, {"name": name, "anchor_s": now_s})])
        return now_s
    return int(known[name])


async def serve(options: PaperOptions) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    lock = lock_directory(options.directory)
    journal = Journal(options.directory / "books.sqlite")
    quotes = Quotes(open_market(options, journal))
    books = Books(journal, START_BALANCE)
    check_listed(books, quotes)
    exchange = PaperExchange(books, quotes, now_ms)
    keys = ListenKeys()
    rest = Rest(exchange, Credentials.from_environment(), keys)
    streams = Streams(exchange, keys, refuse=not options.stream)
    venue = _venue_app(rest, streams)
    async with contextlib.AsyncExitStack() as stack:
        context = server_context(options.directory, now_ms() // 1000)
        await _listen(stack, venue, options.port, context)
        await _listen(stack, control_app(exchange), options.control_port, None)
        warm(quotes)
        pump = asyncio.create_task(streams.pump())
        print(_ready_line(options, quotes), flush=True)
        await _until(stop, pump)
        await streams.close()
    journal.close()
    lock.close()


async def _until(stop: asyncio.Event, pump: asyncio.Task[None]) -> None:
    """Wait for the stop signal; a failed pump ends the process with its error."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, pump}, return_when=asyncio.FIRST_COMPLETED)
    if pump.done():
        stopping.cancel()
        pump.result()
    pump.cancel()


def _ready_line(options: PaperOptions, quotes: Quotes) -> str:
    source = options.tape.name if options.tape else f"seed {options.seed}"
    return (
        f"paper exchange ready: https://{HOST}:{options.port},"
        f" books http://{HOST}:{options.control_port}/books,"
        f" {len(quotes.instruments)} symbols from {source}"
    )


def _venue_app(rest: Rest, streams: Streams) -> web.Application:
    async def either(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await streams.connect(request)
        return await rest.answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", either)
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
