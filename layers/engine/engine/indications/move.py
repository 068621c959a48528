"""Move: N steps one way in a short time, so the price may go on."""

import numpy as np

from engine.indications.legs import Extremes, Legs, step_legs
from engine.indications.slots import Slot
from engine.indications.steps import Walk
from engine.settings import Settings


def move_legs(
    walk: Walk, extremes: Extremes, slots: dict[int, Slot], ahead: int, settings: Settings
) -> list[Legs]:
    """Candidates: the last N steps had one sign, the first and the last of them close in time.

    They may lie N times `moveSecondsPerStep` apart. Looked at on candles that made a step.
    """
    log, index = walk.log, walk.index
    sign, run = log.sign[index], log.run[index]
    legs = []
    for number, slot in slots.items():
        n = slot.parameter
        lasted = log.at_ms[index] - log.at_ms[index - n + 1]
        quick = lasted <= n * settings.move_seconds_per_range * 1000
        chosen = (sign == slot.side.sign) & (run >= n) & quick
        legs.append(step_legs(walk, extremes, number, chosen, np.full(len(index), n), ahead))
    return legs
