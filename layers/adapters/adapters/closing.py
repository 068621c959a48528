"""The end of a second: which symbols came whole, which can be had by asking, and which are gaps."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from adapters.failures import understood
from adapters.feed_settings import FeedSettings
from adapters.pacing import Pace, paced
from adapters.polling import Poller
from adapters.quotes import LastQuotes
from adapters.seconds import SPAN_MS, Seconds
from adapters.sequence import Numbers
from adapters.streams import Stream
from adapters.venues import Dialect
from adapters.wire import Wire
from engine.errors import CtsError
from engine.market import Candles, Kind
from engine.ports import Clock, Log

_REMEMBERED = 16  # candles given lately, so that asking twice gives the same
_TELL_MS = 10_000
_LASTING = 3  # seconds in a row with gaps: more than one lost message or one slow answer


@dataclass(slots=True, kw_only=True)
class Closing:
    """Closes the candles of followed symbols from what their streams and the venue's lists say.

    Attributes
    ----------
    sources : dict of str to int
        How many candles came from `stream` and from `polling`, and how many are a `gap`.
    """

    wire: Wire
    dialect: Dialect
    clock: Clock
    settings: FeedSettings
    log: Log | None
    seconds: Seconds
    numbers: Numbers
    quotes: LastQuotes
    poller: Poller
    streams: Mapping[str, Stream]
    sources: dict[str, int] = field(default_factory=lambda: {"stream": 0, "polling": 0, "gap": 0})
    given: dict[int, Candles] = field(default_factory=dict)
    told_ms: dict[bool, int] = field(default_factory=dict)
    gapped: int = 0  # seconds in a row with gaps

    async def candles(self, close_ms: int) -> Candles:
        """The candle of every symbol that closed at `close_ms`, the same however often asked."""
        if close_ms in self.given:
            return self.given[close_ms]
        streamed = await self._streamed(close_ms) - self.numbers.torn_at(close_ms)
        missing = [each for each in self.seconds.symbols if each not in streamed]
        polled = await self._rebuilt(missing, close_ms) if missing else frozenset()
        made = self.seconds.close(close_ms, alive=streamed | polled)
        gaps = len(missing) - len(polled)
        self.sources["stream"] += len(streamed)
        self.sources["polling"] += len(polled)
        self.sources["gap"] += gaps
        self.gapped = self.gapped + 1 if gaps else 0
        if gaps:
            self._tell_gaps(close_ms, int((made.kind == Kind.GAP).sum()))
        self.given[close_ms] = made
        while len(self.given) > _REMEMBERED:
            self.given.pop(next(iter(self.given)))
        return made

    async def _streamed(self, close_ms: int) -> frozenset[str]:
        """Symbols whose second came whole through their socket."""
        streams = list(set(self.streams.values()))
        wait_ms = self.settings.proof_ms
        proofs = await asyncio.gather(
            *(each.covers(close_ms - SPAN_MS, close_ms, wait_ms=wait_ms) for each in streams)
        )
        whole = {each for each, proven in zip(streams, proofs, strict=True) if proven}
        return frozenset(symbol for symbol, each in self.streams.items() if each in whole)

    async def _rebuilt(self, symbols: Sequence[str], close_ms: int) -> frozenset[str]:
        """Symbols whose second could be had by asking: exactly if the budget allows, or sampled."""
        start_ms = close_ms - SPAN_MS
        exact: frozenset[str] = frozenset()
        weight = self.dialect.trades_weight * len(symbols)
        room = self.wire.limits.room(weight, share=self.settings.rebuild_share)
        if room and self._broke_lately(symbols):
            exact = await self._refetched_all(symbols, start_ms, close_ms)
        if len(exact) == len(symbols):
            return exact
        wait_ms = self.settings.answer_ms
        sampled = await self.poller.covers(start_ms, close_ms, wait_ms=wait_ms)
        return frozenset(symbols) if sampled else exact

    def _broke_lately(self, symbols: Sequence[str]) -> bool:
        lately_ms = self.clock.now_ms() - self.settings.rebuild_ms
        streams = {self.streams[each] for each in symbols if each in self.streams}
        return any(stream.was_live_since(lately_ms) for stream in streams)

    async def _refetched_all(
        self, symbols: Sequence[str], start_ms: int, end_ms: int
    ) -> frozenset[str]:
        """No pause between batches: the second has to be closed."""
        pace = Pace(batch_size=len(symbols), max_concurrent=self.settings.pace.max_concurrent)
        fetch = partial(self._refetched, start_ms=start_ms, end_ms=end_ms)
        done = await paced(symbols, fetch, self.clock, pace)
        return frozenset(each for each, had in zip(symbols, done, strict=True) if had)

    async def _refetched(self, symbol: str, *, start_ms: int, end_ms: int) -> bool:
        """Replace what was gathered for a second by all its trades."""
        try:
            async with asyncio.timeout(self.settings.answer_ms / 1000):
                trades = await understood(
                    self.dialect.trades(self.wire, symbol, start_ms=start_ms, end_ms=end_ms)
                )
        except (TimeoutError, CtsError):
            return False
        self.seconds.forget(symbol, end_ms)
        for trade in trades:
            if self.seconds.add(trade):
                self.quotes.take(symbol, trade.price, trade.event_ms)
        return True

    def _tell_gaps(self, close_ms: int, gaps: int) -> None:
        """One line in many seconds, with what is behind it; a problem once they last."""
        now_ms, lasts = self.clock.now_ms(), self.gapped >= _LASTING
        if self.log is None or now_ms - self.told_ms.get(lasts, 0) < _TELL_MS:
            return
        self.told_ms[lasts] = now_ms
        streams = set(self.streams.values())
        facts = {
            "close_ms": close_ms,
            "gaps": gaps,
            "seconds": self.gapped,
            "symbols": len(self.seconds.symbols),
            "late_ms": max((each.late_ms for each in streams), default=0),
            "broken_streams": sum(not each.is_live for each in streams),
            "last_problem": next((each.last_problem for each in streams if each.last_problem), ""),
            "jumps": self.numbers.jumps,
        }
        tell = self.log.problem if lasts else self.log.fact
        tell("candles are gaps", facts)
