"""Slots: what can signal on a symbol, and the groups of them that rest on the same legs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from engine.market import Ints
from engine.values import PLAIN, RULES, IndicationType, Side, Variant

KINDS = RULES
_NOTHING = np.zeros(0, np.int64)
_NUMBERS = tuple(f.name for f in fields(Variant) if f.name != "preset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An indication with all it is tried with, for one side; see `SetKey` and `Variant`."""

    indication: IndicationType
    parameter: int
    side: Side
    variant: Variant = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotTable:
    """J slots and the G groups they fall into, as columns.

    Slots of one group differ in what their legs must pass, never in the legs.

    Attributes
    ----------
    kind, parameter, sign : (J,) place in `IndicationType`, parameter, +1 LONG or -1 SHORT.
    group : (J,) group of each slot.
    tuning : the numbers of `Variant`, (J,) each.
    members : (J,) slots, group after group; those of group g are begin[g] up to begin[g + 1].
    group_kind, group_parameter, group_sign, group_window_min : (G,) what its slots share.
    groups : groups of each type.
    """

    slots: tuple[Slot, ...]
    kind: Ints
    parameter: Ints
    sign: Ints
    group: Ints
    tuning: dict[str, Ints]
    members: Ints
    begin: Ints
    group_kind: Ints
    group_parameter: Ints
    group_sign: Ints
    group_window_min: Ints
    groups: Mapping[IndicationType, Ints]

    def groups_of(self, kinds: Iterable[IndicationType]) -> Ints:
        """Numbers of the groups of these types."""
        return np.concatenate([_NOTHING, *(self.groups[kind] for kind in kinds)])

    def slots_of(self, kind: IndicationType) -> Ints:
        """Numbers of the slots of a type."""
        return np.flatnonzero(self.kind == KINDS.index(kind))


def slot_table(slots: tuple[Slot, ...]) -> SlotTable:
    """The table of `slots`; made once for each tuple, as it is asked for every tick."""
    return _table(_Same(slots))


class _Same:
    """A tuple that equals itself alone: comparing thousands of slots takes longer than a tick."""

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self.slots = slots

    def __hash__(self) -> int:
        return id(self.slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.slots is self.slots


@lru_cache(maxsize=8)
def _table(same: _Same) -> SlotTable:
    slots = same.slots
    kind = np.array([KINDS.index(slot.indication) for slot in slots], np.int64)
    parameter = np.array([slot.parameter for slot in slots], np.int64)
    sign = np.array([slot.side.sign for slot in slots], np.int64)
    tuning = {
        name: np.array([getattr(slot.variant, name) for slot in slots], np.int64)
        for name in _NUMBERS
    }
    shared = np.stack([kind, parameter, sign, tuning["window_min"]]).reshape(4, -1)
    columns, group = np.unique(shared, axis=1, return_inverse=True)
    group = group.reshape(-1)
    members = np.argsort(group, kind="stable")
    return SlotTable(
        slots=slots,
        kind=kind,
        parameter=parameter,
        sign=sign,
        group=group,
        tuning=tuning,
        members=members,
        begin=np.searchsorted(group[members], np.arange(columns.shape[1] + 1)),
        group_kind=columns[0],
        group_parameter=columns[1],
        group_sign=columns[2],
        group_window_min=columns[3],
        groups={kind: np.flatnonzero(columns[0] == place) for place, kind in enumerate(KINDS)},
    )
