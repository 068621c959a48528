"""Slots: what can signal on a symbol."""

from dataclasses import dataclass

from engine.values import IndicationType, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An indication with one parameter, for one side.

    `parameter` is the range N in steps of Direction and Move, the threshold of Active in
    hundredths of a percent.
    """

    indication: IndicationType
    parameter: int
    side: Side
