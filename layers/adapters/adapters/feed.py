"""Market prices and the account's own events, stream first: `engine.ports.Feed` over ccxt."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.backfill import backfill
from adapters.closing import Closing
from adapters.failures import understood
from adapters.feed_settings import FeedSettings
from adapters.polling import Poller
from adapters.private import BlindAccount, PrivateStream
from adapters.quotes import LastQuotes
from adapters.seconds import Seconds
from adapters.sequence import Numbers
from adapters.streams import Stream
from adapters.venues import Dialect, LastPrice, Socket, TellsTime, Trade, is_price
from adapters.wire import Wire
from engine.errors import RetryableError
from engine.events import Event, Quote
from engine.market import Candles
from engine.ports import Clock, Log
from engine.values import Instrument

_TURN_MS = 250


class CcxtFeed:
    """Lives as long as its container; must be made and used inside one running loop."""

    def __init__(
        self,
        wire: Wire,
        dialect: Dialect,
        clock: Clock,
        *,
        settings: FeedSettings | None = None,
        log: Log | None = None,
    ) -> None:
        self._wire = wire
        self._dialect = dialect
        self._clock = clock
        self._settings = settings or FeedSettings()
        self._instruments: tuple[Instrument, ...] = ()
        self._seconds = Seconds()
        self._streams: dict[str, Stream] = {}  # by symbol; several symbols share one
        self._private: PrivateStream | BlindAccount | None = None
        self._poller = Poller(wire, dialect, clock, self._on_prices, poll_ms=self._settings.poll_ms)
        self._quotes = LastQuotes()
        self._numbers = Numbers()
        self._log = log
        self._closing = Closing(
            wire=wire,
            dialect=dialect,
            clock=clock,
            settings=self._settings,
            log=log,
            seconds=self._seconds,
            numbers=self._numbers,
            quotes=self._quotes,
            poller=self._poller,
            streams=self._streams,
        )
        self._turned_ms = clock.now_ms()
        self._turner: asyncio.Task[None] | None = None
        self._opened = 0
        self.shed = 0  # how often a stream was let go because it was read too late

    @property
    def late_trades(self) -> int:
        """Trades that arrived after their candle had closed."""
        return self._seconds.late

    @property
    def jumps(self) -> int:
        """How often a stream's numbers showed that trades were lost."""
        return self._numbers.jumps

    @property
    def breaks(self) -> int:
        """How often sockets that are still in use broke."""
        return sum(stream.breaks for stream in set(self._streams.values()))

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        self._turn()
        if self._turner is None:
            self._turner = asyncio.create_task(self._keep_turning())
        if tuple(instruments) != self._instruments:
            await self._change(tuple(instruments))
        if private and self._private is None:
            self._private = self._open_private()
        elif not private and self._private is not None:
            leaving, self._private = self._private, None
            await leaving.close()
        settings = self._settings
        self._poller.poll_ms = settings.poll_ms if private else settings.slow_poll_ms

    async def candles(self, close_ms: int) -> Candles:
        if self._clock.now_ms() - self._turned_ms > _TURN_MS * 2:
            await asyncio.sleep(0.02)  # the loop stood still: first read what lies in the sockets
        self._turn()
        return await self._closing.candles(close_ms)

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        share = self._settings.rebuild_share
        pieces = await understood(
            backfill(
                self._wire,
                self._dialect,
                self._clock,
                self._instruments,
                start_ms=start_ms,
                end_ms=end_ms,
                pace=self._settings.pace,
                room=lambda weight: self._wire.limits.room(weight, share=share),
            )
        )
        for piece in pieces[-1:]:
            for index, symbol in enumerate(piece.symbols):
                if price := int(piece.close[-1, index]):
                    self._seconds.know_close(symbol, price, int(piece.close_ms[-1]))
        return pieces

    def quotes(self) -> Mapping[str, Quote]:
        self._turn()
        return self._quotes.of({each: self._seen_ms(each) for each in self._seconds.symbols})

    def events(self) -> tuple[Event, ...]:
        return self._private.drain() if self._private is not None else ()

    def sources(self) -> Mapping[str, int]:
        return dict(self._closing.sources)

    async def close(self) -> None:
        turner, self._turner = self._turner, None
        if turner is not None:
            turner.cancel()
            await asyncio.gather(turner, return_exceptions=True)
        await self._poller.stop()
        if self._private is not None:
            await self._private.close()
        await asyncio.gather(*(stream.close() for stream in set(self._streams.values())))
        self._streams.clear()
        self._private = None
        await self._wire.close()

    async def _change(self, instruments: tuple[Instrument, ...]) -> None:
        """Open a socket for the new symbols, close those of which no symbol is left."""
        self._instruments = instruments
        self._seconds.follow(instruments)
        self._closing.given.clear()
        wanted = {each.symbol for each in instruments}
        gone = {symbol: s for symbol, s in self._streams.items() if symbol not in wanted}
        for symbol in gone:
            del self._streams[symbol]
        added = [each for each in self._seconds.symbols if each not in self._streams]
        if added and self._settings.stream:
            stream = self._market_stream(added)
            self._streams.update(dict.fromkeys(added, stream))
        for stream in set(gone.values()) - set(self._streams.values()):
            await stream.close()
        if not self._settings.stream and wanted:
            self._poller.start()
        await self._learn_prices()

    def _open_private(self) -> PrivateStream | BlindAccount:
        if not self._settings.stream:
            return BlindAccount(self._clock)
        patience = self._settings.patience
        return PrivateStream(self._wire, self._dialect, self._clock, patience=patience)

    async def _learn_prices(self) -> None:
        """Last closes for symbols that do not trade at once."""
        try:
            self._on_prices(await understood(self._dialect.last_prices(self._wire)))
        except RetryableError:
            return  # they become known with the first trade

    def _market_stream(self, symbols: Sequence[str]) -> Stream:
        self._opened += 1
        key = f"market-{self._opened}"

        async def open_socket() -> Socket:
            return self._dialect.market_socket(self._wire.client(), symbols, key=key)

        def on_break(seen_ms: int) -> None:
            self._numbers.forget(symbols)

        return Stream(
            self._wire,
            self._clock,
            open_socket,
            self._on_market,
            patience=self._settings.patience,
            speaks=True,
            on_break=on_break,
            time_of=self._dialect.event_ms if isinstance(self._dialect, TellsTime) else None,
        )

    def _on_market(self, message: Any) -> None:
        for trade in self._dialect.read_trades(message):
            if self._numbers.take(trade) and (self._seconds.add(trade) or trade.is_sound):
                self._quotes.take(trade.symbol, trade.price, trade.event_ms)

    def _on_prices(self, prices: Sequence[LastPrice]) -> None:
        """Samples: true trades, though not all of them."""
        followed = {each.symbol: each for each in self._instruments}
        for each in prices:
            if each.symbol not in followed or not is_price(each.price):
                continue
            ticks = followed[each.symbol].to_ticks(each.price)
            self._seconds.know_close(each.symbol, ticks, each.event_ms)
            is_news = self._quotes.take(each.symbol, str(each.price), each.event_ms)
            if is_news and not self._is_streamed(each.symbol):
                self._seconds.add(Trade(each.symbol, each.event_ms, str(each.price), "0", 0))

    def _is_streamed(self, symbol: str) -> bool:
        stream = self._streams.get(symbol)
        return stream is not None and stream.is_live

    def _seen_ms(self, symbol: str) -> int:
        stream = self._streams.get(symbol)
        streamed = stream.proof_ms if stream is not None else 0
        return max(streamed, self._poller.asked_ms)

    async def _keep_turning(self) -> None:
        while True:
            self._turn()
            await self._poll_while_broken()
            await self._clock.sleep_until_ms(self._clock.now_ms() + _TURN_MS)

    def _turn(self) -> None:
        """Notice a freeze, and silent sockets."""
        now_ms = self._clock.now_ms()
        frozen_ms, self._turned_ms = now_ms - self._turned_ms, now_ms
        for stream in set(self._streams.values()):
            self._shed(stream)
            stream.check(now_ms, frozen_ms=frozen_ms)
        if self._private is not None:
            self._private.check(now_ms, frozen_ms=frozen_ms)

    def _shed(self, stream: Stream) -> None:
        """Let go of what lies unread in a socket that this worker cannot keep up with.

        A new one begins at the present; until it does, and for longer each time it happens again,
        prices are asked for.
        """
        if stream.late_ms <= self._settings.shed_ms or not stream.proof_ms:
            return
        late_ms = stream.late_ms
        self.shed += 1
        stream.kick(f"read {late_ms} ms late")
        if self._log is not None:
            symbols = sum(each is stream for each in self._streams.values())
            facts = {"late_ms": late_ms, "symbols": symbols, "served_by": "polling"}
            self._log.problem("a market stream was shed", facts)

    async def _poll_while_broken(self) -> None:
        if not self._settings.stream:
            return
        if all(stream.is_live for stream in self._streams.values()):
            await self._poller.stop()
        else:
            self._poller.start()
