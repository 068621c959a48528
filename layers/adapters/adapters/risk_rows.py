"""The figures of an account's limits as JSON on the state row of its engine, and back."""

from decimal import Decimal
from typing import Any

from pynamodb.exceptions import DoesNotExist

from adapters.tables import EngineStateRow
from engine.risk_record import Restraint, RiskRecord, TradingState


def read_risk(connection_id: str) -> RiskRecord | None:
    """The stored figures, read strongly; None before the first."""
    try:
        row = EngineStateRow.get(connection_id, consistent_read=True)
    except DoesNotExist:
        return None
    return risk_of(row.risk) if row.risk else None


def forget_risk(connection_id: str, *, now_ms: int) -> None:
    """Begin anew: it is another account, of which no equity is known and nothing was lost."""
    if read_risk(connection_id) is not None:
        anew = risk_json(RiskRecord(reset_ms=now_ms, streak_ms=now_ms))
        EngineStateRow(connection_id).update([EngineStateRow.risk.set(anew)])


def risk_json(record: RiskRecord) -> dict[str, Any]:
    """A record as JSON; decimals as text."""
    return {
        "day_ms": record.day_ms,
        "day_start_equity": str(record.day_start_equity),
        "equity_peak": str(record.equity_peak),
        "realised_today": str(record.realised_today),
        "consecutive_losses": record.consecutive_losses,
        "losses_before": record.losses_before,
        "streak_ms": record.streak_ms,
        "reset_ms": record.reset_ms,
        "state": str(record.state),
        "restraint": _restraint_json(record.restraint),
        "skew_ms": record.skew_ms,
        "skew_at_ms": record.skew_at_ms,
    }


def risk_of(values: dict[str, Any]) -> RiskRecord:
    """The record that `risk_json` wrote."""
    return RiskRecord(
        day_ms=values["day_ms"],
        day_start_equity=Decimal(values["day_start_equity"]),
        equity_peak=Decimal(values["equity_peak"]),
        realised_today=Decimal(values["realised_today"]),
        consecutive_losses=values["consecutive_losses"],
        losses_before=values["losses_before"],
        streak_ms=values["streak_ms"],
        reset_ms=values["reset_ms"],
        state=TradingState(values["state"]),
        restraint=_restraint_of(values["restraint"]),
        skew_ms=values["skew_ms"],
        skew_at_ms=values["skew_at_ms"],
    )


def _restraint_json(restraint: Restraint | None) -> dict[str, Any] | None:
    if restraint is None:
        return None
    return {
        "reason": restraint.reason,
        "numbers": {name: str(number) for name, number in restraint.numbers.items()},
        "since_ms": restraint.since_ms,
        "until_ms": restraint.until_ms,
    }


def _restraint_of(values: dict[str, Any] | None) -> Restraint | None:
    if values is None:
        return None
    return Restraint(
        reason=values["reason"],
        numbers={name: Decimal(text) for name, text in values["numbers"].items()},
        since_ms=values["since_ms"],
        until_ms=values["until_ms"],
    )
