"""History of one symbol, archived in pieces that never grow past an item's size."""

from collections.abc import Iterator

import numpy as np
from pynamodb.exceptions import DoesNotExist

from adapters.tables import MarketDataRow
from adapters.transactions import reading
from engine import market
from engine.errors import InvalidCandleError
from engine.market import Candles, Kind

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
DAY_S = 86_400


def series(connection_id: str, symbol: str, span_ms: int) -> str:
    """The key of the archived candles of a symbol."""
    return f"{connection_id}#{symbol}#{span_ms}"


def piece_ms(span_ms: int) -> int:
    """Time one item covers: a day of minutes, or an hour of seconds."""
    return DAY_MS if span_ms >= MINUTE_MS else HOUR_MS


def write_history(connection_id: str, candles: Candles, *, now_ms: int, keep_days: int) -> None:
    """Archive one symbol's candles; what is stored of the same pieces already is kept."""
    if len(candles.symbols) != 1:
        raise InvalidCandleError(f"history is of one symbol, was {candles.symbols}")
    key = series(connection_id, candles.symbols[0], candles.span_ms)
    for start, piece in _pieces(candles):
        whole = _merged(_stored(key, start), piece)
        if not len(whole):
            continue
        row = MarketDataRow(
            key,
            start,
            end_ms=int(whole.close_ms[-1]),
            candles=market.pack(whole),
            expires_at=now_ms // 1000 + keep_days * DAY_S,
        )
        with reading("write history"):
            row.save()


def read_history(
    connection_id: str, symbol: str, start_ms: int, end_ms: int, *, span_ms: int = MINUTE_MS
) -> Candles:
    """Candles that closed in (start_ms, end_ms], each missing one as a gap."""
    first = start_ms - start_ms % piece_ms(span_ms)
    with reading("read history"):
        rows = MarketDataRow.query(
            series(connection_id, symbol, span_ms),
            MarketDataRow.start_ms.between(first, end_ms),
            consistent_read=True,
        )
        pieces = [market.unpack(row.candles) for row in rows]
    none = market.gap_candles((symbol,), span_ms=span_ms, close_ms=np.empty(0, np.int64))
    return market.fill_gaps(market.join_time([none, *pieces]), start_ms=start_ms, end_ms=end_ms)


def _pieces(candles: Candles) -> Iterator[tuple[int, Candles]]:
    """The candles by the piece in which they open, with the start of each."""
    length = piece_ms(candles.span_ms)
    starts = (candles.close_ms - candles.span_ms) // length * length
    for start in np.unique(starts).tolist():
        yield start, candles.between(start, start + length)


def _stored(key: str, start_ms: int) -> Candles | None:
    with reading("read history"):
        try:
            row = MarketDataRow.get(key, start_ms, consistent_read=True)
        except DoesNotExist:
            return None
    return market.unpack(row.candles)


def _merged(stored: Candles | None, fresh: Candles) -> Candles:
    """What either knows, without gaps; where both know a candle the fresh one counts."""
    known = fresh.kind[:, 0] != Kind.GAP
    if stored is None:
        stored = fresh.rows(0, 0)
    kept = ~np.isin(stored.close_ms, fresh.close_ms[known])
    close_ms = np.concatenate([stored.close_ms[kept], fresh.close_ms[known]])
    order = np.argsort(close_ms)
    parts = {
        name: np.concatenate([getattr(stored, name)[kept], getattr(fresh, name)[known]])[order]
        for name in ("open", "high", "low", "close", "volume", "kind")
    }
    return Candles(symbols=fresh.symbols, span_ms=fresh.span_ms, close_ms=close_ms[order], **parts)
