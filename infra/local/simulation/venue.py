"""The venue: the paper exchange's core and a venue's own wire, with its sockets, in process."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.paper.core.books import Books, Event
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import Row
from local.paper.credentials import Credentials
from local.paper.market.candles import Candles
from local.paper.market.instruments import PaperInstrument
from local.paper.market.market import Market
from local.paper.market.quotes import Quotes
from local.paper.venues import WIRES
from local.paper.wire import Answer, Request, Session
from local.simulation.stage import Stage

START_BALANCE = Decimal(10_000)
CREDENTIALS = Credentials(api_key="paper", api_secret="paper-secret", passphrase="paper-passphrase")
DENIALS = {
    "binance": ("-2027", "Exceeded the maximum allowable position at current leverage."),
    "bybit": ("110090", "Order placement failed as your position may exceed the max limit."),
    "okx": ("51004", "Order failed: the position limit of the tier is exceeded."),
}
_PUMP_MS = 250
_PUMP_OFFSET_MS = 20  # after the market's own moments, so that no trade waits long


class Forgetful:
    """A journal for books that never come back: their process does not die here."""

    def write(self, rows: Iterable[Row]) -> None:
        """Keep nothing."""

    def read(self, kind: str) -> list[dict[str, Any]]:
        del kind
        return []

    def close(self) -> None:
        """Nothing is open."""


class Brief(Quotes):
    """Quotes whose day is the running minute: a real one costs more than the rest of a case."""

    def day(self, symbol: str, now_ms: int) -> Candles:
        return self._open_minute(symbol, now_ms)


@dataclass(eq=False, slots=True)
class Line:
    """One open socket: its session, where its frames go, and what closes it."""

    owner: str
    session: Session
    private: Callable[[str], None]
    market: Callable[[str], None]
    close: Callable[[str], None]
    is_muted: bool = False

    def unmute(self) -> None:
        """Speak again; what was said meanwhile is lost."""
        self.is_muted = False


class VenueSide:
    """One venue with one account, on an actor's loop of its own that never dies."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        market: Market,
        *,
        epoch_ms: int,
        skew_ms: int = 0,
        hedge: bool = False,
    ) -> None:
        self.name = name
        self.loop = stage.actor("venue")
        self.skew_ms = skew_ms
        self.lines: list[Line] = []
        self._stage = stage
        self._epoch_ms = epoch_ms
        books = Books(Forgetful(), START_BALANCE)
        books.account.processed_ms = self.now_ms()
        books.account.hedge_mode = hedge
        self.exchange = PaperExchange(books, Brief(market), self.now_ms)
        self.wire = WIRES[name](self.exchange, CREDENTIALS)
        self.after_pump: Callable[[], None] = lambda: None
        self._pumped_ms = self.now_ms()
        books.listener = self._tell
        self.loop.call_later((_PUMP_MS + _PUMP_OFFSET_MS) / 1000, self._pump)

    @property
    def books(self) -> Books:
        return self.exchange.books

    @property
    def instruments(self) -> tuple[PaperInstrument, ...]:
        return tuple(self.exchange.quotes.instruments.values())

    def now_ms(self) -> int:
        """The venue's own clock."""
        return self._epoch_ms + self._stage.now_us // 1000 + self.skew_ms

    def answer(self, request: Request, *, hide_ms: int, empty: bool, told: str) -> Answer:
        """The wire's answer; what is younger than `hide_ms` is not in it, or nothing is."""
        self.exchange.advance()
        if empty:
            with _hidden(self.books, since_ms=0, positions=told == "positions"):
                return self.wire.answer(request)
        if hide_ms:
            with _hidden(self.books, since_ms=self.now_ms() - hide_ms, positions=False):
                return self.wire.answer(request)
        return self.wire.answer(request)

    def forget(self, owner: str) -> None:
        """The lines of a process that died are cut."""
        self.lines = [line for line in self.lines if line.owner != owner]

    def denied(self) -> Answer:
        """A refusal for reasons of the venue's own, in its words."""
        code, message = DENIALS[self.name]
        return self.wire.rejected(code, message)

    def connect(self, path: str, query: str) -> Session | Answer:
        """Open a socket."""
        return self.wire.session(path, query)

    def _tell(self, event: Event) -> None:
        for line in list(self.lines):
            for text in line.session.told(event):
                line.private(text)

    def _pump(self) -> None:
        self.loop.call_later(_PUMP_MS / 1000, self._pump)
        now_ms = self.exchange.advance()
        if now_ms > self._pumped_ms:
            for line in list(self.lines):
                for topic in sorted(line.session.topics):
                    for text in self.wire.market_events(topic, self._pumped_ms + 1, now_ms):
                        line.market(line.session.framed(topic, text))
            self._pumped_ms = now_ms
        self.after_pump()


@contextmanager
def _hidden(books: Books, *, since_ms: int, positions: bool) -> Iterator[None]:
    """Show nothing that was made since then, as a replica that lags behind would."""
    kept: list[tuple[Any, str, Any]] = []
    for name in ("orders", "open_orders", "algos", "open_algos"):
        rows = getattr(books, name)
        old = {key: row for key, row in rows.items() if row.created_ms < since_ms}
        if len(old) < len(rows):
            kept.append((books, name, rows))
            setattr(books, name, old)
    kept.append((books, "fills", books.fills))
    books.fills = [fill for fill in books.fills if fill.time_ms < since_ms]
    if positions:
        kept.append((books, "positions", books.positions))
        books.positions = {}
    try:
        yield
    finally:
        for owner, name, rows in kept:
            setattr(owner, name, rows)


def decoded(text: str) -> Any:
    """A frame as the client's library hands it on: JSON where it is such, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
