"""The end of a tick: the book frozen into the next state and the plan, the settled forgotten."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from engine.desk.book import Book
from engine.desk.charging import symbols_to_price
from engine.desk.halting import proof
from engine.desk.state import DeskPlan, DeskState
from engine.ledger import Order, OrderState, Position, Purpose
from engine.orders import missing
from engine.records import Facts

ALARM_AGAIN_MS = 3_600_000  # what still lasts then is worth another word
_URGENCY = {
    Purpose.STOP: 0,
    Purpose.CLOSE: 1,
    Purpose.REDUCE: 2,
    Purpose.TARGET: 3,
    Purpose.ENTRY: 4,
    Purpose.ADD: 5,
}


def finished(book: Book, *, idle: bool) -> tuple[DeskState, DeskPlan]:
    """The state after the plan, and the plan."""
    facts = Facts(
        orders=_changed(book.orders, book.before.orders),
        positions=_changed_positions(book),
        fills=tuple(book.new_fills),
        consumed=tuple(book.consumed),
        risk=book.risk if book.risk != book.before.risk else None,
    )
    plan = DeskPlan(
        facts=facts,
        sends=_claimable(book),
        cancels=tuple(book.cancels.values()),
        look_ups=tuple(book.look_ups.values()),
        prepares=tuple(book.prepares),
        fetch_fills=tuple(book.fetches),
        funding_since_ms=book.funding_since_ms,
        want_snapshot=book.want_snapshot,
        snapshot_of=book.snapshot_of,
        want_account=book.want_account,
        want_instruments=book.want_instruments,
        follow=_follow(book),
        refusals=book.refusals,
        unreconciled=book.unreconciled,
        idle=idle,
        trading_state=book.risk.state,
        restraint=book.risk.restraint,
        halt_proof=proof(book),
        log=tuple(book.log),
    )
    own = {f.name for f in fields(DeskState)} - {"connection_id", "fill_ids"}
    values: dict[str, Any] = {name: getattr(book, name) for name in own}
    state = DeskState(
        connection_id=book.before.connection_id,
        fill_ids=frozenset(book.fill_ids) if book.new_fills else book.before.fill_ids,
        **values,
    )
    return state, plan


def forget(book: Book, kept_ms: int) -> None:
    """Drop what is settled: old closings with their orders, answered questions."""
    book.closed = {
        name: position
        for name, position in book.closed.items()
        if book.now_ms - position.closed_at_ms < kept_ms
    }
    kept = book.positions.keys() | book.closed.keys()
    for client_id, order in list(book.orders.items()):
        is_over = order.state.is_terminal and missing(order) == 0
        if order.position_id not in kept and is_over:
            del book.orders[client_id]
    book.loose = {
        key: fill for key, fill in book.loose.items() if book.now_ms - fill.executed_at_ms < kept_ms
    }
    repeated = {command.command_id for command in book.inputs.commands}
    book.done = {
        key: ms for key, ms in book.done.items() if key in repeated or book.now_ms - ms < kept_ms
    }
    alive = {c for c, order in book.orders.items() if not order.state.is_terminal}
    for asked in (book.looked, book.looked_last, book.doubted):
        _keep(asked, alive)
    book.not_found = {c: times for c, times in book.not_found.items() if c in alive}
    orphans = {c for c, ms in book.cancelling.items() if book.now_ms - ms < kept_ms}
    _keep(book.cancelling, alive | (orphans - book.orders.keys()))
    book.alarmed = {
        key: ms for key, ms in book.alarmed.items() if book.now_ms - ms < ALARM_AGAIN_MS
    }
    for noted in (book.bare_since, book.touched, book.add_refused, book.freeing):
        _keep(noted, book.positions)


def _claimable(book: Book) -> tuple[Order, ...]:
    """New orders leave for the shell; for us they are submitting from this moment on."""
    fresh = [order for order in book.orders.values() if order.state is OrderState.NEW]
    sends = []
    for order in sorted(fresh, key=_urgency):
        sent = replace(order, submitting_at_ms=book.now_ms)
        sends.append(sent)
        book.orders[order.client_order_id] = replace(sent, state=OrderState.SUBMITTING)
    return tuple(sends)


def _urgency(order: Order) -> tuple[int, str]:
    """Protection first; then by name, so that equal inputs give equal plans."""
    return _URGENCY[order.purpose], order.client_order_id


def _changed_positions(book: Book) -> tuple[Position, ...]:
    now = book.positions | book.closed
    return _changed(now, {**book.before.positions, **book.before.closed})


def _follow(book: Book) -> frozenset[str]:
    wished = {c.wish.key.symbol for c in book.pending.values() if c.wish is not None}
    held = [*book.positions.values(), *book.closed.values()]
    priced = {symbol for position in held for symbol in symbols_to_price(book, position)}
    if book.settings.external_positions == "adopt" or book.inputs.flatten:
        priced |= {symbol for symbol, _ in book.mismatches if book.instrument(symbol)}
    return frozenset(wished | priced | {p.key.symbol for p in book.positions.values()})


def _keep(times: dict[str, int], names: Iterable[str]) -> None:
    wanted = set(names)
    for name in [name for name in times if name not in wanted]:
        del times[name]


def _changed[Row](now: Mapping[str, Row], before: Mapping[str, Row]) -> tuple[Row, ...]:
    return tuple(row for name, row in now.items() if before.get(name) is not row)
