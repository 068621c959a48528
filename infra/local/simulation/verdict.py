"""What must hold when the storm is over, in the venue's books and in ours, both ways."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from engine.ledger import Fill, OrderState, PositionStatus, Purpose
from engine.orders import is_ours, parsed
from engine.values import CloseReason, Side
from local.paper.core.records import Fill as VenueFill
from local.simulation.machines import Plant
from local.simulation.spec import SYMBOLS
from local.simulation.venue import START_BALANCE, VenueSide
from local.simulation.watching import (
    ZERO,
    held_of_ours,
    our_fills,
    stop_cover,
    venue_quantity,
)

_UNRESOLVED = (OrderState.NEW, OrderState.SUBMITTING, OrderState.UNKNOWN)
_CENT = Decimal("0.0001")
# Of stops and targets two may be live for a moment, an old size and a new one, and both may fire.
_ONCE = (Purpose.CLOSE, Purpose.REDUCE)


@dataclass(slots=True)
class Verdict:
    """Everything found wrong, by kind; empty lists are what must be."""

    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (
            self.duplicates or self.lost or self.unprotected or self.drift or self.unresolved
        )

    def join(self, other: "Verdict") -> None:
        """Add what another look found, each thing once."""
        for name in ("duplicates", "lost", "unprotected", "drift", "unresolved"):
            mine = getattr(self, name)
            mine += [each for each in getattr(other, name) if each not in mine]


def judged(plant: Plant, venue: VenueSide) -> Verdict:
    """The whole look at books and venue."""
    return Verdict(
        duplicates=_duplicates(plant, venue),
        lost=_lost(plant, venue),
        unprotected=_bare(venue),
        drift=[
            *_order_drift(plant, venue),
            *_quantity_drift(plant, venue),
            *_surplus(venue),
            *_keys(plant),
        ],
        unresolved=_unresolved(plant),
    )


def judged_flat(plant: Plant, venue: VenueSide, *, was_meddled: bool) -> Verdict:
    """The same once everything was closed: flat, nothing left, and the money is all there."""
    verdict = judged(plant, venue)
    if not was_meddled:
        verdict.drift += [
            f"{at[0]} {at[1]} still holds {quantity}"
            for at, quantity in held_of_ours(venue).items()
        ]
        verdict.drift += _money(plant, venue)
    return verdict


def _duplicates(plant: Plant, venue: VenueSide) -> list[str]:
    """An intent the venue took twice, under whatever name."""
    found = [
        f"{row.client_id} accepted {row.accepted} times"
        for row in venue.books.client_ids.values()
        if row.accepted > 1 and is_ours(row.client_id)
    ]
    entered: dict[str, set[str]] = defaultdict(set)
    moved: dict[str, Decimal] = defaultdict(Decimal)
    left: dict[tuple[str, Purpose], Decimal] = defaultdict(Decimal)
    for fill, purpose, position in our_fills(venue):
        if purpose is Purpose.ENTRY:
            entered[position].add(fill.client_order_id)
        if not purpose.reduces:
            moved[position] += fill.quantity
        elif purpose in _ONCE:
            left[position, purpose] += fill.quantity
    found += [f"{p} entered by {sorted(n)}" for p, n in sorted(entered.items()) if len(n) > 1]
    found += [
        f"{position} left by {purpose} with {quantity} of {moved[position]}"
        for (position, purpose), quantity in sorted(left.items())
        if quantity > moved[position]
    ]
    wishes = Counter((p.key.text, p.entry_close_ms) for p in plant.store.positions.values())
    return found + [f"{text} {ms} opened {n} times" for (text, ms), n in wishes.items() if n > 1]


def _lost(plant: Plant, venue: VenueSide) -> list[str]:
    """Executions not booked, orders the store never knew, words nobody dealt with."""
    store = plant.store
    made = Counter(_printed(fill) for fill, _, _ in our_fills(venue))
    booked = Counter(_booked(fill) for fill in store.fills.values())
    found = [f"fill {print_} is not booked" for print_ in made - booked]
    found += [
        f"order {row.client_id} is nowhere in the store"
        for row in venue.books.client_ids.values()
        if is_ours(row.client_id) and row.client_id not in store.orders
    ]
    accepted = {row.client_id for row in venue.books.client_ids.values() if row.accepted}
    found += [
        f"{name} was given up, though it had arrived"
        for name, order in store.orders.items()
        if order.reason == "never arrived" and name in accepted
    ]
    return found + [f"command {name} is not dealt with" for name in _pending(plant)]


def _pending(plant: Plant) -> list[str]:
    return sorted(plant.store.commands.keys() - plant.store.consumed.keys())


def _bare(venue: VenueSide) -> list[str]:
    return [
        f"{at[0]} {at[1]} holds {quantity}, stops cover {stop_cover(venue, at)}"
        for at, quantity in held_of_ours(venue).items()
        if quantity > stop_cover(venue, at)
    ]


def _order_drift(plant: Plant, venue: VenueSide) -> list[str]:
    books = venue.books
    live = {o.client_order_id for o in books.open_orders.values()}
    live |= {a.client_algo_id for a in books.open_algos.values()}
    live = {name for name in live if is_ours(name)}
    working = {n for n, o in plant.store.orders.items() if not o.state.is_terminal}
    found = [f"the venue holds order {name}" for name in sorted(live - working)]
    found += [f"only we hold order {name}" for name in sorted(working - live)]
    made = Counter(_printed(fill) for fill, _, _ in our_fills(venue))
    booked = Counter(_booked(f) for f in plant.store.fills.values() if is_ours(f.client_order_id))
    return found + [f"fill {print_} is booked and never happened" for print_ in booked - made]


Print = tuple[str, str, Decimal, Decimal, int]
"""An execution but for its fee, of which venues print eight digits: the money tells of that."""


def _printed(fill: VenueFill) -> Print:
    return fill.client_order_id, fill.symbol, fill.quantity, fill.price, fill.time_ms


def _booked(fill: Fill) -> Print:
    return fill.client_order_id, fill.symbol, fill.quantity, fill.price, fill.executed_at_ms


def _quantity_drift(plant: Plant, venue: VenueSide) -> list[str]:
    found = []
    for symbol in SYMBOLS:
        for side in Side:
            shares = sum(
                (
                    p.quantity
                    for p in plant.store.positions.values()
                    if (p.key.symbol, p.key.side) == (symbol, side)
                ),
                ZERO,
            )
            there = venue_quantity(venue, (symbol, side))
            if shares != there:
                found.append(f"{symbol} {side}: our shares {shares}, the venue {there}")
    return found + _fill_sums(plant)


def _fill_sums(plant: Plant) -> list[str]:
    """A position is the sum of its fills, but for what somebody else took."""
    entered: dict[str, Decimal] = defaultdict(Decimal)
    for fill in plant.store.fills.values():
        name = parsed(fill.client_order_id)
        if name is not None and not name.purpose.reduces:
            entered[name.position_id] += fill.quantity
    return [
        f"{p.position_id} says {p.entry_quantity} entered, its fills {entered[p.position_id]}"
        for p in plant.store.positions.values()
        if p.entry_quantity != entered[p.position_id]
    ]


def _surplus(venue: VenueSide) -> list[str]:
    """Stops of ours that nothing needs."""
    held = held_of_ours(venue)
    return [
        f"{symbol} {side}: stops cover {cover}, held are {held.get((symbol, side), ZERO)}"
        for symbol in SYMBOLS
        for side in Side
        if (cover := stop_cover(venue, (symbol, side))) > held.get((symbol, side), ZERO)
    ]


def _keys(plant: Plant) -> list[str]:
    """One open position for each short key."""
    live = [p for p in plant.store.positions.values() if p.status is not PositionStatus.CLOSED]
    counted = Counter(p.key.short_text for p in live)
    return [f"short key {key} is open {n} times" for key, n in counted.items() if n > 1]


def _unresolved(plant: Plant) -> list[str]:
    store = plant.store
    found = [f"{n} is {o.state}" for n, o in store.orders.items() if o.state in _UNRESOLVED]
    return found + [
        f"position {p.position_id} is {p.status}"
        for p in store.positions.values()
        if p.status is PositionStatus.OPENING
    ]


def _money(plant: Plant, venue: VenueSide) -> list[str]:
    """Wallet = start + realized - fees + funding, on the venue and in our books."""
    positions = plant.store.positions.values()
    if any(p.close_reason is CloseReason.RECONCILE_MISSING for p in positions):
        return []
    ours = sum((p.realized_pnl - p.fees + p.funding for p in positions), ZERO)
    theirs = venue.books.account.wallet - START_BALANCE
    if abs(ours - theirs) <= _CENT:
        return []
    return [f"money: the venue earned {theirs}, our books say {ours}"]
