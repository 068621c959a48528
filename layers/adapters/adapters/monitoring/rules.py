"""Which conditions are worth an alert; each is judged from rows that are there anyway."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapters import accounts
from adapters.engine_states import Actual, actual, is_wanted, read_state
from adapters.leases import DynamoLeases
from adapters.monitoring.alerts import Condition, Severity, open_alerts
from adapters.monitoring.entries import Entry
from adapters.risk_rows import risk_of
from adapters.tables import ConnectionRow, EngineStateRow, OrderRow
from adapters.transactions import reading
from engine.ledger import OrderState
from engine.ports import Clock
from engine.risk_record import TradingState
from engine.settings import Settings, with_values
from engine.values import Loop

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
FAILED_ORDERS = 5  # an hour
ERRORS = 10  # in ten minutes
SILENT_MS = 300_000
LOOP_SILENT_MS = 60_000
QUIET_MS = 3_900_000
"""The desk says again after an hour what lasts; what is not said for longer is over."""
ORDERS_READ = 500
_LOOPS_SILENT = frozenset({"trade_loop_silent", "position_loop_silent"})

_SEVERITIES = {
    "unprotected": Severity.CRITICAL,
    "entry_unheard": Severity.CRITICAL,
    "position_mode_flipped": Severity.CRITICAL,
    "supervisor: given up": Severity.CRITICAL,
    "supervisor: trouble": Severity.HIGH,
    "unknown_too_long": Severity.HIGH,
    "unreconciled": Severity.HIGH,
    "external_position": Severity.HIGH,
    "lost_position_guarded": Severity.HIGH,
    "fee_not_converted": Severity.LOW,
    "funding_not_converted": Severity.LOW,
    "filters_changed": Severity.LOW,
    "residue_left": Severity.LOW,
}
_SUBJECTS = ("position", "order", "symbol", "trade", "asset", "network", "what")


def alarms(entries: Iterable[Entry]) -> list[Condition]:
    """What loops said needs eyes, by what it is about."""
    return [
        Condition(
            rule=entry.message,
            severity=_SEVERITIES.get(entry.message, Severity.MEDIUM),
            text=_sentence(entry),
            connection_id=entry.connection_id,
            subject=next((entry.values[name] for name in _SUBJECTS if name in entry.values), ""),
            values=entry.values,
            count=entry.count,
            lasts_ms=QUIET_MS,
        )
        for entry in entries
        if entry.needs_eyes
    ]


def too_many_errors(count: int) -> list[Condition]:
    """More than ten errors in ten minutes, all parts together."""
    if count <= ERRORS:
        return []
    return [
        Condition(
            rule="too_many_errors",
            severity=Severity.CRITICAL,
            text=f"{count} errors in the last ten minutes, more than {ERRORS}",
            values={"errors": count},
        )
    ]


def silent_loops() -> int:
    """Loops that should beat and do not, as the open alerts say."""
    return sum(1 for row in open_alerts() if row.rule in _LOOPS_SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Judges one connection."""

    leases: DynamoLeases
    clock: Clock

    def judge(self, row: ConnectionRow) -> list[Condition]:
        """What is so of this connection now; raises if its rows cannot be read."""
        with reading("alert rules"):
            state = read_state(row.connection_id)
            return [
                *self._engine(state),
                *self._silence(row, state),
                *self._orders(row.connection_id),
                *_books(state),
            ]

    def _engine(self, state: EngineStateRow) -> Iterator[Condition]:
        if is_wanted(state) and actual(state) is Actual.ERROR:
            yield Condition(
                rule="engine_error",
                severity=Severity.CRITICAL,
                text=f"the engine stopped with an error: {state.error_message or 'no cause told'}",
                connection_id=state.connection_id,
            )
        if actual(state) is Actual.EMERGENCY_STOPPED:
            yield Condition(
                rule="emergency_stopped",
                severity=Severity.CRITICAL,
                text="the engine was stopped in an emergency and waits for a reset",
                connection_id=state.connection_id,
            )

    def _silence(self, row: ConnectionRow, state: EngineStateRow) -> Iterator[Condition]:
        """Loops that should beat and do not; an engine that starts has nothing to prove yet."""
        if not is_wanted(state) or actual(state) is not Actual.RUNNING:
            return
        connection_id = state.connection_id
        trade_ms = self._silent_ms(state, Loop.TRADE, state.last_trade_heartbeat_ms)
        may_trade = row.is_live_trade or row.is_preset_trade
        if may_trade and trade_ms > SILENT_MS:
            yield _silent("connection_silent", "nothing was heard of", connection_id, trade_ms)
        if trade_ms > LOOP_SILENT_MS:
            yield _silent("trade_loop_silent", "the trade loop is silent", connection_id, trade_ms)
        if accounts.holds_positions(connection_id):
            beat_ms = state.last_position_heartbeat_ms
            position_ms = self._silent_ms(state, Loop.POSITION, beat_ms)
            if position_ms > LOOP_SILENT_MS:
                text = "positions are open and the position loop is silent"
                yield _silent("position_loop_silent", text, connection_id, position_ms)

    def _silent_ms(self, state: EngineStateRow, loop: Loop, beat_ms: int | None) -> int:
        """Since the last proof of life: a beat, a tick, or the change that let it run."""
        slot_ms = self.leases.read(state.connection_id, loop).last_slot_ms
        return self.clock.now_ms() - max(beat_ms or 0, slot_ms, state.updated_at_ms or 0)

    def _orders(self, connection_id: str) -> Iterator[Condition]:
        since_ms = self.clock.now_ms() - HOUR_MS
        recent: Sequence[OrderRow] = list(
            OrderRow.recent.query(
                connection_id,
                OrderRow.created_at_ms > since_ms,
                filter_condition=OrderRow.state == OrderState.REJECTED.value,
                scan_index_forward=False,
                limit=ORDERS_READ,
            )
        )
        if len(recent) > FAILED_ORDERS:
            yield Condition(
                rule="orders_failed",
                severity=Severity.MEDIUM,
                text=f"{len(recent)} orders failed within an hour, more than {FAILED_ORDERS}",
                connection_id=connection_id,
                values={"failed": len(recent), "last": recent[0].reason or ""},
            )


def _books(state: EngineStateRow) -> Iterator[Condition]:
    """What the position loop counts in each heartbeat."""
    counters = state.position_counters or {}
    for name, severity, text in (
        ("unreconciled", Severity.HIGH, "symbols whose books and venue differ"),
        ("external", Severity.MEDIUM, "positions on the venue that are not ours"),
    ):
        if count := counters.get(name, 0):
            yield Condition(
                rule=f"books_{name}",
                severity=severity,
                text=f"{text}: {count}",
                connection_id=state.connection_id,
                values={name: count},
            )
    yield from _size(state, (state.trade_counters or {}).get("results", 0))
    if state.risk:
        record = risk_of(state.risk)
        if record.state is not TradingState.ACTIVE:
            cause = record.restraint.reason if record.restraint else "not told"
            yield Condition(
                rule="trading_restrained",
                severity=Severity.HIGH,
                text=f"the account opens nothing: {record.state}, because of {cause}",
                connection_id=state.connection_id,
            )


def _size(state: EngineStateRow, results: int) -> Iterator[Condition]:
    """A soft cap: nothing is refused or removed, an operator decides."""
    settings = with_values(Settings(), state.settings or {})
    if 100 * results > settings.database_size_alert_pct * settings.max_results:
        yield Condition(
            rule="database_size",
            severity=Severity.MEDIUM,
            text=f"the Sets keep {results:,} results, {settings.max_results:,} are to be the most: "
            "lower databaseSizeBase, maxSetsPerSymbol or the number of symbols",
            connection_id=state.connection_id,
            values={"results": results, "most": settings.max_results},
        )


def _silent(rule: str, text: str, connection_id: str, silent_ms: int) -> Condition:
    is_long = silent_ms > SILENT_MS or rule == "position_loop_silent"
    severity = Severity.CRITICAL if is_long else Severity.HIGH
    return Condition(
        rule=rule,
        severity=Severity.MEDIUM if rule == "connection_silent" else severity,
        text=f"{text} for {silent_ms // 1000} s",
        connection_id=connection_id,
        values={"silent_ms": silent_ms},
    )


def _sentence(entry: Entry) -> str:
    told = ", ".join(f"{name} {value}" for name, value in entry.values.items())
    return f"{entry.message}: {told}" if told else entry.message
