"""What the console knows: the last answer on each subject, how old it is, and what was chosen."""

from collections import Counter
from dataclasses import dataclass, field, replace

from console.models import (
    Account,
    Cadence,
    Candle,
    Candles,
    Cycle,
    Engine,
    Order,
    Position,
    Snapshot,
)

STALE_AFTER_MS = 3_000
KEPT_CANDLES = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading[T]:
    """The last answer on one subject, when it came, and why no newer one did.

    `refused` tells that the API did answer, and said no.
    """

    value: T | None = None
    at_ms: int | None = None
    problem: str = ""
    refused: bool = False

    def renewed(self, value: T, now_ms: int) -> "Reading[T]":
        """A fresh answer; the problem, if any, is over."""
        return Reading(value=value, at_ms=now_ms)

    def failed(self, problem: str, *, refused: bool = False) -> "Reading[T]":
        """The last answer stays, with the reason why it is not renewed."""
        return replace(self, problem=problem, refused=refused)

    def age_ms(self, now_ms: int) -> int | None:
        """How old the answer is; None before the first."""
        return None if self.at_ms is None else max(0, now_ms - self.at_ms)

    def is_stale(self, now_ms: int, after_ms: int = STALE_AFTER_MS) -> bool:
        """Whether an answer is shown that may no longer be true."""
        age_ms = self.age_ms(now_ms)
        return age_ms is not None and age_ms > after_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the operator chose and is being asked; what is dangerous waits for a second click.

    `asks` is the command that waits, with the position it is for as in `close:ID`; `ticked` is the
    box beside the question.
    """

    connection_id: str = ""
    symbol: str = ""
    asks: str = ""
    ticked: bool = False
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
    accounts: tuple[Account, ...] = ()
    snapshot: Reading[Snapshot] = field(default_factory=Reading)
    candles: Candles | None = None
    tally: Tally | None = None
    cadence: Cadence | None = None

    @property
    def engine(self) -> Engine | None:
        """The chosen engine, as it was last told of."""
        return self.snapshot.value.engine if self.snapshot.value else None

    @property
    def account(self) -> Account | None:
        """The exchange account of the chosen engine."""
        wanted = self.choice.connection_id
        return next((one for one in self.accounts if one.id == wanted), None)

    @property
    def positions(self) -> list[Position]:
        """The open positions; none before the first answer."""
        return self.snapshot.value.positions.data if self.snapshot.value else []

    @property
    def all_orders(self) -> list[Order]:
        """Working orders, however old, and the newest finished ones; latest first."""
        told = self.snapshot.value.orders if self.snapshot.value else None
        found = [*told.data, *told.ended] if told else []
        return sorted(found, key=lambda order: order.created_at_ms, reverse=True)


def taken(screen: Screen, told: Snapshot, now_ms: int) -> Screen:
    """The screen with this answer; what only grows is added to what was known."""
    ticks = told.progression.trade_cycles
    symbol = told.candles.symbol if told.candles else screen.choice.symbol
    known = screen.choice
    return replace(
        screen,
        choice=replace(known, connection_id=told.connection_id, symbol=symbol),
        accounts=tuple(told.connections),
        snapshot=screen.snapshot.renewed(told, now_ms),
        candles=joined(screen.candles, told.candles) if told.candles else None,
        tally=tallied(screen.tally, ticks),
        cadence=told.cadence or screen.cadence,
    )


def chosen(screen: Screen, *, connection_id: str, symbol: str) -> Screen:
    """Turn to a connection and symbol; what was read of another one is forgotten, never shown."""
    choice = replace(screen.choice, connection_id=connection_id, symbol=symbol)
    if connection_id != screen.choice.connection_id:
        choice = replace(choice, asks="", notice="")
        return Screen(now_ms=screen.now_ms, choice=choice, accounts=screen.accounts)
    if symbol != screen.choice.symbol:
        screen = replace(screen, candles=None)
    return replace(screen, choice=choice)


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
