"""Preset slots: confluences of common indicators that become signals."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.indications.slots import SlotTable
from engine.indicators.configurations import preset_configurations
from engine.indicators.preset import PRESET_SIGNAL, preset_signals
from engine.indicators.state import PresetState
from engine.market import Candles, Ints
from engine.settings import Settings
from engine.values import IndicationType


class Spoken(NamedTuple):
    """What the common indicators said of some candles.

    `arrays` are what they remember, `signals` are `PRESET_SIGNAL`, `slot` that of each of them.
    """

    arrays: Mapping[str, NDArray[Any]]
    signals: NDArray[np.void]
    slot: Ints
    counts: dict[str, int]


def speak(
    arrays: Mapping[str, NDArray[Any]], candles: Candles, table: SlotTable, settings: Settings
) -> Spoken:
    """Fold `candles` into what the indicators remember, if any slot listens to them."""
    if not len(table.slots_of(IndicationType.PRESET)):
        return Spoken({}, np.zeros(0, PRESET_SIGNAL), np.zeros(0, np.int64), {})
    state, slot_of = _listening(table, len(candles.symbols), settings)
    state = state.restored(arrays) if arrays else state
    state, signals, counts = preset_signals(state, candles, settings)
    slot = slot_of[signals["configuration"], (signals["sign"] > 0).astype(np.int64)]
    heard = slot >= 0
    counted = {f"preset_{name}": count for name, count in counts.items()}
    return Spoken(state.arrays(), signals[heard], slot[heard], counted)


@lru_cache(maxsize=8)
def _listening(table: SlotTable, symbols: int, settings: Settings) -> tuple[PresetState, Ints]:
    """A fresh state of the configurations that slots name, and the slots (C, 2) of each side."""
    slots: dict[str, dict[int, int]] = {}
    for number in table.slots_of(IndicationType.PRESET).tolist():
        slot = table.slots[number]
        slots.setdefault(slot.variant.preset, {})[slot.side.sign] = number
    named = [
        (each, slots[name])
        for each in preset_configurations(settings)
        if (name := "+".join(each.text.split())) in slots
    ]
    slot_of = np.array([[of.get(-1, -1), of.get(1, -1)] for _, of in named], np.int64)
    state = PresetState.fresh(symbols, [each for each, _ in named])
    return state, slot_of.reshape(-1, 2)
