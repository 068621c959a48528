"""The order book in Binance's words: snapshots, streams of changes, best offers.

Streams count like snapshots: an update holds the ids after those of the update before it, at every
speed, so a client can join a snapshot to a stream, and sees a gap when one is missing.
"""

from collections.abc import Iterator
from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.market.depth import LEVELS, Levels, update_id
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.binance.shapes import Json, number

LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_SPEEDS_MS = {"": 250, "@100ms": 100, "@250ms": 250, "@500ms": 500}
_PARTIAL = {"5": 5, "10": 10, "20": 20}
_NOTHING = "0"


def _rows(one: PaperInstrument, levels: Levels) -> list[list[str]]:
    return [[number(one.price(ticks)), number(one.quantity(steps))] for ticks, steps in levels]


def snapshot(exchange: PaperExchange, one: PaperInstrument, limit: int, now_ms: int) -> Json:
    """``GET /fapi/v1/depth``: at most 50 levels a side, where the book ends."""
    book = exchange.quotes.book(one.symbol, now_ms, min(limit, LEVELS))
    return {
        "lastUpdateId": book.update_id, "E": now_ms, "T": book.time_ms,
        "bids": _rows(one, book.bids), "asks": _rows(one, book.asks),
    }  # fmt: skip


def events(
    exchange: PaperExchange, one: PaperInstrument, channel: str, start_ms: int, end_ms: int
) -> Iterator[Json]:
    """What ``@depth``, ``@depth5``, ``@depth10`` and ``@depth20`` say in [start, end].

    The speed is 250 ms, or 100 ms or 500 ms where the channel's name ends so; a channel of
    another name says nothing.
    """
    name, _, speed = channel.partition("@")
    levels, span_ms = name.removeprefix("depth"), _SPEEDS_MS.get(f"@{speed}" if speed else "")
    if span_ms is None or not (levels == "" or levels in _PARTIAL):
        return
    for at_ms in range(-(-start_ms // span_ms) * span_ms, end_ms + 1, span_ms):
        if levels:
            book = exchange.quotes.book(one.symbol, at_ms, _PARTIAL[levels])
            sides = _rows(one, book.bids), _rows(one, book.asks)
        else:
            sides = _changes(exchange, one, at_ms - span_ms, at_ms)
        yield {
            "e": "depthUpdate", "E": at_ms, "T": at_ms, "s": one.symbol,
            "U": update_id(at_ms - span_ms) + 1, "u": update_id(at_ms),
            "pu": update_id(at_ms - span_ms), "b": sides[0], "a": sides[1],
        }  # fmt: skip


def _changes(
    exchange: PaperExchange, one: PaperInstrument, before_ms: int, at_ms: int
) -> tuple[list[list[str]], list[list[str]]]:
    before, after = (exchange.quotes.book(one.symbol, each, LEVELS) for each in (before_ms, at_ms))
    return _moved(one, before.bids, after.bids), _moved(one, before.asks, after.asks)


def _moved(one: PaperInstrument, before: Levels, after: Levels) -> list[list[str]]:
    """Levels that are new or of another size, and those that are gone, with a size of zero."""
    known, there = dict(before), dict(after)
    changed = tuple(level for level in after if known.get(level[0]) != level[1])
    gone = [[number(one.price(ticks)), _NOTHING] for ticks in known if ticks not in there]
    return _rows(one, changed) + gone


def book_ticker(exchange: PaperExchange, one: PaperInstrument, now_ms: int) -> Json:
    """Best bid and ask as a REST row."""
    quote = exchange.quotes.quote(one.symbol, now_ms)
    sizes: list[Decimal] = [
        next(exchange.quotes.offers(one.symbol, sign, quote, now_ms))[1] for sign in (-1, 1)
    ]
    return {
        "symbol": one.symbol, "bidPrice": number(quote.bid), "bidQty": number(sizes[0]),
        "askPrice": number(quote.ask), "askQty": number(sizes[1]), "time": quote.time_ms,
        "lastUpdateId": update_id(now_ms),
    }  # fmt: skip


def book_ticker_event(exchange: PaperExchange, one: PaperInstrument, now_ms: int) -> Json:
    """Best bid and ask as a stream event."""
    row = book_ticker(exchange, one, now_ms)
    return {
        "e": "bookTicker", "u": row["lastUpdateId"], "s": one.symbol, "b": row["bidPrice"],
        "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"], "T": row["time"],
        "E": now_ms,
    }  # fmt: skip
