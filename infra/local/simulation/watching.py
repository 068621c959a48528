"""What the venue's own books say while a case runs: is each position of ours protected."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from engine.ledger import PositionStatus, Purpose
from engine.orders import parsed
from engine.values import Loop, Side
from local.paper.core.records import AlgoOrder, Fill, OrderSide, PositionSide
from local.simulation.cloud import CONNECTION, Cloud
from local.simulation.machines import Plant
from local.simulation.venue import VenueSide

SymbolSide = tuple[str, Side]
ZERO = Decimal(0)
_CLEAR_US = 2_000_000
_BARE_US = 5_000_000
_CLOSING_US = 10_000_000


@dataclass(slots=True)
class Watch:
    """Counts the fault-free time that something of ours is held without a live stop for it."""

    plant: Plant
    venue: VenueSide
    cloud: Cloud
    bare_us: dict[SymbolSide, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    _seen_us: int = 0

    def look(self) -> None:
        """Called after every turn of the market."""
        now_us = self.plant.stage.now_us
        passed_us, self._seen_us = now_us - self._seen_us, now_us
        if not self._is_guarded():
            self.plant.history.disturbed_until(now_us)
        clear = now_us - self.plant.history.struck_us > _CLEAR_US
        for at, quantity in held_of_ours(self.venue).items():
            if quantity <= stop_cover(self.venue, at):
                self.bare_us.pop(at, None)
            elif clear:
                self._count(at, quantity, passed_us)

    def _is_guarded(self) -> bool:
        """Whether a live worker holds the position loop's lease, and may call the venue."""
        owner = self.plant.leases.read(CONNECTION, Loop.POSITION).owner
        return any(
            machine.is_busy
            and not machine.loop.is_dead
            and owner.startswith(f"{machine.name}-")
            and not machine.is_silenced()
            for _, machine in self.cloud.machines
        )

    def _count(self, at: SymbolSide, quantity: Decimal, passed_us: int) -> None:
        before = self.bare_us.get(at, 0)
        after = self.bare_us[at] = before + passed_us
        limit = _CLOSING_US if self._is_closing(at) else _BARE_US
        if before <= limit < after:
            self.found.append(f"{at[0]} {at[1]} bare for {after / 1e6:.1f} s, holds {quantity}")
            self.plant.history.tell("watch", f"UNPROTECTED {self.found[-1]}")

    def _is_closing(self, at: SymbolSide) -> bool:
        """Whether all of it is on its way out, which the rule allows instead."""
        shares = [
            p
            for p in self.plant.store.positions.values()
            if (p.key.symbol, p.key.side) == at and p.quantity > 0
        ]
        return any(p.status is PositionStatus.CLOSING for p in shares)


def side_of(order_side: OrderSide, side: PositionSide, purpose: Purpose) -> Side:
    """The side of the position an order of ours is for."""
    if side is not PositionSide.BOTH:
        return Side(side.value)
    buys = order_side is OrderSide.BUY
    return Side.LONG if buys != purpose.reduces else Side.SHORT


def our_fills(venue: VenueSide) -> list[tuple[Fill, Purpose, str]]:
    """Executions of our orders, with what the order was for and whose position it is."""
    found = []
    for fill in venue.books.fills:
        name = parsed(fill.client_order_id)
        if name is not None:
            found.append((fill, name.purpose, name.position_id))
    return found


def held_of_ours(venue: VenueSide) -> dict[SymbolSide, Decimal]:
    """What the venue holds and our orders opened."""
    ours: dict[SymbolSide, Decimal] = defaultdict(Decimal)
    for fill, purpose, _ in our_fills(venue):
        at = (fill.symbol, side_of(fill.side, fill.position_side, purpose))
        ours[at] += -fill.quantity if purpose.reduces else fill.quantity
    return {
        at: min(quantity, venue_quantity(venue, at))
        for at, quantity in ours.items()
        if quantity > 0
    }


def venue_quantity(venue: VenueSide, at: SymbolSide) -> Decimal:
    """What the venue holds in (symbol, side)."""
    symbol, side = at
    one = venue.books.positions.get((symbol, PositionSide(side.value)))
    net = venue.books.positions.get((symbol, PositionSide.BOTH))
    hedged = abs(one.quantity) if one is not None else ZERO
    return hedged + (max(net.quantity * side.sign, ZERO) if net is not None else ZERO)


def stop_cover(venue: VenueSide, at: SymbolSide) -> Decimal:
    """Live stop quantity of ours in (symbol, side)."""
    return sum((a.quantity for a in venue.books.open_algos.values() if _stops(a, at)), ZERO)


def _stops(algo: AlgoOrder, at: SymbolSide) -> bool:
    name = parsed(algo.client_algo_id)
    if name is None or name.purpose is not Purpose.STOP:
        return False
    return (algo.symbol, side_of(algo.side, algo.position_side, name.purpose)) == at
