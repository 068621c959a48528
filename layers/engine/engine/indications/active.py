"""Active: the price moved past a threshold within a window."""

import numpy as np

from engine.indications.legs import Legs, Samples
from engine.indications.slots import Slot
from engine.market import Ints
from engine.settings import Settings


def active_legs(
    samples: Samples, known: Ints, slots: dict[int, Slot], settings: Settings
) -> list[Legs]:
    """Candidates: the change from the start of the window to the close reaches the threshold.

    The window is `activeWindowSeconds`; its start must be a known price, without candles
    missing in between. `known` (T, S) is zero where a candle is a gap: those decide nothing.
    """
    window = samples.count(settings.active_window_s)
    first = max(samples.remembered, window)
    if first >= len(samples.at_ms):
        return []
    now, then = samples.close[first:], samples.close[first - window : -window]
    lasted = samples.at_ms[first:] - samples.at_ms[first - window : -window]
    whole = (lasted == window * samples.span_ms)[:, None]
    usable = whole & (then > 0) & (known[first - samples.remembered :] > 0)
    change = (now - then) * 10_000
    legs = []
    for number, slot in slots.items():
        reached = usable & (slot.side.sign * change >= slot.parameter * then)
        row, symbol = np.nonzero(reached)
        legs.append(_legs(samples, number, slot, row + first, symbol, window))
    return legs


def _legs(samples: Samples, number: int, slot: Slot, row: Ints, symbol: Ints, window: int) -> Legs:
    within = row[:, None] + np.arange(1 - window, 1)
    if slot.side.sign > 0:
        best = samples.high[within, symbol[:, None]].max(axis=1, initial=0)
    else:
        best = samples.low[within, symbol[:, None]].min(axis=1, initial=1 << 60)
    return Legs(
        row=row,
        symbol=symbol,
        slot=np.full(len(row), number, np.int64),
        sign=np.full(len(row), slot.side.sign, np.int64),
        start_ms=samples.at_ms[row - window],
        start=samples.close[row - window, symbol],
        best=best,
    )
