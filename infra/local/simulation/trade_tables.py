"""The trade loop's tables in memory: engine row, commands, candles, books, archive."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import CorruptStateError, CtsError
from engine.market import Candles, Kind, fill_gaps, gap_candles, join_time
from engine.ports import Clock
from engine.records import (
    ArchivedResults,
    Command,
    EngineRow,
    Lease,
    StoredSettings,
    TradeTick,
)
from engine.values import Loop, Turn, Wish
from local.simulation.leases import MemoryLeases


@dataclass(slots=True)
class TradeTables:
    """What the trade loop keeps, and the commands it writes for the other one."""

    clock: Clock
    leases: MemoryLeases
    engine_row: EngineRow | None = None
    wanted: StoredSettings | None = None  # what an operator stored since the engine started
    settings_error: CtsError | None = None  # while their table does not answer
    commands: dict[str, Command] = field(default_factory=dict)
    ticks: list[TradeTick] = field(default_factory=list)
    minutes: list[Candles] = field(default_factory=list)
    archive: dict[str, dict[int, Candles]] = field(default_factory=dict)
    archived: dict[tuple[str, int], ArchivedResults] = field(default_factory=dict)
    books: dict[str, tuple[tuple[bytes, ...], int]] = field(default_factory=dict)

    def engine(self, connection_id: str) -> EngineRow:
        if self.engine_row is None or self.engine_row.connection_id != connection_id:
            raise CorruptStateError(f"connection {connection_id} has no engine row")
        return self.engine_row

    def settings(self, connection_id: str) -> StoredSettings:
        if self.settings_error is not None:
            raise self.settings_error
        engine = self.engine(connection_id)
        newest = StoredSettings(settings=engine.settings, version=engine.settings_version)
        return self.wanted or newest

    def take_over(self, lease: Lease, taken: StoredSettings) -> None:
        self.leases.confirmed(lease)
        engine = self.engine(lease.connection_id)
        if lease.loop is Loop.POSITION:
            self.engine_row = replace(engine, position_settings=taken)
        else:
            self.engine_row = replace(
                engine, settings=taken.settings, settings_version=taken.version
            )

    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish], turns: Sequence[Turn] = ()
    ) -> Lease:
        longer = self.leases.renew(lease)
        self.leases.change(lease.connection_id, lease.loop, last_slot_ms=tick.slot_ms)
        self.ticks.append(tick)
        for turn in turns:
            self.put_command(lease.connection_id, self.turn_command(turn))
        for wish in wishes:
            self.put_command(lease.connection_id, self.wish_command(wish))
        return longer

    def turn_command(self, turn: Turn) -> Command:
        return Command(
            command_id=turn.turn_id,
            kind="strategy_exit",
            created_at_ms=self.clock.now_ms(),
            turn=turn,
        )

    def wish_command(self, wish: Wish) -> Command:
        return Command(
            command_id=wish.wish_id, kind="wish", created_at_ms=self.clock.now_ms(), wish=wish
        )

    def put_command(self, connection_id: str, command: Command) -> None:
        """A row, and `wish_seq` plus one on the position loop's lease."""
        self.commands.setdefault(command.command_id, command)
        row = self.leases.read(connection_id, Loop.POSITION)
        self.leases.change(connection_id, Loop.POSITION, wish_seq=row.wish_seq + 1)

    def write_minute(self, lease: Lease, candles: Candles) -> None:
        self.leases.confirmed(lease)
        self.minutes.append(candles)

    def candles_since(self, connection_id: str, since_ms: int) -> tuple[Candles, ...]:
        pieces: list[Candles] = []
        stored = (*self.minutes, *(tick.candles for tick in self.ticks))
        for candles in sorted(stored, key=lambda piece: (int(piece.close_ms[0]), -len(piece))):
            last = int(candles.close_ms[-1])
            if last > since_ms:
                pieces.append(candles.between(since_ms, last))
                since_ms = last
        return tuple(pieces)

    def write_history(self, connection_id: str, candles: Candles) -> None:
        known = {int(ms): row for row, ms in enumerate(candles.close_ms)}
        candles_of = self.archive.setdefault(candles.symbols[0], {})
        for close_ms, row in known.items():
            if candles.kind[row, 0] != Kind.GAP:
                candles_of[close_ms] = candles.rows(row, row + 1)

    def history(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> Candles:
        stored = self.archive.get(symbol, {})
        none = gap_candles((symbol,), span_ms=60_000, close_ms=np.empty(0, np.int64))
        whole = join_time([none, *(stored[close_ms] for close_ms in sorted(stored))])
        return fill_gaps(whole, start_ms=start_ms, end_ms=end_ms)

    def save_books(
        self,
        connection_id: str,
        symbol: str,
        parts: Sequence[bytes],
        *,
        last_close_ms: int,
        lease: Lease | None,
    ) -> None:
        if lease is not None:
            self.leases.confirmed(lease)
        self.books[symbol] = (tuple(parts), last_close_ms)

    def load_books(self, connection_id: str, symbol: str) -> tuple[tuple[bytes, ...], int] | None:
        return self.books.get(symbol)

    def archive_results(
        self, connection_id: str, results: Sequence[ArchivedResults], *, keep_days: int
    ) -> None:
        self.archived |= {(each.symbol, each.at_ms): each for each in results}

    def archived_results(
        self, connection_id: str, symbol: str, *, since_ms: int
    ) -> tuple[ArchivedResults, ...]:
        found = (each for _, each in sorted(self.archived.items()))
        return tuple(each for each in found if each.symbol == symbol and each.at_ms >= since_ms)
