"""What a paper directory opens as: one market, and each venue's books over it."""

import contextlib
import fcntl
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO

from local.paper.control import DEFAULT_VENUE
from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import Journal
from local.paper.credentials import Credentials
from local.paper.market.instruments import instruments
from local.paper.market.market import GeneratedMarket, Market, TapeMarket
from local.paper.market.quotes import Quotes
from local.paper.market.tape import read_tape
from local.paper.venues import WIRES
from local.paper.wire import VenueWire

START_BALANCE = Decimal(10_000)
GENERATOR = "generated"
"""What the generator's beginning is kept under, where tapes have their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOptions:
    """How to run a paper exchange."""

    port: int
    control_port: int
    directory: Path
    symbols: int
    seed: int
    tape: Path | None
    begin_s: int | None
    """The generator's second that plays when the directory first starts; None: the clock's."""
    stream: bool


def now_ms() -> int:
    """The machine's clock: the exchange keeps real time."""
    return time.time_ns() // 1_000_000


def open_market(options: PaperOptions) -> Market:
    """The generator, or the tape from where this directory first started it."""
    if options.tape is None:
        ahead_s = 0 if options.begin_s is None else options.begin_s - _begun_s(options, GENERATOR)
        return GeneratedMarket(instruments(options.symbols), options.seed, ahead_s=ahead_s)
    tracks = read_tape(options.tape, options.seed)[: options.symbols]
    return TapeMarket(tracks, _begun_s(options, options.tape.name))


def _begun_s(options: PaperOptions, name: str) -> int:
    file = journal_file(options.directory, DEFAULT_VENUE)
    with contextlib.closing(Journal(file)) as journal:
        return market_anchor(journal, name, now_ms() // 1000)


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


def market_anchor(journal: Journal, name: str, now_s: int) -> int:
    """The second at which a tape's first row, or the generator's first second, plays.

    Now, the first time, and the same ever after.
    """
    known = {row["name"]: row["anchor_s"] for row in journal.read("tape")}
    if name not in known:
        journal.write([("tape", name, {"name": name, "anchor_s": now_s})])
        return now_s
    return int(known[name])


def journal_file(directory: Path, venue: str) -> Path:
    """Where a venue's books lie."""
    return directory / ("books.sqlite" if venue == DEFAULT_VENUE else f"books_{venue}.sqlite")


def open_venues(directory: Path, market: Market, seed: int) -> list[VenueWire]:
    """Every venue's wire, over books of its own and the one market; `seed` draws its depth."""
    credentials, wires = Credentials.from_environment(), []
    for name, make in WIRES.items():
        books = Books(Journal(journal_file(directory, name)), START_BALANCE)
        quotes = Quotes(market, seed=seed)
        check_listed(books, quotes)
        wires.append(make(PaperExchange(books, quotes, now_ms), credentials))
    return wires
