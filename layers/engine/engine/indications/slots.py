"""Slots: what can signal on a symbol."""

from dataclasses import dataclass

from engine.values import PLAIN, IndicationType, Side, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An indication with all it is tried with, for one side; see `SetKey` and `Variant`."""

    indication: IndicationType
    parameter: int
    side: Side
    variant: Variant = PLAIN
