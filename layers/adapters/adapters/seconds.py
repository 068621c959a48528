"""1 s candles from trades as they arrive. Pure: no clock, no socket.

A trade at `m` belongs to the candle that closes at the next whole second after `m`, by the venue's
event time. A candle closes when it is asked for; whatever arrives for it later is counted as late
and changes nothing.
"""

from dataclasses import dataclass, field

import numpy as np

from adapters.printed import Unit
from adapters.venues import Trade
from engine.market import Candles, Kind, gap_candles
from engine.values import Instrument

SPAN_MS = 1000
_KEPT_AHEAD = 120  # seconds a venue's clock may run ahead before its trades are dropped


@dataclass(slots=True)
class Bar:
    """One forming candle; `first` and `last` order its trades by (event time, trade id)."""

    first: tuple[int, int]
    last: tuple[int, int]
    open: int
    high: int
    low: int
    close: int
    volume: int

    def add(self, order: tuple[int, int], price: int, volume: int) -> None:
        """Take in one more trade, wherever it belongs in the order."""
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.volume += volume
        if order < self.first:
            self.first, self.open = order, price
        if order >= self.last:
            self.last, self.close = order, price


@dataclass(slots=True)
class _Column:
    price: Unit
    quantity: Unit
    bars: dict[int, Bar] = field(default_factory=dict)
    last_close: int = 0
    last_closed_ms: int = 0


class Seconds:
    """The forming candles of followed symbols."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self.late = 0

    def follow(self, instruments: tuple[Instrument, ...]) -> None:
        """Keep exactly these symbols, in this order."""
        before = self._columns
        self._columns = {
            each.symbol: before.get(each.symbol)
            or _Column(Unit(each.price_tick), Unit(each.quantity_step))
            for each in instruments
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def add(self, trade: Trade) -> bool:
        """Take in a trade; False if nobody follows it, its candle has closed, or it is unsound."""
        column = self._columns.get(trade.symbol)
        if column is None:
            return False
        event_ms = trade.event_ms
        close_ms = event_ms - event_ms % SPAN_MS + SPAN_MS
        if close_ms <= column.last_closed_ms:
            self.late += 1
            return False
        price, volume = column.price.read(trade.price), column.quantity.read(trade.quantity)
        if not price or volume is None:
            return False
        order = (event_ms, trade.trade_id)
        bar = column.bars.get(close_ms)
        if bar is not None:
            bar.add(order, price, volume)
        elif len(column.bars) < _KEPT_AHEAD:
            column.bars[close_ms] = Bar(order, order, price, price, price, price, volume)
        return True

    def forget(self, symbol: str, close_ms: int) -> None:
        """Drop what was gathered for one candle, before it is rebuilt from a full source."""
        self._columns[symbol].bars.pop(close_ms, None)

    def know_close(self, symbol: str, price: int, at_ms: int) -> None:
        """Let `price` (ticks) be the last close, unless a candle that closed later told one."""
        column = self._columns.get(symbol)
        if column is not None and (not column.last_close or at_ms >= column.last_closed_ms):
            column.last_close = price

    def close(self, close_ms: int, *, alive: frozenset[str]) -> Candles:
        """The candle of every symbol that closed at `close_ms`: T = 1.

        Symbols in `alive` were watched for the whole second: without trades they are flat. The
        others are gaps.
        """
        made = gap_candles(self.symbols, span_ms=SPAN_MS, close_ms=np.array([close_ms], np.int64))
        for index, (symbol, column) in enumerate(self._columns.items()):
            bar = self._closed(column, close_ms)
            if symbol not in alive:
                continue
            if bar is not None:
                _write(made, index, bar, Kind.TRADED)
            elif column.last_close:
                flat = column.last_close
                _write(made, index, Bar((0, 0), (0, 0), flat, flat, flat, flat, 0), Kind.FLAT)
        return made

    @staticmethod
    def _closed(column: _Column, close_ms: int) -> Bar | None:
        """End the candle and all before it; the latest trade of them is the last close."""
        column.last_closed_ms = max(column.last_closed_ms, close_ms)
        ended = sorted(each for each in column.bars if each <= close_ms)
        bars = {each: column.bars.pop(each) for each in ended}
        if ended:
            column.last_close = bars[ended[-1]].close
        return bars.get(close_ms)


def _write(made: Candles, index: int, bar: Bar, kind: Kind) -> None:
    made.open[0, index] = bar.open
    made.high[0, index] = bar.high
    made.low[0, index] = bar.low
    made.close[0, index] = bar.close
    made.volume[0, index] = bar.volume
    made.kind[0, index] = kind
