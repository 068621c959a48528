"""Why something signalled or did not, and where Sets stand, as the API tells it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from adapters import accounts
from adapters.refusals import UnknownError
from engine.cycles.explaining import SetReason, SlotReason, set_reasons, slot_reasons
from engine.ports import Clock, Store
from engine.records import EngineRow

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonViews:
    """Asks the engine's own rules over what the store holds."""

    store: Store
    clock: Clock

    def signals(self, *, connection_id: str, symbol: str, at_ms: int | None, limit: int) -> View:
        """What became of each slot of a symbol on a candle, nearest to a signal first.

        Raises
        ------
        UnknownError
            If the engine does not follow the symbol, or no candle up to then is stored.
        """
        engine = self._engine(connection_id, symbol)
        asked_ms = self.clock.now_ms() if at_ms is None else at_ms
        close_ms, reasons = slot_reasons(self.store, engine, symbol, asked_ms)
        if not reasons:
            raise UnknownError(f"no candle of {symbol} up to {asked_ms} is stored")
        return {
            "connection_id": connection_id,
            "symbol": symbol,
            "close_ms": close_ms,
            "settings_version": engine.settings_version,
            "verdicts": dict(Counter(each.verdict.name.lower() for each in reasons)),
            "reasons": [_slot(each) for each in reasons[:limit]],
        }

    def sets(self, *, connection_id: str, symbol: str, limit: int) -> View:
        """Sets of a symbol with results, the furthest first, and why they stand no higher.

        Raises
        ------
        UnknownError
            If the engine does not follow the symbol.
        """
        engine = self._engine(connection_id, symbol)
        now_ms = self.clock.now_ms()
        reasons = set_reasons(self.store, engine, symbol, now_ms, limit=limit)
        return {
            "connection_id": connection_id,
            "symbol": symbol,
            "settings_version": engine.settings_version,
            "sets": [_set(each) for each in reasons],
        }

    def _engine(self, connection_id: str, symbol: str) -> EngineRow:
        accounts.connection_row(connection_id)
        engine = self.store.engine(connection_id)
        if all(instrument.symbol != symbol for instrument in engine.instruments):
            raise UnknownError(f"the engine of {connection_id} does not follow {symbol}")
        return engine


def _slot(reason: SlotReason) -> View:
    slot = reason.slot
    return {
        "indication": str(slot.indication),
        "parameter": slot.parameter,
        "variant": slot.variant.text,
        "side": str(slot.side),
        "verdict": reason.verdict.name.lower(),
        "text": reason.text,
    }


def _set(reason: SetReason) -> View:
    standing, key = reason.explanation.standing, reason.key
    return {
        "set_key": key.text,
        "mode": str(key.indication.mode),
        "stage": standing.stage.name.lower(),
        "status": standing.status.name.lower(),
        "is_shadow": standing.is_shadow,
        "results": standing.results,
        "average_r": standing.average_r,
        "win_pct": standing.win_pct,
        "profit_factor": standing.profit_factor,
        "drawdown_pct": standing.drawdown_pct,
        "drawdown_time_ms": standing.drawdown_time_ms,
        "text": reason.explanation.text,
    }
