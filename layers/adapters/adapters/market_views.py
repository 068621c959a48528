"""Stored candles as the API tells them: prices are those the engine decided on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from adapters import accounts, progression
from adapters.engine_states import read_state
from adapters.progression import loop_key
from adapters.refusals import UnknownError
from adapters.tables import EngineStateRow, ProgressionRow
from engine import market
from engine.market import Candles, Kind
from engine.ports import Clock
from engine.values import Instrument

SPAN_MS = 1000
REMEMBERED = 32
_NAMES = {Kind.TRADED: "traded", Kind.FLAT: "flat", Kind.GAP: "gap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketViews:
    """Reads stored minutes and ticks."""

    clock: Clock

    def candles(self, *, connection_id: str, symbol: str, limit: int) -> dict[str, Any]:
        """The last `limit` seconds of one symbol, oldest first, up to the last tick.

        Raises
        ------
        UnknownError
            If the engine of this connection does not follow the symbol.
        """
        accounts.connection_row(connection_id)
        instrument = _instruments(connection_id).get(symbol)
        if instrument is None:
            raise UnknownError(f"the engine of {connection_id} does not follow {symbol}")
        return self.tail(connection_id, instrument, limit)

    def tail(
        self,
        connection_id: str,
        instrument: Instrument,
        limit: int,
        newest: Sequence[ProgressionRow] = (),
    ) -> dict[str, Any]:
        """The same of a symbol that is known to be followed.

        Nothing is read where the `newest` ticks, latest first, are enough.
        """
        symbol = instrument.symbol
        since_ms = self.clock.now_ms() - (limit + 2) * SPAN_MS
        told = [
            candle
            for piece in _at_hand(newest, limit)
            or progression.candles_since(connection_id, since_ms)
            if piece.span_ms == SPAN_MS and symbol in piece.symbols
            for candle in _told(piece, instrument)
        ]
        return {
            "connection_id": connection_id,
            "symbol": symbol,
            "span_ms": SPAN_MS,
            "candles": told[-limit:],
        }


def last_prices(connection_id: str) -> dict[str, Decimal]:
    """The close of each symbol at the engine's last tick; symbols in a gap are left out."""
    key = loop_key(connection_id, "trade")
    rows = list(ProgressionRow.query(key, scan_index_forward=False, limit=1))
    return prices_of(rows[0], _instruments(connection_id)) if rows else {}


def prices_of(row: ProgressionRow, instruments: Mapping[str, Instrument]) -> dict[str, Decimal]:
    """The close of each symbol at a stored tick."""
    if not row.candles:
        return {}
    candles = _unpacked(row.candles)
    return {
        symbol: instruments[symbol].to_price(int(candles.close[-1, column]))
        for column, symbol in enumerate(candles.symbols)
        if symbol in instruments and candles.kind[-1, column] != Kind.GAP
    }


def _at_hand(newest: Sequence[ProgressionRow], limit: int) -> tuple[Candles, ...]:
    """The last candles, oldest first, if these ticks hold so many in a row; else nothing."""
    pieces: list[Candles] = []
    count = 0
    for row in newest:
        piece = _unpacked(row.candles) if row.candles else None
        if piece is None or not len(piece) or piece.span_ms != SPAN_MS:
            break
        if pieces and int(piece.close_ms[-1]) + SPAN_MS != int(pieces[-1].close_ms[0]):
            break
        pieces.append(piece)
        count += len(piece)
        if count >= limit:
            return tuple(reversed(pieces))
    return ()


@lru_cache(maxsize=REMEMBERED)
def _unpacked(packed: bytes) -> Candles:
    """The candles of a tick: of three that are asked for each second two were asked for before."""
    return market.unpack(packed)


def _instruments(connection_id: str) -> dict[str, Instrument]:
    return instruments_by_symbol(read_state(connection_id))


def instruments_by_symbol(state: EngineStateRow) -> dict[str, Instrument]:
    """The instruments of an engine's state row."""
    return {one.symbol: one for one in state.instruments or ()}


def _told(candles: Candles, instrument: Instrument) -> list[dict[str, Any]]:
    column = candles.symbols.index(instrument.symbol)
    return [_candle(candles, row, column, instrument) for row in range(len(candles))]


def _candle(candles: Candles, row: int, column: int, instrument: Instrument) -> dict[str, Any]:
    kind = Kind(int(candles.kind[row, column]))
    prices: dict[str, Decimal | None] = dict.fromkeys(("open", "high", "low", "close", "volume"))
    if kind is not Kind.GAP:
        for name in ("open", "high", "low", "close"):
            prices[name] = instrument.to_price(int(getattr(candles, name)[row, column]))
        prices["volume"] = instrument.quantity_step * int(candles.volume[row, column])
    time_ms = int(candles.close_ms[row]) - candles.span_ms
    return {"time_ms": time_ms, "kind": _NAMES[kind], **prices}
