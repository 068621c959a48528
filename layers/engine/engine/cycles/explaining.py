"""Why a slot signalled on a candle or did not, and why a Set stands where it does: from the store.

What the trade loop knew is made again from its books, or from the history they were learned from,
and the candles stored since; so any candle still stored can be asked about.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.books import restore
from engine.cycles.memory import begun_after, history_after, window_ms
from engine.errors import CorruptStateError
from engine.indications.filters import Verdict
from engine.indications.reasons import explain, sentence
from engine.indications.slots import Slot
from engine.market import Candles, gap_candles
from engine.ports import Store
from engine.records import EngineRow
from engine.standing import Explanation, explain_standing
from engine.trade import TradeState, plan_trade
from engine.values import SetKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReason:
    """One slot on one candle: what became of it, and why in a sentence."""

    slot: Slot
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReason:
    """One Set: where it stands, and why no higher."""

    key: SetKey
    explanation: Explanation


def slot_reasons(
    store: Store, engine: EngineRow, symbol: str, at_ms: int
) -> tuple[int, tuple[SlotReason, ...]]:
    """Every slot of `symbol` on its last candle that closed at `at_ms` or before, and its close.

    Slots nearest to a signal come first. A symbol without such a candle has no reasons, and a
    close of 0.
    """
    state, candles = _known(store, engine, symbol, at_ms, keep_last=True)
    if not len(candles):  # the books hold it already: what was before it is learned anew
        state, candles = _known(store, engine, symbol, at_ms, keep_last=True, with_books=False)
    if not len(candles):
        return 0, ()
    slots = state.grid.slots
    reasons = explain(state.indications, candles, slots, engine.settings)
    reasons = reasons[np.argsort(_distance(reasons), kind="stable")]
    return int(candles.close_ms[-1]), tuple(
        SlotReason(
            slot=slots[int(each["slot"])],
            verdict=Verdict(int(each["verdict"])),
            text=sentence(each, symbol, slots[int(each["slot"])]),
        )
        for each in reasons
    )


def set_reasons(
    store: Store, engine: EngineRow, symbol: str, at_ms: int, *, limit: int
) -> tuple[SetReason, ...]:
    """Up to `limit` Sets of `symbol` with results by `at_ms`, the furthest with the most first."""
    state, _ = _known(store, engine, symbol, at_ms, keep_last=False)
    history = state.history
    tried = np.flatnonzero(history.count[0])
    order = np.lexsort((-history.results[0, tried].astype(np.int64), -history.stage[0, tried]))
    return tuple(
        SetReason(
            key=state.grid.key(symbol, int(k)),
            explanation=explain_standing(
                history, state.grid, 0, int(k), engine.settings, at_ms=at_ms
            ),
        )
        for k in tried[order][:limit]
    )


def _distance(reasons: NDArray[np.void]) -> NDArray[np.int64]:
    """Signals first, then what passed most tests; what is switched off comes last."""
    verdict = reasons["verdict"].astype(np.int64)
    return np.where(verdict > 0, 100 - verdict, 0)


def _known(
    store: Store,
    engine: EngineRow,
    symbol: str,
    at_ms: int,
    *,
    keep_last: bool,
    with_books: bool = True,
) -> tuple[TradeState, Candles]:
    """A symbol's state by `at_ms`; with `keep_last` before its last candle, and that candle."""
    state, last_ms = _begun(store, engine, symbol, at_ms if with_books else 0)
    held = gap_candles((symbol,), span_ms=1000, close_ms=np.zeros(0, np.int64))
    for piece in _stored(store, engine, symbol, last_ms, at_ms):
        if len(held):
            state, _ = plan_trade(state, held, engine.settings)
        cut = len(piece) - 1 if keep_last else len(piece)
        state, _ = plan_trade(state, piece.rows(0, cut), engine.settings)
        held = piece.rows(cut, len(piece))
    return state, held


def _begun(store: Store, engine: EngineRow, symbol: str, at_ms: int) -> tuple[TradeState, int]:
    """The books of a symbol if they are older than `at_ms` and fit, else nothing learned yet."""
    instruments = tuple(each for each in engine.instruments if each.symbol == symbol)
    books = store.load_books(engine.connection_id, symbol)
    if books is not None and books[1] < at_ms:
        try:
            return restore(instruments, engine.settings, {symbol: books[0]}), books[1]
        except CorruptStateError:
            pass  # of other settings: learned anew, as the loop itself does
    return TradeState.fresh(instruments, engine.settings), window_ms(engine)[0]


def _stored(
    store: Store, engine: EngineRow, symbol: str, last_ms: int, at_ms: int
) -> Iterator[Candles]:
    """Stored candles of a symbol after `last_ms` and up to `at_ms`, oldest first."""
    end = min(window_ms(engine)[1], at_ms)
    for _, candles in history_after(store, engine, symbol, last_ms, end):
        yield candles
    last_ms = max(last_ms, end)
    for piece in store.candles_since(engine.connection_id, last_ms):
        if symbol not in piece.symbols:
            continue
        candles = begun_after(piece.select((symbol,)), last_ms).between(last_ms, at_ms)
        if len(candles):
            last_ms = int(candles.close_ms[-1])
            yield candles
