"""Direction: a straight run of N steps has turned, so the price may go on the other way."""

import numpy as np

from engine.indications.legs import Extremes, Legs, step_legs
from engine.indications.slots import Slot
from engine.indications.steps import Walk
from engine.settings import Settings


def direction_legs(
    walk: Walk, extremes: Extremes, slots: dict[int, Slot], ahead: int, settings: Settings
) -> list[Legs]:
    """Candidates: the last completed run had at least N steps, and m opposite ones followed.

    m is N times `directionConfirmRatio`, half to even, at least 1. The side is that of the
    opposite steps; the leg is their last N at most. Looked at on candles that made a step.
    """
    sign, run = walk.log.sign[walk.index], walk.log.run[walk.index]
    before = walk.log.before[walk.index]
    legs = []
    for number, slot in slots.items():
        confirmed = max(1, round(slot.parameter * settings.direction_confirm_ratio))
        chosen = (sign == slot.side.sign) & (before >= slot.parameter) & (run >= confirmed)
        length = np.minimum(run, slot.parameter)
        legs.append(step_legs(walk, extremes, number, chosen, length, ahead))
    return legs
