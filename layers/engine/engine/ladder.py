"""The ladder (DCA): the steps a losing position may take, and the stop beyond the last of them."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from engine.settings import Settings
from engine.values import Exits


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An adverse move from the first entry price, and what is added there, of its quantity."""

    number: int
    distance_pct: Decimal
    volume: Decimal


def admitted(settings: Settings) -> tuple[Step, ...]:
    """The first steps that together with the entry stay within the largest total."""
    return _admitted(settings.dca_distances_pct, settings.dca_volumes, settings.dca_max_total_ratio)


@lru_cache(maxsize=16)  # asked for each position in every tick
def _admitted(
    distances: tuple[Decimal, ...], volumes: tuple[Decimal, ...], largest: Decimal
) -> tuple[Step, ...]:
    steps: list[Step] = []
    total = Decimal(1)
    for number, (distance_pct, volume) in enumerate(zip(distances, volumes, strict=True)):
        total += volume
        if total > largest:
            break
        steps.append(Step(number=number, distance_pct=distance_pct, volume=volume))
    return tuple(steps)


def stop_distance_pct(exits: Exits, settings: Settings) -> Decimal:
    """How far from the first entry price the stop lies: a ladder's beyond its last step."""
    steps = admitted(settings) if exits.ladder else ()
    if not steps:
        return exits.stop_loss_pct
    return max(exits.stop_loss_pct, steps[-1].distance_pct + settings.dca_stop_margin_pct)
