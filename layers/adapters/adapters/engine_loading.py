"""The steps of the machine that starts an engine: prepare, finish, fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pynamodb.exceptions import UpdateError

from adapters import accounts
from adapters.audited import audit_row, note
from adapters.engine_rows import settings_or_last
from adapters.engine_states import Actual, Desired, desired, read_state
from adapters.leases import PAUSE, RUN, STOP, DynamoLeases
from adapters.symbol_choice import Choice, choose, groups
from adapters.tables import ConnectionRow, EngineStateRow
from adapters.transactions import is_refused
from engine.cycles.memory import window_ms
from engine.cycles.prehistory import SPAN_MS
from engine.errors import LeaseLostError
from engine.market import Kind
from engine.ports import Clock, Exchange, Log, Opener, Store
from engine.records import EngineRow
from engine.settings import Settings, overrides
from engine.values import Loop, TradeMode

CAUSE_CHARACTERS = 500
_INSTEAD = {Desired.STOPPED: STOP, Desired.PAUSED: PAUSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What the machine asks of EngineControlFunction while an engine starts."""

    opener: Opener
    store: Store
    leases: DynamoLeases
    clock: Clock
    log: Log

    async def prepare(self, connection_id: str, run_id: str) -> dict[str, Any]:
        """Choose symbols, set up the account, and write what the loops will run with.

        Raises
        ------
        LeaseLostError
            If a newer start, or a stop, has replaced this run.
        """
        row = accounts.connection_row(connection_id)
        stored = settings_or_last(connection_id, self.log)
        self._write(connection_id, run_id, loading_stage="loading_symbols", loading_progress=0)
        exchange = await self.opener.exchange(connection_id, private=True)
        held = accounts.held_symbols(connection_id)
        choice = choose(await exchange.instruments(), stored.settings, held=held)
        if choice.dropped:
            self.log.fact(
                "symbols dropped", {"connection_id": connection_id, "symbols": choice.dropped}
            )
        if row.is_live_trade or row.is_preset_trade:
            await _set_up_account(exchange, row, choice, stored.settings)
        symbols = [one.symbol for one in choice.instruments]
        self._write(
            connection_id,
            run_id,
            symbols=symbols,
            instruments=choice.instruments,
            settings=overrides(stored.settings),
            settings_version=stored.version,
            position_settings=None,
            position_settings_version=None,
            hedge=_has_two_sides(row),
            cross=row.margin_type == "cross",
            volume_factor=row.volume_factor,
            exchange=row.exchange,
            prehistory_end_ms=self.clock.now_ms(),
            loading_stage="loading_history",
        )
        return {
            "connection_id": connection_id,
            "run_id": run_id,
            "symbols": symbols,
            "groups": groups(symbols, size=stored.settings.batch_size),
        }

    def finish(self, connection_id: str, run_id: str) -> dict[str, Any]:
        """Say what was loaded and let the loops run; too little history means warming.

        A warming engine opens positions on paper alone.
        """
        row = accounts.connection_row(connection_id)
        engine = self.store.engine(connection_id)
        coverage = self.coverage_pct(engine)
        loaded = coverage >= engine.settings.prehistory_coverage_pct
        may = loaded and row.is_enabled and row.is_active
        trades = {
            "may_trade": may and row.is_live_trade and engine.settings.runs(TradeMode.MAIN),
            "may_trade_preset": (
                may and row.is_preset_trade and engine.settings.runs(TradeMode.PRESET)
            ),
        }
        self._write(
            connection_id,
            run_id,
            actual_state=Actual.RUNNING.value,
            loading_stage="ready",
            loading_progress=100,
            prehistoric_data_loaded=loaded,
            prehistory_coverage_pct=coverage,
            **trades,
        )
        for loop in Loop:
            self.leases.request(connection_id, loop, wanted=RUN)
        self._yield_to_the_operator(connection_id, run_id)
        details = {"run_id": run_id, "coverage": str(coverage), **trades}
        self._audit(connection_id, "engine.running", details)
        return {
            "actual_state": Actual.RUNNING.value,
            "loaded": loaded,
            "prehistoric_data_loaded": loaded,
            "coverage": str(coverage),
            "warming": not loaded,
            **trades,
        }

    def fail(self, connection_id: str, run_id: str | None, *, error: str, cause: str) -> None:
        """Note that the start failed, unless a stop or a newer run has replaced it."""
        message = f"{error}: {cause}"[:CAUSE_CHARACTERS]
        state = read_state(connection_id)
        replaced = run_id is not None and state.run_id != run_id
        if replaced or desired(state) is not Desired.RUNNING:
            return
        self._write(
            connection_id,
            state.run_id or "",
            actual_state=Actual.ERROR.value,
            loading_stage="error",
            error_message=message,
            may_trade=False,
            may_trade_preset=False,
        )
        self._audit(connection_id, "engine.failed", {"run_id": state.run_id, "error": message})

    def _yield_to_the_operator(self, connection_id: str, run_id: str) -> None:
        """A stop or pause that came between the last two writes was overwritten by the second."""
        wanted = desired(read_state(connection_id))
        if wanted is Desired.RUNNING:
            return
        for loop in Loop:
            self.leases.request(connection_id, loop, wanted=_INSTEAD[wanted])
        if wanted is Desired.STOPPED:
            raise LeaseLostError(f"run {run_id} of {connection_id} was stopped")

    def coverage_pct(self, engine: EngineRow) -> Decimal:
        """The least share of the wanted minutes that is stored, over all symbols, in percent."""
        start, end = window_ms(engine)
        wanted = (end - start) // SPAN_MS
        known = [self._known(engine.connection_id, one, start, end) for one in engine.symbols]
        return (Decimal(100 * min(known, default=0)) / wanted).quantize(Decimal("0.01"))

    def _known(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> int:
        history = self.store.history(connection_id, symbol, start_ms, end_ms)
        return int((history.kind != Kind.GAP).sum())

    def _write(self, connection_id: str, run_id: str, **values: Any) -> None:
        """Set values of the state row while this run is the one that is wanted."""
        mine = (EngineStateRow.run_id == run_id) & (
            EngineStateRow.desired_state == Desired.RUNNING.value
        )
        values["updated_at_ms"] = self.clock.now_ms()
        actions = [
            getattr(EngineStateRow, name).remove()
            if value is None
            else getattr(EngineStateRow, name).set(value)
            for name, value in values.items()
        ]
        try:
            EngineStateRow(connection_id).update(actions, condition=mine)
        except UpdateError as error:
            if is_refused(error):
                raise LeaseLostError(f"run {run_id} of {connection_id} was replaced") from error
            raise

    def _audit(self, connection_id: str, action: str, details: Mapping[str, Any]) -> None:
        now_ms = self.clock.now_ms()
        note(audit_row(connection_id, action, by="engine", now_ms=now_ms, details=details))


async def _set_up_account(
    exchange: Exchange, row: ConnectionRow, choice: Choice, settings: Settings
) -> None:
    """Set and verify the account's position mode before anything is loaded for it."""
    first = choice.instruments[0]
    wanted = max(1, settings.max_leverage * settings.leverage_percentage // 100)
    await exchange.prepare(
        first.symbol,
        leverage=min(wanted, first.max_leverage),
        hedge=_has_two_sides(row),
        cross=row.margin_type == "cross",
    )


def _has_two_sides(row: ConnectionRow) -> bool:
    """Whether long and short are held side by side; a spot account holds assets alone."""
    return bool(row.position_mode == "hedge" and row.api_type != "spot")
