"""Which facts of a tick are stored in one transaction, so that no death parts them."""

from collections import defaultdict
from dataclasses import dataclass, field

from engine.ledger import Fill, Order, Position, PositionStatus
from engine.records import Consumed, Facts

_MOST_POSITIONS = 12
"""Of one transaction: with their orders they stay below the hundred rows that one may have."""


@dataclass(slots=True)
class _Piece:
    positions: list[Position] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    consumed: list[Consumed] = field(default_factory=list)


def together(facts: Facts) -> list[Facts]:
    """Facts by position, each to be stored whole: closed ones first, since they free keys.

    With a position go its orders, their executions and the command that it was opened for.
    Positions that shared an execution of an order go together: were it stored as booked without
    one of them, nobody would book that part again. The account's figures come first: who finds
    them without what they count, counts anew. What belongs to no position comes last. Of the same
    order, execution or command the last counts.
    """
    home = _homes(facts)
    wishes = {f"{p.entry_close_ms:013d}|{p.key.text}": p.position_id for p in facts.positions}
    owners = _owners(facts)
    pieces: dict[str, _Piece] = defaultdict(_Piece)

    def piece_of(position_id: str) -> _Piece:
        return pieces[home.get(position_id, position_id)]

    for position in sorted(facts.positions, key=lambda p: p.status is not PositionStatus.CLOSED):
        piece_of(position.position_id).positions.append(position)
    for order in {order.client_order_id: order for order in facts.orders}.values():
        piece_of(order.position_id).orders.append(order)
    for fill in {fill.key: fill for fill in facts.fills}.values():
        piece_of(owners.get(fill.client_order_id, "")).fills.append(fill)
    for consumed in {one.command_id: one for one in facts.consumed}.values():
        piece_of(wishes.get(consumed.command_id, "")).consumed.append(consumed)
    if "" in pieces:
        pieces[""] = pieces.pop("")
    risk = [] if facts.risk is None else [Facts(risk=facts.risk)]
    return risk + [_frozen(piece) for piece in pieces.values()]


def _owners(facts: Facts) -> dict[str, str]:
    return {order.client_order_id: order.position_id for order in facts.orders}


def _homes(facts: Facts) -> dict[str, str]:
    """By position: the one whose piece it is in, where an execution is shared."""
    sharers: dict[str, list[str]] = defaultdict(list)
    for position in facts.positions:
        for name, _ in position.settled:
            sharers[name].append(position.position_id)
    owners = _owners(facts)
    home: dict[str, str] = {}
    for fill in facts.fills:
        owner = owners.get(fill.client_order_id)
        if owner is None:
            continue
        for sharer in sharers.get(fill.key, ()):
            home = _joined(home, owner, sharer)
    return home


def _joined(home: dict[str, str], one: str, other: str) -> dict[str, str]:
    to, old = home.get(one, one), home.get(other, other)
    joint = {name for name, at in home.items() if at in (to, old)} | {one, other}
    return home if len(joint) > _MOST_POSITIONS else home | dict.fromkeys(joint, to)


def _frozen(piece: _Piece) -> Facts:
    return Facts(
        orders=tuple(piece.orders),
        positions=tuple(piece.positions),
        fills=tuple(piece.fills),
        consumed=tuple(piece.consumed),
    )
