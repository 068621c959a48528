"""Learning from the past: history of each symbol from the venue, folded through the same rules."""

from collections import defaultdict
from dataclasses import dataclass

from engine import market
from engine.books import pack_books
from engine.cycles.memory import DAY_MS, begun_after, stored_state, window_ms
from engine.market import Candles, Kind
from engine.ports import World
from engine.records import ArchivedResults, EngineRow
from engine.trade import TradePlan, TradeState, plan_trade
from engine.trade_plan import joined_surplus

SPAN_MS = 60_000
FOLD_BUDGET_MS = 20_000
"""One invocation folds chunks for this long, then hands its cursor on."""

States = dict[str, tuple[TradeState, int]]
"""Each symbol's state, and the close of the last candle in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How many of the wanted minutes of a symbol are stored now."""

    symbol: str
    candles: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Where folding stands; `cursor_ms` is the close of the last chunk folded."""

    done: bool
    cursor_ms: int
    closed: int


async def load(world: World, connection_id: str, symbol: str) -> Loaded:
    """Fetch the minutes that are not stored yet, and only those."""
    engine = world.store.engine(connection_id)
    start, end = window_ms(engine)
    missing = gaps(world.store.history(connection_id, symbol, start, end))
    if missing:
        exchange = await world.opener.exchange(connection_id, private=False)
        for gap_start, gap_end in missing:
            fetched = await exchange.history(
                symbol, span_ms=SPAN_MS, start_ms=gap_start, end_ms=gap_end
            )
            sound, wrong = fetched.without_wrong()
            if wrong:
                world.log.fact("candles refused", {"symbol": symbol, "prices": wrong})
            world.store.write_history(connection_id, sound)
    stored = world.store.history(connection_id, symbol, start, end)
    loaded_pct = 50 * (engine.symbols.index(symbol) + 1) // len(engine.symbols)
    world.store.report_loading(connection_id, stage="loading_history", progress_pct=loaded_pct)
    known = int((stored.kind != Kind.GAP).sum())
    return Loaded(symbol=symbol, candles=known, wanted=(end - start) // SPAN_MS)


def gaps(stored: Candles) -> list[tuple[int, int]]:
    """Ranges [start, end) of the minutes that are gaps in one symbol's history, oldest first."""
    found: list[tuple[int, int]] = []
    for close in (int(ms) for ms in stored.close_ms[stored.kind[:, 0] == Kind.GAP]):
        if found and found[-1][1] == close - SPAN_MS:
            found[-1] = (found[-1][0], close)
        else:
            found.append((close - SPAN_MS, close))
    return found


def fold(
    world: World, connection_id: str, symbols: tuple[str, ...], *, cursor_ms: int = 0
) -> Folded:
    """Run a group of symbols through `plan_trade`, a day at a time, and store their books.

    Books of an earlier run are gone on from; a symbol without readable ones starts anew.
    """
    engine = world.store.engine(connection_id)
    start, end = window_ms(engine)
    states = {symbol: stored_state(world, engine, symbol, since_ms=start) for symbol in symbols}
    cursor = max(cursor_ms, min(last_close for _, last_close in states.values()))
    deadline_ms = world.clock.now_ms() + FOLD_BUDGET_MS
    closed = 0
    archived: list[ArchivedResults] = []
    while cursor < end and world.clock.now_ms() < deadline_ms:
        chunk_end = min(cursor + DAY_MS, end)
        states, plans = _fold_chunk(world, engine, states, cursor, chunk_end)
        closed += sum(plan.counts["closed"] for plan in plans)
        archived += [each for plan in plans for each in joined_surplus(plan, chunk_end)]
        cursor = chunk_end
        folded_pct = 50 + 49 * (cursor - start) // (end - start)
        world.store.report_loading(
            connection_id, stage="loading_strategies", progress_pct=folded_pct
        )
    world.store.archive_results(connection_id, archived, keep_days=engine.settings.archive_days)
    for symbol, (state, last_close) in states.items():
        world.store.save_books(
            connection_id,
            symbol,
            pack_books(state, symbol),
            last_close_ms=last_close,
            lease=None,
        )
    return Folded(done=cursor >= end, cursor_ms=cursor, closed=closed)


def _fold_chunk(
    world: World, engine: EngineRow, states: States, start_ms: int, end_ms: int
) -> tuple[States, list[TradePlan]]:
    """Fold [start, end) of every symbol; those that stand at the same candle go together."""
    together: dict[int, list[str]] = defaultdict(list)
    for symbol, (_, last_close) in states.items():
        together[max(last_close, start_ms)].append(symbol)
    folded: States = {}
    plans: list[TradePlan] = []
    for last_close, symbols in together.items():
        candles = market.join_symbols(
            [world.store.history(engine.connection_id, each, start_ms, end_ms) for each in symbols]
        )
        candles = begun_after(candles, last_close)
        state = TradeState.join([states[symbol][0] for symbol in symbols])
        if len(candles):
            state, plan = plan_trade(state, candles, engine.settings)
            plans.append(plan)
        for symbol in symbols:
            folded[symbol] = (state.select((symbol,)), max(last_close, end_ms))
    return folded, plans
