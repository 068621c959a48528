"""The account's trading state: its figures kept up to date, its limits judged.

Three limits stop new entries and leave exits and protection alone. A loss of the day rests the
account until the next UTC midnight; losses in a row rest it for a while; equity too far below its
peak rests it until the operator resumes trading, which makes the present equity the new peak.
Withdrawing money looks like a loss of equity: resume after it. A limit that is switched off
restrains nothing any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from engine.risk.refusal import Refusal
from engine.risk_record import Restraint, Result, RiskRecord, TradingState
from engine.settings import Settings

DAY_MS = 86_400_000
DRAWDOWN, DAILY_LOSS, LOSSES = "drawdown", "daily_loss", "consecutive_losses"


def day_of(now_ms: int) -> int:
    """The UTC midnight before."""
    return now_ms - now_ms % DAY_MS


def kept_since(day_ms: int) -> int:
    """Results are kept from the UTC day before on: no rest or window is longer than a day."""
    return day_ms - DAY_MS


def trading_state(record: RiskRecord, *, halt: bool) -> TradingState:
    """What the account may do."""
    if halt:
        return TradingState.HALTED
    return TradingState.ACTIVE if record.restraint is None else TradingState.REDUCING


def state_refusal(record: RiskRecord, now_ms: int) -> Refusal | None:
    """Why nothing new may open in the record's state."""
    if record.state is TradingState.ACTIVE:
        return None
    numbers: dict[str, Decimal] = {}
    if record.restraint is not None:
        numbers |= record.restraint.numbers
        if record.restraint.until_ms is not None:
            numbers["left_ms"] = Decimal(max(0, record.restraint.until_ms - now_ms))
    return Refusal(code=f"trading_state_{record.state}", numbers=numbers)


def at_equity(
    record: RiskRecord, results: Iterable[Result], equity: Decimal, now_ms: int
) -> RiskRecord:
    """The record after the equity was read: a higher peak, and a new day with the first reading."""
    record = replace(record, equity_peak=max(record.equity_peak, equity))
    day_ms = day_of(now_ms)
    if day_ms <= record.day_ms:
        return record
    old = [one for one in results if one.closed_at_ms < kept_since(day_ms)]
    losses = _losses_in_a_row(record, old)
    return replace(record, day_ms=day_ms, day_start_equity=equity, losses_before=losses)


def counted(record: RiskRecord, results: Iterable[Result]) -> RiskRecord:
    """The record with the day's realised result and the run of losses, net of fees."""
    kept = [one for one in results if one.closed_at_ms >= kept_since(record.day_ms)]
    since_ms = max(record.day_ms, record.reset_ms + 1)
    today = sum((one.net for one in kept if one.closed_at_ms >= since_ms), Decimal(0))
    losses = _losses_in_a_row(record, kept)
    return replace(record, realised_today=today, consecutive_losses=losses)


def judged(record: RiskRecord, equity: Decimal, now_ms: int, settings: Settings) -> RiskRecord:
    """The record under the most lasting restraint that its figures call for."""
    for breach in (_drawdown, _daily_loss, _losses):
        found = breach(record, equity, now_ms, settings)
        if found is not None:
            return replace(record, restraint=_longer(record.restraint, found))
    return record


def released(record: RiskRecord, now_ms: int, settings: Settings) -> RiskRecord:
    """The record without a restraint that is over or switched off; a run of losses begins anew."""
    held = record.restraint
    if held is None or (_is_on(held.reason, settings) and not _is_over(held, now_ms)):
        return record
    return replace(record, restraint=None, streak_ms=now_ms, losses_before=0, consecutive_losses=0)


def resumed(record: RiskRecord, equity: Decimal, now_ms: int) -> RiskRecord:
    """The record after the operator resumed trading: what was lost until now counts no more."""
    return replace(
        record,
        equity_peak=equity,
        realised_today=Decimal(0),
        consecutive_losses=0,
        losses_before=0,
        streak_ms=now_ms,
        reset_ms=now_ms,
        restraint=None,
        skew_ms=0,
    )


def _losses_in_a_row(record: RiskRecord, results: Iterable[Result]) -> int:
    run = record.losses_before
    for one in sorted(results, key=lambda result: (result.closed_at_ms, result.position_id)):
        if one.closed_at_ms > record.streak_ms:
            run = run + 1 if one.net < 0 else 0
    return run


def _drawdown(
    record: RiskRecord, equity: Decimal, now_ms: int, settings: Settings
) -> Restraint | None:
    limit = settings.max_drawdown_pct
    if limit == 0 or record.equity_peak <= 0:
        return None
    fallen_pct = (record.equity_peak - equity) * 100 / record.equity_peak
    if fallen_pct < limit:
        return None
    numbers = {
        "drawdown_pct": fallen_pct,
        "limit_pct": limit,
        "equity": equity,
        "equity_peak": record.equity_peak,
    }
    return Restraint(reason=DRAWDOWN, numbers=numbers, since_ms=now_ms, until_ms=None)


def _daily_loss(
    record: RiskRecord, equity: Decimal, now_ms: int, settings: Settings
) -> Restraint | None:
    del equity  # the day's own first reading counts
    lost = -record.realised_today
    limits = _daily_limits(record, settings)
    if not limits or lost < min(limits.values()):
        return None
    numbers = {"daily_loss": lost, "limit": min(limits.values())}
    until_ms = record.day_ms + DAY_MS
    return Restraint(reason=DAILY_LOSS, numbers=numbers, since_ms=now_ms, until_ms=until_ms)


def _daily_limits(record: RiskRecord, settings: Settings) -> Mapping[str, Decimal]:
    amounts = {
        "quote": settings.max_daily_loss,
        "percent": record.day_start_equity * settings.max_daily_loss_pct / 100,
    }
    return {name: amount for name, amount in amounts.items() if amount > 0}


def _losses(
    record: RiskRecord, equity: Decimal, now_ms: int, settings: Settings
) -> Restraint | None:
    del equity
    limit = settings.max_consecutive_losses
    if limit == 0 or record.consecutive_losses < limit:
        return None
    numbers = {"losses": Decimal(record.consecutive_losses), "limit": Decimal(limit)}
    until_ms = now_ms + settings.losses_pause_min * 60_000
    return Restraint(reason=LOSSES, numbers=numbers, since_ms=now_ms, until_ms=until_ms)


def _longer(held: Restraint | None, found: Restraint) -> Restraint:
    """What is held unless the new one lasts longer; a reason is never renewed by itself."""
    if held is None:
        return found
    if held.reason == found.reason or held.until_ms is None:
        return held
    return found if found.until_ms is None or found.until_ms > held.until_ms else held


def _is_over(held: Restraint, now_ms: int) -> bool:
    return held.until_ms is not None and now_ms >= held.until_ms


def _is_on(reason: str, settings: Settings) -> bool:
    if reason == DAILY_LOSS:
        return settings.max_daily_loss > 0 or settings.max_daily_loss_pct > 0
    return (
        settings.max_drawdown_pct if reason == DRAWDOWN else settings.max_consecutive_losses
    ) > 0
