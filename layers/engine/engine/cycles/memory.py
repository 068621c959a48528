"""What a warm container remembers of the trade loop, and how it is rebuilt when it does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine import market
from engine.books import restore
from engine.cycles.burst import last_slot
from engine.errors import CorruptStateError
from engine.market import Candles
from engine.ports import Feed, Store, World
from engine.preset_evaluation import PresetEvaluation, evaluate_presets, evaluation_time
from engine.records import ArchivedResults, EngineRow, LeaseRow
from engine.settings import Settings
from engine.trade import TradeState, plan_trade
from engine.trade_plan import joined_surplus

CANDLE_MS = 1_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(slots=True)
class TradeMemory:
    """State after the candle that closed at `last_close_ms`, and the feed it came from."""

    run_id: str
    state: TradeState
    last_close_ms: int
    feed: Feed
    backfilled: list[Candles] = field(default_factory=list)  # folded, not yet stored
    minute: list[Candles] = field(default_factory=list)
    turn: int = 0
    seen_sources: dict[str, int] = field(default_factory=dict)
    presets: PresetEvaluation | None = None
    archived: list[ArchivedResults] = field(default_factory=list)  # not yet written

    def evaluate(self, settings: Settings) -> bool:
        """Evaluate the presets if it is time; whether it was.

        What is forgotten is evaluated again from the books, with the same result.
        """
        at_ms = evaluation_time(self.last_close_ms, settings)
        if not self.state.grid.is_preset.any() or (self.presets and self.presets.at_ms == at_ms):
            return False
        self.presets = evaluate_presets(self.state, settings, at_ms)
        return True

    def minute_done(self, candles: Candles) -> Candles | None:
        """The candles of a minute once it is over, else None."""
        self.minute.append(candles)
        first, last = int(self.minute[0].close_ms[0]), int(candles.close_ms[-1])
        if last % MINUTE_MS and _minute(last) == _minute(first):
            return None
        done, self.minute = market.join_time(self.minute), []
        return done

    def next_symbol(self, symbols: Sequence[str]) -> str:
        self.turn += 1
        return symbols[self.turn % len(symbols)]

    def source(self) -> str:
        """Where the candles since the last call came from: `stream` if any did, else `polling`."""
        now = dict(self.feed.sources())
        grown = now.get("stream", 0) > self.seen_sources.get("stream", 0)
        self.seen_sources = now
        return "stream" if grown else "polling"


async def recall(
    world: World, engine: EngineRow, row: LeaseRow, memories: dict[str, TradeMemory]
) -> TradeMemory:
    """The memory of this container if the store confirms it, else one rebuilt from the store.

    It is valid only if its last candle is the one the lease row names: any other worker's tick
    would have moved that. After a longer pause too it is rebuilt, for that fills the gap.
    """
    memory = memories.get(engine.connection_id)
    slot_ms = last_slot(row, world.clock.now_ms(), engine.settings)
    if memory and memory.run_id == engine.run_id and memory.last_close_ms == slot_ms:
        await memory.feed.follow(engine.instruments, private=False)
        return memory
    feed = await world.opener.feed(engine.connection_id, private=False)
    await feed.follow(engine.instruments, private=False)
    memory = await _rebuilt(world, engine, feed)
    memories[engine.connection_id] = memory
    return memory


async def _let_streams_open(world: World) -> None:
    """Wait into the next second: the first one after the backfill is then streamed as a whole."""
    next_second = world.clock.now_ms() // CANDLE_MS * CANDLE_MS + CANDLE_MS
    await world.clock.sleep_until_ms(next_second + CANDLE_MS // 4)


async def _rebuilt(world: World, engine: EngineRow, feed: Feed) -> TradeMemory:
    """Books, the candles stored since, and from the venue what nobody stored.

    The venue is asked last: what is stored may take seconds to fold, in which prices that come by
    polling are not sampled.
    """
    archived: list[ArchivedResults] = []
    learned = [learned_state(world, engine, symbol, archived) for symbol in engine.symbols]
    states = [state for state, _ in learned]
    closes = [last_close for _, last_close in learned]
    pieces = world.store.candles_since(engine.connection_id, min(closes))
    stored_to = max([min(closes), *(int(piece.close_ms[-1]) for piece in pieces)])
    states = _folded(engine, states, closes, pieces, archived)
    await _let_streams_open(world)
    now_ms = world.clock.now_ms() // CANDLE_MS * CANDLE_MS
    fetched = await feed.backfill(stored_to, now_ms)
    missing = [piece.without_wrong()[0] for piece in fetched]
    return TradeMemory(
        run_id=engine.run_id,
        state=TradeState.join(_folded(engine, states, closes, missing, archived)),
        last_close_ms=max([stored_to, *(int(piece.close_ms[-1]) for piece in missing)]),
        feed=feed,
        backfilled=missing,
        archived=archived,
    )


def _folded(
    engine: EngineRow,
    states: Sequence[TradeState],
    closes: Sequence[int],
    pieces: Sequence[Candles],
    archived: list[ArchivedResults],
) -> list[TradeState]:
    """Each symbol's state after what began since its close; what its books forget is archived."""
    folded = []
    for symbol, state, last_close in zip(engine.symbols, states, closes, strict=True):
        for piece in pieces:
            candles = begun_after(piece.select((symbol,)), last_close)
            if len(candles):
                state, plan = plan_trade(state, candles, engine.settings)
                archived += plan.surplus
        folded.append(state)
    return folded


def begun_after(candles: Candles, close_ms: int) -> Candles:
    """Those that began when the candle that closed at `close_ms` was over, or later."""
    end_ms = int(candles.close_ms[-1]) if len(candles) else close_ms
    return candles.between(close_ms + candles.span_ms - 1, end_ms)


def window_ms(engine: EngineRow) -> tuple[int, int]:
    """Start and end of the wanted history, whole minutes."""
    end = engine.prehistory_end_ms // MINUTE_MS * MINUTE_MS
    return end - engine.settings.prehistoric_data_days * DAY_MS, end


def history_after(
    store: Store, engine: EngineRow, symbol: str, close_ms: int, end_ms: int
) -> Iterator[tuple[int, Candles]]:
    """Stored history of a symbol from `close_ms` to `end_ms`: a day's end and its candles each."""
    while close_ms < end_ms:
        chunk_end = min(close_ms + DAY_MS, end_ms)
        candles = store.history(engine.connection_id, symbol, close_ms, chunk_end)
        candles = begun_after(candles, close_ms)
        if len(candles):
            yield chunk_end, candles
        close_ms = chunk_end


def learned_state(
    world: World, engine: EngineRow, symbol: str, archived: list[ArchivedResults]
) -> tuple[TradeState, int]:
    """A symbol's state and its last close; without books that fit, learned from its history.

    Results that it keeps no more are added to `archived`.
    """
    start, end = window_ms(engine)
    state, last_close = stored_state(world, engine, symbol, since_ms=start)
    for chunk_end, candles in history_after(world.store, engine, symbol, last_close, end):
        state, plan = plan_trade(state, candles, engine.settings)
        archived += joined_surplus(plan, chunk_end)
    return state, max(last_close, end)


def stored_state(
    world: World, engine: EngineRow, symbol: str, *, since_ms: int
) -> tuple[TradeState, int]:
    """A symbol's state and its last close from the books, or a fresh one that starts at `since_ms`.

    Books that do not fit the settings or cannot be read are learned anew, never guessed at.
    """
    instruments = tuple(each for each in engine.instruments if each.symbol == symbol)
    books = world.store.load_books(engine.connection_id, symbol)
    if books is not None:
        try:
            return restore(instruments, engine.settings, {symbol: books[0]}), books[1]
        except CorruptStateError as error:
            world.log.fact("books learned anew", {"symbol": symbol, "why": str(error)})
    return TradeState.fresh(instruments, engine.settings), since_ms


def _minute(close_ms: int) -> int:
    return (close_ms - 1) // MINUTE_MS
