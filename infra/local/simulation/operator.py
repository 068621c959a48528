"""An operator at the desk: pauses and resumes, moves stops and targets, closes what gains."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from engine.ledger import Position, PositionStatus
from engine.records import Command, CommandKind, ExitChange
from engine.values import Loop
from local.simulation.cloud import CONNECTION, Cloud
from local.simulation.machines import Plant
from local.simulation.venue import VenueSide

Rates = tuple[tuple[float, Callable[[], None]], ...]
_DISTANCES_PCT = ("-0.1", "0.05", "0.15", "0.3", "0.6", "1.5")
"""From the last price: on its wrong side too, and beyond what a position was sized for."""


@dataclass(slots=True)
class Operator:
    """His words have dice of their own; `put` stores a command and wakes its loop."""

    plant: Plant
    cloud: Cloud
    venue: VenueSide
    dice: random.Random
    put: Callable[[Command, str], None]
    is_gone: bool = False

    def rates(self) -> Rates:
        """What he does how often a second."""
        return (
            (0.04, self.pause_a_while),
            (0.15, self.change_exits),
            (0.03, self.close_profitable),
        )

    def pause_a_while(self) -> None:
        """Nothing new opens for some seconds."""
        self._want("pause")
        self.cloud.loop.call_later(self.dice.randrange(1, 7), self.resume)

    def resume(self) -> None:
        """The pause is over, unless a stop replaced it."""
        self._want("run", instead_of="pause")

    def change_exits(self) -> None:
        """Another stop, target or both for one of the positions, sensible or not."""
        held = [p for p in self.plant.store.positions.values() if _is_open(p)]
        if not held:
            return
        dice = self.dice
        position = dice.choice(sorted(held, key=lambda one: one.position_id))
        stop, target = self._price(position, -1), self._price(position, 1)
        parts = dice.randrange(3)
        change = ExitChange(
            stop_price=None if parts == 1 else stop,
            target_price=None if parts == 2 else target,
            allow_looser=dice.random() < 0.5,
        )
        self._command(CommandKind.CHANGE_EXITS, position.position_id, change)

    def close_profitable(self) -> None:
        """Whatever gains is closed."""
        self._command(CommandKind.CLOSE_PROFITABLE)

    def _price(self, position: Position, favourable: int) -> Decimal:
        """A price on that side of the last one, or, now and then, as configured."""
        if self.dice.random() < 0.15:
            return Decimal(0)
        quote = self.venue.exchange.quotes.quote(position.key.symbol, self.venue.now_ms())
        pct = Decimal(self.dice.choice(_DISTANCES_PCT)) * favourable * position.key.side.sign
        return quote.last * (100 + pct) / 100

    def _command(
        self, kind: CommandKind, position_id: str = "", exits: ExitChange | None = None
    ) -> None:
        now_ms = self.cloud.clock.now_ms()
        made = Command(
            command_id=f"{now_ms:013d}|{kind}|{position_id}",
            kind=kind,
            created_at_ms=now_ms,
            position_id=position_id,
            exits=exits,
        )
        self.put(made, kind)

    def _want(self, wanted: str, *, instead_of: str = "run") -> None:
        if self.is_gone:
            return
        for loop in Loop:
            row = self.plant.leases.read(CONNECTION, loop)
            if row.wanted == instead_of:
                self.plant.leases.change(
                    CONNECTION, loop, wanted=wanted, wanted_number=row.wanted_number + 1
                )
        self.plant.history.tell("outside", f"operator wants {wanted}")


def _is_open(position: Position) -> bool:
    return position.status is PositionStatus.OPEN and position.quantity > 0
