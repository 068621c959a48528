"""`engine.ports.Store` on DynamoDB: each method is one access pattern of a module beside this."""

from collections.abc import Mapping, Sequence

from adapters import archive, books, commands, engine_rows, progression, result_archive
from adapters.facts import claim, write_facts
from adapters.held import read_held
from adapters.leases import renewed
from adapters.stored_settings import settings_of
from engine.ledger import Order
from engine.market import Candles
from engine.ports import Clock
from engine.records import (
    ArchivedResults,
    Command,
    EngineRow,
    Facts,
    Held,
    Lease,
    PositionTicks,
    StoredSettings,
    TradeTick,
)
from engine.settings import DEFAULTS, Settings
from engine.values import Turn, Wish


class DynamoStore:
    """State that must last. Every write of a loop is refused once its lease is lost or over.

    How long rows last follows the settings of the engine that was read last, as each burst does
    when it begins; the defaults before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._settings: dict[str, Settings] = {}

    def engine(self, connection_id: str) -> EngineRow:
        row = engine_rows.read_engine(connection_id)
        self._settings[connection_id] = row.settings
        return row

    def running(self, connection_id: str) -> Settings:
        """Those the engine runs with, as it was read last; else the defaults."""
        return self._settings.get(connection_id, DEFAULTS)

    def settings(self, connection_id: str) -> StoredSettings:
        return settings_of(connection_id)

    def take_over(self, lease: Lease, taken: StoredSettings) -> None:
        engine_rows.write_taken(lease, taken, now_ms=self._clock.now_ms())
        self._settings[lease.connection_id] = taken.settings

    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish], turns: Sequence[Turn] = ()
    ) -> Lease:
        longer = renewed(lease, self._clock)
        days = self.running(lease.connection_id).tick_days
        progression.write_tick(lease, longer, tick, wishes, turns, keep_days=days)
        return longer

    def write_minute(self, lease: Lease, candles: Candles) -> None:
        days = self.running(lease.connection_id).market_data_days
        progression.write_minute(lease, candles, now_ms=self._clock.now_ms(), keep_days=days)

    def candles_since(self, connection_id: str, since_ms: int) -> tuple[Candles, ...]:
        return progression.candles_since(connection_id, since_ms)

    def write_history(self, connection_id: str, candles: Candles) -> None:
        days = self.running(connection_id).history_days
        now_ms = self._clock.now_ms()
        archive.write_history(connection_id, candles, now_ms=now_ms, keep_days=days)

    def history(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> Candles:
        return archive.read_history(connection_id, symbol, start_ms, end_ms)

    def save_books(
        self,
        connection_id: str,
        symbol: str,
        parts: Sequence[bytes],
        *,
        last_close_ms: int,
        lease: Lease | None,
    ) -> None:
        books.save_books(
            self._clock, connection_id, symbol, parts, last_close_ms=last_close_ms, lease=lease
        )

    def load_books(self, connection_id: str, symbol: str) -> tuple[tuple[bytes, ...], int] | None:
        return books.load_books(connection_id, symbol)

    def archive_results(
        self, connection_id: str, results: Sequence[ArchivedResults], *, keep_days: int
    ) -> None:
        now_ms = self._clock.now_ms()
        result_archive.archive_results(connection_id, results, keep_days=keep_days, now_ms=now_ms)

    def archived_results(
        self, connection_id: str, symbol: str, *, since_ms: int
    ) -> tuple[ArchivedResults, ...]:
        return result_archive.archived_results(connection_id, symbol, since_ms=since_ms)

    def held(self, connection_id: str) -> Held:
        return read_held(connection_id, now_ms=self._clock.now_ms())

    def pending(self, connection_id: str) -> tuple[Command, ...]:
        return commands.pending(connection_id)

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        write_facts(self._clock, lease, facts)

    def claim(self, lease: Lease, order: Order) -> bool:
        return claim(self._clock, lease, order)

    def write_position_ticks(self, lease: Lease, ticks: PositionTicks) -> Lease:
        longer = renewed(lease, self._clock)
        days = self.running(lease.connection_id).tick_days
        progression.write_position_ticks(lease, longer, ticks, keep_days=days)
        return longer

    def heartbeat(self, lease: Lease, *, counts: Mapping[str, int]) -> None:
        engine_rows.write_heartbeat(lease, counts, now_ms=self._clock.now_ms())

    def report_loading(self, connection_id: str, *, stage: str, progress_pct: int) -> None:
        engine_rows.write_loading(connection_id, stage=stage, progress_pct=progress_pct)
