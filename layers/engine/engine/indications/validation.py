"""The last tests of a signal: nothing speaks against it, and its slot has rested long enough."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indications.slots import KINDS, SlotTable
from engine.market import Ints
from engine.settings import Settings
from engine.values import IndicationType, TradeMode

_OPTIMAL = KINDS.index(IndicationType.OPTIMAL)
_MAIN = [
    place
    for place, kind in enumerate(KINDS)
    if kind.mode is TradeMode.MAIN and kind is not IndicationType.OPTIMAL
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What passed the filters, pair by pair: leg (-1 for a preset), slot, symbol, time."""

    leg: Ints
    slot: Ints
    symbol: Ints
    at_ms: Ints

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Passed":
        return Passed(**{name: getattr(self, name)[chosen] for name in Passed.__slots__})

    @staticmethod
    def join(one: "Passed", other: "Passed") -> "Passed":
        names = Passed.__slots__
        return Passed(**{n: np.concatenate([getattr(one, n), getattr(other, n)]) for n in names})


def validate(
    passed: Passed, validated_ms: Ints, table: SlotTable, settings: Settings
) -> tuple[Passed, Ints, int, int]:
    """The signals, and the new times of the slots (S, J).

    And how many were refused because another indication disagrees with Optimal, and how many
    because their slot has to rest.
    """
    timeout_ms = settings.validation_timeout_s * 1000
    optimal = table.kind[passed.slot] == _OPTIMAL
    signals, times, resting = _rested(passed.take(~optimal), validated_ms, timeout_ms)
    if not optimal.any():
        return signals, times, 0, resting
    asked = passed.take(optimal)
    agreed = ~_contradicted(asked, signals, validated_ms, table, timeout_ms)
    others, times, more = _rested(asked.take(agreed), times, timeout_ms)
    disagreed = int((~agreed).sum())
    return Passed.join(signals, others), times, disagreed, resting + more


def last_opposite_ms(symbol: Ints, sign: Ints, validated_ms: Ints, table: SlotTable) -> Ints:
    """When another main type last signalled the other side of each symbol, 0 for never."""
    last = np.zeros((len(validated_ms), 2), np.int64)
    for side in (-1, 1):
        main = np.isin(table.kind, _MAIN) & (table.sign == side)
        last[:, (side + 1) // 2] = validated_ms[:, main].max(axis=1, initial=0)
    opposite: Ints = last[symbol, (1 - sign) // 2]
    return opposite


def spaced(key: Ints, at_ms: Ints, last_ms: Ints, gap_ms: int) -> NDArray[np.bool_]:
    """Which candidates keep `gap_ms` from the one accepted before them of the same key.

    Candidates are sorted by key and time; `last_ms` is the last accepted time of every key, 0 for
    never.
    """
    accepted = np.zeros(len(key), np.bool_)
    since = int(at_ms.min(initial=1 << 62))
    at_ms = at_ms - since
    reach = int(at_ms.max(initial=0)) + gap_ms + 1
    order = key * reach + at_ms
    keys = np.unique(key)
    earliest = np.where(last_ms[keys] > 0, np.maximum(last_ms[keys] + gap_ms - since, 0), 0)
    while len(keys):
        found = np.searchsorted(order, keys * reach + np.minimum(earliest, reach - 1))
        inside = found < len(key)
        keys, found = keys[inside], found[inside]
        same = key[found] == keys
        keys, found = keys[same], found[same]
        accepted[found] = True
        earliest = at_ms[found] + gap_ms
    return accepted


def _rested(passed: Passed, validated_ms: Ints, timeout_ms: int) -> tuple[Passed, Ints, int]:
    """Those that keep the validation time of their slot, the new times, and how many do not."""
    if not len(passed.slot):
        return passed, validated_ms, 0
    key = passed.symbol * validated_ms.shape[1] + passed.slot
    order = np.lexsort((passed.at_ms, key))
    passed, key = passed.take(order), key[order]
    last = validated_ms.ravel()
    chosen = spaced(key, passed.at_ms, last, timeout_ms)
    if not chosen.any():
        return passed.take(chosen), validated_ms, len(key)
    times = last.copy()
    times[key[chosen]] = passed.at_ms[chosen]  # sorted by time: the last one stays
    return passed.take(chosen), times.reshape(validated_ms.shape), int((~chosen).sum())


def _contradicted(
    asked: Passed, signals: Passed, validated_ms: Ints, table: SlotTable, timeout_ms: int
) -> NDArray[np.bool_]:
    """Whether another main type signalled the other side within the validation time before."""
    sign = table.sign[asked.slot]
    last = last_opposite_ms(asked.symbol, sign, validated_ms, table)
    main = signals.take(np.isin(table.kind[signals.slot], _MAIN))
    reach = int(max(main.at_ms.max(initial=0), asked.at_ms.max(initial=0))) + 1
    order = np.sort((main.symbol * 2 + (table.sign[main.slot] > 0)) * reach + main.at_ms)
    place = (asked.symbol * 2 + (sign < 0)) * reach
    found = np.searchsorted(order, place + asked.at_ms, side="right") - 1
    newest = np.append(order, -1)[found] - place  # negative if of another symbol or side
    last = np.maximum(last, newest)
    contradicted: NDArray[np.bool_] = (last > 0) & (asked.at_ms - last < timeout_ms)
    return contradicted
