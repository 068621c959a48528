"""What the console knows: the last answer on each subject, how old it is, and what was chosen."""

from collections import Counter
from dataclasses import dataclass, field, replace

from console.models import (
    Candle,
    Candles,
    Connection,
    Connections,
    Cycle,
    Engine,
    Order,
    Orders,
    Performance,
    Positions,
    Status,
)

STALE_AFTER_MS = 3_000
KEPT_CANDLES = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading[T]:
    """The last answer on one subject, when it came, and why no newer one did."""

    value: T | None = None
    at_ms: int | None = None
    problem: str = ""

    def renewed(self, value: T, now_ms: int) -> "Reading[T]":
        """A fresh answer; the problem, if any, is over."""
        return Reading(value=value, at_ms=now_ms)

    def failed(self, problem: str) -> "Reading[T]":
        """The last answer stays, with the reason why it is not renewed."""
        return replace(self, problem=problem)

    def age_ms(self, now_ms: int) -> int | None:
        """How old the answer is; None before the first."""
        return None if self.at_ms is None else max(0, now_ms - self.at_ms)

    def is_stale(self, now_ms: int, after_ms: int = STALE_AFTER_MS) -> bool:
        """Whether an answer is shown that may no longer be true."""
        age_ms = self.age_ms(now_ms)
        return age_ms is not None and age_ms > after_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the operator chose and is being asked; a stop waits for a second click."""

    connection_id: str = ""
    symbol: str = ""
    asks_stop: bool = False
    close_positions: bool = False
    busy: str = ""
    notice: str = ""
    notice_is_problem: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over the trade loop's ticks from `since_ms` to `last_ms`, both slots included."""

    since_ms: int
    last_ms: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything the panels draw from, at one moment."""

    now_ms: int = 0
    choice: Choice = field(default_factory=Choice)
    status: Reading[Status] = field(default_factory=Reading)
    connections: Reading[Connections] = field(default_factory=Reading)
    performance: Reading[Performance] = field(default_factory=Reading)
    tally: Reading[Tally] = field(default_factory=Reading)
    positions: Reading[Positions] = field(default_factory=Reading)
    working: Reading[Orders] = field(default_factory=Reading)
    orders: Reading[Orders] = field(default_factory=Reading)
    candles: Reading[Candles] = field(default_factory=Reading)

    @property
    def engine(self) -> Engine | None:
        """The chosen engine, as it was last told of."""
        engines = self.status.value.connections if self.status.value else []
        return next((e for e in engines if e.connection_id == self.choice.connection_id), None)

    @property
    def connection(self) -> Connection | None:
        """The exchange account of the chosen engine."""
        known = self.connections.value.connections if self.connections.value else []
        return next((c for c in known if c.id == self.choice.connection_id), None)

    @property
    def all_orders(self) -> list[Order]:
        """Working orders, however old, and the newest finished ones; latest first."""
        found: dict[str, Order] = {}
        for reading in (self.orders, self.working):
            for order in reading.value.data if reading.value else []:
                known = found.get(order.client_order_id)
                if known is None or order.updated_at_ms >= known.updated_at_ms:
                    found[order.client_order_id] = order
        return sorted(found.values(), key=lambda order: order.created_at_ms, reverse=True)


def settled(screen: Screen) -> Screen:
    """Choose the first engine and symbol when the chosen ones are not (or no longer) there."""
    engines = screen.status.value.connections if screen.status.value else []
    if not engines:
        return screen
    engine = screen.engine or engines[0]
    symbol = screen.choice.symbol
    if symbol not in engine.symbols:
        symbol = engine.symbols[0] if engine.symbols else ""
    return chosen(screen, connection_id=engine.connection_id, symbol=symbol)


def chosen(screen: Screen, *, connection_id: str, symbol: str) -> Screen:
    """Turn to a connection and symbol; what was read of another one is forgotten, never shown."""
    choice = screen.choice
    if connection_id != choice.connection_id:
        screen = replace(
            screen,
            tally=Reading(),
            positions=Reading(),
            working=Reading(),
            orders=Reading(),
            candles=Reading(),
        )
        choice = replace(choice, asks_stop=False, notice="")
    elif symbol != choice.symbol:
        screen = replace(screen, candles=Reading())
    return replace(screen, choice=replace(choice, connection_id=connection_id, symbol=symbol))


def joined(known: Candles | None, latest: Candles) -> Candles:
    """Add the latest candles to the known ones, or start anew where a hole would be left."""
    if known is None or known.symbol != latest.symbol or not latest.candles:
        return latest
    first_ms = latest.candles[0].time_ms
    kept: list[Candle] = [candle for candle in known.candles if candle.time_ms < first_ms]
    if not kept or kept[-1].time_ms + latest.span_ms != first_ms:
        return latest
    return latest.model_copy(update={"candles": (kept + latest.candles)[-KEPT_CANDLES:]})


def tallied(known: Tally | None, cycles: list[Cycle]) -> Tally | None:
    """Add the ticks later than those counted; begin anew if there may be some in between."""
    ticks = sorted(cycles, key=lambda cycle: cycle.slot_ms)
    if not ticks:
        return known
    if known is None or ticks[0].slot_ms > known.last_ms:
        known = Tally(since_ms=ticks[0].slot_ms, last_ms=ticks[0].slot_ms - 1, counts={})
    counts = Counter(known.counts)
    for tick in ticks:
        if tick.slot_ms > known.last_ms:
            counts.update(tick.counts)
    last_ms = max(known.last_ms, ticks[-1].slot_ms)
    return Tally(since_ms=known.since_ms, last_ms=last_ms, counts=dict(counts))
