"""Active: the price moved past a threshold within a window."""

import numpy as np

from engine.indications.legs import Legs, Samples, window_legs
from engine.indications.slots import SlotTable
from engine.market import Ints
from engine.settings import Settings


def active_legs(samples: Samples, table: SlotTable, groups: Ints, settings: Settings) -> Legs:
    """Candidates: the change from the start of the window to the close reaches the threshold.

    The window is `activeWindowSeconds`; its start must be a known price, without candles
    missing in between. A gap decides nothing.
    """
    window = samples.count(settings.active_window_s)
    first, usable = samples.decidable(window)
    if not usable.any():
        return Legs.none()
    threshold, side = table.group_parameter[groups], table.group_sign[groups]
    now, then = samples.close[first:], samples.close[first - window : -window]
    change = (now - then) * 10_000
    row, symbol = np.nonzero(usable & (np.abs(change) >= threshold.min() * then))
    signed = change[row, symbol][:, None] * side
    at, chosen = np.nonzero(signed >= threshold * then[row, symbol][:, None])
    return window_legs(samples, table, groups[chosen], row[at] + first, symbol[at], window)
