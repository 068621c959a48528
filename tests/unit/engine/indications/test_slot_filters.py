"""Each slot has its own filters, and a leg is judged for all of them at once."""

from itertools import product

import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import walked

from engine.indications.candidates import candidates, read
from engine.indications.filters import Measured, asked_of, decide, measure
from engine.indications.signals import IndicationState
from engine.indications.slots import Slot, slot_table
from engine.settings import Settings, with_values
from engine.values import PLAIN, IndicationType, Side, Variant

DRAWDOWNS, INDICES, FACTORS = (10, 20, 30, 40, 50), (1, 3, 5, 7, 9), (100, 150, 200, 250)
VARIANTS = tuple(
    Variant(drawdown_pct=d, market_change=m, last_part_pct=q)
    for d, m, q in product(DRAWDOWNS, INDICES, FACTORS)
)
CANDLES = walked(8, length=700, symbols=("AUSDT", "BUSDT"), span_ms=1000, volatility=1e-3)
OFF = {"marketActivityEnabled": False}


def by_slot(
    slots: tuple[Slot, ...], **values: object
) -> tuple[dict[int, list[tuple[int, int, int]]], dict[str, int]]:
    """(bar, symbol, sign) of the signals of each slot."""
    _, signals, counts = indicated(CANDLES, slots, with_values(Settings(), {**OFF, **values}))
    lists: dict[int, list[tuple[int, int, int]]] = {number: [] for number in range(len(slots))}
    for signal in signals:
        where = (int(signal["bar"]), int(signal["symbol"]), int(signal["sign"]))
        lists[int(signal["slot"])].append(where)
    return lists, counts


@pytest.mark.parametrize("kind", [IndicationType.DIRECTION, IndicationType.MOVE])
def test_a_slot_with_filters_of_its_own_signals_as_if_they_were_the_settings(
    kind: IndicationType,
) -> None:
    slots = both_sides(kind, (3, 4), VARIANTS)
    lists, counts = by_slot(slots)
    some = [Variant(drawdown_pct=30, market_change=3, last_part_pct=150), VARIANTS[0], VARIANTS[-8]]
    total = 0

    for variant in some:
        plain, _ = by_slot(
            both_sides(kind, (3, 4)),
            drawdownRatio=str(variant.drawdown_pct / 100),
            marketChangeRange=variant.market_change,
            lastPartRatioFactor=str(variant.last_part_pct / 100),
        )
        mine = [lists[number] for number, slot in enumerate(slots) if slot.variant == variant]
        assert mine == list(plain.values())
        total += sum(map(len, mine))

    assert total > 10
    assert counts["refused_drawdown"] > 100


@pytest.mark.parametrize("side", Side)
def test_stricter_slots_signal_less(side: Side) -> None:
    slots = tuple(
        Slot(indication=IndicationType.MOVE, parameter=3, side=side, variant=variant)
        for variant in VARIANTS
    )
    lists, _ = by_slot(slots, validationTimeout=1)
    most = max(map(len, lists.values()))

    lengths = np.array([len(each) for each in lists.values()]).reshape(5, 5, 4)

    assert lengths[-1, 0, 0] == most > 0
    for axis, way in ((0, 1), (1, -1), (2, -1)):
        assert (np.diff(lengths, axis=axis) * way >= 0).all()
    assert lengths.min() < most


def test_the_work_is_that_of_the_legs_not_of_legs_times_slots() -> None:
    few, many = (
        both_sides(IndicationType.MOVE, (3,)),
        both_sides(IndicationType.MOVE, (3,), VARIANTS),
    )
    rules = with_values(Settings(), OFF)
    legs = [
        candidates(read(IndicationState.fresh(2, 1), CANDLES, table, rules), table, rules)
        for table in map(slot_table, (few, many))
    ]

    assert len(legs[0]) == len(legs[1]) > 0


def test_every_pair_is_judged_as_if_it_were_alone() -> None:
    slots = both_sides(IndicationType.DIRECTION, (3, 5), (PLAIN, *VARIANTS[::7]))
    rules = with_values(Settings(), OFF | {"drawdownRatio": "0.25"})
    table = slot_table(slots)
    reading = read(IndicationState.fresh(2, len(slots)), CANDLES, table, rules)
    legs = candidates(reading, table, rules)
    measured = measure(legs, reading.samples, reading.active, table, rules)
    leg, slot, refused = decide(legs, measured, table, asked_of(table, rules), 1000, rules)
    passed = set(zip(leg.tolist(), slot.tolist(), strict=True))

    assert len(passed) == len(leg)
    pairs = 0
    for number in range(len(legs)):
        group = int(legs.group[number])
        for mine in table.members[table.begin[group] : table.begin[group + 1]].tolist():
            pairs += 1
            assert ((number, mine) in passed) is passes(measured, number, slots[mine], rules)
    assert pairs == len(passed) + sum(refused.values())


def passes(measured: Measured, leg: int, slot: Slot, rules: Settings) -> bool:
    """The rule as it is told, for one leg and one slot."""
    value = {
        name: int(getattr(measured, name)[leg])
        for name in ("samples", "last", "base", "change", "last_change", "given_back", "reach")
    }
    variant = slot.variant
    drawdown = variant.drawdown_pct / 100 or float(rules.drawdown_ratio)
    index = variant.market_change or rules.market_change_range
    factor = variant.last_part_pct / 100 or float(rules.last_part_ratio)
    k = 0.1 + (index - 1) * 0.1556
    needed = value["base"] * k * 0.001 * value["samples"] / 10
    mean, last = value["change"] / value["samples"], value["last_change"] / value["last"]
    return bool(
        value["reach"] > 0
        and value["given_back"] / value["reach"] <= drawdown
        and value["change"] >= needed
        and mean > 0
        and last >= mean * factor
        and measured.known[leg]
    )
