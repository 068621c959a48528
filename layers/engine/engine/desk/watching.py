"""The account's risk, watched: figures kept up to date, the trading state settled before wishes."""

from dataclasses import replace

from engine.desk.book import Book
from engine.events import Account
from engine.ledger import Fill
from engine.records import CommandKind
from engine.risk import (
    at_equity,
    counted,
    judged,
    kept_since,
    released,
    resumed,
    stale_equity,
    trading_state,
)
from engine.risk.trading_state import DAILY_LOSS, DRAWDOWN
from engine.risk_record import RiskRecord


def watch(book: Book) -> None:
    """Bring the record to this tick; without a fresh equity only time can change it."""
    record = released(_with_skew(book, book.risk), book.now_ms, book.settings)
    account = book.account
    if account is not None and stale_equity(account, book.now_ms, book.settings) is None:
        record = _measured(book, record, account)
    record = replace(record, state=trading_state(record, halt=book.inputs.halt))
    _tell(book, record)
    book.risk = record


def _measured(book: Book, record: RiskRecord, account: Account) -> RiskRecord:
    """The record after equity, closings and the operator's word; old results are let go."""
    record = at_equity(record, book.results.values(), account.equity, book.now_ms)
    for command in list(book.pending.values()):
        if command.kind == CommandKind.RESUME_TRADING:
            record = resumed(record, account.equity, book.now_ms)
            book.consume(command, "done")
    if book.uncounted or _counted_from(record) != _counted_from(book.before.risk):
        record = counted(record, book.results.values())
        book.uncounted = False
    if record.day_ms != book.before.risk.day_ms:
        oldest_ms = kept_since(record.day_ms)
        book.results = {n: r for n, r in book.results.items() if r.closed_at_ms >= oldest_ms}
    return judged(record, account.equity, book.now_ms, book.settings)


def _counted_from(record: RiskRecord) -> tuple[int, int, int, int]:
    return record.day_ms, record.reset_ms, record.streak_ms, record.losses_before


def _with_skew(book: Book, record: RiskRecord) -> RiskRecord:
    """What executions tell of the venue's clock: none is later than now or before its order."""
    allowed_ms = book.settings.clock_skew_ms
    for fill in book.new_fills:
        skew_ms = _skew_of(book, fill)
        skew_ms = skew_ms if abs(skew_ms) > allowed_ms else 0
        if skew_ms or record.skew_ms:
            record = replace(record, skew_ms=skew_ms, skew_at_ms=book.now_ms)
    return record


def _skew_of(book: Book, fill: Fill) -> int:
    ahead_ms = fill.executed_at_ms - book.now_ms
    order = book.orders.get(fill.client_order_id)
    if ahead_ms > 0 or order is None or not order.submitting_at_ms:
        return max(ahead_ms, 0)
    return min(fill.executed_at_ms - order.submitting_at_ms, 0)


def _tell(book: Book, record: RiskRecord) -> None:
    before, held = book.before.risk, record.restraint
    if (record.state, held) == (before.state, before.restraint):
        return
    figures = {} if held is None else {name: f"{n:f}" for name, n in held.numbers.items()}
    reason = "" if held is None else held.reason
    until_ms = None if held is None else held.until_ms
    tell = book.alarm if reason in (DRAWDOWN, DAILY_LOSS) else book.note
    tell(
        "trading_state",
        state=record.state,
        was=before.state,
        reason=reason,
        until_ms=until_ms or "",
        **figures,
    )
