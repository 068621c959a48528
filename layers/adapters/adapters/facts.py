"""What the position loop writes: facts of each position at once, all under its lease."""

from collections.abc import Iterable, Iterator
from itertools import batched

from adapters import commands
from adapters.leases import is_mine, lost, row_of
from adapters.position_rows import guard_row, holds, position_row
from adapters.risk_rows import risk_json
from adapters.tables import EngineStateRow, LeaseItem, OrderRow, PositionRow
from adapters.trade_rows import fill_row, order_row
from adapters.transactions import MAX_ITEMS, Transaction, WriteRefusedError
from engine.errors import CorruptStateError, ShortKeyTakenError
from engine.ledger import Fill, Order, OrderState, Position, PositionStatus
from engine.ports import Clock
from engine.records import Consumed, Facts, Lease
from engine.together import together

_LEASE = "lease"
_GUARD = "short key "
_TERMINAL = [str(state) for state in OrderState if state.is_terminal]


def write_facts(clock: Clock, lease: Lease, facts: Facts) -> None:
    """Write what belongs together in a transaction of its own, in the order of `together`.

    A taken short key stops that position alone; the others are written before it is reported.

    Raises
    ------
    LeaseLostError
        If the lease moved or ran out; what was not yet written stays unwritten.
    ShortKeyTakenError
        Naming every short key that another open position holds.
    CorruptStateError
        If an intent would overwrite an order that went on, an opening a position that did, or
        anything another end of an order.
    """
    taken: list[str] = []
    for transaction in _all(clock, lease, facts):
        try:
            transaction.commit()
        except WriteRefusedError as e:
            taken += _taken(e, lease)
    if taken:
        raise ShortKeyTakenError(tuple(taken))


def claim(clock: Clock, lease: Lease, order: Order) -> bool:
    """Take the right to send `order` once; False if somebody took it before."""
    transaction = _begin(clock, lease)
    actions = [
        OrderRow.state.set(str(OrderState.SUBMITTING)),
        OrderRow.submitting_at_ms.set(order.submitting_at_ms),
        OrderRow.updated_at_ms.set(order.submitting_at_ms),
    ]
    row = OrderRow(lease.connection_id, order.client_order_id)
    transaction.update("order", row, actions, OrderRow.state == str(OrderState.NEW))
    try:
        transaction.commit()
    except WriteRefusedError as e:
        if _LEASE in e.names:
            raise lost(lease) from e
        return False
    return True


def _all(clock: Clock, lease: Lease, facts: Facts) -> Iterator[Transaction]:
    for piece in together(facts):
        yield from _transactions(clock, lease, piece)


def _taken(refused: WriteRefusedError, lease: Lease) -> list[str]:
    """The short keys that were taken; any other refusal is raised as what it means."""
    if _LEASE in refused.names:
        raise lost(lease) from refused
    keys = [name.removeprefix(_GUARD) for name in refused.names if name.startswith(_GUARD)]
    if len(keys) < len(refused.names):
        raise CorruptStateError(f"stored facts went on without us: {refused}") from refused
    return keys


def _transactions(clock: Clock, lease: Lease, piece: Facts) -> Iterator[Transaction]:
    """One transaction, but for fills and commands beyond its limit: those go ahead of it.

    A fill whose row is there without its position's new figures is found by the comparison with
    the venue; counted twice it would not be.
    """
    rows = 1 + len(piece.orders) + 2 * len(piece.positions) + (piece.risk is not None)
    pairs = max(0, MAX_ITEMS - rows) // 2
    consumed, more = piece.consumed[:pairs], piece.consumed[pairs:]
    for commands_ahead in batched(more, (MAX_ITEMS - 1) // 2):
        early = _begin(clock, lease)
        _add_consumed(clock, early, lease, commands_ahead)
        yield early
    room = max(0, MAX_ITEMS - rows - 2 * len(consumed))
    fills, surplus = piece.fills[:room], piece.fills[room:]
    for some in batched(surplus, MAX_ITEMS - 1):
        early = _begin(clock, lease)
        _add_fills(early, lease, some)
        yield early
    transaction = _begin(clock, lease)
    if piece.risk is not None:
        actions = [EngineStateRow.risk.set(risk_json(piece.risk))]
        transaction.update("risk", EngineStateRow(lease.connection_id), actions)
    for position in piece.positions:
        _add_position(transaction, lease, position)
    for order in piece.orders:
        _add_order(transaction, lease, order)
    _add_fills(transaction, lease, fills)
    _add_consumed(clock, transaction, lease, consumed)
    yield transaction


def _begin(clock: Clock, lease: Lease) -> Transaction:
    transaction = Transaction()
    condition = is_mine(lease, clock.now_ms())
    transaction.check(_LEASE, LeaseItem, row_of(lease).lease_key, condition)
    return transaction


def _add_position(transaction: Transaction, lease: Lease, position: Position) -> None:
    guard = guard_row(lease.connection_id, position)
    mine = PositionRow.held_by == position.position_id
    may_go_on = None
    if position.status is PositionStatus.OPENING:
        name = f"{_GUARD}{position.key.short_text}"
        transaction.put(name, guard, PositionRow.held_by.does_not_exist() | mine)
        may_go_on = PositionRow.status.does_not_exist() | (PositionRow.status == position.status)
    elif position.status is PositionStatus.CLOSED and holds(guard):
        transaction.delete(f"guard of {position.position_id}", guard, mine)
    row = position_row(lease.connection_id, position)
    transaction.put(f"position {position.position_id}", row, may_go_on)


def _add_order(transaction: Transaction, lease: Lease, order: Order) -> None:
    """Put the order; an intent overwrites nothing that was claimed, and an end is final."""
    unchanged = OrderRow.state.does_not_exist() | (OrderRow.state == str(order.state))
    may_go_on = unchanged | ~OrderRow.state.is_in(*_TERMINAL)
    condition = unchanged if order.state is OrderState.NEW else may_go_on
    name = f"order {order.client_order_id}"
    transaction.put(name, order_row(lease.connection_id, order), condition)


def _add_fills(transaction: Transaction, lease: Lease, fills: Iterable[Fill]) -> None:
    """Put executions by the venue's trade id: the same one again changes nothing."""
    for fill in fills:
        row = fill_row(lease.connection_id, fill)
        transaction.put(f"fill {fill.trade_id}", row)


def _add_consumed(
    clock: Clock, transaction: Transaction, lease: Lease, consumed: Iterable[Consumed]
) -> None:
    for one in consumed:
        commands.add_done(transaction, lease.connection_id, one, now_ms=clock.now_ms())
